//! ClickHouse's type names as a tree, and how each is read.
//!
//! Source: <https://clickhouse.com/docs/sql-reference/data-types>. Only text and types; talks to nobody.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use serde::{Deserialize, Serialize};

/// A type of a ClickHouse column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Bool,
    /// Bits.
    Int(u16),
    /// Bits.
    UInt(u16),
    /// Bits; 16 is `BFloat16`.
    Float(u16),
    Decimal(u8, i8),
    String,
    FixedString(usize),
    Date,
    Date32,
    /// Zone.
    DateTime(Option<String>),
    /// Digits of the second, zone.
    DateTime64(u8, Option<String>),
    Uuid,
    Ipv4,
    Ipv6,
    /// Names.
    Enum(Vec<String>),
    Json,
    Array(Box<Kind>),
    Map(Box<Kind>, Box<Kind>),
    Tuple(Vec<(Option<String>, Kind)>),
    Nullable(Box<Kind>),
    LowCardinality(Box<Kind>),
    /// A type that is neither read nor written.
    Other(String),
}

impl Kind {
    /// The tree of a type's name; what is not known is [`Kind::Other`].
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    fn known(text: &str) -> Option<Self> {
        let (head, inner) = match text.split_once('(') {
            Some((head, rest)) => (head.trim(), Some(rest.strip_suffix(')')?)),
            None => (text, None),
        };
        let arguments = inner.map(split).unwrap_or_default();
        let first = arguments.first().copied();
        let zone = |text: Option<&str>| text.map(unquote);
        Some(match head {
            "Bool" => Self::Bool,
            "Int8" | "Int16" | "Int32" | "Int64" | "Int128" | "Int256" => Self::Int(head.get(3..)?.parse().ok()?),
            "UInt8" | "UInt16" | "UInt32" | "UInt64" | "UInt128" | "UInt256" => {
                Self::UInt(head.get(4..)?.parse().ok()?)
            }
            "Float32" => Self::Float(32),
            "Float64" => Self::Float(64),
            "BFloat16" => Self::Float(16),
            "Decimal" => {
                let scale = arguments.get(1).map_or(Some(0), |text| text.trim().parse().ok())?;
                Self::Decimal(first?.trim().parse().ok()?, scale)
            }
            "String" => Self::String,
            "FixedString" => Self::FixedString(first?.trim().parse().ok()?),
            "Date" => Self::Date,
            "Date32" => Self::Date32,
            "DateTime" => Self::DateTime(zone(first)),
            "DateTime64" => Self::DateTime64(first?.trim().parse().ok()?, zone(arguments.get(1).copied())),
            "UUID" => Self::Uuid,
            "IPv4" => Self::Ipv4,
            "IPv6" => Self::Ipv6,
            "Enum8" | "Enum16" | "Enum" => Self::Enum(
                arguments
                    .iter()
                    .map(|part| part.rsplit_once('=').map_or(*part, |(name, _)| name))
                    .map(unquote)
                    .collect(),
            ),
            "JSON" => Self::Json,
            "Array" => Self::Array(Box::new(Self::parse(first?))),
            "Map" => Self::Map(Box::new(Self::parse(first?)), Box::new(Self::parse(arguments.get(1)?))),
            "Tuple" => Self::Tuple(arguments.iter().map(|part| element(part)).collect()),
            "Nullable" => Self::Nullable(Box::new(Self::parse(first?))),
            "LowCardinality" => Self::LowCardinality(Box::new(Self::parse(first?))),
            // Stored and read as its argument.
            "SimpleAggregateFunction" => Self::parse(arguments.get(1)?),
            _ => return None,
        })
    }

    /// Whether a value may be null.
    pub(crate) fn nullable(&self) -> bool {
        match self {
            Self::Nullable(_) => true,
            Self::LowCardinality(inner) => inner.nullable(),
            _ => false,
        }
    }

    /// The type without what only says how it is stored, and whether it may be null.
    pub(crate) fn bare(&self) -> &Self {
        match self {
            Self::Nullable(inner) | Self::LowCardinality(inner) => inner.bare(),
            other => other,
        }
    }

    /// The type as ClickHouse is asked to give it, so that every version gives the same Arrow type; `None` for what
    /// cannot be read.
    pub(crate) fn wire(&self, fixed_string_as_text: bool) -> Option<String> {
        let nested = |kind: &Self| kind.wire(fixed_string_as_text);
        Some(match self {
            Self::Bool => "Bool".to_owned(),
            Self::Int(bits @ (8 | 16 | 32 | 64)) => format!("Int{bits}"),
            Self::UInt(8) => "Int16".to_owned(),
            Self::UInt(16) => "Int32".to_owned(),
            Self::UInt(32) => "Int64".to_owned(),
            Self::UInt(64) => "Decimal(20, 0)".to_owned(),
            // No cast to a decimal exists: digits are parsed, and refused when too many, on our side.
            Self::Int(_) | Self::UInt(_) => "String".to_owned(),
            Self::Float(64) => "Float64".to_owned(),
            Self::Float(_) => "Float32".to_owned(),
            Self::Decimal(precision, scale) if *precision <= 38 => format!("Decimal({precision}, {scale})"),
            Self::FixedString(_) if fixed_string_as_text => "String".to_owned(),
            Self::FixedString(length) => format!("FixedString({length})"),
            Self::String | Self::Uuid | Self::Ipv4 | Self::Ipv6 | Self::Enum(_) | Self::Json => "String".to_owned(),
            Self::Date | Self::Date32 => "Date32".to_owned(),
            Self::DateTime(_) | Self::DateTime64(..) => "DateTime64(6, 'UTC')".to_owned(),
            Self::Array(item) => format!("Array({})", nested(item)?),
            Self::Map(key, value) => format!("Map({}, {})", nested(key)?, nested(value)?),
            Self::Tuple(elements) => {
                let mut text = "Tuple(".to_owned();
                for (index, (name, kind)) in elements.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    let name = name.as_ref().map(|name| format!("{} ", super::table::quote(name))).unwrap_or_default();
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{comma}{name}{}", nested(kind)?);
                }
                text + ")"
            }
            Self::Nullable(inner) => format!("Nullable({})", nested(inner)?),
            Self::LowCardinality(inner) => nested(inner)?,
            Self::Decimal(..) | Self::Other(_) => return None,
        })
    }

    /// The Arrow type in which Spark's type is carried; `None` for what cannot be read.
    pub(crate) fn arrow(&self, fixed_string_as_text: bool) -> Option<DataType> {
        let nested = |kind: &Self| kind.arrow(fixed_string_as_text);
        Some(match self {
            Self::Bool => DataType::Boolean,
            Self::Int(8) => DataType::Int8,
            Self::Int(16) | Self::UInt(8) => DataType::Int16,
            Self::Int(32) | Self::UInt(16) => DataType::Int32,
            Self::Int(64) | Self::UInt(32) => DataType::Int64,
            Self::UInt(64) => DataType::Decimal128(20, 0),
            Self::Int(_) | Self::UInt(_) => DataType::Decimal128(38, 0),
            Self::Float(64) => DataType::Float64,
            Self::Float(_) => DataType::Float32,
            Self::Decimal(precision, scale) if *precision <= 38 => DataType::Decimal128(*precision, *scale),
            Self::FixedString(_) if !fixed_string_as_text => DataType::Binary,
            Self::FixedString(_) | Self::String | Self::Uuid | Self::Ipv4 | Self::Ipv6 | Self::Enum(_) | Self::Json => {
                DataType::Utf8
            }
            Self::Date | Self::Date32 => DataType::Date32,
            Self::DateTime(_) | Self::DateTime64(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Array(item) => DataType::List(Arc::new(Field::new("element", nested(item)?, item.nullable()))),
            Self::Map(key, value) => {
                let key = Field::new("key", nested(key)?, false);
                let value = Field::new("value", nested(value)?, value.nullable());
                let entries = DataType::Struct(Fields::from(vec![key, value]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            Self::Tuple(elements) => {
                let mut fields = Vec::with_capacity(elements.len());
                for (index, (name, kind)) in elements.iter().enumerate() {
                    let name = name.clone().unwrap_or_else(|| format!("_{}", index + 1));
                    fields.push(Field::new(name, nested(kind)?, kind.nullable()));
                }
                DataType::Struct(fields.into())
            }
            Self::Nullable(inner) | Self::LowCardinality(inner) => nested(inner)?,
            Self::Decimal(..) | Self::Other(_) => return None,
        })
    }
}

/// `name Type` or `Type`.
fn element(text: &str) -> (Option<String>, Kind) {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('`')
        && let Some((name, kind)) = rest.split_once('`')
    {
        return (Some(name.to_owned()), Kind::parse(kind));
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(text.len());
    match text.get(end..).filter(|rest| rest.starts_with(char::is_whitespace)) {
        Some(rest) => (Some(text.get(..end).unwrap_or_default().to_owned()), Kind::parse(rest)),
        None => (None, Kind::parse(text)),
    }
}

/// Splits at commas outside brackets and quotes.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote, mut escaped) = (Vec::new(), 0, 0_i32, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

pub(super) fn unquote(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(text);
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_trees() {
        assert_eq!(
            Kind::parse("LowCardinality(Nullable(String))"),
            Kind::LowCardinality(Box::new(Kind::Nullable(Box::new(Kind::String))))
        );
        assert_eq!(
            Kind::parse("DateTime64(3, 'Europe/Berlin')"),
            Kind::DateTime64(3, Some("Europe/Berlin".to_owned()))
        );
        assert_eq!(
            Kind::parse(r"Enum8('a, b' = 1, 'it\'s' = 2)"),
            Kind::Enum(vec!["a, b".to_owned(), "it's".to_owned()])
        );
        let tuple = Kind::parse("Tuple(a Int8, `b c` Array(DateTime64(6, 'UTC')), Map(String, UInt64))");
        let Kind::Tuple(elements) = &tuple else { panic!("{tuple:?}") };
        let names: Vec<_> = elements.iter().map(|(name, _)| name.as_deref()).collect();
        assert_eq!(names, [Some("a"), Some("b c"), None]);
        assert_eq!(
            tuple.wire(false).as_deref(),
            Some("Tuple(`a` Int8, `b c` Array(DateTime64(6, 'UTC')), Map(String, Decimal(20, 0)))")
        );
        assert!(matches!(Kind::parse("AggregateFunction(sum, UInt8)"), Kind::Other(_)));
        assert_eq!(Kind::parse("Decimal(76, 2)").arrow(false), None);
    }
}
