//! What is refused when a SQL function is created: a signature that means nothing, a body that does not resolve.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::{DataType, StructType};

use crate::analyze::{NameRef, collect_names};
use crate::catalog::{Function, TableName, text_type};
use crate::session::{Session, TempFunction};
use crate::spec::{self, CastMode, CreateFunction, ExprKind, FunctionBody, Literal, Relation, RelationKind};

/// Parameters, their defaults and the columns of a table.
pub(super) async fn signature(session: &Arc<Session>, create: &CreateFunction) -> SparkResult<()> {
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
    let columns = create.returns_table.iter().flatten();
    let types = create.params.iter().chain(columns.clone()).map(|column| &column.data_type).chain(&create.returns);
    let as_string = session.conf().is_true("spark.sql.legacy.charVarcharAsString");
    if !as_string && types.into_iter().any(text_type::limited) {
        return Err(SparkError::analysis("UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING", &[]));
    }
    for column in create.params.iter().chain(columns) {
        if !column.nullable {
            let input = format!("{} {} NOT NULL", column.name, column.data_type.sql());
            let condition = "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS";
            return Err(SparkError::analysis(condition, &[("input", &input)]));
        }
    }
    for param in &create.params {
        let Some(text) = &param.default else { continue };
        let expr = session.parse_expression(text)?;
        let query = RelationKind::Project { input: RelationKind::OneRow.into(), exprs: vec![expr.clone()] };
        let has_subquery =
            matches!(expr.kind.as_ref(), ExprKind::Subquery(_)) || !collect_names(&query.into()).is_empty();
        if has_subquery {
            return Err(SparkError::analysis(
                "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION",
                &[("functionName", &quote_identifier(&[&name])), ("parameterName", &quote_identifier(&[&param.name]))],
            ));
        }
        let cast = ExprKind::Cast { expr, to: param.data_type.clone(), mode: CastMode::Session };
        session.evaluate(&cast.into(), None).await?;
    }
    table(create, &name)
}

fn table(create: &CreateFunction, name: &str) -> SparkResult<()> {
    let Some(table) = &create.returns_table else { return Ok(()) };
    for (index, column) in table.iter().enumerate() {
        if table.iter().take(index).any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            return Err(SparkError::analysis(
                "DUPLICATE_ROUTINE_RETURNS_COLUMNS",
                &[("routineName", name), ("columns", &quote_identifier(&[&column.name]))],
            ));
        }
    }
    if matches!(create.body, Some(FunctionBody::Expr(..))) {
        let condition = "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY";
        return Err(SparkError::analysis(condition, &[("name", name)]));
    }
    Ok(())
}

/// Errors that say something about the body itself.
const TELLING: &[&str] = &[
    "UNRESOLVED_COLUMN",
    "UNRESOLVED_ROUTINE",
    "UNRESOLVED_FIELD",
    "TABLE_OR_VIEW_NOT_FOUND",
    "DATATYPE_MISMATCH",
    "INVALID_SUBQUERY_EXPRESSION",
    "WRONG_NUM_ARGS",
    "AMBIGUOUS_REFERENCE",
    "MISSING_AGGREGATION",
    "MISSING_GROUP_BY",
    "UNSUPPORTED_GENERATOR",
    "NUM_COLUMNS_MISMATCH",
    "INCOMPATIBLE_COLUMN_TYPE",
    "USER_DEFINED_FUNCTIONS",
];

/// Resolves a call of the function with arguments of its types; the columns it gives, when that succeeds.
pub(super) async fn body(
    session: &Arc<Session>,
    create: &CreateFunction,
    function: &Function,
) -> SparkResult<Option<StructType>> {
    // Under a name nobody else uses, so that a function of the real name is not what is called.
    let hidden = format!("__check_{}", uuid::Uuid::new_v4().simple());
    // Its last part is the real one, by which the body may call its parameters.
    let shown = format!("{hidden}.{}", function.name);
    let probe = Function { database: String::new(), name: shown, ..function.clone() };
    session.state().write().functions.insert(hidden.clone(), Arc::new(TempFunction { function: probe }));
    let outcome = session.analyze(&call(&hidden, create)).await;
    session.state().write().functions.remove(&hidden);
    let analyzed = match outcome {
        Ok(analyzed) => analyzed,
        Err(error) if error.condition() == "INCOMPATIBLE_VIEW_SCHEMA_CHANGE" => {
            return columns(session, create).await.map(|()| None);
        }
        Err(error) => {
            let telling = TELLING.iter().any(|condition| error.condition().starts_with(condition));
            // A function's own name in its body is one that is not there yet.
            let own = error.parameters().iter().any(|(_, value)| value.contains(&hidden));
            return if telling && !own { Err(error) } else { Ok(None) };
        }
    };
    if let Some(FunctionBody::Expr(_, text)) = &create.body
        && complex(&analyzed.plan)
    {
        let condition = "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS";
        return Err(SparkError::analysis(condition, &[("queryText", text)]));
    }
    refuse_temporary(session, create)?;
    Ok(Some(analyzed.schema))
}

/// Whether a plan computes over several rows; subqueries may.
fn complex(plan: &LogicalPlan) -> bool {
    let here = matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_))
        || plan.expressions().iter().any(|expr| {
            expr.exists(|inner| Ok(matches!(inner, Expr::AggregateFunction(_) | Expr::WindowFunction(_))))
                .unwrap_or(false)
        });
    here || plan.inputs().into_iter().any(complex)
}

fn call(hidden: &str, create: &CreateFunction) -> Relation {
    let null = |to: &DataType| -> spec::Expr {
        let null = ExprKind::Literal(Literal::Null(DataType::Null)).into();
        ExprKind::Cast { expr: null, to: to.clone(), mode: CastMode::Session }.into()
    };
    let args = create.params.iter().map(|param| null(&param.data_type)).collect();
    let name = vec![hidden.to_string()];
    if create.returns_table.is_some() {
        return RelationKind::TableFunction { name, args }.into();
    }
    let call = ExprKind::Function(spec::Function::new(name, args)).into();
    RelationKind::Project { input: RelationKind::OneRow.into(), exprs: vec![call] }.into()
}

/// A body whose number of columns is not that of its table.
async fn columns(session: &Arc<Session>, create: &CreateFunction) -> SparkResult<()> {
    let (Some(FunctionBody::Query(query, _)), Some(table)) = (&create.body, &create.returns_table) else {
        return Ok(());
    };
    let Ok(analyzed) = session.analyze(query).await else { return Ok(()) };
    let name = session.table_name(&create.name).map_or_else(|_| create.name.join("."), |name| name.plain());
    Err(SparkError::analysis(
        "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH",
        &[
            ("outputSize", &analyzed.schema.fields.len().to_string()),
            ("returnParamSize", &table.len().to_string()),
            ("name", &name),
        ],
    ))
}

/// A stored function must not stand on what ends with the session.
fn refuse_temporary(session: &Session, create: &CreateFunction) -> SparkResult<()> {
    if create.temporary {
        return Ok(());
    }
    let query: Relation = match &create.body {
        Some(FunctionBody::Query(query, _)) => query.clone(),
        Some(FunctionBody::Expr(expr, _)) => {
            RelationKind::Project { input: RelationKind::OneRow.into(), exprs: vec![expr.clone()] }.into()
        }
        None => return Ok(()),
    };
    let name = TableName::resolve(&create.name, &session.current_database())?;
    let refused = |kind: &str, temp: &str| {
        let shown = quote_identifier(&[name.database.as_str(), name.name.as_str()]);
        Err(SparkError::analysis(
            "INVALID_TEMP_OBJ_REFERENCE",
            &[("obj", "FUNCTION"), ("objName", &shown), ("tempObj", kind), ("tempObjName", &quote_identifier(&[temp]))],
        ))
    };
    for found in collect_names(&query) {
        match found {
            NameRef::Table { name, .. } => {
                if let Some(temp) = session.temp_view(&name) {
                    return refused("VIEW", &temp.name);
                }
            }
            NameRef::Function { name, .. } => {
                let Some(last) = name.last().map(|last| last.to_lowercase()) else { continue };
                if name.len() == 1 && session.state().read().functions.contains_key(&last) {
                    return refused("FUNCTION", &last);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::spec::{ExprKind, Subquery};

    #[test]
    fn a_scalar_subquery_is_no_default() {
        let expr = crate::sql::parse_expression("(SELECT 1)", &Default::default()).unwrap();
        assert!(matches!(*expr.kind, ExprKind::Subquery(Subquery::Scalar(_))));
    }
}
