//! `sum` and `try_sum`: integers give `BIGINT`, decimals ten more digits; overflow fails, gives null, or wraps.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::common::{Result, ScalarValue, internal_err, not_impl_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::rows;
use super::spec::{Agg, AggCall, SyncGroups, grouped};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{Arg, mismatch};
use crate::scalar::read::fail;

/// What happens when a sum does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// `ARITHMETIC_OVERFLOW`.
    Fail,
    /// The result is null.
    Null,
    /// Integers wrap; decimals are null.
    Wrap,
}

/// The type a value is summed as.
pub(crate) fn summed(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let given = types.first().unwrap_or(&DataType::Null);
    Ok(vec![match given {
        t if t.is_integer() => DataType::Int64,
        DataType::Decimal128(..) | DataType::Interval(IntervalUnit::YearMonth) | DataType::Duration(_) => given.clone(),
        t if t.is_floating() => DataType::Float64,
        // An instant is summed as the seconds it stands for.
        DataType::Utf8 | DataType::Null | DataType::Timestamp(_, Some(_)) => DataType::Float64,
        other => return Err(mismatch(name, 0, "\"NUMERIC\" or \"ANSI INTERVAL\"", other).into()),
    }])
}

fn result(types: &[DataType]) -> Result<DataType> {
    Ok(match types.first() {
        Some(DataType::Decimal128(p, s)) => DataType::Decimal128(p.saturating_add(10).min(38), *s),
        Some(other) => other.clone(),
        None => DataType::Null,
    })
}

fn state(_: &[DataType], result: &DataType) -> Vec<DataType> {
    vec![result.clone(), DataType::Boolean]
}

fn make(call: &AggCall, overflow: Overflow) -> Result<SyncGroups> {
    // Intervals do not wrap.
    let overflow = match (&call.result, overflow) {
        (DataType::Interval(_) | DataType::Duration(_), Overflow::Wrap) => Overflow::Fail,
        (_, overflow) => overflow,
    };
    Ok(match &call.result {
        DataType::Int64 => Box::new(Sums::<Int64Type>::new(call, overflow)),
        DataType::Float64 => Box::new(Sums::<Float64Type>::new(call, overflow)),
        DataType::Decimal128(..) => Box::new(Sums::<Decimal128Type>::new(call, overflow)),
        DataType::Interval(IntervalUnit::YearMonth) => Box::new(Sums::<IntervalYearMonthType>::new(call, overflow)),
        DataType::Duration(TimeUnit::Microsecond) => Box::new(Sums::<DurationMicrosecondType>::new(call, overflow)),
        other => return not_impl_err!("sum of {other}"),
    })
}

/// `sum(expr)`: null on no non-null rows.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Any];
    vec![
        grouped("sum", ARGS, result, state, |call| make(call, Overflow::Fail)).coerce(|t| summed("sum", t)),
        grouped("sum__legacy", ARGS, result, state, |call| make(call, Overflow::Wrap)).coerce(|t| summed("sum", t)),
        grouped("try_sum", ARGS, result, state, |call| make(call, Overflow::Null)).coerce(|t| summed("try_sum", t)),
    ]
}

/// Sums of many groups. State: the sum (null while nothing was added) and whether it overflowed.
#[derive(Debug)]
struct Sums<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    seen: Vec<bool>,
    over: Vec<bool>,
    /// Some group has overflowed.
    broken: bool,
    overflow: Overflow,
    result: DataType,
}

impl<T: ArrowPrimitiveType> Sums<T> {
    fn new(call: &AggCall, overflow: Overflow) -> Self {
        Self { sums: vec![], seen: vec![], over: vec![], broken: false, overflow, result: call.result.clone() }
    }
    fn grow(&mut self, total: usize) {
        self.sums.resize(total, T::Native::default());
        self.seen.resize(total, false);
        self.over.resize(total, false);
    }
    fn failed(&self) -> datafusion::common::DataFusionError {
        if matches!(self.result, DataType::Interval(_) | DataType::Duration(_)) {
            return SparkError::interval_overflow("try_sum").into();
        }
        fail(
            ErrorKind::Arithmetic,
            "ARITHMETIC_OVERFLOW",
            &[
                ("message", "Overflow in sum"),
                ("alternative", " Use `try_sum` to tolerate overflow and return NULL instead."),
                ("config", "\"spark.sql.ansi.enabled\""),
            ],
        )
    }
    /// Adds a value to the sum of a group that exists; an overflow only leaves a mark.
    #[inline]
    fn add(&mut self, group: usize, value: T::Native) {
        match self.sums[group].add_checked(value) {
            Ok(next) => self.sums[group] = next,
            Err(_) => self.overflowed(group, value),
        }
        self.seen[group] = true;
    }
    #[cold]
    fn overflowed(&mut self, group: usize, value: T::Native) {
        if self.overflow == Overflow::Wrap && !matches!(self.result, DataType::Decimal128(..)) {
            self.sums[group] = self.sums[group].add_wrapping(value);
        } else {
            self.over[group] = true;
            self.broken = true;
        }
    }
    /// What a batch with an overflow comes to.
    fn checked(&self) -> Result<()> {
        if self.broken && self.overflow == Overflow::Fail { Err(self.failed()) } else { Ok(()) }
    }
    fn take(&mut self, emit: EmitTo) -> (PrimitiveArray<T>, Vec<bool>) {
        let sums = emit.take_needed(&mut self.sums);
        let seen = emit.take_needed(&mut self.seen);
        let over = emit.take_needed(&mut self.over);
        let nulls = arrow::buffer::NullBuffer::from(seen);
        let array = PrimitiveArray::<T>::new(sums.into(), Some(nulls)).with_data_type(self.result.clone());
        (array, over)
    }
}

impl<T: ArrowPrimitiveType + Debug> GroupsAccumulator for Sums<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let Some(values) = values.first().and_then(|values| values.as_primitive_opt::<T>()) else {
            return internal_err!("sum of an unexpected type");
        };
        rows::each(values, groups, filter, |group, value| self.add(group, value));
        self.checked()
    }
    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let (Some(sums), Some(over)) = (
            states.first().and_then(|sums| sums.as_primitive_opt::<T>()),
            states.get(1).and_then(|over| over.as_boolean_opt()),
        ) else {
            return internal_err!("state of sum");
        };
        for (row, &group) in groups.iter().enumerate() {
            if sums.is_valid(row) {
                self.add(group, sums.value(row));
                self.over[group] |= over.value(row);
            }
        }
        self.checked()
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (array, mut over) = self.take(emit);
        if let (DataType::Decimal128(p, _), Some(decimals)) =
            (&self.result, (&array as &dyn Array).as_primitive_opt::<Decimal128Type>())
        {
            let limit = 10_i128.pow(u32::from(*p));
            for (row, over) in over.iter_mut().enumerate() {
                *over |= decimals.is_valid(row) && decimals.value(row).unsigned_abs() >= limit.unsigned_abs();
            }
        }
        if !over.iter().any(|over| *over) {
            return Ok(Arc::new(array));
        }
        if self.overflow == Overflow::Fail {
            return Err(self.failed());
        }
        Ok(arrow::compute::nullif(&array, &BooleanArray::from(over))?)
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (array, over) = self.take(emit);
        Ok(vec![Arc::new(array), Arc::new(BooleanArray::from(over))])
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(values) = values.first() else { return internal_err!("sum without argument") };
        let kept = match filter {
            Some(filter) => {
                let drop = arrow::compute::not(&arrow::compute::prep_null_mask_filter(filter))?;
                arrow::compute::nullif(values, &drop)?
            }
            None => Arc::clone(values),
        };
        let rows = kept.len();
        let sums = crate::scalar::spec::conform(kept, &self.result)?;
        Ok(vec![sums, ScalarValue::from(false).to_array_of_size(rows)?])
    }
    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<T::Native>() + self.seen.capacity() + self.over.capacity()
    }
}
