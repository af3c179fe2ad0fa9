//! The analysis errors that more than one place reports, worded by Spark's condition catalogue. It resolves nothing.

use firesteel_functions::types::DataType;
use firesteel_functions::{QueryContext, SparkError, SparkResult};

use super::scope::{Attribute, Scope};
use super::similarity;
use crate::spec;

/// Backquoted identifier parts.
pub(super) fn quoted(parts: &[String]) -> String {
    parts.iter().map(|p| format!("`{}`", p.replace('`', "``"))).collect::<Vec<_>>().join(".")
}

/// An expression's text in messages.
pub(super) fn expression(text: &str) -> String {
    format!("\"{text}\"")
}

/// A type's text in messages.
pub(super) fn sql_type(data_type: &DataType) -> String {
    format!("\"{}\"", data_type.sql())
}

/// The context of where something was written.
pub(super) fn context(origin: Option<&spec::Origin>) -> Option<QueryContext> {
    Some(match origin? {
        spec::Origin::Sql { start, stop, text } => QueryContext::Sql { start: *start, stop: *stop, text: text.clone() },
        spec::Origin::DataFrame { fragment, call_site } => {
            QueryContext::DataFrame { fragment: fragment.to_string(), call_site: call_site.to_string() }
        }
    })
}

/// Adds where it was written to an error that does not say so yet.
pub(super) trait At<T> {
    /// Adds the origin.
    fn at(self, origin: Option<&spec::Origin>) -> SparkResult<T>;
}

impl<T> At<T> for SparkResult<T> {
    fn at(self, origin: Option<&spec::Origin>) -> SparkResult<T> {
        self.map_err(|error| match context(origin) {
            Some(context) if error.contexts().is_empty() => error.with_context(context),
            _ => error,
        })
    }
}

/// Any error of DataFusion during planning, as Spark's.
pub(super) fn planning(error: datafusion::error::DataFusionError) -> SparkError {
    firesteel_functions::error::from_datafusion(error)
}

/// A column that does not exist.
pub(super) fn unresolved_column(name: &[String], scope: &Scope) -> SparkError {
    let proposal = similarity::proposals(&name.join("."), scope.attributes.iter().map(Attribute::full_name));
    if proposal.is_empty() {
        SparkError::analysis("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", &[("objectName", &quoted(name))])
    } else {
        SparkError::analysis(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            &[("objectName", &quoted(name)), ("proposal", &proposal)],
        )
    }
}

/// A name that no column has, where columns are named and not referred to.
pub(super) fn no_such_name(name: &str, scope: &Scope) -> SparkError {
    let known: Vec<&str> = scope.attributes.iter().map(|a| a.name.as_str()).collect();
    SparkError::analysis("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", &[("colName", name), ("fieldNames", &known.join(", "))])
}

/// An argument that Spark checks by `require`, which has no condition.
pub(super) fn requirement(text: &str) -> SparkError {
    let text = format!("requirement failed: {text}");
    SparkError::new(firesteel_functions::ErrorKind::IllegalArgument, "INTERNAL_ERROR", &[("message", &text)])
}

/// A struct field that does not exist.
pub(super) fn field_not_found(name: &str, fields: &[firesteel_functions::types::StructField]) -> SparkError {
    let list = fields.iter().map(|f| format!("`{}`", f.name)).collect::<Vec<_>>().join(", ");
    SparkError::analysis("FIELD_NOT_FOUND", &[("fieldName", &format!("`{name}`")), ("fields", &list)])
}

/// A name that several columns have.
pub(super) fn ambiguous_reference(name: &[String], candidates: &[&Attribute]) -> SparkError {
    let list = candidates.iter().map(|a| quoted(&a.full_name())).collect::<Vec<_>>().join(", ");
    SparkError::analysis("AMBIGUOUS_REFERENCE", &[("name", &quoted(name)), ("referenceNames", &format!("[{list}]"))])
}

/// A table that does not exist.
pub(super) fn table_not_found(name: &[String], catalog: &str, database: &str) -> SparkError {
    let path = format!("[`system`.`session`, `{catalog}`.`{database}`]");
    SparkError::analysis("TABLE_OR_VIEW_NOT_FOUND", &[("relationName", &quoted(name)), ("searchPath", &path)])
}

/// A function that does not exist.
pub(super) fn unresolved_routine(name: &[String], catalog: &str, database: &str) -> SparkError {
    let path = format!("[`system`.`builtin`, `system`.`session`, `{catalog}`.`{database}`]");
    SparkError::analysis("UNRESOLVED_ROUTINE", &[("routineName", &quoted(name)), ("searchPath", &path)])
}

/// A wrong number of arguments.
pub(super) fn wrong_num_args(name: &str, expected: &str, actual: usize) -> SparkError {
    SparkError::analysis(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        &[
            ("functionName", &format!("`{name}`")),
            ("expectedNum", expected),
            ("actualNum", &actual.to_string()),
            ("docroot", "https://spark.apache.org/docs/latest"),
        ],
    )
}

/// The word for a place among arguments, counted from 0.
pub(super) fn ordinal(index: usize) -> &'static str {
    const WORDS: [&str; 9] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    WORDS.get(index).copied().unwrap_or("next")
}

/// An argument of a wrong type. `index` counts from 0.
pub(super) fn unexpected_input(sql: &str, index: usize, required: &str, input: &str, found: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        &[
            ("sqlExpr", &expression(sql)),
            ("paramIndex", ordinal(index)),
            ("requiredType", required),
            ("inputSql", &expression(input)),
            ("inputType", &sql_type(found)),
        ],
    )
}

/// Operands whose types differ.
pub(super) fn differing_types(sql: &str, left: &DataType, right: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
        &[("sqlExpr", &expression(sql)), ("left", &sql_type(left)), ("right", &sql_type(right))],
    )
}

/// Operands of a type an operator does not take.
pub(super) fn wrong_type(sql: &str, required: &str, actual: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
        &[("sqlExpr", &expression(sql)), ("inputType", required), ("actualDataType", &sql_type(actual))],
    )
}

/// Arguments that have no common type.
pub(super) fn data_diff_types(sql: &str, function: &str, types: &[DataType]) -> SparkError {
    let list = types.iter().map(sql_type).collect::<Vec<_>>().join(" or ");
    SparkError::analysis(
        "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        &[
            ("sqlExpr", &expression(sql)),
            ("functionName", &format!("`{function}`")),
            ("dataType", &format!("({list})")),
        ],
    )
}

/// A filter or join condition that is no boolean.
pub(super) fn filter_not_boolean(sql: &str, found: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
        &[("sqlExpr", &expression(sql)), ("filter", &expression(sql)), ("type", &sql_type(found))],
    )
}

/// `TIME` is switched off.
pub(super) fn no_time_type() -> SparkError {
    SparkError::analysis("UNSUPPORTED_TIME_TYPE", &[])
}

/// Something this engine does not do.
pub(super) fn unsupported(what: &str) -> SparkError {
    SparkError::unsupported(what)
}

/// A star where none is allowed.
pub(super) fn invalid_star() -> SparkError {
    SparkError::analysis("INVALID_USAGE_OF_STAR_OR_REGEX", &[("elem", "'*'"), ("prettyName", "expression")])
}

/// A grouping by an item of the select list that uses an alias to its left.
pub(super) fn lateral_group_by() -> SparkError {
    SparkError::analysis("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY", &[])
}

/// More aliases than columns.
pub(super) fn alias_count(count: usize) -> SparkError {
    SparkError::analysis(
        "NUM_COLUMNS_MISMATCH",
        &[
            ("operator", "alias"),
            ("firstNumColumns", "1"),
            ("invalidOrdinalNum", "first"),
            ("invalidNumColumns", &count.to_string()),
        ],
    )
}

/// Values of some types have no order.
pub(super) fn check_orderable(sql: &str, data_type: &DataType) -> SparkResult<()> {
    if is_orderable(data_type) {
        return Ok(());
    }
    Err(SparkError::analysis(
        "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
        &[("sqlExpr", &expression(sql)), ("functionName", "`sortorder`"), ("dataType", &sql_type(data_type))],
    ))
}

/// Whether values of a type have an order.
pub(super) fn is_orderable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map { .. } | DataType::Variant | DataType::CalendarInterval => false,
        DataType::Geometry(_) | DataType::Geography(_) => false,
        DataType::Array { element, .. } => is_orderable(element),
        DataType::Struct(s) => s.fields.iter().all(|f| is_orderable(&f.data_type)),
        _ => true,
    }
}

/// Values of some types cannot be compared.
pub(super) fn wrong_comparison(name: &str, sql: &str, found: &DataType) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
        &[("sqlExpr", &expression(sql)), ("functionName", &format!("`{name}`")), ("dataType", &sql_type(found))],
    )
}
