//! The search form of the Traces page. It is an ordinary GET form whose fields bear the parameters' names, so it works
//! before and without WebAssembly; afterwards a submit navigates within the page and leaves empty fields out of the URL.

use leptos::ev::SubmitEvent;
use leptos::html::Form;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use slowburn_domain::query::{Bound, TraceQuery};
use slowburn_domain::span::Status;
use slowburn_domain::url::{decode_query, encode_query};

/// Time ranges offered as links: words and seconds back from now.
const PRESETS: [(&str, u64); 6] =
    [("15 min", 900), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400), ("7 d", 604_800), ("30 d", 2_592_000)];
/// What a filter looks like.
const FILTER_EXAMPLE: &str = r#"attributes["http.route"] == "/pay" && duration_ms > 300"#;
/// The id of the list of known services, which the page fills in.
pub const SERVICES_LIST: &str = "known-services";

/// The form. `children` stand below the filter field: what only the server knows about it.
#[component]
pub fn TraceFilters(
    /// The page's raw query string.
    search: Memo<String>,
    children: Children,
) -> impl IntoView {
    let form = NodeRef::<Form>::new();
    // The fields' attributes follow the URL by themselves; a reset makes the fields show them over what was typed.
    Effect::new(move |seen: Option<String>| {
        let now = search.get();
        if let (Some(form), true) = (form.get_untracked(), seen.is_some_and(|seen| seen != now)) {
            request_animation_frame(move || form.reset());
        }
        now
    });
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        if let Some(query) = written(&event) {
            event.prevent_default();
            let href = if query.is_empty() { "/traces".to_owned() } else { format!("/traces?{query}") };
            navigate(&href, leptos_router::NavigateOptions { scroll: false, ..Default::default() });
        }
    };
    let kept = move |name: &'static str| {
        let value = Memo::new(move |_| value_of(&search.get(), name));
        move || (!value.get().is_empty()).then(|| view! { <input type="hidden" name=name value=value.get()/> })
    };
    view! {
        <form class="filters" method="get" action="/traces" node_ref=form on:submit=submit role="search" aria-label="Traces">
            <Field search name="correlation_id" label="Correlation ID" wide=true placeholder="order-4711"/>
            <Field search name="service" label="Service" list=SERVICES_LIST/>
            <Field search name="operation" label="Operation"/>
            <StatusField search/>
            <Field search name="min_duration_ms" label="At least, ms" mode="decimal"/>
            <Field search name="max_duration_ms" label="At most, ms" mode="decimal"/>
            <Field search name="from" label="From" placeholder="-1h"/>
            <Field search name="to" label="To" placeholder="now"/>
            <Field search name="filter" label="Filter (CEL)" wide=true mono=true placeholder=FILTER_EXAMPLE/>
            {kept("project_id")}
            {kept("execution_id")}
            {kept("limit")}
            {kept("live")}
            <label class="filters-more"><input type="checkbox" />"All fields"</label>
            <div class="filters-go">
                <button type="submit" class="button primary">"Search"</button>
            </div>
            {children()}
        </form>
        <Presets search/>
    }
}

/// One text field with its label and, when the URL's value is not understood, why.
#[component]
fn Field(
    search: Memo<String>,
    /// The query parameter.
    name: &'static str,
    label: &'static str,
    #[prop(optional)] wide: bool,
    #[prop(optional)] mono: bool,
    // An empty field is known by its placeholder.
    #[prop(default = " ")] placeholder: &'static str,
    /// Which keys a phone offers.
    #[prop(default = "text")]
    mode: &'static str,
    /// The id of a list of suggestions.
    #[prop(optional)]
    list: Option<&'static str>,
) -> impl IntoView {
    let value = Memo::new(move |_| value_of(&search.get(), name));
    let fault = Memo::new(move |_| fault_of(&search.get(), name));
    let id = format!("field-{name}");
    let fault_id = format!("fault-{name}");
    let class = if wide { "field wide" } else { "field" };
    view! {
        <div class=class>
            <label for=id.clone()>{label}</label>
            <input
                id=id name=name type="text" inputmode=mode class:mono=mono placeholder=placeholder list=list
                autocomplete="off" autocapitalize="off" spellcheck="false"
                value=move || value.get()
                aria-invalid=move || fault.get().map(|_| "true")
                aria-describedby=fault_id.clone() data-complete=(name == "filter").then_some("spans")
            />
            <p class="fault" id=fault_id>{move || fault.get()}</p>
        </div>
    }
}

#[component]
fn StatusField(search: Memo<String>) -> impl IntoView {
    let value = Memo::new(move |_| value_of(&search.get(), "status"));
    let option = move |word: &'static str, label: &'static str| {
        view! { <option value=word selected=move || value.get() == word>{label}</option> }
    };
    view! {
        <div class="field">
            <label for="field-status">"Status"</label>
            <select id="field-status" name="status" aria-describedby="fault-status">
                {option("", "Any")}
                {option(Status::Error.as_str(), "Error")}
                {option(Status::Ok.as_str(), "Ok")}
                {option(Status::Unset.as_str(), "Unset")}
            </select>
            <p class="fault" id="fault-status">{move || fault_of(&search.get(), "status")}</p>
        </div>
    }
}

/// Links that look back from now by a round time, and one without any range.
#[component]
fn Presets(search: Memo<String>) -> impl IntoView {
    let query = Memo::new(move |_| TraceQuery::parse(&search.get()).0);
    let link = move |label: &'static str, from: Option<Bound>| {
        let href = move || TraceQuery { from, to: None, cursor: None, ..query.get() }.href();
        let current = move || query.with(|q| q.from == from && q.to.is_none()).then_some("true");
        view! { <a href=href aria-current=current>{label}</a> }
    };
    view! {
        <nav class="presets" aria-label="Time range">
            <span class="muted">"Last"</span>
            {PRESETS.map(|(label, seconds)| link(label, Some(Bound::Ago(seconds)))).collect_view()}
            {link("any time", None)}
        </nav>
    }
}

/// The filters in force, each with a link to the search without it.
#[component]
pub fn FilterChips(query: TraceQuery) -> impl IntoView {
    let pairs: Vec<_> = query.pairs().into_iter().filter(|(name, _)| !matches!(*name, "limit" | "cursor" | "live")).collect();
    let live = query.live.then(|| ("live", "1".to_owned()));
    let without = |dropped: &str| {
        let rest =
            encode_query(pairs.iter().chain(&live).filter(|(name, _)| *name != dropped).map(|(name, value)| (*name, value.as_str())));
        if rest.is_empty() { "/traces".to_owned() } else { format!("/traces?{rest}") }
    };
    let chips = pairs.iter().map(|(name, value)| {
        let (label, value) = (label_of(name), value.clone());
        view! {
            <li class="chip">
                <span class="chip-name">{label}</span>
                <span class="chip-value mono" title=value.clone()>{value.clone()}</span>
                <a href=without(name) aria-label=format!("Remove {label} {value}")>"×"</a>
            </li>
        }
    });
    let chips = chips.collect_view();
    (!pairs.is_empty()).then(|| {
        view! {
            <ul class="chips" aria-label="Filters in force">
                {chips}
                <li><a class="chip-clear" href="/traces">"Clear all"</a></li>
            </ul>
        }
    })
}

fn label_of(parameter: &str) -> &'static str {
    match parameter {
        "correlation_id" => "correlation",
        "project_id" => "project",
        "execution_id" => "execution",
        "service" => "service",
        "operation" => "operation",
        "status" => "status",
        "min_duration_ms" => "at least, ms",
        "max_duration_ms" => "at most, ms",
        "filter" => "filter",
        "from" => "from",
        "to" => "to",
        _ => "other",
    }
}

/// What the URL gives for a field, understood or not, so that a mistake can be corrected where it was made.
fn value_of(search: &str, name: &str) -> String {
    decode_query(search).into_iter().rfind(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn fault_of(search: &str, name: &str) -> Option<String> {
    TraceQuery::parse(search).1.into_iter().find(|fault| fault.field == name).map(|fault| fault.reason)
}

/// The submitted fields that are not empty, as a query string. `None` leaves the submit to the browser.
#[cfg(feature = "hydrate")]
fn written(event: &SubmitEvent) -> Option<String> {
    let data = leptos::form::form_data_from_event(event).ok()?;
    let raw = String::from(web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?.to_string());
    let pairs = decode_query(&raw);
    Some(encode_query(pairs.iter().map(|(name, value)| (name.as_str(), value.trim()))))
}

#[cfg(not(feature = "hydrate"))]
const fn written(_event: &SubmitEvent) -> Option<String> {
    None
}
