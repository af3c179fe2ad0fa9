//! Which argument types sketch functions accept. They take no implicit casts: a type fits or is refused.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, internal_err};

use super::murmur::double_bytes;

use crate::scalar::coerce::{list_of, mismatch, sql_name};

/// The types a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `BINARY`.
    Bin,
    /// `INT`.
    Int,
    /// `BOOLEAN`.
    Bool,
    /// `STRING`.
    Text,
    /// `FLOAT`.
    Float,
    /// `FLOAT` or `DOUBLE`.
    Floating,
    /// The integer types.
    Integers,
    /// What an HLL sketch counts.
    Counted,
    /// What theta and tuple sketches count.
    Key,
}

fn accepted(kind: Kind) -> Vec<DataType> {
    use DataType::{Binary, Boolean, Float32, Float64, Int8, Int16, Int32, Int64, Utf8};
    match kind {
        Kind::Bin => vec![Binary],
        Kind::Int => vec![Int32],
        Kind::Bool => vec![Boolean],
        Kind::Text => vec![Utf8],
        Kind::Float => vec![Float32],
        Kind::Floating => vec![Float32, Float64],
        Kind::Integers => vec![Int8, Int32, Int64, Int16],
        Kind::Counted => vec![Int32, Int64, Utf8, Binary],
        Kind::Key => vec![Int32, Int64, Float32, Float64, Utf8, Binary, list_of(Int32, true), list_of(Int64, true)],
    }
}

/// A key that is no key as it stands is counted as a string.
pub(crate) fn keyed(given: &DataType) -> DataType {
    let key = given.is_null() || accepted(Kind::Key).iter().any(|wanted| fits(wanted, given));
    if key || given.is_nested() { given.clone() } else { DataType::Utf8 }
}

fn fits(wanted: &DataType, given: &DataType) -> bool {
    match (wanted, given) {
        (DataType::List(w), DataType::List(g)) => w.data_type() == g.data_type() || g.data_type().is_null(),
        (DataType::Utf8, DataType::LargeUtf8 | DataType::Utf8View) => true,
        (DataType::Binary, DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)) => true,
        (w, g) => w == g,
    }
}

/// The argument types, or Spark's `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`.
pub(crate) fn strict(name: &str, kinds: &[Kind], types: &[DataType]) -> Result<Vec<DataType>> {
    let mut out = Vec::with_capacity(types.len());
    for (at, given) in types.iter().enumerate() {
        let Some(kind) = kinds.get(at) else { break };
        let accepted = accepted(*kind);
        let found = if given.is_null() { accepted.first() } else { accepted.iter().find(|w| fits(w, given)) };
        match found {
            Some(wanted) => out.push(wanted.clone()),
            None => {
                let names: Vec<String> = accepted.iter().map(sql_name).collect();
                let required = if names.len() == 1 { names.concat() } else { format!("({})", names.join(" or ")) };
                return Err(mismatch(name, at, &required, given).into());
            }
        }
    }
    Ok(out)
}

/// Calls `work` with the row and hashed bytes of every value that theta and tuple sketches count: integers as
/// eight bytes, doubles with one zero and one NaN, arrays element by element with nulls as zero; nothing for null
/// and for what is empty.
pub(crate) fn each_key(column: Option<&ArrayRef>, mut work: impl FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    let Some(column) = column else { return internal_err!("a sketch without values") };
    for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
        match column.data_type() {
            DataType::Int32 => work(row, &i64::from(column.as_primitive::<Int32Type>().value(row)).to_le_bytes())?,
            DataType::Int64 => work(row, &column.as_primitive::<Int64Type>().value(row).to_le_bytes())?,
            DataType::Float32 => {
                work(row, &double_bytes(f64::from(column.as_primitive::<Float32Type>().value(row))))?;
            }
            DataType::Float64 => work(row, &double_bytes(column.as_primitive::<Float64Type>().value(row)))?,
            DataType::Utf8 => filled(row, column.as_string::<i32>().value(row).as_bytes(), &mut work)?,
            DataType::Binary => filled(row, column.as_binary::<i32>().value(row), &mut work)?,
            DataType::List(_) => filled(row, &elements(&column.as_list::<i32>().value(row)), &mut work)?,
            _ => {}
        }
    }
    Ok(())
}

fn filled(row: usize, bytes: &[u8], work: &mut impl FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { work(row, bytes) }
}

fn elements(values: &ArrayRef) -> Vec<u8> {
    if let Some(ints) = values.as_primitive_opt::<Int32Type>() {
        return ints.iter().flat_map(|v| v.unwrap_or(0).to_le_bytes()).collect();
    }
    if let Some(longs) = values.as_primitive_opt::<Int64Type>() {
        return longs.iter().flat_map(|v| v.unwrap_or(0).to_le_bytes()).collect();
    }
    Vec::new()
}
