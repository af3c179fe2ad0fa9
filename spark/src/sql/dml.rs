//! Statements that change data: `INSERT`, `DELETE`, `UPDATE`, `MERGE`, `LOAD DATA`, `TRUNCATE`.

mod several;

pub(super) use several::several;

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::expr::{expression, query_ahead};
use super::{clause, name, query};
use crate::spec::{Command, Insert, Options, Relation, RowLevelOperation};

/// Where an `INSERT` goes.
enum Target {
    /// Into a table; the rows are still to come.
    Table(Box<Insert>),
    /// A whole command of another kind.
    Other(Command),
}

/// `INSERT ...`.
pub(super) fn insert(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    match target(cursor)? {
        Target::Table(mut insert) => {
            insert.input = source(cursor)?;
            Ok(Command::Insert(insert))
        }
        Target::Other(command) => Ok(command),
    }
}

/// `INSERT ...` up to its rows.
fn target(cursor: &mut Cursor<'_>) -> SparkResult<Target> {
    cursor.expect_word("INSERT")?;
    let evolution = cursor.eat_words(&["WITH", "SCHEMA", "EVOLUTION"]);
    let overwrite = cursor.eat_word("OVERWRITE");
    if !overwrite {
        cursor.expect_word("INTO")?;
    }
    if overwrite && (cursor.word("DIRECTORY") || cursor.words(&["LOCAL", "DIRECTORY"])) && !cursor.is_at(1, ".") {
        return directory(cursor).map(Target::Other);
    }
    if cursor.word("TABLE") && (cursor.is_name_at(1)) && !query_is_table(cursor) {
        cursor.next();
    }
    let table = name::multipart(cursor)?;
    let mut insert = Insert {
        table,
        columns: vec![],
        partition: vec![],
        overwrite,
        if_not_exists: false,
        by_name: false,
        replace_where: None,
        input: crate::spec::RelationKind::OneRow.into(),
    };
    let options = if cursor.word("WITH") && cursor.is_at(1, "(") {
        cursor.next();
        clause::properties(cursor)?
    } else {
        Options::new()
    };
    if !options.is_empty() || evolution {
        cursor.take_rest();
        return Ok(Target::Other(Command::Unsupported("INSERT WITH options or schema evolution".to_string())));
    }
    if cursor.words(&["REPLACE", "WHERE"]) {
        cursor.next();
        cursor.next();
        insert.replace_where = Some(expression(cursor)?);
    }
    if cursor.word("PARTITION") && cursor.is_at(1, "(") {
        insert.partition = clause::partition(cursor)?;
        insert.if_not_exists = clause::if_not_exists(cursor);
    }
    if cursor.eat_words(&["BY", "NAME"]) {
        insert.by_name = true;
    } else if cursor.is("(") && !query_ahead(cursor, 0) {
        insert.columns = name::identifier_list(cursor)?;
    }
    if !overwrite && insert.if_not_exists {
        let message = "INSERT INTO ... IF NOT EXISTS";
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], cursor.position()));
    }
    Ok(Target::Table(Box::new(insert)))
}

/// `INSERT INTO table SELECT ...` where the table is called `table`.
fn query_is_table(cursor: &Cursor<'_>) -> bool {
    cursor.any_word_at(1, &["SELECT", "VALUES"]) && (cursor.is_at(2, "(") || !cursor.is_at(2, "."))
}

fn source(cursor: &mut Cursor<'_>) -> SparkResult<Relation> {
    query::query(cursor)
}

fn directory(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    let local = cursor.eat_word("LOCAL");
    cursor.expect_word("DIRECTORY")?;
    let path = if cursor.is_string() { Some(cursor.string()?) } else { None };
    let mut format = None;
    let mut options = Options::new();
    loop {
        if cursor.eat_word("USING") {
            format = Some(name::multipart(cursor)?.join("."));
        } else if cursor.eat_words(&["STORED", "AS"]) {
            format = Some(name::identifier(cursor)?);
        } else if cursor.word("OPTIONS") && cursor.is_at(1, "(") {
            cursor.next();
            options = clause::properties(cursor)?;
        } else if cursor.words(&["ROW", "FORMAT"]) {
            cursor.take_rest();
            return Ok(Command::Unsupported("INSERT OVERWRITE DIRECTORY with ROW FORMAT".to_string()));
        } else {
            break;
        }
    }
    let position = cursor.position();
    let path = match path.or_else(|| options.remove("path")) {
        Some(path) => path,
        None => {
            let message = "Directory path and 'path' in OPTIONS should be specified one, but not both";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
        }
    };
    let format = format.unwrap_or_else(|| "text".to_string());
    let input = source(cursor)?;
    Ok(Command::InsertDirectory { path, local, format, options, input })
}

/// `DELETE FROM`, `UPDATE`, `MERGE INTO`: the target is kept, the rest is read for its syntax.
pub(super) fn row_level(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    let word = cursor.next().text.to_ascii_uppercase();
    match word.as_str() {
        "DELETE" => {
            cursor.expect_word("FROM")?;
            let table = name::multipart(cursor)?;
            table_alias(cursor)?;
            where_clause(cursor)?;
            Ok(Command::RowLevel { operation: RowLevelOperation::Delete, table })
        }
        "UPDATE" => {
            let table = name::multipart(cursor)?;
            table_alias(cursor)?;
            cursor.expect_word("SET")?;
            assignments(cursor)?;
            where_clause(cursor)?;
            Ok(Command::RowLevel { operation: RowLevelOperation::Update, table })
        }
        _ => merge(cursor),
    }
}

fn table_alias(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("AS") || cursor.is_name() && !cursor.any_word(&["WHERE", "SET", "USING", "ON"]) {
        name::identifier(cursor)?;
    }
    Ok(())
}

fn where_clause(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("WHERE") {
        expression(cursor)?;
    }
    Ok(())
}

fn assignments(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    cursor.list(|cursor| {
        name::multipart(cursor)?;
        cursor.expect("=")?;
        expression(cursor)
    })?;
    Ok(())
}

fn merge(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.eat_words(&["WITH", "SCHEMA", "EVOLUTION"]);
    cursor.expect_word("INTO")?;
    let table = name::multipart(cursor)?;
    table_alias(cursor)?;
    cursor.expect_word("USING")?;
    if cursor.eat("(") {
        query::query(cursor)?;
        cursor.expect(")")?;
    } else {
        name::multipart(cursor)?;
    }
    table_alias(cursor)?;
    cursor.expect_word("ON")?;
    expression(cursor)?;
    while cursor.eat_word("WHEN") {
        cursor.eat_word("NOT");
        cursor.expect_word("MATCHED")?;
        if cursor.eat_word("BY") && !cursor.eat_any(&["SOURCE", "TARGET"]) {
            return Err(cursor.unexpected());
        }
        if cursor.eat_word("AND") {
            expression(cursor)?;
        }
        cursor.expect_word("THEN")?;
        merge_action(cursor)?;
    }
    Ok(Command::RowLevel { operation: RowLevelOperation::Merge, table })
}

fn merge_action(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("DELETE") {
        return Ok(());
    }
    if cursor.eat_word("UPDATE") {
        cursor.expect_word("SET")?;
        return if cursor.eat("*") { Ok(()) } else { assignments(cursor) };
    }
    cursor.expect_word("INSERT")?;
    if cursor.eat("*") {
        return Ok(());
    }
    cursor.parenthesized(name::multipart)?;
    cursor.expect_word("VALUES")?;
    cursor.parenthesized(expression)?;
    Ok(())
}

/// `LOAD DATA`.
pub(super) fn load(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["LOAD", "DATA"])?;
    cursor.eat_word("LOCAL");
    cursor.expect_word("INPATH")?;
    let path = cursor.string()?;
    let overwrite = cursor.eat_word("OVERWRITE");
    cursor.expect_words(&["INTO", "TABLE"])?;
    let table = name::multipart(cursor)?;
    Ok(Command::LoadData { path, overwrite, table, partition: clause::optional_partition(cursor)? })
}

/// `TRUNCATE TABLE`.
pub(super) fn truncate(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["TRUNCATE", "TABLE"])?;
    let name = name::multipart(cursor)?;
    Ok(Command::TruncateTable { name, partition: clause::optional_partition(cursor)? })
}
