//! Bitmaps of 32768 bits as they are kept for counting distinct numbers: places of numbers, and bits counted.
//!
//! Source: Spark's pages of functions `bitmap_bit_position`, `bitmap_bucket_number`, `bitmap_count`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::array_types::exactly;
use super::coerce::Arg;
use super::read::{bins, longs};
use super::spec::{Call, Ret, SparkFn, f};

/// Bits of a bitmap.
pub(crate) const BITS: i64 = 32_768;

/// The place of a number in its bucket.
fn position(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let place = |value: i64| if value > 0 { (value - 1) % BITS } else { value.wrapping_neg().wrapping_rem(BITS) };
    Ok(Arc::new(longs(args, 0)?.iter().map(|value| value.map(place)).collect::<Int64Array>()))
}

/// The bucket of a number: positive numbers begin with 1.
fn bucket(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let number = |value: i64| if value > 0 { 1 + (value - 1) / BITS } else { value / BITS };
    Ok(Arc::new(longs(args, 0)?.iter().map(|value| value.map(number)).collect::<Int64Array>()))
}

fn count(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let ones = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>();
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(ones)).collect::<Int64Array>()))
}

/// Functions of bitmaps.
pub(crate) fn all() -> Vec<SparkFn> {
    let long = || Ret::Is(DataType::Int64);
    vec![
        f("bitmap_bit_position", &[Arg::Long], long(), position),
        f("bitmap_bucket_number", &[Arg::Long], long(), bucket),
        f("bitmap_count", &[Arg::Any], long(), count)
            .coerce(|t| exactly("bitmap_count", t, &[("BINARY", |t| *t == DataType::Binary)])),
    ]
}
