//! Text files: one row a line, or one row a file with `wholetext`. Also whole files for formats whose values go over lines:
//! those are read here and travel with the plan, so there is a bound on their size.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use firesteel_connectors::files::lines::{LinesFormat, Rows};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};
use futures::TryStreamExt;

use super::listing::Listing;
use super::scan::{FilesTable, by_store};
use super::{Environment, Loaded, ReadOptions};
use crate::source::failure;

/// The column of [`Whole`].
pub(super) const COLUMN: &str = "#text";

/// Text that may travel with a plan.
const MOST_BYTES: u64 = 64 << 20;

/// Opens text files.
pub(super) fn load(listing: Listing, schema: Option<&StructType>, options: &ReadOptions) -> SparkResult<Loaded> {
    let name = match schema.map(|schema| listing.data_fields(schema)) {
        None => "value".to_string(),
        Some(fields) => match fields.as_slice() {
            [field] if field.data_type == DataType::String => field.name.clone(),
            _ => return Err(SparkError::unsupported("a schema of text files other than one STRING column")),
        },
    };
    let rows = match (options.flag("wholetext", false)?, options.get("lineSep")) {
        (true, _) => Rows::Files,
        (false, None) => Rows::Lines,
        (false, Some("")) => return Err(SparkError::unsupported("an empty `lineSep`")),
        (false, Some(separator)) => Rows::Separated(separator.to_string()),
    };
    let gzip = super::compression::of(&listing)? == FileCompressionType::GZIP;
    let columns = Arc::new(Schema::new(vec![Field::new(&name, ArrowType::Utf8, true)]));
    let mut schema = vec![StructField::new(name, DataType::String, true)];
    schema.extend(listing.partition_fields()?);
    let partition_columns = listing.partition_names();
    let sets = by_store(listing.files, &columns);
    let format = Arc::new(LinesFormat { rows, gzip });
    let table = FilesTable::new(format, &columns, listing.partitions, sets, false);
    Ok(Loaded { provider: Arc::new(table), schema: StructType::new(schema), partition_columns })
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
    let provider = Arc::new(table(&texts, &listing)?);
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

/// The texts of files, beside the files' partition values.
fn table(texts: &[String], listing: &Listing) -> SparkResult<MemTable> {
    let mut fields = vec![Arc::new(Field::new(COLUMN, ArrowType::Utf8, true))];
    fields.extend(listing.partitions.iter().cloned());
    let arrow_schema = Arc::new(Schema::new(fields));
    let mut partitions = Vec::with_capacity(texts.len().max(1));
    for (text, file) in texts.iter().zip(&listing.files) {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![text.as_str()]))];
        for value in &file.file.partition_values {
            columns.push(ScalarValue::to_array_of_size(value, 1).map_err(failure)?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&arrow_schema), columns).map_err(|error| failure(error.into()))?;
        partitions.push(vec![batch]);
    }
    if partitions.is_empty() {
        partitions.push(Vec::new());
    }
    MemTable::try_new(arrow_schema, partitions).map_err(failure)
}
