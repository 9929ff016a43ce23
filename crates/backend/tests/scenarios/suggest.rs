//! C8: what the palette suggests for a part of a name.

use bytes::Bytes;
use slowburn_backend::ingest::{Compression, Format, Payload};
use slowburn_test_support::{SpanBuilder, body, counter, int_point, metric_body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

#[sqlx::test(migrations = "../../migrations")]
async fn c8_a_part_of_a_name_suggests_what_bears_it_and_no_more_than_five_of_a_kind(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let found = async |text: &str| {
        let found = scene.backend.suggest(text, scene.clock.now()).await.expect("suggested");
        found.into_iter().map(|found| format!("{} {} {}", found.kind, found.name, found.href)).collect::<Vec<_>>()
    };
    assert!(found("checkout").await.is_empty(), "nothing is there yet");

    let start = NOON.plus_seconds(-30);
    for service in ["Checkout api", "other"] {
        scene.send(body(service, vec![SpanBuilder::new(1, 1, start).build()])).await.expect("stored");
    }
    for number in 1..=7 {
        scene.backend.register_agent(&format!("checkout-worker-{number}"), 30).await.expect("registered");
    }
    let metrics = metric_body("other", vec![counter("checkout.orders", vec![int_point(start, 1, Vec::new())])]);
    let payload = Payload { bytes: Bytes::from(metrics), compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().metrics(payload).await.expect("stored");
    scene.apply(&availability("my-checkout", 0.99, "30d")).await;

    let all = found(" CHECKOUT ").await;
    assert_eq!(all.iter().filter(|line| line.starts_with("Agent checkout-worker-") && line.ends_with(" /agents")).count(), 5);
    let others: Vec<_> = all.iter().filter(|line| !line.starts_with("Agent")).collect();
    assert_eq!(
        others,
        [
            "SLO my-checkout /slos/my-checkout",
            "Service Checkout api /services/Checkout%20api",
            "Metric checkout.orders /metrics-explorer?name=checkout.orders"
        ]
    );
    let id = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(found(id).await, [format!("Trace {id} /traces/{id}")]);
    assert!(found("").await.is_empty() && found("\0 ").await.is_empty() && found("%").await.is_empty(), "a text is no pattern");
}
