//! B1, B5: documents that refer to each other, their versions, and their end.

use slowburn_backend::Error;
use slowburn_backend::slo::{ChangeKind, Signature};
use slowburn_test_support::{SpanBuilder, body};
use sqlx::PgPool;

use crate::{NOON, Scene, availability};

fn sli(filter: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLI
metadata: {{name: paid}}
spec:
  ratioMetric:
    good: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: '{filter}'}}}}}}
    total: {{metricSource: {{type: slowburn, spec: {{signal: spans, filter: 'service == \"checkout\"'}}}}}}
"
    )
}

fn referring(name: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: checkout
  indicatorRef: paid
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives: [{{target: 0.99}}]
"
    )
}

fn signed(author: &str, reason: &str) -> Signature {
    Signature { author: Some(author.to_owned()), reason: Some(reason.to_owned()) }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_a_changed_indicator_begins_new_counts_for_every_slo_that_refers_to_it(pool: PgPool) {
    let scene = Scene::new(pool.clone()).await;
    let refused = scene.backend.apply_slos(&referring("checkout"), false).await;
    assert!(matches!(&refused, Err(Error::Invalid(faults)) if faults[0].reason.contains("there is no SLI paid")), "{refused:?}");
    scene.apply(&sli("status != \"error\"")).await;
    scene.apply(&referring("checkout")).await;
    scene.send(body("checkout", vec![SpanBuilder::new(1, 1, NOON).build()])).await.expect("accepted");
    let counts = async |scene: &Scene| scene.backend.slo("checkout", NOON).await.expect("known").evaluation.counts;
    assert_eq!(counts(&scene).await.total, 1);
    assert_eq!(counts(&Scene::new(pool.clone()).await).await.total, 1, "a server that starts reads references too");

    let described = sli("status != \"error\"").replace("spec:\n", "spec:\n  description: Paid.\n");
    let applied = scene.backend.apply_slos(&described, false).await.expect("sound");
    assert_eq!((applied.changes.len(), applied.documents.len()), (0, 1), "{applied:?}");
    assert_eq!(counts(&scene).await.total, 1, "the counting is the same");

    let applied = scene.backend.apply_slos(&sli("duration_ms < 5"), false).await.expect("sound");
    let [change] = applied.changes.as_slice() else { panic!("{applied:?}") };
    assert_eq!((change.name.as_str(), change.change), ("checkout", ChangeKind::Changed));
    assert!(change.differences[0].starts_with("indicator: "), "{change:?}");
    assert_eq!(counts(&scene).await.total, 0, "new counts");
    scene.send(body("checkout", vec![SpanBuilder::new(2, 1, NOON).build()])).await.expect("accepted");
    let new = counts(&scene).await;
    assert_eq!((new.good, new.total), (0, 1));
    let versions = scene.backend.slo_versions("checkout").await.expect("versions");
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!((versions[0].body.as_str(), versions[0].differences.len()), (referring("checkout").as_str(), 1));
    let export = scene.backend.export_openslo();
    assert!(export.contains("indicatorRef: paid") && export.contains("kind: SLI"), "{export}");

    let broken = scene.backend.apply_slos(&sli("true").replace("slowburn", "Datadog"), true).await.expect("kept unmeasured");
    assert_eq!(broken.changes[0].change, ChangeKind::Changed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_every_version_is_kept_with_author_and_reason(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let apply = async |target: f64, by: Signature| {
        scene.backend.apply_signed(&availability("checkout", target, "30d"), false, &by).await.expect("sound")
    };
    apply(0.99, Signature::default()).await;
    apply(0.99, signed("Ada", "the same again")).await;
    scene.clock.advance_seconds(60);
    let applied = apply(0.999, signed("Ada", "customers asked")).await;
    assert!(applied.documents[0].diff.contains("-  objectives: [{target: 0.99}]\n+  objectives: [{target: 0.999}]\n"), "{applied:?}");
    let versions = scene.backend.slo_versions("checkout").await.expect("versions");
    let told: Vec<_> = versions.iter().map(|v| (v.number, v.change.as_str(), v.author.as_deref(), v.reason.as_deref())).collect();
    assert_eq!(told, [(2, "changed", Some("Ada"), Some("customers asked")), (1, "created", None, None)]);
    assert_eq!(versions[0].differences, ["target: 99 % → 99.9 %"]);
    assert_eq!((versions[0].at, versions[1].body.as_str()), (NOON.plus_seconds(60), availability("checkout", 0.99, "30d").as_str()));
    let long = signed(&"a".repeat(501), "");
    assert!(matches!(scene.backend.apply_signed("x", false, &long).await, Err(Error::Invalid(faults)) if faults[0].field == "author"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_a_document_goes_only_when_nobody_refers_to_it(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.apply(&format!("{}---\n{}", referring("checkout"), sli("true"))).await;
    let by = signed("Ada", "no longer sold");
    let refused = scene.backend.remove_document("SLI", "paid", &by).await;
    assert!(matches!(&refused, Err(Error::Conflict(reason)) if reason == "SLO checkout refers to SLI paid"), "{refused:?}");
    assert!(matches!(scene.backend.remove_document("SLO", "other", &by).await, Err(Error::NotFound { .. })));
    scene.backend.remove_document("SLO", "checkout", &by).await.expect("removed");
    assert!(scene.backend.slo("checkout", NOON).await.is_err());
    scene.backend.remove_document("SLI", "paid", &by).await.expect("nobody refers to it any more");
    assert_eq!(scene.backend.export_openslo(), "");
    let versions = scene.backend.slo_versions("checkout").await.expect("they stay");
    assert_eq!((versions[0].change.as_str(), versions[0].body.as_str()), ("deleted", referring("checkout").as_str()));
    scene.apply(&format!("{}---\n{}", referring("checkout"), sli("true"))).await;
    assert_eq!(scene.backend.slo_versions("checkout").await.expect("versions")[0].number, 3, "numbers go on");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_secrets_of_a_data_source_are_exported_as_references(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: watch}\nspec:\n  type: CloudWatch\n  connectionDetails: {secretAccessKey: hush}\n";
    scene.apply(source).await;
    let export = scene.backend.export_openslo();
    assert_eq!(export, source.replace("hush", "\"${WATCH_SECRETACCESSKEY}\""));
    let again = scene.backend.apply_slos(&export, false).await.expect("sound");
    assert_eq!(again.documents, [], "what was exported is what was applied, and the secret stays");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_specifications_of_sloth_are_kept_and_exported_as_openslo(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let sloth =
        "version: prometheus/v1\nservice: shop\nslos:\n- {name: orders, objective: 99, sli: {events: {error_query: a, total_query: b}}}\n";
    scene.apply(sloth).await;
    let slo = scene.backend.slo("shop-orders", NOON).await.expect("known");
    assert_eq!(slo.evaluation.alert, slowburn_domain::slo::Alert::Unmeasured);
    let export = scene.backend.export_openslo();
    assert!(export.contains("apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: shop-orders\n"), "{export}");
    let again = scene.backend.apply_slos(sloth, false).await.expect("sound");
    assert_eq!(again.changes[0].change, ChangeKind::Unchanged);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b5_a_hand_made_pair_pages_by_its_own_windows(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let pairs = "metadata: {name: checkout, annotations: {slowburn.dev/alert-pairs: page 40 over 97m/7m}}";
    scene.apply(&availability("checkout", 0.99, "30d").replace("metadata: {name: checkout}", pairs)).await;
    // Half of the requests of the last 97 minutes fail; the events of a month would lower nothing.
    let spans = (0..400_u32).map(|index| {
        let span = SpanBuilder::new(u128::from(index) + 1, 1, NOON.plus_seconds(-60 * i64::from(index)));
        if index < 97 && index % 2 == 0 { span.failed().build() } else { span.build() }
    });
    scene.send(body("checkout", spans.collect())).await.expect("accepted");
    let evaluation = scene.backend.slo("checkout", NOON).await.expect("known").evaluation;
    let [tier] = evaluation.tiers.as_slice() else { panic!("{:?}", evaluation.tiers) };
    assert_eq!((tier.rule.long_minutes, tier.rule.short_minutes, tier.long_bad), (97, 7, 49.0));
}
