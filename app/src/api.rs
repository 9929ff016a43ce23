//! What pages ask the server. There is one door, [`load`]: it gets its context, turns input into domain types, calls one use
//! case. On the server a page calls it directly, in the browser over HTTP. It only reads, so it needs no protection against
//! forged requests; what a person may see is checked by the use case.
//!
//! One door and not one for each page, because the browser's half of every server function and of every resource weighs
//! as much as a small page.

use std::str::FromStr;
#[cfg(feature = "ssr")]
use std::sync::Arc;

use leptos::prelude::*;
use leptos::server::codee::{Decoder, Encoder};
use leptos::server_fn::codec::Post;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
#[cfg(feature = "ssr")]
use slowburn_backend::Backend;
#[cfg(feature = "ssr")]
use slowburn_domain::event::EventQuery;
use slowburn_domain::id::{SpanId, TraceId};
#[cfg(feature = "ssr")]
use slowburn_domain::log_query::LogQuery;
use slowburn_domain::metric::answer::MetricsView;
#[cfg(feature = "ssr")]
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::query::Bound;
#[cfg(feature = "ssr")]
use slowburn_domain::query::TraceQuery;
#[cfg(feature = "ssr")]
use slowburn_domain::slo_query::SloQuery;
#[cfg(feature = "ssr")]
use slowburn_domain::time::Timestamp;
#[cfg(feature = "ssr")]
use slowburn_domain::trace_view::TraceView;
use slowburn_domain::view::{
    AgentsPage, CorrelationPage, EventsPage, IncidentPage, IncidentsPage, LogsPage, OverviewPage, ServiceMapPage, ServicePage,
    ServicesPage, SettingsPage, SloEditorPage, SloPage, SlosPage, SpanView, TracePage, TracesPage,
};

use crate::codec::Json;
use crate::error::AppError;

/// What a page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The Overview.
    Overview,
    /// SLOs by the raw query string of the page's URL.
    Slos(String),
    /// One SLO; without bounds over its window.
    Slo {
        /// Its name.
        name: String,
        /// Where its charts begin.
        from: Option<Bound>,
        /// Where they end.
        to: Option<Bound>,
    },
    /// Creating or changing an SLO: by the raw query string of the page's URL, or what was typed there, as a form sends it.
    SloEditor {
        /// The query string.
        raw: String,
        /// What was typed.
        typed: Option<String>,
    },
    /// Traces by the raw query string of the page's URL. What is not understood comes back, named by field.
    Traces(String),
    /// The same for a page that follows what arrives: as found under the newest news, shared with others who ask.
    Tail(Searched, String),
    /// One trace. What is no trace id cannot be a trace: not found.
    Trace {
        /// Its id as written in the URL.
        id: String,
        /// The query string by which it is looked at.
        view: String,
    },
    /// One span of a trace, in full.
    Span {
        /// The trace.
        trace: TraceId,
        /// The span.
        span: SpanId,
    },
    /// Log records by the raw query string of the page's URL. What is not understood comes back, named by field.
    Logs(String),
    /// Metrics, and what one of them showed, by the raw query string of the page's URL.
    Metrics(String),
    /// Services over the last seconds.
    Services(u64),
    /// What passed between services over the last seconds.
    ServiceMap(u64),
    /// One service over the last seconds.
    Service {
        /// Its name.
        name: String,
        /// How far back, seconds.
        back_seconds: u64,
    },
    /// Events by the raw query string of the page's URL.
    Events(String),
    /// Every agent.
    Agents,
    /// Everything with one correlation ID.
    Correlation(String),
    /// Incidents; from a cursor on, those that ended.
    Incidents(Option<String>),
    /// One incident.
    Incident(String),
    /// What the server does with what it gets, and how much room that takes.
    Settings,
}

/// What can be searched and followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the page of its name")]
pub enum Searched {
    Traces,
    Logs,
    Events,
}

/// What it gets, on the server: the model itself.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each answers the question of its name")]
pub enum Answer {
    Overview(Box<OverviewPage>),
    Slos(Box<SlosPage>),
    Slo(Box<SloPage>),
    SloEditor(Box<SloEditorPage>),
    Traces(Box<TracesPage>),
    Services(Box<ServicesPage>),
    ServiceMap(Box<ServiceMapPage>),
    Service(Box<ServicePage>),
    Events(Box<EventsPage>),
    Agents(Box<AgentsPage>),
    Logs(Box<LogsPage>),
    Metrics(Box<MetricsView>),
    Trace(Box<TracePage>),
    Span(Box<SpanView>),
    Correlation(Box<CorrelationPage>),
    Incidents(Box<IncidentsPage>),
    Incident(Box<IncidentPage>),
    Settings(Box<SettingsPage>),
}

/// What it gets, in the browser: the model's JSON, unread. Only the page that asked reads it, so the code that does is part
/// of that page's own module and not of the first one.
#[cfg(not(feature = "ssr"))]
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(std::sync::Arc<str>);

/// A page's model, as it is had from an [`Answer`].
pub trait Model: Sized + 'static {
    /// Takes it out; `None` when the answer is to another question.
    fn of(answer: Answer) -> Option<Self>;
}

macro_rules! models {
    ($($variant:ident($model:ty)),*) => {
        $(impl Model for $model {
            #[cfg(feature = "ssr")]
            fn of(answer: Answer) -> Option<Self> {
                if let Answer::$variant(model) = answer { Some(*model) } else { None }
            }

            #[cfg(not(feature = "ssr"))]
            fn of(answer: Answer) -> Option<Self> {
                serde_json::from_str(&answer.0).ok()
            }
        })*
    };
}
models!(
    Overview(OverviewPage),
    Slos(SlosPage),
    Slo(SloPage),
    SloEditor(SloEditorPage),
    Traces(TracesPage),
    Services(ServicesPage),
    ServiceMap(ServiceMapPage),
    Service(ServicePage),
    Events(EventsPage),
    Agents(AgentsPage),
    Logs(LogsPage),
    Metrics(MetricsView),
    Trace(TracePage),
    Span(SpanView),
    Correlation(CorrelationPage),
    Incidents(IncidentsPage),
    Incident(IncidentPage),
    Settings(SettingsPage)
);

/// An answer on its way: as it is sent over HTTP, and with its error as it is embedded in a page.
pub struct AnswerText;

impl ContentType for AnswerText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for AnswerText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<Answer> for AnswerText {
    type Error = serde_json::Error;

    fn encode(answer: &Answer) -> Result<Bytes, Self::Error> {
        String::try_from(answer).map(Bytes::from)
    }
}

impl Decodes<Answer> for AnswerText {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<Answer, Self::Error> {
        std::str::from_utf8(&bytes).map_err(serde_json::Error::custom).and_then(str::parse)
    }
}

/// What an embedded error begins with; a model's JSON begins with a brace.
const ERROR: char = '!';

impl Encoder<Result<Answer, AppError>> for AnswerText {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(result: &Result<Answer, AppError>) -> Result<String, Self::Error> {
        match result {
            Ok(answer) => answer.try_into(),
            Err(error) => serde_json::to_string(error).map(|text| format!("{ERROR}{text}")),
        }
    }
}

impl Decoder<Result<Answer, AppError>> for AnswerText {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<Result<Answer, AppError>, Self::Error> {
        match text.strip_prefix(ERROR) {
            Some(error) => serde_json::from_str(error).map(Err),
            None => text.parse().map(Ok),
        }
    }
}

impl TryFrom<&Answer> for String {
    type Error = serde_json::Error;

    #[cfg(feature = "ssr")]
    fn try_from(answer: &Answer) -> Result<Self, Self::Error> {
        serde_json::to_string(answer)
    }

    #[cfg(not(feature = "ssr"))]
    fn try_from(answer: &Answer) -> Result<Self, Self::Error> {
        Ok(answer.0.as_ref().to_owned())
    }
}

impl FromStr for Answer {
    type Err = serde_json::Error;

    #[cfg(feature = "ssr")]
    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Err(serde_json::Error::custom("only a browser reads answers"))
    }

    #[cfg(not(feature = "ssr"))]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// What a page is made of, once it is there.
pub type PageResource = Resource<Result<Answer, AppError>, AnswerText>;

/// Asks, and asks again whenever the question changes.
pub fn ask(question: impl Fn() -> Question + Send + Sync + 'static) -> PageResource {
    let question: Box<dyn Fn() -> Question + Send + Sync> = Box::new(question);
    Resource::new_with_options(question, load, false)
}

/// Answers a page's question. Those who ask the same at the same time share an answer.
#[server(prefix = "/_app", endpoint = "load", input = Json, output = Post<AnswerText>)]
pub async fn load(question: Question) -> Result<Answer, AppError> {
    let (backend, clock, answers) = crate::context::request()?;
    let question = question.with_typed(use_context::<crate::context::Typed>());
    let key = serde_json::to_string(&question).map_err(|_| AppError::internal())?;
    let finding = Box::pin(async { Arc::new(answer(question, &backend, clock.0()).await) });
    Arc::unwrap_or_clone(answers.ask(key, finding).await)
}

#[cfg(feature = "ssr")]
impl Question {
    /// A form that was sent and not accepted is shown again, with all that was typed.
    fn with_typed(self, sent: Option<crate::context::Typed>) -> Self {
        match self {
            Self::SloEditor { raw, typed } => Self::SloEditor { raw, typed: typed.or_else(|| sent.map(|sent| sent.0)) },
            other => other,
        }
    }
}

#[cfg(feature = "ssr")]
async fn answer(question: Question, backend: &Backend, now: Timestamp) -> Result<Answer, AppError> {
    Ok(match question {
        Question::Overview => Answer::Overview(Box::new(backend.overview(now).await?)),
        Question::Slos(raw) => {
            let (query, faults) = SloQuery::parse(&raw);
            Answer::Slos(Box::new(backend.slos_page(query, faults, now).await?))
        }
        Question::Slo { name, from, to } => Answer::Slo(Box::new(backend.slo_page(&name, from, to, now).await?)),
        Question::SloEditor { raw, typed } => Answer::SloEditor(Box::new(backend.slo_editor(&raw, typed.as_deref(), now).await?)),
        Question::Traces(raw) => {
            let (query, faults) = TraceQuery::parse(&raw);
            Answer::Traces(Box::new(backend.traces_page(query, faults, now).await?))
        }
        Question::Services(back_seconds) => Answer::Services(Box::new(backend.services_page(back_seconds, now).await?)),
        Question::ServiceMap(back_seconds) => Answer::ServiceMap(Box::new(backend.service_map_page(back_seconds, now).await?)),
        Question::Service { name, back_seconds } => Answer::Service(Box::new(backend.service_page(&name, back_seconds, now).await?)),
        Question::Events(raw) => {
            let (query, faults) = EventQuery::parse(&raw);
            Answer::Events(Box::new(backend.events_page(query, faults, now).await?))
        }
        Question::Agents => Answer::Agents(Box::new(backend.agents_page(now).await?)),
        Question::Logs(raw) => {
            let (query, faults) = LogQuery::parse(&raw);
            Answer::Logs(Box::new(backend.logs_page(query, faults, now).await?))
        }
        Question::Metrics(raw) => {
            let (query, faults) = MetricQuery::parse(&raw);
            let page = backend.metrics_page(query, faults, now).await?;
            let otlp_http = if page.is_first() { Some(backend.settings_page(now).await?.otlp_http) } else { None };
            Answer::Metrics(Box::new(MetricsView { page, otlp_http }))
        }
        Question::Tail(Searched::Traces, raw) => {
            let (query, _) = TraceQuery::parse(&raw);
            Answer::Traces(Box::new(Arc::unwrap_or_clone(backend.tail(query, now).await?)))
        }
        Question::Tail(Searched::Logs, raw) => {
            let (query, _) = LogQuery::parse(&raw);
            Answer::Logs(Box::new(Arc::unwrap_or_clone(backend.tail_logs(query, now).await?)))
        }
        Question::Tail(Searched::Events, raw) => {
            let (query, _) = EventQuery::parse(&raw);
            Answer::Events(Box::new(Arc::unwrap_or_clone(backend.tail_events(query, now).await?)))
        }
        Question::Incidents(cursor) => Answer::Incidents(Box::new(backend.incidents_page(cursor.as_deref(), now).await?)),
        Question::Incident(id) => Answer::Incident(Box::new(backend.incident_page(&id, now).await?)),
        Question::Settings => Answer::Settings(Box::new(backend.settings_page(now).await?)),
        Question::Trace { id, view } => {
            let parsed = id.parse().map_err(|_| AppError::not_found("trace", &id))?;
            Answer::Trace(Box::new(backend.trace_page(parsed, &TraceView::parse(&view), now).await?))
        }
        Question::Span { trace, span } => Answer::Span(Box::new(backend.span(trace, span).await?)),
        Question::Correlation(id) => Answer::Correlation(Box::new(backend.correlation_page(&id, now).await?)),
    })
}
