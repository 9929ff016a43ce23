//! Talking to a running server.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::config::{self, Overrides};

/// A server's API.
pub(super) struct Client {
    base: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    /// Print results as JSON?
    pub(super) json: bool,
}

impl Client {
    pub(super) fn new(server: Option<&str>, overrides: &Overrides, json: bool) -> anyhow::Result<Self> {
        let base = match server {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => config::read(overrides)?.addr,
        };
        let base = if base.contains("://") { base } else { format!("http://{base}") };
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).connect_timeout(Duration::from_secs(5)).build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { base, http, runtime, json })
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.send(self.http.get(format!("{}{path}", self.base)))?)?)
    }

    pub(super) fn get_text(&self, path: &str) -> anyhow::Result<String> {
        self.send(self.http.get(format!("{}{path}", self.base)))
    }

    pub(super) fn put(&self, path: &str, body: String) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.send(self.http.put(format!("{}{path}", self.base)).body(body))?)?)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.send(self.http.post(format!("{}{path}", self.base)).json(body))?)?)
    }

    /// Gives the text of the answer; there may be none.
    pub(super) fn delete(&self, path: &str) -> anyhow::Result<String> {
        self.send(self.http.delete(format!("{}{path}", self.base)))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<String> {
        self.runtime.block_on(async {
            let response = request.send().await.with_context(|| format!("no server answers at {}", self.base))?;
            let status = response.status();
            let text = response.text().await?;
            if status.is_success() || status.as_u16() == 503 && text.starts_with("{\"status\"") && text.contains("\"components\"") {
                return Ok(text);
            }
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let faults: Vec<String> = problem["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|fault| format!("{}: {}", fault["field"].as_str().unwrap_or("?"), fault["reason"].as_str().unwrap_or("?")))
                .collect();
            if faults.is_empty() {
                bail!("{} ({status})", problem["detail"].as_str().unwrap_or("the server refused"));
            }
            bail!("{}", faults.join("\n          "))
        })
    }
}
