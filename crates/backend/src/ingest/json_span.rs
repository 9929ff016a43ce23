//! One span of OTLP's JSON form, field by field: hex ids, integers as enums, 64-bit integers as texts or numbers, bytes as
//! base64; fields that are not known are passed over. A fault names its field.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::trace::v1 as proto;
use serde_json::{Map, Value};

/// ProtoJSON takes base64 of both alphabets, padded or not; the text is brought to this one first.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// A field that cannot be read.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) reason: &'static str,
}

pub(super) type Read<T> = Result<T, Fault>;

/// The attributes of a resource; without one there are none.
pub(super) fn resource(item: &Value, path: &str) -> Read<Vec<KeyValue>> {
    match item {
        Value::Null => Ok(Vec::new()),
        item => attributes(object(item, path)?, "attributes", path),
    }
}

/// Name and version of a scope.
pub(super) fn scope(item: &Value, path: &str) -> Read<InstrumentationScope> {
    let item = match item {
        Value::Null => return Ok(InstrumentationScope::default()),
        item => object(item, path)?,
    };
    Ok(InstrumentationScope { name: text(item, "name", path)?, version: text(item, "version", path)?, ..InstrumentationScope::default() })
}

/// A span. Whether its ids and times make sense is not looked at here.
pub(super) fn span(item: &Value, path: &str) -> Read<proto::Span> {
    let item = object(item, path)?;
    let status = match item.get("status") {
        None | Some(Value::Null) => None,
        Some(status) => {
            let path = format!("{path}.status");
            let status = object(status, &path)?;
            Some(proto::Status { message: text(status, "message", &path)?, code: number(status, "code", &path)? })
        }
    };
    let mut events = Vec::new();
    for (e, event) in list(item, "events", path)?.iter().enumerate() {
        let path = format!("{path}.events[{e}]");
        let event = object(event, &path)?;
        events.push(proto::span::Event {
            time_unix_nano: number(event, "timeUnixNano", &path)?,
            name: text(event, "name", &path)?,
            attributes: attributes(event, "attributes", &path)?,
            ..proto::span::Event::default()
        });
    }
    let mut links = Vec::new();
    for (l, link) in list(item, "links", path)?.iter().enumerate() {
        let path = format!("{path}.links[{l}]");
        let link = object(link, &path)?;
        links.push(proto::span::Link {
            trace_id: hex(link, "traceId", &path)?,
            span_id: hex(link, "spanId", &path)?,
            attributes: attributes(link, "attributes", &path)?,
            ..proto::span::Link::default()
        });
    }
    Ok(proto::Span {
        trace_id: hex(item, "traceId", path)?,
        span_id: hex(item, "spanId", path)?,
        parent_span_id: hex(item, "parentSpanId", path)?,
        trace_state: text(item, "traceState", path)?,
        name: text(item, "name", path)?,
        kind: number(item, "kind", path)?,
        start_time_unix_nano: number(item, "startTimeUnixNano", path)?,
        end_time_unix_nano: number(item, "endTimeUnixNano", path)?,
        attributes: attributes(item, "attributes", path)?,
        events,
        links,
        status,
        ..proto::Span::default()
    })
}

pub(super) fn fault(path: &str, key: &str, reason: &'static str) -> Fault {
    Fault { path: if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }, reason }
}

pub(super) fn object<'a>(item: &'a Value, path: &str) -> Read<&'a Map<String, Value>> {
    item.as_object().ok_or_else(|| Fault { path: path.to_owned(), reason: "expected an object" })
}

pub(super) fn list<'a>(item: &'a Map<String, Value>, key: &str, path: &str) -> Read<&'a [Value]> {
    match item.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(fault(path, key, "expected a list")),
    }
}

pub(super) fn text(item: &Map<String, Value>, key: &str, path: &str) -> Read<String> {
    match item.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(fault(path, key, "expected a text")),
    }
}

/// A whole number, given as a number or as a text; absent means 0.
pub(super) fn number<T: TryFrom<i128> + Default>(item: &Map<String, Value>, key: &str, path: &str) -> Read<T> {
    let number: Option<i128> = match item.get(key) {
        None | Some(Value::Null) => return Ok(T::default()),
        Some(Value::Number(number)) => {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| whole(number.as_f64()?))
        }
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| fault(path, key, "expected a whole number in range"))
}

/// ProtoJSON lets an integer be written as `1e3` or `5.0`.
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() < 9e18).then_some(number as i128)
}

/// An id in hex of either case; absent means empty.
pub(super) fn hex(item: &Map<String, Value>, key: &str, path: &str) -> Read<Vec<u8>> {
    let text = text(item, key, path)?;
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    digits
        .filter(|digits| digits.len().is_multiple_of(2))
        .map(|digits| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        .ok_or_else(|| fault(path, key, "expected hex digits"))
}

pub(super) fn attributes(item: &Map<String, Value>, key: &str, path: &str) -> Read<Vec<KeyValue>> {
    list(item, key, path)?
        .iter()
        .enumerate()
        .map(|(index, pair)| {
            let path = format!("{path}.{key}[{index}]");
            let pair = object(pair, &path)?;
            let value = pair.get("value").map(|value| any_value(value, &path)).transpose()?;
            Ok(KeyValue { key: text(pair, "key", &path)?, value, ..KeyValue::default() })
        })
        .collect()
}

/// The kinds of values of OTLP 1.x.
const VALUES: [&str; 7] = ["stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue"];

pub(super) fn any_value(value: &Value, path: &str) -> Read<AnyValue> {
    let item = match value {
        Value::Null => return Ok(AnyValue::default()),
        other => object(other, path)?,
    };
    let wrong = |key: &str, reason| fault(path, key, reason);
    let known = VALUES.iter().find_map(|key| Some((*key, item.get(*key).filter(|inner| !inner.is_null())?)));
    let Some((key, inner)) = known else {
        return Ok(AnyValue::default());
    };
    let value = match key {
        "stringValue" => any_value::Value::StringValue(text(item, key, path)?),
        "boolValue" => any_value::Value::BoolValue(inner.as_bool().ok_or_else(|| wrong(key, "expected true or false"))?),
        "intValue" => any_value::Value::IntValue(number(item, key, path)?),
        "doubleValue" => any_value::Value::DoubleValue(double(inner).ok_or_else(|| wrong(key, "expected a number"))?),
        "bytesValue" => {
            let bytes = inner.as_str().and_then(|text| BASE64.decode(text.replace('-', "+").replace('_', "/")).ok());
            any_value::Value::BytesValue(bytes.ok_or_else(|| wrong(key, "expected base64"))?)
        }
        "arrayValue" => {
            let path = format!("{path}.{key}");
            let items = list(object(inner, &path)?, "values", &path)?;
            any_value::Value::ArrayValue(ArrayValue { values: items.iter().map(|item| any_value(item, &path)).collect::<Read<_>>()? })
        }
        // The last of them: a map.
        _ => {
            let path = format!("{path}.{key}");
            any_value::Value::KvlistValue(KeyValueList { values: attributes(object(inner, &path)?, "values", &path)? })
        }
    };
    Ok(AnyValue { value: Some(value) })
}

/// ProtoJSON writes the special ones as text.
pub(super) fn double(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            other => other.parse().ok(),
        },
        other => other.as_f64(),
    }
}
