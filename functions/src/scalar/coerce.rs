//! Which types a function's arguments are cast to, by Spark's implicit casts.
//!
//! It only names types; the analyzer inserts the casts, whose own rules raise errors for bad values.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use datafusion::common::Result;

use crate::error::SparkError;

/// What a parameter accepts, and what other types are cast to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arg {
    /// String; any atomic value is cast.
    Str,
    /// String and nothing else.
    Text,
    /// Variant and nothing else.
    Variant,
    /// String or binary, as it is; any other atomic value becomes a string.
    StrOrBin,
    /// Binary; strings are cast.
    Bin,
    /// Boolean.
    Bool,
    /// `INT`.
    Int,
    /// `BIGINT`.
    Long,
    /// `DOUBLE`.
    Double,
    /// Any integer type as it is; others become `BIGINT`.
    Integral,
    /// Any numeric type as it is; strings become `DOUBLE`.
    Num,
    /// Date; timestamps and strings are cast.
    Date,
    /// Timestamp with local time zone.
    Ts,
    /// Timestamp without time zone.
    Ntz,
    /// Either timestamp type as it is; others become the one with local time zone.
    AnyTs,
    /// A time of day; strings are cast.
    Time,
    /// Date or timestamp as it is; strings become timestamps.
    DateOrTs,
    /// Anything.
    Any,
    /// Any array.
    Array,
    /// Any map.
    Map,
}

/// A timestamp with local time zone.
pub(crate) fn ltz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}
/// A timestamp without time zone.
pub(crate) fn ntz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}
/// An array type with Spark's field name.
pub(crate) fn list_of(element: DataType, nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new("element", element, nullable)))
}
/// A map type with Spark's field names.
pub(crate) fn map_of(key: DataType, value: DataType, nullable: bool) -> DataType {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, nullable)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// Whether a type is a map or has one inside.
pub(crate) fn holds_map(t: &DataType) -> bool {
    match t {
        DataType::Map(..) => true,
        DataType::List(element) => holds_map(element.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| holds_map(field.data_type())),
        _ => false,
    }
}

fn atomic(t: &DataType) -> bool {
    !t.is_nested()
}
/// Variants are carried as structs but cast like single values.
fn variant(t: &DataType) -> bool {
    t.is_nested() && *t == crate::types::DataType::Variant.to_arrow()
}
fn numeric(t: &DataType) -> bool {
    t.is_numeric()
}
fn string(t: &DataType) -> bool {
    matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
fn binary(t: &DataType) -> bool {
    matches!(t, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}
fn temporal(t: &DataType) -> bool {
    matches!(t, DataType::Date32 | DataType::Timestamp(_, _))
}

/// The type `given` is cast to for a parameter, or `None` where Spark rejects it.
pub(crate) fn target(arg: Arg, given: &DataType) -> Option<DataType> {
    use DataType::{Binary, Boolean, Date32, Float64, Int32, Int64, Null, Utf8};
    let null = matches!(given, Null);
    let number = |to: DataType| (null || numeric(given) || string(given)).then_some(to);
    match arg {
        Arg::Any => Some(if string(given) {
            Utf8
        } else if binary(given) {
            Binary
        } else {
            given.clone()
        }),
        Arg::Str => (atomic(given) || variant(given)).then_some(Utf8),
        Arg::Text => (null || string(given)).then_some(Utf8),
        Arg::Variant => (null || variant(given)).then(|| crate::types::DataType::Variant.to_arrow()),
        Arg::StrOrBin => {
            if binary(given) {
                Some(Binary)
            } else {
                (atomic(given) || variant(given)).then_some(Utf8)
            }
        }
        Arg::Bin => (null || string(given) || binary(given)).then_some(Binary),
        Arg::Bool => (null || matches!(given, Boolean) || string(given)).then_some(Boolean),
        Arg::Int => number(Int32),
        Arg::Long => number(Int64),
        Arg::Double => number(Float64),
        Arg::Integral if given.is_signed_integer() => Some(given.clone()),
        Arg::Integral => (null || string(given)).then_some(Int64),
        Arg::Num if numeric(given) => Some(given.clone()),
        Arg::Num => number(Float64),
        Arg::Date => (null || temporal(given) || string(given)).then_some(Date32),
        Arg::Ts => (null || temporal(given) || string(given)).then(ltz),
        Arg::Ntz => (null || temporal(given) || string(given)).then(ntz),
        Arg::AnyTs => match given {
            DataType::Timestamp(_, None) => Some(ntz()),
            _ => (null || temporal(given) || string(given)).then(ltz),
        },
        Arg::Time => {
            let time = matches!(given, DataType::Time64(_));
            (null || time || string(given)).then_some(DataType::Time64(TimeUnit::Microsecond))
        }
        Arg::DateOrTs => match given {
            Date32 => Some(Date32),
            DataType::Timestamp(_, None) => Some(ntz()),
            _ => (null || temporal(given) || string(given)).then(ltz),
        },
        Arg::Array => match given {
            DataType::List(_) => Some(given.clone()),
            Null => Some(list_of(Null, true)),
            _ => None,
        },
        Arg::Map => match given {
            DataType::Map(_, _) => Some(given.clone()),
            Null => Some(map_of(Null, Null, true)),
            _ => None,
        },
    }
}

fn wanted(arg: Arg) -> &'static str {
    match arg {
        Arg::Str | Arg::Text => "\"STRING\"",
        Arg::Variant => "\"VARIANT\"",
        Arg::StrOrBin => "(\"STRING\" or \"BINARY\")",
        Arg::Bin => "\"BINARY\"",
        Arg::Bool => "\"BOOLEAN\"",
        Arg::Int => "\"INT\"",
        Arg::Long => "\"BIGINT\"",
        Arg::Double => "\"DOUBLE\"",
        Arg::Integral => "\"INTEGRAL\"",
        Arg::Num => "\"NUMERIC\"",
        Arg::Date => "\"DATE\"",
        Arg::Ts => "\"TIMESTAMP\"",
        Arg::Ntz => "\"TIMESTAMP_NTZ\"",
        Arg::AnyTs | Arg::DateOrTs => "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\")",
        Arg::Time => "\"TIME\"",
        Arg::Any => "\"ANY\"",
        Arg::Array => "\"ARRAY\"",
        Arg::Map => "\"MAP\"",
    }
}

fn ordinal(index: usize) -> String {
    const NAMES: [&str; 9] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    NAMES.get(index).map_or_else(|| format!("{}th", index + 1), |name| (*name).to_string())
}

/// The SQL name of an Arrow type, quoted as in messages.
pub(crate) fn sql_name(given: &DataType) -> String {
    crate::types::DataType::from_arrow(&Field::new("", given.clone(), true))
        .map_or_else(|_| given.to_string(), |t| format!("\"{}\"", t.sql()))
}

/// `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`; the analyzer fills in the expression texts.
pub(crate) fn mismatch(name: &str, index: usize, required: &str, given: &DataType) -> SparkError {
    let sql = format!("\"{name}\"");
    SparkError::analysis(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        &[
            ("sqlExpr", &sql),
            ("paramIndex", &ordinal(index)),
            ("requiredType", required),
            ("inputSql", &sql),
            ("inputType", &sql_name(given)),
        ],
    )
}

/// Fails with Spark's `WRONG_NUM_ARGS` unless `least <= given <= most`.
pub(crate) fn check_count(name: &str, given: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&given) {
        return Ok(());
    }
    let expected = if most == usize::MAX {
        format!("> {}", least.saturating_sub(1))
    } else if least == most {
        least.to_string()
    } else {
        let all: Vec<String> = (least..=most).map(|n| n.to_string()).collect();
        format!("[{}]", all.join(", "))
    };
    let function = format!("`{name}`");
    Err(SparkError::analysis(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        &[
            ("functionName", &function),
            ("expectedNum", &expected),
            ("actualNum", &given.to_string()),
            ("docroot", "https://spark.apache.org/docs/latest"),
        ],
    )
    .into())
}

/// Coerces each argument by its rule.
pub(crate) fn coerce(name: &str, args: &[Arg], rest: Option<Arg>, types: &[DataType]) -> Result<Vec<DataType>> {
    let mut out = Vec::with_capacity(types.len());
    for (index, given) in types.iter().enumerate() {
        let Some(arg) = args.get(index).copied().or(rest) else { break };
        out.push(target(arg, given).ok_or_else(|| mismatch(name, index, wanted(arg), given))?);
    }
    Ok(out)
}

/// The common type of two, by Spark's ANSI rules: numbers widen, a string yields to the other side.
pub(crate) fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Interval, Null, Utf8};
    if a == b {
        return Some(a.clone());
    }
    let rank = |t: &DataType| match t {
        Int8 => Some(3_u8),
        Int16 => Some(5),
        Int32 => Some(10),
        Int64 => Some(20),
        _ => None,
    };
    Some(match (a, b) {
        (Null, t) | (t, Null) => t.clone(),
        (x, y) if rank(x).is_some() && rank(y).is_some() => {
            if rank(x) > rank(y) {
                x.clone()
            } else {
                y.clone()
            }
        }
        (Decimal128(p, s), Decimal128(q, t)) => decimal_union(*p, *s, *q, *t),
        (Decimal128(p, s), t) | (t, Decimal128(p, s)) if rank(t).is_some() => {
            decimal_union(*p, *s, rank(t).unwrap_or(20), 0)
        }
        (Float32, Float32) => Float32,
        (x, y) if numeric(x) && numeric(y) => Float64,
        (Date32, DataType::Timestamp(u, z)) | (DataType::Timestamp(u, z), Date32) => DataType::Timestamp(*u, z.clone()),
        (DataType::Timestamp(_, _), DataType::Timestamp(_, _)) => ltz(),
        (Interval(IntervalUnit::MonthDayNano), t @ (Interval(_) | DataType::Duration(_)))
        | (t @ (Interval(_) | DataType::Duration(_)), Interval(IntervalUnit::MonthDayNano)) => {
            let _ = t;
            Interval(IntervalUnit::MonthDayNano)
        }
        (x, y) if string(x) && string(y) => Utf8,
        (x, y) if string(x) && atomic(y) => string_with(y),
        (x, y) if string(y) && atomic(x) => string_with(x),
        (DataType::List(x), DataType::List(y)) => {
            list_of(wider(x.data_type(), y.data_type())?, x.is_nullable() || y.is_nullable())
        }
        (DataType::Map(x, _), DataType::Map(y, _)) => match (x.data_type(), y.data_type()) {
            (DataType::Struct(x), DataType::Struct(y)) if x.len() == 2 && y.len() == 2 => map_of(
                wider(x[0].data_type(), y[0].data_type())?,
                wider(x[1].data_type(), y[1].data_type())?,
                x[1].is_nullable() || y[1].is_nullable(),
            ),
            _ => return None,
        },
        (DataType::Struct(_), DataType::Struct(_))
            if crate::geo::of_arrow(a).is_some() || crate::geo::of_arrow(b).is_some() =>
        {
            crate::geo::common(&crate::geo::of_arrow(a)?, &crate::geo::of_arrow(b)?)?.to_arrow()
        }
        (DataType::Struct(x), DataType::Struct(y)) if x.len() == y.len() => {
            let fields = x
                .iter()
                .zip(y)
                .map(|(x, y)| {
                    // Structs whose fields are called otherwise have no type in common.
                    let same = x.name().eq_ignore_ascii_case(y.name());
                    let both = x.is_nullable() || y.is_nullable();
                    same.then(|| wider(x.data_type(), y.data_type()))?.map(|t| Field::new(x.name(), t, both))
                })
                .collect::<Option<Vec<_>>>()?;
            DataType::Struct(Fields::from(fields))
        }
        _ => return None,
    })
}

fn string_with(other: &DataType) -> DataType {
    match other {
        t if t.is_integer() => DataType::Int64,
        t if numeric(t) => DataType::Float64,
        t => t.clone(),
    }
}

fn decimal_union(p: u8, s: i8, q: u8, t: i8) -> DataType {
    let scale = s.max(t);
    let whole = (p as i16 - s as i16).max(q as i16 - t as i16);
    let precision = whole + scale as i16;
    if precision <= 38 {
        return DataType::Decimal128(precision as u8, scale);
    }
    // Digits before the point are kept first, as Spark's bounded decimal does for unions.
    DataType::Decimal128(38, (38 - whole).clamp(0, scale as i16) as i8)
}

/// The common type of all, or Spark's `DATATYPE_MISMATCH.DATA_DIFF_TYPES`.
pub(crate) fn common(name: &str, types: &[DataType]) -> Result<DataType> {
    common_or("DATATYPE_MISMATCH.DATA_DIFF_TYPES", name, types, |all| format!("({})", all.join(" or ")))
}

/// The common type of all, or the condition given, with the types as `shown` prints them.
pub(crate) fn common_or(
    condition: &'static str,
    name: &str,
    types: &[DataType],
    shown: fn(&[String]) -> String,
) -> Result<DataType> {
    let mut out = DataType::Null;
    for given in types {
        let clean = target(Arg::Any, given).unwrap_or_else(|| given.clone());
        out = wider(&out, &clean).ok_or_else(|| {
            let all: Vec<String> = types.iter().map(sql_name).collect();
            SparkError::analysis(
                condition,
                &[
                    ("sqlExpr", &format!("\"{name}\"")),
                    ("functionName", &format!("`{name}`")),
                    ("dataType", &shown(&all)),
                ],
            )
        })?;
    }
    Ok(out)
}

/// Every argument gets the common type of all.
pub(crate) fn all_common(types: &[DataType]) -> Result<Vec<DataType>> {
    let one = common("function", types)?;
    Ok(vec![one; types.len()])
}
