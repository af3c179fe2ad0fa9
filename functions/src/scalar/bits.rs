//! Bits of integers: shifts, counts and single bits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int32Array};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::{Result, internal_err};

use super::coerce::{Arg, mismatch, target};
use super::read::{fail, ints, longs};
use super::spec::{Call, Ret, SparkFn, f};
use crate::error::ErrorKind;

fn shift(args: &[ArrayRef], narrow: fn(i32, u32) -> i32, wide: fn(i64, u32) -> i64) -> Result<ArrayRef> {
    let by = ints(args, 1)?;
    match args.first() {
        Some(values) if *values.data_type() == DataType::Int64 => {
            let values = longs(args, 0)?;
            let work = |v: i64, by: i32| wide(v, by as u32);
            Ok(Arc::new(arrow::compute::binary::<_, _, _, Int64Type>(values, by, work)?))
        }
        Some(_) => {
            let work = |v: i32, by: i32| narrow(v, by as u32);
            Ok(Arc::new(arrow::compute::binary::<_, _, _, Int32Type>(ints(args, 0)?, by, work)?))
        }
        None => internal_err!("shift without argument"),
    }
}

fn shift_types(types: &[DataType]) -> Result<Vec<DataType>> {
    for (at, (given, wanted)) in types.iter().zip(["(\"INT\" or \"BIGINT\")", "\"INT\""]).enumerate() {
        if target(Arg::Int, given).is_none() {
            return Err(mismatch("shift", at, wanted, given).into());
        }
    }
    let first = if types.first() == Some(&DataType::Int64) { DataType::Int64 } else { DataType::Int32 };
    Ok(vec![first, DataType::Int32])
}

fn bit_count(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if let Some(flags) = args.first().and_then(|a| a.as_boolean_opt()) {
        return Ok(Arc::new(flags.iter().map(|v| v.map(i32::from)).collect::<Int32Array>()));
    }
    Ok(Arc::new(longs(args, 0)?.iter().map(|v| v.map(|v| v.count_ones() as i32)).collect::<Int32Array>()))
}

/// `bit_get(expr, pos)`: a position outside the type fails.
fn bit_get(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let pos = ints(args, 1)?;
    let Some(given) = args.first() else { return internal_err!("bit_get without argument") };
    let size = match given.data_type() {
        DataType::Int8 => 8,
        DataType::Int16 => 16,
        DataType::Int32 => 32,
        _ => 64,
    };
    let values = [arrow::compute::cast(given, &DataType::Int64)?];
    let values = longs(&values, 0)?;
    let out = values
        .iter()
        .zip(pos)
        .map(|(v, at)| match v.zip(at) {
            None => Ok(None),
            Some((v, at)) if (0..size).contains(&at) => Ok(Some(((v >> at) & 1) as i8)),
            Some((_, at)) => {
                let (upper, at) = (size.to_string(), at.to_string());
                let parameters = [
                    ("functionName", "`bit_get`"),
                    ("parameter", "`pos`"),
                    ("lower", "0"),
                    ("upper", upper.as_str()),
                    ("invalidValue", at.as_str()),
                ];
                Err(fail(ErrorKind::IllegalArgument, "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", &parameters))
            }
        })
        .collect::<Result<Int8Array>>()?;
    Ok(Arc::new(out))
}

/// `~value`: every bit turned over, in the type it has.
fn not(args: &[ArrayRef]) -> Result<ArrayRef> {
    use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
    let Some(values) = args.first() else { return datafusion::common::internal_err!("no bits to turn over") };
    Ok(match values.data_type() {
        DataType::Int8 => Arc::new(values.as_primitive::<Int8Type>().unary::<_, Int8Type>(|v| !v)),
        DataType::Int16 => Arc::new(values.as_primitive::<Int16Type>().unary::<_, Int16Type>(|v| !v)),
        DataType::Int32 => Arc::new(values.as_primitive::<Int32Type>().unary::<_, Int32Type>(|v| !v)),
        _ => {
            let Some(values) = values.as_primitive_opt::<Int64Type>() else {
                return datafusion::common::internal_err!("bits of no whole number");
            };
            Arc::new(values.unary::<_, Int64Type>(|v| !v))
        }
    })
}

/// Bit functions; nulls propagate.
pub(crate) fn all() -> Vec<SparkFn> {
    const SHIFT: &[Arg] = &[Arg::Integral, Arg::Int];
    vec![
        f("shiftleft", SHIFT, Ret::Same(0), |_, a| shift(a, i32::wrapping_shl, i64::wrapping_shl)).coerce(shift_types),
        f("shiftright", SHIFT, Ret::Same(0), |_, a| shift(a, i32::wrapping_shr, i64::wrapping_shr)).coerce(shift_types),
        f("shiftrightunsigned", SHIFT, Ret::Same(0), |_, a| {
            shift(a, |v, by| (v as u32).wrapping_shr(by) as i32, |v, by| (v as u64).wrapping_shr(by) as i64)
        })
        .coerce(shift_types),
        f("bitwise_not", &[Arg::Integral], Ret::Same(0), |_, a| not(a)),
        f("bit_count", &[Arg::Any], Ret::Is(DataType::Int32), bit_count).coerce(|t| {
            t.iter()
                .map(|t| match t {
                    DataType::Boolean => Ok(t.clone()),
                    t if t.is_signed_integer() || *t == DataType::Null => Ok(DataType::Int64),
                    other => Err(mismatch("bit_count", 0, "(\"INTEGRAL\" or \"BOOLEAN\")", other).into()),
                })
                .collect()
        }),
        f("bit_get", &[Arg::Integral, Arg::Int], Ret::Is(DataType::Int8), bit_get).also(&["getbit"]),
    ]
}
