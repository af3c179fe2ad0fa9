//! The serialised form of a frequent items sketch: a preamble, counts, items, and Spark's count of nulls behind them.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::Items;
use crate::sketch::theta::array;

const FAMILY: u8 = 10;
const EMPTY: u8 = 1 | 4;

/// Appends an item; `None` for types that are not serialised.
fn put(item: &ScalarValue, out: &mut Vec<u8>) -> Option<()> {
    let tagged = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend(bytes);
    };
    match item {
        ScalarValue::Int8(Some(value)) => tagged(out, 2, &value.to_le_bytes()),
        ScalarValue::Int16(Some(value)) => tagged(out, 3, &value.to_le_bytes()),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => tagged(out, 9, &value.to_le_bytes()),
        ScalarValue::Int64(Some(value)) | ScalarValue::TimestampMicrosecond(Some(value), _) => {
            tagged(out, 12, &value.to_le_bytes());
        }
        ScalarValue::Float32(Some(value)) => tagged(out, 6, &value.to_le_bytes()),
        ScalarValue::Float64(Some(value)) => tagged(out, 4, &value.to_le_bytes()),
        ScalarValue::Decimal128(Some(value), ..) => tagged(out, 16, &value.to_le_bytes()),
        ScalarValue::Boolean(Some(value)) => out.push(u8::from(*value)),
        ScalarValue::Utf8(Some(text)) => {
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
        }
        _ => return None,
    }
    Some(())
}

/// Reads an item at `at`, which moves behind it.
fn get(bytes: &[u8], at: &mut usize, kind: &DataType) -> Option<ScalarValue> {
    let start = *at + usize::from(!matches!(kind, DataType::Boolean | DataType::Utf8));
    let (item, size) = match kind {
        DataType::Int8 => (ScalarValue::Int8(array(bytes, start).map(i8::from_le_bytes)), 1),
        DataType::Int16 => (ScalarValue::Int16(array(bytes, start).map(i16::from_le_bytes)), 2),
        DataType::Int32 => (ScalarValue::Int32(array(bytes, start).map(i32::from_le_bytes)), 4),
        DataType::Date32 => (ScalarValue::Date32(array(bytes, start).map(i32::from_le_bytes)), 4),
        DataType::Int64 => (ScalarValue::Int64(array(bytes, start).map(i64::from_le_bytes)), 8),
        DataType::Timestamp(_, zone) => {
            (ScalarValue::TimestampMicrosecond(array(bytes, start).map(i64::from_le_bytes), zone.clone()), 8)
        }
        DataType::Float32 => (ScalarValue::Float32(array(bytes, start).map(f32::from_le_bytes)), 4),
        DataType::Float64 => (ScalarValue::Float64(array(bytes, start).map(f64::from_le_bytes)), 8),
        DataType::Decimal128(p, s) => {
            (ScalarValue::Decimal128(array(bytes, start).map(i128::from_le_bytes), *p, *s), 16)
        }
        DataType::Boolean => (ScalarValue::Boolean(bytes.get(start).map(|byte| *byte != 0)), 1),
        DataType::Utf8 => {
            let length = u32::from_le_bytes(array(bytes, start)?) as usize;
            let text = bytes.get(start + 4..(start + 4).checked_add(length)?)?;
            (ScalarValue::Utf8(Some(String::from_utf8(text.to_vec()).ok()?)), 4 + length)
        }
        _ => return None,
    };
    *at = start + size;
    (!item.is_null()).then_some(item)
}

impl Items {
    /// Whether items of a type can be written.
    pub(super) fn takes(kind: &DataType) -> bool {
        use DataType::{
            Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Null, Timestamp, Utf8,
        };
        matches!(
            kind,
            Int8 | Int16
                | Int32
                | Int64
                | Float32
                | Float64
                | Date32
                | Timestamp(..)
                | Decimal128(..)
                | Boolean
                | Utf8
                | Null
        )
    }
    /// The serialised sketch, `None` when an item has no serialised form.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let lg = self.table.len().trailing_zeros() as u8;
        let mut out = vec![if self.active == 0 { 1 } else { 4 }, 1, FAMILY, self.lg_most(), lg, 0, 0, 0];
        if self.active == 0 {
            if let Some(flags) = out.get_mut(5) {
                *flags = EMPTY;
            }
        } else {
            out.extend((self.active as u64).to_le_bytes());
            out.extend(self.weight.to_le_bytes());
            out.extend(self.offset.to_le_bytes());
            let held = || self.table.iter().flatten();
            held().for_each(|(_, count)| out.extend(count.to_le_bytes()));
            for (item, _) in held() {
                put(item, &mut out)?;
            }
        }
        out.extend(self.nulls.to_le_bytes());
        Some(out)
    }
    /// Reads a sketch of items of a type; `None` when the bytes are none.
    pub(super) fn read(bytes: &[u8], limit: i32, kind: &DataType) -> Option<Self> {
        let [longs, version, family, ..]: [u8; 8] = array(bytes, 0)?;
        if version != 1 || family != FAMILY {
            return None;
        }
        let mut made = Self::new(limit);
        let mut at = 8;
        if longs > 1 {
            let count = u32::from_le_bytes(array(bytes, 8)?) as usize;
            let (weight, offset) =
                (array(bytes, 16).map(i64::from_le_bytes)?, array(bytes, 24).map(i64::from_le_bytes)?);
            if bytes.len() < count.checked_mul(9)?.checked_add(32)? {
                return None;
            }
            let counts: Vec<i64> =
                (0..count).map(|i| array(bytes, 32 + 8 * i).map(i64::from_le_bytes)).collect::<Option<_>>()?;
            at = 32 + 8 * count;
            for total in counts {
                made.add(get(bytes, &mut at, kind)?, total);
            }
            made.weight = weight;
            made.offset += offset;
        }
        made.nulls = array(bytes, at).map(i64::from_le_bytes)?;
        Some(made)
    }
}
