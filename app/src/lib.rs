//! The screen. One source, compiled twice: with `ssr` it renders every page completely on the server, with `hydrate` the
//! same components wake up in the browser and add what needs hands: pointer, keyboard, live updates.
//!
//! A request goes [`app::shell`] → [`app::App`] → router → a page → its server function in [`api`] → a use case in
//! `slowburn-backend`. Pages fetch; widgets get plain values. Figures and sentences come from `slowburn-domain`. What only a
//! browser can do is in [`browser`], which does nothing on the server.
// Views are types, and a page's type is deep.
#![recursion_limit = "256"]

pub mod api;
pub mod app;
pub mod browser;
pub mod chart;
pub mod chrome;
pub mod clock;
pub mod codec;
pub mod context;
pub mod erase;
pub mod error;
pub mod live;
pub mod pages;
pub mod url;
pub mod widgets;

pub use app::{App, shell};
pub use context::Assets;
#[cfg(feature = "ssr")]
pub use context::{Answers, Clock, Typed};
