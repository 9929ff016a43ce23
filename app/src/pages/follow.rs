//! Reading a page again when spans have arrived, as long as that can change what it shows.

use leptos::prelude::*;

use crate::api::PageResource;
use crate::live::{Topic, use_live};

/// Reads `resource` again after arrivals while `wanted`, which is asked without being followed.
pub(super) fn follow_arrivals(resource: PageResource, wanted: impl Fn() -> bool + 'static) {
    let live = use_live();
    Effect::new(move |seen: Option<u32>| {
        let beat = live.beat(Topic::Arrived);
        if seen.is_some_and(|seen| seen != beat) && untrack(&wanted) {
            resource.refetch();
        }
        beat
    });
}
