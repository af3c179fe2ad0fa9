//! Interval literals: `INTERVAL 1 DAY 2 HOURS`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 day'`.

mod amount;
mod range;

use amount::Amount;

use firesteel_functions::types::{DayTimeField, YearMonthField};
use firesteel_functions::{SparkError, SparkResult};

use super::cursor::Cursor;
use super::lexer::Kind;
use crate::spec::{Expr, ExprKind, Literal};

/// Whether the word `INTERVAL` begins a literal here.
pub(super) fn ahead(cursor: &Cursor<'_>) -> bool {
    let value = |at: usize| matches!(cursor.peek_at(at).kind, Kind::Integer | Kind::Decimal) || cursor.is_string_at(at);
    value(1)
        || (cursor.is_at(1, "-") || cursor.is_at(1, "+"))
            && value(2)
            && cursor.is_name_at(3)
            && unit(cursor.peek_at(3).text).is_some()
}

/// The literal.
pub(super) fn interval(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    cursor.expect_word("INTERVAL")?;
    let alone = cursor.is_string() && !(cursor.is_name_at(1) && unit(cursor.peek_at(1).text).is_some());
    if alone {
        let text = cursor.string()?;
        let amount = Amount::parse(&text).map_err(|reason| bad(cursor, &text, &reason, position))?;
        return literal(cursor, &amount, position);
    }
    let unit_at = if cursor.is("-") || cursor.is("+") { 2 } else { 1 };
    if cursor.word_at(unit_at + 1, "TO") {
        return unit_to_unit(cursor, position);
    }
    let mut amount = Amount::default();
    let mut any = false;
    while value_ahead(cursor) {
        let text = value(cursor)?;
        let word = cursor.peek();
        let Some(name) = Some(word).filter(|w| w.kind == Kind::Word).and_then(|w| unit(w.text)) else {
            return Err(cursor.unexpected());
        };
        cursor.next();
        amount.add(&text, name).map_err(|reason| bad(cursor, &text, &reason, position))?;
        any = true;
    }
    if !any {
        return Err(cursor.unexpected());
    }
    literal(cursor, &amount, position)
}

/// Whether another `value unit` follows; a sign needs both, as it may be an operator.
fn value_ahead(cursor: &Cursor<'_>) -> bool {
    let at = usize::from(cursor.is("-") || cursor.is("+"));
    let value = matches!(cursor.peek_at(at).kind, Kind::Integer | Kind::Decimal) || cursor.is_string_at(at);
    value && cursor.is_name_at(at + 1) && unit(cursor.peek_at(at + 1).text).is_some()
}

fn value(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    let negative = cursor.is("-");
    if negative || cursor.is("+") {
        cursor.next();
    }
    let text = if cursor.is_string() { cursor.string()? } else { cursor.next().text.to_string() };
    Ok(match (negative, text.strip_prefix('-')) {
        (true, Some(rest)) => rest.to_string(),
        (true, None) => format!("-{text}"),
        (false, _) => text,
    })
}

fn unit_to_unit(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    let text = value(cursor)?;
    let from = unit(cursor.next().text).unwrap_or("");
    cursor.expect_word("TO")?;
    let to_token = cursor.peek();
    let Some(to) = unit(to_token.text) else { return Err(cursor.unexpected()) };
    cursor.next();
    match range::parse(&text, from, to) {
        Ok(value) if cursor.options.legacy_interval => {
            Ok(cursor.node(ExprKind::Literal(range::calendar(value)), position))
        }
        Ok(value) => Ok(cursor.node(ExprKind::Literal(value), position)),
        Err(range::RangeError::Units) => Err(cursor.error(
            "_LEGACY_ERROR_TEMP_0028",
            &[("from", &from.to_uppercase()), ("to", &to.to_uppercase())],
            position,
        )),
        Err(range::RangeError::Text(supported)) => {
            let name = if from == "year" { "year-month" } else { "day-time" };
            let type_name = format!("interval {from} to {to}");
            let notice = ", set \"spark.sql.legacy.fromDayTimeString.enabled\" to \"true\" to restore the behavior before Spark 3.0.";
            let parameters = [
                ("input", text.as_str()),
                ("intervalStr", name),
                ("supportedFormat", supported),
                ("typeName", &type_name),
                ("fallBackNotice", notice),
            ];
            let sub = if from == "year" { "UNMATCHED_FORMAT_STRING" } else { "UNMATCHED_FORMAT_STRING_WITH_NOTICE" };
            Err(cursor.error(&format!("INVALID_INTERVAL_FORMAT.{sub}"), &parameters, position))
        }
    }
}

/// The singular of a unit's name.
fn unit(word: &str) -> Option<&'static str> {
    const UNITS: [&str; 9] = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];
    let lower = word.to_ascii_lowercase();
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    UNITS.into_iter().find(|unit| *unit == singular)
}

fn literal(cursor: &Cursor<'_>, amount: &Amount, position: usize) -> SparkResult<Expr> {
    let value = if cursor.options.legacy_interval {
        Literal::CalendarInterval { months: amount.months, days: amount.days, micros: amount.micros }
    } else if !amount.year_month_units.is_empty() {
        if !amount.day_time_units.is_empty() {
            let text = cursor.origin_text(position);
            let parameters = [("literal", text.as_str())];
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0029", &parameters, position));
        }
        let fields = &amount.year_month_units;
        let start = fields.iter().min().copied().unwrap_or(YearMonthField::Year);
        let end = fields.iter().max().copied().unwrap_or(YearMonthField::Month);
        Literal::YearMonthInterval(amount.months, start, end)
    } else {
        let fields = &amount.day_time_units;
        let start = fields.iter().min().copied().unwrap_or(DayTimeField::Day);
        let end = fields.iter().max().copied().unwrap_or(DayTimeField::Second);
        let Some(micros) = amount.total_micros() else {
            return Err(cursor.error("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", &[], position));
        };
        Literal::DayTimeInterval(micros, start, end)
    };
    Ok(cursor.node(ExprKind::Literal(value), position))
}

fn bad(cursor: &Cursor<'_>, input: &str, reason: &str, position: usize) -> SparkError {
    let (condition, word) = reason.split_once(' ').unwrap_or((reason, ""));
    let parameters = [("input", input), ("unit", word), ("word", word), ("number", word)];
    let used = if word.is_empty() { parameters.get(..1) } else { parameters.get(..) };
    cursor.error(&format!("INVALID_INTERVAL_FORMAT.{condition}"), used.unwrap_or(&[]), position)
}
