//! The scalar functions on tuple sketches: estimates, summaries and set operations.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};

use super::bytes::{read, write};
use super::cell::{Cell, Mode, Number};
use super::{Tuple, invalid, mode_of_call, size_of_call};
use crate::scalar::coerce::Arg;
use crate::scalar::read::bins;
use crate::scalar::spec::{Call, Ret, SparkFn, f};
use crate::sketch::sample::Union;
use crate::sketch::theta;
use crate::sketch::types::{Kind, strict};

fn sketch<V: Number>(call: &Call<'_>, bytes: &[u8]) -> Result<Tuple<V>> {
    read(bytes).ok_or_else(|| invalid(call.name))
}

/// The keys of a theta sketch with neutral summaries.
fn filled<V: Number>(call: &Call<'_>, bytes: &[u8], mode: Mode) -> Result<Tuple<V>> {
    let keys = theta::read(bytes).ok_or_else(|| theta::invalid(call.name))?;
    let entries = keys.entries.iter().map(|(hash, ())| (*hash, Cell::neutral(mode))).collect();
    Ok(Tuple { theta: keys.theta, empty: keys.empty, entries })
}

/// A constant argument as the kernel sees it: the value of the first row.
fn given(args: &[ArrayRef], at: usize) -> Result<Option<ScalarValue>> {
    match args.get(at) {
        Some(column) if !column.is_empty() => Ok(Some(ScalarValue::try_from_array(column, 0)?)),
        _ => Ok(None),
    }
}

fn doubles<V: Number>(call: &Call<'_>, args: &[ArrayRef], work: fn(&Tuple<V>) -> f64) -> Result<ArrayRef> {
    let one = |bytes: &[u8]| Ok(work(&sketch(call, bytes)?));
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Float64Array>>()?))
}

/// `tuple_sketch_summary_double(sketch[, mode])`: all summaries as one; zero for no keys.
fn double_summary(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mode = given(args, 1)?;
    let mode = mode_of_call(call.name, mode.as_ref().map(Some))?;
    let one = |bytes: &[u8]| -> Result<f64> {
        let all = sketch::<f64>(call, bytes)?;
        let values = all.entries.iter().map(|(_, cell)| cell.value);
        Ok(match mode {
            Mode::One => all.entries.len() as f64,
            mode => values.reduce(|a, b| a.join(b, mode)).unwrap_or(0.0),
        })
    };
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Float64Array>>()?))
}

/// `tuple_sketch_summary_integer(sketch[, mode])`: all summaries as one `BIGINT`; zero for no keys.
fn integer_summary(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mode = given(args, 1)?;
    let mode = mode_of_call(call.name, mode.as_ref().map(Some))?;
    let one = |bytes: &[u8]| -> Result<i64> {
        let all = sketch::<i32>(call, bytes)?;
        let values = all.entries.iter().map(|(_, cell)| i64::from(cell.value));
        Ok(match mode {
            Mode::Sum => values.sum(),
            Mode::Min => values.min().unwrap_or(0),
            Mode::Max => values.max().unwrap_or(0),
            Mode::One => all.entries.len() as i64,
        })
    };
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Int64Array>>()?))
}

type Second<V> = fn(&Call<'_>, &[u8], Mode) -> Result<Tuple<V>>;

fn pairs<V: Number>(
    call: &Call<'_>,
    args: &[ArrayRef],
    mode: Mode,
    second: Second<V>,
    work: impl Fn(&Tuple<V>, &Tuple<V>) -> Tuple<V>,
) -> Result<ArrayRef> {
    let out = bins(args, 0)?
        .iter()
        .zip(bins(args, 1)?)
        .map(|pair| {
            let (Some(left), Some(right)) = pair else { return Ok(None) };
            Ok(Some(write(&work(&sketch(call, left)?, &second(call, right, mode)?))))
        })
        .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(out)))
}

/// `tuple_union_*(left, right[, lgNomEntries[, mode]])`: keys in either.
fn union<V: Number>(call: &Call<'_>, args: &[ArrayRef], second: Second<V>) -> Result<ArrayRef> {
    let (lg, mode) = (given(args, 2)?, given(args, 3)?);
    let lg = size_of_call(call.name, lg.as_ref().map(Some))?;
    let mode = mode_of_call(call.name, mode.as_ref().map(Some))?;
    pairs(call, args, mode, second, |left, right| {
        let mut made = Union::new(lg);
        made.add(left, |a, b| a.join(b, mode));
        made.add(right, |a, b| a.join(b, mode));
        made.result()
    })
}

/// `tuple_intersection_*(left, right[, mode])`: keys in both.
fn intersection<V: Number>(call: &Call<'_>, args: &[ArrayRef], second: Second<V>) -> Result<ArrayRef> {
    let mode = given(args, 2)?;
    let mode = mode_of_call(call.name, mode.as_ref().map(Some))?;
    pairs(call, args, mode, second, |left, right| left.both(right, |a, b| a.join(b, mode)))
}

/// `tuple_difference_*(left, right)`: keys in the first only.
fn difference<V: Number>(call: &Call<'_>, args: &[ArrayRef], second: Second<V>) -> Result<ArrayRef> {
    pairs(call, args, Mode::Sum, second, |left, right| left.without(right))
}

/// Checks the constants of a call while it is analysed.
fn checked(
    name: &str,
    fields: &[FieldRef],
    constants: &[Option<&ScalarValue>],
    sized: Option<usize>,
    mode: usize,
    result: DataType,
) -> Result<DataType> {
    let at = |at: usize| (at < fields.len()).then(|| constants.get(at).copied().flatten());
    if let Some(sized) = sized {
        size_of_call(name, at(sized))?;
    }
    mode_of_call(name, at(mode))?;
    Ok(result)
}

macro_rules! kind {
    ($number:ty, $estimate:literal, $theta:literal, $union:literal, $union_theta:literal, $both:literal,
     $both_theta:literal, $less:literal, $less_theta:literal) => {
        [
            f($estimate, &[Arg::Any], Ret::Is(DataType::Float64), |call, args| {
                doubles::<$number>(call, args, |all| all.entries.len() as f64 / all.fraction())
            })
            .coerce(|types| strict($estimate, &[Kind::Bin], types)),
            f($theta, &[Arg::Any], Ret::Is(DataType::Float64), |call, args| {
                doubles::<$number>(call, args, Tuple::fraction)
            })
            .coerce(|types| strict($theta, &[Kind::Bin], types)),
            f(
                $union,
                FOUR,
                Ret::With(|fields, constants| checked($union, fields, constants, Some(2), 3, DataType::Binary)),
                |call, args| union::<$number>(call, args, |call, bytes, _| sketch(call, bytes)),
            )
            .min(2)
            .coerce(|types| strict($union, &[Kind::Bin, Kind::Bin, Kind::Int, Kind::Text], types)),
            f(
                $union_theta,
                FOUR,
                Ret::With(|fields, constants| checked($union_theta, fields, constants, Some(2), 3, DataType::Binary)),
                |call, args| union::<$number>(call, args, filled),
            )
            .min(2)
            .coerce(|types| strict($union_theta, &[Kind::Bin, Kind::Bin, Kind::Int, Kind::Text], types)),
            f(
                $both,
                THREE,
                Ret::With(|fields, constants| checked($both, fields, constants, None, 2, DataType::Binary)),
                |call, args| intersection::<$number>(call, args, |call, bytes, _| sketch(call, bytes)),
            )
            .min(2)
            .coerce(|types| strict($both, &[Kind::Bin, Kind::Bin, Kind::Text], types)),
            f(
                $both_theta,
                THREE,
                Ret::With(|fields, constants| checked($both_theta, fields, constants, None, 2, DataType::Binary)),
                |call, args| intersection::<$number>(call, args, filled),
            )
            .min(2)
            .coerce(|types| strict($both_theta, &[Kind::Bin, Kind::Bin, Kind::Text], types)),
            f($less, TWO, Ret::Is(DataType::Binary), |call, args| {
                difference::<$number>(call, args, |call, bytes, _| sketch(call, bytes))
            })
            .coerce(|types| strict($less, &[Kind::Bin, Kind::Bin], types)),
            f($less_theta, TWO, Ret::Is(DataType::Binary), |call, args| difference::<$number>(call, args, filled))
                .coerce(|types| strict($less_theta, &[Kind::Bin, Kind::Bin], types)),
        ]
    };
}

const TWO: &[Arg] = &[Arg::Any, Arg::Any];
const THREE: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any];
const FOUR: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any, Arg::Any];

/// The scalar functions on tuple sketches. A null sketch gives null; other bytes fail with
/// `TUPLE_INVALID_INPUT_SKETCH_BUFFER`; sizes and modes must be constants.
pub(in crate::sketch) fn all() -> Vec<SparkFn> {
    let summaries = [
        f(
            "tuple_sketch_summary_double",
            TWO,
            Ret::With(|fields, constants| {
                checked("tuple_sketch_summary_double", fields, constants, None, 1, DataType::Float64)
            }),
            double_summary,
        )
        .min(1)
        .coerce(|types| strict("tuple_sketch_summary_double", &[Kind::Bin, Kind::Text], types)),
        f(
            "tuple_sketch_summary_integer",
            TWO,
            Ret::With(|fields, constants| {
                checked("tuple_sketch_summary_integer", fields, constants, None, 1, DataType::Int64)
            }),
            integer_summary,
        )
        .min(1)
        .coerce(|types| strict("tuple_sketch_summary_integer", &[Kind::Bin, Kind::Text], types)),
    ];
    let doubles = kind!(
        f64,
        "tuple_sketch_estimate_double",
        "tuple_sketch_theta_double",
        "tuple_union_double",
        "tuple_union_theta_double",
        "tuple_intersection_double",
        "tuple_intersection_theta_double",
        "tuple_difference_double",
        "tuple_difference_theta_double"
    );
    let integers = kind!(
        i32,
        "tuple_sketch_estimate_integer",
        "tuple_sketch_theta_integer",
        "tuple_union_integer",
        "tuple_union_theta_integer",
        "tuple_intersection_integer",
        "tuple_intersection_theta_integer",
        "tuple_difference_integer",
        "tuple_difference_theta_integer"
    );
    summaries.into_iter().chain(doubles).chain(integers).collect()
}
