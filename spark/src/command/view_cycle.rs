//! A view must not stand on itself, directly or through other views.

use std::collections::BTreeSet;
use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::analyze::{NameRef, collect_names};
use crate::catalog::{GLOBAL_TEMP, TableName};
use crate::session::{Found, Session, TempBody};
use crate::spec::{Plan, Relation};

/// Refuses a query that reaches the view `target` (a quoted name) with names looked up in `database`.
///
/// # Errors
/// `RECURSIVE_VIEW`.
pub(super) async fn refuse(session: &Arc<Session>, query: &Relation, database: &str, target: &str) -> SparkResult<()> {
    let mut seen = BTreeSet::new();
    walk(session, query.clone(), database.to_string(), target, vec![target.to_string()], &mut seen).await
}

fn walk<'a>(
    session: &'a Arc<Session>,
    query: Relation,
    database: String,
    target: &'a str,
    path: Vec<String>,
    seen: &'a mut BTreeSet<String>,
) -> BoxFuture<'a, SparkResult<()>> {
    async move {
        for found in collect_names(&query) {
            let NameRef::Table { name, .. } = found else { continue };
            let Ok(Some(found)) = session.find(&name, Some(&database)).await else { continue };
            let (shown, inner) = match found {
                Found::Temp(view) => {
                    let parts =
                        if view.global { vec![GLOBAL_TEMP, view.name.as_str()] } else { vec![view.name.as_str()] };
                    let inner = match &view.body {
                        TempBody::Query { query, database, .. } => Some((query.clone(), database.clone())),
                        TempBody::Plan(_) => None,
                    };
                    (quote_identifier(&parts), inner)
                }
                Found::Stored(relation) => {
                    let shown = TableName::new(&relation.database, &relation.name).quoted();
                    let inner = relation.view.as_ref().and_then(|view| match session.parse(&view.text) {
                        Ok(Plan::Query(query)) => Some((query, view.database.clone())),
                        _ => None,
                    });
                    (shown, inner)
                }
            };
            let mut path = path.clone();
            path.push(shown.clone());
            if shown == target {
                let cycle = path.join(" -> ");
                return Err(SparkError::analysis("RECURSIVE_VIEW", &[("viewIdent", target), ("newPath", &cycle)]));
            }
            if let Some((query, database)) = inner
                && seen.insert(shown)
            {
                walk(session, query, database, target, path, seen).await?;
            }
        }
        Ok(())
    }
    .boxed()
}
