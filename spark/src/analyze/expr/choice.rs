//! Conditionals that Spark writes as others: `decode` with pairs, `nanvl`, `nullifzero`, `zeroifnull`.
//!
//! What is not chosen is not computed, so that it cannot fail.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::literal::null;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{Function, Literal};

impl Exprs<'_, '_> {
    /// One of these, or `None` when `name` is none.
    pub(super) fn choice(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        let wanted = match name {
            "decode" if function.args.len() > 2 => None,
            "nanvl" => Some(2),
            "nullifzero" | "zeroifnull" => Some(1),
            _ => return Ok(None),
        };
        let args = self.arguments(name, &function.args)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != args.len()) {
            return Err(errors::wrong_num_args(name, &wanted.to_string(), args.len()));
        }
        let shown = naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
        let found = match (name, args.as_slice()) {
            ("decode", [value, rest @ ..]) => self.decode(value, rest)?,
            ("nanvl", [value, other]) => self.nanvl(value, other, &shown)?,
            ("nullifzero", [value]) => {
                let zero = self.analyzer.literal(&Literal::Integer(0))?;
                let test = self.known("=", self.operator("=", &[value.clone(), zero])?)?;
                let none = Typed::literal(null(&value.data_type)?, value.data_type.clone(), "NULL");
                self.known("if", self.predicate("if", &[test, none, value.clone()])?)?
            }
            (_, [value]) => {
                let zero = self.analyzer.literal(&Literal::Integer(0))?;
                self.known("coalesce", self.predicate("coalesce", &[value.clone(), zero])?)?
            }
            _ => return Ok(None),
        };
        Ok(Some(found.named_as(shown)))
    }

    fn known(&self, name: &str, found: Option<Typed>) -> SparkResult<Typed> {
        found.ok_or_else(|| SparkError::internal(format!("{name} is not known")))
    }

    /// `decode(value, search, result, ..[, default])`: nulls are equal; without a default it is a null string.
    fn decode(&self, value: &Typed, rest: &[Typed]) -> SparkResult<Typed> {
        let mut branches = Vec::with_capacity(rest.len() + 1);
        for pair in rest.chunks(2) {
            match pair {
                [search, result] => {
                    let test = self.operator("<=>", &[value.clone(), search.clone()])?;
                    branches.push(self.known("<=>", test)?);
                    branches.push(result.clone());
                }
                _ => branches.extend_from_slice(pair),
            }
        }
        if rest.len().is_multiple_of(2) {
            branches.push(Typed::literal(ScalarValue::Utf8(None), DataType::String, "NULL"));
        }
        self.known("when", self.predicate("when", &branches)?)
    }

    /// `nanvl(value, other)`: the other where the value is no number.
    fn nanvl(&self, value: &Typed, other: &Typed, shown: &str) -> SparkResult<Typed> {
        let single = value.data_type == DataType::Float && other.data_type == DataType::Float;
        let to = if single { DataType::Float } else { DataType::Double };
        // Refuses what the function does not take.
        self.registered("nanvl", vec![value.clone(), other.clone()], shown.to_string())?;
        let (value, other) = (self.analyzer.coerce(value.clone(), &to)?, self.analyzer.coerce(other.clone(), &to)?);
        let test = self.registered("isnan", vec![value.clone()], "isnan".to_string())?;
        self.known("if", self.predicate("if", &[test, other, value])?)
    }
}
