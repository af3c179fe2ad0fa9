//! Comparison as Spark defines it for floats: NaN equals NaN and is above everything, and `-0.0` equals `0.0`.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, ListArray, MapArray, StructArray};
use arrow::datatypes::{DataType as Arrow, Float32Type, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// A comparison of two expressions that both have the given type.
#[must_use]
pub fn compare(op: Operator, left: Expr, right: Expr, data_type: &Arrow) -> Expr {
    let (left, right) = match holds_float(data_type) {
        true => (normalize_float(left), normalize_float(right)),
        false => (left, right),
    };
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// Whether values of a type are floats or have floats inside.
#[must_use]
pub fn holds_float(data_type: &Arrow) -> bool {
    match data_type {
        Arrow::Float32 | Arrow::Float64 => true,
        Arrow::List(field) | Arrow::Map(field, _) => holds_float(field.data_type()),
        Arrow::Struct(fields) => fields.iter().any(|field| holds_float(field.data_type())),
        _ => false,
    }
}

/// The value with one NaN and one zero among its floats, at any depth, so that Arrow's total order, hashes and groups agree
/// with Spark.
#[must_use]
pub fn normalize_float(expr: Expr) -> Expr {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == NAME => Expr::ScalarFunction(call),
        Expr::Literal(ScalarValue::Float32(value), metadata) => {
            Expr::Literal(ScalarValue::Float32(value.map(single)), metadata)
        }
        Expr::Literal(ScalarValue::Float64(value), metadata) => {
            Expr::Literal(ScalarValue::Float64(value.map(double)), metadata)
        }
        expr => Expr::ScalarFunction(ScalarFunction::new_udf(normalize_udf(), vec![expr])),
    }
}

fn single(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value + 0.0 }
}

fn double(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

const NAME: &str = "spark_normalize_float";

pub(super) fn normalize_udf() -> Arc<ScalarUDF> {
    static UDF: OnceLock<Arc<ScalarUDF>> = OnceLock::new();
    Arc::clone(UDF.get_or_init(|| {
        let signature = Signature::any(1, Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Normalize { signature }))
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Normalize {
    signature: Signature,
}

impl ScalarUDFImpl for Normalize {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[Arrow]) -> Result<Arrow> {
        Ok(arguments.first().cloned().unwrap_or(Arrow::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match args.args.first() {
            Some(ColumnarValue::Scalar(ScalarValue::Float32(value))) => ScalarValue::Float32(value.map(single)).into(),
            Some(ColumnarValue::Scalar(ScalarValue::Float64(value))) => ScalarValue::Float64(value.map(double)).into(),
            Some(ColumnarValue::Scalar(other)) if holds_float(&other.data_type()) => {
                ScalarValue::try_from_array(&normalize(&other.to_array()?), 0)?.into()
            }
            Some(ColumnarValue::Scalar(other)) => other.clone().into(),
            Some(ColumnarValue::Array(array)) => ColumnarValue::Array(normalize(array)),
            None => ScalarValue::Null.into(),
        })
    }
}

/// The array with one NaN and one zero among its floats, at any depth.
pub(crate) fn normalize(array: &ArrayRef) -> ArrayRef {
    if !holds_float(array.data_type()) {
        return Arc::clone(array);
    }
    if let Some(values) = array.as_primitive_opt::<Float64Type>() {
        // Most columns have nothing to change.
        if values.values().iter().all(|value| value.to_bits() == double(*value).to_bits()) {
            return Arc::clone(array);
        }
        let values: Float64Array = values.unary(double);
        return Arc::new(values);
    }
    if let Some(values) = array.as_primitive_opt::<Float32Type>() {
        if values.values().iter().all(|value| value.to_bits() == single(*value).to_bits()) {
            return Arc::clone(array);
        }
        let values: Float32Array = values.unary(single);
        return Arc::new(values);
    }
    match array.data_type() {
        Arrow::List(field) => {
            let list = array.as_list::<i32>();
            let values = normalize(list.values());
            Arc::new(ListArray::new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned()))
        }
        Arrow::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(normalize).collect();
            Arc::new(StructArray::new(fields.clone(), columns, array.nulls().cloned()))
        }
        Arrow::Map(field, ordered) => {
            let map = array.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = normalize(&entries).as_struct().clone();
            Arc::new(MapArray::new(Arc::clone(field), map.offsets().clone(), entries, map.nulls().cloned(), *ordered))
        }
        _ => Arc::clone(array),
    }
}
