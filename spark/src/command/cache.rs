//! `CACHE TABLE` and its kin, `ANALYZE`, `REFRESH`, and results kept by `checkpoint`.
//!
//! Marking a table as cached changes no plan: rows are read anew, and answers do not differ.

use std::sync::Arc;

use datafusion::datasource::{MemTable, ViewTable};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::{Rows, text};
use crate::catalog::TableName;
use crate::session::{Found, Kept, Session, TempBody, TempView};
use crate::source::failure;
use crate::spec::{ObjectName, Options, Relation};

fn key(found: &Found) -> String {
    match found {
        Found::Temp(view) if view.global => format!("global_temp.{}", view.name),
        Found::Temp(view) => view.name.clone(),
        Found::Stored(relation) => TableName::new(&relation.database, &relation.name).plain(),
    }
}

/// `CACHE TABLE`.
pub(super) async fn table(session: &Arc<Session>, name: &[String], query: Option<Relation>) -> SparkResult<Rows> {
    if let Some(query) = query {
        let [name] = name else {
            let name = quote_identifier(name);
            return Err(SparkError::unsupported(format!("CACHE TABLE {name} AS with a qualified name")));
        };
        if session.temp_view(std::slice::from_ref(name)).is_some() {
            return Err(SparkError::analysis(
                "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                &[("relationName", &quote_identifier(&[name]))],
            ));
        }
        let analyzed = session.analyze(&query).await?;
        let view = TempView {
            name: name.to_lowercase(),
            global: false,
            schema: analyzed.schema,
            body: TempBody::Plan(Arc::new(ViewTable::new(analyzed.plan, None))),
            text: None,
            comment: None,
            properties: Options::new(),
        };
        session.state().write().views.insert(name.to_lowercase(), Arc::new(view));
    }
    let found = session.require(name).await?;
    session.state().write().cached.insert(key(&found));
    Ok(Rows::none())
}

/// `UNCACHE TABLE`.
pub(super) async fn uncache(session: &Arc<Session>, name: &[String], if_exists: bool) -> SparkResult<Rows> {
    match session.find(name, None).await? {
        Some(found) => {
            session.state().write().cached.remove(&key(&found));
            Ok(Rows::none())
        }
        None if if_exists => Ok(Rows::none()),
        None => Err(session.unknown(name)),
    }
}

/// Whether a table is marked as cached.
pub(super) async fn is_cached(session: &Arc<Session>, name: &[String]) -> SparkResult<bool> {
    let found = session.require(name).await?;
    Ok(session.state().read().cached.contains(&key(&found)))
}

/// `CLEAR CACHE`.
pub(super) fn clear(session: &Session) -> Rows {
    session.state().write().cached.clear();
    Rows::none()
}

/// `REFRESH`: files are listed for each query, so there is nothing to forget.
pub(super) async fn refresh(
    session: &Arc<Session>,
    table: Option<ObjectName>,
    function: Option<ObjectName>,
) -> SparkResult<Rows> {
    if let Some(name) = table {
        session.require(&name).await?;
    }
    if let Some(name) = function {
        super::function::require(session, &name).await?;
    }
    Ok(Rows::none())
}

/// `ANALYZE`: statistics come from the files themselves; what is asked is checked.
pub(super) async fn analyze(
    session: &Arc<Session>,
    table: Option<ObjectName>,
    database: Option<ObjectName>,
    columns: Option<Vec<String>>,
) -> SparkResult<Rows> {
    if let Some(database) = database {
        session.warehouse().database(&crate::catalog::database_name(&database)?).await?;
    }
    let Some(name) = table else { return Ok(Rows::none()) };
    let relation = match session.require(&name).await? {
        Found::Stored(relation) if relation.view.is_none() => relation,
        Found::Temp(view) if session.state().read().cached.contains(&view.name) => return Ok(Rows::none()),
        Found::Temp(_) => {
            return Err(SparkError::unsupported_feature(
                "ANALYZE_UNCACHED_TEMP_VIEW",
                &[("viewName", &quote_identifier(&name))],
            ));
        }
        Found::Stored(_) => return Err(SparkError::unsupported_feature("ANALYZE_VIEW", &[])),
    };
    for column in columns.unwrap_or_default() {
        if !relation.columns.iter().any(|known| known.name.eq_ignore_ascii_case(&column)) {
            let known: Vec<String> = relation.columns.iter().map(|known| quote_identifier(&[&known.name])).collect();
            return Err(SparkError::analysis(
                "COLUMN_NOT_FOUND",
                &[
                    ("colName", &quote_identifier(&[&column])),
                    ("caseSensitiveConfig", "\"spark.sql.caseSensitive\""),
                    ("tableCols", &known.join(", ")),
                ],
            ));
        }
    }
    Ok(Rows::none())
}

/// Rows a kept result may have in memory.
const MOST_BYTES: usize = 256 << 20;

/// `df.checkpoint()`: the rows are kept in memory; the answer is the result's id.
pub(super) async fn checkpoint(session: &Arc<Session>, input: &Relation) -> SparkResult<Rows> {
    let ctx = session.context()?;
    let analyzed = session.analyze_in(&ctx, input, &Default::default()).await?;
    let arrow_schema = Arc::new(analyzed.plan.schema().as_arrow().clone());
    let batches = session.collect(&ctx, analyzed.plan, "checkpoint").await?;
    let bytes: usize = batches.iter().map(arrow::record_batch::RecordBatch::get_array_memory_size).sum();
    if bytes > MOST_BYTES {
        return Err(SparkError::unsupported("checkpoints of more than 256 MiB"));
    }
    let schema = batches.first().map_or(arrow_schema, |batch| batch.schema());
    let provider = MemTable::try_new(schema, vec![batches]).map_err(failure)?;
    let id = uuid::Uuid::new_v4().to_string();
    let kept = Kept { schema: analyzed.schema, provider: Arc::new(provider) };
    session.state().write().kept.insert(id.clone(), kept);
    Rows::new(&[text("relation_id", false)], vec![vec![id.into()]])
}

/// The client has let go of a kept result.
pub(super) fn remove_remote(session: &Session, id: &str) -> Rows {
    session.state().write().kept.remove(id);
    Rows::none()
}
