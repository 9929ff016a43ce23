//! One module per page. A page reads the URL, asks one server function and lays out widgets.
//! In the browser they lie in modules of their own ([`lazy`]).

pub mod agents;
pub mod correlation;
pub mod events;
mod follow;
pub mod incident;
pub mod incidents;
pub mod lazy;
pub mod logs;
pub mod metrics;
pub mod not_found;
pub mod overview;
mod search_form;
pub mod service_map;
pub mod services;
pub mod settings;
pub mod slo;
pub mod slo_editor;
pub mod slos;
mod tail;
pub mod trace;
pub mod traces;
