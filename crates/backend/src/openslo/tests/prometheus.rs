use super::*;
use crate::openslo::IndicatorSource;

const SOURCE: &str = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: shop}\nspec: {type: Prometheus, connectionDetails: {url: 'http://a:9090'}}\n";

/// A good side and a total of DataSource `shop`, both with a query.
fn slo(good: &str, total: &str) -> String {
    let side = |query: &str| format!("{{metricSource: {{metricSourceRef: shop, spec: {{query: '{query}'}}}}}}");
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: fast}}\nspec:\n  service: shop\n  indicator: {{spec: {{ratioMetric: {{good: {}, total: {}}}}}}}\n  timeWindow: [{{duration: 30d, isRolling: true}}]\n  objectives: [{{target: 0.99}}]\n",
        side(good),
        side(total)
    )
}

fn counters(texts: &[&str]) -> String {
    let parsed = parsed(&texts.join("---\n"));
    assert_eq!(parsed.warnings, []);
    let IndicatorSource::Prometheus(counters) = &parsed.definitions[0].source else { panic!("{:?}", parsed.definitions[0].source) };
    counters.to_string()
}

#[test]
fn b2_what_is_counted_changes_with_selectors_and_sources_and_with_nothing_else() {
    let plain = slo("a_bucket{le=\"0.3\"}", "a_count");
    let counted = counters(&[&plain, SOURCE]);
    let wrapped = slo("sum(rate(a_bucket{le=\"0.3\"}[5m]))", "sum(increase(a_count[{{.window}}]))");
    let moved = SOURCE.replace("http://a:9090", "https://b/prometheus").replace("'}", "', bearerToken: hush}");
    assert_eq!(counters(&[&wrapped, &moved]), counted);
    let other = |text: &str| text.replace("shop", "till");
    for changed in [[slo("a_bucket{le=\"0.5\"}", "a_count"), SOURCE.to_owned()], [other(&plain), other(SOURCE)]] {
        assert_ne!(counters(&[&changed[0], &changed[1]]), counted);
    }
}

#[test]
fn b2_both_sides_are_of_one_data_source() {
    let other = SOURCE.replace("shop", "till");
    let torn = slo("a_bucket", "a_count").replacen("metricSourceRef: shop", "metricSourceRef: till", 1);
    let (faults, _) = told(&[torn.as_str(), SOURCE, &other].join("---\n"));
    assert_eq!(
        faults,
        ["documents[0].spec.indicator.spec.ratioMetric.good.metricSource.metricSourceRef: both sides of a ratio must come from one source"]
    );
}

#[test]
fn b2_credentials_are_neither_exported_nor_in_warnings() {
    for details in ["bearerToken: hush", "username: ada, password: hush", "username: ada, token: hush"] {
        let source = SOURCE.replace("'}", &format!("', {details}}}"));
        assert!(!crate::openslo::masked(&source).contains("hush"), "{details}");
        let text = [slo("a", "b").as_str(), &source].join("---\n");
        let warnings = parsed(&text).warnings;
        assert_eq!(warnings.is_empty(), !details.ends_with("ada, token: hush"), "{warnings:?}");
        assert!(!format!("{warnings:?}{:?}", parsed(&text).definitions[0].source).contains("hush"));
    }
}
