//! Which types the arguments of array and map functions are brought to: numbers widen, strings never give way.
//!
//! Source: the coercion Spark's collection expressions do themselves, described in its documentation of ANSI rules.

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use super::coerce::{list_of, map_of, mismatch, sql_name, wider};
use crate::error::SparkError;

/// The wider of two types where no value changes its kind: what `wider` gives, unless a string would become something else.
pub(crate) fn wider_without_strings(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{List, Map, Null, Struct};
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Null, t) | (t, Null) => Some(t.clone()),
        (List(x), List(y)) => {
            let element = wider_without_strings(x.data_type(), y.data_type())?;
            Some(list_of(element, x.is_nullable() || y.is_nullable()))
        }
        (Map(x, _), Map(y, _)) => match (x.data_type(), y.data_type()) {
            (Struct(x), Struct(y)) => match (x.as_ref(), y.as_ref()) {
                ([k, v], [l, w]) => Some(map_of(
                    wider_without_strings(k.data_type(), l.data_type())?,
                    wider_without_strings(v.data_type(), w.data_type())?,
                    v.is_nullable() || w.is_nullable(),
                )),
                _ => None,
            },
            _ => None,
        },
        (Struct(x), Struct(y)) if x.len() == y.len() => {
            let fields = x.iter().zip(y).map(|(x, y)| {
                let same = x.name().eq_ignore_ascii_case(y.name());
                let both = x.is_nullable() || y.is_nullable();
                let joined = wider_without_strings(x.data_type(), y.data_type()).filter(|_| same)?;
                Some(Field::new(x.name(), joined, both))
            });
            fields.collect::<Option<Vec<_>>>().map(|fields| Struct(Fields::from(fields)))
        }
        _ if string(a) != string(b) => None,
        _ => wider(a, b),
    }
}

/// The tighter rule of functions of two arrays: whole numbers and binary fractions widen among themselves.
fn tightest(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (DataType::List(x), DataType::List(y)) => {
            let element = tightest(x.data_type(), y.data_type())?;
            Some(list_of(element, x.is_nullable() || y.is_nullable()))
        }
        (DataType::Decimal128(..), other) | (other, DataType::Decimal128(..)) if a != b && *other != DataType::Null => {
            // A decimal takes in whole numbers it has room for, and nothing else.
            let joined = wider(a, b)?;
            (other.is_integer() && (joined == *a || joined == *b)).then_some(joined)
        }
        _ => wider_without_strings(a, b),
    }
}

fn string(t: &DataType) -> bool {
    matches!(t, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn refuse(sub: &str, name: &str, left: &DataType, right: &DataType, kind: &str) -> SparkError {
    let (sql, function) = (format!("\"{name}\""), format!("`{name}`"));
    SparkError::analysis(
        &format!("DATATYPE_MISMATCH.{sub}"),
        &[
            ("sqlExpr", &sql),
            ("functionName", &function),
            ("dataType", kind),
            ("leftType", &sql_name(left)),
            ("rightType", &sql_name(right)),
            ("arrayType", kind),
        ],
    )
}

fn null_typed(name: &str) -> SparkError {
    SparkError::analysis(
        "DATATYPE_MISMATCH.NULL_TYPE",
        &[("sqlExpr", &format!("\"{name}\"")), ("functionName", &format!("`{name}`"))],
    )
}

/// What a null without a type is to a function of an array and an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untyped {
    /// An element like any other.
    Element,
    /// Refused with `DATATYPE_MISMATCH.NULL_TYPE`.
    Refused,
}

/// An array and a value of one element type.
///
/// # Errors
/// `UNEXPECTED_INPUT_TYPE` for what is no array, `ARRAY_FUNCTION_DIFF_TYPES` for another type of element.
pub(crate) fn element_pair(name: &str, types: &[DataType], value: usize, untyped: Untyped) -> Result<Vec<DataType>> {
    let mut out = types.to_vec();
    let (Some(array), Some(given)) = (types.first(), types.get(value)) else { return Ok(out) };
    if untyped == Untyped::Refused && (*array == DataType::Null || *given == DataType::Null) {
        return Err(null_typed(name).into());
    }
    let DataType::List(field) = array else { return Err(mismatch(name, 0, "\"ARRAY\"", array).into()) };
    let Some(element) = wider_without_strings(field.data_type(), given) else {
        return Err(refuse("ARRAY_FUNCTION_DIFF_TYPES", name, array, given, "\"ARRAY\"").into());
    };
    if let Some(slot) = out.get_mut(value) {
        slot.clone_from(&element);
    }
    if let Some(slot) = out.first_mut() {
        *slot = list_of(element, field.is_nullable());
    }
    Ok(out)
}

/// Two arrays of one element type.
///
/// # Errors
/// `BINARY_ARRAY_DIFF_TYPES` when there is none.
pub(crate) fn two_arrays(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let (Some(left), Some(right)) = (types.first(), types.get(1)) else { return Ok(types.to_vec()) };
    if let (DataType::List(_), DataType::List(_)) = (left, right)
        && let Some(one) = tightest(left, right)
    {
        return Ok(vec![one.clone(), one]);
    }
    Err(refuse("BINARY_ARRAY_DIFF_TYPES", name, left, right, "\"ARRAY\"").into())
}

/// A map and a key of its type.
///
/// # Errors
/// `NULL_TYPE` for a null without type, `MAP_FUNCTION_DIFF_TYPES` for another type of key or what is no map.
pub(crate) fn map_and_key(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let (Some(map), Some(given)) = (types.first(), types.get(1)) else { return Ok(types.to_vec()) };
    if *given == DataType::Null {
        return Err(null_typed(name).into());
    }
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
        && let Some(one) = wider_without_strings(key.data_type(), given)
    {
        let map = map_of(one.clone(), value.data_type().clone(), value.is_nullable());
        return Ok(vec![map, one]);
    }
    Err(refuse("MAP_FUNCTION_DIFF_TYPES", name, map, given, "\"MAP\"").into())
}

/// Whether a type is the wanted one.
pub(crate) type Fits = fn(&DataType) -> bool;

/// Arguments that must have exactly these types: nothing is cast but a typed null of the same kind.
///
/// # Errors
/// `UNEXPECTED_INPUT_TYPE` for the first that has another one.
pub(crate) fn exactly(name: &str, types: &[DataType], wanted: &[(&str, Fits)]) -> Result<Vec<DataType>> {
    for (index, (given, (shown, fits))) in types.iter().zip(wanted).enumerate() {
        if !fits(given) {
            return Err(mismatch(name, index, &format!("\"{shown}\""), given).into());
        }
    }
    Ok(types.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_do_not_give_way_to_numbers() {
        let array = list_of(DataType::Int32, false);
        assert!(element_pair("array_contains", &[array.clone(), DataType::Utf8], 1, Untyped::Refused).is_err());
        let wide = element_pair("array_contains", &[array, DataType::Int64], 1, Untyped::Refused).unwrap();
        assert_eq!(wide, vec![list_of(DataType::Int64, false), DataType::Int64]);
    }

    #[test]
    fn sets_of_whole_numbers_and_decimals_differ() {
        let whole = list_of(DataType::Int32, false);
        let decimal = list_of(DataType::Decimal128(2, 1), false);
        assert!(two_arrays("array_except", &[whole.clone(), decimal]).is_err());
        assert!(two_arrays("array_except", &[whole, list_of(DataType::Decimal128(20, 0), false)]).is_ok());
    }
}
