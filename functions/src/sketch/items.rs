//! The frequent items sketch of DataSketches, behind `approx_top_k` and its family.
//!
//! <https://datasketches.apache.org/docs/Frequency/FrequencySketches.html>. Items are kept in a hash table whose order
//! decides between equally frequent ones, so that ties come out as they do in the JVM.

mod aggregates;
mod bytes;
mod functions;

pub(super) use aggregates::all as aggregates;
pub(super) use functions::all as functions;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StructArray, new_empty_array};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, internal_err};

use crate::error::ErrorKind;
use crate::scalar::coerce::list_of;
use crate::scalar::read::fail;

/// The items a result has unless said otherwise.
const DEFAULT_K: i32 = 5;
/// The items tracked unless said otherwise.
const DEFAULT_LIMIT: i32 = 10_000;
const MOST_TRACKED: i32 = 1_000_000;

/// Counts of the most frequent items; null is counted apart.
#[derive(Debug, Clone)]
struct Items {
    limit: i32,
    table: Vec<Option<(ScalarValue, i64)>>,
    active: usize,
    /// What every count may be short by.
    offset: i64,
    weight: i64,
    nulls: i64,
}

impl Items {
    fn new(limit: i32) -> Self {
        Self { limit, table: vec![None; 8], active: 0, offset: 0, weight: 0, nulls: 0 }
    }
    /// Base-2 logarithm of the greatest table length.
    fn lg_most(&self) -> u8 {
        let needed = (f64::from(self.limit.max(1)) / 0.75).ceil() as u64;
        needed.next_power_of_two().trailing_zeros().max(3) as u8
    }
    fn add(&mut self, item: ScalarValue, count: i64) {
        self.weight += count;
        self.put(item, count);
        if self.active <= self.table.len() * 3 / 4 {
            return;
        }
        if self.table.len() < 1 << self.lg_most() {
            let length = self.table.len() * 2;
            self.rebuild(length, 0);
        } else {
            let mut counts: Vec<i64> = self.table.iter().flatten().map(|(_, count)| *count).take(1024).collect();
            let middle = counts.len() / 2;
            let less = *counts.select_nth_unstable(middle).1;
            self.offset += less;
            self.rebuild(self.table.len(), less);
        }
    }
    fn put(&mut self, item: ScalarValue, count: i64) {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = spread(code(&item)) as usize & mask;
        loop {
            match self.table.get_mut(at) {
                Some(Some((held, total))) if *held == item => {
                    *total += count;
                    return;
                }
                Some(Some(_)) => at = (at + 1) & mask,
                Some(slot) => {
                    *slot = Some((item, count));
                    self.active += 1;
                    return;
                }
                None => return,
            }
        }
    }
    fn rebuild(&mut self, length: usize, less: i64) {
        let old = std::mem::replace(&mut self.table, vec![None; length]);
        self.active = 0;
        for (item, count) in old.into_iter().flatten().filter(|(_, count)| *count > less) {
            self.put(item, count - less);
        }
    }
    fn merge(&mut self, other: &Self) {
        let weight = self.weight + other.weight;
        for (item, count) in other.walk() {
            self.add(item.clone(), *count);
        }
        self.offset += other.offset;
        self.weight = weight;
        self.nulls += other.nulls;
    }
    /// Items in the order of the table, which is walked in steps.
    fn walk(&self) -> impl Iterator<Item = &(ScalarValue, i64)> {
        let length = self.table.len();
        let stride = (length as f64 * 0.618_033_988_749_894_9) as usize | 1;
        (0..length).filter_map(move |step| self.table.get((step * stride) & length.wrapping_sub(1))?.as_ref())
    }
    /// The `k` most frequent items with their counts.
    fn top(&self, k: usize, item_type: &DataType) -> Result<ArrayRef> {
        let mut rows: Vec<(ScalarValue, i64)> = self
            .walk()
            .filter(|(_, count)| *count >= self.offset)
            .map(|(item, count)| (item.clone(), count + self.offset))
            .collect();
        if self.nulls > 0 {
            rows.push((ScalarValue::try_from(item_type)?, self.nulls));
        }
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        rows.truncate(k);
        let counts = Int64Array::from_iter_values(rows.iter().map(|(_, count)| *count));
        let items = if rows.is_empty() {
            new_empty_array(item_type)
        } else {
            ScalarValue::iter_to_array(rows.into_iter().map(|(item, _)| item))?
        };
        let columns: Vec<ArrayRef> = vec![items, Arc::new(counts)];
        Ok(Arc::new(StructArray::try_new(row_fields(item_type), columns, None)?))
    }
    fn size(&self) -> usize {
        self.table.len() * 64
    }
}

fn row_fields(item: &DataType) -> Fields {
    Fields::from(vec![Field::new("item", item.clone(), true), Field::new("count", DataType::Int64, false)])
}

/// The type of a result: an array of items and counts.
fn result_type(item: &DataType) -> DataType {
    list_of(DataType::Struct(row_fields(item)), false)
}

/// The type of a sketch with what is needed to read it.
fn state_type(item: &DataType) -> DataType {
    DataType::Struct(Fields::from(vec![
        Field::new("sketch", DataType::Binary, false),
        Field::new("maxItemsTracked", DataType::Int32, false),
        Field::new("itemDataType", item.clone(), true),
        Field::new("itemDataTypeDDL", DataType::Utf8, false),
    ]))
}

/// The item type of a [`state_type`].
fn item_of(state: &DataType) -> Option<DataType> {
    match state {
        DataType::Struct(fields) if fields.len() == 4 => {
            fields.get(2).filter(|field| field.name() == "itemDataType").map(|field| field.data_type().clone())
        }
        _ => None,
    }
}

/// The hash code the JVM gives an item.
fn code(item: &ScalarValue) -> i32 {
    let long = |value: i64| (value ^ ((value as u64) >> 32) as i64) as i32;
    match item {
        ScalarValue::Boolean(Some(value)) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        ScalarValue::Int8(Some(value)) => i32::from(*value),
        ScalarValue::Int16(Some(value)) => i32::from(*value),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => *value,
        ScalarValue::Int64(Some(value)) | ScalarValue::TimestampMicrosecond(Some(value), _) => long(*value),
        ScalarValue::Float32(Some(value)) => value.to_bits() as i32,
        ScalarValue::Float64(Some(value)) => long(value.to_bits() as i64),
        ScalarValue::Utf8(Some(text)) => {
            text.encode_utf16().fold(0_i32, |all, unit| all.wrapping_mul(31).wrapping_add(i32::from(unit)))
        }
        other => other.to_string().bytes().fold(0_i32, |all, b| all.wrapping_mul(31).wrapping_add(i32::from(b))),
    }
}

fn spread(code: i32) -> i32 {
    let mut key = i64::from(code) as u64;
    key = (key ^ (key >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    key = (key ^ (key >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (key ^ (key >> 33)) as i32
}

/// Checks `k` and the number of items tracked.
fn check_k(name: &str, k: Option<i32>, limit: i32) -> Result<usize> {
    let Some(k) = k else { return Err(null_argument(name, "k")) };
    if k <= 0 {
        return Err(not_positive(name, "k", k));
    }
    if k > limit {
        let (function, k, limit) = (format!("`{name}`"), k.to_string(), limit.to_string());
        let parameters = [("functionName", function.as_str()), ("maxItemsTracked", limit.as_str()), ("k", k.as_str())];
        return Err(fail(ErrorKind::Runtime, "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", &parameters));
    }
    Ok(k as usize)
}

fn check_limit(name: &str, limit: Option<i32>) -> Result<i32> {
    let Some(limit) = limit else { return Err(null_argument(name, "maxItemsTracked")) };
    if limit <= 0 {
        return Err(not_positive(name, "maxItemsTracked", limit));
    }
    if limit > MOST_TRACKED {
        let (function, most, limit) = (format!("`{name}`"), MOST_TRACKED.to_string(), limit.to_string());
        let parameters =
            [("functionName", function.as_str()), ("maxItemsTracked", limit.as_str()), ("limit", most.as_str())];
        return Err(fail(ErrorKind::Runtime, "APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", &parameters));
    }
    Ok(limit)
}

fn null_argument(name: &str, argument: &str) -> datafusion::common::DataFusionError {
    let (function, argument) = (format!("`{name}`"), format!("`{argument}`"));
    let parameters = [("functionName", function.as_str()), ("argName", argument.as_str())];
    fail(ErrorKind::Runtime, "APPROX_TOP_K_NULL_ARG", &parameters)
}

fn not_positive(name: &str, argument: &str, value: i32) -> datafusion::common::DataFusionError {
    let (function, argument, value) = (format!("`{name}`"), format!("`{argument}`"), value.to_string());
    let parameters =
        [("functionName", function.as_str()), ("argName", argument.as_str()), ("argValue", value.as_str())];
    fail(ErrorKind::Runtime, "APPROX_TOP_K_NON_POSITIVE_ARG", &parameters)
}

/// A list of one row holding `rows`.
fn listed(rows: ArrayRef, result: &DataType) -> Result<ScalarValue> {
    let DataType::List(field) = result else { return internal_err!("approx_top_k has no list result") };
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([rows.len()]);
    Ok(ScalarValue::List(Arc::new(arrow::array::ListArray::try_new(Arc::clone(field), offsets, rows, None)?)))
}

#[cfg(test)]
mod tests {
    use super::Items;
    use datafusion::common::ScalarValue;

    #[test]
    fn ties_come_in_the_order_of_the_jvm() {
        let mut items = Items::new(10_000);
        for value in [0, 0, 1, 1, 2, 3, 4, 4] {
            items.add(ScalarValue::Int32(Some(value)), 1);
        }
        let mut rows: Vec<(ScalarValue, i64)> = items.walk().cloned().collect();
        rows.sort_by(|left, right| right.1.cmp(&left.1));
        let order: Vec<String> = rows.iter().map(|(item, _)| item.to_string()).collect();
        assert_eq!(order, ["0", "4", "1", "2", "3"]);
    }
}
