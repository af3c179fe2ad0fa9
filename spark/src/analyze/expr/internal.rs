//! Functions that only the DataFrame API calls, which are no part of the SQL language.

use datafusion::scalar::ScalarValue;
use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{CastMode, Expr, ExprKind, Function, Literal};

impl Exprs<'_, '_> {
    /// An internal function, or `None` when `name` is none.
    pub(super) fn internal(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        let counted = |expected: usize| match function.args.len() {
            given if given == expected => Ok(()),
            given => Err(errors::wrong_num_args(name, &expected.to_string(), given)),
        };
        Ok(Some(match (name, function.args.as_slice()) {
            // What `zipWithIndex` and pandas indices ask for: the rows' numbers, from 0 without gaps. The latter also say whether
            // Spark should cache the rows before it counts them, which needs no heed here: they are read once.
            ("distributed_sequence_id", [] | [_]) => {
                let number = datafusion::functions_window::row_number::row_number();
                let number = datafusion::logical_expr::cast(number, arrow::datatypes::DataType::Int64);
                let one = datafusion::logical_expr::Expr::Literal(ScalarValue::Int64(Some(1)), None);
                Typed::new(number - one, DataType::Long, false, naming::call(name, &[]))
            }
            // Values of a user's type are those of the type it stands for.
            ("unwrap_udt", [value]) => {
                let value = self.resolve(value)?;
                let shown = naming::call(name, &[value.sql()]);
                value.named_as(shown)
            }
            ("product", [value]) => {
                let shown = naming::call(name, &[self.resolve(value)?.sql()]);
                self.resolve(&product(value))?.named_as(shown)
            }
            ("distributed_sequence_id", _) => {
                counted(0)?;
                return Ok(None);
            }
            ("unwrap_udt" | "product", _) => {
                counted(1)?;
                return Ok(None);
            }
            (name, args) => return self.pandas(name, args),
        }))
    }
}

/// The product of the values that are not null, as doubles; null when there are none.
fn product(value: &Expr) -> Expr {
    let factor =
        || -> Expr { ExprKind::Cast { expr: value.clone(), to: DataType::Double, mode: CastMode::Session }.into() };
    let variable = |name: &str| -> Expr { ExprKind::LambdaVariable(name.to_string()).into() };
    let merge = ExprKind::Lambda {
        body: Expr::call("*", vec![variable("product"), variable("factor")]),
        params: vec!["product".to_string(), "factor".to_string()],
    };
    let one = ExprKind::Literal(Literal::Double(1.0)).into();
    let factors = Expr::call("collect_list", vec![factor()]);
    let whole = Expr::call("aggregate", vec![factors, one, merge.into()]);
    let some = Expr::call(">", vec![Expr::call("count", vec![factor()]), ExprKind::Literal(Literal::Long(0)).into()]);
    Expr::call("when", vec![some, whole])
}
