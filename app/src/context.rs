//! What a request brings along: the site's files, and on the server the use cases and the clock.

use std::collections::BTreeMap;

/// URL paths of the bundled files, with a hash of their content in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// The module that loads the WebAssembly.
    pub js: String,
    /// The module that fetches `packs`.
    pub loader: String,
    /// The WebAssembly that every page needs.
    pub wasm: String,
    /// The packs of WebAssembly that a page needs besides, by the page's module name
    /// ([`module_of`](crate::pages::lazy::module_of)).
    pub packs: BTreeMap<String, Vec<String>>,
    /// The style sheet.
    pub css: String,
}

/// The server's clock, provided as a context so that tests can set it.
#[cfg(feature = "ssr")]
#[derive(Clone, Copy)]
pub struct Clock(pub fn() -> slowburn_domain::time::Timestamp);

/// The body of a form that was sent to the page, provided as a context when the page is to show it again.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Typed(pub String);

/// Questions of pages that are being answered, for readers who ask the same at the same time. One for all requests.
#[cfg(feature = "ssr")]
pub type Answers = std::sync::Arc<slowburn_backend::turns::Turns<std::sync::Arc<Result<crate::api::Answer, crate::error::AppError>>>>;

/// The use cases, the clock by which this request is answered, and what others ask meanwhile.
///
/// # Errors
/// The server did not provide them, which is a fault of its composition.
#[cfg(feature = "ssr")]
pub(crate) fn request() -> Result<(slowburn_backend::Backend, Clock, Answers), crate::error::AppError> {
    use leptos::prelude::use_context;

    let provided = || Some((use_context::<slowburn_backend::Backend>()?, use_context::<Clock>()?, use_context::<Answers>()?));
    provided().ok_or_else(|| {
        tracing::error!("a page was asked for without backend, clock or answers in its context");
        crate::error::AppError::internal()
    })
}

/// What pages may load and run: nothing from elsewhere, no inline script or style without this answer's nonce.
pub fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
