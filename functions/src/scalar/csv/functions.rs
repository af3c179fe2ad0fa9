//! What the analyzer makes of `from_csv`, `to_csv` and `schema_of_csv`: schema, type and options are literals it has
//! checked.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::infer;
use super::read::Reader;
use super::write::Writer;
use crate::error::SparkError;
use crate::scalar::coerce::Arg;
use crate::scalar::datum::{self, Datum};
use crate::scalar::json::{declared, options, type_of};
use crate::scalar::read::strs;
use crate::scalar::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::types::DataType as Spark;

/// `spark_from_csv(csv, schema, options)`.
fn from_csv(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let schema = type_of(args, 1)?;
    let Spark::Struct(fields) = &schema else { return Err(SparkError::internal("from_csv without a struct").into()) };
    let reader = Reader::new(fields, &options(args, 2)?, call.options)?;
    let mut values = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        values.push(text.map_or(Ok(Datum::Null), |text| reader.read(text))?);
    }
    Ok(datum::build(&schema, values)?)
}

/// `spark_to_csv(value, type, options)`.
fn to_csv(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let data_type = type_of(args, 1)?;
    let (Some(array), Spark::Struct(fields)) = (args.first(), &data_type) else {
        return Err(SparkError::internal("to_csv without a struct").into());
    };
    let writer = Writer::new(&options(args, 2)?, call.options)?;
    let array = crate::cast::canonical(array, &data_type)?;
    let mut texts = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        texts.push(match datum::read(&data_type, array.as_ref(), row)? {
            Datum::Row(values) => writer.line(fields, &values)?,
            _ => None,
        });
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// `spark_schema_of_csv(csv, options)`.
fn schema_of(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let options = options(args, 1)?;
    let mut texts = Vec::with_capacity(call.rows);
    for text in strs(args, 0)? {
        let schema = text.map(|text| infer::schema(text, &options, call.options)).transpose()?;
        texts.push(schema.map(|schema| schema.sql()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}

/// CSV functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const THREE: &[Arg] = &[Arg::Text, Arg::Text, Arg::Text];
    const TEXT: Ret = Ret::Is(DataType::Utf8);
    vec![
        f("spark_from_csv", THREE, Ret::With(declared), from_csv).nulls(Nulls::Always).stable().also(&["from_csv"]),
        f("spark_to_csv", &[Arg::Any, Arg::Text, Arg::Text], TEXT, to_csv)
            .nulls(Nulls::Always)
            .stable()
            .also(&["to_csv"]),
        f("spark_schema_of_csv", &[Arg::Text, Arg::Text], TEXT, schema_of).stable().also(&["schema_of_csv"]),
    ]
}
