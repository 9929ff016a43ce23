//! B1, B14: writing an objective by hand, with what it would have meant beside it; and finding it again in the list.

use bytes::Bytes;
use slowburn_backend::Error;
use slowburn_backend::events::EventForm;
use slowburn_backend::ingest::{Arriving, Compression, Format, Payload};
use slowburn_backend::slo::Saved;
use slowburn_domain::slo_form::SloForm;
use slowburn_domain::slo_query::SloQuery;
use slowburn_domain::url::encode;
use slowburn_test_support::{gauge, int_point, metric_body};
use sqlx::PgPool;

use crate::slo::{feed, pattern};
use crate::{NOON, Scene, availability};

fn fed() -> (u64, u64) {
    (0..360).map(pattern).fold((0, 0), |(t, b), (total, bad)| (t + total, b + bad))
}

#[sqlx::test(migrations = "../../migrations")]
async fn b14_a_preview_says_what_the_objective_says_once_it_is_saved(pool: PgPool) {
    let scene = Scene::new(pool).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    let (total, bad) = fed();
    // By the rollup, and by the spans themselves.
    let from_rollup = availability("a", 0.995, "30d");
    let from_spans = from_rollup.replace("kind == \"server\"", "kind == \"server\" && duration_ms < 100000");
    let mut sentences = Vec::new();
    for document in [&from_rollup, &from_spans] {
        let preview = scene.backend.preview_slo(document, NOON).await.expect("previewed").expect("one").expect("of spans");
        assert_eq!((preview.counts.total, preview.counts.bad()), (total, bad), "{document}");
        assert!(preview.is_whole && preview.examples.len() == 8, "{preview:?}");
        assert_eq!(preview.examples.iter().filter(|example| !example.is_good && example.is_error).count(), 4);
        assert!(preview.alerts[0].starts_with("Pages when 2 % of the 30-day budget burns within 1 h"), "{:?}", preview.alerts);
        sentences.push(preview.sentence);
    }
    assert_eq!(sentences[0], sentences[1]);
    scene.apply(&from_rollup).await;
    scene.backend.fold_all().await.expect("counted");
    let page = scene.backend.slo_page("a", None, None, NOON).await.expect("known");
    let evaluation = page.row.evaluation;
    assert_eq!((evaluation.counts.total, evaluation.counts.bad()), (total, bad));
    assert_eq!(slowburn_domain::sentence::slo(&page.row.objective, &evaluation), sentences[0]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_a_form_is_saved_found_and_changed_without_losing_anything(pool: PgPool) {
    let scene = Scene::new(pool).await;
    feed(&scene).await;
    scene.backend.fold_all().await.expect("folded");
    let empty = scene.backend.slo_editor("", None, NOON).await.expect("read");
    assert_eq!((empty.name.as_str(), empty.faults.as_slice()), ("checkout-availability", [].as_slice()));
    assert_eq!((empty.services, empty.choices.len()), (vec!["checkout".to_owned()], 1));
    assert!(empty.preview.is_some_and(|preview| preview.counts.total == fed().0));

    let typed = "service=checkout&labels=team%3A+shop&target=99.5&good=both&faster_ms=250&description=It's+%22fast%22%0D%0Aenough";
    assert_eq!(scene.backend.save_slo(typed).await.expect("saved"), Saved::Applied("checkout-quality".to_owned()));
    // A new objective never takes the place of another one.
    let named = format!("{typed}&name=checkout-quality");
    assert_eq!(scene.backend.save_slo(&named).await.expect("asked"), Saved::Refused);
    let again = scene.backend.slo_editor("", Some(&format!("{named}&action=save")), NOON).await.expect("read");
    assert_eq!(again.faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["name"]);
    assert!(again.notice.is_some_and(|notice| notice.starts_with("Nothing was saved")), "it is said at the top of the page");
    // A name that nobody has given is one that is free.
    let proposed = scene.backend.slo_editor("", Some(typed), NOON).await.expect("read");
    assert_eq!((proposed.name.as_str(), proposed.faults.len(), proposed.notice), ("checkout-quality-2", 0, None));
    assert_eq!(SloForm::parse(&proposed.form).value("name"), "", "nobody has given it yet");
    assert_eq!(
        scene.backend.save_slo(&typed.replace("shop", "mail")).await.expect("saved"),
        Saved::Applied("checkout-quality-2".to_owned())
    );

    let edited = scene.backend.slo_editor("edit=checkout-quality", None, NOON).await.expect("read");
    let mut form = SloForm::parse(&edited.form);
    assert_eq!((form.value("face"), form.value("good"), form.value("description")), ("form", "both", "It's \"fast\"\nenough"));
    assert_eq!((edited.changes, edited.notice), (vec!["checkout-quality stays as it is".to_owned()], None));
    form.set("target", "99");
    let changed = form.to_query_string();
    let shown = scene.backend.slo_editor("", Some(&changed), NOON).await.expect("read");
    assert_eq!(shown.changes, ["checkout-quality changes: target: 99.5 % → 99 %"]);
    assert_eq!(scene.backend.save_slo(&changed).await.expect("saved"), Saved::Applied("checkout-quality".to_owned()));

    let (query, _) = SloQuery::parse("label=team:shop");
    let found = scene.backend.slos_page(query, Vec::new(), NOON).await.expect("read");
    assert_eq!((found.slos.len(), found.total, found.labels), (1, 2, vec!["team:mail".to_owned(), "team:shop".to_owned()]));
    assert!((found.slos[0].objective.target.ratio() - 0.99).abs() < 1e-12);
}

#[sqlx::test(migrations = "../../migrations")]
async fn b1_faults_are_told_at_their_fields_and_documents_keep_what_a_form_cannot_say(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let cases = [
        ("service=a&name=Not+A+Name", "name"),
        ("service=a&good=own&good_filter=duration_ms+%3C", "good_filter"),
        ("service=a&counting=own&total=colour+%3D%3D+1", "total"),
        ("service=a&window=month&time_zone=Nowhere%2FAtAll", "time_zone"),
        ("service=a&method=Timeslices&slice=7m", "slice"),
        ("service=a&target=100", "target"),
        ("face=yaml&yaml=kind%3A+SLO", "yaml"),
    ];
    for (typed, field) in cases {
        let page = scene.backend.slo_editor("", Some(typed), NOON).await.expect("read");
        assert!(!page.faults.is_empty() && page.faults.iter().all(|fault| fault.field == field), "{typed}: {:?}", page.faults);
        assert_eq!(scene.backend.save_slo(typed).await.expect("asked"), Saved::Refused, "{typed}");
    }
    let remark = format!("# why\n{}", availability("kept", 0.9, "14d"));
    scene.apply(&remark).await;
    let page = scene.backend.slo_editor("edit=kept", None, NOON).await.expect("read");
    let form = SloForm::parse(&page.form);
    assert_eq!((form.is_yaml(), form.value("yaml")), (true, remark.as_str()));
    assert!(page.notice.is_some());
    // To the form and back, where it can be.
    let plain = availability("plain", 0.9, "30d");
    let typed = format!("action=to_form&face=yaml&yaml={}", encode(&plain));
    let page = scene.backend.slo_editor("", Some(&typed), NOON).await.expect("read");
    let form = SloForm::parse(&page.form);
    assert_eq!((form.is_yaml(), form.value("name"), form.value("target"), page.notice), (false, "plain", "90", None));
    let typed = format!("action=to_yaml&{}", form.to_query_string());
    let page = scene.backend.slo_editor("", Some(&typed), NOON).await.expect("read");
    assert_eq!(page.document, form.to_document());
    assert!(matches!(scene.backend.slo_editor("edit=nobody", None, NOON).await, Err(Error::NotFound { .. })));
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_the_form_promises_over_every_signal_and_finds_it_again(pool: PgPool) {
    let scene = Scene::new(pool).await;
    scene.backend.register_agent("night-batch", 30).await.expect("registered");
    for (number, outcome) in (0..).zip(["done", "failed", "done", "done"]) {
        let event = format!(
            r#"{{"specversion":"1.0","id":"{number}","source":"/shop","type":"shop.order","subject":"order-{number}","data":{{"outcome":"{outcome}"}}}}"#
        );
        let mut arriving = Arriving::begin(scene.backend.ingest()).expect("room");
        arriving.push(event.as_bytes()).expect("room");
        scene.backend.receive_events(arriving, Compression::Identity, EventForm::Structured).await.expect("received");
    }
    let depth = (1..=5).map(|n| int_point(NOON.plus_seconds(n * 10 - 200), n, Vec::new())).collect();
    let body = Bytes::from(metric_body("shop", vec![gauge("depth", depth)]));
    let payload = Payload { bytes: body, compression: Compression::Identity, format: Format::Protobuf };
    scene.backend.ingest().metrics(payload).await.expect("accepted");

    let cases = [
        ("signal=logs", "", Some((0, 0)), "shop-logs"),
        ("signal=metrics&metric=depth&limit=3", "depth", Some((3, 5)), "shop-depth-metrics"),
        (
            "signal=events&event_type=shop.order&good_filter=data.outcome+%3D%3D+%22failed%22",
            "shop.order",
            Some((3, 4)),
            "shop-shop-order-events",
        ),
        ("signal=heartbeats&agent=night-batch", "night-batch", None, "shop-night-batch-heartbeats"),
    ];
    for (typed, offered, counts, name) in cases {
        let typed = format!("service=shop&{typed}");
        let page = scene.backend.slo_editor("", Some(&typed), NOON).await.expect("read");
        assert_eq!((page.faults.as_slice(), page.choices.concat().as_str()), ([].as_slice(), offered), "{typed}");
        let previewed = page.preview.map(|preview| (preview.counts.good, preview.counts.total));
        assert_eq!((previewed, page.no_preview.is_empty()), (counts, counts.is_some()), "{typed}");
        assert_eq!(scene.backend.save_slo(&typed).await.expect("saved"), Saved::Applied(name.to_owned()), "{typed}");
        let edited = scene.backend.slo_editor(&format!("edit={name}"), None, NOON).await.expect("read");
        let (form, own) = (SloForm::parse(&edited.form), SloForm::parse(&typed));
        assert!(!form.is_yaml(), "the form can say all of it: {typed}");
        assert_eq!((form.signal(), form.total(), form.part()), (own.signal(), own.total(), own.part()));
    }
}
