//! Session variables: `DECLARE`, `SET VAR`, `DROP VARIABLE`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::DataType;

use super::Rows;
use crate::analyze::Variable;
use crate::session::Session;
use crate::source::failure;
use crate::spec::{CastMode, Expr, ExprKind, Literal, ObjectName, Relation, RelationKind};

/// The key of a variable's name: `v`, `session.v` or `system.session.v`.
pub(super) fn key(parts: &[String]) -> SparkResult<String> {
    let is = |part: &String, word: &str| part.eq_ignore_ascii_case(word);
    match parts {
        [name] => Ok(name.to_lowercase()),
        [session, name] if is(session, "session") => Ok(name.to_lowercase()),
        [system, session, name] if is(system, "system") && is(session, "session") => Ok(name.to_lowercase()),
        _ => Err(missing(parts)),
    }
}

fn missing(parts: &[String]) -> SparkError {
    SparkError::analysis(
        "UNRESOLVED_VARIABLE",
        &[("variableName", &quote_identifier(parts)), ("searchPath", "`system`.`session`")],
    )
}

fn shown(key: &str) -> String {
    quote_identifier(&["system", "session", key])
}

/// `DECLARE`.
pub(super) async fn declare(
    session: &Arc<Session>,
    names: Vec<ObjectName>,
    data_type: Option<DataType>,
    default: Option<Expr>,
    replace: bool,
) -> SparkResult<Rows> {
    let keys = names.iter().map(|name| key(name)).collect::<SparkResult<Vec<_>>>()?;
    for key in &keys {
        if !replace && session.state().read().variables.contains_key(key) {
            return Err(SparkError::analysis("VARIABLE_ALREADY_EXISTS", &[("variableName", &shown(key))]));
        }
    }
    let default = default.unwrap_or_else(|| ExprKind::Literal(Literal::Null(DataType::Null)).into());
    let value = match data_type {
        Some(to) => value_of(session, &default, &to).await?,
        None => {
            let (data_type, value) = session.evaluate(&default, None).await?;
            Variable { data_type, value }
        }
    };
    let mut state = session.state().write();
    for key in keys {
        state.variables.insert(key, value.clone());
    }
    Ok(Rows::none())
}

/// An expression's value as a type.
async fn value_of(session: &Arc<Session>, expr: &Expr, to: &DataType) -> SparkResult<Variable> {
    let cast = ExprKind::Cast { expr: expr.clone(), to: to.clone(), mode: CastMode::Session };
    let (_, value) = session.evaluate(&cast.into(), Some(to)).await?;
    Ok(Variable { data_type: to.clone(), value })
}

/// `SET VAR`.
pub(super) async fn set(
    session: &Arc<Session>,
    targets: Vec<ObjectName>,
    values: Vec<Expr>,
    query: Option<Relation>,
) -> SparkResult<Rows> {
    let keys = targets.iter().map(|name| key(name)).collect::<SparkResult<Vec<_>>>()?;
    let mut types = Vec::with_capacity(keys.len());
    for (key, name) in keys.iter().zip(&targets) {
        let known = session.state().read().variables.get(key).map(|variable| variable.data_type.clone());
        types.push(known.ok_or_else(|| missing(name))?);
        if keys.iter().filter(|other| *other == key).count() > 1 {
            return Err(SparkError::analysis("DUPLICATE_ASSIGNMENTS", &[("nameList", &quote_identifier(&[key]))]));
        }
    }
    let mut new = BTreeMap::new();
    if let Some(query) = query {
        for (key, variable) in keys.iter().zip(row(session, &query, &types).await?) {
            new.insert(key.clone(), variable);
        }
    } else {
        if values.len() != keys.len() {
            return Err(arity(keys.len(), values.len()));
        }
        for ((key, value), to) in keys.iter().zip(&values).zip(&types) {
            let null = matches!(value.kind.as_ref(), ExprKind::Default)
                .then(|| Expr::from(ExprKind::Literal(Literal::Null(DataType::Null))));
            new.insert(key.clone(), value_of(session, null.as_ref().unwrap_or(value), to).await?);
        }
    }
    session.state().write().variables.extend(new);
    Ok(Rows::none())
}

fn arity(targets: usize, values: usize) -> SparkError {
    SparkError::analysis(
        "ASSIGNMENT_ARITY_MISMATCH",
        &[("numTarget", &targets.to_string()), ("numExpr", &values.to_string())],
    )
}

/// The single row of a query, cast to these types; NULLs when it has none.
pub(super) async fn row(session: &Arc<Session>, query: &Relation, types: &[DataType]) -> SparkResult<Vec<Variable>> {
    let ctx = session.context()?;
    let analyzed = session.analyze_in(&ctx, query, &Default::default()).await?;
    let names: Vec<_> = analyzed.schema.fields.iter().map(|field| field.data_type.clone()).collect();
    if names.len() != types.len() {
        return Err(arity(types.len(), names.len()));
    }
    let two = RelationKind::Limit { input: query.clone(), limit: ExprKind::Literal(Literal::Integer(2)).into() };
    let analyzed = session.analyze_in(&ctx, &two.into(), &Default::default()).await?;
    let batches = session.collect(&ctx, analyzed.plan, "variables").await?;
    let rows: usize = batches.iter().map(arrow::record_batch::RecordBatch::num_rows).sum();
    if rows > 1 {
        return Err(SparkError::runtime("ROW_SUBQUERY_TOO_MANY_ROWS", &[]));
    }
    let batch = batches.iter().find(|batch| batch.num_rows() == 1);
    let mut variables = Vec::with_capacity(types.len());
    for (index, (from, to)) in names.iter().zip(types).enumerate() {
        let value = match batch.and_then(|batch| batch.columns().get(index)) {
            Some(column) => ScalarValue::try_from_array(column, 0).map_err(failure)?,
            None => null(to)?,
        };
        variables.push(cast(session, value, from, to).await?);
    }
    Ok(variables)
}

fn null(to: &DataType) -> SparkResult<ScalarValue> {
    ScalarValue::try_from(&to.to_arrow()).map_err(failure)
}

/// A value of one type as another, through a variable of its own that only this cast sees.
async fn cast(session: &Arc<Session>, value: ScalarValue, from: &DataType, to: &DataType) -> SparkResult<Variable> {
    if from == to {
        return Ok(Variable { data_type: to.clone(), value });
    }
    if value.is_null() {
        return Ok(Variable { data_type: to.clone(), value: null(to)? });
    }
    let name = format!("__cast_{}", uuid::Uuid::new_v4().simple());
    session.state().write().variables.insert(name.clone(), Variable { data_type: from.clone(), value });
    let attribute = ExprKind::Attribute { name: vec![name.clone()], plan_id: None, is_metadata: false };
    let cast = value_of(session, &attribute.into(), to).await;
    session.state().write().variables.remove(&name);
    cast
}

/// `DROP TEMPORARY VARIABLE`.
pub(super) fn drop(session: &Arc<Session>, name: &[String], if_exists: bool) -> SparkResult<Rows> {
    let removed = match key(name) {
        Ok(key) => session.state().write().variables.remove(&key).is_some(),
        Err(_) => false,
    };
    if removed || if_exists {
        return Ok(Rows::none());
    }
    let shown = match name {
        [one] => shown(&one.to_lowercase()),
        parts => quote_identifier(parts),
    };
    Err(SparkError::analysis("VARIABLE_NOT_FOUND", &[("variableName", &shown)]))
}
