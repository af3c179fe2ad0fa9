//! `approx_count_distinct` by DataFusion's HyperLogLog.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;

use super::spec::{Agg, wrap};
use crate::scalar::coerce::Arg;

/// `approx_count_distinct(expr)`: never null. The relative deviation (Spark's second argument) is at most 2 % here.
pub(crate) fn all() -> Vec<Agg> {
    let bigint = |_: &[DataType]| -> Result<DataType> { Ok(DataType::Int64) };
    let made = wrap("approx_count_distinct", &[Arg::Any], Some(bigint), approx_distinct_udaf());
    vec![made.empty(|_| Ok(ScalarValue::Int64(Some(0))))]
}
