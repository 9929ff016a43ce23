//! Counts kept in memory, so that a page costs what is new and not what there is.
//!
//! Hours and minutes are read from the rollup tables once, when somebody first asks for them; from then on each reader adds
//! what was folded since, and what is not folded yet, both read by one statement ([`rollup::changes`]). So every answer holds
//! all that was committed before it was asked for, on every instance. Readers who come while one reads are served by the
//! next reading together. Nothing here is the only copy of anything: a position too old to be caught up with, or an error,
//! costs another full reading.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use slowburn_domain::slo::{Counts, Hour, Ledger};
use slowburn_domain::time::Minute;
use slowburn_storage::rollup::{self, Changes, LOGGED_FOLDS, Position, Sums};
use tokio::sync::Mutex;

use crate::{Backend, Error, Result};

const AWAY: Error = Error::Unavailable("the database is away; try again in a moment");
const MINUTES_PER_HOUR: usize = 60;
/// How many SLIs are shown before others get a turn on the same worker.
const SLIS_A_TURN: usize = 16;
/// Most hours of minutes kept, of all SLIs together; 960 bytes each.
const MOST_BLOCKS: usize = 50_000;

/// What an evaluation needs to know of an SLI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) sli_id: i32,
    pub(crate) from_hour: i32,
    /// Hours whose minutes are asked for, in order.
    pub(crate) minute_hours: Vec<i32>,
    /// Minutes to be left out, in order: the first and the last of each range.
    pub(crate) excluded: Vec<(Minute, Minute)>,
}

/// The counts of this instance, shared by its readers.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// Readers so far.
    asked: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Readers who had asked before the last reading began: it serves them all.
    serves: u64,
    /// The same of the last reading that the database did not answer: they need not wait for it one after another.
    in_vain: u64,
    position: Option<Position>,
    slis: HashMap<i32, Tally>,
    unfolded: HashMap<i32, BTreeMap<Minute, Counts>>,
    blocks: usize,
}

/// The folded counts of one SLI.
#[derive(Debug, Default)]
struct Tally {
    from_hour: i32,
    seen_before: bool,
    /// In order, each once: judging copies them from some hour on.
    hours: Vec<Hour>,
    minutes: HashMap<i32, Block>,
}

/// The minutes of one hour.
#[derive(Debug)]
struct Block {
    /// The last reader of it.
    used: u64,
    counts: Box<[Counts; MINUTES_PER_HOUR]>,
}

impl Default for Block {
    fn default() -> Self {
        Self { used: 0, counts: Box::new([Counts::default(); MINUTES_PER_HOUR]) }
    }
}

/// What memory lacks: SLIs by the hour from which on to read them, and hours of minutes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lack {
    slis: BTreeMap<i32, Vec<i32>>,
    blocks: Vec<(i32, i32)>,
}

/// What was read of the lack.
#[derive(Debug, Default)]
struct Loaded {
    hours: Vec<(i32, Hour)>,
    minutes: Sums,
    seen_before: Vec<i32>,
}

/// Somebody who reads counts: what was committed before they came is in all that they read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader(u64);

impl Backend {
    /// A reader who comes now.
    pub(crate) fn reader(&self) -> Reader {
        Reader(self.0.tallies.asked.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Shows the counts of some SLIs, one after the other: all of them at once would take much memory for a moment.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn show_ledgers(&self, Reader(reader): Reader, needs: &[Need], mut show: impl FnMut(usize, Ledger)) -> Result<()> {
        let tallies = &self.0.tallies;
        let mut known = tallies.known.lock().await;
        if known.in_vain >= reader {
            return Err(AWAY);
        }
        if known.serves < reader || !known.lack(needs).is_empty() {
            let waiting = tallies.asked.load(Ordering::SeqCst);
            let read = self.read(&mut known, waiting, needs).await;
            if matches!(read, Err(Error::Unavailable(_))) {
                known.in_vain = waiting;
            }
            read?;
        }
        for (index, need) in needs.iter().enumerate() {
            show(index, known.ledger(need, reader));
            if (index + 1).is_multiple_of(SLIS_A_TURN) {
                tokio::task::yield_now().await;
            }
        }
        known.forget_if_many();
        Ok(())
    }

    /// Brings memory up to date and fills what it lacks. `serves` is the last reader who had asked when it was called.
    async fn read(&self, known: &mut Known, serves: u64, needs: &[Need]) -> Result<()> {
        let buckets = self.0.settings.bucket_numbers();
        if known.lack(needs).is_empty()
            && let Some(position) = &known.position
        {
            let mut connection = self.0.pool.acquire().await?;
            let changes = rollup::changes(&mut connection, &buckets, position).await?;
            if known.can_add(&changes) {
                known.add(changes, serves);
                return Ok(());
            }
        }
        let mut tx = self.snapshot().await?;
        let changes = rollup::changes(&mut tx, &buckets, known.position.as_ref().unwrap_or(&Position::new())).await?;
        let all = Known::default();
        let is_new = !known.can_add(&changes);
        let lack = if is_new { all.lack(needs) } else { known.lack(needs) };
        let mut loaded = Loaded::default();
        for (from_hour, ids) in &lack.slis {
            loaded.hours.extend(rollup::hours(&mut tx, &buckets, ids, *from_hour).await?);
            loaded.seen_before.extend(rollup::seen_before(&mut tx, &buckets, ids, *from_hour).await?);
        }
        if !lack.blocks.is_empty() {
            loaded.minutes = rollup::minutes(&mut tx, &buckets, &lack.blocks).await?;
        }
        tx.commit().await?;
        // Nothing waits from here on, so a reader who goes away leaves no half of it.
        if is_new {
            *known = Known { position: Some(changes.position.clone()), ..all };
        }
        known.add(changes, serves);
        known.load(&lack, loaded);
        Ok(())
    }
}

impl Known {
    fn lack(&self, needs: &[Need]) -> Lack {
        let mut lack = Lack::default();
        for need in needs {
            let tally = self.slis.get(&need.sli_id).filter(|tally| tally.from_hour <= need.from_hour);
            if tally.is_none() {
                lack.slis.entry(need.from_hour).or_default().push(need.sli_id);
            }
            let missing = need.minute_hours.iter().filter(|hour| tally.is_none_or(|tally| !tally.minutes.contains_key(hour)));
            lack.blocks.extend(missing.map(|hour| (need.sli_id, *hour)));
        }
        lack.blocks.sort_unstable();
        lack.blocks.dedup();
        lack
    }

    /// Do the changes begin where this ends?
    fn can_add(&self, changes: &Changes) -> bool {
        let Some(position) = &self.position else { return false };
        let follows = |(bucket, fold): (&i16, &i64)| {
            let known = position.get(bucket).copied().unwrap_or(0);
            (known..known + LOGGED_FOLDS).contains(fold)
        };
        // Of a bucket that is not known nothing is asked, so its folds would be missed.
        changes.position.len() == position.len() && changes.position.iter().all(follows)
    }

    fn add(&mut self, changes: Changes, serves: u64) {
        self.serves = serves;
        let is_first = self.position.as_ref() == Some(&changes.position);
        if !is_first {
            for (sli_id, minute, counts) in changes.folded {
                if let Some(tally) = self.slis.get_mut(&sli_id) {
                    tally.add(minute, counts);
                }
            }
        }
        self.position = Some(changes.position);
        self.unfolded.clear();
        for (sli_id, minute, counts) in changes.unfolded {
            *self.unfolded.entry(sli_id).or_default().entry(minute).or_default() += counts;
        }
    }

    fn load(&mut self, lack: &Lack, loaded: Loaded) {
        let seen_before: HashSet<i32> = loaded.seen_before.into_iter().collect();
        for (from_hour, ids) in &lack.slis {
            for id in ids {
                let tally = Tally { from_hour: *from_hour, seen_before: seen_before.contains(id), ..Tally::default() };
                let replaced = self.slis.insert(*id, tally);
                self.blocks -= replaced.map_or(0, |old| old.minutes.len());
            }
        }
        for (sli_id, hour) in loaded.hours {
            if let Some(tally) = self.slis.get_mut(&sli_id) {
                tally.hours.push(hour);
            }
        }
        for id in lack.slis.values().flatten() {
            if let Some(tally) = self.slis.get_mut(id) {
                tally.hours.sort_unstable_by_key(|row| row.hour);
                // One that two needs ask for from different hours on was read twice.
                tally.hours.dedup_by_key(|row| row.hour);
            }
        }
        for (sli_id, hour) in &lack.blocks {
            if let Some(tally) = self.slis.get_mut(sli_id) {
                self.blocks += usize::from(tally.minutes.insert(*hour, Block::default()).is_none());
            }
        }
        for (sli_id, minute, counts) in loaded.minutes {
            let block = self.slis.get_mut(&sli_id).and_then(|tally| tally.minutes.get_mut(&minute.hour()));
            if let Some(block) = block {
                block.counts[place(minute)] += counts;
            }
        }
    }

    fn ledger(&mut self, need: &Need, reader: u64) -> Ledger {
        let Some(tally) = self.slis.get_mut(&need.sli_id) else { return Ledger::default() };
        let first = tally.hours.partition_point(|row| row.hour < need.from_hour);
        let mut seen_before = tally.seen_before || first > 0;
        let unfolded = self.unfolded.get(&need.sli_id);
        let mut hours = Vec::with_capacity(tally.hours.len() - first + unfolded.map_or(0, BTreeMap::len));
        hours.extend_from_slice(&tally.hours[first..]);
        let mut minutes = Vec::with_capacity(need.minute_hours.len() * MINUTES_PER_HOUR);
        for hour in &need.minute_hours {
            let Some(block) = tally.minutes.get_mut(hour) else { continue };
            block.used = reader;
            let first = Minute(hour * MINUTES_PER_HOUR as i32);
            let heard = block.counts.iter().zip(0..).filter(|(counts, _)| counts.total > 0);
            minutes.extend(heard.map(|(counts, minute)| (first.plus(minute), *counts)));
        }
        for (minute, counts) in unfolded.into_iter().flatten() {
            if minute.hour() < need.from_hour {
                seen_before = true;
                continue;
            }
            // Both are in order, and what is not folded yet lies near their ends: cheaper than sorting them anew.
            match hours.binary_search_by_key(&minute.hour(), |row| row.hour) {
                Ok(index) => {
                    hours[index].counts += *counts;
                    hours[index].seen |= 1 << place(*minute);
                }
                Err(index) => hours.insert(index, Hour { hour: minute.hour(), counts: *counts, seen: 1 << place(*minute) }),
            }
            if need.minute_hours.contains(&minute.hour()) {
                match minutes.binary_search_by_key(minute, |(minute, _)| *minute) {
                    Ok(index) => minutes[index].1 += *counts,
                    Err(index) => minutes.insert(index, (*minute, *counts)),
                }
            }
        }
        Ledger::new(hours, minutes, seen_before).leaving_out(&need.excluded)
    }

    /// Drops the half of the minutes that was not asked for longest, when there are too many.
    fn forget_if_many(&mut self) {
        if self.blocks <= MOST_BLOCKS {
            return;
        }
        let mut used: Vec<u64> = self.slis.values().flat_map(|tally| tally.minutes.values().map(|block| block.used)).collect();
        let middle = used.len() / 2;
        let (_, median, _) = used.select_nth_unstable(middle);
        let median = *median;
        for tally in self.slis.values_mut() {
            tally.minutes.retain(|_, block| block.used > median);
        }
        self.blocks = self.slis.values().map(|tally| tally.minutes.len()).sum();
    }
}

impl Tally {
    fn add(&mut self, minute: Minute, counts: Counts) {
        let hour = minute.hour();
        if hour < self.from_hour {
            self.seen_before = true;
            return;
        }
        // What is new lies at the end.
        let index = self.hours.partition_point(|row| row.hour < hour);
        if self.hours.get(index).is_none_or(|row| row.hour != hour) {
            self.hours.insert(index, Hour { hour, ..Hour::default() });
        }
        let known = &mut self.hours[index];
        known.counts += counts;
        known.seen |= 1 << place(minute);
        if let Some(block) = self.minutes.get_mut(&hour) {
            block.counts[place(minute)] += counts;
        }
    }
}

impl Lack {
    fn is_empty(&self) -> bool {
        self.slis.is_empty() && self.blocks.is_empty()
    }
}

/// Which minute of its hour.
const fn place(minute: Minute) -> usize {
    minute.0.rem_euclid(MINUTES_PER_HOUR as i32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(minute: i32, total: u64) -> (i32, Minute, Counts) {
        (7, Minute(minute), Counts { good: total, total })
    }

    fn need(from_hour: i32, minute_hours: &[i32]) -> Need {
        Need { sli_id: 7, from_hour, minute_hours: minute_hours.to_vec(), excluded: Vec::new() }
    }

    fn changes(fold: i64, folded: Sums, unfolded: Sums) -> Changes {
        Changes { position: Position::from([(0, fold)]), folded, unfolded }
    }

    /// Knows the hours 10 and 11 and the minutes of 11, up to fold 5.
    fn known() -> Known {
        let mut known = Known { position: Some(Position::from([(0, 5)])), ..Known::default() };
        let lack = known.lack(&[need(10, &[11])]);
        let hours = vec![
            (7, Hour { hour: 10, counts: Counts { good: 4, total: 4 }, seen: 1 }),
            (7, Hour { hour: 11, counts: Counts { good: 2, total: 2 }, seen: 2 }),
        ];
        known.load(&lack, Loaded { hours, minutes: vec![sum(661, 1), sum(661, 1)], seen_before: Vec::new() });
        known
    }

    #[test]
    fn what_is_known_is_not_read_again() {
        let known = known();
        assert!(known.lack(&[need(10, &[11])]).is_empty() && known.lack(&[need(11, &[])]).is_empty());
        assert_eq!(known.lack(&[need(10, &[10, 11])]).blocks, [(7, 10)]);
        assert_eq!(known.lack(&[need(9, &[11])]).slis, BTreeMap::from([(9, vec![7])]));
    }

    #[test]
    fn folds_are_added_once_and_the_unfolded_replaced() {
        let mut known = known();
        let total = |known: &mut Known| known.ledger(&need(10, &[11]), 1).sum(Minute(600), Minute(719)).total;
        known.add(changes(5, Vec::new(), vec![sum(662, 3)]), 1);
        assert_eq!(total(&mut known), 9);
        known.add(changes(6, vec![sum(662, 3)], Vec::new()), 2);
        assert_eq!(total(&mut known), 9);
        assert_eq!(known.ledger(&need(10, &[11]), 2).sum(Minute(662), Minute(662)).total, 3);
        assert!(known.ledger(&need(11, &[]), 2).seen_before());
        assert!(!known.ledger(&need(10, &[]), 2).seen_before());
        known.add(changes(7, vec![sum(30, 1)], Vec::new()), 3);
        assert!(known.ledger(&need(10, &[]), 3).seen_before(), "what came late and lies before what is known is noticed");
    }

    #[test]
    fn an_sli_that_two_ask_for_from_different_hours_is_counted_once() {
        let mut known = Known::default();
        let lack = known.lack(&[need(10, &[]), need(11, &[])]);
        let hour = |hour| (7, Hour { hour, counts: Counts { good: 2, total: 2 }, seen: 1 });
        known.load(&lack, Loaded { hours: vec![hour(11), hour(10), hour(11)], ..Loaded::default() });
        assert_eq!(known.ledger(&need(10, &[]), 1).sum(Minute(600), Minute(719)).total, 4);
        assert_eq!(known.ledger(&need(11, &[]), 1).sum(Minute(600), Minute(719)).total, 2);
    }

    #[test]
    fn a_gap_between_positions_is_noticed() {
        let known = known();
        for (fold, can) in [(5, true), (6, true), (4 + LOGGED_FOLDS, true), (5 + LOGGED_FOLDS, false), (4, false)] {
            assert_eq!(known.can_add(&changes(fold, Vec::new(), Vec::new())), can, "fold {fold}");
        }
        let another = Changes { position: Position::from([(0, 5), (1, 1)]), ..Changes::default() };
        assert!(!known.can_add(&another), "a bucket that was not asked for");
        assert!(!Known::default().can_add(&another));
    }

    #[test]
    fn memory_has_a_bound() {
        let mut known = known();
        let hours: Vec<i32> = (100..100 + MOST_BLOCKS as i32).collect();
        let lack = known.lack(&[need(10, &hours)]);
        known.load(&lack, Loaded::default());
        known.ledger(&need(10, &[11]), 9);
        assert!(known.blocks > MOST_BLOCKS);
        known.forget_if_many();
        assert_eq!(known.blocks, 1);
        assert!(known.lack(&[need(10, &[11])]).is_empty(), "what was asked for last stays");
    }
}
