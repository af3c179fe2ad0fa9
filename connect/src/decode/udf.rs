//! Functions that clients ship inside a plan.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Expr, ExprKind, PythonUdf};
use sc::common_inline_user_defined_function::Function;

use super::{Decoder, data_type, unset};

impl Decoder<'_> {
    pub(super) fn inline_function(&self, from: sc::CommonInlineUserDefinedFunction) -> SparkResult<Expr> {
        match from.function.ok_or_else(|| unset("CommonInlineUserDefinedFunction", "function"))? {
            Function::PythonUdf(_) if from.is_distinct => Err(SparkError::unsupported("DISTINCT of a Python function")),
            Function::PythonUdf(python) => {
                let udf = PythonUdf {
                    name: from.function_name,
                    args: self.exprs(from.arguments)?,
                    return_type: python.output_type.map(|output| data_type(&output, self.language)).transpose()?,
                    eval_type: python.eval_type,
                    command: python.command.to_vec(),
                    python_version: python.python_ver,
                    deterministic: from.deterministic,
                };
                Ok(ExprKind::PythonUdf(Arc::new(udf)).into())
            }
            Function::ScalarScalaUdf(_) => Err(SparkError::unsupported("functions of Scala: this engine has no JVM")),
            Function::JavaUdf(_) => Err(SparkError::unsupported("functions of Java: this engine has no JVM")),
        }
    }
}
