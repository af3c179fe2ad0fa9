//! `CREATE TABLE`, `REPLACE TABLE`, `CREATE TABLE LIKE`.

use firesteel_functions::{SparkError, SparkResult};

use super::super::cursor::Cursor;
use super::super::expr::{query_ahead, value};
use super::super::{clause, name, query, types};
use super::column;
use crate::spec::{Command, CreateTable, ObjectName, Options, PartitionField};

/// Which statement it is.
pub(super) struct Form {
    pub(super) or_replace: bool,
    pub(super) replace_only: bool,
    pub(super) temporary: bool,
    pub(super) external: bool,
}

/// From the word `TABLE` on.
pub(super) fn create(cursor: &mut Cursor<'_>, form: Form) -> SparkResult<Command> {
    let position = cursor.position();
    cursor.expect_word("TABLE")?;
    let if_not_exists = clause::if_not_exists(cursor);
    let name = name::multipart(cursor)?;
    if cursor.eat_word("LIKE") {
        return like(cursor, name, if_not_exists);
    }
    let mut table = empty(name, &form, if_not_exists);
    if cursor.is("(") && !query_ahead(cursor, 0) {
        table.columns = column::list(cursor)?;
    }
    clauses(cursor, &mut table)?;
    let explicit = cursor.eat_word("AS");
    if explicit || query_ahead(cursor, 0) && !cursor.at_end_of_statement() {
        table.query = Some(query::query(cursor)?);
    }
    if form.temporary {
        let message = "CREATE TEMPORARY TABLE ..., use CREATE TEMPORARY VIEW instead";
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
    }
    if table.query.is_some() && !table.columns.is_empty() {
        let message = "Schema may not be specified in a Create Table As Select (CTAS) statement";
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
    }
    Ok(Command::CreateTable(Box::new(table)))
}

fn empty(name: ObjectName, form: &Form, if_not_exists: bool) -> CreateTable {
    CreateTable {
        name,
        columns: vec![],
        format: None,
        options: Options::new(),
        partitioned_by: vec![],
        bucket_by: None,
        cluster_by: vec![],
        location: None,
        comment: None,
        properties: Options::new(),
        query: None,
        if_not_exists,
        or_replace: form.or_replace,
        replace_only: form.replace_only,
        external: form.external,
        temporary: form.temporary,
        hive_format: None,
    }
}

/// A clause written twice is an error.
fn once<T>(cursor: &Cursor<'_>, slot: &Option<T>, clause: &str) -> SparkResult<()> {
    if slot.is_some() { Err(duplicate(cursor, clause)) } else { Ok(()) }
}

fn duplicate(cursor: &Cursor<'_>, clause: &str) -> SparkError {
    cursor.error("DUPLICATE_CLAUSES", &[("clauseName", clause)], cursor.position())
}

fn clauses(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> SparkResult<()> {
    loop {
        if cursor.eat_word("USING") {
            once(cursor, &table.format, "USING")?;
            table.format = Some(name::multipart(cursor)?.join("."));
        } else if cursor.word("OPTIONS") && cursor.is_at(1, "(") {
            cursor.next();
            if !table.options.is_empty() {
                return Err(duplicate(cursor, "OPTIONS"));
            }
            table.options = clause::properties(cursor)?;
        } else if cursor.eat_words(&["PARTITIONED", "BY"]) {
            if !table.partitioned_by.is_empty() {
                return Err(duplicate(cursor, "PARTITIONED BY"));
            }
            table.partitioned_by = cursor.parenthesized(partition_field)?;
        } else if cursor.eat_words(&["CLUSTERED", "BY"]) {
            once(cursor, &table.bucket_by, "CLUSTERED BY")?;
            table.bucket_by = Some(buckets(cursor)?);
        } else if cursor.eat_words(&["CLUSTER", "BY"]) {
            table.cluster_by = cluster_by(cursor)?;
        } else if cursor.eat_word("LOCATION") {
            once(cursor, &table.location, "LOCATION")?;
            table.location = Some(cursor.string()?);
        } else if cursor.word("COMMENT") {
            once(cursor, &table.comment, "COMMENT")?;
            cursor.next();
            table.comment = Some(cursor.string()?);
        } else if cursor.eat_word("TBLPROPERTIES") {
            if !table.properties.is_empty() {
                return Err(duplicate(cursor, "TBLPROPERTIES"));
            }
            table.properties = clause::properties(cursor)?;
        } else if !hive(cursor, table)? {
            return Ok(());
        }
    }
}

/// `STORED AS`, `ROW FORMAT`, `SKEWED BY`, `DEFAULT COLLATION`; `false` when none is here.
fn hive(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> SparkResult<bool> {
    if cursor.eat_words(&["STORED", "AS"]) {
        if cursor.eat_word("INPUTFORMAT") {
            cursor.string()?;
            cursor.expect_word("OUTPUTFORMAT")?;
            cursor.string()?;
            table.hive_format = Some("INPUTFORMAT".to_string());
        } else {
            table.hive_format = Some(name::identifier(cursor)?);
        }
    } else if cursor.eat_words(&["STORED", "BY"]) {
        cursor.string()?;
        table.hive_format = Some("STORED BY".to_string());
    } else if cursor.eat_words(&["ROW", "FORMAT"]) {
        table.hive_format.get_or_insert_with(|| "ROW FORMAT".to_string());
        row_format(cursor)?;
    } else if cursor.eat_words(&["DEFAULT", "COLLATION"]) {
        let collation = types::named_collation(&name::multipart(cursor)?)?;
        if !collation.is_binary() && table.columns.is_empty() {
            return Err(SparkError::unsupported("DEFAULT COLLATION of a table made by a query"));
        }
        for column in &mut table.columns {
            if !column.data_type.is_collated() {
                column.data_type = column.data_type.with_collation(collation);
            }
        }
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn row_format(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    if cursor.eat_word("SERDE") {
        cursor.string()?;
        if cursor.eat_words(&["WITH", "SERDEPROPERTIES"]) {
            clause::properties(cursor)?;
        }
        return Ok(());
    }
    cursor.expect_word("DELIMITED")?;
    while cursor.any_word(&[
        "FIELDS",
        "COLLECTION",
        "MAP",
        "LINES",
        "NULL",
        "ESCAPED",
        "TERMINATED",
        "ITEMS",
        "KEYS",
        "DEFINED",
        "BY",
    ]) {
        cursor.next();
        if cursor.word("AS") {
            cursor.next();
        }
        if cursor.is_string() {
            cursor.string()?;
        }
    }
    Ok(())
}

fn partition_field(cursor: &mut Cursor<'_>) -> SparkResult<PartitionField> {
    if cursor.is_name() && matches!(cursor.peek_at(1).text, "," | ")") {
        return Ok(PartitionField::Name(name::identifier(cursor)?));
    }
    if cursor.is_name() && (cursor.is_at(1, "(") || cursor.is_at(1, ".")) {
        return Ok(PartitionField::Transform(value(cursor)?));
    }
    Ok(PartitionField::Column(column::definition(cursor)?.column))
}

/// `(a) [SORTED BY (b)] INTO n BUCKETS`.
pub(super) fn buckets(cursor: &mut Cursor<'_>) -> SparkResult<(u32, Vec<String>, Vec<String>)> {
    let columns = name::identifier_list(cursor)?;
    let mut sorted = vec![];
    if cursor.eat_words(&["SORTED", "BY"]) {
        let position = cursor.position();
        sorted = cursor.parenthesized(|cursor| {
            let column = name::identifier(cursor)?;
            if cursor.eat_word("DESC") {
                let message = "Column ordering must be ASC, was 'DESC'";
                return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], position));
            }
            cursor.eat_word("ASC");
            Ok(column)
        })?;
    }
    cursor.expect_word("INTO")?;
    let count = cursor.integer()?;
    cursor.expect_word("BUCKETS")?;
    let count = u32::try_from(count).map_err(|_| cursor.unexpected())?;
    Ok((count, columns, sorted))
}

/// `(a, b.c)` or `NONE`.
pub(super) fn cluster_by(cursor: &mut Cursor<'_>) -> SparkResult<Vec<String>> {
    if cursor.eat_word("NONE") {
        return Ok(vec![]);
    }
    cursor.parenthesized(|cursor| Ok(name::multipart(cursor)?.join(".")))
}

fn like(cursor: &mut Cursor<'_>, name: ObjectName, if_not_exists: bool) -> SparkResult<Command> {
    let source = name::multipart(cursor)?;
    let (mut format, mut location, mut properties) = (None, None, Options::new());
    loop {
        if cursor.eat_word("USING") {
            once(cursor, &format, "USING")?;
            format = Some(name::multipart(cursor)?.join("."));
        } else if cursor.eat_word("LOCATION") {
            once(cursor, &location, "LOCATION")?;
            location = Some(cursor.string()?);
        } else if cursor.eat_word("TBLPROPERTIES") {
            properties = clause::properties(cursor)?;
        } else if cursor.eat_words(&["STORED", "AS"]) {
            format = Some(name::identifier(cursor)?);
        } else {
            return Ok(Command::CreateTableLike { name, source, if_not_exists, format, location, properties });
        }
    }
}
