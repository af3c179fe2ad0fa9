//! A function with lambda arguments described by three rules: parameters of its lambdas, result type and a kernel.
//!
//! This is the only place that knows DataFusion's `HigherOrderUDFImpl`; it knows nothing of single functions.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaArgument, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use crate::options::SparkOptions;
use crate::scalar::coerce::list_of;
use crate::scalar::spec::conform;

/// Arguments of one call: values as arrays of one length, and lambdas.
pub(crate) struct Applied {
    /// Session options.
    pub(crate) options: SparkOptions,
    /// The declared result type.
    pub(crate) result: DataType,
    /// Values in order.
    pub(crate) values: Vec<ArrayRef>,
    /// Lambdas in order.
    pub(crate) lambdas: Vec<LambdaArgument>,
    /// Rows to produce.
    pub(crate) rows: usize,
}

impl Applied {
    /// The value at `at`.
    pub(crate) fn value(&self, at: usize) -> Result<&ArrayRef> {
        match self.values.get(at) {
            Some(found) => Ok(found),
            None => internal_err!("a lambda function misses a value"),
        }
    }
    /// The lambda at `at`.
    pub(crate) fn lambda(&self, at: usize) -> Result<&LambdaArgument> {
        match self.lambdas.get(at) {
            Some(found) => Ok(found),
            None => internal_err!("a lambda function misses a lambda"),
        }
    }
}

/// Parameters of each lambda from the fields of the values.
pub(crate) type ParametersFn = fn(&[FieldRef]) -> Result<Vec<Vec<FieldRef>>>;
/// Result type and nullability from the fields of values and of lambda bodies.
pub(crate) type ResultFn = fn(&[FieldRef], &[FieldRef]) -> Result<(DataType, bool)>;
/// Computes the result.
pub(crate) type Kernel = fn(&Applied) -> Result<ArrayRef>;

/// A function with lambda arguments.
pub(crate) struct LambdaFn {
    name: &'static str,
    parameters: ParametersFn,
    result: ResultFn,
    kernel: Kernel,
    signature: HigherOrderSignature,
}

/// A function with lambda arguments.
pub(crate) fn lambda(name: &'static str, parameters: ParametersFn, result: ResultFn, kernel: Kernel) -> LambdaFn {
    LambdaFn { name, parameters, result, kernel, signature: HigherOrderSignature::variadic_any(Volatility::Immutable) }
}

/// A lambda parameter.
pub(crate) fn parameter(data_type: DataType, nullable: bool) -> FieldRef {
    Arc::new(Field::new("", data_type, nullable))
}

/// The element of an array value.
pub(crate) fn element(values: &[FieldRef], at: usize) -> Result<FieldRef> {
    match values.get(at).map(|field| field.data_type()) {
        Some(DataType::List(element)) => Ok(Arc::clone(element)),
        other => internal_err!("a lambda function wants an array, got {other:?}"),
    }
}

/// Key and value of a map value.
pub(crate) fn entry(values: &[FieldRef], at: usize) -> Result<(FieldRef, FieldRef)> {
    if let Some(DataType::Map(entries, _)) = values.get(at).map(|field| field.data_type())
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((Arc::clone(key), Arc::clone(value)));
    }
    internal_err!("a lambda function wants a map")
}

/// An array of what a body gives.
pub(crate) fn array_of(body: &FieldRef) -> DataType {
    list_of(body.data_type().clone(), body.is_nullable())
}

impl LambdaFn {
    /// As DataFusion's function.
    pub(crate) fn build(self) -> Arc<HigherOrderUDF> {
        Arc::new(HigherOrderUDF::new_from_impl(self))
    }
}

impl std::fmt::Debug for LambdaFn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "LambdaFn({})", self.name)
    }
}
impl PartialEq for LambdaFn {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for LambdaFn {}
impl Hash for LambdaFn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl HigherOrderUDFImpl for LambdaFn {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }
    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let values: Vec<FieldRef> = fields
            .iter()
            .filter_map(|field| match field {
                ValueOrLambda::Value(value) => Some(Arc::clone(value)),
                ValueOrLambda::Lambda(_) => None,
            })
            .collect();
        Ok(LambdaParametersProgress::Complete((self.parameters)(&values)?))
    }
    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (mut values, mut bodies) = (vec![], vec![]);
        for field in args.arg_fields {
            match field {
                ValueOrLambda::Value(value) => values.push(Arc::clone(value)),
                ValueOrLambda::Lambda(body) => bodies.push(Arc::clone(body)),
            }
        }
        let (data_type, nullable) = (self.result)(&values, &bodies)?;
        Ok(Arc::new(Field::new(self.name, data_type, nullable)))
    }
    fn clear_null_values(&self) -> bool {
        // Kernels look only at the elements of rows that are not null.
        false
    }
    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let (mut values, mut lambdas) = (vec![], vec![]);
        for arg in args.args {
            match arg {
                ValueOrLambda::Value(value) => values.push(value.into_array(args.number_rows)?),
                ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
            }
        }
        let result = args.return_field.data_type().clone();
        let options = SparkOptions::from_config(&args.config_options);
        let applied = Applied { options, result, values, lambdas, rows: args.number_rows };
        let out = (self.kernel)(&applied)?;
        Ok(ColumnarValue::Array(conform(out, &applied.result)?))
    }
}
