//! News for open pages: that SLOs were evaluated anew, that telemetry arrived. Pages then ask for what they show. Whoever
//! reads too slowly misses news and is told how many; nothing is kept for them.

use std::sync::atomic::{AtomicU64, Ordering};

use slowburn_domain::time::Timestamp;
use tokio::sync::broadcast;

/// Most news a slow reader may lag behind.
const BACKLOG: usize = 64;

/// Something that open pages want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Counts were folded and SLOs can be read anew.
    Evaluated {
        /// When.
        at: Timestamp,
    },
    /// Records were stored.
    Arrived {
        /// When.
        at: Timestamp,
        /// How many since the last such news.
        spans: u64,
    },
}

/// Hands news to all who listen.
#[derive(Debug)]
pub struct Live {
    sender: broadcast::Sender<News>,
    arrivals: AtomicU64,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG), arrivals: AtomicU64::new(0) }
    }
}

impl Live {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.sender.subscribe()
    }

    /// Tells everybody who listens.
    pub fn tell(&self, news: News) {
        if let News::Arrived { .. } = news {
            self.arrivals.fetch_add(1, Ordering::SeqCst);
        }
        // Nobody listening is no fault.
        let _ = self.sender.send(news);
    }

    /// How often arrivals were told. Who heard of one finds at least as many.
    pub fn arrivals(&self) -> u64 {
        self.arrivals.load(Ordering::SeqCst)
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }
}
