//! Comparison as Spark defines it for floats: NaN equals NaN and is above everything, and `-0.0` equals `0.0`.

use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array};
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
    let (left, right) = match data_type {
        Arrow::Float32 | Arrow::Float64 => (normalize_float(left), normalize_float(right)),
        _ => (left, right),
    };
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// The float with one NaN and one zero, so that Arrow's total order, hashes and groups agree with Spark.
#[must_use]
pub fn normalize_float(expr: Expr) -> Expr {
    match expr {
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
        "spark_normalize_float"
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
            Some(ColumnarValue::Scalar(other)) => other.clone().into(),
            Some(ColumnarValue::Array(array)) => ColumnarValue::Array(normalize(array)),
            None => ScalarValue::Null.into(),
        })
    }
}

fn normalize(array: &ArrayRef) -> ArrayRef {
    if let Some(values) = array.as_primitive_opt::<Float64Type>() {
        let values: Float64Array = values.unary(double);
        return Arc::new(values);
    }
    if let Some(values) = array.as_primitive_opt::<Float32Type>() {
        let values: Float32Array = values.unary(single);
        return Arc::new(values);
    }
    Arc::clone(array)
}
