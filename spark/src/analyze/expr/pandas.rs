//! Aggregates that only the pandas API on Spark asks for, in terms of Spark's own: moments with any number of degrees of
//! freedom, bias-corrected skewness and kurtosis, products. Where there are too few values, they are null, as in Spark's
//! `PandasAggregate.scala`.

use firesteel_functions::SparkResult;

use super::Exprs;
use crate::analyze::naming;
use crate::analyze::typed::Typed;
use crate::spec::{Expr, ExprKind, Literal};

impl Exprs<'_, '_> {
    /// An aggregate of this API, or `None` when `name` with these arguments is none.
    pub(super) fn pandas(&self, name: &str, args: &[Expr]) -> SparkResult<Option<Typed>> {
        let (shown, values, expr) = match (name, args) {
            ("pandas_var", [value, ddof]) => ("pandas_variance", 1, spread("var", &[value], ddof)),
            ("pandas_stddev", [value, ddof]) => {
                ("pandas_stddev", 1, Expr::call("sqrt", vec![spread("var", &[value], ddof)]))
            }
            ("pandas_covar", [left, right, ddof]) => ("pandas_covar", 2, spread("covar", &[left, right], ddof)),
            ("pandas_skew", [value]) => ("pandas_skewness", 1, skewness(value)),
            ("pandas_kurt", [value]) => ("pandas_kurtosis", 1, kurtosis(value)),
            ("pandas_product", [value, dropna]) => ("pandas_product", 1, product(value, dropna)),
            _ => return Ok(None),
        };
        let texts = args.iter().take(values).map(|arg| Ok(self.resolve(arg)?.sql()));
        let shown = naming::call(shown, &texts.collect::<SparkResult<Vec<_>>>()?);
        Ok(Some(self.resolve(&expr)?.named_as(shown)))
    }
}

fn number(value: i64) -> Expr {
    ExprKind::Literal(Literal::Long(value)).into()
}

fn call(name: &str, args: &[Expr]) -> Expr {
    Expr::call(name, args.to_vec())
}

/// How many rows have all values.
fn counted(values: &[&Expr]) -> Expr {
    let present = values.iter().map(|value| call("isnotnull", &[(*value).clone()]));
    present.reduce(|all, one| call("and", &[all, one])).map_or_else(|| number(0), |all| call("count_if", &[all]))
}

/// A variance or covariance of the population, scaled from `n` to `n - ddof`; null where that is nothing.
fn spread(name: &str, values: &[&Expr], ddof: &Expr) -> Expr {
    let of = |kind: &str| Expr::call(&format!("{name}_{kind}"), values.iter().map(|v| (*v).clone()).collect());
    match &*ddof.kind {
        ExprKind::Literal(Literal::Integer(0) | Literal::Long(0)) => of("pop"),
        ExprKind::Literal(Literal::Integer(1) | Literal::Long(1)) => of("samp"),
        _ => {
            let count = counted(values);
            let free = call("nullif", &[call("-", &[count.clone(), ddof.clone()]), number(0)]);
            call("*", &[of("pop"), call("/", &[count, free])])
        }
    }
}

/// `g1 * sqrt(n * (n - 1)) / (n - 2)`; 0 where all values are equal.
fn skewness(value: &Expr) -> Expr {
    let n = counted(&[value]);
    let less = |by: i64| call("-", &[n.clone(), number(by)]);
    let scale = call("/", &[call("sqrt", &[call("*", &[n.clone(), less(1)])]), less(2)]);
    of_at_least(3, &n, call("*", &[call("skewness", std::slice::from_ref(value)), scale]))
}

/// `((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3))`; 0 where all values are equal.
fn kurtosis(value: &Expr) -> Expr {
    let n = counted(&[value]);
    let less = |by: i64| call("-", &[n.clone(), number(by)]);
    let excess = call("*", &[call("+", &[n.clone(), number(1)]), call("kurtosis", std::slice::from_ref(value))]);
    let scale = call("/", &[less(1), call("*", &[less(2), less(3)])]);
    of_at_least(4, &n, call("*", &[call("+", &[excess, number(6)]), scale]))
}

/// A moment of at least `least` values, else null; a moment that is null itself is that of equal values.
fn of_at_least(least: i64, n: &Expr, moment: Expr) -> Expr {
    let zero = ExprKind::Literal(Literal::Double(0.0)).into();
    call("when", &[call(">=", &[n.clone(), number(least)]), call("coalesce", &[moment, zero])])
}

/// The product of all values, of none 1; with a null among them null, unless nulls are dropped.
fn product(value: &Expr, dropna: &Expr) -> Expr {
    let one = ExprKind::Literal(Literal::Double(1.0)).into();
    let all = call("coalesce", &[call("product", std::slice::from_ref(value)), one]);
    let whole = call("=", &[call("count_if", &[call("isnull", std::slice::from_ref(value))]), number(0)]);
    call("when", &[call("or", &[dropna.clone(), whole]), all])
}
