//! Which collation an expression has, and what that changes: operands meet in one collation, comparisons get keys.
//!
//! A collation is explicit (`COLLATE`), implicit (columns, casts of strings, subqueries) or a default (literals, functions of
//! those); explicit wins over implicit over default, and two different implicit ones leave none.
//! Source: <https://spark.apache.org/docs/latest/sql-ref-collation.html>.

mod keys;

use std::sync::Arc;

use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;
use firesteel_functions::arithmetic::{holds_float, normalize_float};
use firesteel_functions::collation::{Collation, key_expr};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult, registry};

use super::scope::Attribute;
use super::typed::Typed;
use super::{Analyzer, errors, plan};

pub(super) use keys::GroupKeys;

/// How firmly an expression has its collation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Strength {
    /// A literal, or a function of literals.
    #[default]
    Default,
    /// A column, a cast of a string, a subquery.
    Implicit,
    /// `COLLATE`.
    Explicit,
}

/// The collation that operands meet in; `None` without strings.
///
/// # Errors
/// `COLLATION_MISMATCH.EXPLICIT`.
pub(super) fn winner(values: &[&Typed]) -> SparkResult<Option<Collation>> {
    let mut found: Vec<(Strength, Collation)> = Vec::new();
    for value in values {
        if let Some(collation) = first(&value.data_type) {
            found.push((value.strength, collation));
        }
    }
    let of = |strength: Strength| {
        let mut all: Vec<Collation> = Vec::new();
        for (_, collation) in found.iter().filter(|(own, _)| *own == strength) {
            if !all.contains(collation) {
                all.push(*collation);
            }
        }
        all
    };
    match of(Strength::Explicit).as_slice() {
        [] => {}
        [one] => return Ok(Some(*one)),
        several => {
            let types: Vec<String> = several.iter().map(|c| format!("\"STRING COLLATE {}\"", c.name())).collect();
            return Err(SparkError::analysis(
                "COLLATION_MISMATCH.EXPLICIT",
                &[("explicitTypes", &format!("[{}]", types.join(", ")))],
            ));
        }
    }
    if found.iter().any(|(_, collation)| collation.is_indeterminate()) {
        return Ok(Some(Collation::INDETERMINATE));
    }
    match of(Strength::Implicit).as_slice() {
        [] => {}
        [one] => return Ok(Some(*one)),
        _ => return Ok(Some(Collation::INDETERMINATE)),
    }
    let defaults = of(Strength::Default);
    Ok(defaults.iter().find(|collation| !collation.is_binary()).or(defaults.first()).copied())
}

/// The collation of the first string in a value, a collated one before others.
fn first(data_type: &DataType) -> Option<Collation> {
    let all = data_type.collations();
    all.iter().find(|collation| !collation.is_binary()).or(all.first()).copied()
}

/// The same value in a collation. A bare literal says so in its text.
pub(super) fn in_collation(mut value: Typed, collation: Collation) -> Typed {
    let to = value.data_type.with_collation(collation);
    if to == value.data_type {
        return value;
    }
    if let (DataType::String, Expr::Literal(ScalarValue::Utf8(Some(text)), _)) = (&value.data_type, &value.expr)
        && !value.named
        && value.name == *text
    {
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        value.name = format!("'{quoted}' collate {}", collation.name());
        value.text = None;
    }
    value.data_type = to;
    value
}

/// What the engine compares in place of a value, for keys of groups, joins, sorts and windows: strings by their collation,
/// floats with one zero and one NaN.
///
/// # Errors
/// Values whose strings have several collations.
pub(super) fn keyed(expr: Expr, data_type: &DataType) -> SparkResult<Expr> {
    let expr = match holds_float(&data_type.to_arrow()) {
        true => normalize_float(expr),
        false => expr,
    };
    collated(expr, data_type)
}

/// Whether a key is what is compared in place of a value.
///
/// # Errors
/// As [`keyed`].
pub(super) fn compares(key: &Expr, value: &Typed) -> SparkResult<bool> {
    Ok(*key == keyed(value.expr.clone(), &value.data_type)?)
}

/// What the engine compares in place of a value for the sake of its strings.
///
/// # Errors
/// Values whose strings have several collations.
pub(super) fn collated(expr: Expr, data_type: &DataType) -> SparkResult<Expr> {
    if !data_type.is_collated() {
        return Ok(expr);
    }
    match data_type.collations().as_slice() {
        [one] if !one.is_indeterminate() => Ok(key_expr(expr, *one)),
        [_] => Ok(expr),
        _ => Err(errors::unsupported("comparing values with strings of several collations")),
    }
}

/// The result type of a function: strings in it have the collation of the strings it was made of, except where it makes text
/// of its own.
pub(super) fn result_type(name: &str, args: &[Typed], plain: DataType) -> DataType {
    if args.iter().all(|arg| !arg.data_type.is_collated()) || plain.collations().is_empty() || OWN_TEXT.contains(&name)
    {
        return plain;
    }
    let of = |at: usize| args.get(at).map(|arg| arg.data_type.clone());
    let shaped = match name {
        "spark_collated_array_distinct"
        | "spark_collated_array_union"
        | "spark_collated_array_intersect"
        | "spark_collated_array_except"
        | "spark_collated_array_remove"
        | "spark_collated_array_sort"
        | "spark_collated_sort_array"
        | "array_repeat"
        | "array_compact"
        | "slice"
        | "shuffle"
        | "array_distinct"
        | "filter"
        | "array_sort"
        | "sort_array"
        | "array_append"
        | "array_prepend"
        | "array_insert"
        | "array_union"
        | "array_except"
        | "array_intersect"
        | "array_remove"
        | "map_filter"
        | "map_concat"
        | "max"
        | "min"
        | "first"
        | "last"
        | "first_value"
        | "last_value"
        | "any_value"
        | "mode"
        | "max_by"
        | "min_by"
        | "lag"
        | "lead"
        | "nth_value"
        | "reverse"
        | "nullif"
        | "struct"
        | "arrays_zip"
        | "map_entries" => of(0),
        "spark_array_item" | "element_at" | "try_element_at" | "get" | "array_max" | "array_min" | "flatten" => {
            match of(0) {
                Some(DataType::Array { element, .. }) => Some(*element),
                Some(DataType::Map { value, .. }) => Some(*value),
                _ => None,
            }
        }
        "map_keys" => match of(0) {
            Some(DataType::Map { key, .. }) => Some(*key),
            _ => None,
        },
        "map_values" => match of(0) {
            Some(DataType::Map { value, .. }) => Some(*value),
            _ => None,
        },
        _ => None,
    };
    if let Some(shaped) = shaped {
        return graft(&plain, &shaped);
    }
    if let (DataType::Map { key, value, value_contains_null }, "map" | "map_from_arrays") = (&plain, name) {
        let side = |made: &DataType, at: usize| of(at).map_or_else(|| made.clone(), |from| graft_text(made, &from));
        return DataType::Map {
            key: Box::new(side(key, 0)),
            value: Box::new(side(value, 1)),
            value_contains_null: *value_contains_null,
        };
    }
    match args.iter().find_map(|arg| first(&arg.data_type).filter(|c| !c.is_binary())) {
        Some(collation) => plain.with_collation(collation),
        None => plain,
    }
}

/// Functions that make text of their own, in the default collation.
const OWN_TEXT: &[&str] = &[
    "md5",
    "sha",
    "sha1",
    "sha2",
    "base64",
    "soundex",
    "date_format",
    "from_unixtime",
    "get_json_object",
    "parse_url",
    "try_parse_url",
    "quote",
    "to_json",
    "to_csv",
    "to_xml",
    "typeof",
    "url_encode",
    "url_decode",
    "try_url_decode",
    "format_number",
    "to_char",
    "to_varchar",
    "decode",
    "conv",
    "bin",
    "char",
    "chr",
    "schema_of_json",
    "schema_of_csv",
    "schema_of_xml",
    "from_json",
    "from_csv",
    "from_xml",
    "parse_json",
    "try_parse_json",
    "variant_get",
    "try_variant_get",
    "xpath",
    "xpath_string",
    "aes_decrypt",
    "try_aes_decrypt",
    "hmac",
    "encode",
    "collation",
    "monthname",
    "dayname",
    "spark_cast",
];

/// `made` with the collations of a type of the same shape.
fn graft(made: &DataType, from: &DataType) -> DataType {
    match (made, from) {
        (text, from) if text.is_string() && from.is_string() => from.clone(),
        (DataType::Array { element: a, contains_null }, DataType::Array { element: b, .. }) => {
            DataType::Array { element: Box::new(graft(a, b)), contains_null: *contains_null }
        }
        (
            DataType::Map { key: k, value: v, value_contains_null },
            DataType::Map { key: from_key, value: from_value, .. },
        ) => DataType::Map {
            key: Box::new(graft(k, from_key)),
            value: Box::new(graft(v, from_value)),
            value_contains_null: *value_contains_null,
        },
        (DataType::Struct(a), DataType::Struct(b)) if a.fields.len() == b.fields.len() => {
            let mut out = a.clone();
            for (field, from) in out.fields.iter_mut().zip(&b.fields) {
                field.data_type = graft(&field.data_type, &from.data_type);
            }
            DataType::Struct(out)
        }
        _ => graft_text(made, from),
    }
}

/// `made` with the first collation of another type.
fn graft_text(made: &DataType, from: &DataType) -> DataType {
    match first(from) {
        Some(collation) => made.with_collation(collation),
        None => made.clone(),
    }
}

/// Rows that hold maps are told apart by no set operation.
pub(super) fn refuse_maps(columns: &[Attribute]) -> SparkResult<()> {
    fn holds_map(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map { .. } => true,
            DataType::Array { element, .. } => holds_map(element),
            DataType::Struct(fields) => fields.fields.iter().any(|field| holds_map(&field.data_type)),
            _ => false,
        }
    }
    match columns.iter().find(|column| holds_map(&column.data_type)) {
        None => Ok(()),
        Some(column) => Err(SparkError::analysis(
            "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
            &[
                ("colName", &errors::quoted(std::slice::from_ref(&column.name))),
                ("dataType", &errors::sql_type(&column.data_type)),
            ],
        )),
    }
}

impl Analyzer<'_> {
    /// `DISTINCT` over columns; of rows equal by their collations the first stands for all.
    pub(super) fn distinct(&self, input: LogicalPlan, columns: &[Attribute]) -> SparkResult<LogicalPlan> {
        if let Some(column) = columns.iter().find(|column| column.data_type == DataType::Variant) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE",
                &[
                    ("colName", &errors::quoted(std::slice::from_ref(&column.name))),
                    ("dataType", &errors::sql_type(&column.data_type)),
                ],
            ));
        }
        refuse_maps(columns)?;
        if columns.iter().all(|c| !c.data_type.is_collated()) {
            return plan::distinct(input);
        }
        let mut group = Vec::with_capacity(columns.len());
        let mut firsts = Vec::new();
        for attribute in columns {
            if attribute.data_type.is_collated() {
                let key = keyed(attribute.expr(), &attribute.data_type)?;
                group.push(plan::named(key, self.fresh()));
                firsts.push(plan::named(self.first_of_group(attribute)?, attribute.id));
            } else {
                group.push(plan::named(keyed(attribute.expr(), &attribute.data_type)?, attribute.id));
            }
        }
        let aggregate = Aggregate::try_new(Arc::new(input), group, firsts).map_err(errors::planning)?;
        plan::keep(LogicalPlan::Aggregate(aggregate), columns)
    }

    /// `first(column)`.
    pub(super) fn first_of_group(&self, attribute: &Attribute) -> SparkResult<Expr> {
        self.first_value(Typed::attribute(attribute))
    }

    /// `first(value)`.
    pub(super) fn first_value(&self, value: Typed) -> SparkResult<Expr> {
        let Some(first) = registry().aggregate("first") else {
            return Err(errors::unsupported("grouping by collated strings without the function first"));
        };
        Ok(self.call_aggregate(&first, vec![value], "first".to_string(), Default::default())?.expr)
    }
}
