//! The bytes of a request: how they are packed, their size limit, and the key by which a retry is recognised.

use std::io::Read;

use bytes::Bytes;
use slowburn_domain::query::FieldFault;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::Refusal;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// From a `Content-Encoding` or `grpc-encoding` header; absent and empty mean none. `None` for others.
    pub fn from_header(value: Option<&str>) -> Option<Self> {
        match value.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" | "none" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OTLP's binary form.
    Protobuf,
    /// OTLP's JSON form.
    Json,
    /// Log records in the Elastic Common Schema, a JSON object a line.
    Ecs,
}

/// A request body as it arrived.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The bytes.
    pub bytes: Bytes,
    /// Their compression.
    pub compression: Compression,
    /// What is inside.
    pub format: Format,
}

impl Payload {
    /// The message itself, at most `limit` bytes.
    ///
    /// # Errors
    /// Larger than that, or not what the header said. It stops reading at the limit, however far a hostile body would
    /// swell.
    pub fn decompress(&self, limit: usize) -> Result<Bytes, Refusal> {
        let invalid = |fault: &dyn std::fmt::Display| {
            Refusal::Malformed(FieldFault::new("body", format!("not valid {:?}: {fault}", self.compression)))
        };
        let read = |reader: &mut dyn Read| -> Result<Bytes, Refusal> {
            let mut message = Vec::with_capacity((self.bytes.len() * 4).min(limit));
            let most = limit as u64 + 1;
            reader.take(most).read_to_end(&mut message).map_err(|fault| invalid(&fault))?;
            if message.len() > limit { Err(Refusal::TooLarge { limit }) } else { Ok(message.into()) }
        };
        match self.compression {
            Compression::Identity if self.bytes.len() > limit => Err(Refusal::TooLarge { limit }),
            Compression::Identity => Ok(self.bytes.clone()),
            Compression::Gzip => read(&mut flate2::read::MultiGzDecoder::new(self.bytes.as_ref())),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(self.bytes.as_ref()).map_err(|fault| invalid(&fault))?;
                // A frame may ask for a window of gigabytes; 2^26 bytes is as much as a message may have.
                decoder.window_log_max(26).map_err(|fault| invalid(&fault))?;
                read(&mut decoder)
            }
        }
    }
}

/// The key of a request: the same message of the same signal has the same key, however it was compressed.
pub fn key(signal: &[u8], message: &[u8]) -> Uuid {
    let mut hasher = Xxh3::new();
    hasher.update(signal);
    hasher.update(&[0]);
    hasher.update(message);
    Uuid::from_u128(hasher.digest128())
}
