//! Which statement a text is.

use firesteel_functions::SparkResult;

use super::cursor::Cursor;
use super::lexer::Kind;
use super::{ddl, dml, query, script, utility};
use crate::spec::{Command, Plan, Relation, RelationKind};

/// One statement.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> SparkResult<Plan> {
    cursor.nested(|cursor| {
        if is_query(cursor) {
            return query_or_write(cursor);
        }
        match command(cursor)? {
            Some(command) => Ok(Plan::Command(Box::new(command))),
            None => Err(cursor.unexpected()),
        }
    })
}

fn is_query(cursor: &Cursor<'_>) -> bool {
    cursor.is("(")
        || cursor.any_word(&["SELECT", "FROM", "VALUES", "TABLE", "WITH", "MAP", "REDUCE"])
            && !matches!(cursor.peek_at(1).kind, Kind::End)
}

/// `WITH ... INSERT` and `FROM ... INSERT` are the commands that begin like a query.
fn query_or_write(cursor: &mut Cursor<'_>) -> SparkResult<Plan> {
    if cursor.word("WITH") {
        let position = cursor.position();
        let (recursive, ctes) = query::with(cursor)?;
        if cursor.word("INSERT") {
            let mut command = dml::insert(cursor)?;
            if let Command::Insert(insert) = &mut command {
                wrap(&mut insert.input, recursive, ctes);
            } else if let Command::InsertDirectory { input, .. } = &mut command {
                wrap(input, recursive, ctes);
            }
            return Ok(Plan::Command(Box::new(command)));
        }
        if cursor.any_word(&["DELETE", "UPDATE", "MERGE"]) {
            return dml::row_level(cursor).map(|command| Plan::Command(Box::new(command)));
        }
        if cursor.word("FROM")
            && let Some(command) = dml::several(cursor, Some((recursive, &ctes)))?
        {
            return Ok(Plan::Command(Box::new(command)));
        }
        return query::after_with(cursor, recursive, ctes, position).map(Plan::Query);
    }
    if cursor.word("FROM")
        && let Some(command) = dml::several(cursor, None)?
    {
        return Ok(Plan::Command(Box::new(command)));
    }
    query::query(cursor).map(Plan::Query)
}

fn wrap(input: &mut Relation, recursive: bool, ctes: Vec<crate::spec::Cte>) {
    let inner = std::mem::replace(input, RelationKind::OneRow.into());
    *input = RelationKind::With { ctes, recursive, input: inner }.into();
}

fn command(cursor: &mut Cursor<'_>) -> SparkResult<Option<Command>> {
    if cursor.peek().kind != Kind::Word {
        return Ok(None);
    }
    let word = cursor.peek().text.to_ascii_uppercase();
    let command = match word.as_str() {
        "CREATE" | "REPLACE" => ddl::create(cursor)?,
        "DROP" => ddl::drop(cursor)?,
        "ALTER" => ddl::alter(cursor)?,
        "COMMENT" => ddl::comment_on(cursor)?,
        "MSCK" | "REPAIR" => ddl::repair(cursor)?,
        "INSERT" => dml::insert(cursor)?,
        "DELETE" | "UPDATE" | "MERGE" => dml::row_level(cursor)?,
        "LOAD" => dml::load(cursor)?,
        "TRUNCATE" => dml::truncate(cursor)?,
        "SHOW" => utility::show(cursor)?,
        "DESC" | "DESCRIBE" => utility::describe(cursor)?,
        "EXPLAIN" => utility::explain(cursor)?,
        "SET" => utility::set(cursor)?,
        "RESET" => utility::reset(cursor),
        "USE" => utility::use_namespace(cursor)?,
        "DECLARE" => utility::declare(cursor)?,
        "EXECUTE" => utility::execute_immediate(cursor)?,
        "CACHE" => utility::cache(cursor)?,
        "UNCACHE" => utility::uncache(cursor)?,
        "CLEAR" => utility::clear_cache(cursor)?,
        "REFRESH" => utility::refresh(cursor)?,
        "ANALYZE" => utility::analyze(cursor)?,
        "ADD" | "LIST" => utility::resource(cursor)?,
        "BEGIN" => script::script(cursor)?,
        "CALL" => utility::unsupported(cursor, "CALL"),
        "GRANT" | "REVOKE" | "EXPORT" | "IMPORT" | "LOCK" | "UNLOCK" | "START" | "COMMIT" | "ROLLBACK" => {
            utility::not_allowed(cursor)?
        }
        "DFS" => utility::not_allowed(cursor)?,
        _ => return Ok(None),
    };
    Ok(Some(command))
}
