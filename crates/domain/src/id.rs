//! Identifiers of telemetry, as OpenTelemetry defines them: fixed-width bytes, written as lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Neither the right number of digits nor only hex digits.
    #[error("expected {expected} hex digits, got {got:?}")]
    NotHex {
        /// How many digits the identifier has.
        expected: usize,
        /// What was there instead, shortened.
        got: String,
    },
    /// All zeroes, which W3C Trace Context and OTLP declare invalid.
    #[error("all zeroes is not a valid id")]
    Zero,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Takes raw bytes.
            ///
            /// # Errors
            /// The wrong length, or all zeroes.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
                let array: [u8; $bytes] = bytes
                    .try_into()
                    .map_err(|_| IdError::NotHex { expected: $bytes * 2, got: format!("{} bytes", bytes.len()) })?;
                if array == [0; $bytes] { Err(IdError::Zero) } else { Ok(Self(array)) }
            }

            /// The raw bytes, most significant first.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = parse_hex::<$bytes>(text).ok_or_else(|| IdError::NotHex {
                    expected: $bytes * 2,
                    got: text.chars().take(48).collect(),
                })?;
                Self::from_bytes(&bytes)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

hex_id!(
    /// The 128-bit id that all spans of one trace share.
    TraceId, 16
);
hex_id!(
    /// The 64-bit id of a span within its trace.
    SpanId, 8
);

fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(bytes)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_either_case_and_written_in_lower_case() {
        let id: TraceId = "4BF92F3577B34DA6A3CE929D0E0E4736".parse().expect("valid");
        assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(serde_json::to_string(&id).expect("json"), "\"4bf92f3577b34da6a3ce929d0e0e4736\"");
    }

    #[test]
    fn zero_short_and_foreign_ids_are_refused_with_a_reason() {
        assert_eq!("00000000000000000000000000000000".parse::<TraceId>(), Err(IdError::Zero));
        assert!(matches!("4bf9".parse::<TraceId>(), Err(IdError::NotHex { expected: 32, .. })));
        assert!(matches!("zzzzzzzzzzzzzzzz".parse::<SpanId>(), Err(IdError::NotHex { expected: 16, .. })));
        assert!(matches!("é234567890abcde".parse::<SpanId>(), Err(IdError::NotHex { .. })));
    }
}
