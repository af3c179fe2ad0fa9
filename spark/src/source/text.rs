//! Text files: one row a line, or one row a file with `wholetext`.
//!
//! The rows are read here and travel with the plan, so there is a bound on their size.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};
use futures::TryStreamExt;

use super::listing::Listing;
use super::{Environment, Loaded, ReadOptions};
use crate::source::failure;

/// The column of [`Whole`].
pub(super) const COLUMN: &str = "#text";

/// Text that may travel with a plan.
const MOST_BYTES: u64 = 64 << 20;

/// Opens text files.
pub(super) async fn load(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let name = match schema.as_ref().map(|schema| listing.data_fields(schema)) {
        None => "value".to_string(),
        Some(fields) => match fields.as_slice() {
            [field] if field.data_type == DataType::String => field.name.clone(),
            _ => return Err(SparkError::unsupported("a schema of text files other than one STRING column")),
        },
    };
    let whole = options.flag("wholetext", false)?;
    let texts = read(&listing, env).await?;
    let table = table(&texts, &listing, &name, |text| if whole { vec![text] } else { split(text) })?;
    let mut schema = vec![StructField::new(name, DataType::String, true)];
    schema.extend(listing.partition_fields()?);
    Ok(Loaded {
        provider: Arc::new(table),
        schema: StructType::new(schema),
        partition_columns: listing.partition_names(),
    })
}

/// Whole files.
pub(super) struct Whole {
    /// A row for each, its text in column [`COLUMN`].
    pub(super) provider: Arc<dyn TableProvider>,
    pub(super) texts: Vec<String>,
}

/// Reads files whole.
pub(super) async fn whole(listing: Listing, env: &Environment<'_>) -> SparkResult<Whole> {
    let texts = read(&listing, env).await?;
    let provider = Arc::new(table(&texts, &listing, COLUMN, |text| vec![text])?);
    Ok(Whole { provider, texts })
}

async fn read(listing: &Listing, env: &Environment<'_>) -> SparkResult<Vec<String>> {
    let codec = super::compression::of(listing)?;
    let bytes: u64 = listing.files.iter().map(|file| file.file.object_meta.size).sum();
    if bytes > MOST_BYTES {
        return Err(SparkError::unsupported("text files of more than 64 MiB together"));
    }
    let (mut texts, mut held) = (Vec::with_capacity(listing.files.len()), 0);
    for file in &listing.files {
        let mut stream = super::compression::stream(file, codec, env).await?;
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(chunk) = stream.try_next().await.map_err(failure)? {
            bytes.extend_from_slice(&chunk);
            held += chunk.len() as u64;
            if held > MOST_BYTES {
                return Err(SparkError::unsupported("text files of more than 64 MiB together"));
            }
        }
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(texts)
}

/// The texts of files, cut into rows, beside the files' partition values.
fn table<'a>(
    texts: &'a [String],
    listing: &Listing,
    name: &str,
    rows: impl Fn(&'a str) -> Vec<&'a str>,
) -> SparkResult<MemTable> {
    let mut fields = vec![Arc::new(Field::new(name, ArrowType::Utf8, true))];
    fields.extend(listing.partitions.iter().cloned());
    let arrow_schema = Arc::new(Schema::new(fields));
    let mut partitions = Vec::with_capacity(texts.len().max(1));
    for (text, file) in texts.iter().zip(&listing.files) {
        let values = StringArray::from(rows(text));
        let rows = values.len();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(values)];
        for value in &file.file.partition_values {
            columns.push(ScalarValue::to_array_of_size(value, rows).map_err(failure)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&arrow_schema), columns).map_err(|error| failure(error.into()))?;
        partitions.push(vec![batch]);
    }
    if partitions.is_empty() {
        partitions.push(Vec::new());
    }
    MemTable::try_new(arrow_schema, partitions).map_err(failure)
}

/// Lines end with a line feed, a carriage return, or both.
fn split(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        match rest.find(['\n', '\r']) {
            Some(end) => {
                lines.push(&rest[..end]);
                let ending = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
                rest = &rest[end + ending..];
            }
            None => {
                lines.push(rest);
                break;
            }
        }
    }
    lines
}
