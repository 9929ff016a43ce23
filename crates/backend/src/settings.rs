//! What the use cases can be told. `server` reads it from file, environment and flags and checks it.

use crate::ingest::SamplingRule;

/// Settings of ingest, storage and search.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number of buckets that telemetry is spread over, and of lanes that write them. At least 1; only ever raised.
    pub buckets: u16,
    /// How long raw records stay, minutes.
    pub retention_minutes: u32,
    /// Most bytes of one request after decompression.
    pub request_bytes: usize,
    /// Most decompressed bytes in flight in this process.
    pub in_flight_bytes: usize,
    /// Most records waiting in one lane; a quarter is kept for requests that hold an error.
    pub lane_records: usize,
    /// Most records of one flush.
    pub flush_records: usize,
    /// Most bytes of one flush.
    pub flush_bytes: usize,
    /// Attributes that carry a correlation ID, most trusted first.
    pub correlation_attributes: Vec<String>,
    /// Parts of attribute keys whose values are replaced.
    pub redacted_keys: Vec<String>,
    /// Whether e-mail addresses in values are replaced too.
    pub redact_emails: bool,
    /// Most series of one metric of one service that are active at the same time; points of further ones are refused.
    pub series_per_metric: usize,
    /// Most series of all metrics that are active at the same time.
    pub series: usize,
    /// What of which traces is stored, the first rule first; with none, all.
    pub sampling: Vec<SamplingRule>,
    /// Threads that may decode or encode at the same time.
    pub codec_threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            buckets: 2,
            retention_minutes: 6 * 60,
            request_bytes: 64 << 20,
            in_flight_bytes: 128 << 20,
            lane_records: 65_536,
            flush_records: 16_384,
            flush_bytes: 16 << 20,
            correlation_attributes: owned(&[
                "correlation_id",
                "correlationId",
                "correlation.id",
                "http.request.header.x-correlation-id",
                "http.request.header.x-request-id",
                "request_id",
                "session.id",
                "messaging.message.conversation_id",
                "gen_ai.conversation.id",
            ]),
            redacted_keys: owned(&[
                "password",
                "passwd",
                "secret",
                "token",
                "authorization",
                "api_key",
                "apikey",
                "cookie",
                "set_cookie",
                "private_key",
                "access_key",
                "credential",
                "credentials",
            ]),
            redact_emails: false,
            series_per_metric: 10_000,
            series: 1_000_000,
            sampling: Vec::new(),
            codec_threads: 2,
        }
    }
}

impl Settings {
    /// The numbers of all buckets.
    pub fn bucket_numbers(&self) -> Vec<i16> {
        (0..self.buckets).map(u16::cast_signed).collect()
    }

    /// Width of an arrival slot in minutes: about a fortieth of the retention, so that a table keeps fewer than 48
    /// partitions, and at least five minutes.
    pub fn slot_minutes(&self) -> i32 {
        let wanted = self.retention_minutes.div_ceil(20).max(5);
        // Widths that divide a day keep slots aligned to it.
        [5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1_440].into_iter().find(|width| *width >= wanted).unwrap_or(1_440).cast_signed()
    }

    /// The slot that `minute` arrives in.
    pub fn slot_of(&self, minute: slowburn_domain::time::Minute) -> i32 {
        let width = self.slot_minutes();
        minute.0.div_euclid(width) * width
    }
}
