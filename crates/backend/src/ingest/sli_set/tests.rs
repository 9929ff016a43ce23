//! Counting, with records made by hand: the matcher knows nothing of them but what a [`Record`] tells.

use super::*;
use slowburn_domain::slo::LONGEST_VALUE;
use slowburn_domain::span::Value;

/// A record of any signal: it has a service and attributes.
struct Made {
    service: &'static str,
    attributes: Vec<(&'static str, Value)>,
}

impl Record for Made {
    fn field(&self, field: Field) -> Operand<'_> {
        match field {
            Field::Service => Operand::Str(self.service),
            Field::Severity => self.attribute("severity"),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        self.attributes.iter().find(|(name, _)| *name == key).map_or(Operand::Missing, |(_, value)| value.into())
    }

    fn resource(&self, _: &str) -> Operand<'_> {
        Operand::Missing
    }
}

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn made(region: Option<Value>, is_ok: bool) -> Made {
    let mut attributes = vec![("ok", Value::Bool(is_ok))];
    attributes.extend(region.map(|region| ("region", region)));
    Made { service: "shop", attributes }
}

fn sli(signal: Signal, id: i32, total: &str, good: &str) -> Sli {
    let compiled = |source| Filter::compile(source, signal).unwrap();
    let total = compiled(total);
    Sli { id: Some(id), good: total.and(&compiled(good)), total, grouping: None }
}

fn grouped(cap: usize, groups: &[(&str, i32)]) -> SliSet {
    let by = Expression::compile("attributes.region", Signal::Spans).unwrap();
    let groups = Arc::new(groups.iter().map(|(value, id)| ((*value).to_owned(), *id)).collect());
    let grouping = Some(Grouping { slo: Arc::from("regions"), by, cap, groups });
    SliSet::new(1, vec![Sli { grouping, ..sli(Signal::Spans, 1, "service == \"shop\"", "attributes.ok") }])
}

fn count(set: &SliSet, signal: Signal, records: &[Made]) -> (Counted, Vec<i32>) {
    let (mut counted, mut bad) = (Counted::default(), Vec::new());
    for record in records {
        set.count(signal, record, Minute(7), &mut counted, |id| bad.push(id));
    }
    (counted, bad)
}

fn total(counted: &Counted, id: i32) -> (u64, u64) {
    counted.deltas.get(&(id, Minute(7))).map_or((0, 0), |counts| (counts.good, counts.total))
}

#[test]
fn b2_records_are_counted_by_the_slis_of_their_signal_whatever_they_are() {
    let set = SliSet::new(
        1,
        vec![
            sli(Signal::Logs, 1, "service == \"shop\"", "severity != \"ERROR\""),
            sli(Signal::Logs, 2, "has(attributes.ok)", "attributes.ok"),
            sli(Signal::Spans, 3, "service == \"shop\"", "attributes.ok"),
            sli(Signal::Logs, 4, "service == \"elsewhere\"", "true"),
        ],
    );
    let mut failed = made(None, false);
    failed.attributes.push(("severity", text("error")));
    let mut fine = made(None, true);
    fine.attributes.push(("severity", text("INFO")));
    let records = [failed, fine];
    let (counted, bad) = count(&set, Signal::Logs, &records);
    assert_eq!([1, 2, 3, 4].map(|id| total(&counted, id)), [(1, 2), (1, 2), (0, 0), (0, 0)]);
    assert_eq!(bad, [1, 2], "the failed one, for both");
    let (counted, _) = count(&set, Signal::Spans, &records);
    assert_eq!([1, 2, 3, 4].map(|id| total(&counted, id)), [(0, 0), (0, 0), (1, 2), (0, 0)]);
}

#[test]
fn b4_groups_add_up_to_the_whole() {
    let set = grouped(10, &[("eu", 2), ("7", 3), (NONE, 4), (OTHER, 5)]);
    let odd = [
        made(None, true),
        made(Some(text("")), false),
        made(Some(Value::Null), true),
        made(Some(Value::Array(vec![text("eu")])), true),
        made(Some(text(&"x".repeat(LONGEST_VALUE + 1))), true),
        made(Some(text("line\nbreak")), true),
        made(Some(text("~none")), false),
        made(Some(text("eu")), true),
        made(Some(text("eu")), false),
        made(Some(Value::Int(7)), true),
    ];
    let (counted, bad) = count(&set, Signal::Spans, &odd);
    assert!(counted.unknown.is_empty());
    assert_eq!([1, 2, 3, 4, 5].map(|id| total(&counted, id)), [(7, 10), (1, 2), (1, 1), (3, 4), (2, 3)]);
    assert_eq!(bad, [1, 4, 1, 5, 1, 2], "each for the whole and for its group");
}

#[test]
fn b4_values_without_a_group_are_told_and_beyond_the_cap_they_are_others() {
    let regions = |names: &[&str]| -> Vec<Made> { names.iter().map(|name| made(Some(text(name)), true)).collect() };
    let unknown = |set: &SliSet, names: &[&str]| -> Vec<String> {
        count(set, Signal::Spans, &regions(names)).0.unknown.into_values().flatten().collect()
    };
    assert_eq!(unknown(&grouped(2, &[]), &["eu", "us", "eu"]), ["eu", "us"]);
    assert_eq!(unknown(&grouped(2, &[]), &["a", "b", "c", "d", "e"]).len(), 3, "one more than fits, and no more than that");
    assert_eq!(unknown(&grouped(2, &[("eu", 2), (NONE, 9)]), &["eu", "us"]), ["us"], "what has no value takes no place");
    let full = grouped(2, &[("eu", 2), ("us", 3)]);
    assert_eq!(unknown(&full, &["eu", "asia", "africa"]), [OTHER]);
    let (counted, _) = count(&grouped(2, &[("eu", 2), ("us", 3), (OTHER, 4)]), Signal::Spans, &regions(&["eu", "asia", "africa"]));
    assert!(counted.unknown.is_empty());
    assert_eq!([1, 2, 3, 4].map(|id| total(&counted, id)), [(3, 3), (1, 1), (0, 0), (2, 2)]);
}
