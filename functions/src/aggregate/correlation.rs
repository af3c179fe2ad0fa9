//! `corr` and `regr_r2` from sums of products, merged pairwise.
//!
//! Source: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::spec::{Agg, agg};
use crate::scalar::coerce::Arg;

/// `corr(y, x)`: null on fewer than two pairs. `regr_r2(y, x)`: null where `x` does not vary, 1 where `y` does not.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::Double, Arg::Double];
    let double = |_: &[DataType]| Ok(DataType::Float64);
    let state = |_: &[DataType], _: &DataType| vec![DataType::Float64; 6];
    vec![
        agg("corr", ARGS, double, state, |_| Ok(Box::new(Pairs::default()))),
        agg("regr_r2", ARGS, double, state, |_| Ok(Box::new(Pairs { squared: true, ..Pairs::default() }))),
    ]
}

#[derive(Debug, Default)]
struct Pairs {
    squared: bool,
    n: f64,
    y_mean: f64,
    x_mean: f64,
    both: f64,
    yy: f64,
    xx: f64,
}

impl Pairs {
    /// Moves means and moments by one pair, as Spark does: the digits of sums depend on it.
    fn add(&mut self, y: f64, x: f64) {
        self.n += 1.0;
        let (dy, dx) = (y - self.y_mean, x - self.x_mean);
        self.y_mean += dy / self.n;
        self.x_mean += dx / self.n;
        self.both += dy * (x - self.x_mean);
        self.yy += dy * (y - self.y_mean);
        self.xx += dx * (x - self.x_mean);
    }

    fn merge(&mut self, [n, y_mean, x_mean, both, yy, xx]: [f64; 6]) {
        if n == 0.0 {
            return;
        }
        let total = self.n + n;
        let (dy, dx) = (y_mean - self.y_mean, x_mean - self.x_mean);
        let weight = self.n * n / total;
        self.both += both + dy * dx * weight;
        self.yy += yy + dy * dy * weight;
        self.xx += xx + dx * dx * weight;
        self.y_mean += dy * (n / total);
        self.x_mean += dx * (n / total);
        self.n = total;
    }

    fn result(&self) -> Option<f64> {
        if self.n == 0.0 || (!self.squared && self.n == 1.0) {
            return None;
        }
        if self.squared && self.xx == 0.0 {
            return None;
        }
        if self.squared && self.yy == 0.0 {
            return Some(1.0);
        }
        let product = (self.yy * self.xx).sqrt();
        let found = if product == 0.0 { return None } else { self.both / product };
        Some(if self.squared { found * found } else { found })
    }
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [y, x] = values else { return internal_err!("corr takes two values") };
        let (Some(y), Some(x)) = (y.as_primitive_opt::<Float64Type>(), x.as_primitive_opt::<Float64Type>()) else {
            return internal_err!("corr of a non-double");
        };
        for (y, x) in y.iter().zip(x).filter_map(|(y, x)| y.zip(x)) {
            self.add(y, x);
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.result()))
    }
    fn size(&self) -> usize {
        size_of_val(self)
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([self.n, self.y_mean, self.x_mean, self.both, self.yy, self.xx].map(ScalarValue::from).to_vec())
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let mut columns = Vec::with_capacity(6);
        for state in states {
            let Some(column) = state.as_primitive_opt::<Float64Type>() else { return internal_err!("state of corr") };
            columns.push(column);
        }
        let Ok([n, y_mean, x_mean, both, yy, xx]) = <[_; 6]>::try_from(columns) else {
            return internal_err!("state of corr");
        };
        for row in 0..n.len() {
            self.merge([n, y_mean, x_mean, both, yy, xx].map(|column| column.value(row)));
        }
        Ok(())
    }
}
