use super::super::{FilterError, MAX_DEPTH, MAX_LENGTH};
use super::*;

fn refusal(source: &str) -> FilterError {
    match Filter::compile(source, Signal::Spans) {
        Ok(_) => panic!("accepted: {source}"),
        Err(error) => error,
    }
}

#[test]
fn a_refusal_names_the_place_and_what_to_write_instead() {
    let cases = [
        (r#"servce == "a""#, 1, 1, "did you mean service?"),
        ("duration > 5", 1, 1, "did you mean duration_ms?"),
        (r#"true && traceId == "a""#, 1, 9, "did you mean trace_id?"),
        ("http.response.status_code == 200", 1, 1, r#"attributes["http.response.status_code"]"#),
        (r#"http.url.startsWith("x")"#, 1, 1, r#"attributes["http.url"]"#),
        ("attributes.http.method == 1", 1, 1, r#"attributes["http.method"]"#),
        (r#"service.name == "a""#, 1, 1, r#"resource["service.name"]"#),
        (r#"severity == "ERROR""#, 1, 1, "names are service"),
        ("true &&\n  foo.bar == 1", 2, 3, r#"attributes["foo.bar"]"#),
        ("attributes.grüße == 1", 1, 14, "recognition error"),
        (r#""ü" == "ü" && foo"#, 1, 15, "unknown name foo"),
        (r#"service = "a""#, 1, 9, "equality is written =="),
        (r#"service == "a" and true"#, 1, 16, "and is written &&"),
        (r#"service == "a"#, 1, 12, "does not end"),
        (r#"operation.matches("\d")"#, 1, 20, "raw string"),
        (r#"operation.matches("(")"#, 1, 19, "unclosed group"),
        ("operation.matches(service)", 1, 19, "regular expression in quotes"),
        (r#"operation.matches("(a{1000}){1000}")"#, 1, 19, "not a regular expression we can use"),
        (r#"status == "eror""#, 1, 11, "unset, ok, error"),
        (r#""SERVER" == kind"#, 1, 1, "client"),
        (r#"status in ["ok", "failed"]"#, 1, 18, "one of"),
        ("duration_ms + 1 > 5", 1, 13, "arithmetic"),
        ("-duration_ms < 5", 1, 1, "arithmetic"),
        ("service", 1, 1, "not a condition"),
        ("5", 1, 1, "condition is wanted"),
        ("[true]", 1, 1, "condition is wanted"),
        (r#"["a"].exists(x, x == "a")"#, 1, 13, "not supported"),
        (r#"{"a": 1} == attributes.x"#, 1, 1, "maps"),
        ("attributes == 1", 1, 1, "take one value"),
        ("attributes[service] == 1", 1, 12, "text in quotes"),
        ("attributes[1] == 1", 1, 12, "text in quotes"),
        ("attributes.a[-1] == 1", 1, 15, "whole number from 0"),
        ("service[0] == 1", 1, 1, "no parts"),
        (r#"has(attributes["k"])"#, 1, 15, r#""k" in attributes"#),
        ("has(service)", 1, 5, "has(attributes.k)"),
        ("has(service.x)", 1, 5, "no parts"),
        (r#"lower(service) == "a""#, 1, 6, "no function lower"),
        (r#"service.startsWith("a", "b")"#, 1, 19, "one argument"),
        ("service.startsWith(5)", 1, 20, "wants a text"),
        (r#""a" in service"#, 1, 8, "wants a list"),
        (r#"attributes.a == b"x""#, 1, 17, "byte strings"),
        ("attributes.a == 18446744073709551615u", 1, 17, "up to"),
        ("attributes.a == 99999999999999999999", 1, 17, "invalid int"),
        ("attributes.a ==", 1, 16, "the end of the text"),
        ("", 1, 1, "empty"),
        ("  // nothing\n", 2, 1, "the end of the text"),
        ("attributes.?a == 1", 1, 11, "unsupported syntax"),
    ];
    let astray = cases
        .iter()
        .map(|case| (case, refusal(case.0)))
        .filter(|((_, line, column, words), error)| !error.reason.contains(words) || (error.line, error.column) != (*line, *column));
    let astray: Vec<String> = astray.map(|(case, error)| format!("{}: {error}", case.0)).collect();
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}

#[test]
fn length_and_depth_are_limited() {
    assert!(refusal(&format!("service == \"{}\"", "a".repeat(MAX_LENGTH))).reason.contains("at most"));
    for (start, link, end) in [
        ("", "(", ""),
        ("", "[", ""),
        ("", "!(", ""),
        ("attributes", ".a", " == 1"),
        ("1", "==1", ""),
        ("1", "+1", " == 1"),
        ("true", "?true:true", ""),
        ("attributes", "[1]", " == 1"),
        ("", "size(", ""),
        ("1", ".a", ""),
        ("", "{1:", ""),
    ] {
        let hostile = format!("{start}{}{end}", link.repeat((MAX_LENGTH - 40) / link.len()));
        assert!(refusal(&hostile).reason.contains("nested deeper"), "{}", &hostile[..40]);
    }
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::compile(&nested(MAX_DEPTH), Signal::Spans).is_ok());
    assert!(Filter::compile(&nested(MAX_DEPTH + 1), Signal::Spans).is_err());
}

#[test]
fn what_is_deepest_and_longest_still_fits_a_small_stack() {
    let ternaries = format!("{}true", "true ? true : ".repeat(MAX_DEPTH));
    let wide = vec!["true"; 1_000].join(" && ");
    let calls = format!("{}attributes.a{} == 1", "size(".repeat(MAX_DEPTH - 2), ")".repeat(MAX_DEPTH - 2));
    let nested = format!("{}true{}", "!(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    for source in [ternaries, wide, calls, nested] {
        let thread = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || Filter::compile(&source, Signal::Spans).map(|filter| filter.matches(&payment())));
        assert!(thread.unwrap().join().unwrap().is_ok());
    }
}
