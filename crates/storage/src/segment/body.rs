//! A segment's file as far as it was fetched: the whole, or its footer and the chunks of some columns. Readers find in it what they
//! find in the file; what is missing is an error.

use std::ops::Range;

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

/// What lies between two wanted chunks is fetched with them when it is no more than this, bytes.
const GAP: u64 = 8_192;

/// The file, or parts of it.
#[derive(Clone, Debug)]
pub struct Body {
    size: u64,
    /// Where each part begins, and what it holds.
    parts: Vec<(u64, Bytes)>,
}

impl From<Bytes> for Body {
    fn from(file: Bytes) -> Self {
        Self { size: file.len() as u64, parts: vec![(0, file)] }
    }
}

impl From<Vec<u8>> for Body {
    fn from(file: Vec<u8>) -> Self {
        Self::from(Bytes::from(file))
    }
}

impl Body {
    /// The last bytes of a file that has `size` of them.
    pub(crate) fn ending(size: u64, end: Vec<u8>) -> Self {
        Self { size, parts: vec![(size.saturating_sub(end.len() as u64), end.into())] }
    }

    /// Adds the bytes from `at` on.
    pub(crate) fn add(&mut self, at: u64, part: Vec<u8>) {
        self.parts.push((at, part.into()));
    }

    /// Where the chunks of the columns lie that `is_wanted` names, as far as they are not here. `None` when the footer is not here, or
    /// is none.
    pub(crate) fn missing(&self, is_wanted: impl Fn(&str) -> bool) -> Option<Vec<Range<u64>>> {
        let footer = ParquetMetaDataReader::new().parse_and_finish(self).ok()?;
        let mut chunks = chunks(&footer, is_wanted);
        chunks.retain(|chunk| self.part(chunk.start, chunk.end - chunk.start).is_err());
        chunks.sort_unstable_by_key(|chunk| chunk.start);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for chunk in chunks {
            match ranges.last_mut() {
                Some(last) if chunk.start <= last.end + GAP => last.end = last.end.max(chunk.end),
                _ => ranges.push(chunk),
            }
        }
        Some(ranges)
    }

    /// The part that holds some bytes, and how far into it they begin.
    fn part(&self, start: u64, length: u64) -> Result<(&Bytes, usize)> {
        let holds = |(at, part): &&(u64, Bytes)| *at <= start && start.saturating_add(length) <= at + part.len() as u64;
        let (at, part) = self
            .parts
            .iter()
            .find(holds)
            .ok_or_else(|| ParquetError::EOF(format!("{length} bytes at {start} of {} are not here", self.size)))?;
        Ok((part, (start - at) as usize))
    }
}

fn chunks(footer: &ParquetMetaData, is_wanted: impl Fn(&str) -> bool) -> Vec<Range<u64>> {
    let columns = footer.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let wanted = columns.filter(|column| column.column_path().parts().first().is_some_and(|root| is_wanted(root)));
    wanted
        .filter_map(|column| {
            let start = u64::try_from(column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset())).ok()?;
            Some(start..start.saturating_add(u64::try_from(column.compressed_size()).ok()?))
        })
        .collect()
}

impl Length for Body {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Body {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let (part, from) = self.part(start, 1)?;
        Ok(part.slice(from..).reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let (part, from) = self.part(start, length as u64)?;
        Ok(part.slice(from..from + length))
    }
}
