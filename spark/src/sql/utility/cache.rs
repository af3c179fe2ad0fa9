//! `CACHE`, `UNCACHE`, `CLEAR CACHE`, `REFRESH`, `ANALYZE`, `ADD`, `LIST`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{clause, name, query};
use crate::spec::{Command, Options};

/// `CACHE [LAZY] TABLE t [OPTIONS (..)] [[AS] query]`.
pub(in crate::sql) fn cache(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("CACHE")?;
    let lazy = cursor.eat_word("LAZY");
    cursor.expect_word("TABLE")?;
    let name = name::multipart(cursor)?;
    let options = if cursor.eat_word("OPTIONS") { clause::properties(cursor)? } else { Options::new() };
    let query = if cursor.eat_word("AS") || !cursor.at_end_of_statement() { Some(query::query(cursor)?) } else { None };
    Ok(Command::CacheTable { name, query, lazy, options })
}

/// `UNCACHE TABLE`.
pub(in crate::sql) fn uncache(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["UNCACHE", "TABLE"])?;
    let if_exists = clause::if_exists(cursor);
    Ok(Command::UncacheTable { name: name::multipart(cursor)?, if_exists })
}

/// `CLEAR CACHE`.
pub(in crate::sql) fn clear_cache(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_words(&["CLEAR", "CACHE"])?;
    Ok(Command::ClearCache)
}

/// `REFRESH [TABLE] t`, `REFRESH FUNCTION f`, `REFRESH path`.
pub(in crate::sql) fn refresh(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("REFRESH")?;
    let (mut table, mut path, mut function) = (None, None, None);
    if cursor.eat_word("TABLE") {
        table = Some(name::multipart(cursor)?);
    } else if cursor.eat_word("FUNCTION") {
        function = Some(name::multipart(cursor)?);
    } else if cursor.is_string() {
        path = Some(cursor.string()?);
    } else if cursor.at_end_of_statement() {
        return Err(cursor.unexpected());
    } else {
        let text = cursor.take_rest();
        path = Some(text.trim_matches('`').to_string());
    }
    Ok(Command::Refresh { table, path, function })
}

/// `ANALYZE TABLE t ...`, `ANALYZE TABLES [IN d] ...`.
pub(in crate::sql) fn analyze(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("ANALYZE")?;
    if cursor.eat_word("TABLES") {
        let database = if cursor.eat_any(&["IN", "FROM"]) { Some(name::multipart(cursor)?) } else { None };
        cursor.expect_words(&["COMPUTE", "STATISTICS"])?;
        let no_scan = cursor.eat_word("NOSCAN");
        return Ok(Command::Analyze { table: None, database, partition: vec![], no_scan, columns: None });
    }
    cursor.expect_word("TABLE")?;
    let table = Some(name::multipart(cursor)?);
    let partition = clause::optional_partition(cursor)?;
    cursor.expect_words(&["COMPUTE", "STATISTICS"])?;
    let no_scan = cursor.eat_word("NOSCAN");
    let columns = if cursor.eat_words(&["FOR", "ALL", "COLUMNS"]) {
        Some(vec![])
    } else if cursor.eat_words(&["FOR", "COLUMNS"]) {
        Some(cursor.list(name::identifier)?)
    } else {
        None
    };
    Ok(Command::Analyze { table, database: None, partition, no_scan, columns })
}

/// `ADD JAR|FILE|ARCHIVE paths`, `LIST JARS|FILES|ARCHIVES [paths]`; paths are free text.
pub(in crate::sql) fn resource(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    let action = cursor.next().text.to_ascii_uppercase();
    let kind = cursor.peek().text.to_ascii_uppercase();
    let singular = kind.strip_suffix('S').unwrap_or(&kind).to_string();
    if !["JAR", "FILE", "ARCHIVE"].contains(&singular.as_str()) {
        return Err(cursor.unexpected());
    }
    cursor.next();
    let mut paths = vec![];
    while cursor.is_string() {
        paths.push(cursor.string()?);
    }
    let rest = cursor.take_rest();
    paths.extend(rest.split_whitespace().map(|path| path.trim_matches('`').to_string()));
    Ok(Command::Resource { action, kind: singular, paths })
}
