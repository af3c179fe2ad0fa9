//! Making a [`SparkError`] from a condition and its parameters, and quoting what goes into parameters.

use super::{ErrorKind, Inner, QueryContext, SparkError, catalogue};
use crate::types::DataType;

impl SparkError {
    /// An error of Spark's catalogue. Identifiers, types and values in `parameters` are quoted by the caller.
    ///
    /// A condition that Spark does not have keeps its name and lists its parameters as the message.
    #[must_use]
    pub fn new(kind: ErrorKind, condition: &str, parameters: &[(&str, &str)]) -> Self {
        let (message, sqlstate) = match catalogue::template(condition) {
            Some((template, sqlstate)) => (catalogue::fill(&template, parameters), sqlstate.map(str::to_owned)),
            None => {
                let text: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                (text.join(", "), None)
            }
        };
        let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let condition = condition.to_owned();
        Self(Box::new(Inner { condition, kind, sqlstate, message, parameters, contexts: Vec::new() }))
    }

    /// An error found while resolving or checking a query.
    #[must_use]
    pub fn analysis(condition: &str, parameters: &[(&str, &str)]) -> Self {
        Self::new(ErrorKind::Analysis, condition, parameters)
    }

    /// An error in SQL text.
    #[must_use]
    pub fn parse(condition: &str, parameters: &[(&str, &str)]) -> Self {
        Self::new(ErrorKind::Parse, condition, parameters)
    }

    /// An error at run time without a more specific kind.
    #[must_use]
    pub fn runtime(condition: &str, parameters: &[(&str, &str)]) -> Self {
        Self::new(ErrorKind::Runtime, condition, parameters)
    }

    /// `UNSUPPORTED_FEATURE.<sub>`.
    #[must_use]
    pub fn unsupported_feature(sub: &str, parameters: &[(&str, &str)]) -> Self {
        let condition = format!("UNSUPPORTED_FEATURE.{sub}");
        let mut error = Self::new(ErrorKind::Unsupported, &condition, parameters);
        if catalogue::template(&condition).is_none() {
            // A feature Spark has and this engine lacks: Spark has no words for it, so the parameters are the words.
            let words: Vec<&str> = parameters.iter().map(|(_, value)| *value).collect();
            error.0.message = format!("The feature is not supported: {}.", words.join(" "));
            error.0.sqlstate = Some("0A000".to_owned());
        }
        error
    }

    /// A feature this engine does not have, in words that complete "The feature is not supported:".
    #[must_use]
    pub fn unsupported(what: impl AsRef<str>) -> Self {
        Self::unsupported_feature("NOT_IMPLEMENTED", &[("feature", what.as_ref())])
    }

    /// A defect of this engine, or a failure that fits no condition.
    #[must_use]
    pub fn internal(message: impl AsRef<str>) -> Self {
        Self::new(ErrorKind::Execution, "INTERNAL_ERROR", &[("message", message.as_ref())])
    }

    /// The operation was cancelled.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "OPERATION_CANCELED", &[])
    }

    /// An error with a given text in place of the catalogue's, for conditions whose text is made elsewhere.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same error, saying which part of the query it is about.
    #[must_use]
    pub fn with_context(mut self, context: QueryContext) -> Self {
        self.0.contexts.push(context);
        self
    }

    /// The same error with a context, unless it has one already.
    #[must_use]
    pub fn or_context(self, context: Option<QueryContext>) -> Self {
        match context {
            Some(context) if self.0.contexts.is_empty() => self.with_context(context),
            _ => self,
        }
    }
}

/// A multi-part identifier with every part in backticks.
pub fn quote_identifier<S: AsRef<str>>(parts: &[S]) -> String {
    let quoted: Vec<String> = parts.iter().map(|part| format!("`{}`", part.as_ref().replace('`', "``"))).collect();
    quoted.join(".")
}

/// A name in backticks unless it is a plain identifier.
#[must_use]
pub fn quote_if_needed(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.is_empty()
        && !name.chars().all(|c| c.is_ascii_digit());
    if plain { name.to_owned() } else { quote_identifier(&[name]) }
}

/// A routine or column name given as one dotted text, quoted part by part.
#[must_use]
pub fn to_sql_id(name: &str) -> String {
    quote_identifier(&name.split('.').collect::<Vec<_>>())
}

/// A type as it appears in messages: its SQL in double quotes.
#[must_use]
pub fn sql_type(data_type: &DataType) -> String {
    format!("\"{}\"", data_type.sql())
}

/// A configuration key as it appears in messages.
#[must_use]
pub fn sql_conf(key: &str) -> String {
    format!("\"{key}\"")
}

/// A string value as it appears in messages: in single quotes, with quotes and backslashes escaped.
#[must_use]
pub fn sql_value(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
