//! What pages ask the server. There is one door, [`load`]: it gets its context, turns input into domain types, calls one use
//! case. On the server a page calls it directly, in the browser over HTTP. It only reads, so it needs no protection against
//! forged requests; what a person may see is checked by the use case.
//!
//! One door and not one for each page, because the browser's half of every server function and of every resource weighs
//! as much as a small page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use slowburn_domain::query::Bound;
use slowburn_domain::view::{CorrelationPage, OverviewPage, SloPage, SlosPage, TracePage, TracesPage};

use crate::codec::Json;
use crate::error::AppError;

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The Overview.
    Overview,
    /// Every SLO, worst first.
    Slos,
    /// One SLO; without bounds over its window.
    Slo {
        /// Its name.
        name: String,
        /// Where its charts begin.
        from: Option<Bound>,
        /// Where they end.
        to: Option<Bound>,
    },
    /// Traces by the raw query string of the page's URL. What is not understood comes back, named by field.
    Traces(String),
    /// One trace by its id as written in the URL. What is no trace id cannot be a trace: not found.
    Trace(String),
    /// Everything with one correlation ID.
    Correlation(String),
}

/// What it gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each answers the question of its name")]
pub enum Answer {
    Overview(Box<OverviewPage>),
    Slos(Box<SlosPage>),
    Slo(Box<SloPage>),
    Traces(Box<TracesPage>),
    Trace(Box<TracePage>),
    Correlation(Box<CorrelationPage>),
}

/// A page's model, as part of [`Answer`].
pub trait Model: Sized + 'static {
    /// Takes it out; `None` when the answer is to another question.
    fn of(answer: Answer) -> Option<Self>;
}

macro_rules! models {
    ($($variant:ident($model:ty)),*) => {
        $(impl Model for $model {
            fn of(answer: Answer) -> Option<Self> {
                if let Answer::$variant(model) = answer { Some(*model) } else { None }
            }
        })*
    };
}
models!(Overview(OverviewPage), Slos(SlosPage), Slo(SloPage), Traces(TracesPage), Trace(TracePage), Correlation(CorrelationPage));

/// What a page is made of, once it is there.
pub type PageResource = Resource<Result<Answer, AppError>>;

/// Asks, and asks again whenever the question changes.
pub fn ask(question: impl Fn() -> Question + Send + Sync + 'static) -> PageResource {
    let question: Box<dyn Fn() -> Question + Send + Sync> = Box::new(question);
    Resource::new(question, load)
}

/// Answers a page's question.
#[server(prefix = "/_app", endpoint = "load", input = Json, output = Json)]
pub async fn load(question: Question) -> Result<Answer, AppError> {
    let (backend, now) = crate::context::request()?;
    Ok(match question {
        Question::Overview => Answer::Overview(Box::new(backend.overview(now).await?)),
        Question::Slos => Answer::Slos(Box::new(backend.slos_page(now).await?)),
        Question::Slo { name, from, to } => Answer::Slo(Box::new(backend.slo_page(&name, from, to, now).await?)),
        Question::Traces(raw) => {
            let (query, faults) = slowburn_domain::query::TraceQuery::parse(&raw);
            Answer::Traces(Box::new(backend.traces_page(query, faults, now).await?))
        }
        Question::Trace(id) => {
            let parsed = id.parse().map_err(|_| AppError::not_found("trace", &id))?;
            Answer::Trace(Box::new(backend.trace_page(parsed, now).await?))
        }
        Question::Correlation(id) => Answer::Correlation(Box::new(backend.correlation_page(&id, now).await?)),
    })
}
