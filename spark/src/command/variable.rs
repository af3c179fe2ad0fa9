//! Session variables: `DECLARE`, `SET VAR`, `DROP VARIABLE`.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::DataType;

use super::Rows;
use crate::analyze::Variable;
use crate::script;
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
    let default = default.unwrap_or_else(|| ExprKind::Literal(Literal::Null(DataType::Null)).into());
    let value = match data_type {
        Some(to) => value_of(session, &default, &to).await?,
        None => {
            let (data_type, value) = value(session, &default, None).await?;
            Variable { data_type, value }
        }
    };
    if script::declare(&keys, &value, &default)? {
        return Ok(Rows::none());
    }
    let mut state = session.state().write();
    for key in &keys {
        if !replace && state.variables.contains_key(key) {
            return Err(SparkError::analysis("VARIABLE_ALREADY_EXISTS", &[("variableName", &shown(key))]));
        }
    }
    for key in keys {
        state.variables.insert(key.clone(), value.clone());
        state.defaults.insert(key, default.clone());
    }
    Ok(Rows::none())
}

/// The value of an expression; one with a subquery is a query of one row.
async fn value(session: &Arc<Session>, expr: &Expr, to: Option<&DataType>) -> SparkResult<(DataType, ScalarValue)> {
    match session.evaluate(expr, to).await {
        Err(error) if error.condition() == "UNSUPPORTED_FEATURE.NOT_IMPLEMENTED" => {
            let query = RelationKind::Project { input: RelationKind::OneRow.into(), exprs: vec![expr.clone()] };
            let ctx = session.context()?;
            let analyzed = session.analyze_in(&ctx, &query.into(), &Default::default()).await?;
            let batches = session.collect(&ctx, analyzed.plan, "variable").await?;
            let data_type = analyzed.schema.fields.first().map(|field| field.data_type.clone());
            let column = batches.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| batch.columns().first());
            match (data_type, column) {
                (Some(data_type), Some(column)) => {
                    Ok((data_type, ScalarValue::try_from_array(column, 0).map_err(failure)?))
                }
                _ => Err(error),
            }
        }
        outcome => outcome,
    }
}

/// An expression's value as a type.
async fn value_of(session: &Arc<Session>, expr: &Expr, to: &DataType) -> SparkResult<Variable> {
    let cast = ExprKind::Cast { expr: expr.clone(), to: to.clone(), mode: CastMode::Session };
    let (_, value) = value(session, &cast.into(), Some(to)).await?;
    Ok(Variable { data_type: to.clone(), value })
}

/// `SET VAR`.
pub(super) async fn set(
    session: &Arc<Session>,
    targets: Vec<ObjectName>,
    values: Vec<Expr>,
    query: Option<Relation>,
) -> SparkResult<Rows> {
    let mut places: Vec<Place> = Vec::with_capacity(targets.len());
    for name in &targets {
        let place = Place::find(session, name).ok_or_else(|| missing(name))?;
        if places.iter().any(|other| other.shown == place.shown) {
            let list = quote_identifier(&[name.last().map_or("", String::as_str)]);
            return Err(SparkError::analysis("DUPLICATE_ASSIGNMENTS", &[("nameList", &list)]));
        }
        places.push(place);
    }
    let types: Vec<DataType> = places.iter().map(|place| place.data_type.clone()).collect();
    let mut new = Vec::with_capacity(places.len());
    if let Some(query) = query {
        new = row(session, &query, &types).await?;
    } else {
        if values.len() != places.len() {
            return Err(arity(places.len(), values.len()));
        }
        for (place, value) in places.iter().zip(&values) {
            let value = if matches!(value.kind.as_ref(), ExprKind::Default) { &place.default } else { value };
            new.push(value_of(session, value, &place.data_type).await?);
        }
    }
    for (place, value) in places.into_iter().zip(new) {
        match place.local {
            Some(local) => script::set(&local, value),
            None => {
                session.state().write().variables.insert(place.shown, value);
            }
        }
    }
    Ok(Rows::none())
}

/// Where a value goes: a variable of the script around, or one of the session.
struct Place {
    local: Option<script::Assigned>,
    /// Identity; the key of a session's variable.
    shown: String,
    data_type: DataType,
    default: Expr,
}

impl Place {
    fn find(session: &Session, name: &[String]) -> Option<Self> {
        let null = || ExprKind::Literal(Literal::Null(DataType::Null)).into();
        if let Some(local) = script::declared(name) {
            let shown = format!("local {}", name.last().map(|name| name.to_lowercase()).unwrap_or_default());
            let (data_type, default) = (local.data_type.clone(), local.default.clone().unwrap_or_else(null));
            return Some(Self { local: Some(local), shown, data_type, default });
        }
        let shown = key(name).ok()?;
        let state = session.state().read();
        let data_type = state.variables.get(&shown)?.data_type.clone();
        let default = state.defaults.get(&shown).cloned().unwrap_or_else(null);
        Some(Self { local: None, shown, data_type, default })
    }
}

/// Whether a name is that of a variable.
pub(super) fn exists(session: &Session, name: &[String]) -> bool {
    Place::find(session, name).is_some()
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
        Ok(key) => {
            let mut state = session.state().write();
            state.defaults.remove(&key);
            state.variables.remove(&key).is_some()
        }
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
