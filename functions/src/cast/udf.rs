//! The function `spark_cast` of plans.

use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType as Arrow, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

use super::{CastMode, cast_array, rules, store_array};
use crate::error::SparkError;
use crate::options::SparkOptions;
use crate::time::Zone;
use crate::types::DataType;

/// `spark_cast(value, NULL of the target type, mode[, column])`: the column is one of a table the values are inserted into.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct SparkCast {
    signature: Signature,
}

impl Default for SparkCast {
    fn default() -> Self {
        // Stable, not immutable: casts read the session time zone.
        let counts = vec![TypeSignature::Any(3), TypeSignature::Any(4)];
        Self { signature: Signature::one_of(counts, Volatility::Stable) }
    }
}

/// The function itself, for registration and for building expressions.
pub fn cast_udf() -> Arc<ScalarUDF> {
    static UDF: OnceLock<Arc<ScalarUDF>> = OnceLock::new();
    Arc::clone(UDF.get_or_init(|| Arc::new(ScalarUDF::new_from_impl(SparkCast::default()))))
}

/// Whether a type, or a part of it, needs more than its Arrow type to be known.
pub(super) fn is_ambiguous(data_type: &DataType) -> bool {
    match data_type {
        DataType::Array { element, .. } => is_ambiguous(element),
        DataType::Map { key, value, .. } => is_ambiguous(key) || is_ambiguous(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| is_ambiguous(&field.data_type)),
        plain => !DataType::from_arrow_type(&plain.to_arrow()).is_ok_and(|back| back == *plain),
    }
}

struct Mode {
    mode: CastMode,
    from: Option<DataType>,
    to: Option<DataType>,
}

fn read_mode(value: Option<&ScalarValue>) -> Result<Mode> {
    let Some(text) = value.and_then(|value| value.try_as_str()).flatten() else {
        return Err(SparkError::internal("spark_cast without mode").into());
    };
    let mut words = text.split(';');
    let mode = match words.next() {
        Some("ansi") => CastMode::Ansi,
        Some("legacy") => CastMode::Legacy,
        Some("try") => CastMode::Try,
        _ => return Err(SparkError::internal("spark_cast with an unknown mode").into()),
    };
    let mut read = Mode { mode, from: None, to: None };
    // Names of struct fields may contain the separator, so the two parts are found by their own starts.
    let rest = text.split_once(';').map_or("", |(_, rest)| rest);
    let (from, to) = match rest.find(";to=").or_else(|| rest.starts_with("to=").then_some(0)) {
        Some(0) => ("", rest.trim_start_matches("to=")),
        Some(at) => (rest.get(..at).unwrap_or(""), rest.get(at + 4..).unwrap_or("")),
        None => (rest, ""),
    };
    if let Some(from) = from.strip_prefix("from=") {
        read.from = Some(DataType::from_json(from)?);
    }
    if !to.is_empty() {
        read.to = Some(DataType::from_json(to)?);
    }
    Ok(read)
}

impl ScalarUDFImpl for SparkCast {
    fn name(&self) -> &str {
        "spark_cast"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[Arrow]) -> Result<Arrow> {
        arguments
            .get(1)
            .cloned()
            .ok_or_else(|| DataFusionError::from(SparkError::internal("spark_cast without target")))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (Some(value), Some(target)) = (args.arg_fields.first(), args.arg_fields.get(1)) else {
            return Err(SparkError::internal("spark_cast without target").into());
        };
        let mode = read_mode(args.scalar_arguments.get(2).copied().flatten())?;
        let from = mode.from.map_or_else(|| DataType::from_arrow(value), Ok)?;
        let to = mode.to.map_or_else(|| DataType::from_arrow(target), Ok)?;
        let nullable = value.is_nullable() || rules::may_be_null(&from, &to, mode.mode);
        let field = to.to_arrow_field(self.name(), nullable).with_data_type(target.data_type().clone());
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (Some(value), Some(ColumnarValue::Scalar(mode))) = (args.args.first(), args.args.get(2)) else {
            return Err(SparkError::internal("spark_cast without value").into());
        };
        let mode = read_mode(Some(mode))?;
        let field = |index: usize| {
            let field = args.arg_fields.get(index);
            field.ok_or_else(|| SparkError::internal("spark_cast without fields")).and_then(|f| DataType::from_arrow(f))
        };
        let from = mode.from.map_or_else(|| field(0), Ok)?;
        let to = mode.to.map_or_else(|| field(1), Ok)?;
        let zone = Zone::parse(SparkOptions::time_zone_of(&args.config_options))?;
        let column = match args.args.get(3) {
            Some(ColumnarValue::Scalar(name)) => name.try_as_str().flatten(),
            _ => None,
        };
        let cast = |array: &ArrayRef| match column {
            Some(column) => store_array(array, &from, &to, mode.mode, &zone, column),
            None => cast_array(array, &from, &to, mode.mode, &zone),
        };
        match value {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(cast(array)?)),
            ColumnarValue::Scalar(scalar) => {
                let array = cast(&scalar.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
        }
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // A plain cast lets optimizer rules see through it.
        let [value, target, _] = args.as_slice() else { return Ok(ExprSimplifyResult::Original(args)) };
        let (from, to) = (info.get_data_type(value)?, info.get_data_type(target)?);
        let plain = match (DataType::from_arrow_type(&from), DataType::from_arrow_type(&to)) {
            (Ok(from), Ok(to)) => rules::is_plain(&from, &to),
            _ => false,
        };
        if plain {
            return Ok(ExprSimplifyResult::Simplified(datafusion::logical_expr::cast(value.clone(), to)));
        }
        Ok(ExprSimplifyResult::Original(args))
    }
}
