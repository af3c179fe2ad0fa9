//! `skewness` and `kurtosis` from central moments, merged pairwise.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::spec::{Agg, agg};
use crate::scalar::coerce::Arg;

/// `skewness(double)`, `kurtosis(double)` (excess): nulls are skipped; null on no rows and on equal values.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Double];
    let double = |_: &[DataType]| Ok(DataType::Float64);
    let state = |_: &[DataType], _: &DataType| vec![DataType::Float64; 5];
    vec![
        agg("skewness", ARGS, double, state, |_| Ok(Box::new(Moments { kurtosis: false, ..Default::default() }))),
        agg("kurtosis", ARGS, double, state, |_| Ok(Box::new(Moments { kurtosis: true, ..Default::default() }))),
    ]
}

#[derive(Debug, Default)]
struct Moments {
    kurtosis: bool,
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    fn merge(&mut self, [bn, bmean, b2, b3, b4]: [f64; 5]) {
        if bn == 0.0 {
            return;
        }
        let (an, a2, a3) = (self.n, self.m2, self.m3);
        let n = an + bn;
        let delta = bmean - self.mean;
        let step = delta / n;
        self.m4 += b4
            + delta * step * step * step * an * bn * (an * an - an * bn + bn * bn)
            + 6.0 * step * step * (an * an * b2 + bn * bn * a2)
            + 4.0 * step * (an * b3 - bn * a3);
        self.m3 += b3 + delta * step * step * an * bn * (an - bn) + 3.0 * step * (an * b2 - bn * a2);
        self.m2 += b2 + delta * step * an * bn;
        self.mean += step * bn;
        self.n = n;
    }
}

impl Accumulator for Moments {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first().and_then(|values| values.as_primitive_opt::<Float64Type>()) else {
            return internal_err!("moments of a non-double");
        };
        for value in values.iter().flatten() {
            self.merge([1.0, value, 0.0, 0.0, 0.0]);
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.n == 0.0 || self.m2 == 0.0 {
            return Ok(ScalarValue::Float64(None));
        }
        let value = if self.kurtosis {
            self.n * self.m4 / (self.m2 * self.m2) - 3.0
        } else {
            self.n.sqrt() * self.m3 / (self.m2 * self.m2 * self.m2).sqrt()
        };
        Ok(ScalarValue::Float64(Some(value)))
    }
    fn size(&self) -> usize {
        size_of_val(self)
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([self.n, self.mean, self.m2, self.m3, self.m4].map(ScalarValue::from).to_vec())
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let columns: Vec<_> = states.iter().filter_map(|state| state.as_primitive_opt::<Float64Type>()).collect();
        let [n, mean, m2, m3, m4] = columns.as_slice() else { return internal_err!("state of moments") };
        for row in 0..n.len() {
            self.merge([n.value(row), mean.value(row), m2.value(row), m3.value(row), m4.value(row)]);
        }
        Ok(())
    }
}
