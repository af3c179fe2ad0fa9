//! `SHOW ...`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{clause, name};
use crate::spec::{Command, ObjectName, Show};

/// `SHOW ...`.
pub(in crate::sql) fn show(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("SHOW")?;
    question(cursor).map(Command::Show)
}

fn question(cursor: &mut Cursor<'_>) -> SparkResult<Show> {
    let word = cursor.peek().text.to_ascii_uppercase();
    match word.as_str() {
        "DATABASES" | "SCHEMAS" | "NAMESPACES" => {
            cursor.next();
            database(cursor)?;
            Ok(Show::Databases { pattern: pattern(cursor)? })
        }
        "TABLES" => {
            cursor.next();
            Ok(Show::Tables { database: database(cursor)?, pattern: pattern(cursor)? })
        }
        "TABLE" => {
            cursor.next();
            cursor.expect_word("EXTENDED")?;
            let database = database(cursor)?;
            cursor.expect_word("LIKE")?;
            let pattern = cursor.string()?;
            Ok(Show::TableExtended { database, pattern, partition: clause::optional_partition(cursor)? })
        }
        "VIEWS" => {
            cursor.next();
            Ok(Show::Views { database: database(cursor)?, pattern: pattern(cursor)? })
        }
        "COLUMNS" => {
            cursor.next();
            if !cursor.eat_any(&["FROM", "IN"]) {
                return Err(cursor.unexpected());
            }
            let table = name::multipart(cursor)?;
            Ok(Show::Columns { table, database: database(cursor)? })
        }
        "PARTITIONS" => {
            cursor.next();
            let table = name::multipart(cursor)?;
            Ok(Show::Partitions { table, partition: clause::optional_partition(cursor)? })
        }
        "TBLPROPERTIES" => {
            cursor.next();
            let table = name::multipart(cursor)?;
            let mut key = None;
            if cursor.eat("(") {
                key = Some(name::property_key(cursor)?);
                cursor.expect(")")?;
            }
            Ok(Show::TableProperties { table, key })
        }
        "CREATE" => {
            cursor.next();
            cursor.expect_word("TABLE")?;
            let table = name::multipart(cursor)?;
            Ok(Show::CreateTable { table, as_serde: cursor.eat_words(&["AS", "SERDE"]) })
        }
        "CATALOGS" => {
            cursor.next();
            Ok(Show::Catalogs { pattern: pattern(cursor)? })
        }
        "CURRENT" => {
            cursor.next();
            if cursor.eat_any(&["NAMESPACE", "DATABASE", "SCHEMA"]) {
                Ok(Show::CurrentNamespace)
            } else {
                Err(cursor.unexpected())
            }
        }
        _ => other(cursor, &word),
    }
}

fn other(cursor: &mut Cursor<'_>, word: &str) -> SparkResult<Show> {
    if word == "FUNCTIONS" || cursor.word_at(1, "FUNCTIONS") {
        let kind = if word == "FUNCTIONS" { None } else { Some(cursor.next().text.to_ascii_uppercase()) };
        cursor.next();
        let database = database(cursor)?;
        let like = cursor.word("LIKE");
        // `SHOW FUNCTIONS name` and `SHOW FUNCTIONS LIKE name` take a name for a pattern, too.
        if like && cursor.is_name_at(1) || cursor.is_name() && !like {
            cursor.eat_word("LIKE");
            let pattern = Some(name::multipart(cursor)?.join("."));
            return Ok(Show::Functions { kind, database, pattern });
        }
        return Ok(Show::Functions { kind, database, pattern: pattern(cursor)? });
    }
    if ["VARIABLES", "COLLATIONS", "PROCEDURES"].contains(&word) {
        cursor.next();
        database(cursor)?;
        return Ok(Show::Other { name: word.to_string(), pattern: pattern(cursor)? });
    }
    let hive = ["ROLES", "ROLE", "GRANT", "PRINCIPALS", "COMPACTIONS", "INDEXES", "INDEX", "LOCKS", "TRANSACTIONS"];
    if hive.contains(&word) {
        let position = cursor.position();
        cursor.take_rest();
        let message = format!("SHOW {word}");
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", &message)], position));
    }
    Err(cursor.unexpected())
}

fn database(cursor: &mut Cursor<'_>) -> SparkResult<Option<ObjectName>> {
    if cursor.eat_any(&["FROM", "IN"]) { name::multipart(cursor).map(Some) } else { Ok(None) }
}

fn pattern(cursor: &mut Cursor<'_>) -> SparkResult<Option<String>> {
    if cursor.eat_word("LIKE") || cursor.is_string() { cursor.string().map(Some) } else { Ok(None) }
}
