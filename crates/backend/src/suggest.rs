//! Names that a reader may mean who has typed a part of one.

use slowburn_domain::id::TraceId;
use slowburn_domain::sentence;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::{encode_query, service_path, slo_path, trace_path};
use slowburn_domain::view::Suggestion;
use slowburn_storage::{agent, metric, trace};

use crate::{Backend, Result};

/// Most suggestions of one kind.
const OF_A_KIND: usize = 5;
/// Characters of a text that are looked at; no name is longer.
const LONGEST: usize = 200;
/// Metrics that were active this long ago are suggested, days.
const METRIC_DAYS: i64 = 7;

impl Backend {
    /// What a part of a name may mean: a trace by its whole ID, and up to five each of SLOs, services and agents that have the
    /// text anywhere in their names, whatever its case, and of metrics that have its words in name, unit or description. Nothing
    /// for an empty text.
    ///
    /// # Errors
    /// The database.
    pub async fn suggest(&self, text: &str, now: Timestamp) -> Result<Vec<Suggestion>> {
        // PostgreSQL's texts cannot hold the character zero, and so no name does.
        let text: String = text.chars().filter(|c| *c != '\0').take(LONGEST).collect();
        let text = text.trim();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let part = text.to_lowercase();
        let has = |name: &str| name.to_lowercase().contains(&part);
        let mut found = Vec::new();
        if let Ok(id) = text.parse::<TraceId>() {
            found.push(suggestion("Trace", text, trace_path(id)));
        }
        let book = self.book();
        let named = book.whole().filter(|slo| has(&slo.objective.name) || has(sentence::title(&slo.objective)));
        found.extend(named.take(OF_A_KIND).map(|slo| suggestion("SLO", &slo.objective.name, slo_path(&slo.objective.name))));

        let buckets = self.0.settings.bucket_numbers();
        let words: Vec<String> = part.split_whitespace().map(str::to_owned).collect();
        let from = self.slot_before(now.plus_seconds(-METRIC_DAYS * 86_400));
        let mut connection = self.0.pool.acquire().await?;
        let services = trace::services(&mut connection, &buckets).await?;
        let agents = agent::list(&mut connection).await?;
        let metrics = metric::list(&mut connection, &buckets, from, &words, None, OF_A_KIND as i64).await?;
        drop(connection);

        let services = services.iter().filter(|name| has(name)).take(OF_A_KIND);
        found.extend(services.map(|name| suggestion("Service", name, service_path(name))));
        let agents = agents.iter().filter(|agent| has(&agent.name)).take(OF_A_KIND);
        found.extend(agents.map(|agent| suggestion("Agent", &agent.name, "/agents".to_owned())));
        found.extend(metrics.iter().map(|listed| {
            let name = &listed.metric.name;
            suggestion("Metric", name, format!("/metrics-explorer?{}", encode_query([("name", name.as_str())])))
        }));
        Ok(found)
    }
}

fn suggestion(kind: &str, name: &str, href: String) -> Suggestion {
    Suggestion { kind: kind.to_owned(), name: name.to_owned(), href }
}
