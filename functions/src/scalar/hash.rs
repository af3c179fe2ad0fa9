//! Hashes: Spark's Murmur3 `hash`, `xxhash64`, and digests.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType,
    TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, not_impl_err};
use datafusion::functions::crypto;
use datafusion_spark::function::hash as sp;

use super::coerce::{Arg, holds_map, target};
use super::read::fail;
use super::spec::{Call, Nulls, Ret, SparkFn, f, wrap};
use super::xxhash;
use crate::error::ErrorKind;

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

fn mix_key(key: u32) -> u32 {
    key.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

fn mix(hash: u32, key: u32) -> u32 {
    (hash ^ mix_key(key)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(hash: u32, length: u32) -> u32 {
    let mut h = hash ^ length;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

pub(crate) fn int(value: i32, seed: u32) -> u32 {
    finish(mix(seed, value as u32), 4)
}

/// Whole words little-endian, then single signed bytes, as Spark does.
pub(crate) fn bytes(value: &[u8], seed: u32) -> u32 {
    let words = value.chunks_exact(4);
    let rest = words.remainder();
    let mut hash = seed;
    for word in words {
        hash = mix(hash, u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    for byte in rest {
        hash = mix(hash, i32::from(*byte as i8) as u32);
    }
    finish(hash, value.len() as u32)
}

/// A hash of values that is folded over columns: each value goes into the state the ones before it left.
trait Digest {
    /// The hash so far.
    type State: Copy;
    fn int(value: i32, seed: Self::State) -> Self::State;
    fn long(value: i64, seed: Self::State) -> Self::State;
    fn bytes(value: &[u8], seed: Self::State) -> Self::State;
}

/// Murmur3 of 32 bits, Spark's `hash`.
struct Murmur;

impl Digest for Murmur {
    type State = u32;
    fn int(value: i32, seed: u32) -> u32 {
        int(value, seed)
    }
    fn long(value: i64, seed: u32) -> u32 {
        finish(mix(mix(seed, value as u32), (value >> 32) as u32), 8)
    }
    fn bytes(value: &[u8], seed: u32) -> u32 {
        bytes(value, seed)
    }
}

/// XXH64, Spark's `xxhash64`.
struct Xx;

impl Digest for Xx {
    type State = u64;
    fn int(value: i32, seed: u64) -> u64 {
        xxhash::int(value, seed)
    }
    fn long(value: i64, seed: u64) -> u64 {
        xxhash::long(value, seed)
    }
    fn bytes(value: &[u8], seed: u64) -> u64 {
        xxhash::bytes(value, seed)
    }
}

fn decimal<D: Digest>(value: i128, precision: u8, seed: D::State) -> D::State {
    if precision <= 18 {
        return D::long(value as i64, seed);
    }
    let all = value.to_be_bytes();
    let sign = if value < 0 { 0xFF } else { 0 };
    // The shortest two's complement form, as Java's BigInteger gives.
    let mut start = 0;
    while start < 15 && all[start] == sign && (all[start + 1] ^ sign) & 0x80 == 0 {
        start += 1;
    }
    D::bytes(&all[start..], seed)
}

fn float_bits(value: f32) -> i32 {
    match value {
        0.0 => 0,
        v if v.is_nan() => 0x7fc0_0000,
        v => v.to_bits() as i32,
    }
}

fn double_bits(value: f64) -> i64 {
    match value {
        0.0 => 0,
        v if v.is_nan() => 0x7ff8_0000_0000_0000,
        v => v.to_bits() as i64,
    }
}

/// Hashes the value of a row into `seed`; nulls leave it unchanged.
fn value<D: Digest>(array: &ArrayRef, row: usize, seed: D::State) -> Result<D::State> {
    if array.is_null(row) {
        return Ok(seed);
    }
    Ok(match array.data_type() {
        DataType::Null => seed,
        DataType::Boolean => D::int(i32::from(array.as_boolean().value(row)), seed),
        DataType::Int8 => D::int(i32::from(array.as_primitive::<Int8Type>().value(row)), seed),
        DataType::Int16 => D::int(i32::from(array.as_primitive::<Int16Type>().value(row)), seed),
        DataType::Int32 => D::int(array.as_primitive::<Int32Type>().value(row), seed),
        DataType::Date32 => D::int(array.as_primitive::<Date32Type>().value(row), seed),
        DataType::Int64 => D::long(array.as_primitive::<Int64Type>().value(row), seed),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            D::long(array.as_primitive::<TimestampMicrosecondType>().value(row), seed)
        }
        DataType::Duration(_) => D::long(array.as_primitive::<DurationMicrosecondType>().value(row), seed),
        DataType::Float32 => D::int(float_bits(array.as_primitive::<Float32Type>().value(row)), seed),
        DataType::Float64 => D::long(double_bits(array.as_primitive::<Float64Type>().value(row)), seed),
        DataType::Decimal128(p, _) => decimal::<D>(array.as_primitive::<Decimal128Type>().value(row), *p, seed),
        DataType::Utf8 => D::bytes(array.as_string::<i32>().value(row).as_bytes(), seed),
        DataType::Binary => D::bytes(array.as_binary::<i32>().value(row), seed),
        DataType::Interval(IntervalUnit::YearMonth) => {
            D::int(array.as_primitive::<IntervalYearMonthType>().value(row), seed)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let v = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            D::int(v.months, D::int(v.days, D::long(v.nanoseconds / 1000, seed)))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            // Times of day are counted in nanoseconds.
            D::long(array.as_primitive::<Time64MicrosecondType>().value(row).wrapping_mul(1000), seed)
        }
        DataType::List(_) => {
            let inner = array.as_list::<i32>().value(row);
            (0..inner.len()).try_fold(seed, |seed, at| value::<D>(&inner, at, seed))?
        }
        DataType::Struct(_) => {
            array.as_struct().columns().iter().try_fold(seed, |seed, column| value::<D>(column, row, seed))?
        }
        other => return not_impl_err!("hash of {other}"),
    })
}

/// Hashes a column into the states of its rows.
fn column<D: Digest>(array: &ArrayRef, states: &mut [D::State]) -> Result<()> {
    // The types that most keys have, without asking for the type at each row.
    match array.data_type() {
        DataType::Int32 => each(states, array.as_primitive::<Int32Type>().iter(), D::int),
        DataType::Int64 => each(states, array.as_primitive::<Int64Type>().iter(), D::long),
        DataType::Utf8 => each(states, array.as_string::<i32>().iter(), |text, seed| D::bytes(text.as_bytes(), seed)),
        _ => {
            for (row, state) in states.iter_mut().enumerate() {
                *state = value::<D>(array, row, *state)?;
            }
        }
    }
    Ok(())
}

fn each<S: Copy, T>(states: &mut [S], values: impl Iterator<Item = Option<T>>, hash: impl Fn(T, S) -> S) {
    for (state, value) in states.iter_mut().zip(values) {
        if let Some(value) = value {
            *state = hash(value, *state);
        }
    }
}

fn folded<D: Digest>(call: &Call<'_>, args: &[ArrayRef], seed: D::State) -> Result<Vec<D::State>> {
    let mut states = vec![seed; call.rows];
    args.iter().try_for_each(|array| column::<D>(array, &mut states))?;
    Ok(states)
}

/// `hash(..)`: Murmur3 with seed 42; never null.
fn hash(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let all = folded::<Murmur>(call, args, 42)?;
    Ok(Arc::new(Int32Array::from_iter_values(all.into_iter().map(|hash| hash as i32))))
}

/// `xxhash64(..)`: XXH64 with seed 42; never null.
fn xxhash64(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let all = folded::<Xx>(call, args, 42)?;
    Ok(Arc::new(Int64Array::from_iter_values(all.into_iter().map(|hash| hash as i64))))
}

/// Maps have no order, so no hash.
fn hashable(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    if types.iter().any(holds_map) {
        let parameters = [("sqlExpr", name), ("functionName", &format!("`{name}`"))];
        return Err(fail(ErrorKind::Analysis, "DATATYPE_MISMATCH.HASH_MAP_TYPE", &parameters));
    }
    Ok(types.iter().map(|t| target(Arg::Any, t).unwrap_or_else(|| t.clone())).collect())
}

/// Hash functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const BIN: &[Arg] = &[Arg::Bin];
    let text = || Ret::Is(DataType::Utf8);
    vec![
        f("hash", &[], Ret::Is(DataType::Int32), hash)
            .rest(Arg::Any)
            .nulls(Nulls::Never)
            .coerce(|t| hashable("hash", t)),
        f("xxhash64", &[], Ret::Is(DataType::Int64), xxhash64)
            .rest(Arg::Any)
            .nulls(Nulls::Never)
            .coerce(|t| hashable("xxhash64", t)),
        wrap("md5", BIN, text(), crypto::md5()),
        wrap("sha1", BIN, text(), sp::sha1()).also(&["sha"]),
        wrap("sha2", &[Arg::Bin, Arg::Int], text(), sp::sha2()).nulls(Nulls::Always),
        wrap("crc32", BIN, Ret::Is(DataType::Int64), sp::crc32()),
    ]
}
