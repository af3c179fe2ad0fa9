//! Rows that the client sends along, as Arrow streams, in the types the engine computes with.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use bytes::Bytes;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::RelationKind;
use prost::Message;

use super::{Decoder, invalid, schema};

impl Decoder<'_> {
    pub(super) fn local_relation(&self, local: sc::LocalRelation) -> SparkResult<RelationKind> {
        let schema = schema::optional_text(local.schema.as_deref(), self.language)?;
        let chunks: Vec<Bytes> = local.data.into_iter().collect();
        if chunks.is_empty() && schema.is_none() {
            return Err(invalid("SCHEMA_REQUIRED_FOR_LOCAL_RELATION", &[]));
        }
        rows(chunks, schema)
    }

    /// What older clients upload: a whole `LocalRelation` message as one blob.
    pub(super) fn cached_local_relation(&self, cached: &sc::CachedLocalRelation) -> SparkResult<RelationKind> {
        let blob = self.blob(&cached.hash, "NOT_FOUND_CACHED_LOCAL_RELATION")?;
        let local = sc::LocalRelation::decode(blob)
            .map_err(|error| invalid("CANNOT_PARSE", &[("errorMsg", &error.to_string())]))?;
        self.local_relation(local)
    }

    pub(super) fn chunked_local_relation(&self, cached: sc::ChunkedCachedLocalRelation) -> SparkResult<RelationKind> {
        const MISSING: &str = "NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION";
        let schema = match &cached.schema_hash {
            Some(hash) => {
                let blob = self.blob(hash, MISSING)?;
                let text = std::str::from_utf8(&blob)
                    .map_err(|error| invalid("CANNOT_PARSE", &[("errorMsg", &error.to_string())]))?;
                schema::optional_text(Some(text), self.language)?
            }
            None => None,
        };
        if cached.data_hashes.is_empty() && schema.is_none() {
            return Err(invalid("CHUNKED_CACHED_LOCAL_RELATION_WITHOUT_DATA", &[]));
        }
        let chunks = cached.data_hashes.iter().map(|hash| self.blob(hash, MISSING)).collect::<SparkResult<_>>()?;
        rows(chunks, schema)
    }

    fn blob(&self, hash: &str, sub: &str) -> SparkResult<Bytes> {
        self.blobs.cached(hash).ok_or_else(|| invalid(sub, &[("hash", hash), ("sessionUUID", "")]))
    }
}

fn rows(chunks: Vec<Bytes>, schema: Option<StructType>) -> SparkResult<RelationKind> {
    let mut batches = vec![];
    let mut arrow_schema: Option<SchemaRef> = None;
    for chunk in chunks {
        let reader = StreamReader::try_new(Cursor::new(chunk), None).map_err(bad_data)?;
        let target = arrow_schema.get_or_insert_with(|| Arc::new(engine_schema(&reader.schema()))).clone();
        for batch in reader {
            batches.push(engine_batch(&batch.map_err(bad_data)?, &target)?);
        }
    }
    Ok(RelationKind::Local { batches, arrow_schema, schema })
}

fn bad_data(error: ArrowError) -> SparkError {
    invalid("ASSERTION_FAILURE", &[("message", &format!("cannot read the rows of a local relation: {error}"))])
}

fn engine_batch(batch: &RecordBatch, target: &SchemaRef) -> SparkResult<RecordBatch> {
    if batch.num_columns() != target.fields().len() {
        let text = "the chunks of a local relation have different columns";
        return Err(invalid("ASSERTION_FAILURE", &[("message", text)]));
    }
    let column = |(column, field): (&arrow::array::ArrayRef, &FieldRef)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast(column, field.data_type()).map_err(bad_data),
    };
    let columns = batch.columns().iter().zip(target.fields()).map(column).collect::<SparkResult<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(target), columns, &options).map_err(bad_data)
}

fn engine_schema(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(|field| engine_field(field)).collect::<Vec<_>>())
}

fn engine_field(field: &Field) -> Field {
    Field::new(field.name(), engine_type(field.data_type()), field.is_nullable())
        .with_metadata(field.metadata().clone())
}

/// The Arrow type the engine uses where a client may use another one for the same Spark type.
fn engine_type(from: &DataType) -> DataType {
    let renamed = |field: &Field, name: &str| Arc::new(engine_field(field).with_name(name));
    match from {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Float16 => DataType::Float32,
        DataType::Dictionary(_, value) => engine_type(value),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => DataType::List(renamed(field, "element")),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) => {
                let named = fields.iter().zip(["key", "value"]).map(|(field, name)| renamed(field, name)).collect();
                let entries = Field::new("entries", DataType::Struct(named), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => from.clone(),
        },
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| engine_field(field)).collect()),
        other => other.clone(),
    }
}
