//! Pages and their files. Pages are rendered completely before the first byte; files have the hash of their content in
//! their names and lie there compressed already.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path as UrlPath, RawQuery, Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode, Uri};
use leptos::prelude::provide_context;
use serde::Deserialize;
use slowburn_app::error::{AppError, ErrorKind};
use slowburn_app::{Answers, Assets, Clock, Typed, shell};
use slowburn_backend::Backend;
use slowburn_backend::slo::{NewExclusion, Saved};
use slowburn_domain::id::TraceId;
use slowburn_domain::query::FieldFault;
use slowburn_domain::saved_view::SearchPage;
use slowburn_domain::signal::Signal;
use slowburn_domain::slo::ExclusionScope;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::{correlation_path, decode_query, incident_path, slo_path, trace_path};

use crate::api::problem::Problem;
use crate::telemetry::now;

/// Most bytes of an error told to a page.
const LONGEST_ERROR: usize = 1 << 20;

#[derive(Deserialize)]
struct Manifest {
    js: String,
    loader: String,
    wasm: String,
    packs: BTreeMap<String, Vec<String>>,
    css: String,
}

/// The folder of the browser's files and what is in it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder.
    pub folder: PathBuf,
    /// URL paths of the files every page needs.
    pub assets: Assets,
}

impl Site {
    /// Finds the folder: as set, or `target/site` in the working directory or above the program.
    ///
    /// # Errors
    /// There is none, or its manifest cannot be read.
    pub fn find(set: &str) -> anyhow::Result<Self> {
        let mut places = Vec::new();
        if set.is_empty() {
            places.push(PathBuf::from("target/site"));
            if let Ok(program) = std::env::current_exe() {
                places.extend(program.ancestors().skip(1).map(|folder| folder.join("site")));
                places.extend(program.ancestors().skip(1).map(|folder| folder.join("target/site")));
            }
        } else {
            places.push(PathBuf::from(set));
        }
        let folder = places.into_iter().find(|folder| folder.join("manifest.json").is_file());
        let folder =
            folder.context("the browser's files (target/site) were not found; run `make build`, or name their folder by site_dir")?;
        Self::read(&folder)
    }

    fn read(folder: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(folder.join("manifest.json"))?;
        let Manifest { js, loader, wasm, packs, css } = serde_json::from_str(&text).context("manifest.json")?;
        Ok(Self { folder: folder.to_path_buf(), assets: Assets { js, loader, wasm, packs, css } })
    }
}

/// A page, or the page that says there is none.
pub async fn page(State(backend): State<Backend>, State(site): State<Site>, State(answers): State<Answers>, request: Request) -> Response {
    rendered(backend, answers, &site, request, None).await
}

/// `typed` is the body of a form that the page shows again.
async fn rendered(backend: Backend, answers: Answers, site: &Site, request: Request, typed: Option<String>) -> Response {
    let assets = site.assets.clone();
    let context = move || {
        provide_context(backend.clone());
        provide_context(answers.clone());
        provide_context(Clock(now));
        if let Some(typed) = typed.clone() {
            provide_context(Typed(typed));
        }
    };
    let render = leptos_axum::render_app_async_with_context(context, move || shell(assets.clone()));
    let mut response = render(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What a page in the browser asks the server.
pub async fn server_function(State(backend): State<Backend>, State(answers): State<Answers>, request: Request<Body>) -> Response {
    let context = move || {
        provide_context(backend.clone());
        provide_context(answers.clone());
        provide_context(Clock(now));
    };
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    let mut response = with_its_status(response).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// leptos answers every error as a fault of the server. This gives the status that the page with this error would have; a
/// question that cannot be read is the asker's fault.
async fn with_its_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, LONGEST_ERROR).await.unwrap_or_default();
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        let status = if error.kind == ErrorKind::Network { 400 } else { error.kind.status() };
        parts.status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// `GET /search?q=`: a trace ID, an SLO's name, a service, or else a correlation ID.
pub async fn search(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Response {
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let q = pairs.iter().find(|(key, _)| key == "q").map_or("", |(_, value)| value.trim());
    if q.is_empty() {
        return Redirect::to("/traces").into_response();
    }
    if let Ok(id) = q.parse::<TraceId>() {
        return Redirect::to(&trace_path(id)).into_response();
    }
    if backend.book().get(q).is_ok() {
        return Redirect::to(&slo_path(q)).into_response();
    }
    match backend.is_service(q).await {
        Ok(true) => Redirect::to(&slowburn_domain::url::service_path(q)).into_response(),
        Ok(false) => Redirect::to(&correlation_path(q)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `GET /search/suggestions?q=`: names that a part of one may mean, for the palette.
pub async fn suggestions(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Response, Problem> {
    let found = backend.suggest(&field(raw.as_deref().unwrap_or_default(), "q"), now()).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(found)).into_response())
}

/// `GET /search/completions?signal=&text=`: what may follow in a condition of which `text` stands before the caret.
pub async fn completions(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Response, Problem> {
    let raw = raw.unwrap_or_default();
    let signal = Signal::from_word(&field(&raw, "signal"));
    let signal = signal.ok_or_else(|| {
        let known = Signal::ALL.map(Signal::as_str).join(", ");
        Problem::invalid(vec![FieldFault::new("signal", format!("expected one of {known}"))])
    })?;
    let found = backend.complete(&field(&raw, "text"), signal, now()).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(found)).into_response())
}

/// `POST /incidents/{id}/acknowledge`, the form of the page.
pub async fn acknowledge(State(backend): State<Backend>, UrlPath(id): UrlPath<String>, form: String) -> Result<Redirect, Problem> {
    let incident = backend.acknowledge(&id, &field(&form, "author")).await?;
    Ok(Redirect::to(&incident_path(&incident.id)))
}

/// `POST /incidents/{id}/notes`, the form of the page.
pub async fn note(State(backend): State<Backend>, UrlPath(id): UrlPath<String>, form: String) -> Result<Redirect, Problem> {
    let incident = backend.note(&id, &field(&form, "author"), &field(&form, "text")).await?;
    Ok(Redirect::to(&incident_path(&incident.id)))
}

/// `POST /slos/{name}/exclusions`, the form of the page.
pub async fn exclude(State(backend): State<Backend>, UrlPath(name): UrlPath<String>, form: String) -> Result<Redirect, Problem> {
    let mut faults = Vec::new();
    let mut time = |name: &str| {
        // Browsers send local times without a zone; the form says that they are UTC.
        let text = field(&form, name);
        let seconds = if text.matches(':').count() == 1 { ":00Z" } else { "Z" };
        Timestamp::parse_rfc3339(&format!("{text}{seconds}")).unwrap_or_else(|_| {
            faults.push(FieldFault::new(name, "expected a date and a time of day"));
            Timestamp::from_seconds(0)
        })
    };
    let (from, to) = (time("from"), time("to"));
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let optional = |name: &str| Some(field(&form, name)).filter(|text| !text.trim().is_empty());
    let new = NewExclusion {
        scope: ExclusionScope::Slo(name.clone()),
        from,
        to,
        rrule: optional("rrule"),
        time_zone: optional("time_zone"),
        reason: field(&form, "reason"),
        author: field(&form, "author"),
    };
    backend.exclude(new, false).await?;
    Ok(Redirect::to(&format!("{}?tab=history", slo_path(&name))))
}

/// `POST /slos/{name}/exclusions/{id}/end`, the form of the page.
pub async fn end_exclusion(
    State(backend): State<Backend>,
    UrlPath((name, id)): UrlPath<(String, String)>,
    form: String,
) -> Result<Redirect, Problem> {
    backend.end_exclusion(&id, &field(&form, "author")).await?;
    Ok(Redirect::to(&format!("{}?tab=history", slo_path(&name))))
}

/// `POST /views`, the form of pages with a search: keeps it, or forgets one, and leads back to it.
pub async fn views(State(backend): State<Backend>, form: String) -> Result<Redirect, Problem> {
    let page = SearchPage::from_word(&field(&form, "page"));
    let page = page.ok_or_else(|| Problem::invalid(vec![FieldFault::new("page", "expected a page with a search")]))?;
    let (name, query) = (field(&form, "name"), field(&form, "query"));
    if field(&form, "action") == "remove" {
        backend.remove_view(page, &name).await?;
    } else {
        backend.save_view(page, &name, &query).await?;
    }
    Ok(Redirect::to(&page.href(&query)))
}

/// `POST /slo-editor`, the form of the page: saves what was typed and leads to the objective, or shows the page again, with
/// what is wrong and all that was typed.
pub async fn slo_editor(
    State(backend): State<Backend>,
    State(site): State<Site>,
    State(answers): State<Answers>,
    uri: Uri,
    typed: String,
) -> Result<Response, Problem> {
    if field(&typed, "action") == "save"
        && let Saved::Applied(name) = backend.save_slo(&typed).await?
    {
        return Ok(Redirect::to(&slo_path(&name)).into_response());
    }
    let request =
        Request::builder().uri(uri).body(Body::empty()).map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, fault.to_string()))?;
    Ok(rendered(backend, answers, &site, request, Some(typed)).await)
}

/// A field of a form as browsers send it; empty when it is not there.
fn field(form: &str, name: &str) -> String {
    decode_query(form).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}
