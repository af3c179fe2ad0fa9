//! Arrays on the wire: dimensions first, then the elements of the innermost in order.
//!
//! PostgreSQL's arrays are boxes: lists of lists must have equal lengths.

use arrow::array::{Array, ListArray};
use bytes::{BufMut, BytesMut};

use super::array::{Failure, Values};
use super::convert::shown;

/// Dimensions of more than this PostgreSQL refuses.
const MOST: usize = 6;

/// Appends the list of a row.
pub(super) fn put(list: &ListArray, items: &Values, oid: u32, row: usize, out: &mut BytesMut) -> Result<(), Failure> {
    let failure = |reason: String| Failure { value: shown(list, row), reason: reason.into() };
    let mut shape = Vec::new();
    measure(list, items, row, 0, &mut shape).map_err(|reason| failure(reason.to_owned()))?;
    let count: usize = shape.iter().product();
    if count == 0 && shape.len() > 1 {
        return Err(failure("an array of empty arrays".to_owned()));
    }
    if shape.len() > MOST {
        return Err(failure(format!("more than {MOST} dimensions")));
    }
    let length_at = out.len();
    out.put_i32(0);
    out.put_i32(if count == 0 { 0 } else { i32::try_from(shape.len()).unwrap_or_default() });
    out.put_i32(1);
    out.put_u32(oid);
    if count > 0 {
        for size in shape {
            out.put_i32(i32::try_from(size).map_err(|_| failure("too long".to_owned()))?);
            out.put_i32(1);
        }
    }
    elements(list, items, row, out)?;
    let length = i32::try_from(out.len() - length_at - 4).map_err(|_| failure("too long".to_owned()))?;
    if let Some(slot) = out.get_mut(length_at..length_at + 4) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| {
        list.value_offsets().get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default()
    };
    at(row)..at(row + 1)
}

/// The lengths by depth, which must agree.
fn measure(
    list: &ListArray,
    items: &Values,
    row: usize,
    depth: usize,
    shape: &mut Vec<usize>,
) -> Result<(), &'static str> {
    let range = range(list, row);
    match shape.get(depth) {
        None => shape.push(range.len()),
        Some(length) if *length != range.len() => return Err("arrays of arrays must have equal lengths"),
        Some(_) => {}
    }
    if let Values::Array { list: inner, items, .. } = items {
        for item in range {
            if inner.is_null(item) {
                return Err("an array of arrays cannot hold NULL for an array");
            }
            measure(inner, items, item, depth + 1, shape)?;
        }
    }
    Ok(())
}

fn elements(list: &ListArray, items: &Values, row: usize, out: &mut BytesMut) -> Result<(), Failure> {
    for item in range(list, row) {
        match items {
            Values::Array { list, items, .. } => elements(list, items, item, out)?,
            items => items.put(item, out)?,
        }
    }
    Ok(())
}
