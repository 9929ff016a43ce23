//! PostgreSQL's binary `COPY` format (documentation, "COPY", section "Binary Format"), as far as our tables need it.
//! sqlx carries the bytes; it has no encoder for them.

use std::borrow::Cow;

use sqlx::PgConnection;

use crate::Result;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const INT8_OID: u32 = 20;
const TEXT_OID: u32 = 25;

/// Rows on their way into a table.
#[derive(Debug)]
pub struct Rows {
    bytes: Vec<u8>,
    count: u64,
}

impl Default for Rows {
    fn default() -> Self {
        Self { bytes: SIGNATURE.to_vec(), count: 0 }
    }
}

impl Rows {
    /// Begins a row of `columns` columns; as many values must follow.
    pub fn row(&mut self, columns: i16) -> &mut Self {
        self.count += 1;
        self.bytes.extend_from_slice(&columns.to_be_bytes());
        self
    }

    fn value(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&i32::try_from(length).expect("a value is far below 2 GiB").to_be_bytes());
    }

    /// `smallint`.
    pub fn int2(&mut self, value: i16) -> &mut Self {
        self.value(&value.to_be_bytes())
    }

    /// `integer`.
    pub fn int4(&mut self, value: i32) -> &mut Self {
        self.value(&value.to_be_bytes())
    }

    /// `bigint`.
    pub fn int8(&mut self, value: i64) -> &mut Self {
        self.value(&value.to_be_bytes())
    }

    /// `boolean`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.value(&[u8::from(value)])
    }

    /// `uuid`, or any type whose binary form is the bytes themselves.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.value(value)
    }

    /// `text`. U+0000, which PostgreSQL cannot hold, becomes U+FFFD.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.value(storable(value).as_bytes())
    }

    /// `NULL`.
    pub fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    /// `bigint[]`.
    pub fn int8_array(&mut self, values: &[i64]) -> &mut Self {
        self.length(20 + values.len() * 12);
        self.array_header(INT8_OID, values.len());
        for value in values {
            self.value(&value.to_be_bytes());
        }
        self
    }

    /// `text[]`.
    pub fn text_array<T: AsRef<str>>(&mut self, values: &[T]) -> &mut Self {
        self.length(20 + values.iter().map(|v| 4 + v.as_ref().len()).sum::<usize>());
        self.array_header(TEXT_OID, values.len());
        for value in values {
            self.value(value.as_ref().as_bytes());
        }
        self
    }

    fn array_header(&mut self, element: u32, length: usize) {
        for number in [1, 0, element, u32::try_from(length).expect("arrays are short"), 1] {
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
    }

    /// Sends the rows by `statement` (`COPY … FROM STDIN (FORMAT binary)`); without rows it does nothing.
    ///
    /// # Errors
    /// The database refused; the copy is aborted, and with it the open transaction.
    pub async fn send(mut self, connection: &mut PgConnection, statement: &str) -> Result<u64> {
        if self.count == 0 {
            return Ok(0);
        }
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        let mut copy = connection.copy_in_raw(statement).await?;
        if let Err(fault) = copy.send(self.bytes).await {
            copy.abort("the sender failed").await?;
            return Err(fault.into());
        }
        Ok(copy.finish().await?)
    }
}
/// Text as PostgreSQL can hold it: it takes every character but NUL, for which the replacement character stands. What is
/// looked up goes the same way, so it is found.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
