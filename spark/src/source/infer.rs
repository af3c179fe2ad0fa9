//! Spark's schema inference over text columns: each column gets the narrowest type that all its values have.
//!
//! It reads the rows in this process, once, before the query.

use std::sync::Arc;

use arrow::array::AsArray;
use datafusion::catalog::TableProvider;
use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructField};
use futures::StreamExt;

use super::Environment;
use crate::source::failure;

/// How values are looked at.
#[derive(Debug, Clone)]
pub(super) struct Inference {
    /// Whether dates are a type of their own.
    pub(super) dates: bool,
    /// Text that stands for NULL.
    pub(super) null: Option<String>,
}

/// Types found so far.
#[derive(Debug)]
pub(super) struct ColumnTypes(Vec<Seen>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Nothing,
    Integer,
    Long,
    Decimal(u8),
    Double,
    Date,
    Timestamp,
    Boolean,
    Text,
}

impl ColumnTypes {
    /// Reads all rows of a table of text and types its first columns.
    pub(super) async fn read(
        table: Arc<dyn TableProvider>,
        names: &[String],
        inference: &Inference,
        env: &Environment<'_>,
    ) -> SparkResult<Vec<StructField>> {
        let mut types = Self(vec![Seen::Nothing; names.len()]);
        let frame = env.ctx.read_table(table).map_err(failure)?;
        let mut stream = frame.execute_stream().await.map_err(failure)?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failure)?;
            for (seen, column) in types.0.iter_mut().zip(batch.columns()) {
                let Some(column) = column.as_string_opt::<i32>() else { continue };
                for text in column.iter().flatten() {
                    if *seen == Seen::Text {
                        break;
                    }
                    if text.is_empty() || inference.null.as_deref() == Some(text) {
                        continue;
                    }
                    *seen = wider(*seen, of(text, inference.dates));
                }
            }
        }
        Ok(names.iter().zip(types.0).map(|(name, seen)| StructField::new(name, data_type(seen), true)).collect())
    }
}

fn data_type(seen: Seen) -> DataType {
    match seen {
        Seen::Integer => DataType::Integer,
        Seen::Long => DataType::Long,
        Seen::Decimal(precision) => DataType::Decimal(precision, 0),
        Seen::Double => DataType::Double,
        Seen::Date => DataType::Date,
        Seen::Timestamp => DataType::Timestamp,
        Seen::Boolean => DataType::Boolean,
        Seen::Nothing | Seen::Text => DataType::String,
    }
}

fn of(text: &str, dates: bool) -> Seen {
    if text.parse::<i32>().is_ok() {
        return Seen::Integer;
    }
    if text.parse::<i64>().is_ok() {
        return Seen::Long;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.len() <= 38 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Seen::Decimal(u8::try_from(digits.len()).unwrap_or(38));
    }
    if is_double(text) {
        return Seen::Double;
    }
    if dates && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() == 10 {
        return Seen::Date;
    }
    if is_timestamp(text) {
        return Seen::Timestamp;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Seen::Boolean;
    }
    Seen::Text
}

fn is_double(text: &str) -> bool {
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    matches!(text, "NaN" | "Inf" | "-Inf" | "Infinity" | "-Infinity") || (numeric && text.parse::<f64>().is_ok())
}

fn is_timestamp(text: &str) -> bool {
    const FORMATS: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let bare = text.strip_suffix('Z').unwrap_or(text);
    FORMATS.iter().any(|format| chrono::NaiveDateTime::parse_from_str(bare, format).is_ok())
        || chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// The type of both; Spark falls back to text when two have nothing in common.
fn wider(left: Seen, right: Seen) -> Seen {
    use Seen::{Date, Decimal, Double, Integer, Long, Nothing, Text, Timestamp};
    match (left.min(right), left.max(right)) {
        (Nothing, other) => other,
        (low, high) if low == high => low,
        (Integer, Long) => Long,
        (Integer | Long, Decimal(precision)) => Decimal(precision.max(20)),
        (Decimal(a), Decimal(b)) => Decimal(a.max(b)),
        (Integer | Long | Decimal(_), Double) => Double,
        (Date, Timestamp) => Timestamp,
        _ => Text,
    }
}
