//! `listagg` / `string_agg`: strings or binaries joined by a delimiter.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate as df;

use super::collect::{AtEnd, Gather, lists};
use super::spec::{Agg, agg, wrap};
use crate::scalar::coerce::Arg;

fn same(types: &[DataType]) -> Result<DataType> {
    Ok(types.first().cloned().unwrap_or(DataType::Utf8))
}

fn join(gather: &Gather) -> Result<ScalarValue> {
    let values = gather.column(0)?;
    if values.is_empty() {
        return ScalarValue::try_from(&gather.result);
    }
    let between = if gather.types.len() > 1 { Some(gather.column(1)?) } else { None };
    if let Some(values) = values.as_string_opt::<i32>() {
        let between = between.as_ref().and_then(|b| b.as_string_opt::<i32>());
        let between = between.filter(|b| b.is_valid(0)).map_or("", |b| b.value(0));
        let all: Vec<&str> = values.iter().flatten().collect();
        return Ok(ScalarValue::from(all.join(between)));
    }
    let Some(values) = values.as_binary_opt::<i32>() else { return internal_err!("listagg") };
    let between = between.as_ref().and_then(|b| b.as_binary_opt::<i32>());
    let between: &[u8] = between.filter(|b| b.is_valid(0)).map_or(&[], |b| b.value(0));
    let all: Vec<&[u8]> = values.iter().flatten().collect();
    Ok(ScalarValue::Binary(Some(all.join(between))))
}

/// `listagg(expr[, delimiter])`: nulls are skipped; null on no rows; `WITHIN GROUP` becomes an ordinary ORDER BY.
pub(crate) fn all() -> Vec<Agg> {
    const ARGS: &[Arg] = &[Arg::StrOrBin, Arg::StrOrBin];
    vec![
        agg("listagg", ARGS, same, lists, |call| Ok(Box::new(AtEnd(Gather::new(call), join))))
            .min(1)
            .ordered()
            .also(&["string_agg"]),
        // With an ordering inside: DataFusion's, whose states carry it. Nulls are the caller's to filter out.
        wrap("spark_listagg_ordered", &[Arg::Str, Arg::Str], None, df::string_agg::string_agg_udaf()).ordered(),
        wrap("spark_collect_ordered", &[Arg::Any], None, df::array_agg::array_agg_udaf()).ordered(),
    ]
}
