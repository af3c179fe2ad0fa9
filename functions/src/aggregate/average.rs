//! `avg`, `mean`, `try_avg`: doubles, except decimals (four more digits) and intervals.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, DurationMicrosecondArray, Float64Array, Int64Array,
    IntervalYearMonthArray,
};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalUnit, IntervalYearMonthType,
};
use datafusion::common::{Result, internal_err, not_impl_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::rows;
use super::spec::{Agg, AggCall, SyncGroups, grouped};
use super::sum::{Overflow, summed};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::Arg;
use crate::scalar::read::fail;

fn coerced(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let mut types = summed(name, types)?;
    for t in &mut types {
        if *t == DataType::Int64 {
            *t = DataType::Float64;
        }
    }
    Ok(types)
}

fn result(types: &[DataType]) -> Result<DataType> {
    Ok(match types.first() {
        Some(DataType::Decimal128(p, s)) => {
            DataType::Decimal128(p.saturating_add(4).min(38), s.saturating_add(4).min(38))
        }
        Some(other) => other.clone(),
        None => DataType::Null,
    })
}

fn state(types: &[DataType], _: &DataType) -> Vec<DataType> {
    let sum = match types.first() {
        Some(DataType::Decimal128(_, s)) => DataType::Decimal128(38, *s),
        Some(DataType::Float64) => DataType::Float64,
        _ => DataType::Int64,
    };
    vec![sum, DataType::Int64]
}

fn make(call: &AggCall, overflow: Overflow) -> Result<SyncGroups> {
    let Some(given) = call.types.first() else { return internal_err!("avg without argument") };
    Ok(match given {
        DataType::Float64 => Box::new(Doubles::default()),
        DataType::Decimal128(..) | DataType::Interval(IntervalUnit::YearMonth) | DataType::Duration(_) => {
            Box::new(Exact { means: vec![], given: given.clone(), result: call.result.clone(), overflow })
        }
        other => return not_impl_err!("avg of {other}"),
    })
}

/// `avg(expr)`: null on no non-null rows; a decimal sum that does not fit fails, or gives null in `try_avg` and legacy mode.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Any];
    vec![
        grouped("avg", ARGS, result, state, |call| make(call, Overflow::Fail))
            .coerce(|t| coerced("avg", t))
            .also(&["mean"]),
        grouped("avg__legacy", ARGS, result, state, |call| make(call, Overflow::Wrap))
            .coerce(|t| coerced("avg", t))
            .also(&["mean__legacy"]),
        grouped("try_avg", ARGS, result, state, |call| make(call, Overflow::Null)).coerce(|t| coerced("try_avg", t)),
    ]
}

#[derive(Debug, Default)]
struct Doubles {
    sums: Vec<f64>,
    counts: Vec<i64>,
}

impl GroupsAccumulator for Doubles {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, 0.0);
        self.counts.resize(total, 0);
        let Some(values) = values.first().and_then(|values| values.as_primitive_opt::<Float64Type>()) else {
            return internal_err!("avg of an unexpected type");
        };
        rows::each(values, groups, filter, |group, value| {
            self.sums[group] += value;
            self.counts[group] += 1;
        });
        Ok(())
    }
    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.sums.resize(total, 0.0);
        self.counts.resize(total, 0);
        let (Some(sums), Some(counts)) = (
            states.first().and_then(|sums| sums.as_primitive_opt::<Float64Type>()),
            states.get(1).and_then(|counts| counts.as_primitive_opt::<Int64Type>()),
        ) else {
            return internal_err!("state of avg");
        };
        for (row, &group) in groups.iter().enumerate() {
            if sums.is_valid(row) {
                self.sums[group] += sums.value(row);
                self.counts[group] += counts.value(row);
            }
        }
        Ok(())
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let sums = emit.take_needed(&mut self.sums);
        let counts = emit.take_needed(&mut self.counts);
        let means = sums.iter().zip(counts).map(|(sum, count)| (count > 0).then(|| sum / count as f64));
        Ok(Arc::new(means.collect::<Float64Array>()))
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let sums = emit.take_needed(&mut self.sums);
        let counts = emit.take_needed(&mut self.counts);
        Ok(vec![Arc::new(Float64Array::from(sums)), Arc::new(Int64Array::from(counts))])
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        each_row(Self::default(), values, filter)
    }
    fn size(&self) -> usize {
        16 * self.sums.capacity()
    }
}

/// States in which every row is a group of its own.
fn each_row(
    mut fresh: impl GroupsAccumulator,
    values: &[ArrayRef],
    filter: Option<&BooleanArray>,
) -> Result<Vec<ArrayRef>> {
    let rows = values.first().map_or(0, |values| values.len());
    let groups: Vec<usize> = (0..rows).collect();
    fresh.update_batch(values, &groups, filter, rows)?;
    fresh.state(EmitTo::All)
}

/// Decimals and intervals, summed exactly.
#[derive(Debug)]
struct Exact {
    means: Vec<Mean>,
    given: DataType,
    result: DataType,
    overflow: Overflow,
}

/// What is known of one group; in one place, because groups are met in any order.
#[derive(Debug, Clone, Default)]
struct Mean {
    sum: i128,
    count: i64,
    over: bool,
}

impl Mean {
    #[inline]
    fn add(&mut self, value: i128, count: i64, bound: i128) {
        match self.sum.checked_add(value) {
            Some(sum) => {
                self.sum = sum;
                self.over |= sum > bound || sum < -bound - 1;
            }
            None => self.over = true,
        }
        self.count += count;
    }
}

impl Exact {
    /// Calls `take` with group and value of every row that counts.
    fn each(
        values: &ArrayRef,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        mut take: impl FnMut(usize, i128),
    ) -> Result<()> {
        if let Some(values) = values.as_primitive_opt::<Decimal128Type>() {
            rows::each(values, groups, filter, take);
        } else if let Some(values) = values.as_primitive_opt::<DurationMicrosecondType>() {
            rows::each(values, groups, filter, |group, value| take(group, i128::from(value)));
        } else if let Some(values) = values.as_primitive_opt::<IntervalYearMonthType>() {
            rows::each(values, groups, filter, |group, value| take(group, i128::from(value)));
        } else if let Some(values) = values.as_primitive_opt::<Int64Type>() {
            rows::each(values, groups, filter, |group, value| take(group, i128::from(value)));
        } else {
            return internal_err!("avg of an unexpected type");
        }
        Ok(())
    }
    fn over(&self) -> datafusion::common::DataFusionError {
        fail(
            ErrorKind::Arithmetic,
            "ARITHMETIC_OVERFLOW",
            &[
                ("message", "Overflow in avg of decimal"),
                ("alternative", " Use `try_avg` to tolerate overflow and return NULL instead."),
                ("config", "\"spark.sql.ansi.enabled\""),
            ],
        )
    }
    /// What a sum may come to.
    fn bound(&self) -> i128 {
        match &self.given {
            DataType::Interval(_) => i32::MAX.into(),
            DataType::Duration(_) => i64::MAX.into(),
            _ => i128::MAX,
        }
    }
    /// The factor from the scale of the argument to that of the result, and what the result has to stay below.
    fn bounds(&self) -> (i128, Option<u128>) {
        let limit = match &self.result {
            DataType::Decimal128(p, _) => Some(10_u128.pow(u32::from(*p))),
            _ => None,
        };
        match (&self.given, &self.result) {
            (DataType::Decimal128(_, s), DataType::Decimal128(_, t)) => {
                (10_i128.pow(u32::from((t - s).unsigned_abs())), limit)
            }
            _ => (1, limit),
        }
    }
    fn mean(&self, mean: &Mean, (shift, limit): (i128, Option<u128>)) -> Result<Option<i128>> {
        if mean.count == 0 {
            return Ok(None);
        }
        // Each sum of intervals has to be an interval itself, and fails even without ANSI where it is none.
        let interval = matches!(self.result, DataType::Interval(_) | DataType::Duration(_));
        let holds = !(interval && mean.over);
        if !holds && self.overflow != Overflow::Null {
            return Err(SparkError::interval_overflow("try_avg").into());
        }
        let sum = if mean.over || !holds { None } else { mean.sum.checked_mul(shift) };
        let value = sum.map(|sum| half_up(sum, i128::from(mean.count)));
        if value.is_some_and(|value| limit.is_none_or(|limit| value.unsigned_abs() < limit)) {
            return Ok(value);
        }
        if self.overflow == Overflow::Fail { Err(self.over()) } else { Ok(None) }
    }
}

/// Division rounding half away from zero.
pub(crate) fn half_up(value: i128, by: i128) -> i128 {
    // Numbers of 64 bits divide far faster.
    let (quotient, rest) = match (i64::try_from(value), i64::try_from(by)) {
        (Ok(value), Ok(by)) if by > 0 => (i128::from(value / by), i128::from(value % by)),
        _ => (value / by, value % by),
    };
    if rest.unsigned_abs() >= by.unsigned_abs() - rest.unsigned_abs() {
        quotient + if (value < 0) == (by < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

impl GroupsAccumulator for Exact {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.means.resize(total, Mean::default());
        let Some(values) = values.first() else { return internal_err!("avg without argument") };
        let bound = self.bound();
        Self::each(values, groups, filter, |group, value| self.means[group].add(value, 1, bound))
    }
    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.means.resize(total, Mean::default());
        let (Some(sums), Some(counts)) =
            (states.first(), states.get(1).and_then(|counts| counts.as_primitive_opt::<Int64Type>()))
        else {
            return internal_err!("state of avg");
        };
        let bound = self.bound();
        Self::each(sums, groups, None, |group, sum| self.means[group].add(sum, 0, bound))?;
        for (row, (&group, &count)) in groups.iter().zip(counts.values()).enumerate() {
            self.means[group].count += count;
            // A sum that did not fit travels as null.
            self.means[group].over |= count > 0 && sums.is_null(row);
        }
        Ok(())
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let means = emit.take_needed(&mut self.means);
        let bounds = self.bounds();
        let means = means.iter().map(|mean| self.mean(mean, bounds)).collect::<Result<Vec<_>>>()?;
        Ok(match &self.result {
            DataType::Decimal128(p, s) => {
                Arc::new(means.into_iter().collect::<Decimal128Array>().with_precision_and_scale(*p, *s)?)
            }
            DataType::Duration(_) => Arc::new(
                means.into_iter().map(|m| m.and_then(|m| i64::try_from(m).ok())).collect::<DurationMicrosecondArray>(),
            ),
            _ => Arc::new(
                means.into_iter().map(|m| m.and_then(|m| i32::try_from(m).ok())).collect::<IntervalYearMonthArray>(),
            ),
        })
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let means = emit.take_needed(&mut self.means);
        let counts: Int64Array = means.iter().map(|mean| Some(mean.count)).collect();
        let sums = means.iter().map(|mean| (!mean.over).then_some(mean.sum));
        let sums: ArrayRef = match &self.given {
            DataType::Decimal128(_, s) => Arc::new(sums.collect::<Decimal128Array>().with_precision_and_scale(38, *s)?),
            _ => Arc::new(sums.map(|sum| sum.and_then(|sum| i64::try_from(sum).ok())).collect::<Int64Array>()),
        };
        Ok(vec![sums, Arc::new(counts)])
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let fresh =
            Self { means: vec![], given: self.given.clone(), result: self.result.clone(), overflow: self.overflow };
        each_row(fresh, values, filter)
    }
    fn size(&self) -> usize {
        self.means.capacity() * size_of::<Mean>()
    }
}
