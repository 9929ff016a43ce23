//! Use cases: what every door (pages, REST, OTLP, command line, jobs) calls. Rules and permission live here, below all
//! doors; transactions begin and end here; time comes from a [`clock::Clock`] or as an argument.
#![warn(missing_docs)]

pub mod agents;
pub mod clock;
mod complete;
pub mod error;
pub mod events;
pub mod filter;
pub mod incidents;
pub mod ingest;
pub mod jobs;
pub mod live;
pub mod logs;
pub mod metrics;
pub mod openslo;
pub mod overview;
pub mod prometheus;
pub mod prometheus_rules;
mod saved_views;
mod segments;
pub mod service_map;
pub mod services;
pub mod settings;
pub mod slo;
pub mod suggest;
mod tail;
pub mod traces;
pub mod turns;
pub mod upkeep;

use std::sync::Arc;
use std::time::Duration;

pub use error::{Error, Result};
use sqlx::{PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::ingest::Ingest;
use crate::live::Live;
use crate::settings::Settings;
use crate::slo::SloBook;

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct Backend(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pool: PgPool,
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Clock,
    pub(crate) ingest: Ingest,
    pub(crate) book: parking_lot::RwLock<Arc<SloBook>>,
    pub(crate) tallies: slo::Tallies,
    /// Held while values get their groups, so that lanes that meet the same ones do not do it twice.
    pub(crate) admission: tokio::sync::Mutex<()>,
    pub(crate) live: Live,
    pub(crate) tails: tail::Tails,
    pub(crate) vocabularies: tail::Shared<Arc<complete::Vocabulary>>,
    pub(crate) instance: Uuid,
    /// Where senders reach this server, for pages that tell how to send the first telemetry.
    pub(crate) otlp_http: String,
    pub(crate) stop: CancellationToken,
    pub(crate) memory: upkeep::Memory,
    pub(crate) prometheus: prometheus::Memory,
}

impl Backend {
    /// Loads the SLOs and starts the lanes. Jobs are started apart ([`jobs::start`]).
    ///
    /// # Errors
    /// The database is away, or holds SLOs that cannot be read.
    pub async fn start(pool: PgPool, settings: Settings, clock: Clock, otlp_http: String, stop: CancellationToken) -> Result<Self> {
        let settings = Arc::new(settings);
        let book = {
            let mut tx = pool.begin().await?;
            slowburn_storage::database::make_snapshot(&mut tx).await?;
            SloBook::load(&mut tx).await?
        };
        let ingest = Ingest::start(pool.clone(), Arc::clone(&settings), clock.clone(), book.sli_set(), &stop);
        let instance = Uuid::now_v7();
        let inner = Arc::new(Inner {
            pool,
            settings,
            clock,
            ingest,
            book: parking_lot::RwLock::new(Arc::new(book)),
            tallies: slo::Tallies::default(),
            admission: tokio::sync::Mutex::default(),
            live: Live::default(),
            tails: tail::Tails::default(),
            vocabularies: tail::Shared::default(),
            instance,
            otlp_http,
            stop,
            memory: upkeep::Memory::default(),
            prometheus: prometheus::Memory::default(),
        });
        inner.ingest.use_admission(Self::admission(&inner));
        let backend = Self(inner);
        backend.know_series().await?;
        Ok(backend)
    }

    /// The door of telemetry.
    pub fn ingest(&self) -> &Ingest {
        &self.0.ingest
    }

    /// News for open pages.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Fires when the process is to end.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Asks the database for a sign of life and gives how long it took.
    ///
    /// # Errors
    /// None came within a second.
    pub async fn ping(&self) -> Result<Duration> {
        let began = std::time::Instant::now();
        let sign = async {
            let mut connection = self.0.pool.acquire().await?;
            slowburn_storage::database::ping(&mut connection).await?;
            Ok::<_, Error>(())
        };
        tokio::time::timeout(Duration::from_secs(1), sign).await.map_err(|_| Error::Unavailable("the database does not answer"))??;
        Ok(began.elapsed())
    }

    /// Ends what this instance holds: waits for the lanes, then gives up its leases. Call it after the stop signal.
    pub async fn close(&self) {
        self.0.ingest.drained().await;
        if let Ok(mut connection) = self.0.pool.acquire().await
            && let Err(fault) = slowburn_storage::lease::release_all(&mut connection, self.0.instance).await
        {
            tracing::warn!(error = %fault, "leases not released");
        }
        self.0.pool.close().await;
    }

    /// One view of the database for several statements.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Postgres>> {
        let mut tx = self.0.pool.begin().await?;
        slowburn_storage::database::make_snapshot(&mut tx).await?;
        Ok(tx)
    }

    /// A second view of the database beside one that is held, if a connection is at hand: who holds one and waits for another would
    /// stop all when everybody does.
    pub(crate) async fn spare_snapshot(&self) -> Result<Option<Transaction<'static, Postgres>>> {
        let Some(mut tx) = self.0.pool.try_begin().await? else { return Ok(None) };
        slowburn_storage::database::make_snapshot(&mut tx).await?;
        Ok(Some(tx))
    }
}
