//! SLOs made of others: by the annotation `slowburn.dev/composite-of` from SLOs of any document, or by objectives of one
//! document that bring indicators of their own, as OpenSLO has it.

use std::collections::BTreeMap;

use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::WhenDelayed;

use super::fields::Report;
use super::metadata::Metadata;
use super::{CompositePart, Definition, IndicatorSource};

/// The parts: `checkout-availability 3, payment-latency 1 bad`.
pub(super) const COMPOSITE_OF: &str = "slowburn.dev/composite-of";
/// What time without news of a part counts as, of parts that do not say it themselves.
pub(super) const WHEN_DELAYED: &str = "slowburn.dev/when-delayed";

/// Most parts of one SLO.
const MOST_PARTS: usize = 50;
/// Most SLOs between one and what it is made of.
const DEEPEST: usize = 8;
const PARTS_LOOK_LIKE: &str =
    "parts are written: checkout-availability 3, payment-latency 1 bad; with a weight and good, bad or ignored for time without news";

/// The parts that the annotation names; `None` without it or with faults.
pub(super) fn parts(metadata: &Metadata, report: &mut Report) -> Option<Vec<CompositePart>> {
    let when_delayed = when_delayed(metadata, report);
    metadata.read_annotation(COMPOSITE_OF, |text| parts_of(text, when_delayed), report)
}

/// What time without news counts as, as far as the document says it for all parts.
pub(super) fn when_delayed(metadata: &Metadata, report: &mut Report) -> WhenDelayed {
    let word = |text: &str| delay(text).ok_or_else(|| format!("{text} is none of good, bad and ignored"));
    metadata.read_annotation(WHEN_DELAYED, word, report).unwrap_or_default()
}

fn delay(word: &str) -> Option<WhenDelayed> {
    WhenDelayed::ALL.into_iter().find(|choice| choice.as_str() == word)
}

fn parts_of(text: &str, when_delayed: WhenDelayed) -> Result<Vec<CompositePart>, String> {
    let mut parts: Vec<CompositePart> = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let mut words = entry.split_whitespace();
        let slo = words.next().unwrap_or_default().to_owned();
        let mut part = CompositePart { slo, weight: 1.0, when_delayed };
        for word in words {
            match (delay(word), word.parse()) {
                (Some(choice), _) => part.when_delayed = choice,
                (None, Ok(weight)) => part.weight = check_weight(weight)?,
                (None, Err(_)) => return Err(format!("{word} in “{entry}” is not understood; {PARTS_LOOK_LIKE}")),
            }
        }
        if parts.iter().any(|other| other.slo == part.slo) {
            return Err(format!("{} is named twice; give it the sum of both weights", part.slo));
        }
        parts.push(part);
    }
    match parts.len() {
        0 => Err(format!("names no part; {PARTS_LOOK_LIKE}")),
        1..=MOST_PARTS => Ok(parts),
        many => Err(format!("names {many} parts; at most {MOST_PARTS} are allowed")),
    }
}

/// A weight that can be used.
pub(super) fn check_weight(weight: f64) -> Result<f64, String> {
    if weight > 0.0 && weight <= 1e6 { Ok(weight) } else { Err(format!("a weight is more than 0 and at most 1000000; got {weight}")) }
}

/// What composite SLOs among `changed` refer to and there is not, or only in a circle, or too far away. `all` are the SLOs as
/// they will be.
pub(crate) fn faults<'d>(all: impl Iterator<Item = &'d Definition>, changed: impl Iterator<Item = &'d Definition>) -> Vec<FieldFault> {
    let parts: BTreeMap<&str, &[CompositePart]> =
        all.map(|definition| (definition.objective.name.as_str(), definition.source.parts())).collect();
    let mut faults = Vec::new();
    for Definition { objective, source, .. } in changed {
        let name = objective.name.as_str();
        for part in source.parts() {
            let reason = if parts.contains_key(part.slo.as_str()) {
                circle(&parts, &mut vec![name], &part.slo)
            } else {
                Some(format!("there is no SLO {}, neither in this text nor stored", part.slo))
            };
            faults.extend(reason.map(|reason| FieldFault::new(format!("SLO {name}: {COMPOSITE_OF}"), reason)));
        }
    }
    faults
}

/// Why a part cannot be followed to its end from the last one of `path`.
fn circle<'p>(parts: &BTreeMap<&'p str, &'p [CompositePart]>, path: &mut Vec<&'p str>, part: &'p str) -> Option<String> {
    if path.contains(&part) {
        return Some(format!("goes in a circle: {} → {part}", path.join(" → ")));
    }
    if path.len() > DEEPEST {
        return Some(format!("goes too deep: {} → …; at most {DEEPEST} are allowed", path.join(" → ")));
    }
    path.push(part);
    let found = parts.get(part).into_iter().flat_map(|parts| parts.iter()).find_map(|next| circle(parts, path, &next.slo));
    path.pop();
    found
}

impl IndicatorSource {
    /// What it is made of, if of others.
    pub(crate) fn parts(&self) -> &[CompositePart] {
        match self {
            Self::Composite { parts } => parts,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_or_refused_with_the_reason() {
        let part = |slo: &str, weight, when_delayed| CompositePart { slo: slo.to_owned(), weight, when_delayed };
        let read = |text| parts_of(text, WhenDelayed::Good);
        assert_eq!(read("a"), Ok(vec![part("a", 1.0, WhenDelayed::Good)]));
        assert_eq!(
            read(" a 3 ,b:fast bad 0.5, c ignored,"),
            Ok(vec![part("a", 3.0, WhenDelayed::Good), part("b:fast", 0.5, WhenDelayed::Bad), part("c", 1.0, WhenDelayed::Ignored)])
        );
        for (text, reason) in [
            ("", "names no part"),
            ("a 0", "more than 0"),
            ("a -1", "more than 0"),
            ("a NaN", "more than 0"),
            ("a later", "later in “a later” is not understood"),
            ("a, b, a 2", "a is named twice"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.contains(reason), "{text}: {fault}");
        }
        let many: Vec<String> = (0..=MOST_PARTS).map(|part| format!("p{part}")).collect();
        assert!(read(&many.join(",")).is_err());
    }
}
