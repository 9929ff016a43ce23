//! B4: an SLO made of others, from its document to its verdict.

use slowburn_backend::Error;
use slowburn_backend::slo::Signature;
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

/// The SLOs `web` and `api`, and `shop` that is made of them three to one; each of a service of that name.
fn documents() -> [String; 3] {
    let of = |name: &str| availability(name, 0.9, "7d").replace("checkout", name);
    let shop = "apiVersion: openslo/v1
kind: SLO
metadata: {name: shop, annotations: {slowburn.dev/composite-of: 'web 3, api'}}
spec:
  service: shop
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives: [{target: 0.8}]
";
    [of("web"), of("api"), shop.to_owned()]
}

/// Over two hours a hundred requests a minute of `web`, a tenth of them bad, and two of `api`, half of them.
async fn feed(scene: &Scene) {
    for (service, share, requests, bad) in [("web", 1, 100_u128, 10), ("api", 2, 2, 1)] {
        let mut spans = Vec::new();
        for minutes_ago in 0..120 {
            let end = NOON.plus_seconds(-60 * minutes_ago);
            for index in 0..requests {
                let id = share * 1_000_000 + minutes_ago as u128 * 1_000 + index;
                let span = SpanBuilder::new(id, 1, end.plus_nanos(-20_000_000));
                spans.push(if index < bad { span.failed().build() } else { span.build() });
            }
        }
        scene.send(body(service, spans)).await.expect("accepted");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_a_composite_is_judged_by_its_parts_and_follows_them(pool: PgPool) {
    let (scene, other) = (Scene::new(pool.clone()).await, Scene::new(pool).await);
    let [web, api, shop] = documents();
    let missing = scene.backend.apply_slos(&shop, false).await.expect_err("parts that there are not");
    assert!(matches!(&missing, Error::Invalid(faults) if faults.len() == 2), "{missing:?}");
    scene.apply(&format!("{web}---\n{shop}---\n{api}")).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");

    let report = scene.backend.slo("shop", NOON).await.expect("known");
    let evaluation = &report.evaluation;
    // (3 × 0.9 + 0.5) ÷ 4, whatever the traffic; all the budget of 20 % is spent.
    assert!((evaluation.sli.expect("events") - 0.8).abs() < 1e-9, "{evaluation:?}");
    assert!(evaluation.budget.remaining_ratio.expect("events").abs() < 1e-9);
    assert_eq!(evaluation.counts.total, 120 * 102);
    assert_eq!(evaluation.parts.iter().map(|part| part.slo.as_str()).collect::<Vec<_>>(), ["web", "api"]);
    let page = scene.backend.slo_page("shop", None, None, NOON).await.expect("a page");
    assert!(page.bad_traces.len() == 20 && page.series.iter().map(|point| point.total).sum::<u64>() == 120 * 102);
    let alone = scene.backend.slo("web", NOON).await.expect("known").evaluation;
    assert!((page.row.evaluation.parts[0].sli.expect("events") - alone.sli.expect("events")).abs() < 1e-12);

    // Other weights, another verdict: no counts are lost, and other instances hear of it.
    scene.apply(&shop.replace("web 3, api", "web, api 4")).await;
    other.backend.follow_slos().await.expect("followed");
    let sli = other.backend.slo("shop", NOON).await.expect("known").evaluation.sli.expect("events");
    assert!((sli - (0.9 + 4.0 * 0.5) / 5.0).abs() < 1e-9, "{sli}");

    let kept = scene.backend.remove_document("SLO", "api", &Signature::default()).await;
    assert!(matches!(&kept, Err(Error::Conflict(reason)) if reason.contains("SLO shop refers")), "{kept:?}");
    let circle = scene.backend.apply_slos(&shop.replace("web 3, api", "web, shop"), false).await;
    assert!(matches!(&circle, Err(Error::Invalid(faults)) if faults[0].reason.contains("circle")), "{circle:?}");
    scene.backend.remove_document("SLO", "shop", &Signature::default()).await.expect("removed");
    scene.backend.remove_document("SLO", "api", &Signature::default()).await.expect("nobody needs it now");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_a_composite_pages_with_an_incident_of_its_own(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let [web, api, shop] = documents();
    scene.apply(&format!("{web}---\n{api}---\n{}", shop.replace("0.8", "0.99"))).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    assert!(scene.backend.judge_all().await.expect("judged") > 0);
    let open = scene.backend.incidents(Some("shop"), Some(true), None, 10).await.expect("incidents");
    let [incident] = &open[..] else { panic!("one incident: {open:?}") };
    assert!(incident.changes.is_empty() || incident.changes[0].reason.contains("% bad by weight"), "{incident:?}");
    let incident = scene.backend.incident(&incident.id).await.expect("known");
    assert!(incident.changes[0].reason.contains("% bad by weight"), "{:?}", incident.changes[0]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b4_a_composite_is_previewed_by_the_counts_in_force(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let [web, api, shop] = documents();
    scene.apply(&format!("{web}---\n{api}")).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    let preview = scene.backend.preview_slo(&shop, NOON).await.expect("a preview").expect("one").expect("it is read");
    assert!((preview.sli.expect("events") - 0.8).abs() < 1e-9, "{preview:?}");
    assert!(scene.backend.preview_slo(&shop.replace("web 3, api", "web 3, app"), NOON).await.expect("no fault").expect("one").is_err());
}
