//! `SparkError`: an error with Spark's condition, SQLSTATE, parameters and query context, from its place of birth to the client.
//!
//! Ballista and DataFusion carry errors between processes as text only. [`SparkError`] therefore travels inside a
//! [`DataFusionError`] as an envelope whose text can be read back by [`SparkError::recover`]. It knows nothing of gRPC.

mod catalogue;
mod classes;
mod conditions;
mod convert;
mod envelope;
mod new;
mod summary;
#[cfg(test)]
mod tests;

pub use convert::from_datafusion;
pub use new::{quote_identifier, quote_if_needed, sql_conf, sql_type, sql_value, to_sql_id};

/// Which part of a query an error is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum QueryContext {
    /// A range of SQL text; offsets are 0-based characters, `stop` inclusive.
    Sql {
        /// First character.
        start: u32,
        /// Last character.
        stop: u32,
        /// The whole statement.
        text: std::sync::Arc<str>,
    },
    /// A DataFrame call.
    DataFrame {
        /// The function called, for example `divide`.
        fragment: String,
        /// Where the user's code called it.
        call_site: String,
    },
}

/// What kind of failure an error is; decides the exception class a Spark client raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ErrorKind {
    /// The SQL text does not parse (`ParseException`).
    Parse,
    /// The query does not resolve or type-check (`AnalysisException`).
    Analysis,
    /// Arithmetic at run time (`SparkArithmeticException`).
    Arithmetic,
    /// A string that is no number (`SparkNumberFormatException`).
    NumberFormat,
    /// Date or time at run time (`SparkDateTimeException`).
    DateTime,
    /// Array index at run time (`SparkArrayIndexOutOfBoundsException`).
    ArrayIndex,
    /// A bad argument (`SparkIllegalArgumentException`).
    IllegalArgument,
    /// A key that does not exist (`SparkNoSuchElementException`).
    NoSuchElement,
    /// Something this engine or Spark does not do (`SparkUnsupportedOperationException`).
    Unsupported,
    /// Any other failure at run time (`SparkRuntimeException`).
    Runtime,
    /// Behaviour that changed between Spark versions (`SparkUpgradeException`).
    Upgrade,
    /// A failed job, task, or input or output operation (`SparkException`).
    Execution,
    /// The operation was cancelled (`SparkException`, condition `OPERATION_CANCELED`).
    Cancelled,
}

/// An error with Spark's condition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SparkError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Inner {
    condition: String,
    kind: ErrorKind,
    sqlstate: Option<String>,
    message: String,
    parameters: Vec<(String, String)>,
    contexts: Vec<QueryContext>,
}

/// Result with a [`SparkError`].
pub type SparkResult<T> = Result<T, SparkError>;

impl SparkError {
    /// The condition, for example `UNRESOLVED_COLUMN.WITH_SUGGESTION`.
    #[must_use]
    pub fn condition(&self) -> &str {
        &self.0.condition
    }
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    /// The SQLSTATE, five characters.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.sqlstate.as_deref()
    }
    /// The text without condition, SQLSTATE and context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
    /// Message parameters, in the order they were given.
    #[must_use]
    pub fn parameters(&self) -> &[(String, String)] {
        &self.0.parameters
    }
    /// Query contexts, innermost first.
    #[must_use]
    pub fn contexts(&self) -> &[QueryContext] {
        &self.0.contexts
    }
}

impl std::fmt::Display for SparkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] {}", self.0.condition, self.0.message)?;
        match &self.0.sqlstate {
            Some(state) => write!(f, " SQLSTATE: {state}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SparkError {}
