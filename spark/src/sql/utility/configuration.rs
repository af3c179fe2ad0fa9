//! `SET`, `RESET`, `SET TIME ZONE`, `SET CATALOG`, `USE`. Values of `SET` are free text up to the end of the statement.

use firesteel_functions::SparkResult;
use firesteel_functions::types::DayTimeField;

use super::super::cursor::Cursor;
use super::super::lexer::Kind;
use super::super::{interval, name};
use super::variable;
use crate::spec::{Command, Expr, ExprKind, Literal, SetCommand, TimeZoneSetting};

/// `SET ...`.
pub(in crate::sql) fn set(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("SET")?;
    if cursor.words(&["TIME", "ZONE"]) {
        return time_zone(cursor);
    }
    if cursor.any_word(&["VAR", "VARIABLE"]) && (cursor.is_name_at(1) || cursor.is_at(1, "(")) {
        cursor.next();
        return variable::set(cursor);
    }
    if cursor.word("CATALOG") && (cursor.is_name_at(1) || cursor.is_string_at(1)) {
        cursor.next();
        let catalog = if cursor.is_string() { cursor.string()? } else { name::multipart(cursor)?.join(".") };
        return Ok(Command::SetCatalog(catalog));
    }
    if cursor.word("ROLE") {
        return super::not_allowed(cursor);
    }
    // A schema called after a path is not done; `SET PATH = ...` is the session's resolution path.
    let position = cursor.position();
    let text = cursor.take_rest();
    property(cursor, text, position).map(Command::Set)
}

fn property(cursor: &Cursor<'_>, text: &str, position: usize) -> SparkResult<SetCommand> {
    if text.is_empty() {
        return Ok(SetCommand::All);
    }
    if text == "-v" {
        return Ok(SetCommand::AllVerbose);
    }
    let unquote = |part: &str| {
        let part = part.trim();
        let inner = part.strip_prefix('`').and_then(|p| p.strip_suffix('`'));
        inner.map_or_else(|| part.to_string(), |inner| inner.replace("``", "`"))
    };
    let (key, value) = match text.strip_prefix('`').and_then(|rest| rest.find('`')) {
        Some(end) => {
            let (quoted, rest) = text.split_at(end + 2);
            match rest.trim_start().strip_prefix('=') {
                Some(value) => (quoted, Some(value)),
                None => (text, None),
            }
        }
        None => text.split_once('=').map_or((text, None), |(key, value)| (key, Some(value))),
    };
    let key = unquote(key);
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(cursor.error("INVALID_SET_SYNTAX", &[], position));
    }
    Ok(match value {
        Some(value) => SetCommand::Put(key, unquote(value)),
        None => SetCommand::Get(key),
    })
}

fn time_zone(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["TIME", "ZONE"])?;
    let position = cursor.position();
    let bad = |cursor: &Cursor<'_>| cursor.error("_LEGACY_ERROR_TEMP_0045", &[], position);
    let setting = if cursor.eat_word("LOCAL") {
        TimeZoneSetting::Local
    } else if cursor.is_string() {
        TimeZoneSetting::Zone(cursor.string()?)
    } else if interval::ahead(cursor) {
        let value = interval::interval(cursor, position)?;
        if let Some(input) = out_of_range(&value) {
            let condition = "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE";
            return Err(cursor.error(condition, &[("input", &input.to_string())], position));
        }
        TimeZoneSetting::Interval(value)
    } else {
        return Err(bad(cursor));
    };
    if !cursor.at_end_of_statement() {
        return Err(bad(cursor));
    }
    Ok(Command::SetTimeZone(setting))
}

/// An offset is at most 18 hours, in whole seconds; otherwise the part of it that is wrong.
fn out_of_range(value: &Expr) -> Option<i64> {
    const SECOND: i64 = 1_000_000;
    let ExprKind::Literal(literal) = value.kind.as_ref() else { return None };
    let (months, days, micros) = match literal {
        Literal::YearMonthInterval(months, ..) => (*months, 0, 0),
        Literal::DayTimeInterval(micros, DayTimeField::Day, _) => (0, micros / (86_400 * SECOND), *micros),
        Literal::DayTimeInterval(micros, ..) => (0, 0, *micros),
        Literal::CalendarInterval { months, days, micros } => (*months, i64::from(*days), *micros),
        _ => return None,
    };
    if months != 0 {
        return Some(i64::from(months));
    }
    if days != 0 {
        return Some(days);
    }
    if micros.unsigned_abs() > 18 * 3_600 * 1_000_000 {
        return Some(micros / (3_600 * SECOND));
    }
    (micros % SECOND != 0).then_some(micros / SECOND)
}

/// `RESET [key]`.
pub(in crate::sql) fn reset(cursor: &mut Cursor<'_>) -> Command {
    cursor.next();
    let key = cursor.take_rest();
    let quoted = key.strip_prefix('`').and_then(|key| key.strip_suffix('`')).unwrap_or(key);
    Command::Reset(Some(quoted.to_string()).filter(|key| !key.is_empty()))
}

/// `USE [DATABASE|SCHEMA|NAMESPACE] name`.
pub(in crate::sql) fn use_namespace(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("USE")?;
    let namespace_only = cursor.any_word(&["DATABASE", "SCHEMA", "NAMESPACE"]) && cursor.peek_at(1).kind != Kind::End;
    if namespace_only && !cursor.is_at(1, ".") {
        cursor.next();
        return Ok(Command::Use { name: name::multipart(cursor)?, namespace_only: true });
    }
    Ok(Command::Use { name: name::multipart(cursor)?, namespace_only: false })
}
