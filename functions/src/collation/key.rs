//! `spark_collation_key(value, collation)`: what strings are replaced by so that the engine may compare bytes, and
//! `spark_fold_case(text)`, the same for case-blind patterns.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray};
use arrow::datatypes::DataType as Arrow;
use datafusion::common::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::{Collation, fold, lower, root};
use crate::error::{SparkError, SparkResult};

/// The key of an expression; every string inside a nested value is replaced.
#[must_use]
pub fn key_expr(value: Expr, collation: Collation) -> Expr {
    let name = Expr::Literal(ScalarValue::Utf8(Some(collation.name())), None);
    Expr::ScalarFunction(ScalarFunction::new_udf(key_udf(), vec![value, name]))
}

/// The text with every character folded, for patterns that do not see case.
#[must_use]
pub fn fold_expr(value: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(fold_udf(), vec![value]))
}

/// One text with every character folded.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().map(fold::fold).collect()
}

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![key_udf(), fold_udf()]
}

fn key_udf() -> Arc<ScalarUDF> {
    static UDF: OnceLock<Arc<ScalarUDF>> = OnceLock::new();
    Arc::clone(UDF.get_or_init(|| Arc::new(ScalarUDF::new_from_impl(Rewrite::new("spark_collation_key", 2)))))
}

fn fold_udf() -> Arc<ScalarUDF> {
    static UDF: OnceLock<Arc<ScalarUDF>> = OnceLock::new();
    Arc::clone(UDF.get_or_init(|| Arc::new(ScalarUDF::new_from_impl(Rewrite::new("spark_fold_case", 1)))))
}

/// The key of one string.
///
/// # Errors
/// Text whose place in the collation's order is not known.
pub(super) fn key_of(text: &str, collation: Collation) -> SparkResult<String> {
    let text = if collation.trims() { text.trim_end_matches(' ') } else { text };
    if collation.is_lcase() {
        return Ok(lower::lower(text));
    }
    match collation.locale() {
        Some(_) => root::key(text, collation),
        None => Ok(text.to_owned()),
    }
}

/// A function from a value to one of the same type with other strings.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rewrite {
    name: &'static str,
    signature: Signature,
}

impl Rewrite {
    fn new(name: &'static str, arguments: usize) -> Self {
        Self { name, signature: Signature::any(arguments, Volatility::Immutable) }
    }

    fn apply(&self, value: &ArrayRef, collation: Option<Collation>) -> Result<ArrayRef> {
        match collation {
            Some(collation) => rewrite(value, &|text| key_of(text, collation)),
            None => rewrite(value, &|text| Ok(folded(text))),
        }
    }
}

impl ScalarUDFImpl for Rewrite {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[Arrow]) -> Result<Arrow> {
        Ok(arguments.first().cloned().unwrap_or(Arrow::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let collation = match args.args.get(1) {
            None => None,
            Some(ColumnarValue::Scalar(name)) => {
                let name = name.try_as_str().flatten().unwrap_or_default();
                Some(Collation::parse(name)?)
            }
            Some(ColumnarValue::Array(_)) => return Err(SparkError::internal("a collation that changes").into()),
        };
        Ok(match args.args.first() {
            Some(ColumnarValue::Scalar(value)) => {
                let out = self.apply(&value.to_array()?, collation)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?)
            }
            Some(ColumnarValue::Array(value)) => ColumnarValue::Array(self.apply(value, collation)?),
            None => ScalarValue::Null.into(),
        })
    }
}

fn rewrite(value: &ArrayRef, change: &dyn Fn(&str) -> SparkResult<String>) -> Result<ArrayRef> {
    if let Some(texts) = value.as_string_opt::<i32>() {
        let out = texts.iter().map(|text| text.map(change).transpose()).collect::<SparkResult<StringArray>>()?;
        return Ok(Arc::new(out));
    }
    if let Some(list) = value.as_list_opt::<i32>() {
        let Arrow::List(field) = list.data_type() else { return Ok(Arc::clone(value)) };
        let values = rewrite(list.values(), change)?;
        let made = ListArray::try_new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned())?;
        return Ok(Arc::new(made));
    }
    if let Some(map) = value.as_map_opt() {
        let Arrow::Map(field, sorted) = map.data_type() else { return Ok(Arc::clone(value)) };
        let entries: ArrayRef = Arc::new(map.entries().clone());
        let entries = rewrite(&entries, change)?;
        let Some(entries) = entries.as_struct_opt().cloned() else { return Ok(Arc::clone(value)) };
        let nulls = map.nulls().cloned();
        let made = MapArray::try_new(Arc::clone(field), map.offsets().clone(), entries, nulls, *sorted)?;
        return Ok(Arc::new(made));
    }
    if let Some(row) = value.as_struct_opt() {
        let columns = row.columns().iter().map(|column| rewrite(column, change)).collect::<Result<Vec<_>>>()?;
        let made = StructArray::try_new(row.fields().clone(), columns, row.nulls().cloned())?;
        return Ok(Arc::new(made));
    }
    Ok(Arc::clone(value))
}
