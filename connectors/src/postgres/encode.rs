//! Arrow batches as COPY BINARY rows in the target columns' own types.
//!
//! COPY BINARY converts nothing, so everything is converted, checked and named here. Opens no connection.

mod array;
mod convert;
mod list;
mod text;
mod wire;

use arrow::array::{Array, RecordBatch};
use bytes::{BufMut, BytesMut};

use super::table::TableColumn;
use crate::error::{ConnectorError, Result};
use array::Values;
pub(crate) use wire::Wire;

/// What a COPY BINARY stream begins with: signature, flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Encodes batches for a fixed list of target columns.
#[derive(Debug)]
pub(crate) struct Encoder {
    targets: Vec<(TableColumn, Wire)>,
    rows: u64,
}

impl Encoder {
    /// For these columns, in input order.
    ///
    /// # Errors
    /// `TypeMismatch` for a column type we cannot send.
    pub(crate) fn new(columns: &[TableColumn]) -> Result<Self> {
        let targets = columns.iter().map(|column| Ok((column.clone(), Wire::of(column)?))).collect::<Result<_>>()?;
        Ok(Self { targets, rows: 0 })
    }

    /// Appends the stream's beginning.
    pub(crate) fn header(&self, out: &mut BytesMut) {
        out.extend_from_slice(HEADER);
    }

    /// Appends the stream's end.
    pub(crate) fn trailer(&self, out: &mut BytesMut) {
        out.put_i16(-1);
    }

    /// Rows encoded so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Converts a batch for the wire.
    ///
    /// # Errors
    /// `TypeMismatch` or `InvalidValue`, naming column, row and value.
    pub(crate) fn convert(&self, batch: &RecordBatch) -> Result<Converted> {
        if batch.num_columns() != self.targets.len() {
            let (given, wanted) = (batch.num_columns(), self.targets.len());
            return Err(ConnectorError::Protocol(format!("{given} columns for {wanted} targets")));
        }
        let mut columns = Vec::with_capacity(self.targets.len());
        for (array, (column, wire)) in batch.columns().iter().zip(&self.targets) {
            if column.not_null && array.logical_null_count() > 0 {
                let nulls = array.logical_nulls();
                let row = nulls.and_then(|nulls| nulls.iter().position(|valid| !valid)).unwrap_or_default() as u64;
                return Err(ConnectorError::InvalidValue {
                    column: column.name.clone(),
                    row: self.rows + row,
                    value: "NULL".to_owned(),
                    to: column.sql_type.clone(),
                    reason: "the column is NOT NULL".to_owned(),
                });
            }
            let converted = convert::convert(array, column, wire, self.rows)?;
            columns.push(Values::new(&converted, wire, column)?);
        }
        Ok(Converted { columns, rows: batch.num_rows(), next: 0 })
    }

    /// Appends rows until `out` holds `bytes` or `most` rows were added; true while rows are left.
    ///
    /// # Errors
    /// `InvalidValue`, naming column, row and value.
    pub(crate) fn put(
        &mut self,
        converted: &mut Converted,
        out: &mut BytesMut,
        bytes: usize,
        most: usize,
    ) -> Result<bool> {
        let count = i16::try_from(self.targets.len())
            .map_err(|_| ConnectorError::Unsupported { feature: "more than 32767 columns".to_owned() })?;
        let end = converted.next.saturating_add(most).min(converted.rows);
        while converted.next < end && out.len() < bytes {
            out.put_i16(count);
            for (values, (column, _)) in converted.columns.iter().zip(&self.targets) {
                values.put(converted.next, out).map_err(|failure| ConnectorError::InvalidValue {
                    column: column.name.clone(),
                    row: self.rows,
                    value: failure.value,
                    to: column.sql_type.clone(),
                    reason: failure.reason.into_owned(),
                })?;
            }
            converted.next += 1;
            self.rows += 1;
        }
        Ok(converted.next < converted.rows)
    }
}

/// A batch in the target's types, and how far it has been encoded.
pub(crate) struct Converted {
    columns: Vec<Values>,
    rows: usize,
    next: usize,
}
