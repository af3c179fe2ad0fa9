//! Hive partition discovery: columns, Spark's types for them, and each file's values.
//!
//! Pure: works on listed paths only.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, TimeUnit};
use datafusion::scalar::ScalarValue;
use object_store::path::Path;

use super::ListedFile;
use super::escape::{NULL_PARTITION, unescape};
use crate::error::{ConnectorError, Result};

/// How partition columns are recognised and typed.
#[derive(Debug, Clone)]
pub struct PartitionOptions {
    /// `spark.sql.sources.partitionColumnTypeInference.enabled`; off means strings.
    pub infer_types: bool,
    /// Whether `A=1` and `a=2` are different columns.
    pub case_sensitive: bool,
    /// The session zone, for timestamp values.
    pub time_zone: String,
    /// Spark's `basePath`: partitions are the directories below it instead of below each root.
    pub base: Option<Path>,
    /// Types that a user's schema fixes, by column name.
    pub fixed: Vec<Field>,
}

impl Default for PartitionOptions {
    fn default() -> Self {
        Self { infer_types: true, case_sensitive: false, time_zone: "UTC".to_owned(), base: None, fixed: Vec::new() }
    }
}

/// The types Spark infers, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartitionType {
    /// Only nulls seen.
    Null,
    /// INT.
    Int,
    /// BIGINT.
    Long,
    /// Whole numbers too large for BIGINT.
    Decimal,
    /// DOUBLE.
    Double,
    /// DATE.
    Date,
    /// TIMESTAMP with local time zone.
    Timestamp,
    /// STRING.
    String,
}

/// Partition columns and the values of every file, in the order of the files given.
#[derive(Debug, Clone, Default)]
pub struct Partitions {
    /// The columns, outermost directory first.
    pub fields: Vec<FieldRef>,
    /// One row per file, one value per column.
    pub values: Vec<Vec<ScalarValue>>,
}

/// Reads the partition columns out of the files' directories.
///
/// # Errors
/// `ConflictingPartitions` when files disagree about the columns; `InvalidOption` for an unknown time zone;
/// `InvalidPath` when a value does not fit the type a schema fixes.
pub fn discover(files: &[ListedFile], options: &PartitionOptions) -> Result<Partitions> {
    let parsed: Vec<Vec<(String, Option<String>)>> = files.iter().map(|file| segments(file, options)).collect();
    let Some(first) = parsed.first() else { return Ok(Partitions::default()) };
    let names: Vec<String> = first.iter().map(|(name, _)| name.clone()).collect();
    for (file, row) in files.iter().zip(&parsed) {
        let same = row.len() == names.len()
            && row.iter().zip(&names).all(|((name, _), expected)| same_name(name, expected, options.case_sensitive));
        if !same {
            let found: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
            return Err(ConnectorError::ConflictingPartitions {
                detail: format!("[{}] and [{}] at {}", names.join(", "), found.join(", "), file.meta.location),
            });
        }
    }
    let zone: Tz = options
        .time_zone
        .parse()
        .map_err(|_| ConnectorError::option("timeZone", format!("unknown zone {}", options.time_zone)))?;

    let mut partitions = Partitions { fields: Vec::new(), values: vec![Vec::new(); files.len()] };
    for (column, name) in names.iter().enumerate() {
        let texts: Vec<Option<&str>> =
            parsed.iter().map(|row| row.get(column).and_then(|(_, value)| value.as_deref())).collect();
        let fixed = options.fixed.iter().find(|field| same_name(field.name(), name, options.case_sensitive));
        let (name, data_type) = match fixed {
            Some(field) => (field.name().clone(), field.data_type().clone()),
            None => (name.clone(), column_type(&texts, options.infer_types, &zone)),
        };
        for (row, text) in texts.iter().enumerate() {
            let value = value(*text, &data_type, &zone).ok_or_else(|| ConnectorError::InvalidPath {
                path: files.get(row).map(|file| file.meta.location.to_string()).unwrap_or_default(),
                reason: format!("value of partition column {name} is not a {data_type}"),
            })?;
            if let Some(values) = partitions.values.get_mut(row) {
                values.push(value);
            }
        }
        partitions.fields.push(Arc::new(Field::new(name, data_type, true)));
    }
    Ok(partitions)
}

fn same_name(left: &str, right: &str, case_sensitive: bool) -> bool {
    if case_sensitive { left == right } else { left.to_lowercase() == right.to_lowercase() }
}

fn segments(file: &ListedFile, options: &PartitionOptions) -> Vec<(String, Option<String>)> {
    let base = options.base.as_ref().unwrap_or(&file.root);
    let Some(parts) = file.meta.location.prefix_match(base) else { return Vec::new() };
    let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
    let directories = parts.split_last().map(|(_, directories)| directories).unwrap_or_default();
    directories
        .iter()
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| {
            let value = (value != NULL_PARTITION).then(|| unescape(value));
            (unescape(name), value)
        })
        .collect()
}

fn column_type(texts: &[Option<&str>], infer: bool, zone: &Tz) -> DataType {
    if !infer {
        return DataType::Utf8;
    }
    let mut widest = PartitionType::Null;
    for text in texts.iter().flatten() {
        widest = wider(widest, value_type(text, zone));
        if widest == PartitionType::String {
            break;
        }
    }
    match widest {
        PartitionType::Int => DataType::Int32,
        PartitionType::Long => DataType::Int64,
        PartitionType::Decimal => DataType::Decimal128(38, 0),
        PartitionType::Double => DataType::Float64,
        PartitionType::Date => DataType::Date32,
        PartitionType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        PartitionType::Null | PartitionType::String => DataType::Utf8,
    }
}

fn value_type(text: &str, zone: &Tz) -> PartitionType {
    if text.parse::<i32>().is_ok() {
        PartitionType::Int
    } else if text.parse::<i64>().is_ok() {
        PartitionType::Long
    } else if text.parse::<i128>().is_ok_and(|v| v.unsigned_abs() < 10_u128.pow(38)) {
        PartitionType::Decimal
    } else if is_java_double(text) {
        PartitionType::Double
    } else if date(text).is_some() {
        PartitionType::Date
    } else if timestamp(text, zone).is_some() {
        PartitionType::Timestamp
    } else {
        PartitionType::String
    }
}

/// The type that holds both; numbers, times and text widen only among themselves, else to STRING.
fn wider(left: PartitionType, right: PartitionType) -> PartitionType {
    use PartitionType::{Date, Decimal, Double, Int, Long, Null, String, Timestamp};
    match (left.min(right), left.max(right)) {
        (low, high) if low == high => low,
        (Null, high) => high,
        (Int | Long | Decimal, high @ (Long | Decimal | Double)) => high,
        (Date, Timestamp) => Timestamp,
        _ => String,
    }
}

fn is_java_double(text: &str) -> bool {
    // Rust also accepts `inf`, `infinity` and `nan`, which Java does not.
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    matches!(text, "NaN" | "Infinity" | "-Infinity") || (numeric && text.parse::<f64>().is_ok())
}

fn date(text: &str) -> Option<i32> {
    let shape: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    let plain = matches!(shape.as_slice(), [y, m, d] if y.len() == 4 && m.len() == 2 && d.len() == 2);
    (plain && shape.iter().all(digits)).then(|| Date32Type::parse(text)).flatten()
}

fn timestamp(text: &str, zone: &Tz) -> Option<i64> {
    // A time of day is required: a bare year or hour is not a timestamp for Spark's inference.
    let dated = text.get(..10).and_then(date).is_some() && text.get(10..).is_some_and(|rest| rest.len() >= 9);
    dated.then(|| string_to_datetime(zone, text).ok()).flatten().map(|instant| instant.timestamp_micros())
}

fn value(text: Option<&str>, data_type: &DataType, zone: &Tz) -> Option<ScalarValue> {
    let Some(text) = text else { return ScalarValue::try_from(data_type).ok() };
    match data_type {
        DataType::Utf8 => Some(ScalarValue::Utf8(Some(text.to_owned()))),
        DataType::Date32 => date(text).map(|days| ScalarValue::Date32(Some(days))),
        DataType::Timestamp(TimeUnit::Microsecond, tz) => {
            // A date among timestamps is its midnight.
            let text = if date(text).is_some() { format!("{text} 00:00:00") } else { text.to_owned() };
            let micros = match tz {
                Some(_) => timestamp(&text, zone),
                None => timestamp(&text, &"UTC".parse().ok()?),
            };
            micros.map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), tz.clone()))
        }
        data_type => ScalarValue::try_from_string(text.to_owned(), data_type).ok(),
    }
}
