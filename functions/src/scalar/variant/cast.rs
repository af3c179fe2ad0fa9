//! Casts from and to variants.

use arrow::array::{Array, ArrayRef};

use super::text::{plain_decimal, uuid};
use super::{Node, decode};
use crate::cast::{CastMode, canonical, cast_array, rules};
use crate::error::{SparkError, SparkResult, sql_type};
use crate::scalar::datum::{self, Datum};
use crate::time::Zone;
use crate::types::DataType;

/// An array of variants as another type.
///
/// # Errors
/// `INVALID_VARIANT_CAST` for a value that does not fit, unless `mode` is [`CastMode::Try`].
pub(crate) fn to_array(array: &ArrayRef, to: &DataType, mode: CastMode, zone: &Zone) -> SparkResult<ArrayRef> {
    let array = canonical(array, &DataType::Variant)?;
    let mut values = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        values.push(match datum::read(&DataType::Variant, array.as_ref(), row)? {
            Datum::Variant(variant) => convert(&decode(&variant)?, to, mode, zone)?,
            _ => Datum::Null,
        });
    }
    datum::build(to, values)
}

/// An array of any type that casts to variants, as variants; NULL stays NULL.
///
/// # Errors
/// An array that does not carry its type, or a field name that repeats.
pub(crate) fn from_array(array: &ArrayRef, from: &DataType) -> SparkResult<ArrayRef> {
    let array = canonical(array, from)?;
    let mut values = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        values.push(match datum::read(from, array.as_ref(), row)? {
            Datum::Null => Datum::Null,
            value => Datum::Variant(node(value, from)?.encode()),
        });
    }
    datum::build(&DataType::Variant, values)
}

/// A value as a tree; NULL inside is the variant null.
pub(super) fn node(value: Datum, from: &DataType) -> SparkResult<Node> {
    use DataType as T;
    let object = |fields: Vec<(String, Node)>| {
        let repeated = repeated_name(&fields);
        Node::object(fields).ok_or_else(|| SparkError::runtime("VARIANT_DUPLICATE_KEY", &[("key", &repeated)]))
    };
    Ok(match (from, value) {
        (_, Datum::Null) => Node::Null,
        (_, Datum::Bool(value)) => Node::Bool(value),
        (T::Date, Datum::Int(days)) => Node::Date(i32::try_from(days).unwrap_or(0)),
        (T::Timestamp, Datum::Int(micros)) => Node::Timestamp(micros),
        (T::TimestampNtz, Datum::Int(micros)) => Node::TimestampNtz(micros),
        (_, Datum::Int(value)) => Node::Long(value),
        (_, Datum::Float(value)) => Node::Float(value),
        (_, Datum::Double(value)) => Node::Double(value),
        (T::Decimal(_, scale), Datum::Decimal(digits)) => Node::Decimal(digits, scale.unsigned_abs()),
        (_, Datum::Text(text)) => Node::Text(text),
        (_, Datum::Bytes(bytes)) => Node::Binary(bytes),
        (_, Datum::Variant(variant)) => decode(&variant)?,
        (T::Array { element, .. }, Datum::List(items)) => {
            Node::Array(items.into_iter().map(|item| node(item, element)).collect::<SparkResult<_>>()?)
        }
        (T::Map { value: to, .. }, Datum::Map(entries)) => {
            let fields = entries.into_iter().map(|(key, value)| match key {
                Datum::Text(name) => Ok((name, node(value, to)?)),
                _ => Err(SparkError::internal("a key of a variant must be a string")),
            });
            object(fields.collect::<SparkResult<_>>()?)?
        }
        (T::Struct(types), Datum::Row(values)) => {
            let fields =
                types.fields.iter().zip(values).map(|(f, value)| Ok((f.name.clone(), node(value, &f.data_type)?)));
            object(fields.collect::<SparkResult<_>>()?)?
        }
        (from, _) => return Err(SparkError::internal(format!("{} is no variant", from.sql()))),
    })
}

fn repeated_name(fields: &[(String, Node)]) -> String {
    let repeats = |(index, (name, _)): &(usize, &(String, Node))| fields.iter().skip(index + 1).any(|(n, _)| n == name);
    fields.iter().enumerate().find(repeats).map_or_else(String::new, |(_, (name, _))| name.clone())
}

/// One tree as a value of a type; the variant null is NULL.
pub(super) fn convert(node: &Node, to: &DataType, mode: CastMode, zone: &Zone) -> SparkResult<Datum> {
    use DataType as T;
    let inner = |node: &Node, to: &DataType| convert(node, to, mode, zone);
    match (to, node) {
        (T::Variant, node) => Ok(Datum::Variant(node.encode())),
        (_, Node::Null) => Ok(Datum::Null),
        (T::Array { element, .. }, Node::Array(items)) => {
            Ok(Datum::List(items.iter().map(|item| inner(item, element)).collect::<SparkResult<_>>()?))
        }
        (T::Map { value, .. }, Node::Object(fields)) => {
            let entries = fields.iter().map(|(name, item)| Ok((Datum::Text(name.clone()), inner(item, value)?)));
            Ok(Datum::Map(entries.collect::<SparkResult<_>>()?))
        }
        (T::Struct(types), Node::Object(fields)) => {
            let values = types.fields.iter().map(|field| {
                let found = fields.iter().find(|(name, _)| *name == field.name);
                found.map_or(Ok(Datum::Null), |(_, item)| inner(item, &field.data_type))
            });
            Ok(Datum::Row(values.collect::<SparkResult<_>>()?))
        }
        (T::String | T::Collated(_), node) => Ok(Datum::Text(string(node, zone)?)),
        (T::Array { .. } | T::Map { .. } | T::Struct(_), node) => invalid(node, to, mode, zone),
        (to, Node::Array(_) | Node::Object(_)) => invalid(node, to, mode, zone),
        (to, node) => match scalar(node, to, zone)? {
            Some(value) => Ok(value),
            None => invalid(node, to, mode, zone),
        },
    }
}

fn invalid(node: &Node, to: &DataType, mode: CastMode, zone: &Zone) -> SparkResult<Datum> {
    if mode == CastMode::Try {
        return Ok(Datum::Null);
    }
    let value = node.to_json(zone).compact();
    Err(SparkError::runtime("INVALID_VARIANT_CAST", &[("value", &value), ("dataType", &sql_type(to))]))
}

fn string(node: &Node, zone: &Zone) -> SparkResult<String> {
    Ok(match node {
        Node::Text(text) => text.clone(),
        Node::Uuid(bytes) => uuid(bytes),
        Node::Decimal(digits, scale) => plain_decimal(*digits, *scale),
        Node::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Node::Timestamp(micros) => crate::time::format_local(zone.to_local(*micros)),
        Node::Date(_) | Node::TimestampNtz(_) => match node.to_json(zone) {
            crate::scalar::json::Json::Text(text) => text,
            other => other.compact(),
        },
        Node::Double(value) => crate::display::java_double(*value),
        Node::Float(value) => crate::display::java_float(*value),
        other => other.to_json(zone).compact(),
    })
}

fn scalar(node: &Node, to: &DataType, zone: &Zone) -> SparkResult<Option<Datum>> {
    // The commonest pairs need no array.
    let whole = |value: i64| match to {
        DataType::Byte => Some(i8::try_from(value).is_ok()),
        DataType::Short => Some(i16::try_from(value).is_ok()),
        DataType::Integer => Some(i32::try_from(value).is_ok()),
        DataType::Long => Some(true),
        _ => None,
    };
    if let Node::Long(value) = node
        && let Some(fits) = whole(*value)
    {
        return Ok(fits.then_some(Datum::Int(*value)));
    }
    let (from, value) = match node {
        Node::Bool(value) => (DataType::Boolean, Datum::Bool(*value)),
        Node::Long(value) => (DataType::Long, Datum::Int(*value)),
        Node::Double(value) => (DataType::Double, Datum::Double(*value)),
        Node::Float(value) => (DataType::Float, Datum::Float(*value)),
        Node::Decimal(digits, scale) => {
            let precision = digits.unsigned_abs().to_string().len().max(usize::from(*scale)).min(38);
            let scale = i8::try_from(*scale).unwrap_or(0);
            (DataType::Decimal(u8::try_from(precision).unwrap_or(38), scale), Datum::Decimal(*digits))
        }
        Node::Date(days) => (DataType::Date, Datum::Int(i64::from(*days))),
        Node::Timestamp(micros) => (DataType::Timestamp, Datum::Int(*micros)),
        Node::TimestampNtz(micros) => (DataType::TimestampNtz, Datum::Int(*micros)),
        Node::Binary(bytes) => (DataType::Binary, Datum::Bytes(bytes.clone())),
        Node::Text(text) => (DataType::String, Datum::Text(text.clone())),
        Node::Uuid(bytes) => (DataType::String, Datum::Text(uuid(bytes))),
        Node::Null | Node::Array(_) | Node::Object(_) => return Ok(None),
    };
    if from == *to {
        return Ok(Some(value));
    }
    if !rules::can_cast(&from, to, CastMode::Ansi) {
        return Ok(None);
    }
    let array = cast_array(&datum::build(&from, vec![value])?, &from, to, CastMode::Try, zone)?;
    Ok(Some(datum::read(to, array.as_ref(), 0)?).filter(|value| !matches!(value, Datum::Null)))
}

/// Whether a variant casts to this type, or, without structs and maps, whether a value of this type casts to a variant.
pub(crate) fn castable(data_type: &DataType, structs_and_maps: bool) -> bool {
    use DataType as T;
    match data_type {
        T::Boolean | T::String | T::Collated(_) | T::Binary | T::Date | T::Timestamp | T::TimestampNtz | T::Variant => {
            true
        }
        T::Array { element, .. } => castable(element, structs_and_maps),
        T::Map { key, value, .. } => structs_and_maps && **key == T::String && castable(value, true),
        T::Struct(fields) => structs_and_maps && fields.fields.iter().all(|field| castable(&field.data_type, true)),
        other => other.is_numeric(),
    }
}
