//! Pages and the cart: what people do before they pay.

use std::time::{Duration, SystemTime};

use rand::Rng;

use super::super::fleet::{CATALOG_CANARY, INVENTORY, Process, Zone, cart, catalog};
use super::super::sink::{Open, Trace};
use super::super::world::Incident;
use super::calls::{Answer, Request, Statement, redis, request, respond, sql};
use super::{PRODUCTS, Visit, page, pick};

/// Share of the catalogue's requests that a canary answers.
const CANARY_SHARE: f64 = 0.3;

/// Share of the canary's answers that fail.
const CANARY_FAILURES: f64 = 0.15;

/// Share of pages that meet a storefront process busy compiling its templates.
const COLD_PAGES: f64 = 0.009;

/// Share of the carts' commands that wait for the cache to write its log.
const CACHE_STALLS: f64 = 0.032;

/// The first page: most people come by a search engine. Returns when it was shown, as do all of these.
pub(super) fn home_or_search(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    match trace.rng.random_range(0..10) {
        0..3 => home(trace, visit),
        3..6 => search(trace, visit),
        _ => product(trace, visit),
    }
}

/// A further page.
pub(super) fn look_around(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    if trace.happens(0.3) { search(trace, visit) } else { product(trace, visit) }
}

fn home(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    let page = page(trace, visit, "GET", "/", "/".to_owned());
    let at = preparation(trace, &page);
    let fragment = redis(trace, &page, at, &format!("page-cache-{}", visit.zone.letter()), "GET", "GET page:home");
    let at = at + trace.about(0.9, 0.5);
    trace.close(fragment, at);
    show(trace, page, Answer { at, status: 200 })
}

fn search(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    let page = page(trace, visit, "GET", "/search", "/search".to_owned());
    let at = preparation(trace, &page);
    let to = catalog_process(trace, visit.zone, at);
    let ask = Request { to, method: "GET", route: "/products", path: "/products".to_owned(), resend_count: 0 };
    let answer = request(trace, &page, at, ask, |trace, server, at| {
        let text = "SELECT id, name, price FROM products WHERE document @@ websearch_to_tsquery($1) ORDER BY rank LIMIT 24";
        let at = read_replica(trace, server, at, text, 28.0);
        price(trace, server, at)
    });
    show(trace, page, answer)
}

fn product(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    let product = pick(trace.rng, &PRODUCTS);
    let mut page = page(trace, visit, "GET", "/products/{product_id}", format!("/products/{product}"));
    page.set("product.id", product);
    let at = preparation(trace, &page);
    let to = catalog_process(trace, visit.zone, at);
    let ask = Request { to, method: "GET", route: "/products/{product_id}", path: format!("/products/{product}"), resend_count: 0 };
    let mut answer = request(trace, &page, at, ask, |trace, server, at| {
        server.set("product.id", product);
        let cache = redis(trace, server, at, &format!("catalog-cache-{}", to.zone().letter()), "GET", "GET product:?");
        let mut at = at + trace.about(0.8, 0.5);
        trace.close(cache, at);
        if trace.happens(0.45) {
            at = read_replica(trace, server, at, "SELECT id, name, price, description FROM products WHERE id = $1", 5.0);
        }
        price(trace, server, at)
    });
    if !answer.is_failure() && trace.happens(0.3) {
        answer.at = stock(trace, &page, answer.at, visit, product);
    }
    show(trace, page, answer)
}

/// Puts a product into the cart.
pub(super) fn add_to_cart(trace: &mut Trace<'_>, visit: &Visit) -> SystemTime {
    let product = pick(trace.rng, &PRODUCTS);
    let page = page(trace, visit, "POST", "/cart/items", "/cart/items".to_owned());
    let at = preparation(trace, &page);
    let path = format!("/carts/{}/items", visit.cart_id);
    let ask = Request { to: cart(visit.zone), method: "POST", route: "/carts/{cart_id}/items", path, resend_count: 0 };
    let answer = request(trace, &page, at, ask, |trace, server, at| {
        server.set("product.id", product);
        let at = cart_command(trace, server, at, "HINCRBY", "HINCRBY cart:? ? ?");
        let status = if trace.happens(0.000_5) { 500 } else { 201 };
        Answer { at, status }
    });
    show(trace, page, answer)
}

/// A command to the cache that holds the carts, with its stalls and its incident.
pub(super) fn cart_command(
    trace: &mut Trace<'_>,
    server: &mut Open,
    at: SystemTime,
    command: &'static str,
    text: &'static str,
) -> SystemTime {
    let zone = server.process().zone();
    let mut span = redis(trace, server, at, &format!("cart-cache-{}", zone.letter()), command, text);
    let failing_over = zone == Zone::A && trace.suffers(Incident::CartCacheFailover, at) && trace.happens(0.85);
    let took = if failing_over {
        span.event(at + Duration::from_millis(5), "redis.reconnect", vec![]);
        Duration::from_millis(80) + trace.about(180.0, 0.7)
    } else if trace.happens(CACHE_STALLS) {
        Duration::from_millis(55) + trace.about(60.0, 0.5)
    } else {
        trace.about(1.6, 0.5)
    };
    trace.close(span, at + took);
    at + took + trace.about(1.5, 0.4)
}

/// The catalogue's process that answers: the zone's own, or the canary while there is one.
fn catalog_process(trace: &mut Trace<'_>, zone: Zone, at: SystemTime) -> Process {
    let canary = trace.suffers(Incident::CatalogCanary, at) && trace.happens(CANARY_SHARE);
    if canary { CATALOG_CANARY } else { catalog(zone) }
}

/// A query to the zone's replica of the catalogue's database.
fn read_replica(trace: &mut Trace<'_>, server: &Open, at: SystemTime, text: &'static str, median_ms: f64) -> SystemTime {
    let zone = server.process().zone();
    let slow = zone == Zone::B && trace.suffers(Incident::CatalogReplicaSlow, at);
    let took = if slow { trace.about(950.0 + 8.0 * median_ms, 0.35) } else { trace.about(median_ms, 0.55) };
    let host = format!("catalog-db-{}", zone.letter());
    sql(trace, server, at, Statement { host, database: "catalog", operation: "SELECT", table: "products", text }, took)
}

/// The last step of every answer of the catalogue, and the one in which the canary fails.
fn price(trace: &mut Trace<'_>, server: &mut Open, at: SystemTime) -> Answer {
    let at = at + trace.about(2.5, 0.5);
    let status = if server.process() == CATALOG_CANARY && trace.happens(CANARY_FAILURES) {
        server.exception(
            at,
            "java.lang.NullPointerException",
            "Cannot invoke \"Currency.digits()\" because \"price.currency\" is null",
            "java.lang.NullPointerException\n\tat shop.catalog.PriceFormatter.format(PriceFormatter.java:41)\n\tat \
             shop.catalog.ProductController.show(ProductController.java:88)",
        );
        500
    } else if trace.happens(0.000_6) {
        503
    } else {
        200
    };
    Answer { at, status }
}

/// How many are left; a page shows without it when the answer fails.
fn stock(trace: &mut Trace<'_>, page: &Open, at: SystemTime, visit: &Visit, product: &'static str) -> SystemTime {
    let ask = Request { to: INVENTORY, method: "GET", route: "/stock/{product_id}", path: format!("/stock/{product}"), resend_count: 0 };
    request(trace, page, at, ask, |trace, server, at| {
        server.set("correlation.id", visit.order_id.clone());
        let text = "SELECT sum(quantity) FROM stock WHERE product_id = $1";
        let statement = Statement { host: "inventory-db".to_owned(), database: "inventory", operation: "SELECT", table: "stock", text };
        let took = trace.about(3.0, 0.6);
        Answer { at: sql(trace, server, at, statement, took), status: if trace.happens(0.001) { 503 } else { 200 } }
    })
    .at
}

/// Session, feature flags and now and then the compilation of templates.
pub(super) fn preparation(trace: &mut Trace<'_>, page: &Open) -> SystemTime {
    let took = if trace.happens(COLD_PAGES) { Duration::from_millis(640) + trace.about(250.0, 0.6) } else { trace.about(14.0, 0.45) };
    page.start() + took
}

/// Renders the page and sends it.
pub(super) fn show(trace: &mut Trace<'_>, mut page: Open, answer: Answer) -> SystemTime {
    let at = answer.at + trace.about(22.0, 0.4);
    respond(&mut page, if answer.is_failure() { 502 } else { answer.status });
    trace.close(page, at);
    at
}
