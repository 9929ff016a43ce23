//! A Bloom filter over `key=value` of the attributes in a segment, and over the words of log records. It proves absence only.

use slowburn_domain::span::Value;
use xxhash_rust::xxh3::Xxh3;

const PROBES: u64 = 5;

/// Which attributes a segment may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bloom(Vec<u8>);

impl Bloom {
    /// A filter over some hashes, of `most_bytes` bytes at most.
    pub fn of(mut hashes: Vec<u64>, most_bytes: usize) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        // Ten bits for each distinct hash make one false hit in a hundred.
        let bytes = (hashes.len() * 10).div_ceil(8).clamp(8, most_bytes.max(8));
        let mut bits = vec![0_u8; bytes];
        for hash in hashes {
            for bit in Self::probes(hash, bytes) {
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        Self(bits)
    }

    /// Takes stored bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The hash under which an attribute is filed.
    pub fn hash(key: &str, value: &Value) -> u64 {
        let mut hasher = Xxh3::new();
        hasher.update(key.as_bytes());
        hasher.update(b"=");
        match value {
            Value::String(text) => hasher.update(text.as_bytes()),
            // Integers and floats compare by value, so they must meet here.
            Value::Int(number) => hasher.update(&(*number as f64).to_bits().to_le_bytes()),
            Value::Double(number) => hasher.update(&(if *number == 0.0 { 0.0 } else { *number }).to_bits().to_le_bytes()),
            Value::Bool(truth) => hasher.update(if *truth { b"true" } else { b"fals" }),
            other => hasher.update(other.to_string().as_bytes()),
        }
        hasher.digest()
    }

    /// The hash under which a word of a log record is filed.
    pub fn word(word: &str) -> u64 {
        let mut hasher = Xxh3::new();
        hasher.update(b"\0word\0");
        hasher.update(word.as_bytes());
        hasher.digest()
    }

    /// Whether the attribute or word may be there; `false` is certain.
    pub fn may_contain(&self, hash: u64) -> bool {
        !self.0.is_empty() && Self::probes(hash, self.0.len()).all(|bit| self.0[bit / 8] & (1 << (bit % 8)) != 0)
    }

    fn probes(hash: u64, bytes: usize) -> impl Iterator<Item = usize> {
        let (first, second) = (hash & 0xffff_ffff, hash >> 32 | 1);
        (0..PROBES).map(move |probe| (first.wrapping_add(probe * second) % (bytes as u64 * 8)) as usize)
    }
}
