//! Saved views: searches kept under a name. Everybody sees the same ones; saving under a name that there is replaces it.

use slowburn_domain::query::FieldFault;
use slowburn_domain::saved_view::{SavedView, SearchPage};
use slowburn_storage::saved_view;

use crate::{Backend, Error, Result};

/// Searches kept for one page at most.
const MOST_VIEWS: usize = 100;
/// Longest name, characters.
const LONGEST_NAME: usize = 80;
/// Longest search, bytes.
const LONGEST_QUERY: usize = 8_192;

impl Backend {
    /// Searches kept for a page, by name.
    ///
    /// # Errors
    /// The database.
    pub async fn saved_views(&self, page: SearchPage) -> Result<Vec<SavedView>> {
        let mut connection = self.0.pool.acquire().await?;
        let kept = saved_view::list(&mut connection, page.as_str()).await?;
        Ok(kept.into_iter().map(|(name, query)| SavedView { name, href: page.href(&query) }).collect())
    }

    /// Keeps a search, given as a raw query string, under a name.
    ///
    /// # Errors
    /// Name or search are missing or too long; there are too many already; the database.
    pub async fn save_view(&self, page: SearchPage, name: &str, query: &str) -> Result<SavedView> {
        let name = name.trim();
        let mut faults = Vec::new();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            faults.push(FieldFault::new("name", format!("1 to {LONGEST_NAME} characters that can be seen")));
        }
        let href = page.href(query);
        let kept = href.split_once('?').map_or("", |(_, raw)| raw);
        if kept.is_empty() || kept.len() > LONGEST_QUERY {
            faults.push(FieldFault::new("query", format!("a search of 1 to {LONGEST_QUERY} bytes, as it stands in the page's URL")));
        }
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let mut connection = self.0.pool.acquire().await?;
        let now = self.0.clock.now();
        if !saved_view::save(&mut connection, page.as_str(), name, kept, now, MOST_VIEWS as i64).await? {
            return Err(Error::Conflict(format!("{MOST_VIEWS} views are saved for this page; remove one first")));
        }
        Ok(SavedView { name: name.to_owned(), href })
    }

    /// Forgets a search that was kept.
    ///
    /// # Errors
    /// There is none of that name; the database.
    pub async fn remove_view(&self, page: SearchPage, name: &str) -> Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        if saved_view::remove(&mut connection, page.as_str(), name).await? {
            Ok(())
        } else {
            Err(Error::NotFound { kind: "saved view", name: name.to_owned() })
        }
    }
}
