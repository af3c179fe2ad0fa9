//! Spark's functions with lambda arguments, on DataFusion's higher-order functions.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::functions_nested as df;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature, HigherOrderUDF,
    HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda,
};

use crate::scalar::coerce::list_of;

/// All functions with lambda arguments: `transform(array, x -> ..)` and `filter(array, x -> ..)`; a null array gives null.
pub(crate) fn all() -> Vec<Arc<HigherOrderUDF>> {
    let made = [
        ("transform", df::array_transform::array_transform_higher_order_function()),
        ("filter", df::array_filter::array_filter_higher_order_function()),
        ("exists", df::array_any_match::array_any_match_higher_order_function()),
    ];
    made.into_iter().map(|(name, inner)| Arc::new(HigherOrderUDF::new_from_impl(Renamed { name, inner }))).collect()
}

/// A function of DataFusion under Spark's name.
#[derive(Debug)]
struct Renamed {
    name: &'static str,
    inner: Arc<HigherOrderUDF>,
}

impl PartialEq for Renamed {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Renamed {}
impl Hash for Renamed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl HigherOrderUDFImpl for Renamed {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &HigherOrderSignature {
        self.inner.signature()
    }
    fn lambda_parameters(
        &self,
        step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        self.inner.lambda_parameters(step, fields)
    }
    fn coerce_value_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_value_types(types)
    }
    fn return_field_from_args(&self, args: HigherOrderReturnFieldArgs<'_>) -> Result<FieldRef> {
        let given = self.inner.return_field_from_args(args)?;
        Ok(match given.data_type() {
            DataType::List(element) => {
                let named = list_of(element.data_type().clone(), element.is_nullable());
                Arc::new(Field::new(self.name, named, given.is_nullable()))
            }
            _ => given,
        })
    }
    fn clear_null_values(&self) -> bool {
        self.inner.clear_null_values()
    }
    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }
}
