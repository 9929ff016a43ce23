//! Small drawings in the colour of the text around them. They say nothing alone: a word stands beside each, or its button has
//! a name.

use leptos::prelude::*;

/// An icon by name; an unknown one is an empty box.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=path(name)></path>
        </svg>
    }
}

/// The drawing of an icon; empty for an unknown one.
pub const fn path(name: &str) -> &'static str {
    match name.as_bytes() {
        b"brand" => "M8 1.5c.5 3 4.5 4.3 4.5 8a4.5 4.5 0 0 1-9 0c0-1.8 1-2.8 1.6-3.8.5 1 .9 1.4 1.5 1.6C6.3 5 7 3 8 1.5z",
        b"overview" => "M2 2.5h5v5H2zM9 2.5h5v3H9zM9 7.5h5v6H9zM2 9.5h5v4H2z",
        b"slos" => "M1.5 8a6.5 6.5 0 1 1 13 0 6.5 6.5 0 1 1-13 0zM4.5 8a3.5 3.5 0 1 1 7 0 3.5 3.5 0 1 1-7 0zM8 8v.01",
        b"traces" => "M1.5 3.5h9M4.5 8h10M7.5 12.5h5",
        b"logs" => "M2 2.5h12M2 6.2h8M2 9.8h12M2 13.5h6",
        b"metrics" => "M2 2v12h12M4.5 11l3-4 2.5 2 4-5.5",
        b"events" => "M3 1.5v13M3 3.5h3M3 8h3M3 12.5h3M8 3.5h6M8 8h4M8 12.5h6",
        b"services" => "M6 2.5h4v3H6zM1.5 10.5h4v3h-4zM10.5 10.5h4v3h-4zM8 5.5V8M3.5 10.5V8h9v2.5",
        b"incidents" => "M8 1.5v2M3.2 3.7l1.2 1.2M12.8 3.7l-1.2 1.2M4.5 12V9.5a3.5 3.5 0 0 1 7 0V12M2.5 14.5v-2.5h11v2.5",
        b"settings" => {
            "M1.5 4.5h7M12.5 4.5h2M8.5 4.5a2 2 0 1 1 4 0 2 2 0 1 1-4 0zM1.5 11.5h2M7.5 11.5h7M3.5 11.5a2 2 0 1 1 4 0 2 2 0 1 1-4 0z"
        }
        b"search" => "M2 7a5 5 0 1 1 10 0A5 5 0 1 1 2 7zM10.7 10.7 14.5 14.5",
        b"commands" => "M2.5 3.5 7 8l-4.5 4.5M8.5 12.5h5.5",
        b"theme" => "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 1 0 0-13zM8 1.5v13M8 4h4.8M8 6.7h6.3M8 9.3h6.3M8 12h4.8",
        b"help" => "M5.5 5.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.7M8 12.5v.01M1.5 8a6.5 6.5 0 1 1 13 0 6.5 6.5 0 1 1-13 0z",
        b"warn" => "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.5v.01",
        b"copy" => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
        b"check" => "M2.5 8.5 6.5 12.5 13.5 4",
        b"arrow" => "M3 8h10M9 4l4 4-4 4",
        _ => "",
    }
}
