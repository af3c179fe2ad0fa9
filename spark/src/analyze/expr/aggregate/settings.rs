//! What aggregates are told beside their values: delimiters, percentages, accuracies and flags must be constants.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, fold, naming};

impl Exprs<'_, '_> {
    /// Refuses settings that are no constants, or none of those that may be.
    pub(super) fn check_settings(&self, name: &str, args: &[Typed]) -> SparkResult<()> {
        match name {
            "listagg" | "string_agg" => check_delimiter(name, args),
            "percentile" | "percentile_approx" | "approx_percentile" => self.check_percentage(name, args),
            _ => Ok(()),
        }
    }

    fn check_percentage(&self, name: &str, args: &[Typed]) -> SparkResult<()> {
        let Some(percentage) = args.get(1) else { return Ok(()) };
        let mut texts: Vec<String> = args.iter().map(Typed::sql).collect();
        texts.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string));
        let shown = errors::expression(&naming::call(name, &texts));
        let accuracy = args.get(2).filter(|_| name != "percentile");
        constant(percentage, &shown, ("percentage", "\"DOUBLE\""))?;
        if let Some(accuracy) = accuracy {
            constant(accuracy, &shown, ("accuracy", "\"INT\""))?;
        }
        for (setting, called) in [(Some(percentage), "percentage"), (accuracy, "accuracy")] {
            if setting.is_some_and(|setting| setting.data_type == DataType::Null) {
                return Err(SparkError::analysis(
                    "DATATYPE_MISMATCH.UNEXPECTED_NULL",
                    &[("sqlExpr", &shown), ("exprName", called)],
                ));
            }
        }
        let Some(accuracy) = accuracy.filter(|accuracy| accuracy.data_type.is_integral()) else { return Ok(()) };
        let value = self.analyzer.coerce(accuracy.clone(), &DataType::Long)?;
        match self.analyzer.fold(&value.expr)? {
            ScalarValue::Int64(Some(value)) if value <= 0 || value > i64::from(i32::MAX) => Err(SparkError::analysis(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                &[
                    ("sqlExpr", &shown),
                    ("exprName", "accuracy"),
                    ("valueRange", &format!("(0, {}]", i32::MAX)),
                    ("currentValue", &format!("{value}L")),
                ],
            )),
            _ => Ok(()),
        }
    }
}

/// Whether `first(x, flag)` and its like leave nulls out.
pub(super) fn ignores_nulls(name: &str, args: &[Typed]) -> SparkResult<bool> {
    match args.get(1).and_then(Typed::constant) {
        Some(ScalarValue::Boolean(Some(ignore))) => Ok(*ignore),
        _ => Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1210", &[])
            .with_message(format!("The second argument in {name} should be a boolean literal."))),
    }
}

fn constant(setting: &Typed, shown: &str, (name, data_type): (&str, &str)) -> SparkResult<()> {
    if fold::is_constant(&setting.expr) {
        return Ok(());
    }
    Err(SparkError::analysis(
        "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        &[
            ("sqlExpr", shown),
            ("inputName", &format!("`{name}`")),
            ("inputType", data_type),
            ("inputExpr", &errors::expression(&setting.sql())),
        ],
    ))
}

/// The delimiter of `listagg` is a constant, and bytes between bytes.
fn check_delimiter(name: &str, args: &[Typed]) -> SparkResult<()> {
    let [value, delimiter] = args else { return Ok(()) };
    let shown = naming::call(name, &[value.sql(), delimiter.sql()]);
    constant(delimiter, &errors::expression(&shown), ("delimiter", &errors::sql_type(&delimiter.data_type)))?;
    let bytes = |value: &Typed| value.data_type == DataType::Binary;
    if delimiter.data_type != DataType::Null && bytes(value) != bytes(delimiter) {
        let types = [value.data_type.clone(), delimiter.data_type.clone()];
        return Err(errors::data_diff_types(&shown, name, &types));
    }
    Ok(())
}
