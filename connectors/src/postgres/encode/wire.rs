//! Which wire form a target column takes, and what may go into it.
//!
//! Converts nothing.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::error::Result;
use crate::postgres::numeric::Limits;
use crate::postgres::table::TableColumn;

/// The binary form of a target type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wire {
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
    /// `numeric`, perhaps bounded
    Numeric(Option<Limits>),
    /// Text types, enums and `json`; of so many characters at most
    Text(Option<usize>),
    /// `jsonb`: text with a version byte
    Jsonb,
    /// `uuid`, from its text
    Uuid,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    TimestampTz,
    /// `time`
    Time,
    /// `interval`
    Interval,
    /// `inet`, or `cidr` when true, from its text
    Inet(bool),
    /// `macaddr`, from its text
    MacAddr,
    /// Arrays: element and its type's OID
    Array(Box<Wire>, u32),
    /// A type whose text only the server can read: staged as text, cast when it is moved to the table
    ServerText,
}

impl Wire {
    /// The form of a column.
    ///
    /// # Errors
    /// None so far: what has no binary form of ours is sent as text.
    pub(crate) fn of(column: &TableColumn) -> Result<Self> {
        if let Some((element, oid, kind)) = &column.element {
            let item = scalar(element, kind, column.modifier);
            return Ok(item.map_or(Self::ServerText, |item| Self::Array(Box::new(item), *oid)));
        }
        Ok(scalar(&column.type_name, &column.kind, column.modifier).unwrap_or(Self::ServerText))
    }

    /// Whether this holds text as it is.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The Arrow type whose arrays are encoded for it, given what comes in; `None` if that cannot be stored.
    pub(super) fn arrow(&self, from: &DataType) -> Option<DataType> {
        let text = matches!(from, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let binary = matches!(
            from,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
        );
        let number = from.is_numeric();
        let nothing = *from == DataType::Null;
        let micros = |zone: Option<Arc<str>>| DataType::Timestamp(TimeUnit::Microsecond, zone);
        let when = |fits: bool, to: DataType| (fits || nothing).then_some(to);
        match self {
            Self::Bool => when(matches!(from, DataType::Boolean), DataType::Boolean),
            Self::Int2 => when(number, DataType::Int16),
            Self::Int4 => when(number, DataType::Int32),
            Self::Int8 => when(number, DataType::Int64),
            Self::Float4 => when(number, DataType::Float32),
            Self::Float8 => when(number, DataType::Float64),
            Self::Numeric(_) => match from {
                DataType::Decimal128(_, _) => Some(from.clone()),
                DataType::Decimal256(_, _) | DataType::Float32 | DataType::Float64 => Some(DataType::Utf8),
                _ => when(from.is_integer(), DataType::Decimal128(20, 0)),
            },
            Self::Text(_) => {
                let plain = matches!(from, DataType::Boolean | DataType::Decimal128(_, _) | DataType::Date32);
                when(text || plain || from.is_integer(), DataType::Utf8)
            }
            Self::Jsonb | Self::Uuid | Self::Inet(_) | Self::MacAddr => when(text, DataType::Utf8),
            Self::ServerText => when(text || number, DataType::Utf8),
            Self::Bytea => when(binary, DataType::Binary),
            Self::Date => when(matches!(from, DataType::Date32), DataType::Date32),
            // Zoned times are instants in UTC; a column without zone takes them so, as the session's zone is UTC.
            Self::Timestamp | Self::TimestampTz => match from {
                DataType::Timestamp(_, zone) => Some(micros(zone.clone())),
                _ => when(matches!(from, DataType::Date32), micros(None)),
            },
            Self::Time => {
                when(matches!(from, DataType::Time32(_) | DataType::Time64(_)), DataType::Time64(TimeUnit::Microsecond))
            }
            Self::Interval => match from {
                DataType::Interval(_) => Some(from.clone()),
                _ => when(matches!(from, DataType::Duration(_)), DataType::Duration(TimeUnit::Microsecond)),
            },
            Self::Array(item, _) => match from {
                DataType::List(field) | DataType::LargeList(field) => {
                    let nested = matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_));
                    let item = if nested { self.arrow(field.data_type())? } else { item.arrow(field.data_type())? };
                    Some(DataType::List(Arc::new(Field::new("item", item, true))))
                }
                _ => None,
            },
        }
    }
}

fn scalar(name: &str, kind: &str, modifier: i32) -> Option<Wire> {
    if kind == "e" {
        return Some(Wire::Text(None));
    }
    let length = usize::try_from(modifier - 4).ok().filter(|_| modifier >= 4);
    Some(match name {
        "bool" => Wire::Bool,
        "int2" => Wire::Int2,
        "int4" => Wire::Int4,
        "int8" => Wire::Int8,
        "float4" => Wire::Float4,
        "float8" => Wire::Float8,
        "numeric" => Wire::Numeric(Limits::of(modifier)),
        "varchar" | "bpchar" => Wire::Text(length),
        "text" | "json" => Wire::Text(None),
        "jsonb" => Wire::Jsonb,
        "uuid" => Wire::Uuid,
        "bytea" => Wire::Bytea,
        "date" => Wire::Date,
        "timestamp" => Wire::Timestamp,
        "timestamptz" => Wire::TimestampTz,
        "time" => Wire::Time,
        "interval" => Wire::Interval,
        "inet" => Wire::Inet(false),
        "cidr" => Wire::Inet(true),
        "macaddr" => Wire::MacAddr,
        _ => return None,
    })
}
