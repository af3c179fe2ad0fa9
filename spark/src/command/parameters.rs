//! Values in place of the parameter markers of a statement's text, before it is parsed.
//!
//! So a marker may stand wherever a literal may, as in Spark. A query keeps its markers, which are resolved where they
//! stand; here are the statements that are not queries.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::literal_text;
use crate::session::Session;
use crate::spec::{Command, Plan, Relation, RelationKind};
use crate::sql::{Marker, parameter_markers};

/// The command that `spark.sql(text, args)` is, with its values; `None` for a query and for text without values.
///
/// # Errors
/// `UNBOUND_SQL_PARAMETER` for a marker without a value, and what is wrong with the text.
pub(crate) async fn command(session: &Arc<Session>, relation: &Relation) -> SparkResult<Option<Command>> {
    let RelationKind::Sql { text, named, positional } = relation.kind.as_ref() else { return Ok(None) };
    if named.is_empty() && positional.is_empty() || matches!(session.parse(text), Ok(Plan::Query(_))) {
        return Ok(None);
    }
    let mut texts = Vec::with_capacity(named.len() + positional.len());
    for expr in named.iter().map(|(_, expr)| expr).chain(positional) {
        texts.push(literal_text::render(session, expr).await?);
    }
    let (of_names, of_places) = texts.split_at(named.len());
    let bound = put(text, |index, marker| match marker {
        Marker::Positional(_) => of_places.get(index),
        Marker::Named(name) => of_names.get(named.iter().position(|(known, _)| known == name)?),
    })?;
    Ok(match session.parse(&bound)? {
        Plan::Command(command) => Some(*command),
        Plan::Query(_) => None,
    })
}

/// The text with values in place of its markers, which are told by their number and by what they are.
///
/// # Errors
/// `UNBOUND_SQL_PARAMETER` for a marker without a value.
pub(super) fn put<'a>(sql: &str, value: impl Fn(usize, &Marker) -> Option<&'a String>) -> SparkResult<String> {
    let mut made = String::with_capacity(sql.len());
    let mut from = 0;
    for (index, (range, marker)) in parameter_markers(sql)?.iter().enumerate() {
        let Some(text) = value(index, marker) else {
            let name = match marker {
                Marker::Positional(at) => format!("_{at}"),
                Marker::Named(name) => name.clone(),
            };
            return Err(SparkError::analysis("UNBOUND_SQL_PARAMETER", &[("name", &name)]));
        };
        made.push_str(sql.get(from..range.start).unwrap_or_default());
        made.push_str(text);
        from = range.end;
    }
    made.push_str(sql.get(from..).unwrap_or_default());
    Ok(made)
}
