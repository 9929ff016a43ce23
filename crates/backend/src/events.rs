//! The durable event log: CloudEvents of others in, everything out again by type, subject, words and correlation ID.
//!
//! A request is read on a codec thread, cleaned of secrets, and each of its events is filed in the bucket of its subject, or of its
//! source when it has none, so that events about one thing keep their order. One transaction for each bucket; the answer comes
//! after the last; SLIs over events are counted in it. The key of an event follows from source and id: what is sent again after a crash between two buckets is known
//! where it was stored.

mod read;

use std::collections::BTreeMap;

use metrics::counter;
use slowburn_domain::event::{EventCursor, EventLine, EventQuery};
use slowburn_domain::log::{LogLine, TextQuery};
use slowburn_domain::query::{DEFAULT_LIMIT, FieldFault};
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::span::Value;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::EventsPage;
use slowburn_storage::event::{self, EventConditions, ReceivedEvent};
use slowburn_storage::rollup;
use slowburn_storage::segment::Bloom;

pub use read::EventForm;

use crate::filter::Signal;
use crate::ingest::{ADMISSIONS, Accepted, Arriving, Compression, Counted, Format, Payload, Refusal, Rejected};
use crate::{Backend, Result};

/// Events looked at together when words are searched.
const BATCH: i64 = 1_000;
/// Events looked at for one page of a search for words; its `next` goes on from there.
const MOST_LOOKED_AT: usize = 50_000;
/// Faults listed in an answer.
const LISTED_FAULTS: usize = 1_000;

/// What the types of our own events begin with. They are told like others, and no SLI counts them.
pub(crate) const OWN_TYPES: &str = "dev.slowburn.";

impl Backend {
    /// Stores the events of one request. Returns after the commit.
    ///
    /// # Errors
    /// The request as a whole could not be stored.
    pub async fn receive_events(
        &self,
        arrived: Arriving,
        compression: Compression,
        form: EventForm,
    ) -> std::result::Result<Accepted, Refusal> {
        let outcome = self.0.ingest.counted(self.store_events(arrived, compression, form).await);
        if let Ok(accepted) = &outcome {
            counter!("slowburn_ingest_requests_total", "outcome" => "accepted").increment(1);
            counter!("slowburn_events_accepted_total").increment(accepted.accepted);
            counter!("slowburn_events_rejected_total").increment(accepted.rejected);
        }
        outcome
    }

    async fn store_events(&self, arrived: Arriving, compression: Compression, form: EventForm) -> std::result::Result<Accepted, Refusal> {
        let ingest = self.0.ingest.clone();
        let now = self.0.clock.now();
        // Held until the answer: the room that the request takes.
        let (bytes, mut room) = arrived.into_parts();
        let limit = ingest.request_bytes();
        let (events, faults, redacted, _room) = ingest
            .on_codec(move |decoder| {
                let message = Payload { bytes, compression, format: Format::Json }.decompress(limit)?;
                room.grow(message.len())?;
                let (mut events, faults) = read::read(&message, form, limit, now)?;
                let redacted: u64 = events.iter_mut().map(|event| decoder.clean_event(event)).sum();
                Ok::<_, Refusal>((events, faults, redacted, room))
            })
            .await?;
        counter!("slowburn_redacted_values_total").increment(redacted);
        let accepted = Accepted {
            accepted: events.len() as u64,
            rejected: faults.len() as u64,
            reason: faults.iter().take(5).map(|fault| format!("{}: {}", fault.field, fault.reason)).collect::<Vec<_>>().join("; "),
            faults: faults.into_iter().take(LISTED_FAULTS).collect(),
        };
        let mut by_bucket: BTreeMap<i16, Vec<ReceivedEvent>> = BTreeMap::new();
        for event in events {
            let about = if event.subject.is_empty() { &event.source } else { &event.subject };
            let bucket = self.bucket_of(about);
            by_bucket.entry(bucket).or_default().push(ReceivedEvent { key: read::key(&event), event });
        }
        for (bucket, events) in by_bucket {
            match self.append_counted(bucket, &events, now).await {
                Ok(new) => {
                    counter!("slowburn_events_stored_total").increment(new);
                    self.0.ingest.add_stored(new);
                }
                Err(fault) => {
                    tracing::error!(error = %crate::ingest::chain(&fault), bucket, "events not stored");
                    return Err(Refusal::Unavailable);
                }
            }
        }
        Ok(accepted)
    }

    /// Appends events to a bucket and counts those that are new by the SLIs over events, in one transaction. Gives how many were new.
    async fn append_counted(
        &self,
        bucket: i16,
        events: &[ReceivedEvent],
        now: Timestamp,
    ) -> std::result::Result<u64, slowburn_storage::Error> {
        for _ in 0..ADMISSIONS {
            let slis = self.0.ingest.hold_slis().await;
            let mut tx = self.0.pool.begin().await?;
            let new = event::append_received(&mut tx, bucket, events, now).await?;
            let mut counted = Counted::default();
            for place in &new {
                let event = &events[*place].event;
                // What is said to come is counted now: a minute that has not begun is nobody's.
                slis.count(Signal::Events, event, event.time.min(now).minute(), &mut counted, |_| {});
            }
            if counted.unknown.is_empty() {
                rollup::append(&mut tx, bucket, &counted.deltas).await?;
                tx.commit().await?;
                return Ok(new.len() as u64);
            }
            tx.rollback().await?;
            drop(slis);
            self.0.ingest.admit(counted.unknown).await?;
        }
        Err(slowburn_storage::Error::ChangedMeanwhile)
    }

    /// The bucket in which events about something keep their order.
    pub(crate) fn bucket_of(&self, about: &str) -> i16 {
        let hash = Bloom::hash("subject", &Value::String(about.to_owned()));
        i16::try_from(hash % u64::from(self.0.settings.buckets)).unwrap_or_default()
    }

    /// Searches events, newest first. Gives where the next page begins, if there may be one.
    ///
    /// # Errors
    /// The database.
    pub async fn find_events(&self, query: &EventQuery, now: Timestamp) -> Result<(Vec<EventLine>, Option<EventCursor>)> {
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_LIMIT));
        let text = query.q.as_deref().map(TextQuery::parse).unwrap_or_default();
        let prefix = query.kind.as_deref().and_then(|kind| kind.strip_suffix('*'));
        let mut conditions = EventConditions {
            kind: query.kind.as_deref().filter(|_| prefix.is_none()),
            kind_prefix: prefix,
            source: query.source.as_deref(),
            subject: query.subject.as_deref(),
            correlation_id: query.correlation_id.as_deref(),
            from: query.from.map(|bound| bound.at(now)),
            to: query.to.map(|bound| bound.at(now)),
            before: query.cursor,
        };
        let batch = if text.is_empty() { limit as i64 + 1 } else { BATCH };
        let mut tx = self.snapshot().await?;
        let mut found: Vec<(EventCursor, EventLine)> = Vec::new();
        let mut looked_at = 0;
        loop {
            let events = event::list(&mut tx, &self.0.settings.bucket_numbers(), &conditions, batch).await?;
            let is_last = (events.len() as i64) < batch;
            looked_at += events.len();
            conditions.before = events.last().map(|(cursor, _)| *cursor).or(conditions.before);
            found.extend(events.into_iter().filter(|(_, event)| text.matches(&words_of(event))));
            if found.len() > limit {
                found.truncate(limit);
                let next = found.last().map(|(cursor, _)| *cursor);
                return Ok((found.into_iter().map(|(_, event)| event).collect(), next));
            }
            if is_last || looked_at >= MOST_LOOKED_AT {
                let next = conditions.before.filter(|_| !is_last);
                return Ok((found.into_iter().map(|(_, event)| event).collect(), next));
            }
        }
    }

    /// The Events page. Faults of single parameters are shown beside what could be read.
    ///
    /// # Errors
    /// The database.
    pub async fn events_page(&self, query: EventQuery, faults: Vec<FieldFault>, now: Timestamp) -> Result<EventsPage> {
        let (items, next) = self.find_events(&query, now).await?;
        let next = next.map(|cursor| EventQuery { cursor: Some(cursor), ..query.clone() });
        let items = items.iter().map(LogLine::from).collect();
        let views = self.saved_views(SearchPage::Events).await?;
        Ok(EventsPage { now, query, faults, items, next, views })
    }
}

/// What of an event is searched for words.
fn words_of(event: &EventLine) -> String {
    let extensions = event.extensions.iter().map(|(key, value)| format!("{key} {value}"));
    let parts = [event.kind.clone(), event.source.clone(), event.subject.clone(), event.data.to_string()];
    parts.into_iter().chain(extensions).collect::<Vec<_>>().join("\n")
}

/// A fault of one event of a request.
fn rejected(index: usize, field: &str, reason: impl Into<String>) -> Rejected {
    Rejected { index, field: field.to_owned(), reason: reason.into() }
}
