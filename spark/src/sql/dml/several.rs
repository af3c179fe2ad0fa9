//! `FROM ... INSERT ... SELECT ... INSERT ... SELECT ...`: one source, several targets.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::{from, query};
use super::{Target, target};
use crate::spec::{Command, Cte, RelationKind};

/// The statement, or `None` when what begins with `FROM` here is a query.
pub(in crate::sql) fn several(cursor: &mut Cursor<'_>, with: Option<(bool, &[Cte])>) -> SparkResult<Option<Command>> {
    let start = cursor.position();
    let mark = cursor.mark();
    let source = from::clause(cursor)?;
    if !cursor.word("INSERT") {
        cursor.rewind(start);
        return Ok(None);
    }
    let size = cursor.size_since(mark);
    let mut inserts = Vec::new();
    while cursor.word("INSERT") {
        cursor.copy(size)?;
        let Target::Table(mut insert) = target(cursor)? else {
            cursor.take_rest();
            return Ok(Some(Command::Unsupported("INSERT of several targets with options or a directory".to_string())));
        };
        insert.input = query::select_from(cursor, source.clone(), start)?;
        if let Some((recursive, ctes)) = with {
            let input = std::mem::replace(&mut insert.input, RelationKind::OneRow.into());
            insert.input = RelationKind::With { ctes: ctes.to_vec(), recursive, input }.into();
        }
        inserts.push(*insert);
    }
    Ok(Some(Command::InsertSeveral(inserts)))
}
