//! G10: the API's description knows every route, and every route it describes is there.

use std::collections::BTreeSet;

use http::Request;
use sqlx::PgPool;

use crate::app::{App, Port};

/// Paths in the table of routes; the catch-all for what there is not is no route to describe.
fn routes() -> BTreeSet<&'static str> {
    let source = include_str!("../../src/api/mod.rs");
    source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|path| !path.contains("{*")).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn the_description_lists_every_route_and_nothing_else(pool: PgPool) {
    let app = App::new(pool).await;
    let reply = app.get("/api/openapi.json").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let document = reply.json();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"), "{}", document["openapi"]);
    let paths = document["paths"].as_object().expect("paths");
    let described: BTreeSet<&str> = paths.keys().map(String::as_str).filter(|path| !path.starts_with("/v1/")).collect();
    assert_eq!(described, routes());
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            assert!(operation["responses"].as_object().is_some_and(|responses| !responses.is_empty()), "{method} {path}");
            let named: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let told: BTreeSet<&str> = parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
            assert_eq!(told, named, "{method} {path}");
            let request =
                Request::builder().method(method.to_uppercase().as_str()).uri(path.replace(['{', '}'], "")).body(axum::body::Body::empty());
            if path != "/api/v1/live" {
                let status = app.send(Port::Main, request.expect("a request")).await.status;
                assert!(status != 405 && status < 500, "{method} {path}: {status}");
            }
        }
    }
    // What one description refers to is described as well.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document["components"]["schemas"].get(reference).is_some(), "{reference}");
    }
}
