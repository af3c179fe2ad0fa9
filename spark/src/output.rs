//! Result batches as a client sees them: Spark's column names, wire types and the session's time zone.
//!
//! Values do not change here, only how they are labelled. It knows no protocol message.

mod relabel;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;

pub(crate) use relabel::relabel;

/// The Arrow key under which Spark carries column metadata.
const METADATA_KEY: &str = "SPARK::metadata::json";

/// The Arrow schema of a result on the wire: LTZ timestamps are labelled with the session's zone.
#[must_use]
pub fn wire_schema(schema: &StructType, zone: &str) -> SchemaRef {
    let fields: Vec<FieldRef> = schema
        .fields
        .iter()
        .map(|column| {
            let field = wire_field(&Arc::new(column.to_arrow()), zone);
            let mut field = Field::clone(&field).with_name(&column.name);
            if let Some(json) = &column.metadata {
                let mut metadata = field.metadata().clone();
                metadata.insert(METADATA_KEY.to_string(), json.clone());
                field = field.with_metadata(metadata);
            }
            Arc::new(field)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// A batch of a result, columns by position, with Spark's names and wire types.
pub fn encode_batch(batch: &RecordBatch, schema: &StructType, zone: &str) -> SparkResult<RecordBatch> {
    if batch.num_columns() != schema.fields.len() {
        return Err(SparkError::internal(format!(
            "a result of {} columns was announced with {}",
            batch.num_columns(),
            schema.fields.len()
        )));
    }
    let wire = wire_schema(schema, zone);
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(wire.fields()) {
        let column = relabel(column, field.data_type())
            .map_err(|error| SparkError::internal(format!("column `{}`: {error}", field.name())))?;
        columns.push(column);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(wire, columns, &options).map_err(|error| SparkError::internal(error.to_string()))
}

/// An empty batch of a result.
#[must_use]
pub fn empty_batch(schema: &StructType, zone: &str) -> RecordBatch {
    RecordBatch::new_empty(wire_schema(schema, zone))
}

fn wire_field(field: &FieldRef, zone: &str) -> FieldRef {
    let data_type = match field.data_type() {
        ArrowType::Timestamp(unit, Some(_)) => ArrowType::Timestamp(*unit, Some(zone.into())),
        ArrowType::List(element) => ArrowType::List(wire_field(element, zone)),
        ArrowType::Map(entries, sorted) => ArrowType::Map(wire_field(entries, zone), *sorted),
        ArrowType::Struct(fields) => ArrowType::Struct(fields.iter().map(|f| wire_field(f, zone)).collect::<Fields>()),
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
