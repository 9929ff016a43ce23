//! Looking after what is stored: folding counts, merging small segments, counting the past of new SLIs, keeping slots and
//! what outlives them.
//!
//! Each of these is a reconciler: it rereads the tables, works in bounded transactions, may run twice or on two instances,
//! and can be stopped between two transactions. Leases keep instances from doing work for nothing; correct they are
//! without. [`crate::jobs`] runs them.

mod backfill;
mod edges;
mod fold;
mod kept;
mod merge;
mod slots;
mod storage;

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use slowburn_domain::time::Timestamp;
use slowburn_storage::lease;

pub(crate) use self::edges::touched_minutes;
use crate::{Backend, Result};

/// How long a lease lasts without being renewed, seconds. Another instance takes over after it.
const LEASE_SECONDS: f64 = 4.0;

/// What one instance remembers between rounds; forgetting it costs a round.
#[derive(Default)]
pub(crate) struct Memory {
    /// Closed slots whose open part was seen empty, and since when.
    empty_since: Mutex<BTreeMap<i32, Timestamp>>,
    /// Segments that cannot be read, and so are not merged.
    unreadable: Mutex<BTreeSet<i64>>,
}

impl Backend {
    /// Takes or renews a lease of this instance. `false` when another one has it.
    pub(crate) async fn holds(&self, name: &str) -> Result<bool> {
        let mut connection = self.0.pool.acquire().await?;
        Ok(lease::acquire(&mut connection, name, self.0.instance, LEASE_SECONDS).await?.is_some())
    }
}
