//! Casts from and to dates, timestamps, times and intervals, apart from strings.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, new_null_array};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalMonthDayNano,
    IntervalYearMonthType, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::decimal::{divide_half_up, power_of_ten, rescale, wrapped_product};
use super::number::{long_literal, widen};
use super::{Cast, CastMode, primitive};
use crate::display::decimal_text;
use crate::error::{SparkError, SparkResult};
use crate::time::interval::{Calendar, size_of};
use crate::time::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone};
use crate::types::{DataType, YearMonthField};

/// The current day in a zone.
pub(super) fn today(zone: &Zone) -> i32 {
    zone.to_local(chrono::Utc::now().timestamp_micros()).div_euclid(MICROS_PER_DAY) as i32
}

/// Arrow's form of a legacy interval; `None` if its nanoseconds do not fit.
pub(super) fn month_day_nano(value: Calendar) -> Option<IntervalMonthDayNano> {
    Some(IntervalMonthDayNano::new(value.months, value.days, value.micros.checked_mul(1000)?))
}

impl Cast<'_> {
    pub(super) fn datetime(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        use DataType as T;
        let zone = self.zone;
        match (self.from, self.to) {
            (T::Date, T::Timestamp) => {
                self.total::<Date32Type, TimestampMicrosecondType>(array, |v| zone.to_utc(midnight(v)))
            }
            (T::Date, T::TimestampNtz) => self.total::<Date32Type, TimestampMicrosecondType>(array, midnight),
            (T::Timestamp, T::Date) => {
                self.total::<TimestampMicrosecondType, Date32Type>(array, |v| day_of(zone.to_local(v)))
            }
            (T::TimestampNtz, T::Date) => self.total::<TimestampMicrosecondType, Date32Type>(array, day_of),
            (T::Timestamp, T::TimestampNtz) => {
                self.total::<TimestampMicrosecondType, TimestampMicrosecondType>(array, |v| zone.to_local(v))
            }
            (T::TimestampNtz, T::Timestamp) => {
                self.total::<TimestampMicrosecondType, TimestampMicrosecondType>(array, |v| zone.to_utc(v))
            }
            (T::Timestamp | T::TimestampNtz, T::Time(precision)) => {
                let local = *self.from == T::Timestamp;
                let unit = time_unit(*precision);
                self.total::<TimestampMicrosecondType, Time64MicrosecondType>(array, |v| {
                    let micros = if local { zone.to_local(v) } else { v }.rem_euclid(MICROS_PER_DAY);
                    micros - micros % unit
                })
            }
            (T::Time(_), T::Time(precision)) => {
                let unit = time_unit(*precision);
                self.total::<Time64MicrosecondType, Time64MicrosecondType>(array, |v| v - v % unit)
            }
            (T::Boolean, T::Timestamp) => self.boolean_to_timestamp(array),
            (from, T::Timestamp) if from.is_integral() => self
                .total::<Int64Type, TimestampMicrosecondType>(&widen(array)?, |v| v.saturating_mul(MICROS_PER_SECOND)),
            (T::Float | T::Double, T::Timestamp) => self.float_to_timestamp(array),
            (T::Decimal(_, scale), T::Timestamp) => {
                let unit = power_of_ten(u32::from(scale.unsigned_abs())).unwrap_or(i128::MAX);
                let micros = |v: i128| wrapped_product(v, i128::from(MICROS_PER_SECOND), unit);
                self.total::<Decimal128Type, TimestampMicrosecondType>(array, micros)
            }
            (T::Timestamp, T::Boolean) => {
                Ok(Arc::new(BooleanArray::from_unary(primitive::<TimestampMicrosecondType>(array)?, |v| v != 0)))
            }
            (T::Timestamp, to) if to.is_numeric() => self.timestamp_to_number(array),
            (T::Date | T::TimestampNtz, to)
                if (to.is_numeric() || *to == T::Boolean) && self.mode == CastMode::Legacy =>
            {
                Ok(new_null_array(&to.to_arrow(), array.len()))
            }
            (T::Time(_), to) if to.is_numeric() => {
                let micros = primitive::<Time64MicrosecondType>(array)?;
                let seconds: ArrayRef = Arc::new(
                    micros.unary::<_, Decimal128Type>(i128::from).with_data_type(T::Decimal(14, 6).to_arrow()),
                );
                Cast { from: &T::Decimal(14, 6), ..*self }.run(&seconds)
            }
            // Casts between numbers and intervals fail on overflow even without ANSI.
            _ if self.mode == CastMode::Legacy => Cast { mode: CastMode::Ansi, ..*self }.interval(array),
            _ => self.interval(array),
        }
    }

    fn boolean_to_timestamp(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let bits = array.as_boolean_opt().ok_or_else(|| self.unsupported())?;
        let values: arrow::array::TimestampMicrosecondArray = bits.iter().map(|bit| bit.map(i64::from)).collect();
        Ok(Arc::new(values.with_data_type(self.to.to_arrow())))
    }

    fn float_to_timestamp(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let wide = arrow::compute::cast(array, &arrow::datatypes::DataType::Float64)?;
        // Spark gives NULL for NaN and the infinities without ANSI, and an error with it.
        self.map::<Float64Type, TimestampMicrosecondType>(
            &wide,
            |v| {
                let micros = v * MICROS_PER_SECOND as f64;
                let fits = micros.is_finite() && (self.mode == CastMode::Legacy || micros.abs() < 9.3e18);
                fits.then_some(micros as i64)
            },
            |v| SparkError::cast_invalid_input(&crate::display::java_double(v), self.from, self.to),
        )
    }

    fn timestamp_to_number(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        let micros = primitive::<TimestampMicrosecondType>(array)?;
        match self.to {
            DataType::Float | DataType::Double => {
                let seconds: ArrayRef = Arc::new(micros.unary::<_, Float64Type>(|v| v as f64 / 1e6));
                Cast { from: &DataType::Double, ..*self }.run(&seconds)
            }
            DataType::Decimal(precision, scale) => {
                let (precision, scale) = (*precision, *scale);
                self.map::<TimestampMicrosecondType, Decimal128Type>(
                    micros,
                    |v| rescale(i128::from(v), 6, precision, scale),
                    |v| SparkError::decimal_out_of_range(&decimal_text(i128::from(v), 6), precision, scale),
                )
            }
            _ => {
                let seconds: ArrayRef = Arc::new(micros.unary::<_, Int64Type>(|v| v.div_euclid(MICROS_PER_SECOND)));
                // Unlike other numbers, seconds that do not fit are NULL without ANSI.
                let mode = if self.mode == CastMode::Legacy { CastMode::Try } else { self.mode };
                Cast { mode, ..*self }.long_to(&seconds)
            }
        }
    }

    fn interval(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        use DataType as T;
        match (self.from, self.to) {
            (T::YearMonthInterval(..), T::YearMonthInterval(_, end)) => {
                let unit = months_of(*end);
                self.total::<IntervalYearMonthType, IntervalYearMonthType>(array, |v| v - v % unit)
            }
            (T::DayTimeInterval(..), T::DayTimeInterval(_, end)) => {
                let unit = if *end == crate::types::DayTimeField::Second { 1 } else { size_of(*end) };
                self.total::<DurationMicrosecondType, DurationMicrosecondType>(array, |v| v - v % unit)
            }
            (T::YearMonthInterval(_, end), to) if to.is_numeric() => {
                let unit = i64::from(months_of(*end));
                let months = primitive::<IntervalYearMonthType>(array)?;
                self.long_to(&(Arc::new(months.unary::<_, Int64Type>(|v| i64::from(v) / unit)) as ArrayRef))
            }
            (T::DayTimeInterval(_, end), T::Decimal(precision, scale)) => {
                let (unit, precision, scale) = (i128::from(size_of(*end)), *precision, *scale);
                self.map::<DurationMicrosecondType, Decimal128Type>(
                    array,
                    |v| {
                        let scaled = i128::from(v).checked_mul(power_of_ten(u32::from(scale.unsigned_abs()))?)?;
                        rescale(divide_half_up(scaled, unit), scale, precision, scale)
                    },
                    |v| SparkError::decimal_out_of_range(&v.to_string(), precision, scale),
                )
            }
            (T::DayTimeInterval(_, end), to) if to.is_numeric() => {
                let unit = size_of(*end);
                let micros = primitive::<DurationMicrosecondType>(array)?;
                self.long_to(&(Arc::new(micros.unary::<_, Int64Type>(|v| v / unit)) as ArrayRef))
            }
            (from, T::YearMonthInterval(_, end)) if from.is_integral() => {
                let unit = i64::from(months_of(*end));
                self.map::<Int64Type, IntervalYearMonthType>(
                    &widen(array)?,
                    |v| v.checked_mul(unit).and_then(|v| i32::try_from(v).ok()),
                    |v| SparkError::cast_overflow(&long_literal(v, from), from, self.to),
                )
            }
            (from, T::DayTimeInterval(_, end)) if from.is_integral() => {
                let unit = size_of(*end);
                self.map::<Int64Type, DurationMicrosecondType>(
                    &widen(array)?,
                    |v| v.checked_mul(unit),
                    |v| SparkError::cast_overflow(&long_literal(v, from), from, self.to),
                )
            }
            (T::Decimal(_, scale), T::YearMonthInterval(..) | T::DayTimeInterval(..)) => {
                self.decimal_to_interval(array, *scale)
            }
            _ => Err(self.unsupported()),
        }
    }

    fn decimal_to_interval(&self, array: &ArrayRef, scale: i8) -> SparkResult<ArrayRef> {
        let unit = power_of_ten(u32::from(scale.unsigned_abs())).unwrap_or(i128::MAX);
        let error = |v: i128| SparkError::cast_overflow(&format!("{}BD", decimal_text(v, scale)), self.from, self.to);
        let scaled = |v: i128, size: i64| v.checked_mul(i128::from(size)).map(|v| divide_half_up(v, unit));
        match self.to {
            DataType::YearMonthInterval(_, end) => {
                let size = i64::from(months_of(*end));
                let months = |v: i128| scaled(v, size).and_then(|v| i32::try_from(v).ok());
                self.map::<Decimal128Type, IntervalYearMonthType>(array, months, error)
            }
            DataType::DayTimeInterval(_, end) => {
                let size = size_of(*end);
                let micros = |v: i128| scaled(v, size).and_then(|v| i64::try_from(v).ok());
                self.map::<Decimal128Type, DurationMicrosecondType>(array, micros, error)
            }
            _ => Err(self.unsupported()),
        }
    }
}

fn midnight(days: i32) -> i64 {
    i64::from(days).saturating_mul(MICROS_PER_DAY)
}

fn day_of(local: i64) -> i32 {
    local.div_euclid(MICROS_PER_DAY) as i32
}

fn time_unit(precision: u8) -> i64 {
    10_i64.pow(6 - u32::from(precision).min(6))
}

fn months_of(field: YearMonthField) -> i32 {
    match field {
        YearMonthField::Year => 12,
        YearMonthField::Month => 1,
    }
}
