//! Choosing among values: `coalesce` and relatives, `greatest`, `least`, `nullif`, `nanvl`, null-safe equality.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, is_null};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};

use super::coerce::{Arg, all_common, common, target};
use super::read::doubles;
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::arithmetic::normalize;

/// `coalesce(..)`: evaluated for all rows here; the analyzer may build CASE where branches can fail.
fn coalesce(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some((first, rest)) = args.split_first() else { return internal_err!("coalesce without argument") };
    let mut out = Arc::clone(first);
    for next in rest {
        if out.null_count() == 0 && *out.data_type() != DataType::Null {
            break;
        }
        out = zip(&is_not_null(&out)?, &out, next)?;
    }
    Ok(out)
}

/// Equality of two arrays by Spark's rules, nulls equal.
fn same(a: &ArrayRef, b: &ArrayRef) -> Result<BooleanArray> {
    let converter = RowConverter::new(vec![SortField::new(a.data_type().clone())])?;
    let left = converter.convert_columns(&[normalize(a)])?;
    let right = converter.convert_columns(&[normalize(b)])?;
    Ok(left.iter().zip(right.iter()).map(|(l, r)| Some(l == r)).collect())
}

/// `greatest` and `least`: nulls are skipped; null when all are.
fn extreme(args: &[ArrayRef], greatest: bool) -> Result<ArrayRef> {
    let Some((first, rest)) = args.split_first() else { return internal_err!("no argument") };
    let mut best = Arc::clone(first);
    for next in rest {
        let converter = RowConverter::new(vec![SortField::new(best.data_type().clone())])?;
        let left = converter.convert_columns(&[normalize(&best)])?;
        let right = converter.convert_columns(&[normalize(next)])?;
        let keep: BooleanArray = (0..best.len())
            .map(|row| {
                if next.is_null(row) {
                    return Some(true);
                }
                if best.is_null(row) {
                    return Some(false);
                }
                let order = left.row(row).cmp(&right.row(row));
                Some(if greatest { order.is_ge() } else { order.is_le() })
            })
            .collect();
        best = zip(&keep, &best, next)?;
    }
    Ok(best)
}

/// `nullif(a, b)`.
fn nullif(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let [a, b] = args else { return internal_err!("nullif") };
    let hit: BooleanArray =
        same(a, b)?.iter().enumerate().map(|(row, hit)| Some(hit == Some(true) && a.is_valid(row))).collect();
    Ok(arrow::compute::nullif(a, &hit)?)
}

/// `nvl2(test, if_not_null, if_null)`.
fn nvl2(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let [test, then, other] = args else { return internal_err!("nvl2") };
    Ok(zip(&is_not_null(test)?, then, other)?)
}

/// `nanvl(a, b)`.
fn nanvl(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (a, b) = (doubles(args, 0)?, doubles(args, 1)?);
    let pairs = a.iter().zip(b);
    Ok(Arc::new(pairs.map(|(a, b)| if a?.is_nan() { b } else { a }).collect::<Float64Array>()))
}

fn zero(args: &[ArrayRef], to_null: bool) -> Result<ArrayRef> {
    let Some(value) = args.first() else { return internal_err!("no argument") };
    let zeros = arrow::compute::cast(
        &(Arc::new(arrow::array::Int32Array::from(vec![0; value.len()])) as ArrayRef),
        value.data_type(),
    )?;
    if to_null {
        let hit: BooleanArray = same(value, &zeros)?.iter().map(|hit| Some(hit == Some(true))).collect();
        return Ok(arrow::compute::nullif(value, &hit)?);
    }
    Ok(zip(&is_not_null(value)?, value, &zeros)?)
}

fn number(types: &[DataType]) -> Result<Vec<DataType>> {
    let one = |t: &DataType| match t {
        DataType::Null => DataType::Int32,
        t => target(Arg::Num, t).unwrap_or_else(|| t.clone()),
    };
    Ok(types.iter().map(one).collect())
}

/// Conditional functions; argument types become common.
pub(crate) fn all() -> Vec<SparkFn> {
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    let boolean = Ret::Is(DataType::Boolean);
    vec![
        f("coalesce", &[Arg::Any], Ret::Same(0), coalesce).rest(Arg::Any).coerce(all_common).nulls(Nulls::All),
        f("nvl", TWO, Ret::Same(0), coalesce).coerce(all_common).nulls(Nulls::All).also(&["ifnull"]),
        f("nvl2", &[Arg::Any, Arg::Any, Arg::Any], Ret::Same(1), nvl2)
            .coerce(|t| {
                let one = common("nvl2", &t[1..])?;
                Ok(vec![t[0].clone(), one.clone(), one])
            })
            .nulls(Nulls::Always),
        f("nullif", TWO, Ret::Same(0), nullif).coerce(all_common).nulls(Nulls::Always),
        f("greatest", TWO, Ret::Same(0), |_, a| extreme(a, true)).rest(Arg::Any).coerce(all_common).nulls(Nulls::All),
        f("least", TWO, Ret::Same(0), |_, a| extreme(a, false)).rest(Arg::Any).coerce(all_common).nulls(Nulls::All),
        f("nanvl", &[Arg::Double, Arg::Double], Ret::Is(DataType::Float64), nanvl),
        f("isnan", &[Arg::Double], boolean.clone(), |_, a| {
            Ok(Arc::new(doubles(a, 0)?.iter().map(|v| Some(v.is_some_and(f64::is_nan))).collect::<BooleanArray>()))
        })
        .nulls(Nulls::Never),
        f("isnull", &[Arg::Any], boolean.clone(), |_, a| Ok(Arc::new(is_null(&a[0])?))).nulls(Nulls::Never),
        f("isnotnull", &[Arg::Any], boolean.clone(), |_, a| Ok(Arc::new(is_not_null(&a[0])?))).nulls(Nulls::Never),
        f("equal_null", TWO, boolean, |_, a| Ok(Arc::new(same(&a[0], &a[1])?))).coerce(all_common).nulls(Nulls::Never),
        f("nullifzero", &[Arg::Num], Ret::Same(0), |_, a| zero(a, true)).coerce(number).nulls(Nulls::Always),
        f("zeroifnull", &[Arg::Num], Ret::Same(0), |_, a| zero(a, false)).coerce(number).nulls(Nulls::Never),
    ]
}
