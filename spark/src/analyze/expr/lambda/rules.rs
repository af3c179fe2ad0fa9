//! What each higher-order function takes: kinds of arguments and parameters of lambdas.
//!
//! Source: the pages of Spark's built-in functions on lambda functions. It resolves nothing.

use firesteel_functions::types::DataType;

use crate::analyze::coerce;
use crate::analyze::typed::Typed;
use crate::spec::{self, ExprKind};

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An array.
    Array,
    /// A map.
    Map,
    /// Any value.
    Any,
    /// A lambda, or a body without parameters.
    Lambda,
}

/// A parameter a lambda is given.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether a lambda may leave it out.
    pub optional: bool,
}

fn given(data_type: &DataType, nullable: bool) -> Parameter {
    Parameter { data_type: data_type.clone(), nullable, optional: false }
}

/// Arguments of a function, and how many of them are needed.
pub(super) fn signature(name: &str) -> Option<(&'static [Kind], usize)> {
    use Kind::{Any, Array, Lambda, Map};
    Some(match name {
        "transform" | "filter" | "exists" | "forall" | "array_sort" => (&[Array, Lambda], 2),
        "aggregate" | "reduce" => (&[Array, Any, Lambda, Lambda], 3),
        "zip_with" => (&[Array, Array, Lambda], 3),
        "transform_keys" | "transform_values" | "map_filter" => (&[Map, Lambda], 2),
        "map_zip_with" => (&[Map, Map, Lambda], 3),
        _ => return None,
    })
}

/// Parameters of the lambda number `lambda` of a call with these values.
pub(super) fn parameters(name: &str, values: &[Typed], lambda: usize) -> Option<Vec<Parameter>> {
    let element = |at: usize| match &values.get(at)?.data_type {
        DataType::Array { element, contains_null } => Some((element.as_ref(), *contains_null)),
        _ => None,
    };
    let entry = |at: usize| match &values.get(at)?.data_type {
        DataType::Map { key, value, value_contains_null } => Some((key.as_ref(), value.as_ref(), *value_contains_null)),
        _ => None,
    };
    Some(match name {
        "transform" | "filter" => {
            let (of, nullable) = element(0)?;
            vec![given(of, nullable), Parameter { data_type: DataType::Integer, nullable: false, optional: true }]
        }
        "exists" | "forall" => {
            let (of, nullable) = element(0)?;
            vec![given(of, nullable)]
        }
        "array_sort" => {
            let (of, nullable) = element(0)?;
            vec![given(of, nullable), given(of, nullable)]
        }
        "aggregate" | "reduce" => {
            let (of, nullable) = element(0)?;
            let accumulator = given(&values.get(1)?.data_type, true);
            if lambda == 0 { vec![accumulator, given(of, nullable)] } else { vec![accumulator] }
        }
        "zip_with" => vec![given(element(0)?.0, true), given(element(1)?.0, true)],
        "transform_keys" | "transform_values" | "map_filter" => {
            let (key, value, nullable) = entry(0)?;
            vec![given(key, false), given(value, nullable)]
        }
        "map_zip_with" => {
            let ((key, left, _), (_, right, _)) = (entry(0)?, entry(1)?);
            vec![given(key, false), given(left, true), given(right, true)]
        }
        _ => return None,
    })
}

/// The type two types of map keys share without loss of meaning: wider decimals and structs, but never strings.
pub(super) fn wider_keys(left: &DataType, right: &DataType) -> Option<DataType> {
    let atomic_string = |t: &DataType| matches!(t, DataType::String | DataType::Char(_) | DataType::Varchar(_));
    if atomic_string(left) != atomic_string(right) {
        return None;
    }
    coerce::wider(left, right, true)
}

/// Whether two types differ in nullability and names of fields only.
pub(super) fn same_structure(left: &DataType, right: &DataType) -> bool {
    match (left, right) {
        (DataType::Array { element: l, .. }, DataType::Array { element: r, .. }) => same_structure(l, r),
        (DataType::Map { key: lk, value: lv, .. }, DataType::Map { key: rk, value: rv, .. }) => {
            same_structure(lk, rk) && same_structure(lv, rv)
        }
        (DataType::Struct(l), DataType::Struct(r)) => {
            l.fields.len() == r.fields.len()
                && l.fields.iter().zip(&r.fields).all(|(l, r)| same_structure(&l.data_type, &r.data_type))
        }
        _ => left == right,
    }
}

/// Whether a type is or holds a map.
pub(super) fn contains_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map { .. } => true,
        DataType::Array { element, .. } => contains_map(element),
        DataType::Struct(fields) => fields.fields.iter().any(|field| contains_map(&field.data_type)),
        _ => false,
    }
}

/// Text of a lambda whose parameters have no types.
pub(super) fn unbound_text(lambda: &spec::Expr) -> String {
    match &*lambda.kind {
        ExprKind::Lambda { params, .. } => format!("lambdafunction(.., {})", params.join(", ")),
        _ => "lambdafunction(..)".to_string(),
    }
}

/// Functions that the registry does not hold because the analyzer itself builds them.
pub(super) fn is_special(name: &str) -> bool {
    matches!(
        name,
        "coalesce"
            | "if"
            | "iff"
            | "count"
            | "struct"
            | "named_struct"
            | "nvl"
            | "nvl2"
            | "ifnull"
            | "nullif"
            | "isnull"
            | "isnotnull"
            | "typeof"
            | "when"
            | "cast"
            | "like"
            | "ilike"
            | "in"
            | "window"
            | "grouping"
            | "grouping_id"
            | "extract"
            | "date_part"
            | "datepart"
            | "greatest"
            | "least"
            | "abs"
            | "negative"
            | "positive"
            | "mod"
            | "substr"
            | "substring"
            | "rand"
            | "random"
            | "randn"
            | "not"
            | "and"
            | "or"
    )
}

/// The last part of the name of the class Spark gives a function, as far as it follows from the function's name.
pub(super) fn class_of(name: &str) -> String {
    match name {
        "ceil" | "ceiling" => "CeilExpressionBuilder$".to_string(),
        "floor" => "FloorExpressionBuilder$".to_string(),
        "explode" => "ExplodeExpressionBuilder$".to_string(),
        _ if firesteel_functions::registry().aggregate(name).is_some() => "aggregate.AggregateExpression".to_string(),
        _ => {
            let word = |part: &str| {
                let mut letters = part.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            };
            name.split('_').map(word).collect()
        }
    }
}
