//! `CREATE DATABASE` and `ALTER DATABASE`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{clause, name};
use crate::spec::{Command, Options};

/// `CREATE DATABASE|SCHEMA|NAMESPACE`, from that word on.
pub(super) fn create(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.next();
    let if_not_exists = clause::if_not_exists(cursor);
    let name = name::multipart(cursor)?;
    let (mut comment, mut location, mut properties) = (None, None, Options::new());
    loop {
        if let Some(text) = clause::comment(cursor)? {
            comment = Some(text);
        } else if cursor.eat_word("LOCATION") {
            location = Some(cursor.string()?);
        } else if cursor.eat_word("WITH") {
            if !cursor.eat_any(&["DBPROPERTIES", "PROPERTIES"]) {
                return Err(cursor.unexpected());
            }
            properties = clause::properties(cursor)?;
        } else if !collation(cursor)? {
            return Ok(Command::CreateDatabase { name, if_not_exists, comment, location, properties });
        }
    }
}

/// `ALTER DATABASE|SCHEMA|NAMESPACE`, from that word on.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.next();
    let name = name::multipart(cursor)?;
    if collation(cursor)? {
        return Ok(Command::AlterDatabase { name, properties: Options::new(), location: None });
    }
    if cursor.eat_word("UNSET") {
        let feature = "ALTER DATABASE UNSET PROPERTIES";
        return Ok(super::utility::unsupported(cursor, feature));
    }
    cursor.expect_word("SET")?;
    if cursor.eat_word("LOCATION") {
        return Ok(Command::AlterDatabase { name, properties: Options::new(), location: Some(cursor.string()?) });
    }
    if !cursor.eat_any(&["DBPROPERTIES", "PROPERTIES"]) {
        return Err(cursor.unexpected());
    }
    Ok(Command::AlterDatabase { name, properties: clause::properties(cursor)?, location: None })
}

/// `DEFAULT COLLATION`, which databases do not have.
fn collation(cursor: &mut Cursor<'_>) -> SparkResult<bool> {
    if !cursor.eat_words(&["DEFAULT", "COLLATION"]) {
        return Ok(false);
    }
    let position = cursor.position();
    name::multipart(cursor)?;
    Err(cursor.error("UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS", &[], position))
}
