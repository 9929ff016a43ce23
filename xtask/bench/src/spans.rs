//! What is sent: traces of eight spans across six services of a shop, ten attributes a span.
//!
//! Everything but the times follows from the seed. Cardinality is what a shop has: a dozen routes, some dozen statements,
//! thousands of customers, one address per process, and a few values that never repeat. One span of each trace carries
//! the correlation ID. The same spans become OTLP requests ([`crate::otlp`]) and rows ([`crate::rows`]).

use std::borrow::Cow;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Spans of every trace.
pub(crate) const SPANS_PER_TRACE: usize = 8;
/// Attributes of every span.
const ATTRIBUTES: usize = 10;
/// Services that a trace touches.
pub(crate) const SERVICES: [&str; 6] = ["gateway", "cart", "catalog", "payment", "inventory", "notification"];

/// `opentelemetry.proto.trace.v1.Span.SpanKind`.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;

const ROUTES: [(&str, &str); 12] = [
    ("GET", "/products/{id}"),
    ("GET", "/products"),
    ("GET", "/carts/{id}"),
    ("POST", "/carts/{id}/items"),
    ("DELETE", "/carts/{id}/items/{item}"),
    ("POST", "/checkouts"),
    ("GET", "/orders/{id}"),
    ("POST", "/orders/{id}/returns"),
    ("GET", "/customers/{id}"),
    ("PUT", "/customers/{id}/address"),
    ("GET", "/search"),
    ("POST", "/reviews"),
];
const TABLES: [&str; 6] = ["carts", "cart_items", "prices", "customers", "addresses", "vouchers"];
const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1) Safari/605.1",
    "Mozilla/5.0 (Linux; Android 16) Chrome/141.0 Mobile",
    "shop-app/7.12 (android)",
    "shop-app/7.12 (ios)",
];

/// One in this many traces fails.
const FAILS_ONE_IN: u32 = 100;
const CUSTOMERS: u32 = 20_000;
const PODS: u32 = 4;

/// Value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Cow<'static, str>),
    Integer(i64),
}

/// One span.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace_id: u128,
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    /// Index into [`SERVICES`].
    pub(crate) service: usize,
    pub(crate) operation: String,
    pub(crate) kind: i32,
    pub(crate) failed: bool,
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) attributes: [(&'static str, Value); ATTRIBUTES],
}

/// How the spans of a trace meet in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As a collector sends: all spans of a trace in one request, six resources in each.
    Together,
    /// As SDKs send: every request holds one service's spans, so a trace arrives in six.
    Spread,
}

/// Traces to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) seed: u64,
    pub(crate) traces: usize,
    /// First start of a trace, Unix nanoseconds.
    pub(crate) from_ns: u64,
    /// Bound of the starts; every span ends within two seconds after it.
    pub(crate) until_ns: u64,
    pub(crate) layout: Layout,
}

impl Workload {
    pub(crate) const fn spans(&self) -> usize {
        self.traces * SPANS_PER_TRACE
    }

    /// Every trace, in the order of their starts.
    pub(crate) fn traces(&self) -> impl Iterator<Item = [Span; SPANS_PER_TRACE]> + use<> {
        let Self { seed, traces, from_ns, until_ns, .. } = *self;
        let mut rng = SmallRng::seed_from_u64(seed);
        let step = (until_ns - from_ns) / traces.max(1) as u64;
        (0..traces as u64).map(move |index| trace(&mut rng, from_ns + index * step))
    }

    /// Their ids.
    pub(crate) fn trace_ids(&self) -> impl Iterator<Item = u128> + use<> {
        self.traces().map(|spans| spans[0].trace_id)
    }
}

/// The correlation ID of a trace. Without the `x`, one in some ten thousand would be a card's number by its check digit, and
/// redacted.
pub(crate) fn correlation_id(trace_id: u128) -> String {
    format!("order-x{:015x}", trace_id as u64 >> 4)
}

fn trace(rng: &mut SmallRng, start_ns: u64) -> [Span; SPANS_PER_TRACE] {
    let trace_id: u128 = rng.random::<u128>() | 1;
    let (method, route) = ROUTES[rng.random_range(0..ROUTES.len())];
    let failed = rng.random_range(0..FAILS_ONE_IN) == 0;
    let customer = rng.random_range(0..CUSTOMERS);
    // A median of 40 ms with a long tail, never more than a second.
    let whole_ns = (40e6 * (-rng.random::<f64>().max(1e-9).ln()).powf(0.7) + 2e6).min(1e9) as u64;
    let ids: [u64; SPANS_PER_TRACE] = std::array::from_fn(|_| rng.random::<u64>() | 1);
    // Parent, service, kind, beginning and length as shares of the whole.
    let shape: [(Option<usize>, usize, i32, f64, f64); SPANS_PER_TRACE] = [
        (None, 0, SERVER, 0.0, 1.0),
        (Some(0), 0, CLIENT, 0.05, 0.4),
        (Some(1), 1, SERVER, 0.08, 0.34),
        (Some(2), 1, CLIENT, 0.12, 0.2),
        (Some(0), 2, SERVER, 0.47, 0.1),
        (Some(0), 3, SERVER, 0.58, 0.25),
        (Some(0), 4, SERVER, 0.6, 0.15),
        (Some(0), 5, PRODUCER, 0.9, 0.05),
    ];
    std::array::from_fn(|index| {
        let (parent, service, kind, begins, lasts) = shape[index];
        let (operation, mut attributes) = match (kind, service) {
            (SERVER, _) => server_call(rng, service, method, route, customer, failed),
            (CLIENT, 0) => client_call(rng, method, route, failed),
            (CLIENT, _) => statement(rng),
            _ => message(rng),
        };
        if index == 0 {
            // In the place of `network.protocol.version`, so that the root too has ten.
            attributes[9] = ("correlation_id", text(correlation_id(trace_id)));
        }
        Span {
            trace_id,
            id: ids[index],
            parent: parent.map(|parent| ids[parent]),
            service,
            operation,
            kind,
            failed: failed && matches!(index, 0 | 1 | 5),
            start_ns: start_ns + (whole_ns as f64 * begins) as u64,
            duration_ns: (whole_ns as f64 * lasts) as u64,
            attributes,
        }
    })
}

/// Name and attributes of a span.
type Described = (String, [(&'static str, Value); ATTRIBUTES]);

fn server_call(rng: &mut SmallRng, service: usize, method: &'static str, route: &'static str, customer: u32, failed: bool) -> Described {
    let attributes = [
        ("http.request.method", word(method)),
        ("http.route", word(route)),
        ("http.response.status_code", Value::Integer(if failed && matches!(service, 0 | 3) { 500 } else { 200 })),
        ("url.path", text(route.replace("{id}", &rng.random_range(0..1_000_000_u32).to_string()))),
        ("server.address", pod(rng, service)),
        ("client.address", text(format!("10.{}.{}.{}", rng.random_range(0..4_u8), rng.random::<u8>(), rng.random::<u8>()))),
        ("user_agent.original", word(AGENTS[rng.random_range(0..AGENTS.len())])),
        ("user.id", text(format!("customer-{customer}"))),
        ("http.response.body.size", Value::Integer(rng.random_range(120..24_000))),
        ("network.protocol.version", word(if rng.random() { "1.1" } else { "2" })),
    ];
    (format!("{method} {route}"), attributes)
}

fn client_call(rng: &mut SmallRng, method: &'static str, route: &'static str, failed: bool) -> Described {
    let path = route.replace("{id}", &rng.random_range(0..1_000_000_u32).to_string());
    let attributes = [
        ("http.request.method", word(method)),
        ("url.full", text(format!("http://cart.shop.internal:8080{path}"))),
        ("http.response.status_code", Value::Integer(if failed { 500 } else { 200 })),
        ("server.address", word("cart.shop.internal")),
        ("server.port", Value::Integer(8_080)),
        ("peer.service", word("cart")),
        ("http.request.resend_count", Value::Integer(i64::from(rng.random_range(0..50_u8) == 0))),
        ("thread.id", Value::Integer(rng.random_range(1..33))),
        ("code.function.name", word("shop.gateway.proxy.forward")),
        ("network.protocol.version", word("2")),
    ];
    (method.to_owned(), attributes)
}

fn statement(rng: &mut SmallRng) -> Described {
    let table = TABLES[rng.random_range(0..TABLES.len())];
    let attributes = [
        ("db.system.name", word("postgresql")),
        ("db.namespace", word("shop")),
        ("db.collection.name", word(table)),
        ("db.operation.name", word("SELECT")),
        ("db.query.text", text(format!("SELECT id, name, amount, updated_at FROM {table} WHERE customer_id = $1 ORDER BY id LIMIT 50"))),
        ("server.address", text(format!("db-{}.shop.internal", rng.random_range(0..3_u8)))),
        ("server.port", Value::Integer(5_432)),
        ("db.response.returned_rows", Value::Integer(rng.random_range(0..50))),
        ("thread.id", Value::Integer(rng.random_range(1..33))),
        ("db.client.connection.pool.name", word("cart-main")),
    ];
    (format!("SELECT {table}"), attributes)
}

fn message(rng: &mut SmallRng) -> Described {
    let attributes = [
        ("messaging.system", word("kafka")),
        ("messaging.destination.name", word("order-events")),
        ("messaging.operation.type", word("send")),
        ("messaging.message.id", text(format!("{:016x}", rng.random::<u64>()))),
        ("messaging.message.body.size", Value::Integer(rng.random_range(200..3_000))),
        ("messaging.destination.partition.id", text(rng.random_range(0..12_u8).to_string())),
        ("messaging.kafka.offset", Value::Integer(rng.random_range(1_000_000..2_000_000))),
        ("messaging.client.id", text(format!("notification-{}", rng.random_range(0..PODS)))),
        ("server.address", text(format!("kafka-{}.shop.internal", rng.random_range(0..3_u8)))),
        ("thread.id", Value::Integer(rng.random_range(1..33))),
    ];
    ("send order-events".to_owned(), attributes)
}

fn pod(rng: &mut SmallRng, service: usize) -> Value {
    text(format!("{}-{}.shop.internal", SERVICES[service], rng.random_range(0..PODS)))
}

fn text(text: String) -> Value {
    Value::Text(Cow::Owned(text))
}

/// A text that is always the same.
pub(crate) const fn word(word: &'static str) -> Value {
    Value::Text(Cow::Borrowed(word))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const WORKLOAD: Workload = Workload { seed: 1, traces: 200, from_ns: 1_000_000_000, until_ns: 3_000_000_000, layout: Layout::Together };

    #[test]
    fn a_trace_is_what_the_figures_say_it_is() {
        let mut ids = HashSet::new();
        for trace in WORKLOAD.traces() {
            assert!(ids.insert(trace[0].trace_id), "ids repeat");
            let services: HashSet<usize> = trace.iter().map(|span| span.service).collect();
            assert_eq!(services.len(), SERVICES.len());
            assert!(trace.iter().all(|span| span.trace_id == trace[0].trace_id));
            assert!(trace.iter().all(|span| span.start_ns + span.duration_ns <= WORKLOAD.until_ns + 2_000_000_000));
            let correlated = trace.iter().filter(|span| span.attributes.iter().any(|(key, _)| *key == "correlation_id"));
            assert_eq!(correlated.count(), 1);
        }
        assert_eq!(ids.len(), WORKLOAD.traces);
    }

    #[test]
    fn a_seed_gives_the_same_traces_again() {
        assert!(WORKLOAD.trace_ids().eq(WORKLOAD.trace_ids()));
        assert!(!WORKLOAD.trace_ids().eq(Workload { seed: 2, ..WORKLOAD }.trace_ids()));
    }
}
