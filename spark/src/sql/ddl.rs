//! Definitions: `CREATE`, `REPLACE`, `DROP`, `ALTER`, `COMMENT ON`, `MSCK REPAIR`.

mod alter;
mod column;
mod function;
mod namespace;
mod table;
mod view;

pub(super) use alter::alter;

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::{clause, name, utility};
use crate::spec::Command;

/// `CREATE` and `REPLACE`.
pub(super) fn create(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    let replace_only = cursor.eat_word("REPLACE");
    if !replace_only {
        cursor.expect_word("CREATE")?;
    }
    let or_replace = cursor.eat_words(&["OR", "REPLACE"]);
    let start = cursor.position();
    let global = cursor.eat_word("GLOBAL");
    let temporary = cursor.eat_any(&["TEMPORARY", "TEMP"]);
    if cursor.word("VIEW") {
        return view::create(cursor, or_replace, temporary, global);
    }
    if cursor.words(&["RECURSIVE", "VIEW"])
        || cursor.words(&["MATERIALIZED", "VIEW"])
        || cursor.words(&["METRIC", "VIEW"])
    {
        let feature = format!("CREATE {} VIEW", cursor.peek().text.to_ascii_uppercase());
        return Ok(utility::unsupported(cursor, &feature));
    }
    if cursor.word("FUNCTION") && !global {
        return function::create(cursor, or_replace, temporary);
    }
    let external = cursor.eat_word("EXTERNAL");
    if cursor.word("TABLE") && !global {
        return table::create(cursor, table::Form { or_replace, replace_only, temporary, external });
    }
    if global || temporary || external {
        return Err(cursor.unexpected());
    }
    cursor.rewind(start);
    if cursor.any_word(&["DATABASE", "SCHEMA", "NAMESPACE"]) && !or_replace && !replace_only {
        return namespace::create(cursor);
    }
    if cursor.any_word(&["INDEX", "ROLE", "MACRO", "STREAMING", "FLOW", "VARIABLE"]) {
        let feature = format!("CREATE {}", cursor.peek().text.to_ascii_uppercase());
        return Ok(utility::unsupported(cursor, &feature));
    }
    Err(cursor.unexpected())
}

/// `DROP`.
pub(super) fn drop(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("DROP")?;
    let temporary = cursor.eat_any(&["TEMPORARY", "TEMP"]);
    if cursor.eat_word("FUNCTION") {
        let if_exists = clause::if_exists(cursor);
        return Ok(Command::DropFunction { name: name::multipart(cursor)?, if_exists, temporary });
    }
    if temporary {
        if !cursor.eat_any(&["VARIABLE", "VAR"]) {
            return Err(cursor.unexpected());
        }
        let if_exists = clause::if_exists(cursor);
        return Ok(Command::DropVariable { name: name::multipart(cursor)?, if_exists });
    }
    if cursor.eat_word("TABLE") {
        let if_exists = clause::if_exists(cursor);
        let name = name::multipart(cursor)?;
        return Ok(Command::DropTable { name, if_exists, purge: cursor.eat_word("PURGE") });
    }
    if cursor.eat_word("VIEW") {
        let if_exists = clause::if_exists(cursor);
        return Ok(Command::DropView { name: name::multipart(cursor)?, if_exists });
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA", "NAMESPACE"]) {
        let if_exists = clause::if_exists(cursor);
        let name = name::multipart(cursor)?;
        let cascade = cursor.eat_word("CASCADE");
        if !cascade {
            cursor.eat_word("RESTRICT");
        }
        return Ok(Command::DropDatabase { name, if_exists, cascade });
    }
    if cursor.any_word(&["INDEX", "ROLE", "MACRO"]) {
        let feature = format!("DROP {}", cursor.peek().text.to_ascii_uppercase());
        return Ok(utility::unsupported(cursor, &feature));
    }
    Err(cursor.unexpected())
}

/// `COMMENT ON`.
pub(super) fn comment_on(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["COMMENT", "ON"])?;
    let table = cursor.eat_word("TABLE");
    let column = !table && cursor.eat_word("COLUMN");
    if !table && !column && !cursor.eat_any(&["DATABASE", "SCHEMA", "NAMESPACE"]) {
        return Err(cursor.unexpected());
    }
    let mut name = name::multipart(cursor)?;
    cursor.expect_word("IS")?;
    let comment = if cursor.eat_word("NULL") { None } else { Some(cursor.string()?) };
    if column {
        let Some(last) = name.pop().filter(|_| !name.is_empty()) else { return Err(cursor.unexpected()) };
        let action = alter::comment_column(last, comment.unwrap_or_default());
        return Ok(Command::AlterTable { name, view: false, action });
    }
    Ok(Command::CommentOn { table, name, comment })
}

/// `[MSCK] REPAIR TABLE t [SYNC PARTITIONS]`.
pub(super) fn repair(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.eat_word("MSCK");
    cursor.expect_words(&["REPAIR", "TABLE"])?;
    let name = name::multipart(cursor)?;
    if cursor.any_word(&["ADD", "DROP", "SYNC"]) && cursor.word_at(1, "PARTITIONS") {
        let add = cursor.next().text.eq_ignore_ascii_case("ADD");
        cursor.next();
        if !add {
            return Ok(Command::Unsupported("MSCK REPAIR TABLE with DROP or SYNC PARTITIONS".to_string()));
        }
    }
    Ok(Command::RepairTable(name))
}
