//! `width_bucket`: which of equally wide buckets a number or an interval is in.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use datafusion::common::{Result, internal_err};

use super::super::read::longs;
use crate::aggregate::to_doubles;

/// `width_bucket(value, start, end, number)`: 0 before the start, one more than the number from the end on; null for bounds
/// that are no numbers or the same.
pub(super) fn width_bucket(args: &[ArrayRef]) -> Result<ArrayRef> {
    let [value, start, end, number] = args else { return internal_err!("width_bucket") };
    let (value, start, end) = (to_doubles(value)?, to_doubles(start)?, to_doubles(end)?);
    let one = |value: f64, start: f64, end: f64, number: i64| {
        let bounds = start.is_finite() && end.is_finite() && start != end;
        if !bounds || value.is_nan() || number <= 0 || number == i64::MAX {
            return None;
        }
        // Towards lower numbers everything is mirrored.
        let (from, width) = if start < end { (value - start, end - start) } else { (start - value, start - end) };
        Some(match from {
            from if from < 0.0 => 0,
            from if from >= width => number + 1,
            from => (number as f64 * from / width) as i64 + 1,
        })
    };
    let numbers = longs(std::slice::from_ref(number), 0)?;
    let rows = value.iter().zip(&start).zip(&end).zip(numbers);
    Ok(Arc::new(rows.map(|(((value, start), end), number)| one(value?, start?, end?, number?)).collect::<Int64Array>()))
}
