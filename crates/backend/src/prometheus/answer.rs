//! What Prometheus answers: the samples of each series, with their times.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use slowburn_domain::counter::Sample;
use slowburn_domain::time::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

/// The samples of one series, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    /// A hash of its selector and its labels.
    pub(super) key: u128,
    pub(super) samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    result_type: Cow<'a, str>,
    #[serde(borrow)]
    result: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    metric: BTreeMap<Label<'a>, Label<'a>>,
    /// Missing where a series has native histograms only.
    #[serde(default)]
    values: Vec<Value>,
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Label<'a>(#[serde(borrow)] Cow<'a, str>);

/// `[1435781430.781, "1"]`
struct Value(Sample);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, value) = <(f64, &'de str)>::deserialize(deserializer)?;
        let value = value.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Sample { at: Timestamp::from_millis((seconds * 1_000.0).round() as i64), value }))
    }
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    error: Cow<'a, str>,
}

/// The series of an answer to a range-vector query; `None` when it is none.
pub(super) fn series(body: &[u8], selector: &str) -> Option<Vec<Series>> {
    let Answer { data } = serde_json::from_slice(body).ok()?;
    if data.result_type != "matrix" {
        return None;
    }
    let series = data.result.into_iter().map(|Entry { metric, values }| Series {
        key: key(selector, &metric),
        samples: values.into_iter().map(|Value(sample)| sample).collect(),
    });
    Some(series.collect())
}

/// Why a query was refused, in Prometheus's words, cut where they get long.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    let Refusal { error } = serde_json::from_slice(body).ok()?;
    Some(error.chars().filter(|c| !c.is_control()).take(200).collect())
}

fn key(selector: &str, labels: &BTreeMap<Label<'_>, Label<'_>>) -> u128 {
    let texts = labels.iter().flat_map(|(name, value)| [&name.0, &value.0]).map(|text| &**text);
    let mut bytes = Vec::new();
    for text in std::iter::once(selector).chain(texts) {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    xxh3_128(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b2_samples_come_with_their_times() {
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"a_total","path":"\"q\""},"values":[[1435781430.781,"1"],[1435781445.781,"1.5e3"],[1435781460,"NaN"]]},
            {"metric":{"__name__":"a_total"},"histograms":[[1435781430.781,{"count":"1"}]]}]},"warnings":["x"]}"#;
        let series = series(body, "a_total").expect("an answer");
        let shown: Vec<(i64, String)> = series[0].samples.iter().map(|sample| (sample.at.millis(), sample.value.to_string())).collect();
        let wanted = [(1_435_781_430_781, "1"), (1_435_781_445_781, "1500"), (1_435_781_460_000, "NaN")];
        assert_eq!(shown, wanted.map(|(at, value)| (at, value.to_owned())));
        assert!(series[1].samples.is_empty());
        assert_ne!(series[0].key, series[1].key);
        assert_ne!(super::series(body, "b_total").expect("an answer")[0].key, series[0].key, "the same series twice counts twice");
    }

    #[test]
    fn b2_what_is_no_answer_is_told_from_an_empty_one() {
        assert_eq!(series(br#"{"data":{"resultType":"matrix","result":[]}}"#, ""), Some(Vec::new()));
        for body in
            ["", "<html>", "{}", r#"{"data":{"resultType":"vector","result":[]}}"#, r#"{"data":{"resultType":"matrix","result":[{}]}}"#]
        {
            assert_eq!(series(body.as_bytes(), ""), None, "{body}");
        }
        assert_eq!(refusal(br#"{"status":"error","errorType":"bad_data","error":"no \"x\"\n"}"#).as_deref(), Some("no \"x\""));
        assert_eq!(refusal(b"<html>"), None);
    }
}
