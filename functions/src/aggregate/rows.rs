//! Which rows of a batch an accumulator takes, with a loop without tests where it takes all of them.

use arrow::array::{Array, ArrowPrimitiveType, BooleanArray, PrimitiveArray};

/// Calls `take` with group and value of every row that is not null and that the filter keeps.
#[inline]
pub(super) fn each<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    groups: &[usize],
    filter: Option<&BooleanArray>,
    mut take: impl FnMut(usize, T::Native),
) {
    let rows = groups.iter().zip(values.values());
    if values.null_count() == 0 && filter.is_none() {
        rows.for_each(|(&group, &value)| take(group, value));
        return;
    }
    for (row, (&group, &value)) in rows.enumerate() {
        if values.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
            take(group, value);
        }
    }
}
