//! `collect_union(array)`: the distinct elements of all arrays, nulls dropped. Never null, `[]` on no rows.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::adapt::list_scalar;
use super::collect::{Gather, empty};
use super::spec::{Agg, AggCall, agg};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{Arg, list_of, mismatch};
use crate::scalar::spec::conform;

const NAME: &str = "collect_union";

fn element(types: &[DataType]) -> DataType {
    match types.first() {
        Some(DataType::List(field)) => field.data_type().clone(),
        _ => DataType::Null,
    }
}

fn has_map(t: &DataType) -> bool {
    match t {
        DataType::Map(..) => true,
        DataType::List(field) => has_map(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
        _ => false,
    }
}

fn arrays(types: &[DataType]) -> Result<Vec<DataType>> {
    match types.first() {
        Some(DataType::List(field)) if has_map(field.data_type()) => Err(SparkError::new(
            ErrorKind::Analysis,
            "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE",
            &[
                ("sqlExpr", "\"collect_union\""),
                ("functionName", "`collect_union`"),
                ("dataType", "\"MAP\" or \"COLLATED STRING\""),
            ],
        )
        .into()),
        Some(DataType::List(_)) => Ok(types.to_vec()),
        Some(DataType::Null) => Ok(vec![list_of(DataType::Null, true)]),
        given => Err(mismatch(NAME, 0, "\"ARRAY\"", given.unwrap_or(&DataType::Null)).into()),
    }
}

#[derive(Debug)]
struct Union(Gather);

impl Accumulator for Union {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(lists) = values.first().and_then(|values| values.as_list_opt::<i32>()) else {
            return internal_err!("collect_union of no array");
        };
        (0..lists.len()).filter(|row| lists.is_valid(*row)).try_for_each(|row| self.0.add(&[lists.value(row)]))
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let list = list_scalar(self.0.column(0)?).to_array()?;
        ScalarValue::try_from_array(&conform(list, &self.0.result)?, 0)
    }
    fn size(&self) -> usize {
        self.0.bytes()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.save()
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states)
    }
}

/// The function of this file.
pub(crate) fn all() -> Vec<Agg> {
    let state = |types: &[DataType], _: &DataType| vec![list_of(element(types), true)];
    let made = agg(
        NAME,
        &[Arg::Array],
        |types| Ok(list_of(element(types), false)),
        state,
        |call| {
            let inner = AggCall { types: vec![element(&call.types)], ..call.clone() };
            Ok(Box::new(Union(Gather::distinct(&inner))))
        },
    );
    vec![made.coerce(arrays).empty(empty)]
}
