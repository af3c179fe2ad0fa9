//! Calls whose first argument is a bare unit: `dateadd(DAY, 1, d)`, `datediff(HOUR, a, b)`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::{call, expression};
use crate::spec::{Expr, ExprKind, Function, Literal};

const UNITS: [&str; 11] =
    ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"];

/// The call at `(` when `name` is such a function and a unit is given; `None` for the plain functions of the same name.
pub(super) fn call(cursor: &mut Cursor<'_>, name: &str, position: usize) -> SparkResult<Option<Expr>> {
    let function = match name.to_ascii_lowercase().as_str() {
        "timestampadd" | "dateadd" | "date_add" => "timestampadd",
        "timestampdiff" | "datediff" | "date_diff" | "timediff" => "timestampdiff",
        _ => return Ok(None),
    };
    let quoted = cursor.is_string_at(1);
    if !cursor.is_at(2, ",") || !quoted && !cursor.any_word_at(1, &UNITS) {
        return Ok(None);
    }
    cursor.expect("(")?;
    let unit_position = cursor.position();
    let token = cursor.peek();
    let text = if quoted { cursor.string()? } else { cursor.next().text.to_string() };
    let unit = cursor.node(ExprKind::Literal(Literal::String(text.clone())), unit_position);
    cursor.expect(",")?;
    let mut args = vec![unit];
    args.extend(cursor.list(expression)?);
    cursor.expect(")")?;
    if args.len() == 3 && quoted {
        let value = format!("'{text}'");
        let called = format!("`{}`", name.to_ascii_lowercase());
        let parameters = [("functionName", called.as_str()), ("parameter", "`unit`"), ("invalidValue", &value)];
        return Err(cursor.error("INVALID_PARAMETER_VALUE.DATETIME_UNIT", &parameters, position));
    }
    if args.len() == 3 {
        return Ok(Some(cursor.call(function, args, position)));
    }
    // With two arguments the word was a column and the string a date.
    let kind = if quoted {
        ExprKind::Literal(Literal::String(text))
    } else {
        ExprKind::Attribute { name: vec![token.text.to_string()], plan_id: None, is_metadata: false }
    };
    if let Some(first) = args.first_mut() {
        *first.kind = kind;
    }
    call::modifiers(cursor, Function::new(vec![name.to_string()], args), position).map(Some)
}
