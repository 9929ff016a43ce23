//! OpenSLO documents over REST: dry run, apply, export, and what is wrong with them by field.

use axum::body::Body;
use http::Request;
use serde_json::json;
use sqlx::PgPool;

use crate::app::{App, Port, availability, fields};

#[sqlx::test(migrations = "../migrations")]
async fn a_document_is_tried_applied_and_exported(pool: PgPool) {
    let app = App::new(pool).await;
    let yaml = availability("checkout", 0.99);
    let tried = app.put("/api/v1/openslo?dry_run=true", yaml.clone()).await;
    assert_eq!((tried.status, fields(&tried.json()).as_str()), (200, "changes documents warnings"));
    let created = json!([{"name": "checkout", "change": "created", "differences": []}]);
    assert_eq!(tried.json()["changes"], created);
    assert_eq!(app.get("/api/v1/slos").await.json()["items"], json!([]), "a dry run changes nothing");

    assert_eq!(app.put("/api/v1/openslo?dry_run=false", yaml.clone()).await.json()["changes"], created);
    assert_eq!(app.put("/api/v1/openslo", yaml).await.json()["changes"][0]["change"], "unchanged");
    let changed = app.put("/api/v1/openslo?dry_run=true", availability("checkout", 0.95)).await.json();
    assert_eq!(changed["changes"], json!([{"name": "checkout", "change": "changed", "differences": ["target: 99 % → 95 %"]}]));
    assert_eq!(app.get("/api/v1/slos/checkout").await.json()["target"], 0.99);

    let export = app.get("/api/v1/openslo").await;
    assert_eq!((export.status, export.header("content-type")), (200, Some("application/yaml")));
    assert!(export.text().contains("kind: SLO") && export.text().contains("Customers can pay."), "{}", export.text());
    let again = app.put("/api/v1/openslo", export.text().to_owned()).await.json();
    assert_eq!(again["changes"][0]["change"], "unchanged", "what was exported is what was applied");
}

#[sqlx::test(migrations = "../migrations")]
async fn every_fault_of_a_document_is_named_and_nothing_is_applied(pool: PgPool) {
    let app = App::new(pool).await;
    let good = availability("good", 0.99);
    let bad = availability("Bad Name", 1.5).replace("status !=", "status !!=");
    let reply = app.put("/api/v1/openslo", format!("{good}---\n{bad}")).await;
    assert_eq!(reply.status, 400);
    let named: Vec<String> = reply.faults().into_iter().map(|(field, _)| field).collect();
    for part in ["metadata.name", "target", "filter"] {
        assert!(named.iter().any(|field| field.contains(part)), "{part} is not among {named:?}");
    }
    let broken = app.put("/api/v1/openslo", "apiVersion: openslo/v1\nkind: [").await;
    assert_eq!(broken.status, 400);
    let field = &broken.faults()[0].0;
    assert!(field.starts_with("line ") && field.contains(", column "), "{field}");
    assert_eq!(app.get("/api/v1/slos").await.json()["items"], json!([]));
}

#[sqlx::test(migrations = "../migrations")]
async fn bodies_and_switches_that_make_no_sense_are_problem_documents(pool: PgPool) {
    let app = App::new(pool).await;
    for (name, query, body, status, field) in [
        ("no UTF-8", "", b"\xff\xfe".to_vec(), 400, None),
        ("three megabytes", "", vec![b'#'; 3 << 20], 413, None),
        ("neither true nor false", "?dry_run=maybe", availability("checkout", 0.99).into_bytes(), 400, Some("dry_run")),
        ("no value", "?dry_run", availability("checkout", 0.99).into_bytes(), 400, Some("dry_run")),
    ] {
        let reply = app.put(&format!("/api/v1/openslo{query}"), body).await;
        assert_eq!((reply.status, reply.faults().first().map(|fault| fault.0.as_str())), (status, field), "{name}: {}", reply.text());
    }
    assert_eq!(app.get("/api/v1/slos").await.json()["items"], json!([]), "what looks like a dry run is not applied");
}

#[sqlx::test(migrations = "../migrations")]
async fn b1_versions_tell_who_changed_what_and_why(pool: PgPool) {
    let app = App::new(pool).await;
    let old = availability("checkout", 0.99);
    assert_eq!(app.put("/api/v1/openslo?author=Ada&reason=first%20try", old.clone()).await.status, 200);
    let changed = app.put("/api/v1/openslo?author=Bob", availability("checkout", 0.95)).await.json();
    let document = &changed["documents"][0];
    assert_eq!(
        (fields(document).as_str(), &document["kind"], &document["change"]),
        ("change diff kind name", &json!("SLO"), &json!("changed"))
    );
    assert!(document["diff"].as_str().expect("a text").starts_with("--- a/SLO/checkout\n+++ b/SLO/checkout\n@@ "), "{document}");
    let versions = app.get("/api/v1/slos/checkout/versions").await.json();
    assert_eq!((fields(&versions).as_str(), versions["items"].as_array().map(Vec::len)), ("items next", Some(2)));
    let [new, first] = [&versions["items"][0], &versions["items"][1]];
    assert_eq!(fields(new), "at author change differences document number reason");
    assert_eq!((&new["number"], &new["author"], &new["reason"]), (&json!(2), &json!("Bob"), &json!(null)));
    assert_eq!(new["differences"], json!(["target: 99 % → 95 %"]));
    assert_eq!((&first["author"], &first["reason"], &first["document"]), (&json!("Ada"), &json!("first try"), &json!(old)));
    assert_eq!(app.get("/api/v1/slos/other/versions").await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn b1_a_document_is_removed_unless_others_refer_to_it(pool: PgPool) {
    let app = App::new(pool).await;
    let source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: own}\nspec: {type: slowburn}\n";
    let slo = availability("checkout", 0.99).replace("type: slowburn", "metricSourceRef: own");
    assert_eq!(app.put("/api/v1/openslo", format!("{slo}---\n{source}")).await.status, 200);
    let refused = app.send(Port::Main, delete("/api/v1/openslo/DataSource/own")).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("SLO checkout refers to DataSource own"), "{}", refused.text());
    assert_eq!(app.send(Port::Main, delete("/api/v1/slos/checkout?author=Ada&reason=gone")).await.status, 204);
    assert_eq!(app.get("/api/v1/slos/checkout").await.status, 404);
    assert_eq!(app.send(Port::Main, delete("/api/v1/slos/checkout")).await.status, 404);
    assert_eq!(app.send(Port::Main, delete("/api/v1/openslo/DataSource/own")).await.status, 204);
    let last = &app.get("/api/v1/slos/checkout/versions").await.json()["items"][0];
    assert_eq!((&last["change"], &last["author"], &last["reason"]), (&json!("deleted"), &json!("Ada"), &json!("gone")));
}

fn delete(path: &str) -> Request<Body> {
    Request::delete(path).body(Body::empty()).expect("a request")
}
