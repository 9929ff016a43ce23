//! The checkout: cart, reservation, payment with its retries, order.
//!
//! A payment that fails is tried again after a pause with the same provider, then with the other one if the merchant's
//! contract allows; the attempts are sibling spans. A declined card is an answer, not a failure.

use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;
use rand::Rng;

use super::super::fleet::{CHECKOUT, INVENTORY, PAYMENT, cart};
use super::super::sink::{Open, Trace};
use super::super::world::Incident;
use super::browse::{cart_command, preparation, show};
use super::calls::{Answer, Outside, Request, Statement, client, heard, request, send_message, sql};
use super::{Visit, page};

/// Share of orders for which the other provider may be asked.
const FALLBACK_ALLOWED: f64 = 0.94;

/// Share of cards that are declined.
const DECLINED: f64 = 0.025;

/// Share of attempts that fail at a provider in good health.
const PROVIDER_FAILURES: f64 = 0.001;

/// Share of attempts that fail at a provider in an outage.
const OUTAGE_FAILURES: f64 = 0.93;

/// Who moves the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    /// The one with the outages.
    Northbank,
    /// The other one.
    Cardlane,
}

impl Provider {
    /// Name in attributes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Northbank => "northbank",
            Self::Cardlane => "cardlane",
        }
    }

    /// Host name of its interface.
    const fn address(self) -> &'static str {
        match self {
            Self::Northbank => "api.northbank.example",
            Self::Cardlane => "api.cardlane.example",
        }
    }

    /// Whether it is having an outage.
    fn is_out(self, trace: &Trace<'_>, at: SystemTime) -> bool {
        self == Self::Northbank && trace.suffers(Incident::NorthbankOutage, at)
    }

    const fn other(self) -> Self {
        match self {
            Self::Northbank => Self::Cardlane,
            Self::Cardlane => Self::Northbank,
        }
    }
}

/// An order that was paid.
pub(super) struct Order {
    /// When it was announced.
    pub(super) at: SystemTime,
    /// The span that announced it.
    pub(super) announcement: SpanContext,
    /// Who holds the money.
    pub(super) provider: Provider,
}

/// Pays for the cart; `None` when that failed or the card was declined.
pub(super) fn check_out(trace: &mut Trace<'_>, visit: &Visit, items: u32) -> Option<Order> {
    let page = page(trace, visit, "POST", "/checkout", "/checkout".to_owned());
    let at = preparation(trace, &page);
    let mut order = None;
    let ask = Request { to: CHECKOUT, method: "POST", route: "/orders", path: "/orders".to_owned(), resend_count: 0 };
    let answer = request(trace, &page, at, ask, |trace, server, at| {
        server.set("correlation_id", visit.order_id.clone());
        server.set("order.items", i64::from(items));
        let (answer, placed) = place_order(trace, server, at, visit, items);
        order = placed;
        answer
    });
    show(trace, page, answer);
    order
}

fn place_order(trace: &mut Trace<'_>, server: &mut Open, at: SystemTime, visit: &Visit, items: u32) -> (Answer, Option<Order>) {
    let path = format!("/carts/{}", visit.cart_id);
    let ask = Request { to: cart(visit.zone), method: "GET", route: "/carts/{cart_id}", path, resend_count: 0 };
    let Answer { at, .. } = request(trace, server, at, ask, |trace, server, at| {
        let at = cart_command(trace, server, at, "HGETALL", "HGETALL cart:?");
        Answer { at, status: 200 }
    });

    let ask = Request { to: INVENTORY, method: "POST", route: "/reservations", path: "/reservations".to_owned(), resend_count: 0 };
    let reserved = request(trace, server, at, ask, |trace, server, at| {
        server.set("correlation.id", visit.order_id.clone());
        let text = "UPDATE stock SET reserved = reserved + $2 WHERE product_id = $1 AND quantity - reserved >= $2";
        let statement = Statement { host: "inventory-db".to_owned(), database: "inventory", operation: "UPDATE", table: "stock", text };
        let took = trace.about(5.5, 0.6);
        Answer { at: sql(trace, server, at, statement, took), status: if trace.happens(0.000_8) { 503 } else { 201 } }
    });
    if reserved.is_failure() {
        return (reserved, None);
    }

    let amount = f64::from(items) * f64::from(trace.rng.random_range(499..14_999_u32)) / 100.0;
    server.set("order.total_amount", amount);
    let (paid, provider) = pay(trace, server, reserved.at, visit, amount);
    server.set("payment.provider", provider.name());
    if paid.status != 201 {
        let status = if paid.is_failure() { 502 } else { paid.status };
        return (Answer { at: paid.at, status }, None);
    }

    let text = "INSERT INTO orders (id, user_id, total, placed_at) VALUES ($1, $2, $3, now())";
    let statement = Statement { host: "checkout-db".to_owned(), database: "checkout", operation: "INSERT", table: "orders", text };
    let took = trace.about(4.0, 0.5);
    let at = sql(trace, server, paid.at, statement, took);
    let mut announcement = send_message(trace, server, at, "orders", &visit.order_id);
    announcement.set("correlation_id", visit.order_id.clone());
    let context = announcement.context();
    let at = at + trace.about(2.0, 0.4);
    trace.close(announcement, at);
    (Answer { at, status: 201 }, Some(Order { at, announcement: context, provider }))
}

/// Up to three attempts; returns the last answer and who gave it.
fn pay(trace: &mut Trace<'_>, server: &mut Open, mut at: SystemTime, visit: &Visit, amount: f64) -> (Answer, Provider) {
    let first = if trace.happens(0.5) { Provider::Northbank } else { Provider::Cardlane };
    let mut resend_count = 0;
    loop {
        let provider = if resend_count == 2 { first.other() } else { first };
        let ask = Request { to: PAYMENT, method: "POST", route: "/authorizations", path: "/authorizations".to_owned(), resend_count };
        let answer = request(trace, server, at, ask, |trace, server, at| {
            server.set("correlation_id", visit.order_id.clone());
            server.set("payment.provider", provider.name());
            server.set("payment.amount", amount);
            authorize(trace, server, at, provider)
        });
        let may_go_on = resend_count == 0 || (resend_count == 1 && trace.happens(FALLBACK_ALLOWED));
        if !answer.is_failure() || !may_go_on {
            return (answer, provider);
        }
        resend_count += 1;
        let pause = Duration::from_millis(200 << resend_count).mul_f64(trace.rng.random_range(0.5..1.0));
        server.event(
            answer.at,
            "payment.retry",
            vec![KeyValue::new("payment.provider", provider.name()), KeyValue::new("retry.delay_ms", pause.as_millis() as i64)],
        );
        at = answer.at + pause;
    }
}

/// The payment service asks the provider and books what it says.
fn authorize(trace: &mut Trace<'_>, server: &mut Open, at: SystemTime, provider: Provider) -> Answer {
    let answer = ask_provider(trace, server, at, provider, "/v2/authorizations", 0);
    let (result, status) = match answer.status {
        201 => ("authorized", 201),
        402 => ("declined", 402),
        504 => ("failed", 504),
        _ => ("failed", 502),
    };
    let text = "INSERT INTO authorizations (id, provider, result, at) VALUES ($1, $2, $3, now())";
    let statement = Statement { host: "payment-db".to_owned(), database: "payment", operation: "INSERT", table: "authorizations", text };
    let took = trace.about(3.2, 0.5);
    let at = sql(trace, server, answer.at, statement, took);
    server.set("payment.result", result);
    Answer { at, status }
}

/// One request to a provider: 201, 402 (authorizations only), 503, or 504 when it did not answer in time.
pub(super) fn ask_provider(
    trace: &mut Trace<'_>,
    caller: &Open,
    at: SystemTime,
    provider: Provider,
    route: &'static str,
    resend_count: u32,
) -> Answer {
    let to = Outside { address: provider.address(), method: "POST", route, resend_count };
    let mut span = client(trace, caller, at, &to, route);
    span.set("payment.provider", provider.name());
    let out = provider.is_out(trace, at);
    let failed = trace.happens(if out { OUTAGE_FAILURES } else { PROVIDER_FAILURES });
    if failed && trace.happens(0.6) {
        let at = at + Duration::from_millis(2_500) + trace.about(8.0, 0.5);
        span.exception(at, "context.DeadlineExceeded", "no response within 2.5 s", "");
        span.fail("timeout", "no response within 2.5 s");
        trace.close(span, at);
        return Answer { at, status: 504 };
    }
    let status = match failed {
        true => 503,
        false if route == "/v2/authorizations" && trace.happens(DECLINED) => 402,
        false => 201,
    };
    let at = at + trace.about(if out { 420.0 } else { 135.0 }, 0.45);
    heard(&mut span, status);
    trace.close(span, at);
    Answer { at, status }
}
