//! How a column arrives: its wire form and the Arrow type made of it, by Spark's table of PostgreSQL types.
//!
//! <https://spark.apache.org/docs/latest/sql-data-sources-jdbc.html#mapping-spark-sql-data-types-from-postgresql>

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{Kind, Type};

use super::Compare;
use crate::postgres::numeric::Limits;

/// How a column arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadKind {
    /// `bool`
    Bool,
    /// `int2`
    Int2,
    /// `int4`
    Int4,
    /// `int8`
    Int8,
    /// `float4`
    Float4,
    /// `float8`
    Float8,
    /// `numeric` as a decimal of this precision and scale
    Numeric(u8, i8),
    /// Text, or anything selected as text
    Text,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp`, read as an instant in UTC
    TimestampUtc,
    /// `timestamp`, read as it stands
    TimestampNtz,
    /// `timestamptz`
    TimestampTz,
    /// An array
    Array(Box<ReadKind>),
}

/// What describes a column of the server.
pub(super) struct Described {
    pub(super) kind: ReadKind,
    /// What to select, where that is not the column itself.
    pub(super) expr: Option<String>,
    pub(super) compare: Compare,
}

impl ReadKind {
    /// The Arrow type of the decoded column.
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Text => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampUtc | Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Array(item) => DataType::List(Arc::new(Field::new("element", item.arrow(), true))),
        }
    }

    /// The kind and cast that give a column the type a user asks for; `None` for types that cannot be had so.
    pub(super) fn custom(column: &str, wanted: &DataType) -> Option<Described> {
        let (kind, cast) = match wanted {
            DataType::Boolean => (Self::Bool, "bool"),
            DataType::Int16 => (Self::Int2, "int2"),
            DataType::Int32 => (Self::Int4, "int4"),
            DataType::Int64 => (Self::Int8, "int8"),
            DataType::Float32 => (Self::Float4, "float4"),
            DataType::Float64 => (Self::Float8, "float8"),
            DataType::Decimal128(precision, scale) => (Self::Numeric(*precision, *scale), "numeric"),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => (Self::Text, "text"),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => (Self::Bytea, "bytea"),
            DataType::Date32 => (Self::Date, "date"),
            DataType::Timestamp(TimeUnit::Microsecond, None) => (Self::TimestampNtz, "timestamp"),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => (Self::TimestampTz, "timestamptz"),
            _ => return None,
        };
        Some(Described { kind, expr: Some(format!("{column}::{cast}")), compare: Compare::Nothing })
    }

    /// What comes of a server's column; `column` is its quoted name and `depth` the dimensions an array was declared with.
    pub(super) fn of(column: &str, sql_type: &Type, modifier: i32, depth: usize, prefer_ntz: bool) -> Described {
        if let Kind::Array(element) = sql_type.kind() {
            let item = Self::of("", element, modifier, 0, prefer_ntz);
            // An element that needs an expression of its own comes as text.
            let (mut kind, expr) = match item.expr {
                None => (item.kind, None),
                Some(_) => (Self::Text, Some(format!("{column}::text[]"))),
            };
            for _ in 0..depth.max(1) {
                kind = Self::Array(Box::new(kind));
            }
            return Described { kind, expr, compare: Compare::Nothing };
        }
        let plain = |kind, compare| Described { kind, expr: None, compare };
        let other = |kind, expr: String| Described { kind, expr: Some(expr), compare: Compare::Nothing };
        let text = || other(Self::Text, format!("{column}::text"));
        if !matches!(sql_type.kind(), Kind::Simple) {
            return text();
        }
        let timestamp = if prefer_ntz { Self::TimestampNtz } else { Self::TimestampUtc };
        match *sql_type {
            Type::BOOL => plain(Self::Bool, Compare::Everything),
            Type::INT2 => plain(Self::Int2, Compare::Everything),
            Type::INT4 => plain(Self::Int4, Compare::Everything),
            Type::INT8 => plain(Self::Int8, Compare::Everything),
            Type::FLOAT4 => plain(Self::Float4, Compare::Nothing),
            Type::FLOAT8 => plain(Self::Float8, Compare::Nothing),
            Type::NUMERIC => match numeric(modifier) {
                Some((precision, scale)) => plain(Self::Numeric(precision, scale), Compare::Everything),
                // Values are rounded as they are read.
                None => plain(Self::Numeric(38, 18), Compare::Nothing),
            },
            Type::TEXT | Type::VARCHAR => plain(Self::Text, Compare::Text),
            // Blanks at the end count here and not there.
            Type::BPCHAR | Type::JSON | Type::NAME => plain(Self::Text, Compare::Nothing),
            Type::BYTEA => plain(Self::Bytea, Compare::Nothing),
            Type::DATE => plain(Self::Date, Compare::Everything),
            Type::TIMESTAMP => plain(timestamp, Compare::Everything),
            Type::TIMESTAMPTZ => plain(Self::TimestampTz, Compare::Everything),
            Type::TIME => other(timestamp, format!("(DATE '1970-01-01' + {column})")),
            Type::TIMETZ => other(Self::TimestampTz, format!("(DATE '1970-01-01' + {column})")),
            Type::OID => other(Self::Numeric(20, 0), format!("{column}::int8::numeric")),
            Type::BIT if modifier == 1 => other(Self::Bool, format!("({column} = B'1')")),
            Type::BIT | Type::VARBIT => other(Self::Bytea, format!("convert_to({column}::text, 'UTF8')")),
            _ => text(),
        }
    }
}

/// Spark's type for `numeric(p, s)`; `None` without modifiers, or with ones that no decimal has.
fn numeric(modifier: i32) -> Option<(u8, i8)> {
    let limits = Limits::of(modifier)?;
    // A negative scale means more whole digits than the precision says.
    let precision = if limits.scale < 0 { limits.precision - limits.scale } else { limits.precision.max(limits.scale) };
    let precision = u8::try_from(precision).ok().filter(|precision| (1..=38).contains(precision))?;
    Some((precision, i8::try_from(limits.scale.max(0)).ok()?))
}
