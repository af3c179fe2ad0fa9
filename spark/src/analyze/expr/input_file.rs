//! `input_file_name()`, `input_file_block_start()` and `input_file_block_length()`: the file a row is from.
//!
//! Spark asks the running task; here a hidden column of the scan says it, which ends where rows of several files become one.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::errors;
use crate::analyze::scope::{Attribute, FILE_NAME, OF_FILE};
use crate::analyze::typed::Typed;

impl Exprs<'_, '_> {
    pub(super) fn input_file(&self, function: &str) -> SparkResult<Typed> {
        self.analyzer.files_asked.set(true);
        let shown = format!("{function}()");
        let named = function == "input_file_name";
        let scope = self.below.filter(|_| self.in_aggregate.get() || self.scope.attributes.is_empty());
        let hidden = &scope.unwrap_or(self.scope).hidden;
        let marked = |mark: &'static str| hidden.iter().filter(move |a| a.metadata.as_deref() == Some(mark));
        if marked(FILE_NAME).count() > 1 {
            let expr = errors::expression(&shown);
            return Err(SparkError::analysis("MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION", &[("expr", &expr)]));
        }
        let column = |attribute: &Attribute| Typed::attribute(&Attribute { metadata: None, ..attribute.clone() });
        let found = match (named, marked(FILE_NAME).next(), marked(OF_FILE).next()) {
            (true, Some(name), _) => Some(column(name)),
            (false, _, Some(metadata)) => {
                let field = if function.ends_with("start") { "file_block_start" } else { "file_block_length" };
                Some(self.field(column(metadata), field)?)
            }
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found.named_as(shown));
        }
        if self.analyzer.files_read.get() {
            let place = "over text files or above a join, a union or an aggregation of files";
            return Err(errors::unsupported(&format!("function {shown} {place}")));
        }
        // Without any file there is no name either.
        Ok(if named {
            Typed::literal(ScalarValue::from(""), DataType::String, shown)
        } else {
            Typed::literal(ScalarValue::Int64(Some(-1)), DataType::Long, shown)
        })
    }
}
