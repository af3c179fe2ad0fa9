//! Arrow batches as COPY BINARY rows in the target columns' own types.
//!
//! COPY BINARY converts nothing, so everything is converted, checked and named here. Opens no connection.

mod array;
mod convert;

use arrow::array::{Array, RecordBatch};
use bytes::{BufMut, BytesMut};

use super::table::TableColumn;
use crate::error::{ConnectorError, Result};
use array::Values;
pub use convert::Wire;

/// What a COPY BINARY stream begins with: signature, flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Encodes batches for a fixed list of target columns.
#[derive(Debug)]
pub struct Encoder {
    targets: Vec<(TableColumn, Wire)>,
    rows: u64,
}

impl Encoder {
    /// For these columns, in input order.
    ///
    /// # Errors
    /// `TypeMismatch` for a column type we cannot send.
    pub fn new(columns: &[TableColumn]) -> Result<Self> {
        let targets = columns.iter().map(|column| Ok((column.clone(), Wire::of(column)?))).collect::<Result<_>>()?;
        Ok(Self { targets, rows: 0 })
    }

    /// Appends the stream's beginning.
    pub fn header(&self, out: &mut BytesMut) {
        out.extend_from_slice(HEADER);
    }

    /// Appends the stream's end.
    pub fn trailer(&self, out: &mut BytesMut) {
        out.put_i16(-1);
    }

    /// Rows encoded so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends all rows of a batch.
    ///
    /// # Errors
    /// `TypeMismatch` or `InvalidValue`, naming column, row and value.
    pub fn batch(&mut self, batch: &RecordBatch, out: &mut BytesMut) -> Result<()> {
        if batch.num_columns() != self.targets.len() {
            return Err(ConnectorError::Protocol(format!(
                "{} columns for {} targets",
                batch.num_columns(),
                self.targets.len()
            )));
        }
        let mut columns = Vec::with_capacity(self.targets.len());
        for (array, (column, wire)) in batch.columns().iter().zip(&self.targets) {
            if column.not_null && array.logical_null_count() > 0 {
                let row = (0..array.len()).find(|row| array.is_null(*row)).unwrap_or_default() as u64;
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
        let count = i16::try_from(columns.len())
            .map_err(|_| ConnectorError::Unsupported { feature: "more than 32767 columns".to_owned() })?;
        for row in 0..batch.num_rows() {
            out.put_i16(count);
            for (values, (column, _)) in columns.iter().zip(&self.targets) {
                values.put(row, out).map_err(|failure| ConnectorError::InvalidValue {
                    column: column.name.clone(),
                    row: self.rows + row as u64,
                    value: failure.value,
                    to: column.sql_type.clone(),
                    reason: failure.reason.to_owned(),
                })?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }
}
