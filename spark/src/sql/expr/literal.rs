//! Literals that begin with a number or a word: numbers, `NULL`, booleans, typed literals, intervals.

use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::super::cursor::Cursor;
use super::super::interval;
use super::super::lexer::Kind;
use super::super::number::{self, NumberError};
use crate::spec::{Expr, ExprKind, Literal};

/// Whether a number token is next.
pub(super) fn number_ahead(cursor: &Cursor<'_>) -> bool {
    matches!(cursor.peek().kind, Kind::Integer | Kind::Decimal | Kind::Exponent | Kind::Suffixed)
}

/// A number; its minus sign, if any, was taken at `position`.
pub(super) fn number(cursor: &mut Cursor<'_>, negative: bool, position: usize) -> SparkResult<Expr> {
    let token = cursor.next();
    match number::literal(token.kind, token.text, negative, cursor.options.exponent_literal_as_decimal) {
        Ok(value) => Ok(cursor.node(ExprKind::Literal(value), position)),
        Err(NumberError::Range(type_name, low, high)) => {
            let digits = if matches!(token.kind, Kind::Suffixed) { trim_suffix(token.text) } else { token.text };
            let raw = format!("{}{digits}", if negative { "-" } else { "" });
            let parameters = [
                ("rawStrippedQualifier", raw.as_str()),
                ("minValue", &low),
                ("maxValue", &high),
                ("typeName", type_name),
            ];
            Err(cursor.error("INVALID_NUMERIC_LITERAL_RANGE", &parameters, position))
        }
        Err(NumberError::Precision(precision)) => {
            let precision = precision.to_string();
            let parameters = [("precision", precision.as_str()), ("maxPrecision", "38")];
            Err(cursor.error("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", &parameters, position))
        }
    }
}

fn trim_suffix(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_ascii_alphabetic())
}

/// A literal that begins with a word, or `None`.
pub(super) fn literal(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Option<Expr>> {
    let token = cursor.peek();
    let upper = token.text.to_ascii_uppercase();
    let name_goes_on = cursor.is_at(1, ".") && cursor.is_name_at(2) || cursor.is_at(1, "(") || cursor.is_at(1, "->");
    if cursor.is_string_at(1) && typed_literal_ahead(cursor, &upper) {
        return typed(cursor, &upper, position).map(Some);
    }
    let value = match upper.as_str() {
        "NULL" if !name_goes_on => Literal::Null(DataType::Null),
        "TRUE" if !name_goes_on => Literal::Boolean(true),
        "FALSE" if !name_goes_on => Literal::Boolean(false),
        "INTERVAL" if interval::ahead(cursor) => return interval::interval(cursor, position).map(Some),
        _ => return Ok(None),
    };
    cursor.next();
    Ok(Some(cursor.node(ExprKind::Literal(value), position)))
}

/// A word before a string is a type, unless it is an operator word or the string is its own column's alias place.
fn typed_literal_ahead(cursor: &Cursor<'_>, upper: &str) -> bool {
    !matches!(upper, "INTERVAL" | "NULL" | "TRUE" | "FALSE" | "NOT" | "CASE")
        || upper == "INTERVAL" && !interval::ahead(cursor)
}

fn typed(cursor: &mut Cursor<'_>, type_name: &str, position: usize) -> SparkResult<Expr> {
    cursor.next();
    let text = cursor.string()?;
    match type_name {
        "DATE" | "TIMESTAMP" | "TIMESTAMP_NTZ" | "TIMESTAMP_LTZ" | "TIME" => {
            Ok(cursor.node(ExprKind::TypedLiteral { type_name: type_name.to_string(), text }, position))
        }
        "X" => match binary(&text) {
            Some(bytes) => Ok(cursor.node(ExprKind::Literal(Literal::Binary(bytes)), position)),
            None => Err(invalid(cursor, "X", &text, position)),
        },
        _ => {
            let supported = r#""DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME""#;
            let unsupported = format!("\"{type_name}\"");
            let parameters = [("unsupportedType", unsupported.as_str()), ("supportedTypes", supported)];
            Err(cursor.error("UNSUPPORTED_TYPED_LITERAL", &parameters, position))
        }
    }
}

fn invalid(cursor: &Cursor<'_>, type_name: &str, text: &str, position: usize) -> firesteel_functions::SparkError {
    let type_name = format!("\"{type_name}\"");
    let value = format!("'{text}'");
    cursor.error("INVALID_TYPED_LITERAL", &[("valueType", &type_name), ("value", &value)], position)
}

/// An odd number of digits has a zero in front.
fn binary(text: &str) -> Option<Vec<u8>> {
    let padded = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_string() };
    if !padded.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..padded.len()).step_by(2).map(|at| u8::from_str_radix(padded.get(at..at + 2)?, 16).ok()).collect()
}
