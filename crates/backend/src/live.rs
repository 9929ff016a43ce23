//! News for open pages: that SLOs were evaluated anew, that telemetry arrived. Pages then ask for what they show. Whoever
//! reads too slowly misses news and is told how many; nothing is kept for them.

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
    /// Spans were stored.
    Arrived {
        /// When.
        at: Timestamp,
        /// How many since the last such news.
        spans: u64,
    },
}

/// Hands news to all who listen.
#[derive(Debug)]
pub struct Live(broadcast::Sender<News>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Live {
    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }

    /// Tells everybody who listens.
    pub fn tell(&self, news: News) {
        // Nobody listening is no fault.
        let _ = self.0.send(news);
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.0.receiver_count()
    }
}
