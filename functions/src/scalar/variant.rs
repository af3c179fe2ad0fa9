//! `VARIANT` values: Spark's binary form, which is Parquet's, the tree it is decoded to, and the functions over them.
//! Source: <https://github.com/apache/parquet-format/blob/master/VariantEncoding.md>.

mod aggregate;
mod cast;
mod decode;
mod edit;
mod encode;
mod functions;
mod path;
mod schema;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use aggregate::all as aggregates;
pub(crate) use cast::{castable, from_array, to_array};
pub(crate) use decode::decode;
pub(crate) use functions::all;

use crate::scalar::json::Json;

/// A variant as it is stored: the value, and the dictionary of field names.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Variant {
    /// The value.
    pub(crate) value: Vec<u8>,
    /// The field names.
    pub(crate) metadata: Vec<u8>,
}

/// A decoded variant. Fields of an object are in the order of their names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// The variant null, which is not NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of any width.
    Long(i64),
    /// A double.
    Double(f64),
    /// Digits and scale.
    Decimal(i128, u8),
    /// A float.
    Float(f32),
    /// Days.
    Date(i32),
    /// Microseconds of an instant.
    Timestamp(i64),
    /// Microseconds of a wall-clock time.
    TimestampNtz(i64),
    /// Bytes.
    Binary(Vec<u8>),
    /// A string.
    Text(String),
    /// A UUID.
    Uuid([u8; 16]),
    /// An array.
    Array(Vec<Node>),
    /// An object.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// An object; `None` if a name repeats.
    pub(crate) fn object(mut fields: Vec<(String, Node)>) -> Option<Self> {
        fields.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let repeated = fields.iter().zip(fields.iter().skip(1)).any(|(a, b)| a.0 == b.0);
        (!repeated).then_some(Self::Object(fields))
    }
}

/// The variant of a JSON value; `None` if a field name repeats or a number fits no type.
pub(crate) fn from_json(value: &Json) -> Option<Node> {
    Some(match value {
        Json::Null => Node::Null,
        Json::Bool(value) => Node::Bool(*value),
        Json::Int(text) => match text.parse() {
            Ok(value) => Node::Long(value),
            Err(_) => number(text)?,
        },
        Json::Float(text) => number(text)?,
        Json::Text(text) => Node::Text(text.clone()),
        Json::Array(items) => Node::Array(items.iter().map(from_json).collect::<Option<_>>()?),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.clone(), from_json(value)?)));
            Node::object(fields.collect::<Option<_>>()?)?
        }
    })
}

/// The variant of a text in a document that knows no types: a number, a boolean or a string.
pub(crate) fn from_text(text: &str) -> Node {
    if let Ok(value) = text.parse() {
        return Node::Long(value);
    }
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    let found = if numeric { with_exponent(text) } else { None };
    match text {
        "true" => Node::Bool(true),
        "false" => Node::Bool(false),
        text => found.unwrap_or_else(|| Node::Text(text.to_owned())),
    }
}

/// A decimal also where the text has an exponent.
fn with_exponent(text: &str) -> Option<Node> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return number(text).filter(|_| text.bytes().any(|byte| byte.is_ascii_digit()));
    };
    let exponent: i32 = exponent.parse().ok()?;
    match number(mantissa)? {
        Node::Decimal(digits, scale) => {
            let scale = i32::from(scale) - exponent;
            let grown = u32::try_from(-scale).unwrap_or(0);
            match digits.checked_mul(10_i128.checked_pow(grown)?) {
                Some(digits) if scale <= 38 => Some(Node::Decimal(digits, u8::try_from(scale.max(0)).ok()?)),
                _ => text.parse().ok().map(Node::Double),
            }
        }
        _ => text.parse().ok().map(Node::Double),
    }
}

/// A decimal where the text has no exponent and at most 38 digits, else a double.
fn number(text: &str) -> Option<Node> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    let joined = format!("{whole}{fraction}");
    let significant = joined.trim_start_matches('0').len();
    if plain && !joined.is_empty() && significant <= 38 && fraction.len() <= 38 {
        let unscaled: i128 = joined.parse().ok()?;
        let unscaled = if text.starts_with('-') { -unscaled } else { unscaled };
        return Some(Node::Decimal(unscaled, u8::try_from(fraction.len()).ok()?));
    }
    text.parse().ok().map(Node::Double)
}
