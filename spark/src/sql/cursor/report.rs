//! Errors about the place where the parser is.

use firesteel_functions::{QueryContext, SparkError};

use super::super::error;
use super::super::lexer::Kind;
use super::Cursor;
use crate::spec::Origin;

impl Cursor<'_> {
    pub(super) fn too_complex(&self) -> SparkError {
        SparkError::parse("FAILED_TO_PARSE_TOO_COMPLEX", &[]).with_context(self.token_context())
    }

    /// There is nothing to parse.
    pub(in crate::sql) fn empty(&self) -> SparkError {
        SparkError::parse("PARSE_EMPTY_STATEMENT", &[]).with_context(self.token_context())
    }

    fn token_context(&self) -> QueryContext {
        let token = self.peek();
        error::context(&self.text, token.start, token.end.saturating_sub(1).max(token.start))
    }

    fn syntax(&self, hint: &str) -> SparkError {
        let token = self.peek();
        let near = if token.kind == Kind::End { "end of input".to_string() } else { format!("'{}'", token.text) };
        SparkError::parse("PARSE_SYNTAX_ERROR", &[("error", &near), ("hint", hint)]).with_context(self.token_context())
    }

    /// A syntax error at the current token.
    pub(in crate::sql) fn unexpected(&self) -> SparkError {
        self.syntax("")
    }

    /// A syntax error after a complete statement; one token too many is called so.
    pub(super) fn trailing(&self) -> SparkError {
        let next = self.peek_at(1);
        if next.kind == Kind::End || next.text == ";" {
            self.syntax(&format!(": extra input '{}'", self.peek().text))
        } else {
            self.syntax("")
        }
    }

    /// A parse error of another condition, about the tokens from `position` to the last one taken.
    pub(in crate::sql) fn error(&self, condition: &str, parameters: &[(&str, &str)], position: usize) -> SparkError {
        let mut error = SparkError::parse(condition, parameters);
        if let Some(text) = error::unnamed(condition, parameters) {
            error = error.with_message(text);
        }
        match self.origin(position) {
            Some(Origin::Sql { start, stop, text }) => error.with_context(error::context(&text, start, stop)),
            _ => error,
        }
    }
}
