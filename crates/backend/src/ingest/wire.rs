//! Protobuf's wire format, as far as it is read by hand: the fields of a message one after the other, and what a message
//! will weigh in memory once it is decoded.
//!
//! Two bytes on the wire can become a record of hundreds in memory, and those two bytes compress to almost nothing. So
//! every part is weighed before it is decoded.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1 as proto_metrics;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};

/// Deeper than prost decodes.
const DEEPEST: u32 = 101;

/// The fields of a message: number and, if it is a text, bytes or a message, its content.
pub(super) struct Fields<'a>(&'a [u8]);

pub(super) const fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Option<&'a [u8]>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = next(&mut self.0);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// The next field of a message, of which `rest` is left then.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Option<&'a [u8]>), String> {
    // Nearly all fields: key and length take a byte each. This is walked for every span.
    if let [key @ 8..128, length @ 0..128, behind @ ..] = *rest
        && key & 7 == WireType::LengthDelimited as u8
        && let Some((content, behind)) = behind.split_at_checked(usize::from(*length))
    {
        *rest = behind;
        return Ok((u32::from(key >> 3), Some(content)));
    }
    let (number, wire_type) = decode_key(rest).map_err(|fault| fault.to_string())?;
    if wire_type != WireType::LengthDelimited {
        skip_field(wire_type, number, rest, DecodeContext::default()).map_err(|fault| fault.to_string())?;
        return Ok((number, None));
    }
    let length = decode_varint(rest).map_err(|fault| fault.to_string())?;
    let content = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (content, behind) =
        content.ok_or_else(|| format!("field {number} says it has {length} bytes, and only {} are left", rest.len()))?;
    *rest = behind;
    Ok((number, Some(content)))
}

/// Adds a field with a text, bytes or a message.
pub(super) fn put(message: &mut Vec<u8>, number: u32, content: &[u8]) {
    encode_key(number, WireType::LengthDelimited, message);
    encode_varint(content.len() as u64, message);
    message.extend_from_slice(content);
}

/// The messages of a request below its resources and scopes.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Resource,
    Scope,
    Span,
    Log,
    Metric,
    Numbers,
    Histograms,
    Exponentials,
    Summaries,
    Number,
    Histogram,
    Exponential,
    Summary,
    Buckets,
    Exemplar,
    Quantile,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    List,
    Map,
}

impl Shape {
    /// What it takes in memory without its contents.
    const fn size(self) -> usize {
        match self {
            // Held once for many records, or a part of what holds it.
            Self::Resource | Self::Scope | Self::Numbers | Self::Histograms | Self::Exponentials | Self::Summaries | Self::Buckets => 0,
            Self::Span => size_of::<proto::Span>(),
            Self::Log => size_of::<LogRecord>(),
            Self::Metric => size_of::<proto_metrics::Metric>(),
            Self::Number => size_of::<proto_metrics::NumberDataPoint>(),
            Self::Histogram => size_of::<proto_metrics::HistogramDataPoint>(),
            Self::Exponential => size_of::<proto_metrics::ExponentialHistogramDataPoint>(),
            Self::Summary => size_of::<proto_metrics::SummaryDataPoint>(),
            Self::Exemplar => size_of::<proto_metrics::Exemplar>(),
            Self::Quantile => size_of::<proto_metrics::summary_data_point::ValueAtQuantile>(),
            Self::Event => size_of::<proto::span::Event>(),
            Self::Link => size_of::<proto::span::Link>(),
            Self::Status => size_of::<proto::Status>(),
            Self::KeyValue => size_of::<KeyValue>(),
            Self::AnyValue => size_of::<AnyValue>(),
            Self::List | Self::Map => size_of::<Vec<AnyValue>>(),
        }
    }

    /// The message in its field `number`, if there is one. Numbers are those of OTLP 1.x.
    const fn part(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Resource | Self::Map | Self::Exponential, 1)
            | (Self::Scope | Self::Event, 3)
            | (Self::Link, 4)
            | (Self::Log, 6)
            | (Self::Number | Self::Summary | Self::Exemplar, 7)
            | (Self::Span | Self::Histogram, 9)
            | (Self::Metric, 12) => Self::KeyValue,
            (Self::Metric, 5 | 7) => Self::Numbers,
            (Self::Metric, 9) => Self::Histograms,
            (Self::Metric, 10) => Self::Exponentials,
            (Self::Metric, 11) => Self::Summaries,
            (Self::Numbers, 1) => Self::Number,
            (Self::Histograms, 1) => Self::Histogram,
            (Self::Exponentials, 1) => Self::Exponential,
            (Self::Summaries, 1) => Self::Summary,
            (Self::Number, 5) | (Self::Histogram, 8) | (Self::Exponential, 11) => Self::Exemplar,
            (Self::Exponential, 8 | 9) => Self::Buckets,
            (Self::Summary, 6) => Self::Quantile,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Span, 15) => Self::Status,
            (Self::KeyValue, 2) | (Self::List, 1) | (Self::Log, 5) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::List,
            (Self::AnyValue, 6) => Self::Map,
            _ => return None,
        })
    }
}

/// About how many bytes `message` takes in memory when it is decoded. Faulty parts weigh nothing: they are not decoded.
pub(super) fn weight(shape: Shape, message: &[u8]) -> usize {
    weigh(shape, message, DEEPEST)
}

fn weigh(shape: Shape, message: &[u8], deepest: u32) -> usize {
    if deepest == 0 {
        return 0;
    }
    let parts = fields(message).map_while(Result::ok).filter_map(|(number, content)| Some((number, content?)));
    parts.fold(shape.size(), |sum, (number, content)| {
        sum + match shape.part(number) {
            Some(part) => weigh(part, content, deepest - 1),
            // Packed numbers take a byte each on the wire, and eight in memory.
            None if matches!(shape, Shape::Buckets) => content.len() * size_of::<u64>(),
            None => content.len(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order_and_the_first_fault_is_the_last() {
        let message = [0x0a, 2, b'h', b'i', 0x10, 7, 0x1d, 1, 2, 3, 4, 0x22, 9];
        let read: Vec<_> = fields(&message).map(Result::ok).collect();
        assert_eq!(read, [Some((1, Some(&b"hi"[..]))), Some((2, None)), Some((3, None)), None]);
        assert_eq!(fields(&[]).count(), 0);
        assert_eq!(
            fields(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).map(|field| field.is_err()).collect::<Vec<_>>(),
            [true]
        );
    }

    #[test]
    fn what_is_small_on_the_wire_weighs_what_it_becomes() {
        let many = |tag: u8| [tag, 0].repeat(1_000);
        let span = size_of::<proto::Span>();
        for (name, tag, each) in [
            ("attributes", 0x4a, size_of::<KeyValue>()),
            ("events", 0x5a, size_of::<proto::span::Event>()),
            ("links", 0x6a, size_of::<proto::span::Link>()),
        ] {
            assert_eq!(weight(Shape::Span, &many(tag)), span + 1_000 * each, "{name}");
        }
        // A value that is a list of a thousand empty values.
        let list = many(0x0a);
        let value = [&[0x2a, 0xd0, 0x0f][..], &list].concat();
        assert_eq!(weight(Shape::AnyValue, &value), size_of::<AnyValue>() + size_of::<Vec<AnyValue>>() + 1_000 * size_of::<AnyValue>());
    }
}
