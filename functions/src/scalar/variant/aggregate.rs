//! `schema_of_variant_agg`.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::decode;
use super::schema::{Schema, merge, of};
use crate::aggregate::collect::{AtEnd, Gather, lists};
use crate::aggregate::spec::{Agg, agg};
use crate::scalar::coerce::Arg;
use crate::scalar::datum::{self, Datum};
use crate::types::DataType as Spark;

fn text(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Utf8)
}

fn schema(gather: &Gather) -> Result<ScalarValue> {
    let values = crate::cast::canonical(&gather.column(0)?, &Spark::Variant)?;
    let mut schema = Schema::Void;
    for row in 0..values.len() {
        if let Datum::Variant(variant) = datum::read(&Spark::Variant, values.as_ref(), row)? {
            schema = merge(schema, of(&decode(&variant)?));
        }
    }
    Ok(ScalarValue::Utf8(Some(schema.to_string())))
}

/// `schema_of_variant_agg(v)`: the schema of all values; NULL counts as `VOID`, which no rows give too.
pub(crate) fn all() -> Vec<Agg> {
    vec![
        agg("schema_of_variant_agg", &[Arg::Variant], text, lists, |call| {
            Ok(Box::new(AtEnd(Gather::new(call), schema)))
        })
        .empty(|_| Ok(ScalarValue::from("VOID"))),
    ]
}
