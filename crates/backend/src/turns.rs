//! Readers who ask the same at the same time, as a team does that was sent one link: they share answers. An answer that
//! several get is begun after the last of them asked, so nobody reads what was true before they came.
//!
//! Of one question two answers are found at once; who comes meanwhile waits for the next one, together with all others who
//! do. So one waits for the rest of another's answer and then for one's own, and two readers never wait for each other.
//! Whoever waits in front finds the answer; when they go away, the next of those who wait begins anew. A failure is an answer
//! like others: a database that is away is asked twice at once, not fifty times.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore};

/// Answers to one question that are found at once.
const AT_ONCE: usize = 2;

/// Questions that are being asked.
#[derive(Debug)]
pub struct Turns<T>(Mutex<HashMap<String, Line<T>>>);

/// All who ask one question.
#[derive(Debug)]
struct Line<T> {
    askers: usize,
    /// What those get who come now.
    next: Answer<T>,
    running: Arc<Semaphore>,
}

/// Empty until it is found.
type Answer<T> = Arc<OnceCell<T>>;

/// One who asks; leaves the line when dropped.
struct Asker<'a, T> {
    turns: &'a Turns<T>,
    question: String,
    answer: Answer<T>,
    running: Arc<Semaphore>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Turns<T> {
    /// The answer to a question: found by `finding`, or by another who asks the same and begins after this call.
    pub async fn ask(&self, question: String, finding: impl Future<Output = T>) -> T {
        let asker = self.arrive(question);
        let find = async || {
            // It is never closed.
            let _turn = asker.running.acquire().await;
            asker.begin();
            finding.await
        };
        asker.answer.get_or_init(find).await.clone()
    }
}

impl<T> Turns<T> {
    fn arrive(&self, question: String) -> Asker<'_, T> {
        let mut lines = self.0.lock();
        let line = lines.entry(question.clone()).or_insert_with(|| Line {
            askers: 0,
            next: Answer::default(),
            running: Arc::new(Semaphore::new(AT_ONCE)),
        });
        line.askers += 1;
        Asker { turns: self, question, answer: Arc::clone(&line.next), running: Arc::clone(&line.running) }
    }
}

impl<T> Asker<'_, T> {
    /// Who comes from now on gets a later answer.
    fn begin(&self) {
        if let Some(line) = self.turns.0.lock().get_mut(&self.question)
            && Arc::ptr_eq(&line.next, &self.answer)
        {
            line.next = Answer::default();
        }
    }
}

impl<T> Drop for Asker<'_, T> {
    fn drop(&mut self) {
        let mut lines = self.turns.0.lock();
        if let Some(line) = lines.get_mut(&self.question) {
            line.askers -= 1;
            if line.askers == 0 {
                lines.remove(&self.question);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    /// A world whose state can be read only as often as `allowed` permits, so that tests decide when answers come.
    struct World {
        turns: Turns<usize>,
        state: AtomicUsize,
        readings: AtomicUsize,
        allowed: Semaphore,
    }

    impl World {
        fn new(allowed: usize) -> Arc<Self> {
            let allowed = Semaphore::new(allowed);
            Arc::new(Self { turns: Turns::default(), state: AtomicUsize::new(0), readings: AtomicUsize::new(0), allowed })
        }

        async fn read(&self) -> usize {
            self.readings.fetch_add(1, Ordering::SeqCst);
            let seen = self.state.load(Ordering::SeqCst);
            self.allowed.acquire().await.expect("it is open").forget();
            seen
        }

        async fn ask(&self, question: &str) -> usize {
            self.turns.ask(question.to_owned(), self.read()).await
        }

        fn spawn(self: &Arc<Self>, question: &'static str) -> tokio::task::JoinHandle<usize> {
            let world = Arc::clone(self);
            tokio::spawn(async move { world.ask(question).await })
        }

        fn readings(&self) -> usize {
            self.readings.load(Ordering::SeqCst)
        }

        fn has_nobody(&self) -> bool {
            self.turns.0.lock().is_empty()
        }
    }

    /// Lets all others of this thread go as far as they can.
    async fn settle() {
        for _ in 0..1_000 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn fifty_who_ask_at_once_cost_three_answers() {
        let world = World::new(0);
        let readers: Vec<_> = (0..50).map(|_| world.spawn("slo")).collect();
        settle().await;
        assert_eq!(world.readings(), 2, "two at once");
        world.allowed.add_permits(100);
        assert!(join_all(readers).await.into_iter().all(|answer| answer.expect("it ends") == 0));
        assert_eq!(world.readings(), 3);
        assert!(world.has_nobody());
    }

    #[tokio::test]
    async fn an_answer_is_no_older_than_the_question() {
        let world = World::new(0);
        let early: Vec<_> = (0..2).map(|_| world.spawn("slo")).collect();
        settle().await;
        world.state.store(1, Ordering::SeqCst);
        let late: Vec<_> = (0..20).map(|_| world.spawn("slo")).collect();
        settle().await;
        world.allowed.add_permits(1);
        settle().await;
        // The shared answer has begun; who comes now waits for one after it.
        world.state.store(2, Ordering::SeqCst);
        let latest = world.spawn("slo");
        settle().await;
        world.allowed.add_permits(100);
        assert!(join_all(early).await.into_iter().all(|answer| answer.expect("it ends") == 0));
        assert!(join_all(late).await.into_iter().all(|answer| answer.expect("it ends") == 1));
        assert_eq!(latest.await.expect("it ends"), 2);
    }

    #[tokio::test]
    async fn questions_do_not_wait_for_each_other() {
        let world = World::new(0);
        let readers: Vec<_> = ["a", "b", "c", "d"].into_iter().map(|question| world.spawn(question)).collect();
        settle().await;
        assert_eq!(world.readings(), 4);
        world.allowed.add_permits(4);
        join_all(readers).await;
        assert!(world.has_nobody());
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_answer_to_the_others() {
        let world = World::new(0);
        let running: Vec<_> = (0..2).map(|_| world.spawn("slo")).collect();
        settle().await;
        let (first, second) = (world.spawn("slo"), world.spawn("slo"));
        settle().await;
        // The one in front goes, once while it waits for its turn, once while it finds.
        first.abort();
        settle().await;
        let third = world.spawn("slo");
        running.iter().for_each(tokio::task::JoinHandle::abort);
        settle().await;
        assert_eq!(world.readings(), 3);
        second.abort();
        settle().await;
        world.allowed.add_permits(100);
        assert_eq!(third.await.expect("it ends"), 0);
        settle().await;
        assert!(world.has_nobody());
    }
}
