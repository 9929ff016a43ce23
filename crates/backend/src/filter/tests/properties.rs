use proptest::prelude::*;
use slowburn_domain::span::{Kind, Span, Status, Value};
use slowburn_test_support::hostile;

use super::super::{Filter, Signal};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-2_i64..3).prop_map(Value::Int),
        (-2_i8..3).prop_map(|n| Value::Double(f64::from(n) / 2.0)),
        "[ab]?".prop_map(Value::String),
        Just(Value::Double(-0.0)),
        Just(Value::Array(vec![Value::Int(1), Value::String("a".to_owned())])),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    let attributes = prop::collection::btree_map("[kl]", value(), 0..3);
    (attributes, "[ab]", "[ab]", 0..3_i32, prop::option::of("[ab]"), 0..3_i64).prop_map(
        |(attributes, service, operation, status, id, millis)| {
            let mut span = super::payment();
            span.attributes = attributes.into_iter().collect();
            span.source = std::sync::Arc::new(slowburn_domain::span::Source { service, ..Default::default() });
            span.operation = operation;
            span.status = Status::from_number(status);
            span.kind = Kind::from_number(status);
            span.correlation_id = id;
            span.end = span.start.plus_nanos(millis * 1_000_000);
            span
        },
    )
}

fn condition() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "(service|operation|correlation_id|project_id|attributes\\.k|attributes\\[\"l\"\\]) (==|!=|<|>=) \"[ab]\"",
        "\"[ab]\" == (service|attributes\\.k)",
        "status (==|!=) \"(ok|error|unset)\"",
        "(attributes\\.k|duration_ms) (==|!=|<|<=|>) (-1|0|1|0\\.5|1\\.0|-0\\.0)",
        "attributes\\.[kl] (==|!=) (true|false|null)",
        "attributes\\.[kl]",
        "has\\(attributes\\.[kl]\\)",
        "\"[ab]\" in attributes\\.[kl]",
        "(service|attributes\\.k) in \\[\"[ab]\"(, \"[ab]\")?\\]",
        "attributes\\.k in \\[(1|0|true)\\]",
        "operation\\.(startsWith|contains)\\(\"[ab]\"\\)",
        "true|false|null",
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) && ({right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) || ({right})")),
            inner.clone().prop_map(|part| format!("!({part})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(when, then, otherwise)| format!("({when}) ? ({then}) : ({otherwise})")),
        ]
    })
}

fn has(span: &Span, key: &str, wanted: &Value) -> bool {
    let found = span.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    // As an index would look: by the text of the value.
    found.is_some_and(|value| value.to_string() == wanted.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_is_refused(text in ".{0,200}") {
        let _ = Filter::compile(&text, Signal::Spans);
    }

    #[test]
    fn any_words_compile_or_are_refused(text in hostile::filter_words()) {
        if let Ok(filter) = Filter::compile(&text, Signal::Spans) {
            let _ = filter.matches(&super::payment());
        }
    }

    #[test]
    fn what_matches_meets_the_requirements(source in condition(), span in span()) {
        let filter = super::compile(&source);
        let required = filter.requirements();
        if filter.matches(&span) {
            prop_assert!(required.service.is_none_or(|service| service == span.source.service));
            prop_assert!(required.operation.is_none_or(|operation| operation == span.operation));
            prop_assert!(required.status.is_none_or(|status| status == span.status));
            prop_assert!(!required.errors_only || span.status == Status::Error);
            prop_assert!(required.correlation_id.is_none_or(|id| Some(id) == span.correlation_id));
            prop_assert!(required.project_id.is_none());
            for (key, value) in &required.attributes {
                prop_assert!(has(&span, key, value), "{key} = {value}");
            }
        }
    }

    #[test]
    fn a_condition_and_its_negation_never_both_match(source in condition(), span in span()) {
        let (filter, negation) = (super::compile(&source), super::compile(&format!("!({source})")));
        prop_assert!(!(filter.matches(&span) && negation.matches(&span)));
    }

    #[test]
    fn de_morgan_holds_with_unknowns(left in condition(), right in condition(), span in span()) {
        let one = super::compile(&format!("!(({left}) && ({right}))"));
        let other = super::compile(&format!("!({left}) || !({right})"));
        prop_assert_eq!(one.matches(&span), other.matches(&span));
    }
}

#[test]
fn requirements_come_from_the_outermost_conjunction() {
    let source = r#"service == "a" && (operation == "b" && status == "error") && attributes["k"] == 200 && attributes.flag
        && trace_id == "4bf92f3577b34da6a3ce929d0e0e4736" && correlation_id in ["c"] && (project_id == "p" || true) && attributes.zero == 0"#;
    let required = super::compile(source).requirements();
    assert_eq!(required.service.as_deref(), Some("a"));
    assert_eq!(required.operation.as_deref(), Some("b"));
    assert_eq!((required.status, required.errors_only), (Some(Status::Error), true));
    assert_eq!(required.trace_id.map(|id| id.to_string()).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(required.correlation_id.as_deref(), Some("c"));
    assert_eq!(required.project_id, None);
    let mut attributes = required.attributes;
    attributes.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(attributes, [("flag".to_owned(), Value::Bool(true)), ("k".to_owned(), Value::Int(200))]);
    assert_eq!(super::compile(r#"!(service == "a")"#).requirements(), super::super::Requirements::default());
    assert_eq!(super::compile(r#"service == "a" || service == "b""#).requirements(), super::super::Requirements::default());
}
