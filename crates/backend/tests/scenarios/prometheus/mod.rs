//! B2, B8: SLIs of an external Prometheus, counted from Debian's.

mod page;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slowburn_backend::Backend;
use slowburn_domain::slo::{Alert, Counts};
use slowburn_domain::time::{Minute, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{NOON, Scene};
use page::Page;
use slowburn_test_support::prometheus::{Prometheus, machine_now};

/// A folder of a test's own.
fn folder(test: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(test)
}

/// An SLO over two queries of a Prometheus, with its DataSource.
fn promise(name: &str, url: &str, part: (&str, &str), total: &str) -> String {
    let (side, part) = part;
    format!(
        "apiVersion: openslo/v1
kind: DataSource
metadata: {{name: shop-metrics}}
spec: {{type: Prometheus, connectionDetails: {{url: '{url}'}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        {side}: {{metricSource: {{metricSourceRef: shop-metrics, type: prometheus, spec: {{query: '{part}'}}}}}}
        total: {{metricSource: {{metricSourceRef: shop-metrics, type: prometheus, spec: {{query: '{total}'}}}}}}
  timeWindow: [{{duration: 3d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"
    )
}

/// A scene at an instant.
async fn scene_at(pool: &PgPool, now: Timestamp) -> Scene {
    let scene = Scene::new(pool.clone()).await;
    scene.clock.advance_seconds(now.seconds() - NOON.seconds());
    scene
}

/// Counts of each minute of an SLO, folded.
async fn minutes(scene: &Scene, pool: &PgPool, name: &str) -> BTreeMap<Minute, Counts> {
    scene.backend.fold_all().await.expect("folded");
    let rows: Vec<(i32, i64, i64)> = sqlx::query_as(
        "SELECT minute, sum(good)::bigint, sum(total)::bigint FROM rollup_minute JOIN slos USING (sli_id) WHERE name = $1 GROUP BY 1",
    )
    .bind(name)
    .fetch_all(pool)
    .await
    .expect("minutes");
    rows.into_iter().map(|(minute, good, total)| (Minute(minute), Counts { good: good as u64, total: total as u64 })).collect()
}

fn sum(minutes: &BTreeMap<Minute, Counts>) -> Counts {
    minutes.values().fold(Counts::default(), |mut sum, counts| {
        sum += *counts;
        sum
    })
}

/// Lets go of the leases of others, as if they had expired.
async fn expire_leases(pool: &PgPool) {
    sqlx::query("DELETE FROM leases").execute(pool).await.expect("deleted");
}

/// Seconds between two samples.
const STEP: i64 = 15;

/// Thirty hours of a shop of two instances that end two minutes before `now`, and what they counted in each minute: good by status,
/// fast by duration. An instance restarts now and then; Prometheus saw neither of them for two hours; one was there later.
fn history(now: Timestamp) -> (String, BTreeMap<Minute, Counts>, BTreeMap<Minute, Counts>) {
    // Off the border of a minute, where a window of Prometheus and one of ours might differ by a sample.
    let first = now.minute().plus(-30 * 60 - 2).start().plus_seconds(7);
    let steps = 30 * 3_600 / STEP;
    let names = ["requests_total{code=\"200\"", "requests_total{code=\"500\"", "seconds_bucket{le=\"0.3\"", "seconds_count{job=\"shop\""];
    let mut series: BTreeMap<(usize, i64), String> = BTreeMap::new();
    let (mut by_status, mut by_duration): (BTreeMap<Minute, Counts>, BTreeMap<Minute, Counts>) = Default::default();
    for instance in 0..2_i64 {
        let mut values = [0_u64; 4];
        // What was raised since the last sample that Prometheus saw.
        let mut raised = [0_u64; 4];
        let mut is_seen = false;
        for step in 0..steps {
            let at = first.plus_seconds(step * STEP);
            let is_outage = step * STEP / 60 >= 29 * 60;
            let is_away = (step / 4).rem_euclid(30 * 60) / 120 == 5;
            if !is_away && step % 1_777 == 1_000 * (instance + 1) % 1_777 {
                values = [0; 4];
            }
            let good = 20 + (step * 7 + instance * 3) % 11;
            let bad = if is_outage { good / 2 } else { step % 3 };
            let slow = step % 5;
            for (index, by) in [good, bad, good + bad - slow, good + bad].into_iter().enumerate() {
                values[index] += by as u64;
                raised[index] += by as u64;
            }
            if is_away || instance == 1 && step < 2_000 {
                continue;
            }
            if is_seen {
                *by_status.entry(at.minute()).or_default() += Counts { good: raised[0], total: raised[0] + raised[1] };
                *by_duration.entry(at.minute()).or_default() += Counts { good: raised[2], total: raised[3] };
            } else {
                // Heard, and nothing is known of what was before.
                by_status.entry(at.minute()).or_default();
                by_duration.entry(at.minute()).or_default();
            }
            (raised, is_seen) = ([0; 4], true);
            for (index, value) in values.iter().enumerate() {
                let labels = names[index];
                let line = format!("shop_{labels},instance=\"{instance}\"}} {value} {:.3}", at.millis() as f64 / 1_000.0);
                let _ = writeln!(series.entry((index, instance)).or_default(), "{line}");
            }
        }
    }
    // Samples of a family stand together.
    let text: String = series.into_values().collect();
    (text + "# EOF\n", by_status, by_duration)
}

const BAD: (&str, &str) = ("bad", r#"sum(rate(shop_requests_total{code=~"5.."}[{{.window}}])) or vector(0)"#);
const TOTAL: &str = "sum(rate(shop_requests_total[{{.window}}]))";
const FAST: (&str, &str) = ("good", r#"shop_seconds_bucket{le="0.3"}"#);
const ALL: &str = "increase(shop_seconds_count[5m])";

#[sqlx::test(migrations = "../../migrations")]
async fn b2_days_of_history_are_counted_exactly_whoever_is_dropped_or_doubled(pool: PgPool) {
    let now = machine_now();
    let (text, by_status, by_duration) = history(now);
    let prometheus = Prometheus::start(folder("history"), Some(&text), None).await;
    let (one, two) = (scene_at(&pool, now).await, scene_at(&pool, now).await);
    one.apply(&promise("served", &prometheus.url(), BAD, TOTAL)).await;
    one.apply(&promise("fast", &prometheus.url(), FAST, ALL)).await;
    two.backend.follow_slos().await.expect("followed");

    // Whoever counts is killed in the middle, again and again, and another goes on; then two do it at the same time.
    let mut killed = 0;
    for round in 0..12 {
        let own = PgPoolOptions::new().connect_with((*pool.connect_options()).clone()).await.expect("connected");
        let victim = scene_at(&own, now).await;
        expire_leases(&pool).await;
        killed +=
            usize::from(tokio::time::timeout(Duration::from_millis(20 + round * 3), victim.backend.count_prometheus()).await.is_err());
    }
    assert!(killed > 3, "{killed}");
    let end = now.plus_seconds(-60).minute().start();
    assert!(source(&one.backend, "served").await.counted_to < Some(end), "there is something left");
    for _ in 0..3 {
        expire_leases(&pool).await;
        let (a, b) = tokio::join!(one.backend.count_prometheus(), async {
            // By then the other one has begun.
            tokio::time::sleep(Duration::from_millis(3)).await;
            expire_leases(&pool).await;
            two.backend.count_prometheus().await
        });
        a.and(b).expect("counted");
    }
    expire_leases(&pool).await;
    one.backend.count_prometheus().await.expect("counted");
    assert_eq!(minutes(&one, &pool, "served").await, by_status);
    assert_eq!(minutes(&two, &pool, "fast").await, by_duration);

    let source = source(&one.backend, "served").await;
    assert_eq!((source.name.as_str(), source.failing_since, source.exceeded_at), ("shop-metrics", None, None));
    assert_eq!(source.counted_to, Some(end));
    let page = one.backend.slo_page("served", None, None, now).await.expect("a page");
    assert_eq!((page.indicator.total.as_str(), page.indicator.part.as_str(), page.indicator.is_good), (TOTAL, BAD.1, false));
}

async fn source(backend: &Backend, name: &str) -> slowburn_domain::view::ExternalSource {
    let slo = backend.book().get(name).expect("known");
    backend.external_source(&slo).await.expect("read").expect("a Prometheus")
}

/// Issue 4: our error ratios are Prometheus's.
///
/// They differ at the borders of a window: Prometheus extrapolates what it saw to the borders, and to a sample before its window it
/// does not look, so one interval of samples at each border may weigh more or less. That is two intervals of the window; where a
/// service's share of errors changes it moves the ratio by as much at most.
#[sqlx::test(migrations = "../../migrations")]
async fn b2_error_ratios_are_those_of_prometheus(pool: PgPool) {
    let now = machine_now();
    let (text, ..) = history(now);
    let prometheus = Prometheus::start(folder("ratios"), Some(&text), None).await;
    let scene = scene_at(&pool, now).await;
    scene.apply(&promise("served", &prometheus.url(), BAD, TOTAL)).await;
    scene.backend.count_prometheus().await.expect("counted");
    // The windows that end with the last minute of the history.
    let last = now.minute().plus(-3);
    let evaluation = scene.backend.slo("served", last.start()).await.expect("known").evaluation;
    for (ours, theirs, seconds) in [("5m", "5m", 300.0), ("1h", "1h", 3_600.0), ("6h", "6h", 21_600.0), ("24h", "1d", 86_400.0)] {
        let query =
            format!(r#"sum(increase(shop_requests_total{{code=~"5.."}}[{theirs}])) / sum(increase(shop_requests_total[{theirs}]))"#);
        let wanted = prometheus.number(&query, last.plus(1).start()).await;
        let got = evaluation.burn_rates[ours].expect("events") * 0.01;
        let tolerance = 2.0 * STEP as f64 / seconds;
        assert!((got / wanted - 1.0).abs() <= tolerance, "{ours}: {got} and {wanted}, {tolerance}");
    }
}

/// A shop whose page is scraped, and whose minutes pass as fast as that.
struct Shop {
    page: Page,
    prometheus: Prometheus,
    at: Timestamp,
    raised: Counts,
}

impl Shop {
    /// Lets so many steps pass, in each of which something is raised; scraped where Prometheus is there.
    async fn pass(&mut self, steps: u64) {
        for step in 0..steps {
            self.at = self.at.plus_seconds(STEP);
            let (good, bad) = (5 + step % 3, step % 2);
            self.page.raise("shop_requests_total{code=\"200\"}", good);
            self.page.raise("shop_requests_total{code=\"500\"}", bad);
            self.raised += Counts { good, total: good + bad };
            self.page.show(self.at);
            if self.prometheus.is_running() {
                self.page.scraped().await;
            }
        }
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_what_was_raised_is_counted_across_resets_and_outages(pool: PgPool) {
    let page = Page::default();
    page.raise("shop_requests_total{code=\"200\"}", 1_000);
    page.raise("shop_requests_total{code=\"500\"}", 10);
    let begin = machine_now().plus_seconds(-50 * 60);
    page.show(begin);
    let prometheus = Prometheus::start(folder("scraped"), None, Some(page.serve())).await;
    page.scraped().await;
    let mut shop = Shop { page, prometheus, at: begin, raised: Counts::default() };
    let (one, two) = (scene_at(&pool, begin).await, scene_at(&pool, begin).await);
    one.apply(&promise("served", &shop.prometheus.url(), BAD, TOTAL)).await;
    two.backend.follow_slos().await.expect("followed");

    shop.pass(20).await;
    // What was raised after the last sample before the restart nobody can know; here it was nothing.
    shop.page.restart();
    shop.pass(4).await;
    let counted = async |scene: &Scene, shop: &Shop| {
        // The last minute is closed.
        scene.clock.advance_seconds(shop.at.seconds() + 121 - scene.clock.now().seconds());
        expire_leases(&pool).await;
        scene.backend.count_prometheus().await.expect("counted");
        sum(&minutes(scene, &pool, "served").await)
    };
    assert_eq!(counted(&one, &shop).await, shop.raised);
    assert_ne!(one.backend.slo("served", shop.at).await.expect("known").evaluation.alert, Alert::Unmeasured);

    shop.prometheus.stop();
    shop.pass(28).await;
    assert_ne!(counted(&one, &shop).await, shop.raised);
    let failing = source(&one.backend, "served").await;
    assert_eq!(failing.failure.as_deref(), Some("the connection is refused"));
    assert_eq!(failing.failing_since, Some(one.clock.now()));
    let remarks = failing.remarks(one.clock.now());
    assert!(remarks[0].starts_with("Prometheus shop-metrics cannot be asked since ") && remarks.len() == 1, "{remarks:?}");
    assert_eq!(one.backend.slo("served", one.clock.now()).await.expect("known").evaluation.alert, Alert::Unmeasured);

    shop.prometheus.run().await;
    shop.pass(12).await;
    assert_eq!(counted(&two, &shop).await, shop.raised, "the other one goes on, and nothing of the outage is lost");
    assert_eq!(source(&one.backend, "served").await.failure, None);
    assert_eq!(counted(&one, &shop).await, shop.raised, "and nothing is counted twice");
}

#[sqlx::test(migrations = "../../migrations")]
async fn b2_without_an_address_an_slo_is_unmeasured_and_says_what_is_missing(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let sound = promise("served", "http://127.0.0.1:1", BAD, TOTAL);
    let warnings = async |yaml: &str| {
        let applied = scene.backend.apply_slos(yaml, true).await.expect("kept");
        applied.warnings.into_iter().map(|warning| warning.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&sound).await, Vec::<String>::new());
    let inline = sound.replace("metricSourceRef: shop-metrics, ", "");
    let told = warnings(&inline).await;
    assert!(told[0].contains("total.metricSource.type: ") && told[0].contains("name a DataSource of type prometheus"), "{told:?}");
    let told = warnings(&sound.replace("url: 'http://127.0.0.1:1'", "token: hush")).await;
    assert!(told.iter().any(|told| told.contains("metricSourceRef: connectionDetails.url of DataSource shop-metrics")), "{told:?}");
    let told = warnings(&sound.replace("connectionDetails: {", "connectionDetails: {token: '${SHOP_TOKEN}', ")).await;
    assert!(told.iter().any(|told| told.contains("holds a reference in place of the secret")), "{told:?}");
    let told = warnings(&sound.replace(TOTAL, "histogram_quantile(0.9, x)")).await;
    assert!(told[0].contains("total.metricSource.spec.query: histogram_quantile is not accepted; a counter's selector is"), "{told:?}");
    scene.apply(&inline).await;
    assert_eq!(scene.backend.slo("served", NOON).await.expect("known").evaluation.alert, Alert::Unmeasured);
    assert_eq!(scene.backend.count_prometheus().await.expect("nothing to do"), 0);
}
