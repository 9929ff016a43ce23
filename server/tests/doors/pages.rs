//! C2: every page comes from the server complete, with its data and charts, readable without scripts.

use std::io::Read as _;

use axum::body::Body;
use http::Request;
use serde_json::json;
use slowburn_test_support::{SpanBuilder, text};
use sqlx::PgPool;

use crate::app::{App, Port, Reply, ago};

const TRACE: &str = "00000000000000000000000000000001";

/// A shop in trouble: an SLO that burns, a failed trace over two services, and a healthy one.
async fn shop(pool: PgPool) -> App {
    let app = App::new(pool).await;
    app.apply("checkout", 0.9).await;
    let start = ago(40);
    let order = || text("correlation_id", "order-7");
    let entry = SpanBuilder::new(1, 1, start).named("POST /pay").lasting_ms(300).failed().with(order()).build();
    app.store("checkout", vec![entry, SpanBuilder::new(2, 1, start.plus_seconds(5)).with(order()).build()]).await;
    let charge = SpanBuilder::new(1, 2, start.plus_nanos(50_000_000)).parent(1).named("charge card").lasting_ms(200).failed();
    app.store("payment", vec![charge.with(text("http.url", "<script>alert(1)</script>")).build()]).await;
    app
}

fn nonce(reply: &Reply) -> String {
    let policy = reply.header("content-security-policy").expect("a policy");
    policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned()
}

/// What holds for every page, whatever it shows.
fn check_page(path: &str, reply: &Reply) {
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    let html = reply.text();
    // After the document only data for hydration may follow.
    let (document, rest) = html.rsplit_once("</html>").expect("the document ends");
    assert!(document.starts_with("<!DOCTYPE html>"), "{path}");
    assert!(rest.is_empty() || rest.starts_with("<script") && rest.ends_with("</script>"), "{path}: {rest}");
    assert_eq!((html.matches("<main").count(), html.matches("</main>").count()), (1, 1), "{path}: one main");
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one h1");
    assert!(html.contains("</title>"), "{path}: a title");
    for file in ["/pkg/a.js", "/pkg/b.js", "/pkg/a.wasm", "/pkg/a.css"] {
        assert!(html.contains(file), "{path}: {file}");
    }
    let module = slowburn_app::pages::lazy::module_of(path.split('?').next().unwrap_or_default());
    assert_eq!(html.contains("/pkg/b.pack"), module == Some("objectives"), "{path}: the packs it needs and no others");
    let policy = reply.header("content-security-policy").expect("a policy");
    let nonce = nonce(reply);
    assert!(nonce.len() >= 16, "{nonce}");
    for part in [
        "default-src 'self'",
        &format!("script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'"),
        &format!("style-src 'self' 'nonce-{nonce}'"),
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{path}: {part} is not in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    for tag in ["<script", "<style"] {
        for rest in html.split(tag).skip(1) {
            let attributes = rest.split('>').next().expect("the tag ends");
            assert!(attributes.contains(&format!("nonce=\"{nonce}\"")), "{path}: {tag}{attributes}>");
        }
    }
    // The policy forbids both.
    assert!(!html.contains(" style=\"") && !html.contains(" style='"), "{path}: a style attribute");
    assert!(!html.contains(" onclick=") && !html.contains("javascript:"), "{path}: an inline handler");
    assert!(!html.contains("aria-busy=\"true\""), "{path}: still loading");
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_come_complete_with_data_and_charts(pool: PgPool) {
    let app = shop(pool).await;
    let trace = format!("/traces/{TRACE}");
    let selected = format!("{trace}?span=0000000000000002");
    let cases: [(&str, bool, &[&str]); 13] = [
        ("/", true, &["Checkout works", "POST /pay", "href=\"/slos/checkout\""]),
        ("/slos", true, &["Checkout works", "href=\"/slos/checkout\""]),
        ("/slos/checkout", true, &["Checkout works", "Customers can pay.", "Error budget left", "POST /pay", TRACE]),
        ("/slos/checkout?tab=definition", false, &["kind: SLO"]),
        ("/slos/checkout?tab=history", false, &["Applied for the first time", "Leave time out of the budget"]),
        ("/slos/checkout?from=-1h", true, &["Error budget left"]),
        ("/traces", true, &["POST /pay", TRACE, "GET /", "order-7"]),
        ("/traces?status=error&correlation_id=order-7", true, &["POST /pay", TRACE, "value=\"order-7\""]),
        ("/traces?service=nobody", false, &["No trace matches this search"]),
        ("/traces?filter=1%20%2B", false, &["role=\"status\""]),
        (&trace, true, &["POST /pay", "charge card", "payment", "checkout", "order-7"]),
        (&selected, true, &["charge card", "http.url", "&lt;script&gt;alert(1)"]),
        ("/c/order-7", true, &["order-7", "POST /pay", "charge card", TRACE, "00000000000000000000000000000002"]),
    ];
    let mut nonces = Vec::new();
    for (path, is_drawn, words) in cases {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        check_page(path, &reply);
        let main = reply.text().split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).expect("a main");
        for word in words {
            assert!(main.contains(word), "{path}: {word:?} is not in {main}");
        }
        assert!(!is_drawn || main.contains("<svg"), "{path}: no chart");
        assert!(!reply.text().contains("<script>alert(1)</script>"), "{path}: what senders wrote is text");
        nonces.push(nonce(&reply));
    }
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 13, "every answer has its own nonce");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_empty_server_says_what_to_do_next(pool: PgPool) {
    let app = App::new(pool).await;
    for (path, words) in [("/", "http://127.0.0.1:4318"), ("/slos", "slowburn slo apply"), ("/traces", "No trace yet")] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        check_page(path, &reply);
        assert!(reply.text().contains(words), "{path}: {words:?} is not in {}", reply.text());
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_there_is_not_is_answered_404_by_a_whole_page(pool: PgPool) {
    let app = shop(pool).await;
    for path in [
        "/slos/nope",
        "/slos/%2F",
        "/traces/4bf92f3577b34da6a3ce929d0e0e4736",
        "/traces/not-an-id",
        "/c/nobody",
        "/c/%FF",
        "/nowhere",
        "/slos/checkout/nowhere",
    ] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        check_page(path, &reply);
    }
    assert_eq!(app.get("/c/a%00b").await.status, 400, "no ID holds a NUL");
}

#[sqlx::test(migrations = "../migrations")]
async fn difficult_ids_have_pages_of_their_own(pool: PgPool) {
    let app = App::new(pool).await;
    let ids = ["%41", "A", "a+b", "a b", "a/b", "a&b=c", "a", "ü", "a%2Fb", "?#", "日本"];
    for (number, id) in (0xa0..).zip(ids) {
        app.store("checkout", vec![SpanBuilder::new(number, 1, ago(20)).with(text("correlation_id", id)).build()]).await;
    }
    for (number, id) in (0xa0_u128..).zip(ids) {
        let encoded = slowburn_domain::url::encode(id);
        for path in [format!("/c/{encoded}"), format!("/traces?correlation_id={encoded}")] {
            let reply = app.get(&path).await;
            assert_eq!(reply.status, 200, "{path}");
            check_page(&path, &reply);
            let shown: Vec<u128> =
                (0xa0..0xa0 + ids.len() as u128).filter(|other| reply.text().contains(&format!("{other:032x}"))).collect();
            assert_eq!(shown, [number], "{path}");
        }
    }
    for (q, to) in [
        ("", "/traces"),
        ("%2541", "/c/%2541"),
        ("a%2Bb", "/c/a%2Bb"),
        ("a%2Fb", "/c/a%2Fb"),
        ("checkout", "/services/checkout"),
        ("+00000000000000000000000000000001+", "/traces/00000000000000000000000000000001"),
    ] {
        let reply = app.get(&format!("/search?q={q}")).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some(to)), "{q}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_page_in_the_browser_asks_is_answered_in_json_with_the_status_of_a_page(pool: PgPool) {
    let app = shop(pool).await;
    for (question, status) in [
        (json!("overview"), 200),
        (json!({"slos": ""}), 200),
        (json!({"trace": {"id": TRACE, "view": ""}}), 200),
        (json!({"trace": {"id": TRACE, "view": "view=flame&frame=%00"}}), 200),
        (json!("settings"), 200),
        (json!({"tail": ["traces", "live=1&service=%00"]}), 200),
        (json!({"tail": ["logs", "live=1&q=%00&columns=%00"]}), 200),
        (json!({"tail": ["events", "live=1&type=%00"]}), 200),
        (json!({"tail": ["metrics", ""]}), 400),
        (json!({"correlation": "order-7"}), 200),
        (json!({"traces": "status=error"}), 200),
        (json!({"trace": {"id": "not-an-id", "view": ""}}), 404),
        (json!({"correlation": "nobody"}), 404),
        (json!({"slo": {"name": "nope", "from": null, "to": null}}), 404),
        (json!({"trace": {"id": "\0", "view": ""}}), 404),
        (json!({"correlation": "order\0"}), 404),
        (json!({"slo": {"name": "\0", "from": null, "to": null}}), 404),
        (json!({"traces": "service=%00&operation=a%00b"}), 200),
        (json!({"traces": "correlation_id=%00"}), 200),
        (json!("nothing"), 400),
    ] {
        let request = Request::post("/_app/load").header("content-type", "application/json").header("accept", "application/json");
        let body = json!({"question": question}).to_string();
        let reply = app.send(Port::Main, request.body(Body::from(body)).expect("a request")).await;
        assert_eq!((reply.status, reply.header("cache-control")), (status, Some("no-store")), "{question}: {}", reply.text());
        assert!(reply.json().is_object(), "{question}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn h6_pages_and_answers_come_compressed_as_the_reader_can_read_them(pool: PgPool) {
    let app = shop(pool).await;
    let ask = async |path: &str, accepted: &str| {
        let request = Request::get(path).header("accept-encoding", accepted).body(Body::empty()).expect("a request");
        app.send(Port::Main, request).await
    };
    let unpacked = |reply: &Reply| {
        let mut plain = Vec::new();
        match reply.header("content-encoding") {
            Some("zstd") => zstd::Decoder::new(&reply.body[..]).and_then(|mut reader| reader.read_to_end(&mut plain)),
            Some("br") => brotli::Decompressor::new(&reply.body[..], 4_096).read_to_end(&mut plain),
            Some("gzip") => flate2::read::GzDecoder::new(&reply.body[..]).read_to_end(&mut plain),
            _ => (&reply.body[..]).read_to_end(&mut plain),
        }
        .expect("it can be read");
        String::from_utf8(plain).expect("a text")
    };
    for path in ["/slos/checkout", "/api/v1/slos/checkout", "/api/v1/openslo", "/api/v1/slos/missing?with=a-long-question"] {
        let plain = ask(path, "identity").await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        for (accepted, used) in [
            ("gzip, deflate, br, zstd", "zstd"),
            ("zstd, *;q=0", "zstd"),
            ("zstd;q=0, gzip, br", "br"),
            ("br;q=0, gzip", "gzip"),
            ("gzip", "gzip"),
        ] {
            let packed = ask(path, accepted).await;
            assert_eq!((packed.status, packed.header("content-type")), (plain.status, plain.header("content-type")), "{path}");
            let text = unpacked(&packed);
            if plain.body.len() > 1_024 {
                assert_eq!(packed.header("content-encoding"), Some(used), "{path} for {accepted}");
                assert_eq!(packed.header("vary"), Some("accept-encoding"), "{path} for {accepted}");
                assert!(packed.body.len() < text.len() / 2, "{path} for {accepted}");
            }
            let is_whole = match packed.header("content-type") {
                Some("application/yaml") => text == plain.text(),
                Some("text/html; charset=utf-8") => text.ends_with("</script>") || text.ends_with("</html>"),
                _ => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            };
            assert!(is_whole, "{path} for {accepted}: {text}");
        }
    }
}
