//! JSON, one object a line: schema by Spark's inference, rows by DataFusion's reader.
//!
//! Times are read as text and cast, since Spark's rules for them are the session's. Where bad records, formats of times or
//! times inside other types matter, records are read one by one by `records`; without a mode a record that does not fit its
//! schema fails the query.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::logical_expr::expr_fn::ident;
use firesteel_functions::cast::{CastMode, cast_expr};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructField, StructType};
use futures::StreamExt;
use serde_json::Value;

use super::compression;
use super::listing::Listing;
use super::records::{self, Mode, Records};
use super::scan::{FilesTable, by_store};
use super::{Environment, Loaded, ReadOptions};
use crate::source::failure;

/// Opens JSON files.
pub(super) async fn load(
    listing: Listing,
    schema: Option<StructType>,
    options: &ReadOptions,
    env: &Environment<'_>,
) -> SparkResult<Loaded> {
    let codec = compression::of(&listing)?;
    if options.flag("multiLine", false)? {
        return Err(SparkError::unsupported("option `multiLine` of JSON"));
    }
    let mode = Mode::of(options);
    let corrupt = records::corrupt_column(options, env.conf);
    let data = match &schema {
        Some(schema) => listing.data_fields(schema),
        None => infer(&listing, codec, mode, &corrupt, env).await?,
    };
    let formats = options.first(&["dateFormat", "timestampFormat", "timestampNTZFormat"]).is_some();
    let nested = data.iter().any(|field| has_time(&field.data_type) && !is_time(&field.data_type));
    let kept = data.iter().any(|field| field.name == corrupt);
    if options.get("mode").is_some() || formats || nested || kept {
        let records = Records { function: "spark_from_json", header: false, comment: None, mode, corrupt, codec };
        return records.load(listing, data, options);
    }
    let partition_fields = listing.partition_fields()?;
    let partition_columns = listing.partition_names();
    let read: Vec<Field> = data.iter().map(as_read).collect();
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
    let mut columns: Vec<_> = data
        .iter()
        .map(|field| match is_time(&field.data_type) {
            true => cast_expr(ident(&field.name), &field.data_type, CastMode::Try).alias(&field.name),
            false => ident(&field.name),
        })
        .collect();
    columns.extend(partition_columns.iter().map(ident));
    let plan = plan.project(columns).and_then(LogicalPlanBuilder::build).map_err(failure)?;
    let mut fields = data;
    fields.extend(partition_fields);
    Ok(Loaded { provider: Arc::new(ViewTable::new(plan, None)), schema: StructType::new(fields), partition_columns })
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date | DataType::Timestamp | DataType::TimestampNtz | DataType::Time(_))
}

fn has_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Array { element, .. } => has_time(element),
        DataType::Map { value, .. } => has_time(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| has_time(&field.data_type)),
        other => is_time(other),
    }
}

/// The Arrow column the reader makes.
fn as_read(field: &StructField) -> Field {
    match is_time(&field.data_type) {
        true => Field::new(&field.name, ArrowType::Utf8, true),
        false => field.to_arrow().with_nullable(true),
    }
}

/// What values a place of a record has.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Nothing,
    Boolean,
    Long,
    Double,
    Text,
    List(Box<Seen>),
    Object(BTreeMap<String, Seen>),
}

/// Reads all records and merges their shapes; fields in alphabetical order, as Spark has them.
async fn infer(
    listing: &Listing,
    codec: FileCompressionType,
    mode: Mode,
    corrupt: &str,
    env: &Environment<'_>,
) -> SparkResult<Vec<StructField>> {
    let mut seen = Seen::Object(BTreeMap::new());
    let mut malformed = false;
    for file in &listing.files {
        let mut chunks = compression::stream(file, codec, env).await?;
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = chunks.next().await {
            rest.extend_from_slice(&chunk.map_err(failure)?);
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { continue };
            let tail = rest.split_off(end + 1);
            seen = lines(&rest, seen, &mut malformed)?;
            rest = tail;
        }
        seen = lines(&rest, seen, &mut malformed)?;
    }
    match mode {
        Mode::FailFast if malformed => {
            return Err(SparkError::unsupported("FAILFAST of malformed JSON without a schema"));
        }
        Mode::Permissive if malformed => seen = wider(seen, Seen::Object([(corrupt.to_string(), Seen::Text)].into())),
        _ => {}
    }
    match data_type(&seen) {
        DataType::Struct(fields) => Ok(fields.fields),
        _ => Ok(Vec::new()),
    }
}

fn lines(bytes: &[u8], mut seen: Seen, malformed: &mut bool) -> SparkResult<Seen> {
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            *malformed = true;
            continue;
        };
        if !value.is_object() {
            return Err(SparkError::unsupported("JSON records that are no objects"));
        }
        seen = wider(seen, of(&value));
    }
    Ok(seen)
}

fn of(value: &Value) -> Seen {
    match value {
        Value::Null => Seen::Nothing,
        Value::Bool(_) => Seen::Boolean,
        Value::Number(number) if number.is_i64() => Seen::Long,
        Value::Number(_) => Seen::Double,
        Value::String(_) => Seen::Text,
        Value::Array(items) => Seen::List(Box::new(items.iter().map(of).fold(Seen::Nothing, wider))),
        Value::Object(fields) => Seen::Object(fields.iter().map(|(name, value)| (name.clone(), of(value))).collect()),
    }
}

fn wider(left: Seen, right: Seen) -> Seen {
    match (left, right) {
        (Seen::Nothing, other) | (other, Seen::Nothing) => other,
        (Seen::Long, Seen::Double) | (Seen::Double, Seen::Long) => Seen::Double,
        (Seen::List(left), Seen::List(right)) => Seen::List(Box::new(wider(*left, *right))),
        (Seen::Object(mut left), Seen::Object(right)) => {
            for (name, value) in right {
                let merged = match left.remove(&name) {
                    Some(known) => wider(known, value),
                    None => value,
                };
                left.insert(name, merged);
            }
            Seen::Object(left)
        }
        (left, right) if left == right => left,
        _ => Seen::Text,
    }
}

fn data_type(seen: &Seen) -> DataType {
    match seen {
        Seen::Boolean => DataType::Boolean,
        Seen::Long => DataType::Long,
        Seen::Double => DataType::Double,
        Seen::Nothing | Seen::Text => DataType::String,
        Seen::List(element) => DataType::array(data_type(element), true),
        Seen::Object(fields) => DataType::Struct(StructType::new(
            fields.iter().map(|(name, seen)| StructField::new(name, data_type(seen), true)).collect(),
        )),
    }
}
