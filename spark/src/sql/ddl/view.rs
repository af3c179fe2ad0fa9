//! `CREATE VIEW` and temporary views over a data source.

use firesteel_functions::SparkResult;
use firesteel_functions::types::{StructField, StructType};

use super::super::cursor::Cursor;
use super::super::{clause, name, query};
use super::column;
use crate::spec::{ColumnDefinition, Command, CreateView, Options};

/// From the word `VIEW` on.
pub(super) fn create(cursor: &mut Cursor<'_>, replace: bool, temporary: bool, global: bool) -> SparkResult<Command> {
    let position = cursor.position();
    cursor.expect_word("VIEW")?;
    let if_not_exists = clause::if_not_exists(cursor);
    let name = name::multipart(cursor)?;
    let typed = cursor.is("(") && typed_columns(cursor);
    if temporary && (cursor.word("USING") || typed) {
        let schema = if cursor.is("(") { Some(schema(column::list(cursor)?)) } else { None };
        cursor.expect_word("USING")?;
        let format = name::multipart(cursor)?.join(".");
        let options = if cursor.eat_word("OPTIONS") { clause::properties(cursor)? } else { Options::new() };
        return Ok(Command::CreateTempViewUsing { name, schema, replace, global, format, options });
    }
    let mut view = CreateView {
        name,
        columns: if cursor.is("(") { cursor.parenthesized(view_column)? } else { vec![] },
        query: crate::spec::RelationKind::OneRow.into(),
        text: String::new(),
        replace,
        if_not_exists,
        temporary,
        global,
        comment: None,
        properties: Options::new(),
        schema_binding: None,
    };
    clauses(cursor, &mut view)?;
    cursor.expect_word("AS")?;
    let byte = cursor.byte();
    view.query = query::query(cursor)?;
    view.text = cursor.text_from(byte).to_string();
    if temporary && if_not_exists {
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0053", &[], position));
    }
    Ok(Command::CreateView(Box::new(view)))
}

fn clauses(cursor: &mut Cursor<'_>, view: &mut CreateView) -> SparkResult<()> {
    loop {
        if let Some(comment) = clause::comment(cursor)? {
            view.comment = Some(comment);
        } else if cursor.eat_word("TBLPROPERTIES") {
            view.properties = clause::properties(cursor)?;
        } else if cursor.eat_words(&["WITH", "SCHEMA"]) {
            view.schema_binding = Some(binding(cursor)?);
        } else if cursor.eat_words(&["DEFAULT", "COLLATION"]) {
            let collation = name::multipart(cursor)?.join(".");
            if !collation.eq_ignore_ascii_case("UTF8_BINARY") {
                return Err(cursor.error("UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS", &[], cursor.position()));
            }
        } else if cursor.words(&["PARTITIONED", "ON"]) {
            let message = "CREATE VIEW ... PARTITIONED ON";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], cursor.position()));
        } else {
            return Ok(());
        }
    }
}

/// `BINDING`, `COMPENSATION`, `EVOLUTION` or `TYPE EVOLUTION`.
pub(super) fn binding(cursor: &mut Cursor<'_>) -> SparkResult<String> {
    if cursor.eat_words(&["TYPE", "EVOLUTION"]) {
        return Ok("TYPE EVOLUTION".to_string());
    }
    if !cursor.any_word(&["BINDING", "COMPENSATION", "EVOLUTION"]) {
        return Err(cursor.unexpected());
    }
    Ok(cursor.next().text.to_ascii_uppercase())
}

fn typed_columns(cursor: &Cursor<'_>) -> bool {
    cursor.is_name_at(1) && !matches!(cursor.peek_at(2).text, "," | ")") && !cursor.word_at(2, "COMMENT")
}

fn view_column(cursor: &mut Cursor<'_>) -> SparkResult<(String, Option<String>)> {
    let name = name::identifier(cursor)?;
    Ok((name, clause::comment(cursor)?))
}

fn schema(columns: Vec<ColumnDefinition>) -> StructType {
    let field = |column: ColumnDefinition| {
        let mut field = StructField::new(column.name, column.data_type, column.nullable);
        field.metadata = column.comment.map(|comment| serde_json::json!({ "comment": comment }).to_string());
        field
    };
    StructType::new(columns.into_iter().map(field).collect())
}
