//! A service's dot and name in its colour of the page's palette.

use leptos::prelude::*;

/// The class that sets `--service` to a colour of the palette.
pub const fn service_class(colour: u8) -> &'static str {
    const CLASSES: [&str; 12] = [
        "svc svc-0",
        "svc svc-1",
        "svc svc-2",
        "svc svc-3",
        "svc svc-4",
        "svc svc-5",
        "svc svc-6",
        "svc svc-7",
        "svc svc-8",
        "svc svc-9",
        "svc svc-10",
        "svc svc-11",
    ];
    CLASSES[colour as usize % CLASSES.len()]
}

/// A service by name, with its dot.
#[component]
pub fn ServiceName(
    /// The name.
    #[prop(into)]
    name: String,
    /// Its colour among those shown together, 0 to 11.
    colour: u8,
) -> impl IntoView {
    view! { <span class=service_class(colour)><span class="svc-dot" aria-hidden="true"></span><span class="svc-name">{name}</span></span> }
}

/// Services as coloured dots: the names are in the title and read aloud.
#[component]
pub fn ServiceDots(
    /// The services with their colours among those shown together.
    services: Vec<(String, u8)>,
) -> impl IntoView {
    const MOST: usize = 8;
    let names = services.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let rest = services.len().saturating_sub(MOST);
    let dots = services.into_iter().take(MOST).map(|(_, colour)| {
        view! { <span class=service_class(colour)><span class="svc-dot"></span></span> }
    });
    view! {
        <span class="svc-dots" title=names.clone()>
            <span aria-hidden="true">{dots.collect_view()}{(rest > 0).then(|| view! { <span class="svc-more">"+"{rest}</span> })}</span>
            <span class="visually-hidden">{names.clone()}</span>
        </span>
    }
}
