use super::*;

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);
const UNKNOWN: Option<bool> = None;

fn check(cases: &[(&str, Option<bool>)]) {
    for (source, expected) in cases {
        assert_eq!(truth(source), *expected, "{source}");
    }
}

#[test]
fn named_fields_are_compared() {
    check(&[
        (r#"service == "checkout""#, YES),
        (r#""checkout" == service"#, YES),
        (r#"service != "checkout""#, NO),
        (r#"operation == "POST /pay" && kind == "server""#, YES),
        (r#"status == "error""#, YES),
        (r#"status in ["ok", "unset"]"#, NO),
        ("duration_ms == 300", YES),
        ("duration_ms < 300", NO),
        ("duration_ms <= 300.0", YES),
        ("300 > duration_ms", NO),
        ("299.999 < duration_ms", YES),
        (r#"correlation_id == "order-17""#, YES),
        (r#"service < "d""#, YES),
        (r#".service == "checkout""#, YES),
    ]);
}

#[test]
fn trace_ids_are_compared_as_hex_digits() {
    check(&[
        (r#"trace_id == "4bf92f3577b34da6a3ce929d0e0e4736""#, YES),
        (r#"trace_id == "4BF92F3577B34DA6A3CE929D0E0E4736""#, YES),
        (r#"trace_id != "4bf92f3577b34da6a3ce929d0e0e4736""#, NO),
        (r#"trace_id in ["4bf92f3577b34da6a3ce929d0e0e4736", "x"]"#, YES),
        (r#"trace_id == """#, NO),
        (r#"trace_id != """#, YES),
        (r#"trace_id.startsWith("4bf9")"#, YES),
        (r#"trace_id > "4bf92f3577b34da6a3ce929d0e0e4735""#, YES),
        ("size(trace_id) == 32", YES),
    ]);
}

#[test]
fn a_comparison_with_a_missing_value_is_unknown_and_so_is_its_negation() {
    check(&[
        (r#"attributes["absent"] == "x""#, UNKNOWN),
        (r#"attributes["absent"] != "x""#, UNKNOWN),
        (r#"!(attributes["absent"] == "x")"#, UNKNOWN),
        (r#"attributes.absent in ["x"]"#, UNKNOWN),
        (r#"attributes.absent.startsWith("x")"#, UNKNOWN),
        (r#"attributes.absent.matches("x")"#, UNKNOWN),
        ("size(attributes.absent) == 0", UNKNOWN),
        (r#""x" in attributes.absent"#, UNKNOWN),
        (r#"project_id == "p""#, UNKNOWN),
        ("attributes.absent", UNKNOWN),
        ("attributes.absent == attributes.absent", UNKNOWN),
        ("attributes.absent in []", NO),
        ("attributes.absent == null", UNKNOWN),
        ("attributes.nothing == null", YES),
        ("null", UNKNOWN),
    ]);
}

#[test]
fn a_comparison_with_another_type_is_unknown() {
    check(&[
        (r#"attributes["http.response.status_code"] == "503""#, UNKNOWN),
        (r#"attributes["http.response.status_code"] != "503""#, UNKNOWN),
        (r#"duration_ms > "1""#, UNKNOWN),
        ("attributes.retried == 1", UNKNOWN),
        ("attributes.user > 1", UNKNOWN),
        ("attributes.user", UNKNOWN),
        ("attributes.user == null", UNKNOWN),
        (r#"attributes.share.contains("5")"#, UNKNOWN),
        ("attributes.request == attributes.request", UNKNOWN),
        (r#"attributes["http.response.status_code"] in ["503", 503]"#, YES),
        (r#"attributes["http.response.status_code"] in ["503", 500]"#, UNKNOWN),
    ]);
}

#[test]
fn and_or_and_not_treat_the_unknown_as_sql_does() {
    let unknown = r#"attributes.absent == "x""#;
    let cases = [
        ("true && U", UNKNOWN),
        ("false && U", NO),
        ("U && false", NO),
        ("U && U", UNKNOWN),
        ("true || U", YES),
        ("U || true", YES),
        ("false || U", UNKNOWN),
        ("!U", UNKNOWN),
        ("!!U", UNKNOWN),
        ("U ? true : false", NO),
        ("U ? false : true", YES),
        ("true ? U : false", UNKNOWN),
        ("(U) == true", UNKNOWN),
        ("(1 < 2) == has(attributes.user)", YES),
    ];
    for (source, expected) in cases {
        assert_eq!(truth(&source.replace('U', &format!("({unknown})"))), expected, "{source}");
    }
}

#[test]
fn integers_and_floats_compare_by_value_without_rounding() {
    check(&[
        ("attributes.whole == 2", YES),
        ("attributes.whole in [1, 2]", YES),
        (r#"attributes["http.response.status_code"] >= 499.5"#, YES),
        (r#"attributes["http.response.status_code"] == 503u"#, YES),
        ("attributes.share > 0 && attributes.share < 1", YES),
        ("attributes.share > -1", YES),
        ("attributes.large == 9007199254740992.0", NO),
        ("attributes.large > 9007199254740992.0", YES),
        ("attributes.large < 1e300", YES),
        ("attributes.large > -1e300", YES),
        ("attributes.nan == attributes.nan", UNKNOWN),
        ("attributes.nan < 1", UNKNOWN),
        ("1 == 1.0", YES),
        ("0x10 == 16", YES),
    ]);
}

#[test]
fn presence_is_never_unknown() {
    check(&[
        ("has(attributes.user)", YES),
        ("has(attributes.nothing)", YES),
        ("has(attributes.absent)", NO),
        (r#""http.response.status_code" in attributes"#, YES),
        (r#""absent" in attributes"#, NO),
        (r#""deployment.environment" in resource"#, YES),
        (r#"has(attributes["request"].method)"#, YES),
        (r#"has(attributes["request"].path)"#, NO),
        (r#"has(attributes["user"].path)"#, NO),
        ("project_id in attributes", UNKNOWN),
    ]);
}

#[test]
fn lists_and_maps_are_looked_into() {
    check(&[
        (r#""large" in attributes.models"#, YES),
        ("3 in attributes.models", YES),
        (r#""medium" in attributes.models"#, UNKNOWN),
        (r#"attributes.models[0] == "small""#, YES),
        (r#"attributes.models[9] == "small""#, UNKNOWN),
        (r#"attributes.models == ["small", "large", 3.0]"#, YES),
        (r#"attributes.models == ["small"]"#, NO),
        (r#"attributes["request"]["method"] == "POST""#, YES),
        (r#"attributes["request"].method == "POST""#, YES),
        (r#"attributes["request"].sizes[0] == 7"#, YES),
        (r#""method" in attributes.request"#, YES),
        ("size(attributes.models) == 3 && attributes.request.size() == 2", YES),
        (r#"resource["deployment.environment"] == "prod""#, YES),
    ]);
}

#[test]
fn texts_are_searched() {
    check(&[
        (r#"operation.startsWith("POST ")"#, YES),
        (r#"operation.endsWith("/pay")"#, YES),
        (r#"operation.contains("ST /")"#, YES),
        (r#"operation.contains("get")"#, NO),
        (r#"attributes.empty.startsWith("")"#, YES),
        (r#"operation.contains(attributes["request"].method)"#, YES),
        (r#"operation.matches(r"^POST /\w+$")"#, YES),
        (r#"operation.matches("^pay")"#, NO),
        (r#"matches(operation, "(?i)PAY")"#, YES),
        (r#"attributes.user == "Zo\u00eb""#, YES),
        ("size(attributes.user) == 3", YES),
        (r#"(attributes.retried ? operation : service) == "POST /pay""#, YES),
        ("attributes.retried", YES),
        ("!attributes.retried", NO),
    ]);
}

#[test]
fn precedence_and_comments_are_cel() {
    check(&[
        (r#"service == "x" && false || true"#, YES),
        (r#"service == "x" && (false || true)"#, NO),
        ("true // for now\n && false", NO),
        ("'''a\nb''' == \"a\\nb\"", YES),
    ]);
}

#[test]
fn logs_have_their_own_names() {
    let matches = |source: &str| Filter::compile(source, Signal::Logs).unwrap().matches(&Line);
    assert!(matches(r#"severity == "Err" && severity in ["fatal", "ERROR"] && severity != "WARNING""#), "in any case, by any name");
    assert!(Filter::compile(r#"severity == "loud""#, Signal::Logs).is_err());
    assert!(matches(r#"service == "checkout" && severity == "ERROR" && body.contains("declined")"#));
    assert!(!matches(r#"trace_id != "x""#), "a line without trace is unknown");
    assert!(Filter::compile("duration_ms > 1", Signal::Logs).is_err());
    assert!(Filter::compile(r#"body == "x""#, Signal::Spans).is_err());
}

#[test]
fn filters_combine() {
    let span = payment();
    let (service, slow) = (compile(r#"service == "checkout" // ours"#), compile("duration_ms > 100"));
    let (unknown, other) = (compile(r#"attributes.absent == "x""#), compile(r#"service == "cart""#));
    for (filter, expected) in [
        (service.and(&slow), true),
        (service.and(&unknown), false),
        (service.except(&slow), false),
        (service.except(&unknown), true),
        (other.except(&unknown), false),
        (unknown.except(&other), false),
    ] {
        assert_eq!(filter.matches(&span), expected, "{filter:?}");
        assert_eq!(compile(filter.source()).matches(&span), expected, "its text means the same: {}", filter.source());
    }
    assert_eq!(service.and(&slow).requirements().service.as_deref(), Some("checkout"));
}
