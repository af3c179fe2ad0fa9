//! JSON, one object a line or one value a file: schema by Spark's inference, rows by DataFusion's reader or `records`.
//!
//! DataFusion's reader knows no bad records and converts where Spark does not, so it reads only what inference has found to
//! be plain; all else is read record by record.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::logical_expr::expr_fn::ident;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{StructField, StructType};
use firesteel_functions::{JsonRecords, SparkOptions};
use futures::StreamExt;

use super::compression;
use super::listing::Listing;
use super::records::{self, Mode, Records};
use super::scan::{FilesTable, by_store};
use super::{Environment, Loaded, ReadOptions, text};
use crate::source::failure;

/// Opens JSON files.
pub(super) async fn load(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let codec = compression::of(&listing)?;
    let mode = Mode::of(options);
    let corrupt = records::corrupt_column(options, env.conf);
    let function = "spark_from_json";
    if options.flag("multiLine", false)? {
        let texts = Box::pin(text::whole(listing.clone(), env)).await?;
        let data = match &schema {
            Some(schema) => listing.data_fields(schema),
            None => {
                let mut seen = JsonRecords::new(&records::said(options)?, &session(env))?;
                texts.texts.iter().for_each(|text| seen.see(text));
                found(seen, mode, &corrupt, options)?.fields
            }
        };
        let records = Records { function, header: false, comment: None, mode, corrupt, codec, several: true };
        return records.of_texts(texts.provider, text::COLUMN, &listing, data, options);
    }
    let Found { fields: data, plain } = match &schema {
        Some(schema) => Found { fields: listing.data_fields(schema), plain: false },
        None => infer(&listing, codec, mode, &corrupt, options, env).await?,
    };
    if !plain {
        let records = Records { function, header: false, comment: None, mode, corrupt, codec, several: true };
        return records.load(listing, data, options);
    }
    let partition_fields = listing.partition_fields()?;
    let partition_columns = listing.partition_names();
    let read: Vec<Field> = data.iter().map(|field| field.to_arrow().with_nullable(true)).collect();
    let read = Schema::new(read);
    let sets = by_store(listing.files, &Arc::new(read.clone()));
    let table = FilesTable::new(
        Arc::new(JsonFormat::default().with_file_compression_type(codec)),
        &read,
        listing.partitions,
        sets,
        false,
    );
    let plan = LogicalPlanBuilder::scan("json", provider_as_source(Arc::new(table)), None).map_err(failure)?;
    let mut columns: Vec<_> = data.iter().map(|field| ident(&field.name)).collect();
    columns.extend(partition_columns.iter().map(ident));
    let plan = plan.project(columns).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    let mut fields = data;
    fields.extend(partition_fields);
    Ok(Loaded { provider: Arc::new(ViewTable::new(plan, None)), schema: StructType::new(fields), partition_columns })
}

/// The columns of files.
struct Found {
    fields: Vec<StructField>,
    /// Whether every reader reads them alike.
    plain: bool,
}

fn session(env: &Environment<'_>) -> SparkOptions {
    SparkOptions::from_config(env.ctx.state().config_options())
}

/// Reads all records and merges their shapes; fields in alphabetical order, as Spark has them.
async fn infer(
    listing: &Listing,
    codec: FileCompressionType,
    mode: Mode,
    corrupt: &str,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Found> {
    let mut seen = JsonRecords::new(&records::said(options)?, &session(env))?;
    for file in &listing.files {
        let mut chunks = compression::stream(file, codec, env).await?;
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = chunks.next().await {
            rest.extend_from_slice(&chunk.map_err(failure)?);
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            let tail = rest.split_off(end + 1);
            see(&rest, &mut seen);
            rest = tail;
        }
        see(&rest, &mut seen);
    }
    found(seen, mode, corrupt, options)
}

fn see(bytes: &[u8], seen: &mut JsonRecords) {
    for line in bytes.split(|byte| *byte == b'\n') {
        seen.see(&String::from_utf8_lossy(line));
    }
}

fn found(seen: JsonRecords, mode: Mode, corrupt: &str, options: &ReadOptions) -> SparkResult<Found> {
    if mode == Mode::FailFast && seen.malformed() {
        return Err(SparkError::unsupported("FAILFAST of malformed JSON without a schema"));
    }
    let converts = ["primitivesAsString", "prefersDecimal", "inferTimestamp", "mode"];
    let plain = seen.strict() && options.first(&converts).is_none();
    let corrupt = (mode == Mode::Permissive && seen.malformed()).then_some(corrupt);
    Ok(Found { fields: seen.schema(corrupt).fields, plain })
}
