use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use slowburn_domain::id::{SpanId, TraceId};
use slowburn_domain::log::{LogRecord, Severity};
use slowburn_domain::span::{Event, Kind, Link, Source, Span, Status, Value};
use slowburn_domain::time::Timestamp;

use super::{
    Bloom, Cell, Columns, LaneSpan, Sought, Wanted, decode, decode_logs, decode_logs_where, decode_trace, decode_traces, encode,
    encode_logs, lane_spans, trace_ids_where,
};

fn span(trace: u8, id: u8) -> Span {
    let mut attributes = vec![
        ("http.route".to_owned(), Value::String("/pay".to_owned())),
        ("http.response.status_code".to_owned(), Value::Int(200 + i64::from(id))),
        ("ratio".to_owned(), Value::Double(0.5)),
        ("cached".to_owned(), Value::Bool(id.is_multiple_of(2))),
    ];
    if id == 7 {
        attributes.push(("tags".to_owned(), Value::Array(vec![Value::String("a\0b".to_owned()), Value::Int(1), Value::Double(2.0)])));
        attributes.push(("http.route2".to_owned(), Value::Null));
        attributes.push(("nested".to_owned(), Value::Map(vec![("z".to_owned(), Value::Int(1)), ("a".to_owned(), Value::Bool(true))])));
    }
    Span {
        trace_id: TraceId::from_bytes(&[trace; 16]).expect("not zero"),
        span_id: SpanId::from_bytes(&[id; 8]).expect("not zero"),
        parent_span_id: (id > 1).then(|| SpanId::from_bytes(&[1; 8]).expect("not zero")),
        trace_state: String::new(),
        operation: format!("op {}", id % 3),
        kind: Kind::Server,
        status: if id == 7 { Status::Error } else { Status::Ok },
        status_message: if id == 7 { "card declined: ü".to_owned() } else { String::new() },
        start: Timestamp::from_nanos(1_795_227_600_000_000_000 + i64::from(id)),
        end: Timestamp::from_nanos(1_795_227_600_000_000_500 + i64::from(id)),
        attributes,
        events: if id == 7 {
            vec![Event { time: Timestamp::from_nanos(5), name: "exception".to_owned(), attributes: vec![("n".to_owned(), Value::Int(1))] }]
        } else {
            vec![]
        },
        links: vec![Link {
            trace_id: TraceId::from_bytes(&[9; 16]).expect("not zero"),
            span_id: SpanId::from_bytes(&[9; 8]).expect("not zero"),
            attributes: vec![],
        }],
        source: Arc::new(Source {
            service: "payment".to_owned(),
            resource: vec![("service.name".to_owned(), Value::String("payment".to_owned()))],
            scope_name: "shop".to_owned(),
            scope_version: String::new(),
        }),
        correlation_id: (id == 7).then(|| "a%41+b".to_owned()),
        project_id: None,
        execution_id: None,
        weight: 1,
    }
}

#[test]
fn a8_weights_are_read_back_and_cost_nothing_where_nothing_was_left_out() {
    let whole: Vec<Span> = (1..9).map(|id| span(1, id)).collect();
    let chosen: Vec<Span> = whole.iter().map(|span| Span { weight: 100, ..span.clone() }).collect();
    let mixed: Vec<&Span> = whole.iter().take(4).chain(chosen.iter().skip(4)).collect();
    let (bytes, plain) = (encode(&mixed).expect("encoded"), encode(&whole.iter().collect::<Vec<_>>()).expect("encoded"));
    assert!(plain.len() < bytes.len());
    let weights = |body: Vec<u8>| decode(Bytes::from(body), 1).expect("read").iter().map(|span| span.weight).collect::<Vec<_>>();
    assert_eq!(weights(bytes), [1, 1, 1, 1, 100, 100, 100, 100]);
    assert_eq!(weights(plain), [1; 8]);
}

fn sorted(mut span: Span) -> Span {
    span.attributes.sort_by(|a, b| a.0.cmp(&b.0));
    span
}

fn log(number: u16, source: &Arc<Source>) -> LogRecord {
    LogRecord {
        time: Timestamp::from_nanos(number.into()),
        severity: Severity::from_number(9),
        severity_text: String::new(),
        body: Value::String(format!("line {number}")),
        event_name: String::new(),
        trace_id: (number.is_multiple_of(3)).then(|| TraceId::from_bytes(&u128::from(number).to_le_bytes()).expect("not zero")),
        span_id: None,
        attributes: vec![("n".to_owned(), Value::Int(number.into()))],
        source: Arc::clone(source),
        correlation_id: (number.is_multiple_of(4)).then(|| format!("id-{}", number % 8)),
        project_id: None,
        execution_id: None,
    }
}

#[test]
fn c6_a_story_passes_over_the_bodies_of_other_lines() {
    let source = span(1, 1).source;
    let logs: Vec<LogRecord> = (1..=2_000).map(|number| log(number, &source)).collect();
    let body = Bytes::from(encode_logs(&logs.iter().collect::<Vec<_>>()).expect("encodes"));
    let file = SerializedFileReader::new(body.clone()).expect("Parquet");
    let column = file.metadata().file_metadata().schema_descr().columns().iter().position(|column| column.name() == "body").expect("there");
    let pages = file.get_row_group(0).expect("one").get_column_page_reader(column).expect("readable");
    let rows: Vec<u32> = pages.map(|page| page.expect("whole").num_values()).collect();
    assert_eq!(rows.iter().sum::<u32>(), 2_000);
    assert!(rows.iter().all(|rows| *rows <= 256), "{rows:?}");

    let of_story = [3_u16, 255, 258, 1_200, 1_998];
    let ids = of_story.map(|number| u128::from(number).to_le_bytes());
    let found = decode_logs_where(body, 1, move |trace, _| trace.is_some_and(|trace| ids.iter().any(|id| id == trace))).expect("decodes");
    let expected = of_story.map(|number| logs[usize::from(number) - 1].body.clone());
    assert_eq!(found.into_iter().map(|log| log.body).collect::<Vec<_>>(), expected);
}

#[test]
fn c6_lanes_and_lines_of_a_story_are_those_of_the_whole_records() {
    let spans: Vec<Span> = (1..=250).map(|id| span(1 + id % 5, id)).collect();
    let body = Bytes::from(encode(&spans.iter().collect::<Vec<_>>()).expect("encodes"));
    let of_story = |trace_id: &[u8]| trace_id == [2; 16] || trace_id == [4; 16];
    let lane = |span: Span| LaneSpan {
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_span_id: span.parent_span_id,
        service: span.source.service.clone(),
        duration_nanos: span.duration_nanos(),
        operation: span.operation,
        status: span.status,
        start: span.start,
    };
    let expected: Vec<LaneSpan> = decode_traces(body.clone(), 1, of_story).expect("decodes").into_iter().map(lane).collect();
    assert_eq!(expected.len(), 100);
    assert_eq!(lane_spans(body, 1, of_story).expect("decodes"), expected);

    let logs: Vec<LogRecord> = (1..=60).map(|number| log(number, &spans[0].source)).collect();
    let body = Bytes::from(encode_logs(&logs.iter().collect::<Vec<_>>()).expect("encodes"));
    let is_wanted = |trace: Option<&[u8]>, id: Option<&str>| trace == Some(&9_u128.to_le_bytes()[..]) || id == Some("id-4");
    let all = decode_logs(body.clone(), 1).expect("decodes");
    let expected: Vec<LogRecord> = all
        .into_iter()
        .filter(|log| is_wanted(log.trace_id.as_ref().map(|id| &id.as_bytes()[..]), log.correlation_id.as_deref()))
        .collect();
    assert_eq!(expected.len(), 9);
    assert_eq!(decode_logs_where(body.clone(), 1, is_wanted).expect("decodes"), expected);
    assert_eq!(decode_logs_where(body.clone(), 1, |_, _| false).expect("decodes"), []);
    for sought in
        [Sought { status: Some(Status::Error), ..Sought::default() }, Sought { operation: Some("op 1".to_owned()), ..Sought::default() }]
    {
        assert!(trace_ids_where(body.clone(), 1, &sought, |_, _| true).is_err(), "no spans: {sought:?}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let spans: Vec<Span> = (1..=250).map(|id| span(1 + id % 5, id)).collect();
    let body = Bytes::from(encode(&spans.iter().collect::<Vec<_>>()).expect("encodes"));
    let read: Vec<Span> = decode(body.clone(), 1).expect("decodes").into_iter().map(sorted).collect();
    let expected: Vec<Span> = spans.into_iter().map(sorted).collect();
    assert_eq!(read, expected);
    let wanted = TraceId::from_bytes(&[3; 16]).expect("not zero");
    let one: Vec<Span> = decode_trace(body, 1, wanted).expect("decodes").into_iter().map(sorted).collect();
    assert_eq!(one, expected.into_iter().filter(|span| span.trace_id == wanted).collect::<Vec<_>>());
    assert_eq!(one.len(), 50);
}

#[test]
fn h11_a_search_finds_the_traces_of_spans_that_meet_all_its_conditions() {
    let spans: Vec<Span> = (0..20_000_u32)
        .map(|number| {
            let mut span = span(1 + (number % 5) as u8, 1 + (number % 250) as u8);
            span.span_id = SpanId::from_bytes(&u64::from(number + 1).to_be_bytes()).expect("not zero");
            span.attributes.push(("number".to_owned(), Value::String(format!("{:x}", number.wrapping_mul(0x9e37_79b9)))));
            span
        })
        .collect();
    let file = Bytes::from(encode(&spans.iter().collect::<Vec<_>>()).expect("encodes"));
    let by_number = Wanted { attributes: Some(vec!["number".to_owned()]), ..Wanted::default() };
    let failed = |operation: &str| Sought { operation: Some(operation.to_owned()), status: Some(Status::Error), ..Sought::default() };
    for (sought, letter, traces) in [
        (Sought::default(), None, 5),
        (Sought { filter: Some(by_number.clone()), ..Sought::default() }, Some("a"), 5),
        (Sought { filter: Some(by_number.clone()), ..Sought::default() }, Some("nowhere"), 0),
        (failed("op 1"), None, 1),
        (failed("op 2"), None, 0),
        (Sought { service: Some("nobody".to_owned()), ..Sought::default() }, None, 0),
        (Sought { service: Some("payment".to_owned()), ..failed("op 1") }, None, 1),
        (Sought { filter: Some(by_number), ..failed("op 1") }, Some("a"), 1),
    ] {
        let begins = move |text: &str| letter.is_none_or(|letter| text.starts_with(letter));
        let matches = move |columns: &Columns, row| match columns.attribute(row, "number") {
            Some(Cell::Str(text)) => begins(text),
            other => panic!("{other:?}"),
        };
        let is_sought = |span: &&Span| {
            let number = span.attributes.iter().find(|(key, _)| key == "number").and_then(|(_, value)| value.as_str());
            sought.service.as_ref().is_none_or(|service| *service == span.source.service)
                && sought.operation.as_ref().is_none_or(|operation| *operation == span.operation)
                && sought.status.is_none_or(|status| status == span.status)
                && number.is_some_and(begins)
        };
        let found: BTreeSet<TraceId> = trace_ids_where(file.clone(), 1, &sought, matches).expect("read").into_iter().collect();
        assert_eq!(found, spans.iter().filter(is_sought).map(|span| span.trace_id).collect());
        assert_eq!(found.len(), traces, "{sought:?} {letter:?}");
    }
}

#[test]
fn bytes_that_are_no_segment_are_an_error() {
    assert!(decode(Bytes::from(b"PAR1 not really PAR1".to_vec()), 1).is_err());
    assert!(decode(Bytes::from(Vec::new()), 1).is_err());
}

#[test]
fn a_bloom_filter_never_denies_what_is_there() {
    let hashes: Vec<u64> = (0..4_000).map(|n| Bloom::hash("order", &Value::Int(n))).collect();
    let bloom = Bloom::of(hashes.clone(), 4 * 4_096);
    assert!(hashes.iter().all(|hash| bloom.may_contain(*hash)));
    let false_hits = (4_000..14_000).filter(|n| bloom.may_contain(Bloom::hash("order", &Value::Int(*n)))).count();
    assert!(false_hits < 300, "{false_hits} of 10,000");
    assert_eq!(Bloom::hash("n", &Value::Int(1)), Bloom::hash("n", &Value::Double(1.0)));
}
