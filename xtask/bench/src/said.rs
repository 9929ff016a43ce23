//! Bodies of log lines: fifteen kinds of sentences with numbers, names and ids in them, as the programs of a shop write them.
//!
//! How often a word comes is known: `request` in more than one line of four, `timeout` in one of forty, `quarantined` in
//! one of 20,000, the number of a customer ([`customer`]) a few times in five million.

use rand::Rng as _;
use rand::rngs::SmallRng;

use crate::spans::SERVICES;

/// OTLP's numbers.
pub(crate) const DEBUG: i32 = 5;
pub(crate) const INFO: i32 = 9;
pub(crate) const WARN: i32 = 13;
pub(crate) const ERROR: i32 = 17;

pub(crate) const GATEWAY: usize = 0;
pub(crate) const CART: usize = 1;
pub(crate) const CATALOG: usize = 2;
pub(crate) const PAYMENT: usize = 3;
pub(crate) const INVENTORY: usize = 4;
pub(crate) const NOTIFICATION: usize = 5;

/// Customers who are named in bodies: in one line of ten, one of them.
const CUSTOMERS: u32 = 100_000;
/// One line in this many tells of a parcel in quarantine.
const QUARANTINED_ONE_IN: u32 = 20_000;

const ROUTES: [&str; 8] = [
    "GET /products/{id}",
    "GET /products",
    "GET /carts/{id}",
    "POST /carts/{id}/items",
    "POST /checkouts",
    "GET /orders/{id}",
    "GET /search",
    "POST /reviews",
];
const TABLES: [&str; 6] = ["carts", "cart_items", "prices", "customers", "addresses", "vouchers"];
const CITIES: [&str; 10] = ["Leipzig", "Rotterdam", "Aarhus", "Lyon", "Turin", "Zagreb", "Tampere", "Porto", "Graz", "Ghent"];
const CARRIERS: [&str; 5] = ["Pelican", "Rocket Bikes", "Northern Post", "Blue Van", "Harbour Freight"];
const BANKS: [&str; 5] = ["Alpine Savings", "Harbour Bank", "Union Credit", "First Meadow", "Old Mill"];
const REASONS: [&str; 5] = ["limit reached", "card expired", "wrong security code", "issuer not reachable", "suspicion of fraud"];
const FAULTS: [&str; 6] =
    ["ConnectionReset", "DeadlineExceeded", "SerializationFailure", "UnexpectedEof", "InvalidState", "TooManyConnections"];
const REGIONS: [&str; 4] = ["eu-central", "eu-north", "us-east", "ap-south"];

/// One body with who says it and how bad it is.
pub(crate) struct Said {
    pub(crate) service: usize,
    pub(crate) severity: i32,
    pub(crate) body: String,
}

/// The number of a customer as bodies name it: a word that nothing else is.
pub(crate) fn customer(number: u32) -> String {
    format!("C{:06}", number % CUSTOMERS)
}

/// A line; each kind comes as often as its share of a thousand says.
pub(crate) fn say_something(rng: &mut SmallRng) -> Said {
    if rng.random_range(0..QUARANTINED_ONE_IN) == 0 {
        return quarantined(rng);
    }
    let anyone = rng.random_range(0..SERVICES.len());
    let (service, severity, body) = match rng.random_range(0..1_000_u16) {
        0..170 => (anyone, INFO, finished(rng)),
        170..300 => (CATALOG, DEBUG, cached(rng)),
        300..400 => (CART, INFO, ordered(rng)),
        400..510 => (anyone, DEBUG, queried(rng)),
        510..590 => (NOTIFICATION, INFO, published(rng)),
        590..670 => (GATEWAY, INFO, renewed(rng)),
        670..760 => (INVENTORY, DEBUG, reserved(rng)),
        760..820 => (PAYMENT, INFO, authorised(rng)),
        820..870 => (CART, INFO, gift_card(rng)),
        870..935 => (GATEWAY, DEBUG, let_through(rng)),
        935..960 => (anyone, INFO, collected(rng)),
        960..985 => (anyone, WARN, timed_out(rng)),
        985..990 => (PAYMENT, WARN, declined(rng)),
        _ => (anyone, ERROR, failed(rng)),
    };
    Said { service, severity, body }
}

fn id(rng: &mut SmallRng) -> String {
    format!("{:012x}", rng.random::<u64>() >> 16)
}

fn one_of<T: Copy>(rng: &mut SmallRng, words: &[T]) -> T {
    words[rng.random_range(0..words.len())]
}

fn price(rng: &mut SmallRng) -> String {
    format!("{}.{:02}", rng.random_range(3..900_u16), rng.random_range(0..100_u8))
}

fn ms(rng: &mut SmallRng) -> u32 {
    (8.0 * (-rng.random::<f64>().max(1e-9).ln()).exp2()) as u32 + 1
}

fn finished(rng: &mut SmallRng) -> String {
    let (id, route, ms) = (id(rng), one_of(rng, &ROUTES), ms(rng));
    let status = one_of(rng, &[200, 200, 200, 201, 204, 304, 404]);
    format!("request {id} finished: {route} answered {status} in {ms} ms, {} bytes after compression", rng.random_range(120..24_000_u32))
}

fn cached(rng: &mut SmallRng) -> String {
    let (kind, region) = (one_of(rng, &["hit", "hit", "hit", "miss"]), one_of(rng, &REGIONS));
    let (product, age) = (rng.random_range(0..60_000_u32), rng.random_range(0..900_u16));
    format!("cache {kind} for product {product} in region {region}, entry is {age} s old, {} of 8 shards asked", rng.random_range(1..9_u8))
}

fn ordered(rng: &mut SmallRng) -> String {
    let (id, who, total) = (id(rng), customer(rng.random()), price(rng));
    let (city, carrier, items) = (one_of(rng, &CITIES), one_of(rng, &CARRIERS), rng.random_range(1..9_u8));
    format!("order {id} placed by customer {who}: {items} items, total {total} EUR, delivery to {city} by {carrier}")
}

fn queried(rng: &mut SmallRng) -> String {
    let (table, ms, rows) = (one_of(rng, &TABLES), ms(rng), rng.random_range(0..50_u8));
    let (connection, uses) = (rng.random_range(0..32_u8), rng.random_range(1..5_000_u16));
    format!("SELECT from {table} took {ms} ms and gave {rows} rows; connection {connection} of the pool went back after {uses} uses")
}

fn published(rng: &mut SmallRng) -> String {
    let (id, broker, partition) = (id(rng), rng.random_range(0..3_u8), rng.random_range(0..12_u8));
    let (offset, ms) = (rng.random_range(1_000_000..2_000_000_u32), ms(rng));
    format!("message {id} handed to kafka-{broker}, topic order-events, partition {partition}, offset {offset}, {ms} ms after the commit")
}

fn renewed(rng: &mut SmallRng) -> String {
    let (id, minutes, pages) = (id(rng), rng.random_range(5..60_u8), rng.random_range(1..80_u8));
    let address = format!("10.{}.{}.{}", rng.random_range(0..4_u8), rng.random::<u8>(), rng.random::<u8>());
    let browser = one_of(rng, &["Firefox", "Chrome", "Safari", "shop-app"]);
    format!("session {id} renewed for {browser} from {address}, expires in {minutes} minutes, {pages} pages seen so far")
}

fn reserved(rng: &mut SmallRng) -> String {
    let (id, city, product) = (id(rng), one_of(rng, &CITIES), rng.random_range(0..60_000_u32));
    let (left, level) = (rng.random_range(0..4_000_u16), rng.random_range(5..200_u8));
    format!("stock of product {product} in warehouse {city} is {left} after reservation {id}, reorder level {level}")
}

fn authorised(rng: &mut SmallRng) -> String {
    let (id, amount, bank, ms) = (id(rng), price(rng), one_of(rng, &BANKS), ms(rng));
    format!("payment of {amount} EUR authorised by {bank} in {ms} ms, token {id}, risk score {} of 1000", rng.random_range(0..1_000_u16))
}

/// Has the words of [`declined`] too, but never `card declined`.
fn gift_card(rng: &mut SmallRng) -> String {
    let (id, balance, carrier) = (id(rng), price(rng), one_of(rng, &CARRIERS));
    format!("gift card {id} checked, balance {balance} EUR; upgrade to express with {carrier} declined, standard delivery stays")
}

fn let_through(rng: &mut SmallRng) -> String {
    let (tenant, tokens, ms) = (rng.random_range(0..400_u16), rng.random_range(1..1_000_u16), ms(rng));
    format!("rate limit of tenant-{tenant} holds {tokens} tokens, refill in {ms} ms, request let through without waiting")
}

fn collected(rng: &mut SmallRng) -> String {
    let (freed, used, ms) = (rng.random_range(1..200_u8), rng.random_range(100..1_800_u16), ms(rng));
    format!("garbage collection freed {freed} MiB in {ms} ms, heap {used} MiB of 2048 MiB used, {} regions compacted", ms % 23)
}

fn timed_out(rng: &mut SmallRng) -> String {
    let (id, upstream, attempt) = (id(rng), one_of(rng, &SERVICES), rng.random_range(1..4_u8));
    let ms = one_of(rng, &[250, 500, 1_000, 2_000]);
    format!("upstream {upstream} did not answer within {ms} ms: timeout, retrying request {id}, attempt {attempt} of 3")
}

fn declined(rng: &mut SmallRng) -> String {
    let (id, bank, reason) = (id(rng), one_of(rng, &BANKS), one_of(rng, &REASONS));
    format!("card declined by {bank} for order {id}: {reason}; the customer may try another one")
}

fn failed(rng: &mut SmallRng) -> String {
    let (id, fault, retries) = (id(rng), one_of(rng, &FAULTS), rng.random_range(0..4_u8));
    let state = one_of(rng, &["closed", "closed", "closed", "half open", "open"]);
    format!("request {id} failed with {fault} in worker {}, {retries} retries left, circuit breaker {state}", rng.random_range(1..33_u8))
}

fn quarantined(rng: &mut SmallRng) -> Said {
    let (id, city, carrier) = (id(rng), one_of(rng, &CITIES), one_of(rng, &CARRIERS));
    let body = format!("parcel {id} of {carrier} quarantined by customs in {city}: invoice missing, the receiver is told");
    Said { service: NOTIFICATION, severity: WARN, body }
}
