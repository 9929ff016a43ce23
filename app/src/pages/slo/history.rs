//! What became of an objective over time, and the time that its budget leaves out. Plain forms, so that they work before
//! anything else does; times in them are UTC.

use leptos::prelude::*;
use slowburn_domain::history::Happening;
use slowburn_domain::url::slo_path;

use crate::clock::{Instant, When};
use crate::erase::Erase;

/// The tab of the objective named `slo`.
#[component]
pub fn History(slo: String, history: Vec<Happening>) -> impl IntoView {
    let path = slo_path(&slo);
    let back = path.clone();
    let list = if history.is_empty() {
        view! { <p class="muted">"Nothing has happened to it yet."</p> }.erase()
    } else {
        view! { <ol class="story">{history.into_iter().map(move |happening| step(happening, &back)).collect_view()}</ol> }.erase()
    };
    view! {
        <section aria-labelledby="history">
            <h2 id="history">"What happened, newest first"</h2>
            {list}
        </section>
        <section aria-labelledby="exclude">
            <h2 id="exclude">"Leave time out of the budget"</h2>
            <p class="muted">"What happens in excluded time counts neither as good nor as bad, also when it has passed. It can be taken back."</p>
            <form class="hand hand-many" method="post" action=format!("{path}/exclusions")>
                <label>"From (UTC) " <input type="datetime-local" name="from" required=true /></label>
                <label>"To (UTC) " <input type="datetime-local" name="to" required=true /></label>
                <label>
                    "Comes again (RRULE, may be empty) " <input name="rrule" maxlength="500" placeholder="FREQ=WEEKLY;BYDAY=SU" />
                </label>
                <label>"By the clocks of " <input name="time_zone" value="UTC" maxlength="60" placeholder="Europe/Berlin" /></label>
                <label class="wide">"Reason " <input name="reason" required=true maxlength="1000" placeholder="Database maintenance" /></label>
                <label>"Your name " <input name="author" required=true maxlength="100" autocomplete="name" /></label>
                <button class="button">"Exclude it"</button>
            </form>
        </section>
    }
    .erase()
}

fn step(happening: Happening, path: &str) -> AnyView {
    let Happening { at, mark, what, href, more, exclusion } = happening;
    let head = if href.is_empty() {
        view! { <strong>{what}</strong> }.erase()
    } else {
        view! { <a href=href><strong>{what}</strong></a> }.erase()
    };
    let take_back = exclusion.map(|id| {
        view! {
            <form class="hand" method="post" action=format!("{path}/exclusions/{id}/end")>
                <label>"Your name " <input name="author" required=true maxlength="100" autocomplete="name" /></label>
                <button class="button">"Take it back"</button>
            </form>
        }
    });
    view! {
        <li class=format!("step step-{mark}")>
            <p class="step-head">{head} " " <span class="muted"><Instant at=at /> ", " <When at=at /></span></p>
            {more.into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
            {take_back}
        </li>
    }
    .erase()
}
