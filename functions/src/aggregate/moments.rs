//! Variance, deviation, `skewness` and `kurtosis` from central moments: one value moved in at a time, states merged
//! pairwise.
//!
//! The steps are in Spark's order, because the last digits of a result depend on it. Source: Chan, Golub and LeVeque,
//! "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979), carried on to the fourth moment.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::rows;
use super::spec::{Agg, AggCall, SyncGroups, grouped};
use crate::scalar::coerce::Arg;

/// What is made of the moments of a group.
type Finish = fn(&Moments) -> Option<f64>;

/// Nulls are skipped; null on no rows, on one row for samples, and on equal values for `skewness` and `kurtosis` (excess).
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Double];
    fn double(_: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn state(_: &[DataType], _: &DataType) -> Vec<DataType> {
        vec![DataType::Float64; 5]
    }
    fn made(finish: Finish) -> Result<SyncGroups> {
        Ok(Box::new(Groups { moments: vec![], finish }))
    }
    vec![
        grouped("stddev", ARGS, double, state, |_: &AggCall| made(|m| m.sample().map(f64::sqrt)))
            .also(&["std", "stddev_samp"]),
        grouped("stddev_pop", ARGS, double, state, |_: &AggCall| made(|m| m.population().map(f64::sqrt))),
        grouped("variance", ARGS, double, state, |_: &AggCall| made(Moments::sample)).also(&["var_samp"]),
        grouped("var_pop", ARGS, double, state, |_: &AggCall| made(Moments::population)),
        grouped("skewness", ARGS, double, state, |_: &AggCall| made(Moments::skewness)),
        grouped("kurtosis", ARGS, double, state, |_: &AggCall| made(Moments::kurtosis)),
    ]
}

/// Number, mean, and sums of powers of the distances from the mean.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        let delta = value - self.mean;
        let step = delta / self.n;
        self.mean += step;
        self.m2 += delta * (delta - step);
        let (delta2, step2) = (delta * delta, step * step);
        self.m3 = self.m3 - 3.0 * step * self.m2 + delta * (delta2 - step2);
        self.m4 = self.m4 - 4.0 * step * self.m3 - 6.0 * step2 * self.m2 + delta * (delta * delta2 - step * step2);
    }

    fn merge(&mut self, other: &Self) {
        let (n1, n2) = (self.n, other.n);
        if n2 == 0.0 {
            return;
        }
        if n1 == 0.0 {
            *self = *other;
            return;
        }
        let n = n1 + n2;
        let delta = other.mean - self.mean;
        let step = delta / n;
        self.m4 += other.m4
            + step * step * step * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
            + 6.0 * step * step * (n1 * n1 * other.m2 + n2 * n2 * self.m2)
            + 4.0 * step * (n1 * other.m3 - n2 * self.m3);
        self.m3 += other.m3 + step * step * delta * n1 * n2 * (n1 - n2) + 3.0 * step * (n1 * other.m2 - n2 * self.m2);
        self.m2 += other.m2 + delta * step * n1 * n2;
        self.mean += step * n2;
        self.n = n;
    }

    fn population(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.m2 / self.n)
    }

    fn sample(&self) -> Option<f64> {
        (self.n > 1.0).then(|| self.m2 / (self.n - 1.0))
    }

    fn skewness(&self) -> Option<f64> {
        let varies = self.n > 0.0 && self.m2 != 0.0;
        varies.then(|| self.n.sqrt() * self.m3 / (self.m2 * self.m2 * self.m2).sqrt())
    }

    fn kurtosis(&self) -> Option<f64> {
        let varies = self.n > 0.0 && self.m2 != 0.0;
        varies.then(|| self.n * self.m4 / (self.m2 * self.m2) - 3.0)
    }
}

/// The moments of many groups.
struct Groups {
    moments: Vec<Moments>,
    finish: Finish,
}

fn doubles(column: Option<&ArrayRef>) -> Result<&Float64Array> {
    match column.and_then(|column| column.as_primitive_opt::<Float64Type>()) {
        Some(values) => Ok(values),
        None => internal_err!("moments of something that is no double"),
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.moments.resize(total, Moments::default());
        let moments = &mut self.moments;
        rows::each(doubles(values.first())?, groups, filter, |group, value| {
            if let Some(moments) = moments.get_mut(group) {
                moments.add(value);
            }
        });
        Ok(())
    }
    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.moments.resize(total, Moments::default());
        let column = |at: usize| doubles(states.get(at));
        let (n, mean, m2, m3, m4) = (column(0)?, column(1)?, column(2)?, column(3)?, column(4)?);
        for (row, group) in groups.iter().enumerate() {
            let other = Moments {
                n: n.value(row),
                mean: mean.value(row),
                m2: m2.value(row),
                m3: m3.value(row),
                m4: m4.value(row),
            };
            if let Some(moments) = self.moments.get_mut(*group) {
                moments.merge(&other);
            }
        }
        Ok(())
    }
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let moments = emit.take_needed(&mut self.moments);
        Ok(Arc::new(moments.iter().map(self.finish).collect::<Float64Array>()))
    }
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let moments = emit.take_needed(&mut self.moments);
        let column =
            |of: fn(&Moments) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(moments.iter().map(of))) };
        Ok(vec![column(|m| m.n), column(|m| m.mean), column(|m| m.m2), column(|m| m.m3), column(|m| m.m4)])
    }
    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |values| values.len());
        let mut fresh = Self { moments: vec![], finish: self.finish };
        fresh.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        fresh.state(EmitTo::All)
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.moments.capacity() * size_of::<Moments>()
    }
}
