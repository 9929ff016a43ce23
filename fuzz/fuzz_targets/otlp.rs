//! A request at the OTLP doors, behind its headers: the first byte says how it is packed and written.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use slowburn_backend::ingest::decode::Decoder;
use slowburn_backend::ingest::{Compression, Format, Payload};
use slowburn_backend::settings::Settings;
use slowburn_domain::time::Timestamp;

const LIMIT: usize = 1 << 20;
/// 2026-11-21T12:00:30Z.
const NOON: Timestamp = Timestamp::from_seconds(1_795_262_430);
static DECODER: LazyLock<Decoder> = LazyLock::new(|| Decoder::new(&Settings { request_bytes: LIMIT, ..Settings::default() }));

fuzz_target!(|data: &[u8]| {
    let Some((how, bytes)) = data.split_first() else { return };
    let compression = [Compression::Identity, Compression::Gzip, Compression::Zstd][usize::from(how % 3)];
    let format = if how & 4 == 0 { Format::Protobuf } else { Format::Json };
    let Ok(message) = (Payload { bytes: Bytes::copy_from_slice(bytes), compression, format }).decompress(LIMIT) else { return };
    assert!(message.len() <= LIMIT);
    if let Ok(decoded) = DECODER.decode(&message, format, NOON) {
        assert!((message.len()..=LIMIT).contains(&decoded.cost));
        assert_eq!(decoded.rejected == 0, decoded.reason.is_empty());
    }
});
