//! Mathematics: doubles in and out unless a function keeps its argument's type.

mod bucket;
mod conv;
mod round_double;
mod strict;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Decimal128Type, FieldRef, Float32Type, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion_spark::function::math as sp;

use super::coerce::{Arg, mismatch};
use super::read::{doubles, fail, ints, longs};
use super::spec::{Call, Kernel, Nulls, Ret, SparkFn, conform, f, wrap};
use crate::display::decimal_text;
use crate::error::{ErrorKind, SparkError};

const ONE: &[Arg] = &[Arg::Double];
const TWO: &[Arg] = &[Arg::Double, Arg::Double];
const DOUBLE: Ret = Ret::Is(DataType::Float64);
const BIGINT: Ret = Ret::Is(DataType::Int64);

fn unary(args: &[ArrayRef], work: fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(arrow::compute::unary::<_, _, Float64Type>(doubles(args, 0)?, work)))
}

/// Null outside the domain.
fn partial(args: &[ArrayRef], domain: fn(f64) -> bool, work: fn(f64) -> f64) -> Result<ArrayRef> {
    let out = doubles(args, 0)?.iter().map(|v| v.filter(|v| domain(*v)).map(work));
    Ok(Arc::new(out.collect::<Float64Array>()))
}

fn binary(args: &[ArrayRef], work: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(arrow::compute::binary::<_, _, _, Float64Type>(doubles(args, 0)?, doubles(args, 1)?, work)?))
}

/// `log(base, expr)`: null unless both are positive; `log(expr)` is the natural logarithm.
fn log(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.len() == 1 {
        return partial(args, |v| v > 0.0 || v.is_nan(), libm::log);
    }
    let pairs = doubles(args, 0)?.iter().zip(doubles(args, 1)?);
    let out = pairs.map(|(base, v)| {
        let (base, v) = (base?, v?);
        let outside = base <= 0.0 || v <= 0.0;
        (!outside).then(|| libm::log(v) / libm::log(base))
    });
    Ok(Arc::new(out.collect::<Float64Array>()))
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    HalfUp,
    HalfEven,
    Floor,
    Ceil,
}

fn divide(value: i128, by: i128, mode: Mode) -> i128 {
    let (q, r) = (value.div_euclid(by), value.rem_euclid(by));
    if r == 0 {
        return q;
    }
    let up = match mode {
        Mode::Floor => false,
        Mode::Ceil => true,
        Mode::HalfUp if 2 * r == by => value >= 0,
        Mode::HalfEven if 2 * r == by => q % 2 != 0,
        _ => 2 * r > by,
    };
    q + i128::from(up)
}

fn pow10(n: u32) -> i128 {
    10_i128.checked_pow(n).unwrap_or(i128::MAX)
}

fn scale_of(scalars: &[Option<&ScalarValue>], default: i32) -> i32 {
    match scalars.get(1) {
        Some(Some(ScalarValue::Int32(Some(scale)))) => *scale,
        _ => default,
    }
}

/// Result type of `round(expr[, scale])`: the same, except decimals, whose scale shrinks.
fn rounded(fields: &[FieldRef], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    let wanted = scale_of(scalars, 0);
    Ok(match fields.first().map(|field| field.data_type()) {
        Some(DataType::Decimal128(p, s)) => {
            let whole = i32::from(*p) - i32::from(*s) + 1;
            if wanted < 0 {
                DataType::Decimal128(whole.max(wanted.saturating_neg().saturating_add(1)).clamp(1, 38) as u8, 0)
            } else {
                let scale = i32::from(*s).min(wanted);
                DataType::Decimal128((whole + scale).clamp(1, 38) as u8, scale as i8)
            }
        }
        Some(other) => other.clone(),
        None => DataType::Null,
    })
}

/// Result type of `ceil` and `floor`: `BIGINT`, or a decimal; two arguments always give a decimal.
fn whole(fields: &[FieldRef], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    match fields.first().map(|field| field.data_type()) {
        Some(DataType::Decimal128(..)) if fields.len() > 1 => rounded(fields, scalars),
        Some(DataType::Decimal128(p, s)) => Ok(DataType::Decimal128((*p as i16 - *s as i16 + 1).clamp(1, 38) as u8, 0)),
        _ => Ok(DataType::Int64),
    }
}

fn decimal(call: &Call<'_>, values: &Decimal128Array, from: i8, mode: Mode, wanted: i32) -> Result<ArrayRef> {
    let DataType::Decimal128(p, s) = call.result else { return internal_err!("round of a decimal") };
    let target = i32::from(*s);
    let drop = i32::from(from).saturating_sub(wanted.min(i32::from(from)));
    let limit = pow10(u32::from(*p));
    let out = values
        .iter()
        .map(|v| {
            let Some(v) = v else { return Ok(None) };
            let cut = divide(v, pow10(drop.max(0) as u32), mode);
            // `cut` has scale `from - drop`; bring it to the declared one.
            let up = target.saturating_sub(i32::from(from).saturating_sub(drop));
            let out = if up >= 0 { cut.checked_mul(pow10(up as u32)) } else { Some(cut / pow10(up.unsigned_abs())) };
            match out.filter(|out| out.abs() < limit) {
                Some(out) => Ok(Some(out)),
                None if wanted < 0 => Err(SparkError::decimal_does_not_fit(&decimal_text(cut, 0), *p, *s).into()),
                None if call.options.ansi => Err(overflow("decimal overflow")),
                None => Ok(None),
            }
        })
        .collect::<Result<Decimal128Array>>()?;
    Ok(Arc::new(out.with_precision_and_scale(*p, *s)?))
}

fn overflow(message: &str) -> datafusion::common::DataFusionError {
    let parameters = [("message", message), ("alternative", ""), ("config", "\"spark.sql.ansi.enabled\"")];
    fail(ErrorKind::Arithmetic, "ARITHMETIC_OVERFLOW", &parameters)
}

/// The values an integer type holds.
fn bounds(data_type: &DataType) -> (i128, i128) {
    match data_type {
        DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
        DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
        DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

fn round(call: &Call<'_>, args: &[ArrayRef], mode: Mode) -> Result<ArrayRef> {
    let Some(values) = args.first() else { return internal_err!("round without argument") };
    let scale = if args.len() > 1 {
        let scales = ints(args, 1)?;
        if scales.is_empty() || scales.is_null(0) {
            return Ok(arrow::array::new_null_array(call.result, values.len()));
        }
        scales.value(0)
    } else {
        0
    };
    match values.data_type() {
        DataType::Decimal128(_, s) => {
            let Some(decimals) = values.as_primitive_opt::<Decimal128Type>() else { return internal_err!("round") };
            decimal(call, decimals, *s, mode, scale)
        }
        DataType::Float64 => Ok(Arc::new(round_double::round(doubles(args, 0)?, scale, mode))),
        DataType::Float32 => {
            let Some(values) = values.as_primitive_opt::<Float32Type>() else { return internal_err!("round") };
            let work =
                |v: f32| round_double::by_digits(v.to_string().parse().unwrap_or(f64::from(v)), scale, mode) as f32;
            Ok(Arc::new(values.iter().map(|v| v.map(work)).collect::<Float32Array>()))
        }
        t if t.is_integer() => {
            if scale >= 0 {
                return Ok(Arc::clone(values));
            }
            let wide = arrow::compute::cast(values, &DataType::Int64)?;
            let Some(wide) = wide.as_primitive_opt::<Int64Type>() else { return internal_err!("round") };
            let unit = pow10(scale.unsigned_abs());
            let (least, most) = bounds(call.result);
            let width = most - least + 1;
            let out = wide
                .iter()
                .map(|v| match v {
                    Some(v) => match divide(i128::from(v), unit, mode).checked_mul(unit) {
                        Some(v) if (least..=most).contains(&v) => Ok(Some(v as i64)),
                        // Java keeps the lowest bits.
                        Some(v) if !call.options.ansi => Ok(Some(((v - least).rem_euclid(width) + least) as i64)),
                        _ => Err(overflow("Overflow")),
                    },
                    None => Ok(None),
                })
                .collect::<Result<Int64Array>>()?;
            conform(Arc::new(out), call.result)
        }
        other => internal_err!("round of {other}"),
    }
}

fn to_whole(call: &Call<'_>, args: &[ArrayRef], mode: Mode) -> Result<ArrayRef> {
    match args.first().map(|values| values.data_type()) {
        Some(DataType::Float64) => {
            let work = if mode == Mode::Ceil { f64::ceil } else { f64::floor };
            // A Java cast to long: NaN is 0; without ANSI the rest saturates.
            let fits = |v: f64| v.is_nan() || v.abs() <= 9_223_372_036_854_775_808.0 || !call.options.ansi;
            let whole = doubles(args, 0)?.iter().map(|v| match v.map(work) {
                Some(v) if fits(v) => Ok(Some(v as i64)),
                Some(_) => Err(overflow("overflow")),
                None => Ok(None),
            });
            Ok(Arc::new(whole.collect::<Result<Int64Array>>()?))
        }
        Some(DataType::Int64) => Ok(Arc::clone(&args[0])),
        _ => round(call, args, mode),
    }
}

fn whole_types(types: &[DataType]) -> Result<Vec<DataType>> {
    let two = types.len() > 1;
    if let Some(value) = types.first()
        && !(value.is_numeric() || matches!(value, DataType::Utf8 | DataType::Null))
    {
        return Err(mismatch("ceil", 0, "(\"DOUBLE\" or \"DECIMAL\" or \"BIGINT\")", value).into());
    }
    if let Some(scale) = types.get(1)
        && !matches!(scale, DataType::Int32 | DataType::Null)
    {
        let parameters = [("funcName", "`ceil`"), ("paramName", "`scale`"), ("paramType", "\"INT\"")];
        return Err(fail(ErrorKind::Analysis, "NON_FOLDABLE_ARGUMENT", &parameters));
    }
    Ok(types
        .iter()
        .enumerate()
        .map(|(at, t)| match (at, t) {
            (1, _) => DataType::Int32,
            (_, DataType::Decimal128(..)) => t.clone(),
            (_, t) if t.is_integer() && !two => DataType::Int64,
            (_, DataType::Int8) => DataType::Decimal128(3, 0),
            (_, DataType::Int16) => DataType::Decimal128(5, 0),
            (_, DataType::Int32) => DataType::Decimal128(10, 0),
            (_, DataType::Int64) => DataType::Decimal128(20, 0),
            (_, DataType::Float32) if two => DataType::Decimal128(14, 7),
            (_, DataType::Utf8 | DataType::Null) if two => DataType::Decimal128(38, 18),
            _ if two => DataType::Decimal128(30, 15),
            _ => DataType::Float64,
        })
        .collect())
}

fn constant(call: &Call<'_>, value: f64) -> ArrayRef {
    Arc::new(Float64Array::from(vec![value; call.rows]))
}

fn signum(v: f64) -> f64 {
    if v == 0.0 || v.is_nan() { v } else { v.signum() }
}

/// Spark's own formula: the last digits of the libraries' functions are others.
fn atanh(v: f64) -> f64 {
    0.5 * (libm::log1p(v) - libm::log1p(-v))
}

/// `factorial(n)`: null outside 0..=20.
fn factorial(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = ints(args, 0)?.iter().map(|n| n.filter(|n| (0..=20).contains(n)).map(|n| (1..=i64::from(n)).product()));
    Ok(Arc::new(out.collect::<Int64Array>()))
}

fn bin(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(longs(args, 0)?.iter().map(|n| n.map(|n| format!("{n:b}"))).collect::<StringArray>()))
}

macro_rules! unaries {
    ($($name:literal $(| $also:literal)* => $work:expr),* $(,)?) => {
        vec![$(f($name, ONE, DOUBLE, |_, a| unary(a, $work)).also(&[$($also),*])),*]
    };
}

/// Mathematical functions.
pub(crate) fn all() -> Vec<SparkFn> {
    let mut made = unaries![
        "acos" => libm::acos, "asin" => libm::asin, "atan" => libm::atan,
        "acosh" => f64::acosh, "asinh" => f64::asinh, "atanh" => atanh,
        "cos" => f64::cos, "sin" => f64::sin, "tan" => f64::tan,
        "cosh" => strict::cosh, "sinh" => strict::sinh, "tanh" => strict::tanh,
        "cot" => |v| 1.0 / v.tan(), "csc" => |v| 1.0 / v.sin(), "sec" => |v| 1.0 / v.cos(),
        "exp" => strict::exp, "expm1" => libm::expm1, "sqrt" => f64::sqrt, "cbrt" => strict::cbrt,
        "degrees" => f64::to_degrees, "radians" => f64::to_radians,
        "rint" => f64::round_ties_even, "signum" | "sign" => signum,
    ];
    let ceil: Kernel = |c, a| to_whole(c, a, Mode::Ceil);
    let floor: Kernel = |c, a| to_whole(c, a, Mode::Floor);
    const ROUND: &[Arg] = &[Arg::Num, Arg::Int];
    made.extend([
        // Logarithms are null outside their domain.
        f("ln", ONE, DOUBLE, |_, a| partial(a, |v| v > 0.0 || v.is_nan(), libm::log)).nulls(Nulls::Always),
        f("log2", ONE, DOUBLE, |_, a| partial(a, |v| v > 0.0 || v.is_nan(), strict::log2)).nulls(Nulls::Always),
        f("log10", ONE, DOUBLE, |_, a| partial(a, |v| v > 0.0 || v.is_nan(), strict::log10)).nulls(Nulls::Always),
        f("log1p", ONE, DOUBLE, |_, a| partial(a, |v| v > -1.0 || v.is_nan(), libm::log1p)).nulls(Nulls::Always),
        f("log", TWO, DOUBLE, log).min(1).nulls(Nulls::Always),
        f("pow", TWO, DOUBLE, |_, a| binary(a, strict::power)).also(&["power"]),
        f("atan2", TWO, DOUBLE, |_, a| binary(a, libm::atan2)),
        f("hypot", TWO, DOUBLE, |_, a| binary(a, f64::hypot)),
        f("pi", &[], DOUBLE, |c, _| Ok(constant(c, std::f64::consts::PI))),
        f("e", &[], DOUBLE, |c, _| Ok(constant(c, std::f64::consts::E))),
        f("round", ROUND, Ret::With(rounded), |c, a| round(c, a, Mode::HalfUp)).min(1),
        f("bround", ROUND, Ret::With(rounded), |c, a| round(c, a, Mode::HalfEven)).min(1),
        f("ceil", ROUND, Ret::With(whole), ceil).min(1).coerce(whole_types).also(&["ceiling"]),
        f("floor", ROUND, Ret::With(whole), floor).min(1).coerce(whole_types),
        f("factorial", &[Arg::Int], BIGINT, factorial).nulls(Nulls::Always),
        f("bin", &[Arg::Long], Ret::Is(DataType::Utf8), bin),
        f("conv", &[Arg::Str, Arg::Int, Arg::Int], Ret::Is(DataType::Utf8), conv::conv).nulls(Nulls::Always),
        f("positive", &[Arg::Num], Ret::Same(0), |_, a| Ok(Arc::clone(&a[0]))),
        wrap("hex", &[Arg::Any], Ret::Is(DataType::Utf8), sp::hex()).coerce(|t| {
            t.iter()
                .map(|t| match t {
                    DataType::Utf8 | DataType::Binary => Ok(t.clone()),
                    t if t.is_numeric() => Ok(DataType::Int64),
                    t if t.is_nested() => Err(mismatch("hex", 0, "(\"BIGINT\" or \"BINARY\" or \"STRING\")", t).into()),
                    _ => Ok(DataType::Utf8),
                })
                .collect()
        }),
        wrap("unhex", &[Arg::Str], Ret::Is(DataType::Binary), sp::unhex()).nulls(Nulls::Always),
        f("width_bucket", &[Arg::Double, Arg::Double, Arg::Double, Arg::Long], BIGINT, |_, a| bucket::width_bucket(a))
            .coerce(|t| {
                let span = |t: &DataType| matches!(t, DataType::Interval(_) | DataType::Duration(_));
                Ok(t.iter()
                    .enumerate()
                    .map(|(at, t)| {
                        if at == 3 {
                            DataType::Int64
                        } else if span(t) {
                            t.clone()
                        } else {
                            DataType::Float64
                        }
                    })
                    .collect())
            })
            .nulls(Nulls::Always),
    ]);
    made
}
