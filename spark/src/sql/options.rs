//! What of a session's configuration changes how text is parsed.

use std::sync::Arc;

use firesteel_functions::SparkResult;

use crate::spec::Expr;

/// Gives the text of an expression inside `IDENTIFIER(...)` that is not made of string literals alone:
/// parameters and session variables. The parser knows neither.
pub trait IdentifierSource: Send + Sync {
    /// The identifier text, or `None` when the expression is no constant string.
    ///
    /// # Errors
    /// When the expression cannot be evaluated.
    fn identifier(&self, expr: &Expr) -> SparkResult<Option<String>>;

    /// The statement with settings in place of `${name}`, when it has such references.
    fn substitute(&self, _text: &str) -> Option<String> {
        None
    }
}

/// Options of the parser.
#[derive(Clone, Default)]
pub struct ParseOptions {
    /// `"x"` is an identifier (`spark.sql.ansi.doubleQuotedIdentifiers`).
    pub double_quoted_identifiers: bool,
    /// Backslashes in string literals are plain characters (`spark.sql.parser.escapedStringLiterals`).
    pub escaped_string_literals: bool,
    /// Back-quoted names in a select list are regular expressions (`spark.sql.parser.quotedRegexColumnNames`).
    pub quoted_regex_column_names: bool,
    /// `TIMESTAMP` means `TIMESTAMP_NTZ` (`spark.sql.timestampType`).
    pub timestamp_ntz: bool,
    /// Interval literals are of the legacy type (`spark.sql.legacy.interval.enabled`).
    pub legacy_interval: bool,
    /// `1e3` is a decimal (`spark.sql.legacy.exponentLiteralAsDecimal.enabled`).
    pub exponent_literal_as_decimal: bool,
    /// `spark.sql.legacy.setopsPrecedence.enabled`: set operations are done from left to right.
    pub setops_from_left: bool,
    /// Values for `IDENTIFIER(...)`.
    pub identifiers: Option<Arc<dyn IdentifierSource>>,
}

impl std::fmt::Debug for ParseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParseOptions")
            .field("double_quoted_identifiers", &self.double_quoted_identifiers)
            .field("escaped_string_literals", &self.escaped_string_literals)
            .field("timestamp_ntz", &self.timestamp_ntz)
            .field("legacy_interval", &self.legacy_interval)
            .finish_non_exhaustive()
    }
}
