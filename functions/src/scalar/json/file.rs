//! The columns of a file of JSON records, found by reading it once.

use super::infer::{Infer, merge};
use super::parse::{Grammar, parse};
use super::read::grammar;
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::document::Options;
use crate::types::{DataType, StructField, StructType};

/// What records have been seen.
pub struct JsonRecords {
    infer: Infer,
    grammar: Grammar,
    seen: DataType,
    malformed: bool,
    nested: bool,
    strict: bool,
}

impl std::fmt::Debug for JsonRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonRecords").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl JsonRecords {
    /// None yet; `options` are those of the read, a JSON object of texts.
    ///
    /// # Errors
    /// Bad options.
    pub fn new(options: &str, session: &SparkOptions) -> SparkResult<Self> {
        let options = Options::parse(Some(options));
        Ok(Self {
            infer: Infer::new(&options, session)?,
            grammar: grammar(&options)?,
            seen: DataType::Struct(StructType::default()),
            malformed: false,
            nested: false,
            strict: true,
        })
    }

    /// Looks at one line.
    pub fn see(&mut self, line: &str) {
        let value = match parse(line, Grammar::default()) {
            Ok(value) => value,
            Err(()) => {
                self.strict = false;
                match parse(line, self.grammar) {
                    Ok(value) => value,
                    Err(()) => {
                        self.malformed = true;
                        return;
                    }
                }
            }
        };
        let Some(value) = value else { return };
        let found = self.infer.record(&value);
        match &value {
            super::Json::Object(_) => {}
            super::Json::Array(items) if items.iter().all(|item| matches!(item, super::Json::Object(_))) => {
                self.nested = true;
            }
            _ => {
                self.malformed = true;
                return;
            }
        }
        let seen = std::mem::replace(&mut self.seen, DataType::Null);
        self.strict = self.strict && !clash(&seen, &found);
        self.seen = merge(seen, found);
    }

    /// Whether some line was no record.
    #[must_use]
    pub fn malformed(&self) -> bool {
        self.malformed
    }

    /// Whether all records are plain JSON whose values have the types of their columns, so that any reader of JSON reads them
    /// alike.
    #[must_use]
    pub fn strict(&self) -> bool {
        self.strict && !self.malformed && !self.nested
    }

    /// The columns, with one for bad records.
    #[must_use]
    pub fn schema(self, corrupt: Option<&str>) -> StructType {
        let mut seen = self.seen;
        if let Some(name) = corrupt {
            let column = StructField::new(name, DataType::String, true);
            seen = merge(seen, DataType::Struct(StructType::new(vec![column])));
        }
        self.infer.columns(&seen)
    }
}

/// Whether values of one of the types are read otherwise once both are merged.
fn clash(known: &DataType, new: &DataType) -> bool {
    match (known, new) {
        (DataType::Struct(known), DataType::Struct(new)) => {
            let repeated = |at: usize, name: &str| new.fields.iter().skip(at + 1).any(|other| other.name == name);
            new.fields.iter().enumerate().any(|(at, field)| {
                let other = known.fields.iter().find(|other| other.name == field.name);
                repeated(at, &field.name) || other.is_some_and(|other| clash(&other.data_type, &field.data_type))
            })
        }
        (DataType::Array { element: known, .. }, DataType::Array { element: new, .. }) => clash(known, new),
        (DataType::Null, _)
        | (_, DataType::Null)
        | (DataType::Long | DataType::Double, DataType::Long | DataType::Double) => false,
        (known, new) => known != new || matches!(known, DataType::Decimal(..)),
    }
}
