//! Where a signal goes in, and what its protocol takes for an acknowledgement.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::server::Server;

/// How many kinds of senders there are.
pub(super) const SIGNALS: usize = Signal::ALL.len();
/// The agents that beat: one promises a word every second, the other one every hour.
pub(super) const AGENTS: [(&str, u32); 2] = [("soak-hasty", 1), ("soak-patient", 3_600)];

/// What is sent side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Spans,
    OtlpLogs,
    EcsLogs,
    Points,
    Events,
    Heartbeats,
}

impl Signal {
    pub(super) const ALL: [Self; 6] = [Self::Spans, Self::OtlpLogs, Self::EcsLogs, Self::Points, Self::Events, Self::Heartbeats];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::OtlpLogs => "log records over OTLP",
            Self::EcsLogs => "log lines in ECS",
            Self::Points => "metric points",
            Self::Events => "events",
            Self::Heartbeats => "heartbeats",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Spans | Self::OtlpLogs | Self::Points => "application/x-protobuf",
            Self::EcsLogs => "application/x-ndjson",
            Self::Events => "application/cloudevents-batch+json",
            Self::Heartbeats => "application/json",
        }
    }
}

/// The doors of one server.
#[derive(Clone, Debug)]
pub(super) struct Doors([String; SIGNALS]);

impl Doors {
    pub(super) fn of(server: &Server) -> Self {
        Self(Signal::ALL.map(|signal| match signal {
            Signal::Spans => server.traces_url(),
            Signal::OtlpLogs => server.logs_url(),
            Signal::Points => server.metrics_url(),
            Signal::EcsLogs => server.url("/api/v1/logs"),
            Signal::Events => server.url("/api/v1/events"),
            Signal::Heartbeats => server.url("/api/v1/agents"),
        }))
    }
}

/// A request that is sent until it is acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) signal: Signal,
    /// Which agent; empty for other signals.
    pub(super) agent: &'static str,
    pub(super) body: Bytes,
    pub(super) records: usize,
}

/// `false` when it should be tried again.
pub(super) async fn is_acknowledged(client: &Client, doors: &Doors, post: &Post) -> Result<bool> {
    let Post { signal, agent, body, records } = post;
    let url = &doors.0[*signal as usize];
    let url = if agent.is_empty() { url.clone() } else { format!("{url}/{agent}/heartbeat") };
    let answer = client.post(url).header(CONTENT_TYPE, signal.content_type()).body(body.clone()).send().await;
    let Ok(response) = answer else { return Ok(false) };
    let status = response.status();
    if matches!(status.as_u16(), 429 | 502 | 503 | 504) {
        return Ok(false);
    }
    // Read to the end, for an answer that breaks off is none.
    let Ok(answer) = response.bytes().await else { return Ok(false) };
    let told = || format!("{}: {status} {}", signal.name(), String::from_utf8_lossy(&answer));
    ensure!(status == 200, "a sender would have lost its records: {}", told());
    match signal {
        // Those for logs and metrics have the same bytes.
        Signal::Spans | Signal::OtlpLogs | Signal::Points => {
            let message = ExportTraceServiceResponse::decode(answer.clone()).with_context(told)?;
            ensure!(message.partial_success.is_none(), "records were refused: {:?}", message.partial_success);
        }
        Signal::EcsLogs | Signal::Events => {
            let message: Value = serde_json::from_slice(&answer).with_context(told)?;
            ensure!(message["accepted"].as_u64() == Some(*records as u64), "records were refused: {}", told());
        }
        Signal::Heartbeats => {}
    }
    Ok(true)
}
