//! What people do in the shop and what the shop does for them, second by second.
//!
//! A visit is drawn whole when it begins: pages, perhaps the cart, perhaps the checkout, and then what follows from an
//! order minutes later (parcel, mails, capture of the money). Every step is a trace of its own; the order number, given
//! out with the first page, is in all of them, spelled as the team of each service spells it.

mod browse;
mod calls;
mod checkout;
mod fulfilment;
mod jobs;

use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanKind;
use rand::Rng;
use rand::rngs::SmallRng;

use super::fleet::{Zone, storefront};
use super::sink::{Open, Sink, Trace};
use super::world::{World, lognormal, poisson};

/// No visit, with all that follows from it, goes on for longer.
pub(super) const LONGEST_VISIT: Duration = Duration::from_mins(30);

/// Pages after the first.
const MOST_PAGES: u32 = 12;

/// Characters of random ids: no vowels, so that no words come out.
const ID_CHARACTERS: &[u8; 28] = b"0123456789bcdfghjkmnpqrstvwx";

const PRODUCTS: [&str; 10] = ["p-1042", "p-1043", "p-1077", "p-1108", "p-1180", "p-1204", "p-1311", "p-1350", "p-1402", "p-1466"];

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36",
];

/// Somebody in the shop.
struct Visit {
    /// Order number, given out with the first page.
    order_id: String,
    cart_id: String,
    /// Known once they are logged in.
    user_id: Option<String>,
    user_agent: &'static str,
    zone: Zone,
}

/// Writes everything that begins in this second. Spans may end much later, but none begins earlier.
pub(super) fn play_second(world: &World, second: u64, sink: &mut dyn Sink) {
    let mut rng = world.rng(2, second);
    let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    for _ in 0..poisson(&mut rng, world.visits_per_second(second)) {
        let at = begun + Duration::from_micros(rng.random_range(0..1_000_000));
        play_visit(world, &mut rng, sink, at);
    }
    jobs::play_second(world, second, &mut rng, sink);
}

fn play_visit(world: &World, rng: &mut SmallRng, sink: &mut dyn Sink, mut at: SystemTime) {
    let visit = Visit {
        order_id: id(rng, "ord-"),
        cart_id: id(rng, "cart-"),
        user_id: rng.random_bool(0.7).then(|| format!("u-{}", rng.random_range(1_000..6_000))),
        user_agent: pick(rng, &USER_AGENTS),
        zone: if rng.random_bool(0.5) { Zone::A } else { Zone::B },
    };

    at = browse::home_or_search(&mut Trace::new(world, rng, sink, at), &visit);
    for _ in 0..MOST_PAGES {
        if !rng.random_bool(0.58) {
            break;
        }
        at += thinking(rng);
        at = browse::look_around(&mut Trace::new(world, rng, sink, at), &visit);
    }
    if !rng.random_bool(0.46) {
        return;
    }
    let mut items = 0;
    while items == 0 || (items < 4 && rng.random_bool(0.35)) {
        at += thinking(rng);
        at = browse::add_to_cart(&mut Trace::new(world, rng, sink, at), &visit);
        items += 1;
    }
    if !rng.random_bool(0.5) {
        return;
    }
    at += thinking(rng);
    let paid = checkout::check_out(&mut Trace::new(world, rng, sink, at), &visit, items);
    if let Some(order) = paid {
        fulfilment::fulfil(world, rng, sink, &visit, &order);
    }
}

/// Opens the storefront's span of a request: the first of every trace that a person causes.
fn page(trace: &mut Trace<'_>, visit: &Visit, method: &'static str, route: &'static str, path: String) -> Open {
    let mut page = trace.root(storefront(visit.zone), SpanKind::Server, format!("{method} {route}"));
    page.set("http.request.method", method);
    page.set("http.route", route);
    page.set("url.scheme", "https");
    page.set("url.path", path);
    page.set("server.address", "shop.example");
    page.set("user_agent.original", visit.user_agent);
    page.set_list("http.request.header.x-correlation-id", visit.order_id.clone());
    if let Some(user) = &visit.user_id {
        page.set("user.id", user.clone());
    }
    page
}

/// Time between two clicks.
fn thinking(rng: &mut SmallRng) -> Duration {
    lognormal(rng, 9_000.0, 0.7).clamp(Duration::from_secs(1), Duration::from_mins(1))
}

/// A random id that is easy to read out.
fn id(rng: &mut SmallRng, prefix: &str) -> String {
    let characters = (0..8).map(|_| char::from(pick(rng, ID_CHARACTERS)));
    prefix.chars().chain(characters).collect()
}

/// One of several.
fn pick<T: Copy>(rng: &mut SmallRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}
