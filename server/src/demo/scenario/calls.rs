//! Calls between services, to databases and to the outside, each leaving the spans that OpenTelemetry's semantic
//! conventions ask for.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanKind;

use super::super::fleet::Process;
use super::super::sink::{Open, Trace};

/// How and when a request was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// When.
    pub(super) at: SystemTime,
    /// HTTP status.
    pub(super) status: u16,
}

impl Answer {
    /// Whether the server is to blame for it.
    pub(super) const fn is_failure(self) -> bool {
        self.status >= 500
    }
}

/// A request to another service of the shop.
pub(super) struct Request {
    pub(super) to: Process,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) path: String,
    /// Requests already made in vain for the same purpose.
    pub(super) resend_count: u32,
}

/// Sends a request: a client span below `caller`, below it the server's, in which `work` says what the server does.
pub(super) fn request(
    trace: &mut Trace<'_>,
    caller: &Open,
    at: SystemTime,
    request: Request,
    work: impl FnOnce(&mut Trace<'_>, &mut Open, SystemTime) -> Answer,
) -> Answer {
    let Request { to, method, route, path, resend_count } = request;
    let address = to.address();
    let mut client = client(trace, caller, at, &Outside { address: &address, method, route, resend_count }, &path);

    let arrived = at + trace.about(0.4, 0.4);
    let mut server = trace.remote(&client, to, SpanKind::Server, format!("{method} {route}"), arrived);
    server.set("http.request.method", method);
    server.set("http.route", route);
    server.set("url.scheme", "http");
    server.set("url.path", path);
    server.set("server.address", address);
    let begun = arrived + trace.about(0.7, 0.5);
    let answer = work(trace, &mut server, begun);
    let sent = answer.at + trace.about(0.3, 0.5);
    respond(&mut server, answer.status);
    trace.close(server, sent);

    let at = sent + trace.about(0.4, 0.4);
    heard(&mut client, answer.status);
    trace.close(client, at);
    Answer { at, status: answer.status }
}

/// A request to a party that sends no spans of its own.
pub(super) struct Outside<'a> {
    pub(super) address: &'a str,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// Requests already made in vain for the same purpose.
    pub(super) resend_count: u32,
}

/// Opens the client span of a request.
pub(super) fn client(trace: &mut Trace<'_>, caller: &Open, at: SystemTime, to: &Outside<'_>, path: &str) -> Open {
    let Outside { address, method, route, resend_count } = to;
    let mut client = trace.child(caller, SpanKind::Client, format!("{method} {route}"), at);
    client.set("http.request.method", *method);
    client.set("url.full", format!("http://{address}{path}"));
    client.set("url.template", *route);
    client.set("server.address", (*address).to_owned());
    if *resend_count > 0 {
        client.set("http.request.resend_count", i64::from(*resend_count));
    }
    client
}

/// What a client span says of the answer: for a client, a refusal is an error too.
pub(super) fn heard(client: &mut Open, status: u16) {
    client.set("http.response.status_code", i64::from(status));
    if status >= 400 {
        client.fail(status.to_string(), "");
    }
}

/// What a server span says of its answer: only its own failures are errors.
pub(super) fn respond(server: &mut Open, status: u16) {
    server.set("http.response.status_code", i64::from(status));
    if status >= 500 {
        server.fail(status.to_string(), "");
    }
}

/// A statement sent to PostgreSQL.
pub(super) struct Statement {
    /// Host name of the database, without domain.
    pub(super) host: String,
    pub(super) database: &'static str,
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    pub(super) text: &'static str,
}

/// Sends a statement that takes the given time; returns when it was done.
pub(super) fn sql(trace: &mut Trace<'_>, caller: &Open, at: SystemTime, statement: Statement, took: Duration) -> SystemTime {
    let Statement { host, database, operation, table, text } = statement;
    let mut span = trace.child(caller, SpanKind::Client, format!("{operation} {table}"), at);
    span.set("db.system.name", "postgresql");
    span.set("db.namespace", database);
    span.set("db.collection.name", table);
    span.set("db.operation.name", operation);
    span.set("db.query.text", text);
    span.set("server.address", format!("{host}.shop.internal"));
    span.set("server.port", 5432);
    trace.close(span, at + took);
    at + took
}

/// Opens the span of a Redis command.
pub(super) fn redis(trace: &mut Trace<'_>, caller: &Open, at: SystemTime, host: &str, command: &'static str, text: &'static str) -> Open {
    let mut span = trace.child(caller, SpanKind::Client, command, at);
    span.set("db.system.name", "redis");
    span.set("db.operation.name", command);
    span.set("db.query.text", text);
    span.set("server.address", format!("{host}.shop.internal"));
    span.set("server.port", 6379);
    span
}

/// Opens the span in which a message is sent to a Kafka topic.
pub(super) fn send_message(trace: &mut Trace<'_>, caller: &Open, at: SystemTime, topic: &'static str, key: &str) -> Open {
    let mut span = trace.child(caller, SpanKind::Producer, format!("send {topic}"), at);
    message(&mut span, topic, "send", key);
    span
}

/// Opens the first span of a trace in which a message is worked on; it refers to the span that sent it.
pub(super) fn process_message(
    trace: &mut Trace<'_>,
    process: Process,
    topic: &'static str,
    key: &str,
    sent: opentelemetry::trace::SpanContext,
) -> Open {
    let mut span = trace.root(process, SpanKind::Consumer, format!("process {topic}"));
    message(&mut span, topic, "process", key);
    span.set("messaging.consumer.group.name", process.service());
    span.link(sent);
    span
}

fn message(span: &mut Open, topic: &'static str, operation: &'static str, key: &str) {
    span.set("messaging.system", "kafka");
    span.set("messaging.destination.name", topic);
    span.set("messaging.operation.name", operation);
    span.set("messaging.operation.type", operation);
    span.set("messaging.kafka.message.key", key.to_owned());
}
