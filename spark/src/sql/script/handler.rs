//! `DECLARE ... CONDITION` and `DECLARE ... HANDLER`.

use firesteel_functions::{SparkError, SparkResult};

use super::super::cursor::Cursor;
use super::super::name;
use super::block::{Around, id, one, wrong};
use crate::spec::{Block, Handler, Trigger};

/// Whether a handler is declared here.
pub(super) fn ahead(cursor: &Cursor<'_>) -> bool {
    cursor.any_word_at(1, &["EXIT", "CONTINUE"]) && cursor.word_at(2, "HANDLER") && cursor.word_at(3, "FOR")
}

/// `DECLARE name CONDITION [FOR SQLSTATE [VALUE] 'xxxxx']`.
pub(super) fn condition(cursor: &mut Cursor<'_>) -> SparkResult<(String, String)> {
    cursor.expect_word("DECLARE")?;
    let name = name::plain(cursor)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let sub = "INVALID_ERROR_CONDITION_DECLARATION.SPECIAL_CHARACTER_FOUND";
        return Err(wrong(sub, &[("conditionName", &id(&name))]));
    }
    cursor.expect_word("CONDITION")?;
    let state = if cursor.eat_word("FOR") { sql_state(cursor)? } else { "45000".to_string() };
    Ok((name.to_uppercase(), state))
}

fn sql_state(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    let position = cursor.position();
    cursor.expect_word("SQLSTATE")?;
    cursor.eat_word("VALUE");
    let state = cursor.string()?.to_uppercase();
    let valid = state.len() == 5 && state.chars().all(|c| c.is_ascii_alphanumeric());
    if !valid || ["00", "01", "XX"].iter().any(|class| state.starts_with(class)) {
        return Err(cursor.error("INVALID_SQLSTATE", &[("sqlState", &state)], position));
    }
    Ok(state)
}

/// `DECLARE EXIT HANDLER FOR triggers statement`.
pub(super) fn handler(cursor: &mut Cursor<'_>, block: &Block, around: &Around) -> SparkResult<Handler> {
    cursor.expect_word("DECLARE")?;
    if cursor.word("CONTINUE") {
        return Err(SparkError::unsupported_feature("CONTINUE_EXCEPTION_HANDLER", &[]));
    }
    cursor.expect_words(&["EXIT", "HANDLER", "FOR"])?;
    let triggers = cursor.list(trigger)?;
    check(&triggers, block)?;
    let body = vec![one(cursor, around)?];
    Ok(Handler { triggers, body })
}

fn trigger(cursor: &mut Cursor<'_>) -> SparkResult<Trigger> {
    if cursor.eat_word("SQLEXCEPTION") {
        return Ok(Trigger::Exception);
    }
    if cursor.eat_words(&["NOT", "FOUND"]) {
        return Ok(Trigger::NotFound);
    }
    if cursor.word("SQLSTATE") {
        return sql_state(cursor).map(Trigger::SqlState);
    }
    let mut parts = vec![name::plain(cursor)?];
    while cursor.eat(".") {
        parts.push(name::plain(cursor)?);
    }
    Ok(Trigger::Condition(parts.join(".").to_uppercase()))
}

fn check(triggers: &[Trigger], block: &Block) -> SparkResult<()> {
    const INVALID: &str = "INVALID_HANDLER_DECLARATION";
    let general = |trigger: &Trigger| matches!(trigger, Trigger::Exception | Trigger::NotFound);
    if triggers.len() > 1 && triggers.iter().any(general) {
        return Err(wrong(&format!("{INVALID}.INVALID_CONDITION_COMBINATION"), &[]));
    }
    for (index, trigger) in triggers.iter().enumerate() {
        let repeated = triggers.iter().take(index).any(|other| other == trigger);
        let taken = block.handlers.iter().any(|handler| handler.triggers.contains(trigger));
        match trigger {
            Trigger::Condition(name) => {
                let shown = id(name);
                if repeated {
                    let sub = format!("{INVALID}.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION");
                    return Err(wrong(&sub, &[("condition", &shown)]));
                }
                if taken {
                    return Err(wrong("DUPLICATE_EXCEPTION_HANDLER.CONDITION", &[("condition", &shown)]));
                }
            }
            Trigger::SqlState(state) => {
                if repeated {
                    let sub = format!("{INVALID}.DUPLICATE_SQLSTATE_IN_HANDLER_DECLARATION");
                    return Err(wrong(&sub, &[("sqlState", state)]));
                }
                if taken {
                    return Err(wrong("DUPLICATE_EXCEPTION_HANDLER.SQLSTATE", &[("sqlState", state)]));
                }
            }
            Trigger::Exception if taken => {
                return Err(wrong("DUPLICATE_EXCEPTION_HANDLER.CONDITION", &[("condition", "`SQLEXCEPTION`")]));
            }
            Trigger::NotFound if taken => {
                return Err(wrong("DUPLICATE_EXCEPTION_HANDLER.CONDITION", &[("condition", "`NOT FOUND`")]));
            }
            Trigger::Exception | Trigger::NotFound => {}
        }
    }
    Ok(())
}
