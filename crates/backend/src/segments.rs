//! Walking segments for a search: which of them can hold what is wanted, and what they hold of it.

use std::collections::VecDeque;

use bytes::Bytes;
use slowburn_storage::Error as StorageError;
use slowburn_storage::segment::Bloom;
use slowburn_storage::trace::{self, Extent, SegmentRef};
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::{Error, Result};

/// Segments matched at the same time: while one is matched on a codec thread the next is fetched.
pub(crate) const AT_ONCE: usize = 2;
/// Segments whose Bloom filters are fetched together; the first steps are shorter, because many searches end there.
pub(crate) const MOST_STEP: usize = 64;

/// Segments that their Bloom filter does not rule out.
pub(crate) async fn possible(connection: &mut PgConnection, extents: &[Extent], hashes: &[u64]) -> Result<Vec<SegmentRef>> {
    let segments: Vec<SegmentRef> = extents.iter().map(|extent| extent.segment).collect();
    if hashes.is_empty() {
        return Ok(segments);
    }
    let mut blooms = trace::blooms(connection, &segments).await?;
    let may_hold = |segment: &SegmentRef| {
        blooms.remove(segment).is_some_and(|bloom| {
            let bloom = Bloom::from_bytes(bloom);
            hashes.iter().all(|hash| bloom.may_contain(*hash))
        })
    };
    Ok(segments.into_iter().filter(may_hold).collect())
}

/// What `find` finds in each of some segments, all together.
pub(crate) async fn matching<T: Send + 'static>(
    connection: &mut PgConnection,
    segments: &[SegmentRef],
    find: impl Fn(Bytes, i64) -> std::result::Result<Vec<T>, StorageError> + Clone + Send + 'static,
) -> Result<Vec<T>> {
    let mut hits = Vec::new();
    let mut busy: VecDeque<JoinHandle<std::result::Result<Vec<T>, StorageError>>> = VecDeque::new();
    for segment in segments {
        // Past retention meanwhile, if it is gone.
        if let Some(body) = trace::segment_body(connection, *segment).await? {
            if busy.len() == AT_ONCE
                && let Some(first) = busy.pop_front()
            {
                hits.extend(first.await.map_err(|fault| Error::Internal(Box::new(fault)))??);
            }
            let (find, id) = (find.clone(), segment.id);
            busy.push_back(tokio::task::spawn_blocking(move || find(body, id)));
        }
    }
    for rest in busy {
        hits.extend(rest.await.map_err(|fault| Error::Internal(Box::new(fault)))??);
    }
    Ok(hits)
}
