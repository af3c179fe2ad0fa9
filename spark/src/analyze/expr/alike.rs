//! Functions whose arguments meet in one type: `greatest`, `least`, `array`, `map`. The session's mode says which type.
//!
//! It knows nothing of what the functions compute.

use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, errors, naming};

impl Exprs<'_, '_> {
    /// The arguments in their common type; as they are when `name` is none of these functions.
    ///
    /// # Errors
    /// `DATATYPE_MISMATCH` when there is no common type.
    pub(super) fn alike(&self, name: &str, args: Vec<Typed>) -> SparkResult<Vec<Typed>> {
        if args.len() < 2 || args.iter().any(|arg| arg.data_type.is_collated()) {
            return Ok(args);
        }
        let ansi = self.analyzer.context.options.ansi;
        let shown = |args: &[Typed]| naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
        match name {
            // Strings are not compared with anything else here.
            "greatest" | "least" => {
                let text = shown(&args);
                let all = types(&args);
                let strings = all.iter().filter(|t| t.is_string()).count();
                let others = all.iter().filter(|t| !t.is_string() && **t != DataType::Null).count();
                let met = if strings > 0 && others > 0 { None } else { coerce::common(&all, ansi) };
                let to = met.ok_or_else(|| errors::data_diff_types(&text, name, &all))?;
                self.all_as(args, &to)
            }
            "array" => {
                let text = shown(&args);
                let all = types(&args);
                let to = coerce::common(&all, ansi).ok_or_else(|| errors::data_diff_types(&text, name, &all))?;
                self.all_as(args, &to)
            }
            "map" if args.len().is_multiple_of(2) => {
                let text = shown(&args);
                let (keys, values): (Vec<_>, Vec<_>) = args.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
                let side = |side: Vec<(usize, Typed)>, condition: &str| {
                    let side: Vec<Typed> = side.into_iter().map(|(_, value)| value).collect();
                    let all = types(&side);
                    let to = coerce::common(&all, ansi).ok_or_else(|| differing(condition, &text, &all))?;
                    self.all_as(side, &to)
                };
                let keys = side(keys, "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES")?;
                let values = side(values, "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES")?;
                Ok(keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect())
            }
            _ => Ok(args),
        }
    }

    fn all_as(&self, values: Vec<Typed>, to: &DataType) -> SparkResult<Vec<Typed>> {
        values.into_iter().map(|value| self.analyzer.coerce(value, to)).collect()
    }
}

fn types(values: &[Typed]) -> Vec<DataType> {
    values.iter().map(|value| value.data_type.clone()).collect()
}

fn differing(condition: &str, shown: &str, types: &[DataType]) -> SparkError {
    let list = types.iter().map(errors::sql_type).collect::<Vec<_>>().join(", ");
    SparkError::analysis(
        condition,
        &[("sqlExpr", &errors::expression(shown)), ("functionName", "`map`"), ("dataType", &format!("[{list}]"))],
    )
}
