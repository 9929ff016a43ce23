//! What holds for OTLP's JSON form alone: how names, ids, numbers and bytes are written, and where faults are.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Outcome, Wire, export, found, one_span};
use crate::app::{App, JSON, Port, ago};

/// A span, good in everything.
fn good(trace: u128) -> Value {
    let start = ago(2).nanos();
    json!({"traceId": format!("{trace:032x}"), "spanId": "00000000000000ab", "name": "GET /", "kind": 2,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1_000_000).to_string()})
}

fn body(spans: &[Value]) -> Value {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]});
    json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
}

async fn send(app: &App, message: &Value) -> Outcome {
    export(app, Wire::Json, "", message.to_string().into_bytes()).await
}

/// The first span of a trace as the API shows it.
async fn shown(app: &App, trace: u128) -> Value {
    app.get(&format!("/api/v1/traces/{trace:032x}")).await.json()["spans"][0].clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn values_are_written_as_protojson_has_them(pool: PgPool) {
    let app = App::new(pool).await;
    let rows = [
        ("a text", json!({"stringValue": "é\u{0}"}), json!("é\u{0}")),
        ("a truth", json!({"boolValue": true}), json!(true)),
        ("a number as a text", json!({"intValue": "9007199254740993"}), json!(9_007_199_254_740_993_i64)),
        ("a number as a number", json!({"intValue": -7}), json!(-7)),
        ("a whole number with a fraction of nothing", json!({"intValue": 5.0}), json!(5)),
        ("the smallest number", json!({"intValue": i64::MIN.to_string()}), json!(i64::MIN)),
        ("a fraction", json!({"doubleValue": 0.5}), json!(0.5)),
        ("a fraction as a text", json!({"doubleValue": "0.5"}), json!(0.5)),
        ("no number", json!({"doubleValue": "NaN"}), json!("NaN")),
        ("bytes", json!({"bytesValue": "+/8="}), json!("+/8=")),
        ("bytes of the URL's alphabet", json!({"bytesValue": "-_8="}), json!("+/8=")),
        ("bytes without padding", json!({"bytesValue": "+/8"}), json!("+/8=")),
        ("a list", json!({"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "b"}, {}]}}), json!([1, "b", null])),
        ("an empty list", json!({"arrayValue": {}}), json!([])),
        ("a map", json!({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}]}}), json!({"a": 1})),
        ("nothing", json!({}), json!(null)),
        ("null", Value::Null, json!(null)),
        ("a kind of a later version beside one of ours", json!({"aFutureValue": 1, "stringValue": "x"}), json!("x")),
        ("only a kind of a later version", json!({"aFutureValue": 1}), json!(null)),
        ("a kind that is null beside another", json!({"boolValue": null, "stringValue": "x"}), json!("x")),
    ];
    for (number, (name, sent, expected)) in (1..).zip(rows) {
        let mut span = good(number);
        span["attributes"] = json!([{"key": "k", "value": sent}]);
        assert_eq!(send(&app, &body(&[span])).await, Outcome::Stored, "{name}");
        assert_eq!(shown(&app, number).await["attributes"], json!({"k": expected}), "{name}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn fields_are_written_as_protojson_has_them(pool: PgPool) {
    let app = App::new(pool).await;
    let start = ago(2).nanos();
    let rows = [
        ("ids in capitals", "traceId", json!("0000000000000000000000000000ABCD"), "/trace_id", Value::Null),
        ("a span id in capitals", "spanId", json!("00000000000000AB"), "/span_id", json!("00000000000000ab")),
        ("a parent", "parentSpanId", json!("00000000000000Cd"), "/parent_span_id", json!("00000000000000cd")),
        ("an empty parent", "parentSpanId", json!(""), "/parent_span_id", Value::Null),
        ("times as numbers", "startTimeUnixNano", json!(start), "/duration_ms", Value::Null),
        ("a kind as a number", "kind", json!(3), "/kind", json!("client")),
        ("no kind", "kind", Value::Null, "/kind", json!("unspecified")),
        ("a status", "status", json!({"code": 2, "message": "declined"}), "/status", json!("error")),
        ("an empty status", "status", json!({}), "/status", json!("unset")),
        ("no status", "status", Value::Null, "/status", json!("unset")),
        ("flags, which are not kept", "flags", json!(257), "/status", json!("unset")),
        ("a field of a later version", "aFutureField", json!({"deep": [1, {"deeper": null}]}), "/kind", json!("server")),
        ("the name that protobuf has", "parent_span_id", json!("00000000000000cd"), "/parent_span_id", Value::Null),
        ("events", "events", json!([{"timeUnixNano": start.to_string(), "name": "asked", "x": 1}]), "/events/0/name", json!("asked")),
        ("links", "links", json!([{"traceId": "AB".repeat(16), "spanId": "ab".repeat(8)}]), "/links/0/span_id", json!("ab".repeat(8))),
    ];
    for (number, (name, field, value, pointer, expected)) in (1..).zip(rows) {
        let mut span = good(number);
        span[field] = value;
        let trace = u128::from_str_radix(span["traceId"].as_str().expect("a text"), 16).expect("hex");
        assert_eq!(send(&app, &body(&[span])).await, Outcome::Stored, "{name}");
        let shown = shown(&app, trace).await;
        assert!(shown.is_object(), "{name}");
        if !expected.is_null() || pointer == "/parent_span_id" {
            assert_eq!(shown.pointer(pointer), Some(&expected), "{name}: {shown}");
        }
    }
    // The order of an object's fields means nothing: here the resource stands behind its spans.
    let spans = json!([good(100)]);
    let text = format!(
        r#"{{"x":[{{"y":[]}}],"resourceSpans":[{{"scopeSpans":[{{"spans":{spans},"scope":{{"name":"lib"}}}}],
        "resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"late"}}}}]}}}}]}}"#
    );
    assert_eq!(export(&app, Wire::Json, "", text.into_bytes()).await, Outcome::Stored);
    assert_eq!(shown(&app, 100).await["service"], "late");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_holds_no_spans_by_the_names_of_json_is_empty(pool: PgPool) {
    let app = App::new(pool).await;
    for text in [
        "{}",
        " {\n} ",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[{}]}"#,
        r#"{"resourceSpans":[{"resource":null,"scopeSpans":null}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"scope":null,"spans":null},{}]}]}"#,
        // Protobuf's own names are unknown ones here.
        r#"{"resource_spans":[{"scope_spans":[{"spans":[{}]}]}]}"#,
        r#"{"anything":[1,2,{"resourceSpans":5}]}"#,
    ] {
        assert_eq!(export(&app, Wire::Json, "", text.as_bytes().to_vec()).await, Outcome::Stored, "{text}");
    }
    assert_eq!(found(&app).await, [] as [u128; 0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_bad_field_costs_no_more_than_its_span(pool: PgPool) {
    let app = App::new(pool).await;
    let rows = [
        ("traceId", json!("xyz"), "traceId", "expected hex digits"),
        ("traceId", json!("5b8efff798038103d269b633813fc60"), "traceId", "expected hex digits"),
        ("traceId", json!(5), "traceId", "expected a text"),
        // What base64 would make of sixteen bytes.
        ("traceId", json!("W47/95gDgQPSabYzgT/GDA=="), "traceId", "expected hex digits"),
        ("spanId", json!("EEE19B7EC3C1B1740000"), "spanId", "expected 16 hex digits"),
        ("kind", json!("SPAN_KIND_SERVER"), "kind", "expected a whole number"),
        ("kind", json!(1.5), "kind", "expected a whole number"),
        ("kind", json!(4_294_967_296_i64), "kind", "expected a whole number"),
        ("startTimeUnixNano", json!("yesterday"), "startTimeUnixNano", "expected a whole number"),
        ("startTimeUnixNano", json!("-1"), "startTimeUnixNano", "expected a whole number"),
        ("endTimeUnixNano", json!("99999999999999999999999"), "endTimeUnixNano", "expected a whole number"),
        ("name", json!({"text": "GET /"}), "name", "expected a text"),
        ("status", json!("error"), "status", "expected an object"),
        ("status", json!({"code": "STATUS_CODE_ERROR"}), "status.code", "expected a whole number"),
        ("attributes", json!({"k": "v"}), "attributes", "expected a list"),
        ("attributes", json!(["k"]), "attributes[0]", "expected an object"),
        ("attributes", json!([{"key": 1}]), "attributes[0].key", "expected a text"),
        ("attributes", json!([{"key": "k", "value": "v"}]), "attributes[0]", "expected an object"),
        ("attributes", json!([{"key": "k", "value": {"stringValue": 1}}]), "attributes[0].stringValue", "expected a text"),
        ("attributes", json!([{"key": "k", "value": {"intValue": "9223372036854775808"}}]), "attributes[0].intValue", "in range"),
        ("attributes", json!([{"key": "k", "value": {"boolValue": "true"}}]), "attributes[0].boolValue", "true or false"),
        ("attributes", json!([{"key": "k", "value": {"doubleValue": "much"}}]), "attributes[0].doubleValue", "expected a number"),
        ("attributes", json!([{"key": "k", "value": {"bytesValue": "?"}}]), "attributes[0].bytesValue", "expected base64"),
        ("events", json!([{"name": 5}]), "events[0].name", "expected a text"),
        ("links", json!([5]), "links[0]", "expected an object"),
    ];
    for (number, (field, value, path, words)) in (1..).zip(rows) {
        let mut bad = good(1 << 100);
        bad[field] = value.clone();
        // The bad one comes first: its neighbours keep their places in the list.
        let zero = good(0);
        let outcome = send(&app, &body(&[bad, good(number), zero])).await;
        let Outcome::Partly(2, reason) = &outcome else { panic!("{field} = {value}: {outcome:?}") };
        let (first, second) = reason.split_once("; ").expect("two faults");
        assert!(
            first.starts_with(&format!("resourceSpans[0].scopeSpans[0].spans[0].{path}: ")) && first.contains(words),
            "{value}: {first}"
        );
        assert!(second.starts_with("resourceSpans[0].scopeSpans[0].spans[2].traceId: all zeroes"), "{second}");
        assert_eq!(found(&app).await.len() as u128, number, "{field} = {value}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_bad_resource_or_scope_costs_no_more_than_its_spans(pool: PgPool) {
    let app = App::new(pool).await;
    let rows = [
        ("/resourceSpans/0/resource", json!(5), "resourceSpans[0].resource: expected an object"),
        ("/resourceSpans/0/resource/attributes", json!({}), "resourceSpans[0].resource.attributes: expected a list"),
        ("/resourceSpans/0/scopeSpans/0/scope", json!([]), "resourceSpans[0].scopeSpans[0].scope: expected an object"),
        ("/resourceSpans/0/scopeSpans/0/scope/name", json!(5), "resourceSpans[0].scopeSpans[0].scope.name: expected a text"),
    ];
    for (number, (pointer, value, reason)) in (1..).zip(rows) {
        let mut message = body(&[good(1 << 100), good(1 << 101)]);
        message["resourceSpans"][0]["scopeSpans"][0]["scope"] = json!({"name": "lib"});
        *message.pointer_mut(pointer).expect(pointer) = value;
        message["resourceSpans"].as_array_mut().expect("a list").push(body(&[good(number)])["resourceSpans"][0].clone());
        assert_eq!(send(&app, &message).await, Outcome::Partly(2, reason.to_owned()), "{pointer}");
        assert_eq!(found(&app).await.len() as u128, number, "{pointer}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_no_request_is_malformed_and_says_where(pool: PgPool) {
    let app = App::new(pool).await;
    let deep = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, "[".repeat(2_000));
    let sound = String::from_utf8(Wire::Json.message(&one_span(1))).expect("UTF-8");
    for (name, text, field, words) in [
        ("nothing at all", "", "request", "not JSON"),
        ("half an object", "{", "request", "not JSON"),
        ("a list", "[]", "request", "expected an object"),
        ("a number", "5", "request", "expected an object"),
        ("null", "null", "request", "expected an object"),
        ("an object where a list belongs", r#"{"resourceSpans":{}}"#, "resourceSpans", "expected a list"),
        ("a text where a list belongs", r#"{"resourceSpans":"x"}"#, "resourceSpans", "expected a list"),
        ("a list where an object belongs", r#"{"resourceSpans":[[]]}"#, "resourceSpans[0]", "expected an object"),
        ("null where an object belongs", r#"{"resourceSpans":[null]}"#, "resourceSpans[0]", "expected an object"),
        ("scopes that are none", r#"{"resourceSpans":[{},{"scopeSpans":5}]}"#, "resourceSpans[1].scopeSpans", "expected a list"),
        (
            "spans that are none",
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}"#,
            "resourceSpans[0].scopeSpans[0].spans",
            "expected a list",
        ),
        ("nested beyond reason", deep.as_str(), "resourceSpans[0].scopeSpans[0].spans[0]", "recursion"),
        ("cut off", &sound[..sound.len() - 20], "resourceSpans[0].scopeSpans[0].spans[0]", "not JSON"),
        ("something behind the end", &format!("{sound}x"), "request", "not JSON"),
        ("protobuf", "\n\u{1}", "request", "not JSON"),
    ] {
        let outcome = export(&app, Wire::Json, "", text.as_bytes().to_vec()).await;
        let Outcome::Malformed(reason) = &outcome else { panic!("{name}: {outcome:?}") };
        assert!(reason.starts_with(&format!("{field}: ")) && reason.contains(words), "{name}: {reason}");
    }
    let broken = [&b"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\""[..], b"\xff\"}]}]}]}"].concat();
    assert!(export(&app, Wire::Json, "", broken).await.reason().contains("not JSON"), "UTF-8 alone");
    // For programs, the field stands by itself.
    let reply = app.export(Port::OtlpHttp, JSON, "", r#"{"resourceSpans":5}"#).await;
    assert_eq!(reply.json()["details"][0]["fieldViolations"][0]["field"], "resourceSpans");
    assert_eq!(found(&app).await, [] as [u128; 0]);
}
