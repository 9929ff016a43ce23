use std::time::{Duration, Instant};

use super::*;

#[test]
fn a_fault_of_yaml_is_told_by_line_and_column_of_the_whole_text() {
    let broken = "# comment\n---\nkind: SLO\n---\nkind: SLO\nmetadata: {name: a\nspec: b\n";
    let (faults, _) = told(broken);
    let of_yaml: Vec<_> = faults.iter().filter(|fault| fault.starts_with("line ")).collect();
    assert_eq!(of_yaml, ["line 7, column 5: did not find expected ',' or '}'"], "{faults:?}");
    for (text, fault) in [
        ("kind: SLO\nkind: SLO\n", "line 1, column 1: the key \"kind\" stands here twice"),
        ("\n\nkind: SLO\n\tmetadata: {}\n", "line 4, column 1: found a tab character"),
        ("kind: *nobody\n", "line 1, column 7: unknown anchor"),
        ("a: {<<: {b: c}}\n", "merge keys"),
        ("{a: b}: c\n", "a key must be text, not a map"),
        ("a: !custom b\n", "line 1, column"),
    ] {
        let (faults, _) = told(text);
        assert!(faults.len() == 1 && faults[0].contains(fault), "{text:?}: {faults:?}");
    }
}

#[test]
fn documents_are_split_where_yaml_says() {
    let texts = |text: &str| {
        yaml::split(text).map_or_else(|fault| vec![fault.reason], |documents| documents.into_iter().map(|document| document.text).collect())
    };
    for (text, expected) in [
        ("a: 1\n", vec!["a: 1\n"]),
        ("---\na: 1\n---\nb: 2", vec!["a: 1\n", "b: 2"]),
        ("%YAML 1.2\n---\na: 1\n...\n# end\n", vec!["a: 1\n"]),
        ("--- {a: 1}\n--- # note\nb: 2\n", vec!["    {a: 1}\n", "    # note\nb: 2\n"]),
        ("a: |\n  text\n  ---\n  more\n--- \nb: 2\n", vec!["a: |\n  text\n  ---\n  more\n", "b: 2\n"]),
        ("a: ---\n----\n", vec!["a: ---\n----\n"]),
        ("a: 1\r\n---\r\nb: 2\r\n", vec!["a: 1\r\n", "b: 2\r\n"]),
        ("\u{feff}a: 1\n", vec!["a: 1\n"]),
        ("---\n---\n# nothing\n", vec!["there is no document in this text"]),
        ("", vec!["there is no document in this text"]),
    ] {
        assert_eq!(texts(text), expected, "{text:?}");
    }
}

#[test]
fn anchors_are_followed() {
    let text = with("filter: status != \"error\" && duration_ms < 300", "filter: &same 'true'")
        .replace("filter: service == \"checkout\" && kind == \"server\"", "filter: *same");
    assert_eq!(parsed(&text).definitions.len(), 1);
}

#[test]
fn what_is_not_a_document_is_refused() {
    assert_eq!(told("just text").0, ["document: expected a map, got text"]);
    assert_eq!(told("~").0, ["document: expected a map, got nothing"]);
    assert_eq!(told("[]\n---\nkind: SLO\n").0[0], "documents[0]: expected a map, got a list");
    assert_eq!(told("{}").0, ["apiVersion: is required", "kind: is required"]);
}

#[test]
fn hostile_texts_cost_little() {
    let level = |level: usize| format!("a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", "));
    let laughs = (1..12).map(level).collect::<Vec<_>>().join("\n");
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 50_000].join(","));
    for (name, text) in [
        ("aliases of aliases", format!("a0: &a0 [x]\n{laughs}")),
        ("one long text, many times", long),
        ("nested brackets", "[".repeat(MAX_SIZE)),
        ("nested maps", "{a: ".repeat(MAX_SIZE / 4)),
        ("nested lists", "- ".repeat(MAX_SIZE / 2)),
        ("nested keys", "? ".repeat(MAX_SIZE / 2)),
        ("many documents", "---\na\n".repeat(MAX_SIZE / 6)),
        ("many values", format!("a: [{}]", "b,".repeat(MAX_SIZE / 2 - 8))),
        ("many keys", (0..90_000).fold(String::new(), |text, number| text + &format!("k{number}: 1\n"))),
        ("too long", "a".repeat(MAX_SIZE + 1)),
    ] {
        let start = Instant::now();
        assert!(parse(&text).is_err(), "{name}");
        // Generous: a loaded machine and an unoptimised build; without limits each of these takes minutes or all memory.
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    }
}
