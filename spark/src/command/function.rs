//! SQL functions: create, drop, find.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use super::Rows;
use crate::catalog::{Column, Function, TableName};
use crate::session::{Session, TempFunction};
use crate::spec::{CreateFunction, FunctionBody};

/// `CREATE FUNCTION`.
pub(super) async fn create(session: &Arc<Session>, create: CreateFunction) -> SparkResult<Rows> {
    if let Some(class) = &create.class_name {
        let name = create.name.join(".");
        return Err(SparkError::analysis(
            "CANNOT_LOAD_FUNCTION_CLASS",
            &[("className", class), ("functionName", &quote_identifier(&[name]))],
        ));
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
    check(session, &create).await?;
    let function = Function {
        database: String::new(),
        name: create.name.last().cloned().unwrap_or_default().to_lowercase(),
        params: create.params.iter().map(Column::of_definition).collect(),
        returns: create.returns.as_ref().map(firesteel_functions::types::DataType::json_value),
        returns_table: create.returns_table.as_ref().map(|table| table.iter().map(Column::of_definition).collect()),
        body,
        is_query,
        comment: create.comment,
        deterministic: create.deterministic,
        namespace: session.current_database(),
    };
    if create.temporary {
        return create_temporary(session, &create.name, function, create.replace, create.if_not_exists);
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

/// What Spark refuses in a function's signature, and a body that does not resolve to it.
async fn check(session: &Arc<Session>, create: &CreateFunction) -> SparkResult<()> {
    let name = create.name.join(".");
    for pair in create.params.windows(2) {
        let [one, next] = pair else { continue };
        if one.default.is_some() && next.default.is_none() {
            return Err(SparkError::analysis(
                "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION",
                &[("functionName", &name), ("parameterName", &one.name), ("nextParameterName", &next.name)],
            ));
        }
    }
    let Some(table) = &create.returns_table else { return Ok(()) };
    for (index, column) in table.iter().enumerate() {
        if table.iter().take(index).any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            return Err(SparkError::analysis(
                "DUPLICATE_ROUTINE_RETURNS_COLUMNS",
                &[("routineName", &name), ("columns", &quote_identifier(&[&column.name]))],
            ));
        }
    }
    // A body without parameters can be looked at here; others are when they are called.
    if let Some(FunctionBody::Query(query, _)) = &create.body
        && create.params.is_empty()
        && !table.is_empty()
    {
        let columns = session.analyze(query).await?.schema.fields.len();
        if columns != table.len() {
            return Err(SparkError::analysis(
                "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH",
                &[("outputSize", &columns.to_string()), ("returnParamSize", &table.len().to_string()), ("name", &name)],
            ));
        }
    }
    Ok(())
}

fn create_temporary(
    session: &Arc<Session>,
    parts: &[String],
    function: Function,
    replace: bool,
    if_not_exists: bool,
) -> SparkResult<Rows> {
    if let [qualifier @ .., name] = parts {
        let session_qualified = qualifier.last().is_some_and(|last| last.eq_ignore_ascii_case("session"));
        if !qualifier.is_empty() && !session_qualified {
            return Err(SparkError::analysis(
                "INVALID_TEMP_OBJ_QUALIFIER",
                &[
                    ("objectType", "FUNCTION"),
                    ("objectName", &quote_identifier(&[name])),
                    ("qualifier", &quote_identifier(qualifier)),
                ],
            ));
        }
    }
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
        if let [qualifier @ .., name] = parts {
            let session_qualified = qualifier.last().is_some_and(|last| last.eq_ignore_ascii_case("session"));
            if !qualifier.is_empty() && !session_qualified {
                return Err(SparkError::analysis(
                    "INVALID_TEMP_OBJ_QUALIFIER",
                    &[
                        ("objectType", "FUNCTION"),
                        ("objectName", &quote_identifier(&[name])),
                        ("qualifier", &quote_identifier(qualifier)),
                    ],
                ));
            }
        }
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
    if is_builtin(parts) || find(session, parts).await?.is_some() {
        return Ok(());
    }
    Err(missing_full(&session.table_name(parts)?))
}

pub(super) fn missing(parts: &[String]) -> SparkError {
    SparkError::analysis("ROUTINE_NOT_FOUND", &[("routineName", &quote_identifier(parts))])
}

pub(super) fn missing_full(name: &TableName) -> SparkError {
    SparkError::analysis("ROUTINE_NOT_FOUND", &[("routineName", &name.quoted())])
}
