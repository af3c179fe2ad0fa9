//! Calls whose type or value a constant argument decides: the scale of `round`, the unit of `trunc`.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::fold::is_constant;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};

/// Units that `trunc` cuts dates to.
const UNITS: &[&str] = &["YEAR", "YYYY", "YY", "QUARTER", "MONTH", "MON", "MM", "WEEK"];

impl Exprs<'_, '_> {
    /// A call of one of these, or `None` when `name` is none or its constant decides nothing.
    ///
    /// # Errors
    /// `DATATYPE_MISMATCH.NON_FOLDABLE_INPUT` for a scale that is no constant.
    pub(super) fn decided(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let shown = || naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
        match (name, args) {
            ("round" | "bround", [_, scale]) if !is_constant(&scale.expr) => Err(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                &[
                    ("sqlExpr", &errors::expression(&shown())),
                    ("inputName", "`scale`"),
                    ("inputType", "\"INT\""),
                    ("inputExpr", &errors::expression(&scale.sql())),
                ],
            )),
            // The date is not even read where no unit is known.
            ("trunc", [_, unit]) => {
                let unknown = match unit.constant() {
                    Some(ScalarValue::Utf8(Some(unit))) => !UNITS.contains(&unit.to_ascii_uppercase().as_str()),
                    _ => false,
                };
                if !unknown {
                    return Ok(None);
                }
                let typed = self.registered(name, args.to_vec(), shown())?;
                let null = crate::analyze::literal::null(&typed.data_type)?;
                Ok(Some(Typed { expr: Expr::Literal(null, None), ..typed }))
            }
            _ => Ok(None),
        }
    }
}
