//! The checked functions of plans: `spark_add(left, right, spec)` and its siblings, and `spark_negative(value, spec)`.

use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType as Arrow, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::{Op, compute, negate};
use crate::cast::CastMode;
use crate::error::{SparkError, SparkResult};
use crate::options::SparkOptions;
use crate::time::Zone;
use crate::types::DataType;

const OPS: [(Op, &str); 7] = [
    (Op::Add, "spark_add"),
    (Op::Subtract, "spark_subtract"),
    (Op::Multiply, "spark_multiply"),
    (Op::Divide, "spark_divide"),
    (Op::IntDivide, "spark_int_divide"),
    (Op::Remainder, "spark_remainder"),
    (Op::Pmod, "spark_pmod"),
];

/// The function of an operator.
pub fn udf_of(op: Op) -> Arc<ScalarUDF> {
    static UDFS: OnceLock<Vec<(Op, Arc<ScalarUDF>)>> = OnceLock::new();
    let all = UDFS.get_or_init(|| {
        OPS.iter()
            .map(|(op, name)| (*op, Arc::new(ScalarUDF::new_from_impl(Arithmetic::new(Some(*op), name)))))
            .collect()
    });
    let found = all.iter().find(|(known, _)| *known == op).map(|(_, udf)| Arc::clone(udf));
    found.unwrap_or_else(|| Arc::new(ScalarUDF::new_from_impl(Arithmetic::new(Some(op), "spark_add"))))
}

/// The function of unary minus.
pub(super) fn negative_udf() -> Arc<ScalarUDF> {
    static UDF: OnceLock<Arc<ScalarUDF>> = OnceLock::new();
    Arc::clone(UDF.get_or_init(|| Arc::new(ScalarUDF::new_from_impl(Arithmetic::new(None, "spark_negative")))))
}

/// All functions of this room and the cast, for registration: executors find them by name.
#[must_use]
pub fn all_udfs() -> Vec<Arc<ScalarUDF>> {
    let mut all: Vec<_> = OPS.iter().map(|(op, _)| udf_of(*op)).collect();
    all.extend([negative_udf(), super::compare::normalize_udf(), crate::cast::cast_udf()]);
    all
}

/// What a call computes. It travels as a literal, because Arrow types alone do not tell Spark types.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    mode: CastMode,
    types: Vec<DataType>,
}

impl Spec {
    pub(super) fn binary(mode: CastMode, left: &DataType, right: &DataType, result: &DataType) -> Self {
        Self { mode, types: vec![left.clone(), right.clone(), result.clone()] }
    }

    pub(super) fn unary(mode: CastMode, data_type: &DataType) -> Self {
        Self { mode, types: vec![data_type.clone(), data_type.clone()] }
    }

    pub(super) fn literal(&self) -> Expr {
        let mut words = vec![self.mode.name().to_owned()];
        words.extend(self.types.iter().map(DataType::type_name));
        Expr::Literal(ScalarValue::Utf8(Some(words.join("|"))), None)
    }

    fn read(value: Option<&ScalarValue>) -> SparkResult<Self> {
        let broken = || SparkError::internal("arithmetic without a readable specification");
        let text = value.and_then(|value| value.try_as_str()).flatten().ok_or_else(broken)?;
        let mut words = text.split('|');
        let mode = match words.next() {
            Some("ansi") => CastMode::Ansi,
            Some("legacy") => CastMode::Legacy,
            Some("try") => CastMode::Try,
            _ => return Err(broken()),
        };
        let types = words.map(DataType::from_name).collect::<Option<Vec<_>>>().ok_or_else(broken)?;
        Ok(Self { mode, types })
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    op: Option<Op>,
    name: &'static str,
    signature: Signature,
}

impl Arithmetic {
    fn new(op: Option<Op>, name: &'static str) -> Self {
        let arguments = if op.is_some() { 3 } else { 2 };
        // Stable because dates and timestamps meet in the session time zone.
        Self { op, name, signature: Signature::any(arguments, Volatility::Stable) }
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[Arrow]) -> Result<Arrow> {
        Err(SparkError::internal("the type of arithmetic depends on its specification").into())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let spec = Spec::read(args.scalar_arguments.last().copied().flatten())?;
        let Some(result) = spec.types.last() else { return Err(SparkError::internal("no result type").into()) };
        let count = if self.op.is_some() { 2 } else { 1 };
        let nullable = args.arg_fields.iter().take(count).any(|field| field.is_nullable());
        // Overflow and division by zero give NULL unless ANSI makes them errors; whole numbers wrap instead.
        let wraps = spec.mode == CastMode::Legacy
            && result.is_integral()
            && matches!(self.op, None | Some(Op::Add | Op::Subtract | Op::Multiply));
        let fails = spec.mode != CastMode::Ansi && !wraps;
        Ok(Arc::new(result.to_arrow_field(self.name, nullable || fails)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((ColumnarValue::Scalar(spec), operands)) = args.args.split_last() else {
            return Err(SparkError::internal("arithmetic without specification").into());
        };
        let spec = Spec::read(Some(spec))?;
        let scalar = operands.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        // A constant stays one row: the kernels know what that means.
        let arrays = operands.iter().map(|value| value.to_array(1)).collect::<Result<Vec<_>>>()?;
        let result = match (self.op, arrays.as_slice(), spec.types.as_slice()) {
            (Some(op), [left, right], [left_type, right_type, result]) => {
                let zone = Zone::parse(SparkOptions::time_zone_of(&args.config_options))?;
                compute(op, (left, left_type), (right, right_type), result, spec.mode, &zone)?
            }
            (None, [value], [data_type, _]) => negate(value, data_type, spec.mode)?,
            _ => return Err(SparkError::internal("arithmetic with a wrong number of operands").into()),
        };
        match scalar {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}
