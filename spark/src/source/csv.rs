//! CSV: every field is read as text and becomes a value by Spark's own casts.
//!
//! Here: PERMISSIVE (a bad value is NULL) and FAILFAST; what needs the raw record is read by `records`.
//! Fields belong to columns by position; PERMISSIVE drops those beyond the last column.

mod width;

use std::sync::Arc;

use arrow::csv::reader::Format as CsvLayout;
use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use datafusion::common::config::CsvOptions;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::expr_fn::{ident, when};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use firesteel_functions::cast::{CastMode, cast_expr};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};
use futures::TryStreamExt;
use object_store::{GetOptions, GetRange};

use self::width::Marks;
use super::compression;
use super::infer::{ColumnTypes, Inference};
use super::listing::{Listing, SourceFile};
use super::records::{self, Mode, Records};
use super::scan::{FilesTable, by_store};
use super::{Environment, Loaded, ReadOptions};
use crate::source::failure;

/// A first record must fit in this.
const HEAD: u64 = 1 << 20;
/// As many files are looked at to learn how long records are.
const HEADS: usize = 8;
/// Longer records are not worth the memory of so many fields; Spark's parser stops here, too.
const MOST_FIELDS: usize = 20480;

/// Opens CSV files.
pub(super) async fn load(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let mode = Mode::of(options);
    let codec = compression::of(&listing)?;
    let layout = Layout::of(options, mode)?;
    let partition_columns = listing.partition_names();
    let partition_fields = listing.partition_fields()?;
    let heads = heads(&listing, codec, env).await?;
    let names: Vec<String> = match &schema {
        Some(schema) => listing.data_fields(schema).into_iter().map(|field| field.name).collect(),
        None => first_names(heads.first(), &layout, options)?,
    };
    let corrupt = records::corrupt_column(options, env.conf);
    let kept = schema.is_some() && names.contains(&corrupt);
    if mode == Mode::Drop && schema.is_none() {
        let types = Box::pin(load(listing.clone(), None, &options.without("mode"), env)).await?.schema;
        return Box::pin(load(listing, Some(types), options, env)).await;
    }
    if let (true, Some(schema)) = (kept || mode == Mode::Drop, &schema) {
        let data = listing.data_fields(schema);
        let comment = options.byte(&["comment"], None)?;
        let (function, header, several) = ("spark_from_csv", layout.header, false);
        let records = Records { function, header, comment, mode, corrupt, codec, several };
        return records.load(listing, data, options);
    }
    let mut fields = names.clone();
    // Too long a record is an error of FAILFAST.
    if mode == Mode::Permissive {
        fields.extend(surplus(&names, &partition_columns, &heads, &layout));
    }
    let text = Schema::new(fields.iter().map(|name| Field::new(name, ArrowType::Utf8, true)).collect::<Vec<_>>());
    let format = Arc::new(CsvFormat::default().with_options(layout.options.clone()).with_file_compression_type(codec));
    let sets = by_store(listing.files.clone(), &Arc::new(text.clone()));
    let table = Arc::new(FilesTable::new(format, &text, listing.partitions.clone(), sets, false));

    let data = match &schema {
        Some(schema) => listing.data_fields(schema),
        None if options.flag("inferSchema", false)? => {
            let inference = Inference { dates: true, null: options.get("nullValue").map(str::to_string) };
            ColumnTypes::read(Arc::clone(&table) as _, &names, &inference, env).await?
        }
        None => names.iter().map(|name| StructField::new(name, DataType::String, true)).collect(),
    };
    let plan = LogicalPlanBuilder::scan("csv", provider_as_source(table), None).map_err(failure)?;
    let mut columns = Vec::new();
    for field in &data {
        columns.push(value(field, options, mode)?.alias(&field.name));
    }
    columns.extend(partition_columns.iter().map(ident));
    let plan = plan.project(columns).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    let mut fields = data;
    fields.extend(partition_fields);
    Ok(Loaded { provider: Arc::new(ViewTable::new(plan, None)), schema: StructType::new(fields), partition_columns })
}

struct Layout {
    options: CsvOptions,
    arrow: CsvLayout,
    marks: Marks,
    header: bool,
}

impl Layout {
    fn of(options: &ReadOptions, mode: Mode) -> SparkResult<Self> {
        let header = options.flag("header", false)?;
        let delimiter = options.byte(&["sep", "delimiter"], Some(b','))?.unwrap_or(b',');
        // Without a quote character no byte of text may act as one.
        let quote = options.byte(&["quote"], Some(b'"'))?.unwrap_or(0);
        let escape = options.byte(&["escape"], Some(b'\\'))?.filter(|escape| *escape != quote);
        let comment = options.byte(&["comment"], None)?;
        let mut arrow = CsvLayout::default()
            .with_header(header)
            .with_delimiter(delimiter)
            .with_quote(quote)
            .with_truncated_rows(true);
        if let Some(escape) = escape {
            arrow = arrow.with_escape(escape);
        }
        if let Some(comment) = comment {
            arrow = arrow.with_comment(comment);
        }
        let mut csv = CsvOptions::default().with_has_header(header).with_delimiter(delimiter).with_quote(quote);
        csv.escape = escape;
        csv.comment = comment;
        csv.newlines_in_values = Some(options.flag("multiLine", false)?);
        // Spark fills short rows with NULL unless it is to fail.
        csv.truncated_rows = Some(mode == Mode::Permissive);
        Ok(Self { options: csv, arrow, marks: Marks { delimiter, quote, escape, comment }, header })
    }
}

/// The expression that turns a text column into its value.
fn value(field: &StructField, options: &ReadOptions, mode: Mode) -> SparkResult<Expr> {
    let mut text = ident(&field.name);
    let (left, right) =
        (options.flag("ignoreLeadingWhiteSpace", false)?, options.flag("ignoreTrailingWhiteSpace", false)?);
    text = match (left, right) {
        (true, true) => datafusion::functions::expr_fn::btrim(vec![text]),
        (true, false) => datafusion::functions::expr_fn::ltrim(vec![text]),
        (false, true) => datafusion::functions::expr_fn::rtrim(vec![text]),
        (false, false) => text,
    };
    if let Some(null) = options.get("nullValue").filter(|null| !null.is_empty()) {
        let is_null = text.clone().eq(lit(null));
        text = when(is_null, lit(datafusion::common::ScalarValue::Utf8(None))).otherwise(text).map_err(failure)?;
    }
    let cast = if mode == Mode::FailFast { CastMode::Ansi } else { CastMode::Try };
    let pattern = match field.data_type {
        DataType::Date => options.get("dateFormat"),
        DataType::Timestamp => options.get("timestampFormat"),
        DataType::TimestampNtz => options.get("timestampNTZFormat"),
        _ => None,
    };
    if let Some(pattern) = pattern {
        return formatted(text, &field.data_type, pattern, mode);
    }
    match &field.data_type {
        DataType::String | DataType::Collated(_) | DataType::Char(_) | DataType::Varchar(_) => Ok(text),
        DataType::Array { .. } | DataType::Map { .. } | DataType::Struct(_) | DataType::Variant => {
            Err(SparkError::analysis(
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                &[
                    ("format", "CSV"),
                    ("columnName", &format!("`{}`", field.name)),
                    ("columnType", &format!("\"{}\"", field.data_type.sql())),
                ],
            ))
        }
        DataType::Float | DataType::Double => special_numbers(text, &field.data_type, options, cast),
        other => Ok(cast_expr(text, other, cast)),
    }
}

/// Numbers with the user's words for what is no ordinary number.
fn special_numbers(text: Expr, data_type: &DataType, options: &ReadOptions, cast: CastMode) -> SparkResult<Expr> {
    const WORDS: [(&str, &str); 3] = [("nanValue", "NaN"), ("positiveInf", "Infinity"), ("negativeInf", "-Infinity")];
    let mut plain = text.clone();
    for (option, meaning) in WORDS {
        if let Some(word) = options.get(option) {
            plain = when(text.clone().eq(lit(word)), lit(meaning)).otherwise(plain).map_err(failure)?;
        }
    }
    Ok(cast_expr(plain, data_type, cast))
}

/// A date or time in a format of the user's.
fn formatted(text: Expr, data_type: &DataType, pattern: &str, mode: Mode) -> SparkResult<Expr> {
    let name = if mode == Mode::FailFast { "to_timestamp" } else { "try_to_timestamp" };
    let function = firesteel_functions::registry()
        .scalar(name)
        .ok_or_else(|| SparkError::unsupported("date and time formats of CSV"))?;
    let parsed = function.call(vec![text, lit(pattern)]);
    Ok(match data_type {
        DataType::Timestamp => parsed,
        other => cast_expr(parsed, other, CastMode::Try),
    })
}

/// The beginnings of the first files that are not empty.
async fn heads(listing: &Listing, codec: FileCompressionType, env: &Environment<'_>) -> SparkResult<Vec<bytes::Bytes>> {
    let files = listing.files.iter().filter(|file| file.file.object_meta.size > 0).take(HEADS);
    futures::future::try_join_all(files.map(|file| head(file, codec, env))).await
}

/// Names of columns that take the fields beyond the last column, so that the reader accepts them.
fn surplus(names: &[String], partitions: &[String], heads: &[bytes::Bytes], layout: &Layout) -> Vec<String> {
    let widest = heads.iter().map(|head| width::widest(head, layout.marks)).max().unwrap_or(0).min(MOST_FIELDS);
    let mut prefix = String::from("#");
    while names.iter().chain(partitions).any(|name| name.starts_with(&prefix)) {
        prefix.push('#');
    }
    (names.len()..widest).map(|index| format!("{prefix}{index}")).collect()
}

/// Column names of a file with this beginning.
fn first_names(head: Option<&bytes::Bytes>, layout: &Layout, options: &ReadOptions) -> SparkResult<Vec<String>> {
    let Some(head) = head else {
        return Err(SparkError::analysis("UNABLE_TO_INFER_SCHEMA", &[("format", "CSV")]));
    };
    let (schema, _) = layout
        .arrow
        .infer_schema(std::io::Cursor::new(head), Some(usize::from(!layout.header)))
        .map_err(|error| failure(error.into()))?;
    let count = schema.fields().len();
    if !layout.header {
        return Ok((0..count).map(|index| format!("_c{index}")).collect());
    }
    let trim = options.flag("ignoreLeadingWhiteSpace", false)?;
    let raw: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| if trim { field.name().trim().to_string() } else { field.name().clone() })
        .collect();
    Ok(safe_names(&raw))
}

/// Spark's names for empty and repeated headers.
fn safe_names(raw: &[String]) -> Vec<String> {
    raw.iter()
        .enumerate()
        .map(|(index, name)| {
            let repeated = raw.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() > 1;
            match (name.is_empty(), repeated) {
                (true, _) => format!("_c{index}"),
                (false, true) => format!("{name}{index}"),
                (false, false) => name.clone(),
            }
        })
        .collect()
}

/// The beginning of a file.
async fn head(file: &SourceFile, codec: FileCompressionType, env: &Environment<'_>) -> SparkResult<bytes::Bytes> {
    if codec != FileCompressionType::UNCOMPRESSED {
        let mut stream = compression::stream(file, codec, env).await?;
        let mut begun: Vec<u8> = Vec::new();
        while (begun.len() as u64) < HEAD
            && let Some(bytes) = stream.try_next().await.map_err(failure)?
        {
            begun.extend_from_slice(&bytes);
        }
        return Ok(begun.into());
    }
    let store = env.ctx.runtime_env().object_store(&file.store).map_err(failure)?;
    let size = file.file.object_meta.size;
    let options = GetOptions { range: Some(GetRange::Bounded(0..size.min(HEAD))), ..GetOptions::default() };
    let read = store.get_opts(&file.file.object_meta.location, options).await.map_err(|e| failure(e.into()))?;
    read.bytes().await.map_err(|error| failure(error.into()))
}
