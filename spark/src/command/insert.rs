//! `INSERT INTO` and `INSERT OVERWRITE`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::assign::{Assignment, By, assign};
use super::{Rows as Answer, database_write, partition, write};
use crate::analyze::Analyzed;
use crate::catalog::{CATALOG, Relation, TableName};
use crate::session::Session;
use crate::source::{self, Format, table_options};
use crate::spec::{self, ExprKind, Insert, RelationKind, SaveMode};

/// Inserts the rows of a query.
pub(super) async fn run(session: &Arc<Session>, insert: Insert) -> SparkResult<Answer> {
    let Some(Ready { relation, columns, input, fixed, by, overwrite }) = ready(session, insert).await? else {
        return Ok(Answer::none());
    };
    into_table(session, &relation, input, Rows { columns: &columns, fixed, by, overwrite }).await
}

/// Inserts one after the other, each of which sees what those before it wrote; none begins when one is not valid.
pub(super) async fn several(session: &Arc<Session>, inserts: Vec<Insert>) -> SparkResult<Answer> {
    for insert in &inserts {
        let Some(Ready { relation, columns, input, fixed, by, .. }) = ready(session, insert.clone()).await? else {
            continue;
        };
        assign(session, input, &Assignment { table: &relation, columns: &columns, fixed: &fixed, by }).await?;
    }
    for insert in inserts {
        run(session, insert).await?;
    }
    Ok(Answer::none())
}

/// An insert that may begin.
struct Ready {
    relation: Relation,
    columns: Vec<String>,
    input: Analyzed,
    fixed: BTreeMap<String, ScalarValue>,
    by: By,
    overwrite: bool,
}

/// Checks and analyzes an insert; `None` when there is nothing to do.
async fn ready(session: &Arc<Session>, insert: Insert) -> SparkResult<Option<Ready>> {
    let relation = session.require_table(&insert.table, "INSERT").await?;
    if insert.replace_where.is_some() {
        let name = TableName::new(&relation.database, &relation.name).quoted();
        return Err(SparkError::unsupported_feature(
            "TABLE_OPERATION",
            &[("tableName", &name), ("operation", "overwrite by filter in batch mode")],
        ));
    }
    let fixed = partition::fixed(session, &relation, &insert.partition).await?;
    if insert.if_not_exists && partition::exists(session, &relation, &fixed).await? {
        return Ok(None);
    }
    let columns = if insert.columns.is_empty() {
        relation
            .columns
            .iter()
            .map(|column| column.name.clone())
            .filter(|name| !fixed.contains_key(&name.to_lowercase()))
            .collect()
    } else {
        insert.columns.clone()
    };
    let input = with_defaults(session, insert.input, &relation, &columns)?;
    let input = session.analyze(&input).await?;
    let replaced = insert.overwrite && !relation.location.is_empty();
    let dynamic = !relation.partitioned_by.is_empty() && session.conf().effects().dynamic_overwrite();
    if replaced && !dynamic && source::reads(&input.plan, &relation.location) {
        let name = quote_identifier(&[CATALOG, &relation.database, &relation.name]);
        return Err(SparkError::analysis("UNSUPPORTED_OVERWRITE.TABLE", &[("table", &name)]));
    }
    let by = if insert.by_name { By::Name } else { By::Position };
    Ok(Some(Ready { relation, columns: insert.columns, input, fixed, by, overwrite: insert.overwrite }))
}

/// How rows go into a table.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) columns: &'a [String],
    /// Fixed partition values by lower-case name.
    pub(super) fixed: BTreeMap<String, ScalarValue>,
    pub(super) by: By,
    pub(super) overwrite: bool,
}

/// Writes analyzed rows into a table.
pub(super) async fn into_table(
    session: &Arc<Session>,
    relation: &Relation,
    input: Analyzed,
    rows: Rows<'_>,
) -> SparkResult<Answer> {
    let format = Format::parse(&relation.provider)?;
    let assignment = Assignment { table: relation, columns: rows.columns, fixed: &rows.fixed, by: rows.by };
    let (plan, schema) = assign(session, input, &assignment).await?;
    if format.is_database() {
        let mode = if rows.overwrite { SaveMode::Overwrite } else { SaveMode::Append };
        database_write::run(session, plan, &schema, format, &relation.options, mode).await?;
        return Ok(Answer::none());
    }
    let by_partition = rows.overwrite && !relation.partitioned_by.is_empty();
    let dynamic = by_partition && (session.conf().effects().dynamic_overwrite() || !rows.fixed.is_empty());
    // A fixed partition is replaced even by nothing; its files go with the commit, before new ones can be seen.
    let replaced = if by_partition && !rows.fixed.is_empty() && !session.conf().effects().dynamic_overwrite() {
        partition::files(session, relation, &rows.fixed).await?
    } else {
        Vec::new()
    };
    let files = write::Files {
        location: relation.location.clone(),
        format,
        options: table_options(&relation.options),
        mode: if rows.overwrite { SaveMode::Overwrite } else { SaveMode::Append },
        partition_by: relation.partitioned_by.clone(),
        dynamic,
        replaced,
    };
    files.write(session, plan, &schema).await?;
    Ok(Answer::none())
}

/// `VALUES (.., DEFAULT)`: the default is written in before analysis.
fn with_defaults(
    session: &Session,
    input: spec::Relation,
    relation: &Relation,
    columns: &[String],
) -> SparkResult<spec::Relation> {
    let spec::Relation { kind, plan_id, origin } = input;
    let kind = match *kind {
        RelationKind::Values(rows) => {
            let mut written = Vec::with_capacity(rows.len());
            for row in rows {
                let mut cells = Vec::with_capacity(row.len());
                for (index, cell) in row.into_iter().enumerate() {
                    if matches!(cell.kind.as_ref(), ExprKind::Default) {
                        cells.push(default_of(session, relation, columns.get(index))?);
                    } else {
                        cells.push(cell);
                    }
                }
                written.push(cells);
            }
            RelationKind::Values(written)
        }
        RelationKind::Project { input, exprs } => {
            let mut written = Vec::with_capacity(exprs.len());
            for (index, expr) in exprs.into_iter().enumerate() {
                if matches!(expr.kind.as_ref(), ExprKind::Default) {
                    written.push(default_of(session, relation, columns.get(index))?);
                } else {
                    written.push(expr);
                }
            }
            RelationKind::Project { input, exprs: written }
        }
        RelationKind::Select(mut select) => {
            for (index, expr) in select.projection.iter_mut().enumerate() {
                if matches!(expr.kind.as_ref(), ExprKind::Default) {
                    *expr = default_of(session, relation, columns.get(index))?;
                }
            }
            RelationKind::Select(select)
        }
        RelationKind::SubqueryAlias { input, alias, columns: names } => RelationKind::SubqueryAlias {
            input: with_defaults(session, input, relation, columns)?,
            alias,
            columns: names,
        },
        other => other,
    };
    Ok(spec::Relation { kind: Box::new(kind), plan_id, origin })
}

fn default_of(session: &Session, relation: &Relation, name: Option<&String>) -> SparkResult<spec::Expr> {
    let column = name.and_then(|name| relation.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
    let Some(column) = column else {
        let name = quote_identifier(&[relation.name.as_str()]);
        return Err(SparkError::internal(format!("no column of {name} takes this DEFAULT")));
    };
    match &column.default {
        Some(text) => session.parse_expression(text),
        None => Ok(ExprKind::Literal(spec::Literal::Null(column.data_type()?)).into()),
    }
}
