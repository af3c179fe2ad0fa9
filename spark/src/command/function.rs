//! SQL functions: create, drop, find.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::{Rows, function_check};
use crate::catalog::{Column, Function, TableName};
use crate::session::{Session, TempFunction};
use crate::spec::{CreateFunction, FunctionBody};

/// `CREATE FUNCTION`.
pub(super) async fn create(session: &Arc<Session>, create: CreateFunction) -> SparkResult<Rows> {
    if create.temporary {
        temporary_name(&create.name)?;
    }
    if let Some(class) = &create.class_name {
        if create.temporary {
            return Err(not_loaded(class, &quote_identifier(&[create.name.join(".")])));
        }
        return create_class(session, &create, class).await;
    }
    if create.language.as_deref().is_some_and(|language| !language.eq_ignore_ascii_case("SQL")) {
        return Err(SparkError::unsupported(format!("functions in {}", create.language.unwrap_or_default())));
    }
    let (body, is_query) = match &create.body {
        Some(FunctionBody::Expr(_, text)) => (text.clone(), false),
        Some(FunctionBody::Query(_, text)) => (text.clone(), true),
        None => return Err(SparkError::unsupported("functions without a body")),
    };
    let mut names: Vec<String> = Vec::new();
    for param in &create.params {
        if names.contains(&param.name.to_lowercase()) {
            return Err(SparkError::analysis(
                "DUPLICATE_ROUTINE_PARAMETER_NAMES",
                &[("routineName", &create.name.join(".")), ("names", &quote_identifier(&[&param.name]))],
            ));
        }
        names.push(param.name.to_lowercase());
    }
    function_check::signature(session, &create).await?;
    let function = Function {
        database: String::new(),
        name: create.name.last().cloned().unwrap_or_default().to_lowercase(),
        params: create.params.iter().map(Column::of_definition).collect(),
        returns: create.returns.as_ref().map(firesteel_functions::types::DataType::json_value),
        returns_table: create.returns_table.as_ref().map(|table| table.iter().map(Column::of_definition).collect()),
        body,
        is_query,
        comment: create.comment.clone(),
        class_name: None,
        deterministic: create.deterministic,
        namespace: session.current_database(),
    };
    let found = function_check::body(session, &create, &function).await?;
    // A type that is not said is that of the body for arguments of the declared types, whatever they are in a call.
    let function = match found.as_ref().and_then(|schema| schema.fields.first()) {
        Some(field) if function.returns.is_none() && function.returns_table.is_none() => {
            Function { returns: Some(field.data_type.json_value()), ..function }
        }
        _ => function,
    };
    if create.temporary {
        return create_temporary(session, function, create.replace, create.if_not_exists);
    }
    let name = session.table_name(&create.name)?;
    session.warehouse().database(&name.database).await?;
    let function = Function { database: name.database.clone(), ..function };
    if create.replace {
        session.warehouse().put_function(&function).await?;
    } else if !session.warehouse().create_function(&function).await? && !create.if_not_exists {
        return Err(exists(&name.quoted()));
    }
    Ok(Rows::none())
}

/// A function of the JVM is a name until it is used.
async fn create_class(session: &Arc<Session>, create: &CreateFunction, class: &str) -> SparkResult<Rows> {
    let name = session.table_name(&create.name)?;
    session.warehouse().database(&name.database).await?;
    let function = Function {
        database: name.database.clone(),
        name: name.name.clone(),
        params: Vec::new(),
        returns: None,
        returns_table: None,
        body: String::new(),
        is_query: false,
        comment: None,
        class_name: Some(class.to_string()),
        deterministic: None,
        namespace: session.current_database(),
    };
    if create.replace {
        session.warehouse().put_function(&function).await?;
    } else if !session.warehouse().create_function(&function).await? && !create.if_not_exists {
        return Err(exists(&name.quoted()));
    }
    Ok(Rows::none())
}

/// A class that cannot be loaded.
pub(crate) fn not_loaded(class: &str, function: &str) -> SparkError {
    SparkError::analysis("CANNOT_LOAD_FUNCTION_CLASS", &[("className", class), ("functionName", function)])
}

/// A temporary function is qualified by the session or not at all.
fn temporary_name(parts: &[String]) -> SparkResult<()> {
    let [qualifier @ .., name] = parts else { return Ok(()) };
    let of_session = qualifier.last().is_some_and(|last| last.eq_ignore_ascii_case("session"));
    if qualifier.is_empty() || of_session {
        return Ok(());
    }
    Err(SparkError::analysis(
        "INVALID_TEMP_OBJ_QUALIFIER",
        &[
            ("objectType", "FUNCTION"),
            ("objectName", &quote_identifier(&[name])),
            ("qualifier", &quote_identifier(qualifier)),
        ],
    ))
}

fn create_temporary(
    session: &Arc<Session>,
    function: Function,
    replace: bool,
    if_not_exists: bool,
) -> SparkResult<Rows> {
    let mut state = session.state().write();
    if state.functions.contains_key(&function.name) {
        if if_not_exists {
            return Ok(Rows::none());
        }
        if !replace {
            return Err(exists(&quote_identifier(&[function.name.as_str()])));
        }
    }
    state.functions.insert(function.name.clone(), Arc::new(TempFunction { function }));
    Ok(Rows::none())
}

fn exists(name: &str) -> SparkError {
    SparkError::analysis(
        "ROUTINE_ALREADY_EXISTS",
        &[
            ("routineName", name),
            ("newRoutineType", "routine"),
            ("newRoutineName", name),
            ("existingRoutineType", "routine"),
        ],
    )
}

/// `DROP FUNCTION`.
pub(super) async fn drop(
    session: &Arc<Session>,
    parts: &[String],
    if_exists: bool,
    temporary: bool,
) -> SparkResult<Rows> {
    if temporary {
        temporary_name(parts)?;
        let name = parts.last().map(|name| name.to_lowercase()).unwrap_or_default();
        let removed = session.state().write().functions.remove(&name).is_some();
        return if removed || if_exists { Ok(Rows::none()) } else { Err(missing(&[name])) };
    }
    let name = session.table_name(parts)?;
    if session.warehouse().function(&name).await?.is_none() {
        if is_builtin(parts) {
            return Err(SparkError::analysis(
                "FORBIDDEN_OPERATION",
                &[("statement", "DROP"), ("objectType", "FUNCTION"), ("objectName", &quote_identifier(parts))],
            ));
        }
        return if if_exists { Ok(Rows::none()) } else { Err(missing_full(&name)) };
    }
    session.warehouse().remove_function(&name).await?;
    Ok(Rows::none())
}

/// Whether a name is a built-in function's.
pub(super) fn is_builtin(parts: &[String]) -> bool {
    let [name] = parts else { return false };
    let name = name.to_lowercase();
    let registry = firesteel_functions::registry();
    registry.scalar(&name).is_some() || registry.aggregate(&name).is_some() || registry.window(&name).is_some()
}

/// A function of the user's.
pub(super) async fn find(session: &Arc<Session>, parts: &[String]) -> SparkResult<Option<Function>> {
    if let [name] = parts
        && let Some(found) = session.state().read().functions.get(&name.to_lowercase())
    {
        return Ok(Some(found.function.clone()));
    }
    session.warehouse().function(&session.table_name(parts)?).await
}

/// A function of any kind.
pub(super) async fn require(session: &Arc<Session>, parts: &[String]) -> SparkResult<()> {
    if is_builtin(parts) {
        return Ok(());
    }
    if let Some(found) = find(session, parts).await? {
        return match &found.class_name {
            Some(class) => Err(not_loaded(class, &TableName::new(&found.database, &found.name).quoted())),
            None => Ok(()),
        };
    }
    Err(missing_full(&session.table_name(parts)?))
}

pub(super) fn missing(parts: &[String]) -> SparkError {
    SparkError::analysis("ROUTINE_NOT_FOUND", &[("routineName", &quote_identifier(parts))])
}

pub(super) fn missing_full(name: &TableName) -> SparkError {
    SparkError::analysis("ROUTINE_NOT_FOUND", &[("routineName", &name.quoted())])
}
