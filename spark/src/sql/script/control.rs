//! Control flow: `IF`, `CASE`, loops, `LEAVE` and `ITERATE`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{expr, name, query};
use super::block::{Around, block, body, end_label, id, wrong};
use crate::spec::{Statement, Test};

/// A statement of control flow, if one begins here.
pub(super) fn control(
    cursor: &mut Cursor<'_>,
    label: Option<String>,
    around: &Around,
) -> SparkResult<Option<Statement>> {
    let word = cursor.peek().text.to_ascii_uppercase();
    Ok(Some(match word.as_str() {
        "BEGIN" => Statement::Block(block(cursor, label, around)?),
        "IF" if label.is_none() => conditional(cursor, around)?,
        "CASE" if label.is_none() => case(cursor, around)?,
        "WHILE" => {
            let inner = around.labelled(label.as_ref(), true)?;
            cursor.next();
            let condition = test(cursor)?;
            cursor.expect_word("DO")?;
            let body = body(cursor, &inner, &["END"])?;
            cursor.expect_words(&["END", "WHILE"])?;
            end_label(cursor, label.as_ref())?;
            Statement::While { label, condition, body }
        }
        "REPEAT" => {
            let inner = around.labelled(label.as_ref(), true)?;
            cursor.next();
            let body = body(cursor, &inner, &["UNTIL"])?;
            cursor.expect_word("UNTIL")?;
            let until = test(cursor)?;
            cursor.expect_words(&["END", "REPEAT"])?;
            end_label(cursor, label.as_ref())?;
            Statement::Repeat { label, body, until }
        }
        "LOOP" => {
            let inner = around.labelled(label.as_ref(), true)?;
            cursor.next();
            let body = body(cursor, &inner, &["END"])?;
            cursor.expect_words(&["END", "LOOP"])?;
            end_label(cursor, label.as_ref())?;
            Statement::Loop { label, body }
        }
        "FOR" => rows(cursor, label, around)?,
        "LEAVE" | "ITERATE" if label.is_none() => {
            cursor.next();
            let label = name::plain(cursor)?.to_lowercase();
            let known = around.labels.iter().rev().find(|(known, _)| *known == label);
            let refused = |sub: &str| {
                let condition = format!("INVALID_LABEL_USAGE.{sub}");
                wrong(&condition, &[("labelName", &id(&label)), ("statementType", &word)])
            };
            match known {
                None => return Err(refused("DOES_NOT_EXIST")),
                Some((_, false)) if word == "ITERATE" => return Err(refused("ITERATE_IN_COMPOUND")),
                Some(_) if word == "ITERATE" => Statement::Iterate(label),
                Some(_) => Statement::Leave(label),
            }
        }
        _ => return Ok(None),
    }))
}

fn test(cursor: &mut Cursor<'_>) -> SparkResult<Test> {
    let byte = cursor.byte();
    let expr = expr::expression(cursor)?;
    Ok(Test { expr, text: cursor.text_from(byte).to_string() })
}

fn conditional(cursor: &mut Cursor<'_>, around: &Around) -> SparkResult<Statement> {
    let mut branches = Vec::new();
    cursor.next();
    loop {
        let condition = test(cursor)?;
        cursor.expect_word("THEN")?;
        branches.push((condition, body(cursor, around, &["ELSEIF", "ELSE", "END"])?));
        if !cursor.eat_word("ELSEIF") {
            break;
        }
    }
    let otherwise = if cursor.eat_word("ELSE") { body(cursor, around, &["END"])? } else { Vec::new() };
    cursor.expect_words(&["END", "IF"])?;
    Ok(Statement::If { branches, otherwise })
}

fn case(cursor: &mut Cursor<'_>, around: &Around) -> SparkResult<Statement> {
    cursor.next();
    let value = if cursor.word("WHEN") { None } else { Some(expr::expression(cursor)?) };
    let mut branches = Vec::new();
    while cursor.eat_word("WHEN") {
        let condition = test(cursor)?;
        cursor.expect_word("THEN")?;
        branches.push((condition, body(cursor, around, &["WHEN", "ELSE", "END"])?));
    }
    let otherwise = if cursor.eat_word("ELSE") { body(cursor, around, &["END"])? } else { Vec::new() };
    cursor.expect_words(&["END", "CASE"])?;
    Ok(match value {
        Some(value) => Statement::Case { value, branches, otherwise },
        None => Statement::If { branches, otherwise },
    })
}

/// `FOR [v AS] query DO ... END FOR`.
fn rows(cursor: &mut Cursor<'_>, label: Option<String>, around: &Around) -> SparkResult<Statement> {
    cursor.next();
    let variable = if cursor.is_name() && cursor.word_at(1, "AS") {
        let variable = name::plain(cursor)?.to_lowercase();
        cursor.expect_word("AS")?;
        Some(variable)
    } else {
        None
    };
    let inner = around.labelled(label.as_ref(), true)?;
    // The row's name is no target of LEAVE, but no label may be called like it.
    inner.labelled(variable.as_ref(), true)?;
    let query = before_do(cursor)?;
    cursor.expect_word("DO")?;
    let body = body(cursor, &inner, &["END"])?;
    cursor.expect_words(&["END", "FOR"])?;
    end_label(cursor, label.as_ref())?;
    Ok(Statement::For { label, variable, query, body })
}

/// The query up to its `DO`. `DO` may be an alias, too: the first one that leaves a whole query before it is the end.
fn before_do(cursor: &mut Cursor<'_>) -> SparkResult<crate::spec::Relation> {
    let start = cursor.position();
    let begin = cursor.byte();
    let mut failure = None;
    while !cursor.at_end() {
        if !cursor.word("DO") {
            cursor.next();
            continue;
        }
        // Blanks keep positions in messages right.
        let before: String = cursor.source.get(..begin).unwrap_or_default().chars().map(blank).collect();
        let text = format!("{before}{}", cursor.source.get(begin..cursor.byte()).unwrap_or_default());
        let mut part = Cursor::new(&text, cursor.options)?;
        match query::query(&mut part).and_then(|query| part.end().map(|()| query)) {
            Ok(query) => return Ok(query),
            Err(error) => failure = failure.or(Some(error)),
        }
        cursor.next();
    }
    cursor.rewind(start);
    Err(failure.unwrap_or_else(|| cursor.unexpected()))
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}
