//! Aggregates DataFusion already computes as Spark does, under Spark's names and argument rules.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate as df;

use super::spec::{Agg, wrap};
use crate::scalar::coerce::{Arg, mismatch};

const ONE: &[Arg] = &[Arg::Any];
const DOUBLES: &[Arg] = &[Arg::Double, Arg::Double];

fn bigint(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Int64)
}

fn zero(_: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::Int64(Some(0)))
}

/// Integers as they are; nothing is cast to one.
fn whole(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [given] if given.is_signed_integer() => Ok(vec![given.clone()]),
        [DataType::Null] => Ok(vec![DataType::Int32]),
        _ => Err(mismatch(name, 0, "\"INTEGRAL\"", types.first().unwrap_or(&DataType::Null)).into()),
    }
}

/// Counting, extremes, logic, bits, correlation, regression.
pub(crate) fn all() -> Vec<Agg> {
    vec![
        // count(expr, ..): rows in which no argument is null; never null.
        wrap("count", ONE, None, df::count::count_udaf()).rest(Arg::Any).empty(zero),
        // min/max(expr): any ordered type; nulls are skipped.
        wrap("min", ONE, None, df::min_max::min_udaf()),
        wrap("max", ONE, None, df::min_max::max_udaf()),
        // bool_and/bool_or(boolean): nulls are skipped.
        wrap("bool_and", &[Arg::Bool], None, df::bool_and_or::bool_and_udaf()).also(&["every"]),
        wrap("bool_or", &[Arg::Bool], None, df::bool_and_or::bool_or_udaf()).also(&["some", "any"]),
        // bit_*(integer): keeps the type.
        wrap("bit_and", ONE, None, df::bit_and_or_xor::bit_and_udaf()).coerce(|types| whole("bit_and", types)),
        wrap("bit_or", ONE, None, df::bit_and_or_xor::bit_or_udaf()).coerce(|types| whole("bit_or", types)),
        wrap("bit_xor", ONE, None, df::bit_and_or_xor::bit_xor_udaf()).coerce(|types| whole("bit_xor", types)),
        // Two-argument statistics: pairs with a null are skipped.
        wrap("covar_pop", DOUBLES, None, df::covariance::covar_pop_udaf()),
        wrap("covar_samp", DOUBLES, None, df::covariance::covar_samp_udaf()),
        wrap("regr_slope", DOUBLES, None, df::regr::regr_slope_udaf()),
        wrap("regr_intercept", DOUBLES, None, df::regr::regr_intercept_udaf()),
        wrap("regr_avgx", DOUBLES, None, df::regr::regr_avgx_udaf()),
        wrap("regr_avgy", DOUBLES, None, df::regr::regr_avgy_udaf()),
        wrap("regr_sxx", DOUBLES, None, df::regr::regr_sxx_udaf()),
        wrap("regr_syy", DOUBLES, None, df::regr::regr_syy_udaf()),
        wrap("regr_sxy", DOUBLES, None, df::regr::regr_sxy_udaf()),
        wrap("regr_count", DOUBLES, Some(bigint), df::regr::regr_count_udaf()).empty(zero),
        super::first::count_if(),
    ]
}
