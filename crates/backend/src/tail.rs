//! The live tail: many open pages repeat the same search at every news of arrivals. Those of one search share one answer
//! until the next news, and wait together for the one that is being found. What a search finds under one news holds all
//! that was committed before it; what is committed later comes with the next news.
//!
//! What completions know of each minute is shared in the same way, the minute for news.
//!
//! Answers of an earlier news are dropped with the first search of a later one. Beyond a bound of different searches each
//! is run by itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use slowburn_domain::event::EventQuery;
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::query::TraceQuery;
use slowburn_domain::time::Timestamp;
use slowburn_domain::view::{EventsPage, LogsPage, TracesPage};
use tokio::sync::OnceCell;

use crate::{Backend, Result};

/// Most different searches with a shared answer.
const MOST_SEARCHES: usize = 128;

type Outcome<T, E> = std::result::Result<T, E>;

/// Answers of the present news, by search.
#[derive(Debug)]
pub(crate) struct Shared<T>(Mutex<Answers<T>>);

#[derive(Debug)]
struct Answers<T> {
    news: u64,
    by_search: HashMap<String, Arc<OnceCell<T>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::new(Answers { news: 0, by_search: HashMap::new() }))
    }
}

impl<T: Clone> Shared<T> {
    /// The answer to `search` under a news: found by one of those who ask, had by all. A failure goes to the one who met it
    /// only; the next one tries again.
    pub(crate) async fn get<E, Finding>(&self, news: u64, search: String, find: impl FnOnce() -> Finding) -> Outcome<T, E>
    where
        Finding: Future<Output = Outcome<T, E>>,
    {
        let Some(cell) = self.cell(news, search) else { return find().await };
        cell.get_or_try_init(find).await.cloned()
    }

    /// `None` where the answer cannot be shared: a later news has come, or there are too many searches.
    fn cell(&self, news: u64, search: String) -> Option<Arc<OnceCell<T>>> {
        let mut answers = self.0.lock();
        if answers.news < news {
            answers.news = news;
            answers.by_search.clear();
        }
        let has_room = answers.by_search.len() < MOST_SEARCHES || answers.by_search.contains_key(&search);
        (answers.news == news && has_room).then(|| Arc::clone(answers.by_search.entry(search).or_default()))
    }
}

/// Answers of the present news to searches of each kind.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    traces: Shared<Arc<TracesPage>>,
    logs: Shared<Arc<LogsPage>>,
    events: Shared<Arc<EventsPage>>,
}

impl Backend {
    /// The Traces page as an open page follows it: what was found under the present news, shared by all who follow the same
    /// search. It may be as old as that news; a page that is opened asks by [`traces_page`](Self::traces_page).
    ///
    /// # Errors
    /// The database.
    pub async fn tail(&self, query: TraceQuery, now: Timestamp) -> Result<Arc<TracesPage>> {
        let (news, search) = (self.0.live.arrivals(), query.to_query_string());
        self.0.tails.traces.get(news, search, async || self.traces_page(query, Vec::new(), now).await.map(Arc::new)).await
    }

    /// The same of the Logs page.
    ///
    /// # Errors
    /// The database.
    pub async fn tail_logs(&self, query: LogQuery, now: Timestamp) -> Result<Arc<LogsPage>> {
        let (news, search) = (self.0.live.arrivals(), query.href());
        self.0.tails.logs.get(news, search, async || self.logs_page(query, Vec::new(), now).await.map(Arc::new)).await
    }

    /// The same of the Events page.
    ///
    /// # Errors
    /// The database.
    pub async fn tail_events(&self, query: EventQuery, now: Timestamp) -> Result<Arc<EventsPage>> {
        let (news, search) = (self.0.live.arrivals(), query.href());
        self.0.tails.events.get(news, search, async || self.events_page(query, Vec::new(), now).await.map(Arc::new)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counted {
        shared: Shared<usize>,
        searches: AtomicUsize,
    }

    impl Counted {
        fn new() -> Self {
            Self { shared: Shared::default(), searches: AtomicUsize::new(0) }
        }

        async fn ask(&self, news: u64, search: &str) -> Outcome<usize, ()> {
            let find = async || {
                tokio::task::yield_now().await;
                Ok(self.searches.fetch_add(1, Ordering::SeqCst) + 1)
            };
            self.shared.get(news, search.to_owned(), find).await
        }
    }

    #[tokio::test]
    async fn readers_of_one_search_share_one_answer_until_the_next_news() {
        let counted = Counted::new();
        let answers = futures::future::join_all((0..200).map(|_| counted.ask(1, "service=a"))).await;
        assert_eq!(answers, vec![Ok(1); 200]);
        assert_eq!(counted.ask(1, "service=b").await, Ok(2));
        assert_eq!(counted.ask(2, "service=a").await, Ok(3));
        assert_eq!(counted.ask(2, "service=a").await, Ok(3));
        // One who asks under the old news after all gets an answer of their own, and takes nothing from the others.
        assert_eq!(counted.ask(1, "service=a").await, Ok(4));
        assert_eq!(counted.ask(2, "service=a").await, Ok(3));
    }

    #[tokio::test]
    async fn a_failure_is_not_shared() {
        let shared = Shared::<usize>::default();
        assert_eq!(shared.get(1, String::new(), async || Err("away")).await, Err("away"));
        assert_eq!(shared.get(1, String::new(), async || Ok::<_, &str>(7)).await, Ok(7));
        assert_eq!(shared.get(1, String::new(), async || Err("away")).await, Ok(7));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_those_beyond_the_bound_are_answered_too() {
        let counted = Counted::new();
        for search in 0..MOST_SEARCHES + 50 {
            assert_eq!(counted.ask(1, &search.to_string()).await, Ok(search + 1));
        }
        assert_eq!(counted.shared.0.lock().by_search.len(), MOST_SEARCHES);
        assert_eq!(counted.ask(1, "0").await, Ok(1));
        counted.ask(2, "0").await.expect("found");
        assert_eq!(counted.shared.0.lock().by_search.len(), 1);
    }
}
