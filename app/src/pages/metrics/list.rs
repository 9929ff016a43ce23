//! The metrics that services send, each as the way to its question.

use slowburn_domain::metric::answer::MetricsPage;
use slowburn_domain::metric::told;
use slowburn_domain::metric_query::MetricQuery;
use slowburn_domain::number::grouped;

use crate::widgets::markup::Markup;

/// Services told by name in a row.
const MOST_SERVICES: usize = 3;

/// The list; nothing where there are none.
pub(super) fn markup(page: &MetricsPage) -> String {
    let mut markup = Markup::default();
    if page.metrics.is_empty() {
        return markup.finish();
    }
    markup.open("table", &[("class", Some("rows part-table metric-list"))]);
    markup.element("caption", "visually-hidden", "Metrics by name").open("thead", &[]).open("tr", &[]);
    for name in ["Metric", "Kind", "Unit", "Services"] {
        markup.open("th", &[("scope", Some("col"))]).text(name).close("th");
    }
    markup.open("th", &[("scope", Some("col")), ("class", Some("number"))]).text("Series").close("th");
    markup.close("tr").close("thead").open("tbody", &[]);
    for listed in &page.metrics {
        let metric = &listed.metric;
        let (from, to) = (page.query.from, page.query.to);
        let href = MetricQuery { name: Some(metric.name.clone()), from, to, ..MetricQuery::default() }.href();
        markup.open("tr", &[]).open("th", &[("scope", Some("row"))]);
        markup.open("a", &[("href", Some(&href)), ("class", Some("row-link")), ("data-row", Some(""))]).text(&metric.name).close("a");
        if !metric.description.is_empty() {
            markup.element("small", "", &metric.description);
        }
        markup.close("th");
        let unit = if metric.unit.is_empty() { "–" } else { &metric.unit };
        let services = services(&listed.services);
        for (label, text) in [("Kind", told::kind(metric)), ("Unit", unit), ("Services", services.as_str())] {
            markup.open("td", &[("data-label", Some(label))]).text(text).close("td");
        }
        markup.number("Series", &grouped(listed.series)).close("tr");
    }
    markup.close("tbody").close("table");
    markup.finish()
}

fn services(names: &[String]) -> String {
    let told = names.iter().take(MOST_SERVICES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_SERVICES) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}
