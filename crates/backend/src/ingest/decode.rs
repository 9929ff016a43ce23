//! A message to records: decoded, cleaned of secrets, read for the IDs people search by. CPU-bound and pure; runs on a codec
//! thread.

use slowburn_domain::event::EventLine;
use slowburn_domain::signal::Telemetry;
use slowburn_domain::span::Value;
use slowburn_domain::time::Timestamp;
use uuid::Uuid;

use super::correlation::IdReader;
use super::intake::{Intake, SWELLING};
use super::payload::{self, Format};
use super::records::Records;
use super::redaction::Redactor;
use super::series::SeriesGuard;
use super::{Refusal, Rejected, ecs, json, protobuf};
use crate::settings::Settings;

/// Reads messages of one set of settings.
pub struct Decoder {
    request_bytes: usize,
    redactor: Redactor,
    ids: IdReader,
    series: SeriesGuard,
    slots: Settings,
}

/// What was in a message.
#[derive(Debug)]
pub struct Decoded {
    /// The key by which the same message is recognised.
    pub key: Uuid,
    /// The good records, in the order they came.
    pub records: Records,
    /// How many were refused.
    pub rejected: u64,
    /// Why, with the path of each of the first faults.
    pub reason: String,
    /// The first faults one by one, of a form whose answer has a place for them.
    pub faults: Vec<Rejected>,
    /// How many values were replaced because they looked like secrets.
    pub redacted: u64,
    /// What it counts against the bytes in flight: its own, or more if it swells far when it is decoded.
    pub cost: usize,
}

impl Decoder {
    /// A decoder that goes by `settings`.
    pub fn new(settings: &Settings) -> Self {
        Self {
            request_bytes: settings.request_bytes,
            redactor: Redactor::new(&settings.redacted_keys, settings.redact_emails),
            ids: IdReader::new(&settings.correlation_attributes),
            series: SeriesGuard::new(settings.series_per_metric, settings.series),
            slots: settings.clone(),
        }
    }

    /// Replaces secrets of an event and reads its correlation ID: from its attributes, `correlationid` first, or from the fields of
    /// its data. Gives how many values were replaced.
    pub(crate) fn clean_event(&self, event: &mut EventLine) -> u64 {
        let mut redacted = self.redactor.attributes(&mut event.extensions);
        redacted += self.redactor.any_value(&mut event.data);
        let own = event.extensions.iter().find(|(name, _)| name == "correlationid").and_then(|(_, value)| value.as_str());
        let fields: &[(String, Value)] = if let Value::Map(fields) = &event.data { fields } else { &[] };
        event.correlation_id = own
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .or_else(|| self.ids.correlation(&event.extensions))
            .or_else(|| self.ids.correlation(fields));
        redacted
    }

    /// Which series are active.
    pub(super) const fn series(&self) -> &SeriesGuard {
        &self.series
    }

    /// Reads a decompressed message that arrived at `now`.
    ///
    /// # Errors
    /// It cannot be read as a whole, or would take too much memory.
    pub fn decode(&self, message: &[u8], signal: Telemetry, format: Format, now: Timestamp) -> Result<Decoded, Refusal> {
        let slot = self.slots.slot_of(now.minute());
        let mut intake = Intake::new(signal, self.request_bytes, now, &self.redactor, &self.series, slot);
        match format {
            Format::Protobuf => protobuf::read(message, &mut intake)?,
            Format::Json => json::read(message, &mut intake)?,
            Format::Ecs => ecs::read(message, &mut intake)?,
        }
        let Intake { mut records, mut faults, mut redacted, weight, .. } = intake;
        match &mut records {
            Records::Spans(spans) => {
                for span in spans {
                    redacted += self.redactor.clean(span);
                    self.ids.read(span);
                }
            }
            Records::Logs(records) => {
                for record in records {
                    redacted += self.redactor.clean_log(record);
                    self.ids.read_log(record);
                }
            }
            // Cleaned when they were read: what tells series apart must not hold a secret.
            Records::Metrics(_) => {}
        }
        let name: &[u8] = match (signal, format) {
            (Telemetry::Spans, _) => b"traces",
            (Telemetry::Logs, Format::Ecs) => b"ecs",
            (Telemetry::Logs, _) => b"logs",
            (Telemetry::Metrics, _) => b"metrics",
        };
        Ok(Decoded {
            key: payload::key(name, message),
            records,
            rejected: faults.count(),
            faults: faults.take_by_field(),
            reason: faults.into_reason(),
            redacted,
            cost: message.len().max(weight / SWELLING),
        })
    }
}
