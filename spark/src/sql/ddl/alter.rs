//! `ALTER TABLE` and `ALTER VIEW`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{clause, name, query, types, utility};
use super::{column, namespace, table, view};
use crate::spec::{AlterTable, ColumnDefinition, ColumnPosition, Command, ObjectName};

/// `ALTER ...`.
pub(in crate::sql) fn alter(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("ALTER")?;
    if cursor.any_word(&["DATABASE", "SCHEMA", "NAMESPACE"]) {
        return namespace::alter(cursor);
    }
    let is_view = cursor.word("VIEW");
    if !is_view && !cursor.word("TABLE") {
        let feature = format!("ALTER {}", cursor.peek().text.to_ascii_uppercase());
        return if cursor.any_word(&["INDEX", "ROLE"]) {
            Ok(utility::unsupported(cursor, &feature))
        } else {
            Err(cursor.unexpected())
        };
    }
    cursor.next();
    let position = cursor.position();
    let name = name::multipart(cursor)?;
    let action = action(cursor, is_view, position)?;
    Ok(Command::AlterTable { name, view: is_view, action })
}

fn action(cursor: &mut Cursor<'_>, is_view: bool, position: usize) -> SparkResult<AlterTable> {
    let partition = clause::optional_partition(cursor)?;
    if !partition.is_empty() {
        if cursor.eat_words(&["RENAME", "TO"]) {
            return Ok(AlterTable::RenamePartition { from: partition, to: clause::partition(cursor)? });
        }
        if cursor.eat_words(&["SET", "LOCATION"]) {
            return Ok(AlterTable::SetLocation { location: cursor.string()?, partition });
        }
        if cursor.any_word(&["CHANGE", "SET"]) {
            cursor.take_rest();
            return Ok(AlterTable::Other("ALTER TABLE PARTITION".to_string()));
        }
        return Err(cursor.unexpected());
    }
    let word = cursor.peek().text.to_ascii_uppercase();
    match word.as_str() {
        "RENAME" => rename(cursor),
        "ADD" => add(cursor),
        "DROP" => drop(cursor),
        "ALTER" | "CHANGE" => change(cursor, position),
        "REPLACE" => {
            cursor.next();
            columns_word(cursor)?;
            let columns = if cursor.is("(") { column::list(cursor)? } else { cursor.list(one_column)? };
            Ok(AlterTable::ReplaceColumns(columns))
        }
        "SET" => set(cursor),
        "UNSET" => {
            cursor.next();
            cursor.expect_word("TBLPROPERTIES")?;
            let if_exists = clause::if_exists(cursor);
            Ok(AlterTable::UnsetProperties { keys: clause::property_keys(cursor)?, if_exists })
        }
        "RECOVER" => {
            cursor.next();
            cursor.expect_word("PARTITIONS")?;
            Ok(AlterTable::RecoverPartitions)
        }
        "CLUSTER" => {
            cursor.next();
            cursor.expect_word("BY")?;
            Ok(AlterTable::ClusterBy(table::cluster_by(cursor)?))
        }
        "WITH" if is_view => {
            cursor.next();
            cursor.expect_word("SCHEMA")?;
            Ok(AlterTable::SchemaMode(view::binding(cursor)?))
        }
        "DEFAULT" => {
            cursor.next();
            cursor.expect_word("COLLATION")?;
            name::multipart(cursor)?;
            Ok(AlterTable::Other("DEFAULT COLLATION".to_string()))
        }
        _ if is_view => {
            cursor.eat_word("AS");
            let byte = cursor.byte();
            let query = query::query(cursor)?;
            Ok(AlterTable::SetQuery { query, text: cursor.text_from(byte).to_string() })
        }
        "CLUSTERED" | "NOT" | "SKEWED" | "EXCHANGE" | "ARCHIVE" | "UNARCHIVE" | "TOUCH" | "COMPACT" | "CONCATENATE" => {
            let text = cursor.take_rest().to_ascii_uppercase();
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            let message = format!("ALTER TABLE {}", words.join(" "));
            Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", &message)], position))
        }
        _ => Err(cursor.unexpected()),
    }
}

fn columns_word(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_any(&["COLUMN", "COLUMNS"]) { Ok(()) } else { Err(cursor.unexpected()) }
}

fn one_column(cursor: &mut Cursor<'_>) -> SparkResult<ColumnDefinition> {
    Ok(column::definition(cursor)?.column)
}

fn rename(cursor: &mut Cursor<'_>) -> SparkResult<AlterTable> {
    cursor.next();
    if cursor.eat_word("TO") {
        return Ok(AlterTable::Rename(name::multipart(cursor)?));
    }
    cursor.expect_word("COLUMN")?;
    let from = name::multipart(cursor)?;
    cursor.expect_word("TO")?;
    Ok(AlterTable::RenameColumn { from, to: name::identifier(cursor)? })
}

fn add(cursor: &mut Cursor<'_>) -> SparkResult<AlterTable> {
    cursor.next();
    let if_not_exists = clause::if_not_exists(cursor);
    if cursor.word("PARTITION") {
        let mut partitions = vec![];
        while cursor.word("PARTITION") {
            let spec = clause::partition(cursor)?;
            let location = if cursor.eat_word("LOCATION") { Some(cursor.string()?) } else { None };
            partitions.push((spec, location));
        }
        return Ok(AlterTable::AddPartitions { partitions, if_not_exists });
    }
    if cursor.any_word(&["CONSTRAINT", "CHECK", "PRIMARY", "UNIQUE", "FOREIGN"]) {
        column::constraint(cursor)?;
        return Ok(AlterTable::Other("ADD CONSTRAINT".to_string()));
    }
    columns_word(cursor)?;
    let parenthesized = cursor.eat("(");
    let columns = cursor.list(added_column)?;
    if parenthesized {
        cursor.expect(")")?;
    }
    Ok(AlterTable::AddColumns(columns))
}

fn added_column(cursor: &mut Cursor<'_>) -> SparkResult<(ColumnDefinition, Option<ColumnPosition>)> {
    let name = if cursor.is_at(1, ".") { Some(name::multipart(cursor)?.join(".")) } else { None };
    let mut column = match name {
        // A nested field: `s.f INT`.
        Some(name) => ColumnDefinition {
            name,
            data_type: types::data_type(cursor)?,
            nullable: !cursor.eat_words(&["NOT", "NULL"]),
            comment: clause::comment(cursor)?,
            default: None,
            generated: None,
        },
        None => one_column(cursor)?,
    };
    let place = column::column_position(cursor)?;
    if column.comment.is_none() {
        column.comment = clause::comment(cursor)?;
    }
    Ok((column, place))
}

fn drop(cursor: &mut Cursor<'_>) -> SparkResult<AlterTable> {
    cursor.next();
    if cursor.eat_word("CONSTRAINT") {
        clause::if_exists(cursor);
        name::identifier(cursor)?;
        cursor.eat_any(&["RESTRICT", "CASCADE"]);
        return Ok(AlterTable::Other("DROP CONSTRAINT".to_string()));
    }
    if cursor.word("PARTITION") || cursor.words(&["IF", "EXISTS", "PARTITION"]) {
        let if_exists = clause::if_exists(cursor);
        let partitions = cursor.list(clause::partition)?;
        return Ok(AlterTable::DropPartitions { partitions, if_exists, purge: cursor.eat_word("PURGE") });
    }
    columns_word(cursor)?;
    let if_exists = clause::if_exists(cursor);
    let columns: Vec<ObjectName> =
        if cursor.is("(") { cursor.parenthesized(name::multipart)? } else { cursor.list(name::multipart)? };
    Ok(AlterTable::DropColumns { columns, if_exists })
}

fn set(cursor: &mut Cursor<'_>) -> SparkResult<AlterTable> {
    cursor.next();
    if cursor.eat_word("TBLPROPERTIES") {
        return Ok(AlterTable::SetProperties(clause::properties(cursor)?));
    }
    if cursor.eat_word("LOCATION") {
        return Ok(AlterTable::SetLocation { location: cursor.string()?, partition: vec![] });
    }
    if cursor.eat_word("SERDEPROPERTIES") {
        return Ok(AlterTable::SetSerdeProperties(clause::properties(cursor)?));
    }
    if cursor.word("SERDE") {
        cursor.take_rest();
        return Ok(AlterTable::SetSerde);
    }
    Err(cursor.unexpected())
}

/// A comment on one column.
pub(super) fn comment_column(column: String, comment: String) -> AlterTable {
    AlterTable::AlterColumn {
        column: vec![column],
        new_name: None,
        data_type: None,
        comment: Some(comment),
        nullable: None,
        position: None,
        default: None,
    }
}

/// `ALTER|CHANGE [COLUMN] c ...`; the Hive form repeats or renames the column and gives its type.
fn change(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<AlterTable> {
    cursor.next();
    cursor.eat_word("COLUMN");
    let column = name::multipart(cursor)?;
    let (mut new_name, mut data_type, mut comment, mut nullable, mut place, mut default) =
        (None, None, None, None, None, None);
    let hive = cursor.is_name() && !cursor.any_word(&["TYPE", "SET", "DROP", "COMMENT", "FIRST", "AFTER"]);
    if hive {
        let parsed = column::definition(cursor)?;
        new_name = Some(parsed.column.name).filter(|name| Some(name) != column.last());
        data_type = Some(parsed.column.data_type);
        comment = parsed.column.comment;
        place = column::column_position(cursor)?;
    } else if cursor.eat_word("TYPE") {
        data_type = Some(types::data_type(cursor)?);
    } else if cursor.eat_words(&["SET", "NOT", "NULL"]) {
        nullable = Some(false);
    } else if cursor.eat_words(&["DROP", "NOT", "NULL"]) {
        nullable = Some(true);
    } else if cursor.eat_words(&["SET", "DEFAULT"]) {
        default = Some(Some(column::expression_text(cursor)?));
    } else if cursor.eat_words(&["DROP", "DEFAULT"]) {
        default = Some(None);
    } else if cursor.eat_word("COMMENT") {
        comment = Some(cursor.string()?);
    } else {
        place = column::column_position(cursor)?;
        if place.is_none() {
            let message = "ALTER TABLE table CHANGE COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
        }
    }
    if cursor.is(",") {
        cursor.take_rest();
        return Ok(AlterTable::Other("ALTER COLUMN of several columns".to_string()));
    }
    Ok(AlterTable::AlterColumn { column, new_name, data_type, comment, nullable, position: place, default })
}
