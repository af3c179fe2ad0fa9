//! Cutting a column's range into partitions as Spark's `JDBCRelation.columnPartition` does.
//!
//! Bounds only decide where the cuts are: rows outside them belong to the first and last partition.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::{ReadColumn, ReadKind};
use crate::error::{ConnectorError, Result};
use crate::postgres::table::quote;

/// The conditions of at most `partitions` partitions of `column` between two bounds as given.
pub(super) fn split(column: &ReadColumn, lower: &str, upper: &str, partitions: usize) -> Result<Vec<String>> {
    let low = parse(column, lower, "lowerBound")?;
    let high = parse(column, upper, "upperBound")?;
    if low > high {
        let reason = format!("the lower bound {lower} of partitioning column is larger than the upper bound {upper}");
        return Err(ConnectorError::option("lowerBound", reason));
    }
    let cuts = cuts(low, high, partitions);
    let name = quote(&column.name);
    let mut conditions = Vec::with_capacity(cuts.len() + 1);
    let mut before: Option<String> = None;
    for cut in cuts {
        let at = written(column, cut);
        conditions.push(match &before {
            None => format!("{name} < {at} OR {name} IS NULL"),
            Some(before) => format!("{name} >= {before} AND {name} < {at}"),
        });
        before = Some(at);
    }
    if let Some(before) = before {
        conditions.push(format!("{name} >= {before}"));
    }
    Ok(conditions)
}

/// Where partitions end: one fewer than there are partitions.
fn cuts(low: i128, high: i128, partitions: usize) -> Vec<i128> {
    let width = high - low;
    let partitions = i128::try_from(partitions).unwrap_or(i128::MAX).min(width);
    if partitions <= 1 {
        return Vec::new();
    }
    let stride = width / partitions;
    // What the strides leave over goes to both ends.
    let lost = width - stride * partitions;
    let start = low + lost / 2;
    (1..partitions).map(|index| start + index * stride).collect()
}

fn parse(column: &ReadColumn, text: &str, option: &str) -> Result<i128> {
    let invalid = || ConnectorError::option(option, format!("'{text}' is no value of column {}", column.name));
    let text = text.trim();
    match column.kind {
        ReadKind::Date => {
            let day = NaiveDate::parse_from_str(text.get(..10).unwrap_or(text), "%Y-%m-%d").map_err(|_| invalid())?;
            Ok(i128::from(day.signed_duration_since(NaiveDate::default()).num_days()))
        }
        ReadKind::TimestampUtc | ReadKind::TimestampNtz | ReadKind::TimestampTz => {
            if let Ok(at) = DateTime::parse_from_rfc3339(text) {
                return Ok(i128::from(at.timestamp_micros()));
            }
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
            let at = day
                .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok())
                .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok());
            Ok(i128::from(at.ok_or_else(invalid)?.and_utc().timestamp_micros()))
        }
        ReadKind::Int2
        | ReadKind::Int4
        | ReadKind::Int8
        | ReadKind::Numeric(_, _)
        | ReadKind::Float4
        | ReadKind::Float8 => text.parse::<i64>().map(i128::from).map_err(|_| invalid()),
        _ => Err(ConnectorError::option(
            "partitionColumn",
            format!("{} is no numeric, date or timestamp column", column.name),
        )),
    }
}

fn written(column: &ReadColumn, value: i128) -> String {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    let moment = || DateTime::from_timestamp_micros(value).unwrap_or_default().naive_utc();
    match column.kind {
        ReadKind::Date => {
            let day = NaiveDate::default().checked_add_signed(chrono::Duration::days(value)).unwrap_or_default();
            format!("DATE '{day}'")
        }
        ReadKind::TimestampTz => format!("TIMESTAMPTZ '{}+00'", moment().format("%Y-%m-%d %H:%M:%S%.6f")),
        ReadKind::TimestampUtc | ReadKind::TimestampNtz => {
            format!("TIMESTAMP '{}'", moment().format("%Y-%m-%d %H:%M:%S%.6f"))
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Compare;
    use super::*;

    fn column(kind: ReadKind) -> ReadColumn {
        ReadColumn { name: "c".to_owned(), expr: None, kind, compare: Compare::Everything, nullable: true }
    }

    #[test]
    fn ranges_are_open_at_both_ends_and_the_first_takes_null() {
        let parts = split(&column(ReadKind::Int8), "0", "100", 4).unwrap();
        assert_eq!(
            parts,
            ["\"c\" < 25 OR \"c\" IS NULL", "\"c\" >= 25 AND \"c\" < 50", "\"c\" >= 50 AND \"c\" < 75", "\"c\" >= 75"]
        );
        assert!(split(&column(ReadKind::Int8), "5", "5", 4).unwrap().is_empty());
        assert!(split(&column(ReadKind::Int8), "6", "5", 4).is_err());
        assert!(split(&column(ReadKind::Text), "1", "5", 4).is_err());
    }

    #[test]
    fn days_and_moments_are_cut_too() {
        let parts = split(&column(ReadKind::Date), "2020-01-01", "2020-01-03", 2).unwrap();
        assert_eq!(parts, ["\"c\" < DATE '2020-01-02' OR \"c\" IS NULL", "\"c\" >= DATE '2020-01-02'"]);
        let parts = split(&column(ReadKind::TimestampTz), "2020-01-01 00:00:00", "2020-01-01 00:00:02", 2).unwrap();
        assert!(parts[1].ends_with(">= TIMESTAMPTZ '2020-01-01 00:00:01.000000+00'"), "{parts:?}");
    }
}
