//! Saved views over REST.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{RawQuery, State};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use slowburn_backend::Backend;
use slowburn_domain::query::FieldFault;
use slowburn_domain::saved_view::{SavedView as Known, SearchPage};
use slowburn_domain::url::decode_query;
use utoipa::ToSchema;

use super::List;
use super::problem::Problem;
use super::slos::segment;

/// A search with its name.
#[derive(Serialize, ToSchema)]
pub struct SavedView {
    name: String,
    /// The page with the search, as a path.
    href: String,
}

impl From<Known> for SavedView {
    fn from(Known { name, href }: Known) -> Self {
        Self { name, href }
    }
}

/// A search to keep.
#[derive(Deserialize, ToSchema)]
pub struct Search {
    /// As it stands in the page's URL behind the `?`.
    query: String,
}

fn page_of(word: &str) -> Result<SearchPage, Problem> {
    let known = SearchPage::ALL.map(SearchPage::as_str).join(", ");
    SearchPage::from_word(word).ok_or_else(|| Problem::invalid(vec![FieldFault::new("page", format!("expected one of {known}"))]))
}

/// Searches kept for a page, by name.
#[utoipa::path(
    get, path = "/api/v1/views",
    params(("page" = String, Query), ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<SavedView>), (status = 400, body = Problem))
)]
pub async fn list(State(backend): State<Backend>, RawQuery(raw): RawQuery) -> Result<Json<List<SavedView>>, Problem> {
    let pairs = decode_query(raw.as_deref().unwrap_or_default());
    let page = page_of(pairs.iter().find(|(key, _)| key == "page").map_or("", |(_, value)| value))?;
    let views = backend.saved_views(page).await?.into_iter().map(SavedView::from).collect();
    Ok(Json(List::page(views, raw.as_deref())?))
}

/// Keeps a search under a name, in place of another of that name.
#[utoipa::path(
    put, path = "/api/v1/views/{page}/{name}", params(("page" = String, Path), ("name" = String, Path)), request_body = Search,
    responses((status = 200, body = SavedView), (status = 400, body = Problem), (status = 409, body = Problem))
)]
pub async fn save(State(backend): State<Backend>, uri: Uri, body: Result<Json<Search>, JsonRejection>) -> Result<Json<SavedView>, Problem> {
    let Json(search) = body.map_err(|fault| Problem::invalid(vec![FieldFault::new("body", fault.body_text())]))?;
    let saved = backend.save_view(page_of(&segment(&uri, 4))?, &segment(&uri, 5), &search.query).await?;
    Ok(Json(saved.into()))
}

/// Forgets a search.
#[utoipa::path(
    delete, path = "/api/v1/views/{page}/{name}", params(("page" = String, Path), ("name" = String, Path)),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn remove(State(backend): State<Backend>, uri: Uri) -> Result<StatusCode, Problem> {
    backend.remove_view(page_of(&segment(&uri, 4))?, &segment(&uri, 5)).await?;
    Ok(StatusCode::NO_CONTENT)
}
