//! What follows from an order, seconds and minutes later: confirmation, parcel, second mail, capture of the money.
//!
//! Each is a trace of its own that refers to its cause by a link and carries the order number.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanKind};
use rand::Rng;
use rand::rngs::SmallRng;

use super::super::fleet::{NOTIFICATIONS, PAYMENT, SHIPPING};
use super::super::sink::{Open, Sink, Trace};
use super::super::world::{World, lognormal};
use super::Visit;
use super::calls::{Outside, Statement, client, heard, process_message, send_message, sql};
use super::checkout::{Order, ask_provider};

/// Captures of one payment that are tried before a person has to look.
const CAPTURE_ATTEMPTS: u32 = 4;

/// Plays all of it.
pub(super) fn fulfil(world: &World, rng: &mut SmallRng, sink: &mut dyn Sink, visit: &Visit, order: &Order) {
    let confirmed = order.at + lognormal(rng, 900.0, 0.6);
    mail(&mut Trace::new(world, rng, sink, confirmed), visit, "orders", "order-confirmation", order.announcement.clone());

    let taken = order.at + lognormal(rng, 7_000.0, 0.5).min(Duration::from_mins(1));
    let (at, parcel) = ship(&mut Trace::new(world, rng, sink, taken), visit, order.announcement.clone());
    if let Some(parcel) = parcel {
        let told = at + lognormal(rng, 1_500.0, 0.6);
        mail(&mut Trace::new(world, rng, sink, told), visit, "shipments", "parcel-on-its-way", parcel);
    }

    capture(world, rng, sink, visit, order);
}

/// Prints a label and announces the parcel; a carrier that fails twice leaves it to the night shift.
fn ship(trace: &mut Trace<'_>, visit: &Visit, sent: SpanContext) -> (SystemTime, Option<SpanContext>) {
    let mut span = process_message(trace, SHIPPING, "orders", &visit.order_id, sent);
    span.set("correlationId", visit.order_id.clone());
    let text = "INSERT INTO shipments (id, order_id, state) VALUES ($1, $2, 'new')";
    let statement = Statement { host: "shipping-db".to_owned(), database: "shipping", operation: "INSERT", table: "shipments", text };
    let began = span.start() + trace.about(6.0, 0.4);
    let took = trace.about(4.5, 0.6);
    let mut at = sql(trace, &span, began, statement, took);

    let mut labelled = false;
    for resend_count in 0..2 {
        let to = Outside { address: "api.parcelpost.example", method: "POST", route: "/labels", resend_count };
        let mut carrier = client(trace, &span, at, &to, "/labels");
        at += trace.about(260.0, 0.55);
        labelled = !trace.happens(0.02);
        heard(&mut carrier, if labelled { 201 } else { 503 });
        trace.close(carrier, at);
        if labelled {
            break;
        }
        at += Duration::from_millis(500);
    }
    if !labelled {
        span.fail("503", "the carrier prints no label");
        trace.close(span, at);
        return (at, None);
    }

    let mut announcement = send_message(trace, &span, at, "shipments", &visit.order_id);
    announcement.set("correlationId", visit.order_id.clone());
    let context = announcement.context();
    at += trace.about(2.0, 0.4);
    trace.close(announcement, at);
    at += trace.about(1.0, 0.4);
    trace.close(span, at);
    (at, Some(context))
}

/// Sends a mail about a message of `topic`.
fn mail(trace: &mut Trace<'_>, visit: &Visit, topic: &'static str, template: &'static str, sent: SpanContext) {
    let mut span = process_message(trace, NOTIFICATIONS, topic, &visit.order_id, sent);
    span.set("correlationId", visit.order_id.clone());
    span.set("mail.template", template);
    let at = span.start() + trace.about(9.0, 0.4);
    let to = Outside { address: "api.mailpigeon.example", method: "POST", route: "/messages", resend_count: 0 };
    let mut provider = client(trace, &span, at, &to, "/messages");
    let at = at + trace.about(95.0, 0.6);
    let status = if trace.happens(0.004) { 429 } else { 202 };
    heard(&mut provider, status);
    trace.close(provider, at);
    if status != 202 {
        span.fail("429", "the mail goes out with the next run");
    }
    let at = at + trace.about(1.5, 0.4);
    trace.close(span, at);
}

/// Takes the money that was set aside. A failed try is repeated as a new trace that refers to the one before.
fn capture(world: &World, rng: &mut SmallRng, sink: &mut dyn Sink, visit: &Visit, order: &Order) {
    let mut due = order.at + Duration::from_secs(rng.random_range(20..90));
    let mut before: Option<SpanContext> = None;
    for attempt in 1..=CAPTURE_ATTEMPTS {
        let trace = &mut Trace::new(world, rng, sink, due);
        let mut span = trace.root(PAYMENT, SpanKind::Internal, "capture payment");
        span.set("correlation_id", visit.order_id.clone());
        span.set("payment.provider", order.provider.name());
        span.set("retry.attempt", i64::from(attempt));
        if let Some(before) = before.take() {
            span.link(before);
        }
        let context = span.context();
        let at = span.start() + trace.about(2.0, 0.4);
        let answer = ask_provider(trace, &span, at, order.provider, "/v2/captures", attempt - 1);
        finish_capture(trace, span, answer.at, answer.is_failure());
        if !answer.is_failure() {
            return;
        }
        before = Some(context);
        due = answer.at + Duration::from_secs(60 << (attempt - 1));
    }
}

fn finish_capture(trace: &mut Trace<'_>, mut span: Open, at: SystemTime, failed: bool) {
    if failed {
        span.fail("provider_unavailable", "the capture is tried again later");
    }
    let at = at + trace.about(1.5, 0.4);
    trace.close(span, at);
}
