//! `format_string` and `printf`: Java's `Formatter` over Spark's own values, which dates and intervals are numbers among.
//!
//! Source: the documentation of `java.util.Formatter`. It knows nothing of the digits of floats.

mod float;
mod spec;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, FieldRef, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use super::coerce::Arg;
use super::hash;
use super::read::{invalid, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::display::decimal_scientific;
use crate::error::SparkError;
use spec::{Piece, Place, Spec};

/// A value to print, as Java sees it.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Boolean(bool),
    /// A whole number of so many bits.
    Whole(i64, u32),
    /// A float or double; Java widens floats for numbers, but not for texts.
    Float(f64, Option<f32>),
    Text(String),
    /// What only has a text.
    Other(String),
}

/// The value of a row.
fn value(array: &ArrayRef, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! whole {
        ($kind:ty, $bits:literal) => {
            Value::Whole(i64::from(array.as_primitive::<$kind>().value(row)), $bits)
        };
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => whole!(Int8Type, 8),
        DataType::Int16 => whole!(Int16Type, 16),
        DataType::Int32 => whole!(Int32Type, 32),
        DataType::Int64 => whole!(Int64Type, 64),
        DataType::Date32 => whole!(Date32Type, 32),
        DataType::Timestamp(..) => whole!(TimestampMicrosecondType, 64),
        DataType::Duration(_) => whole!(DurationMicrosecondType, 64),
        DataType::Interval(IntervalUnit::YearMonth) => whole!(IntervalYearMonthType, 32),
        // Times of day are counted in nanoseconds.
        DataType::Time64(_) => Value::Whole(array.as_primitive::<Time64MicrosecondType>().value(row) * 1000, 64),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            Value::Float(f64::from(value), Some(value))
        }
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row), None),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Decimal128(_, scale) => {
            Value::Other(decimal_scientific(array.as_primitive::<Decimal128Type>().value(row), *scale))
        }
        other => return Err(SparkError::unsupported(format!("format_string of {other}")).into()),
    })
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Whole(value, _) => value.to_string(),
            Self::Float(_, Some(value)) => crate::display::java_float(*value),
            Self::Float(value, None) => crate::display::java_double(*value),
            Self::Text(text) | Self::Other(text) => text.clone(),
        }
    }

    /// Java's `hashCode`.
    fn hash(&self) -> Option<u32> {
        let long = |value: u64| (value ^ (value >> 32)) as u32;
        Some(match self {
            Self::Null | Self::Other(_) => return None,
            Self::Boolean(value) => 1231 + 6 * u32::from(!value),
            Self::Whole(value, 64) => long(*value as u64),
            Self::Whole(value, _) => *value as u32,
            Self::Float(_, Some(value)) => value.to_bits(),
            Self::Float(value, None) => long(value.to_bits()),
            Self::Text(text) => hash::bytes(text.as_bytes(), 42),
        })
    }
}

/// What Java refuses: it has no condition of its own.
fn refused(format: &str, why: &str) -> DataFusionError {
    let value = format!("{format}: {why}");
    invalid("PATTERN", "format_string", &[("parameter", "`strfmt`"), ("value", &crate::error::sql_value(&value))])
}

fn format(pieces: &[Piece], format: &str, values: &[Value]) -> Result<String> {
    let mut out = String::new();
    let (mut next, mut last) = (0, None);
    for piece in pieces {
        let spec = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Spec(spec) => spec,
        };
        match spec.conversion {
            '%' => {
                out.push_str(&spec.justified("%"));
                continue;
            }
            'n' => {
                out.push('\n');
                continue;
            }
            _ => {}
        }
        let at = match spec.place {
            Place::Next => {
                next += 1;
                Some(next - 1)
            }
            Place::Same => last,
            Place::At(index) => index.checked_sub(1),
        };
        last = at;
        let value = at.and_then(|at| values.get(at)).ok_or_else(|| refused(format, "a value is missing"))?;
        let text = one(spec, value).ok_or_else(|| refused(format, "a value does not fit its conversion"))?;
        out.push_str(&if spec.upper { text.to_uppercase() } else { text });
    }
    Ok(out)
}

/// One value by one specifier; `None` where Java throws.
fn one(spec: &Spec, value: &Value) -> Option<String> {
    let cut = |text: String| match spec.precision {
        // Java counts in units of UTF-16; half a pair is no character.
        Some(precision) => {
            let mut left = precision;
            let fits = |c: &char| left.checked_sub(c.len_utf16()).map(|rest| left = rest).is_some();
            text.chars().take_while(fits).collect()
        }
        None => text,
    };
    Some(match (spec.conversion, value) {
        ('b', value) => spec.justified(&cut(match value {
            Value::Null => "false".to_owned(),
            Value::Boolean(value) => value.to_string(),
            _ => "true".to_owned(),
        })),
        ('s', value) if !spec.alternate => spec.justified(&cut(value.text())),
        ('h', Value::Null) => spec.justified(&cut("null".to_owned())),
        ('h', value) => spec.justified(&cut(format!("{:x}", value.hash()?))),
        ('d' | 'o' | 'x' | 'c' | 'e' | 'f' | 'g' | 'a', Value::Null) => spec.justified(&cut("null".to_owned())),
        ('c', Value::Whole(value, 8 | 16 | 32)) => {
            spec.justified(&char::from_u32(u32::try_from(*value).ok()?)?.to_string())
        }
        ('d', Value::Whole(value, _)) if spec.precision.is_none() => {
            spec.number(*value < 0, &value.unsigned_abs().to_string(), "")
        }
        ('o' | 'x', Value::Whole(value, bits)) if spec.precision.is_none() && !spec.group => {
            // Negative numbers are shown as the bits of their type.
            let raw = *value as u64 & (u64::MAX >> (64 - bits));
            let (digits, prefix) = match spec.conversion {
                'o' => (format!("{raw:o}"), "0"),
                _ => (format!("{raw:x}"), "0x"),
            };
            spec.prefixed(if spec.alternate { prefix } else { "" }, &digits)
        }
        ('e' | 'f' | 'g' | 'a', Value::Float(value, _)) => float::text(spec, *value)?,
        _ => return None,
    })
}

/// `format_string(format, ..)`: null where the format is; a null value is printed as `null`.
fn format_string(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let formats = strs(args, 0)?;
    let mut held: Option<(&str, Vec<Piece>)> = None;
    let mut out = Vec::with_capacity(call.rows);
    for row in 0..formats.len() {
        if formats.is_null(row) {
            out.push(None);
            continue;
        }
        let text = formats.value(row);
        if held.as_ref().is_none_or(|(known, _)| *known != text) {
            held = Some((text, spec::parse(text).map_err(|why| refused(text, why))?));
        }
        let values = args.iter().skip(1).map(|array| value(array, row)).collect::<Result<Vec<_>>>()?;
        out.push(held.as_ref().map(|(_, pieces)| format(pieces, text, &values)).transpose()?);
    }
    Ok(Arc::new(StringArray::from(out)))
}

/// A constant format with `%0$` is refused before any row is seen.
fn checked(_: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<DataType> {
    let format = constants.first().copied().flatten().and_then(|value| value.try_as_str()).flatten();
    if format.is_some_and(|format| format.contains("%0$")) {
        return Err(invalid("ZERO_INDEX", "format_string", &[("parameter", "`strfmt`")]));
    }
    Ok(DataType::Utf8)
}

/// `format_string` and `printf`.
pub(super) fn all() -> Vec<SparkFn> {
    let made = f("format_string", &[Arg::Str], Ret::With(checked), format_string);
    vec![made.rest(Arg::Any).also(&["printf"]).nulls(Nulls::Propagate)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format_text: &str, value: Value) -> String {
        format(&spec::parse(format_text).unwrap(), format_text, &[value]).unwrap()
    }

    #[test]
    fn values_are_written_as_java_writes_them() {
        assert_eq!(shown("%08.3f", Value::Float(f64::NAN, None)), "     NaN");
        assert_eq!(shown("%e", Value::Float(0.0, None)), "0.000000e+00");
        assert_eq!(shown("%.2f", Value::Float(1.005, None)), "1.01");
        assert_eq!(shown("%,d", Value::Whole(-1_234_567, 32)), "-1,234,567");
        assert_eq!(shown("%(05d", Value::Whole(-7, 32)), "(007)");
        assert_eq!(shown("%x", Value::Whole(-1, 8)), "ff");
        assert_eq!(shown("%g", Value::Float(123.456, None)), "123.456");
        assert_eq!(shown("%-6s|", Value::Text("é".into())), "é     |");
        assert_eq!(shown("%S", Value::Null), "NULL");
        assert_eq!(shown("%.3f", Value::Float(1e20, None)), "100000000000000000000.000");
    }
}
