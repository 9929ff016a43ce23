//! Waiting for long work that the server does, with a bar on the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use slowburn_domain::url::encode;

use super::client::Client;

/// How often the server is asked.
const EVERY: Duration = Duration::from_millis(250);

/// Waits until the past of every SLO that `applied` changed is counted.
pub(super) fn wait(client: &Client, applied: &Value) -> anyhow::Result<()> {
    let changes = applied["changes"].as_array().into_iter().flatten();
    for name in changes.filter(|change| change["change"] != "removed").filter_map(|change| change["name"].as_str()) {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len} spans")?);
        bar.set_message(format!("counting the past of {name}"));
        loop {
            let slo = client.get(&format!("/api/v1/slos/{}", encode(name)))?;
            let (Some(remaining), Some(stored)) = (slo["backfill"]["remaining_spans"].as_u64(), slo["backfill"]["stored_spans"].as_u64())
            else {
                break;
            };
            bar.set_length(stored);
            bar.set_position(stored.saturating_sub(remaining));
            std::thread::sleep(EVERY);
        }
        bar.finish_and_clear();
    }
    Ok(())
}
