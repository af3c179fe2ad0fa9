//! COPY BINARY rows to Arrow arrays.
//!
//! Trusts no length: a short row is an error, not a panic. Opens no connection.

mod column;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use bytes::Buf;

use super::ReadSpec;
use crate::error::{ConnectorError, Result};
use column::Column;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

pub(super) struct Decoder {
    schema: SchemaRef,
    columns: Vec<(String, Column)>,
    started: bool,
    ended: bool,
    rows: usize,
    bytes: usize,
    /// Rows of batches taken before.
    taken: u64,
}

impl Decoder {
    pub(super) fn new(spec: &ReadSpec) -> Self {
        let columns = spec.columns.iter().map(|column| (column.name.clone(), Column::new(&column.kind))).collect();
        Self { schema: spec.schema(), columns, started: false, ended: false, rows: 0, bytes: 0, taken: 0 }
    }

    /// Takes one message, which holds whole rows.
    pub(super) fn push(&mut self, mut message: &[u8]) -> Result<()> {
        self.bytes += message.len();
        if !self.started {
            header(&mut message)?;
            self.started = true;
        }
        while !message.is_empty() && !self.ended {
            self.row(&mut message)?;
        }
        Ok(())
    }

    /// Rows not yet taken.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// About how many bytes they have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the end of the stream was seen.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// The rows so far.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        let arrays: Vec<ArrayRef> =
            self.columns.iter_mut().map(|(_, column)| column.finish()).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        self.taken += self.rows as u64;
        self.rows = 0;
        self.bytes = 0;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| ConnectorError::Engine(error.into()))
    }

    fn row(&mut self, message: &mut &[u8]) -> Result<()> {
        let count = message.try_get_i16().map_err(|_| short())?;
        if count == -1 {
            self.ended = true;
            return Ok(());
        }
        let expected = self.columns.len().max(1);
        if usize::try_from(count).ok() != Some(expected) {
            return Err(ConnectorError::Protocol(format!("row with {count} fields instead of {expected}")));
        }
        if self.columns.is_empty() {
            message.try_get_i32().map_err(|_| short())?;
        }
        for (name, column) in &mut self.columns {
            let value = value(message)?;
            let Some(value) = value else {
                column.append_null();
                continue;
            };
            column.append(value).map_err(|reason| ConnectorError::InvalidValue {
                column: name.clone(),
                row: self.taken + self.rows as u64,
                value: column::shown(column, value),
                to: "the column's type".to_owned(),
                reason: reason.to_owned(),
            })?;
        }
        self.rows += 1;
        Ok(())
    }
}

fn header(message: &mut &[u8]) -> Result<()> {
    let rest = message.strip_prefix(SIGNATURE).ok_or_else(short)?;
    *message = rest;
    message.try_get_i32().map_err(|_| short())?;
    let extension = usize::try_from(message.try_get_u32().map_err(|_| short())?).map_err(|_| short())?;
    *message = message.get(extension..).ok_or_else(short)?;
    Ok(())
}

/// The next value, which may be null.
fn value<'a>(message: &mut &'a [u8]) -> Result<Option<&'a [u8]>> {
    let length = message.try_get_i32().map_err(|_| short())?;
    if length < 0 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| short())?;
    let (value, rest) = message.split_at_checked(length).ok_or_else(short)?;
    *message = rest;
    Ok(Some(value))
}

fn short() -> ConnectorError {
    ConnectorError::Protocol("malformed COPY data".to_owned())
}
