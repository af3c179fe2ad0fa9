//! What `CHAR(n)` and `VARCHAR(n)` do to text that is stored or read. It knows no tables.
//!
//! Rules: <https://spark.apache.org/docs/latest/sql-ref-datatypes.html>. The declared type, which may be nested, comes as
//! the second argument in Spark's JSON form, because in Arrow all of them are strings.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType as ArrowType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::{fail, strs};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::ErrorKind;
use crate::types::DataType;

/// One value of a declared type; `Err` is the length it exceeds.
type Rule = fn(&str, &DataType) -> std::result::Result<Option<String>, u32>;

/// `spark_char_write(value, type)`: pads `CHAR(n)`, drops trailing spaces beyond `n`, refuses what is still too long.
/// Any shape; NULL stays. Errors: `EXCEED_LIMIT_LENGTH`.
fn write(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    apply(args, stored)
}

/// `spark_char_read(value, type)`: pads `CHAR(n)`. Any shape; NULL stays; never fails.
fn read(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    apply(args, |text, declared| match declared {
        DataType::Char(length) => Ok(padded(text, *length)),
        _ => Ok(None),
    })
}

fn apply(args: &[ArrayRef], rule: Rule) -> Result<ArrayRef> {
    let declared = strs(args, 1)?;
    let Some(value) = args.first() else { return datafusion::common::internal_err!("no value") };
    let Some(text) = declared.iter().flatten().next() else { return Ok(Arc::clone(value)) };
    nested(value, &DataType::from_json(text)?, rule)
}

fn nested(array: &ArrayRef, declared: &DataType, rule: Rule) -> Result<ArrayRef> {
    match (array.data_type(), declared) {
        (ArrowType::Utf8, DataType::Char(_) | DataType::Varchar(_)) => texts(array.as_string::<i32>(), declared, rule),
        (ArrowType::List(field), DataType::Array { element, .. }) => {
            let list = array.as_list::<i32>();
            let (offsets, values) = window(list.offsets(), list.values());
            let values = nested(&values, element, rule)?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, list.nulls().cloned())?))
        }
        (ArrowType::Struct(fields), DataType::Struct(declared)) => {
            let (fields, group) = (fields.clone(), array.as_struct());
            let columns = group
                .columns()
                .iter()
                .zip(&declared.fields)
                .map(|(column, field)| nested(column, &field.data_type, rule))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields, columns, group.nulls().cloned())?))
        }
        (ArrowType::Map(field, sorted), DataType::Map { key, value, .. }) => {
            let map = array.as_map();
            let (offsets, entries) = window(map.offsets(), &(Arc::new(map.entries().clone()) as ArrayRef));
            let entries = entries.as_struct();
            let columns = vec![nested(entries.column(0), key, rule)?, nested(entries.column(1), value, rule)?];
            let entries = StructArray::try_new(entries.fields().clone(), columns, None)?;
            Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, map.nulls().cloned(), *sorted)?))
        }
        _ => Ok(Arc::clone(array)),
    }
}

/// Offsets from zero and only the values they cover: what a slice leaves out must not be checked.
fn window(offsets: &OffsetBuffer<i32>, values: &ArrayRef) -> (OffsetBuffer<i32>, ArrayRef) {
    let (Some(first), Some(last)) = (offsets.first().copied(), offsets.last().copied()) else {
        return (offsets.clone(), Arc::clone(values));
    };
    let moved = OffsetBuffer::new(offsets.iter().map(|offset| offset - first).collect::<Vec<_>>().into());
    (moved, values.slice(first as usize, (last - first) as usize))
}

fn texts(values: &StringArray, declared: &DataType, rule: Rule) -> Result<ArrayRef> {
    let made = values
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            match rule(text, declared) {
                Ok(changed) => Ok(Some(changed.map_or(Cow::Borrowed(text), Cow::Owned))),
                Err(limit) => Err(fail(ErrorKind::Runtime, "EXCEED_LIMIT_LENGTH", &[("limit", &limit.to_string())])),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(made.into_iter().collect::<StringArray>()))
}

/// What is stored of a text; `None` when nothing changes.
fn stored(text: &str, declared: &DataType) -> std::result::Result<Option<String>, u32> {
    let (DataType::Char(length) | DataType::Varchar(length)) = declared else { return Ok(None) };
    let limit = *length as usize;
    let count = text.chars().count();
    if count <= limit {
        return Ok(if matches!(declared, DataType::Char(_)) { padded(text, *length) } else { None });
    }
    let kept: String = text.chars().take(limit).collect();
    // Only spaces may be cut off.
    if text.chars().skip(limit).all(|c| c == ' ') { Ok(Some(kept)) } else { Err(*length) }
}

fn padded(text: &str, length: u32) -> Option<String> {
    let missing = (length as usize).checked_sub(text.chars().count()).filter(|missing| *missing > 0)?;
    Some(format!("{text}{}", " ".repeat(missing)))
}

/// All functions of this file.
pub(super) fn all() -> Vec<SparkFn> {
    const ARGS: &[Arg] = &[Arg::Any, Arg::Str];
    vec![f("spark_char_write", ARGS, Ret::Same(0), write), f("spark_char_read", ARGS, Ret::Same(0), read)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_padded_cut_or_refused() {
        assert_eq!(stored("ab", &DataType::Char(4)), Ok(Some("ab  ".to_string())));
        assert_eq!(stored("ab   ", &DataType::Char(3)), Ok(Some("ab ".to_string())));
        assert_eq!(stored("ab   ", &DataType::Varchar(3)), Ok(Some("ab ".to_string())));
        assert_eq!(stored("ab", &DataType::Varchar(3)), Ok(None));
        assert_eq!(stored("abcd", &DataType::Varchar(3)), Err(3));
    }
}
