//! Spark's SQL dialect: text in, [`crate::spec`] out.
//!
//! A hand-written lexer and recursive-descent parser that follow Spark's grammar, its error conditions and its character
//! positions. Nothing is resolved here: no catalog, no session, no DataFusion.

mod clause;
mod cursor;
mod ddl;
mod dml;
pub mod error;
mod escape;
mod expr;
mod from;
mod interval;
mod lexer;
mod name;
mod number;
mod options;
mod parameters;
mod query;
mod script;
mod statement;
mod types;
mod utility;

#[cfg(test)]
mod tests;

pub use options::{IdentifierSource, ParseOptions};
pub use parameters::{Marker, parameter_markers};
pub use script::split_statements;

use firesteel_functions::SparkResult;
use firesteel_functions::types::{DataType, StructType};

use crate::spec::{Expr, ObjectName, Plan};
use cursor::Cursor;

pub(crate) use types::named_collation;

/// Parses one statement; trailing semicolons are allowed.
///
/// # Errors
/// Spark's parse errors.
pub fn parse_statement(text: &str, options: &ParseOptions) -> SparkResult<Plan> {
    let substituted = options.identifiers.as_ref().and_then(|source| source.substitute(text));
    let text = substituted.as_deref().unwrap_or(text);
    let mut cursor = Cursor::new(text, options)?;
    if cursor.at_end_of_statement() {
        return Err(cursor.empty());
    }
    let plan = statement::statement(&mut cursor)?;
    cursor.end_of_statement()?;
    Ok(plan)
}

/// Parses one expression with an optional alias, as in a select list (`selectExpr`, `expr`).
///
/// # Errors
/// Spark's parse errors.
pub fn parse_expression(text: &str, options: &ParseOptions) -> SparkResult<Expr> {
    whole(text, options, expr::named_expression)
}

/// Parses a data type: `array<int>`, `decimal(10,2)`.
///
/// # Errors
/// Spark's parse errors, `UNSUPPORTED_DATATYPE` for unknown names.
pub fn parse_data_type(text: &str) -> SparkResult<DataType> {
    whole(text, &ParseOptions::default(), types::data_type)
}

/// Parses a schema: a column list `a INT, b STRING NOT NULL`, or a struct type.
///
/// # Errors
/// Spark's parse errors.
pub fn parse_table_schema(text: &str) -> SparkResult<StructType> {
    let options = ParseOptions::default();
    whole(text, &options, types::table_schema).or_else(|error| match parse_data_type(text) {
        Ok(DataType::Struct(fields)) => Ok(fields),
        _ => Err(error),
    })
}

/// Parses a possibly qualified name: ``a.`b c`.d``.
///
/// # Errors
/// Spark's parse errors.
pub fn parse_multipart_identifier(text: &str) -> SparkResult<ObjectName> {
    whole(text, &ParseOptions::default(), name::multipart)
}

fn whole<T>(text: &str, options: &ParseOptions, rule: fn(&mut Cursor<'_>) -> SparkResult<T>) -> SparkResult<T> {
    let mut cursor = Cursor::new(text, options)?;
    if cursor.at_end() {
        return Err(cursor.empty());
    }
    let value = rule(&mut cursor)?;
    cursor.end()?;
    Ok(value)
}
