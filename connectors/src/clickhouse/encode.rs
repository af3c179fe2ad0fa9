//! Rows as the target's columns take them: checked and cast here, because the server would coerce in silence.
//!
//! A value that does not fit is an error that names column, row and value. Knows no requests.

mod leaf;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, RecordBatch, RecordBatchOptions, StructArray, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;

use super::kind::Kind;
use super::table::Column;
use crate::error::{ConnectorError, Result};

/// Casts batches to a table's columns.
#[derive(Debug)]
pub(super) struct Encoder<'a> {
    columns: &'a [Column],
    /// The server's zone, for columns that have none.
    zone: &'a str,
    rows: u64,
}

/// Why one value was refused, or a whole type.
#[derive(Debug)]
enum Refusal {
    Value { row: usize, value: String, reason: String },
    Type,
    Arrow(arrow::error::ArrowError),
}

impl From<arrow::error::ArrowError> for Refusal {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Arrow(error)
    }
}

type Encoded<T = ArrayRef> = std::result::Result<T, Refusal>;

impl<'a> Encoder<'a> {
    pub(super) fn new(columns: &'a [Column], zone: &'a str) -> Self {
        Self { columns, zone, rows: 0 }
    }

    /// The schema in which rows of `schema` are sent.
    ///
    /// # Errors
    /// `TypeMismatch` for a column whose type the target cannot hold.
    pub(super) fn schema(&mut self, schema: &Schema) -> Result<SchemaRef> {
        let empty: Vec<ArrayRef> = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
        let fields: Vec<Field> =
            schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), empty)
            .map_err(|error| ConnectorError::Engine(error.into()))?;
        Ok(self.batch(&batch)?.schema())
    }

    /// One batch as the target takes it.
    ///
    /// # Errors
    /// `InvalidValue` for the first value that does not fit, `TypeMismatch` for a type that does not.
    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        let mut fields = Vec::with_capacity(self.columns.len());
        for (column, array) in self.columns.iter().zip(batch.columns()) {
            let encoded = encode(array, &column.kind, false, self.zone).map_err(|refusal| match refusal {
                Refusal::Value { row, value, reason } => ConnectorError::InvalidValue {
                    column: column.name.clone(),
                    row: self.rows.saturating_add(row as u64),
                    value,
                    to: column.sql_type.clone(),
                    reason,
                },
                Refusal::Type => ConnectorError::TypeMismatch {
                    column: column.name.clone(),
                    from: array.data_type().to_string(),
                    to: column.sql_type.clone(),
                },
                Refusal::Arrow(error) => ConnectorError::Engine(error.into()),
            })?;
            fields.push(Field::new(&column.name, encoded.data_type().clone(), true));
            arrays.push(encoded);
        }
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| ConnectorError::Engine(error.into()))
    }
}

fn encode(array: &ArrayRef, kind: &Kind, nullable: bool, zone: &str) -> Encoded {
    match kind {
        Kind::Nullable(inner) => return encode(array, inner, true, zone),
        Kind::LowCardinality(inner) => return encode(array, inner, nullable, zone),
        _ => {}
    }
    if !nullable
        && array.null_count() > 0
        && let Some(row) = (0..array.len()).find(|row| array.is_null(*row))
    {
        return Err(Refusal::Value { row, value: "NULL".to_owned(), reason: "it takes no nulls".to_owned() });
    }
    match kind {
        Kind::Array(item) => list(array, item, zone),
        Kind::Map(key, value) => map(array, key, value, zone),
        Kind::Tuple(elements) => tuple(array, elements, zone),
        _ => leaf::encode(array, kind, zone),
    }
}

/// The used part of a list's values, and offsets into it.
fn used(offsets: &OffsetBuffer<i32>) -> (usize, usize, OffsetBuffer<i32>) {
    let first = offsets.first().copied().unwrap_or_default();
    let last = offsets.last().copied().unwrap_or_default();
    let shifted: Vec<i32> = offsets.iter().map(|offset| offset - first).collect();
    let length = usize::try_from(last - first).unwrap_or_default();
    (usize::try_from(first).unwrap_or_default(), length, OffsetBuffer::new(shifted.into()))
}

/// A refusal inside a list, as one of the row that holds the list.
fn outer(refusal: Refusal, offsets: &OffsetBuffer<i32>) -> Refusal {
    match refusal {
        Refusal::Value { row, value, reason } => {
            let at = i32::try_from(row).unwrap_or(i32::MAX);
            let row = offsets.partition_point(|offset| *offset <= at).saturating_sub(1);
            Refusal::Value { row, value, reason }
        }
        other => other,
    }
}

fn list(array: &ArrayRef, item: &Kind, zone: &str) -> Encoded {
    let DataType::List(_) = array.data_type() else { return Err(Refusal::Type) };
    let list = array.as_list::<i32>();
    let (first, length, offsets) = used(list.offsets());
    let values =
        encode(&list.values().slice(first, length), item, false, zone).map_err(|error| outer(error, &offsets))?;
    let field = Arc::new(Field::new("item", values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
}

fn map(array: &ArrayRef, key: &Kind, value: &Kind, zone: &str) -> Encoded {
    let DataType::Map(..) = array.data_type() else { return Err(Refusal::Type) };
    let map = array.as_map();
    let (first, length, offsets) = used(map.offsets());
    let up = |error| outer(error, &offsets);
    let keys = encode(&map.keys().slice(first, length), key, false, zone).map_err(up)?;
    let values = encode(&map.values().slice(first, length), value, false, zone).map_err(up)?;
    let fields =
        vec![Field::new("key", keys.data_type().clone(), false), Field::new("value", values.data_type().clone(), true)];
    let entries = StructArray::try_new(fields.into(), vec![keys, values], None)?;
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, None, false)?))
}

fn tuple(array: &ArrayRef, elements: &[(Option<String>, Kind)], zone: &str) -> Encoded {
    let DataType::Struct(fields) = array.data_type() else { return Err(Refusal::Type) };
    if fields.len() != elements.len() {
        return Err(Refusal::Type);
    }
    let source = array.as_struct();
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for (index, (name, kind)) in elements.iter().enumerate() {
        let found = match name {
            Some(name) => fields
                .iter()
                .position(|field| field.name() == name)
                .or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name))),
            None => Some(index),
        };
        let column = found.and_then(|found| source.columns().get(found)).ok_or(Refusal::Type)?;
        let column = encode(column, kind, false, zone)?;
        let name = name.clone().unwrap_or_else(|| (index + 1).to_string());
        names.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    Ok(Arc::new(StructArray::try_new(names.into(), columns, source.nulls().cloned())?))
}

/// The first value for which `wrong` has a reason.
fn refuse(array: &dyn Array, mut wrong: impl FnMut(usize) -> Option<String>) -> Encoded<()> {
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        if let Some(reason) = wrong(row) {
            let value = array_value_to_string(array, row).unwrap_or_default().chars().take(80).collect();
            return Err(Refusal::Value { row, value, reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
