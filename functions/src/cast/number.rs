//! Casts between numbers and booleans.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};

use super::decimal::{fits, power_of_ten, read, rescaler, to_double};
use super::{Cast, CastMode, primitive};
use crate::display::{decimal_text, java_double, java_float};
use crate::error::{SparkError, SparkResult};
use crate::types::DataType;

impl Cast<'_> {
    pub(super) fn number(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        match self.from {
            DataType::Boolean => self.boolean_to(array),
            DataType::Float | DataType::Double => self.float_to(array),
            DataType::Decimal(_, scale) => self.decimal_to(array, *scale),
            from if from.is_integral() => self.long_to(&widen(array)?),
            _ => Err(self.unsupported()),
        }
    }

    /// From 64-bit integers, whatever width the source had.
    pub(super) fn long_to(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let error = |value: i64| SparkError::cast_overflow(&long_literal(value, self.from), self.from, self.to);
        let wrap = self.mode == CastMode::Legacy;
        match self.to {
            DataType::Byte if wrap => self.total::<Int64Type, Int8Type>(array, |v| v as i8),
            DataType::Byte => self.map::<Int64Type, Int8Type>(array, |v| i8::try_from(v).ok(), error),
            DataType::Short if wrap => self.total::<Int64Type, Int16Type>(array, |v| v as i16),
            DataType::Short => self.map::<Int64Type, Int16Type>(array, |v| i16::try_from(v).ok(), error),
            DataType::Integer if wrap => self.total::<Int64Type, Int32Type>(array, |v| v as i32),
            DataType::Integer => self.map::<Int64Type, Int32Type>(array, |v| i32::try_from(v).ok(), error),
            DataType::Long => Ok(Arc::clone(array)),
            DataType::Float => self.total::<Int64Type, Float32Type>(array, |v| v as f32),
            DataType::Double => self.total::<Int64Type, Float64Type>(array, |v| v as f64),
            DataType::Boolean => Ok(Arc::new(BooleanArray::from_unary(primitive::<Int64Type>(array)?, |v| v != 0))),
            DataType::Decimal(precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                let scaled = rescaler(0, precision, scale);
                self.map::<Int64Type, Decimal128Type>(
                    array,
                    |v| scaled(i128::from(v)),
                    |v| SparkError::decimal_out_of_range(&v.to_string(), precision, scale),
                )
            }
            _ => Err(self.unsupported()),
        }
    }

    fn boolean_to(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let bits = booleans(array)?;
        match self.to {
            DataType::Decimal(precision, scale) => {
                let one = power_of_ten(u32::from(scale.unsigned_abs())).filter(|one| fits(*one, *precision));
                if one.is_none() && self.mode == CastMode::Ansi && bits.true_count() > 0 {
                    return Err(SparkError::decimal_out_of_range("1", *precision, *scale));
                }
                let values: arrow::array::Decimal128Array =
                    bits.iter().map(|bit| bit.and_then(|bit| if bit { one } else { Some(0) })).collect();
                Ok(Arc::new(values.with_data_type(self.to.to_arrow())))
            }
            _ => Ok(arrow::compute::cast(array, &self.to.to_arrow())?),
        }
    }

    fn float_to(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let single = *self.from == DataType::Float;
        let wide =
            if single { arrow::compute::cast(array, &arrow::datatypes::DataType::Float64)? } else { Arc::clone(array) };
        let error = |value: f64| {
            let literal = match single {
                true => format!("CAST('{}' AS FLOAT)", java_float(value as f32)),
                false => format!("{}D", java_double(value)),
            };
            SparkError::cast_overflow(&literal, self.from, self.to)
        };
        let wrap = self.mode == CastMode::Legacy;
        match self.to {
            DataType::Byte if wrap => self.total::<Float64Type, Int8Type>(&wide, |v| v as i32 as i8),
            DataType::Byte => self.map::<Float64Type, Int8Type>(&wide, |v| below(v, 128.0).map(|v| v as i8), error),
            DataType::Short if wrap => self.total::<Float64Type, Int16Type>(&wide, |v| v as i32 as i16),
            DataType::Short => {
                self.map::<Float64Type, Int16Type>(&wide, |v| below(v, 32_768.0).map(|v| v as i16), error)
            }
            DataType::Integer if wrap => self.total::<Float64Type, Int32Type>(&wide, |v| v as i32),
            DataType::Integer => {
                self.map::<Float64Type, Int32Type>(&wide, |v| below(v, 2_147_483_648.0).map(|v| v as i32), error)
            }
            DataType::Long if wrap => self.total::<Float64Type, Int64Type>(&wide, |v| v as i64),
            DataType::Long => {
                // The largest BIGINT is no double; the double above it counts as that number, as it does in Java.
                let limit = 9_223_372_036_854_775_808.0;
                let fits = |v: f64| (v >= -limit && v <= limit).then_some(v as i64);
                self.map::<Float64Type, Int64Type>(&wide, fits, error)
            }
            DataType::Float => self.total::<Float64Type, Float32Type>(&wide, |v| v as f32),
            DataType::Double => Ok(wide),
            DataType::Boolean => Ok(Arc::new(BooleanArray::from_unary(primitive::<Float64Type>(&wide)?, |v| v != 0.0))),
            DataType::Decimal(precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                // Spark gives NULL for NaN and the infinities in every mode.
                let finite: Float64Array =
                    primitive::<Float64Type>(&wide)?.unary_opt(|v: f64| v.is_finite().then_some(v));
                self.map::<Float64Type, Decimal128Type>(
                    &finite,
                    |v| float_to_decimal(v, precision, scale),
                    |v| SparkError::decimal_out_of_range(&plain(v), precision, scale),
                )
            }
            _ => Err(self.unsupported()),
        }
    }

    fn decimal_to(&self, array: &ArrayRef, from_scale: i8) -> SparkResult<ArrayRef> {
        let unit = power_of_ten(u32::from(from_scale.unsigned_abs())).unwrap_or(i128::MAX);
        let literal = |value: i128| format!("{}BD", decimal_text(value, from_scale));
        let error = |value: i128| SparkError::cast_overflow(&literal(value), self.from, self.to);
        let wrap = self.mode == CastMode::Legacy;
        match self.to {
            DataType::Byte if wrap => self.total::<Decimal128Type, Int8Type>(array, |v| (v / unit) as i8),
            DataType::Byte => self.map::<Decimal128Type, Int8Type>(array, |v| i8::try_from(v / unit).ok(), error),
            DataType::Short if wrap => self.total::<Decimal128Type, Int16Type>(array, |v| (v / unit) as i16),
            DataType::Short => self.map::<Decimal128Type, Int16Type>(array, |v| i16::try_from(v / unit).ok(), error),
            DataType::Integer if wrap => self.total::<Decimal128Type, Int32Type>(array, |v| (v / unit) as i32),
            DataType::Integer => self.map::<Decimal128Type, Int32Type>(array, |v| i32::try_from(v / unit).ok(), error),
            DataType::Long if wrap => self.total::<Decimal128Type, Int64Type>(array, |v| (v / unit) as i64),
            DataType::Long => self.map::<Decimal128Type, Int64Type>(array, |v| i64::try_from(v / unit).ok(), error),
            DataType::Float => {
                // One rounding from the decimal itself: going through a double could round twice.
                let single = |v: i128| decimal_text(v, from_scale).parse().unwrap_or(f32::NAN);
                self.total::<Decimal128Type, Float32Type>(array, single)
            }
            DataType::Double => self.total::<Decimal128Type, Float64Type>(array, |v| to_double(v, from_scale)),
            DataType::Boolean => {
                Ok(Arc::new(BooleanArray::from_unary(primitive::<Decimal128Type>(array)?, |v| v != 0)))
            }
            DataType::Decimal(precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                self.map::<Decimal128Type, Decimal128Type>(array, rescaler(from_scale, precision, scale), |v| {
                    SparkError::decimal_out_of_range(&decimal_text(v, from_scale), precision, scale)
                })
            }
            _ => Err(self.unsupported()),
        }
    }
}

/// A value whose whole part is from `-limit` to just below `limit`: less than one is cut off on both sides.
#[inline(always)]
fn below(value: f64, limit: f64) -> Option<f64> {
    ((value > -limit - 1.0) & (value < limit)).then_some(value)
}

/// A double as a decimal, by way of Java's text of it.
fn float_to_decimal(value: f64, precision: u8, scale: i8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    match read(&java_double(value), precision, scale) {
        super::decimal::Read::Value(value) => Some(value),
        _ => None,
    }
}

/// All digits of a double, without exponent.
fn plain(value: f64) -> String {
    let text = format!("{value}");
    if text.contains('.') || !value.is_finite() { text } else { format!("{text}.0") }
}

/// An integer as a SQL literal of its type.
pub(crate) fn long_literal(value: i64, data_type: &DataType) -> String {
    let suffix = match data_type {
        DataType::Byte => "Y",
        DataType::Short => "S",
        DataType::Long => "L",
        _ => "",
    };
    format!("{value}{suffix}")
}

pub(super) fn widen(array: &ArrayRef) -> SparkResult<ArrayRef> {
    Ok(arrow::compute::cast(array, &arrow::datatypes::DataType::Int64)?)
}

fn booleans(array: &ArrayRef) -> SparkResult<&BooleanArray> {
    array.as_boolean_opt().ok_or_else(|| SparkError::internal("expected booleans"))
}

/// Integers as big-endian bytes.
pub(super) fn to_bytes(array: &ArrayRef) -> SparkResult<ArrayRef> {
    fn bytes<T: ArrowPrimitiveType, const N: usize>(
        array: &dyn Array,
        f: impl Fn(T::Native) -> [u8; N],
    ) -> SparkResult<ArrayRef> {
        let values: BinaryArray = primitive::<T>(array)?.iter().map(|value| value.map(&f)).collect();
        Ok(Arc::new(values))
    }
    match array.data_type() {
        arrow::datatypes::DataType::Int8 => bytes::<Int8Type, 1>(array, i8::to_be_bytes),
        arrow::datatypes::DataType::Int16 => bytes::<Int16Type, 2>(array, i16::to_be_bytes),
        arrow::datatypes::DataType::Int32 => bytes::<Int32Type, 4>(array, i32::to_be_bytes),
        _ => bytes::<Int64Type, 8>(array, i64::to_be_bytes),
    }
}
