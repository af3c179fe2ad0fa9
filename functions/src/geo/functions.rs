//! `st_geomfromwkb`, `st_geogfromwkb`, `st_asbinary`, `st_srid`, `st_setsrid`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, StructArray, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType as Arrow, FieldRef, Int32Type};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::wkb::{Order, rewrite};
use super::{check_srid, of_arrow};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{Arg, mismatch, target};
use crate::scalar::read::{bins, fail, ints, strs};
use crate::scalar::spec::{Call, Ret, SparkFn, f};
use crate::types::DataType;

const SPATIAL: &str = "(\"GEOGRAPHY\" or \"GEOMETRY\")";
const GLOBE: i32 = 4326;

/// The parts of a column of spatial values.
struct Values<'a> {
    srids: &'a Int32Array,
    wkb: &'a BinaryArray,
    nulls: Option<&'a NullBuffer>,
}

fn values<'a>(call: &Call<'_>, args: &'a [ArrayRef]) -> Result<Values<'a>> {
    let rows = args.first().and_then(|column| column.as_struct_opt());
    let found = rows.and_then(|rows| {
        let srids = rows.columns().first()?.as_primitive_opt::<Int32Type>()?;
        let wkb = rows.columns().get(1)?.as_binary_opt::<i32>()?;
        Some(Values { srids, wkb, nulls: rows.nulls() })
    });
    match found {
        Some(values) => Ok(values),
        None => internal_err!("{} without spatial value", call.name),
    }
}

/// A column of spatial values; a row without bytes is null.
fn column(call: &Call<'_>, srids: Vec<i32>, wkb: Vec<Option<Vec<u8>>>) -> Result<ArrayRef> {
    let Arrow::Struct(fields) = call.result else { return internal_err!("{} has no spatial result", call.name) };
    let nulls: NullBuffer = wkb.iter().map(Option::is_some).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(srids)), Arc::new(BinaryArray::from_iter(wkb))];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
}

/// `st_geogfromwkb(wkb)`: coordinates outside the globe fail, as do other bytes, with `WKB_PARSE_ERROR`.
fn geography(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let wkb = bins(args, 0)?
        .iter()
        .map(|bytes| bytes.map(|bytes| rewrite(bytes, true, Order::Little)).transpose())
        .collect::<std::result::Result<Vec<_>, SparkError>>()?;
    column(call, vec![GLOBE; wkb.len()], wkb)
}

/// `st_geomfromwkb(wkb[, srid])`: the reference is 0 unless given; an unknown one fails with `ST_INVALID_SRID_VALUE`.
fn geometry(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let given = if args.len() > 1 { Some(ints(args, 1)?) } else { None };
    let (mut srids, mut wkb) = (Vec::new(), Vec::new());
    for (row, bytes) in bins(args, 0)?.iter().enumerate() {
        let srid = given.map_or(Some(0), |given| given.is_valid(row).then(|| given.value(row)));
        let (Some(bytes), Some(srid)) = (bytes, srid) else {
            srids.push(0);
            wkb.push(None);
            continue;
        };
        check_srid(i64::from(srid), false)?;
        srids.push(srid);
        wkb.push(Some(rewrite(bytes, false, Order::Little)?));
    }
    column(call, srids, wkb)
}

/// `st_asbinary(geo[, endianness])`: `NDR`, which is the default, or `XDR`.
fn binary(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.first().is_some_and(|column| column.data_type().is_null()) {
        return Ok(new_null_array(&Arrow::Binary, call.rows));
    }
    let values = values(call, args)?;
    let orders = if args.len() > 1 { Some(strs(args, 1)?) } else { None };
    let out = values
        .wkb
        .iter()
        .enumerate()
        .map(|(row, bytes)| {
            let Some(bytes) = bytes.filter(|_| values.nulls.is_none_or(|nulls| nulls.is_valid(row))) else {
                return Ok(None);
            };
            let order = match orders {
                None => "NDR",
                Some(orders) if orders.is_null(row) => return Ok(None),
                Some(orders) => orders.value(row),
            };
            let order = match order.to_ascii_uppercase().as_str() {
                "NDR" => Order::Little,
                "XDR" => Order::Big,
                _ => {
                    let parameters = [("endianness", order)];
                    return Err(fail(ErrorKind::IllegalArgument, "ST_INVALID_ENDIANNESS_VALUE", &parameters));
                }
            };
            Ok(Some(rewrite(bytes, false, order)?))
        })
        .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(out)))
}

/// `st_srid(geo)`: the reference identifier.
fn srid(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.first().is_some_and(|column| column.data_type().is_null()) {
        return Ok(new_null_array(&Arrow::Int32, call.rows));
    }
    let values = values(call, args)?;
    let nulls = NullBuffer::union(values.nulls, values.srids.nulls());
    Ok(Arc::new(Int32Array::try_new(values.srids.values().clone(), nulls)?))
}

/// `st_setsrid(geo, srid)`: the same shape with another reference, which the kind of value must allow.
fn set_srid(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.first().is_some_and(|column| column.data_type().is_null()) {
        return Ok(new_null_array(call.result, call.rows));
    }
    let on_globe = matches!(of_arrow(call.result), Some(DataType::Geography(_)));
    let values = values(call, args)?;
    let given = ints(args, 1)?;
    let (mut srids, mut wkb) = (Vec::new(), Vec::new());
    for (row, bytes) in values.wkb.iter().enumerate() {
        let valid = values.nulls.is_none_or(|nulls| nulls.is_valid(row)) && given.is_valid(row);
        let Some(bytes) = bytes.filter(|_| valid) else {
            srids.push(0);
            wkb.push(None);
            continue;
        };
        check_srid(i64::from(given.value(row)), on_globe)?;
        srids.push(given.value(row));
        wkb.push(Some(bytes.to_vec()));
    }
    column(call, srids, wkb)
}

fn spatial(name: &str, types: &[Arrow], rest: Option<Arg>) -> Result<Vec<Arrow>> {
    types
        .iter()
        .enumerate()
        .map(|(at, given)| match (at, rest) {
            (0, _) if given.is_null() || of_arrow(given).is_some() => Ok(given.clone()),
            (at, Some(rest)) if at > 0 => {
                let wanted = if rest == Arg::Int { "\"INT\"" } else { "\"STRING\"" };
                target(rest, given).ok_or_else(|| mismatch(name, at, wanted, given).into())
            }
            _ => Err(mismatch(name, at, SPATIAL, given).into()),
        })
        .collect()
}

/// The reference a constant argument names; `None` for any other argument and for null.
fn constant(constants: &[Option<&ScalarValue>]) -> Option<i32> {
    match constants.get(1).copied().flatten() {
        Some(ScalarValue::Int32(srid)) => *srid,
        _ => None,
    }
}

fn geometry_type(fields: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<Arrow> {
    if fields.len() < 2 {
        return Ok(DataType::Geometry(Some(0)).to_arrow());
    }
    let srid = constant(constants).map(|srid| check_srid(i64::from(srid), false)).transpose()?;
    Ok(DataType::Geometry(srid).to_arrow())
}

fn changed_type(fields: &[FieldRef], constants: &[Option<&ScalarValue>]) -> Result<Arrow> {
    let on_globe = fields.first().and_then(|field| of_arrow(field.data_type()));
    let on_globe = matches!(on_globe, Some(DataType::Geography(_)));
    let srid = constant(constants).map(|srid| check_srid(i64::from(srid), on_globe)).transpose()?;
    Ok(if on_globe { DataType::Geography(srid) } else { DataType::Geometry(srid) }.to_arrow())
}

/// The spatial functions; a null argument gives null.
pub(crate) fn all() -> Vec<SparkFn> {
    const ANY: &[Arg] = &[Arg::Any];
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    vec![
        f(
            "st_geogfromwkb",
            &[Arg::Bin],
            Ret::With(|_, _| Ok(DataType::Geography(Some(GLOBE as u32)).to_arrow())),
            geography,
        ),
        f("st_geomfromwkb", &[Arg::Bin, Arg::Int], Ret::With(geometry_type), geometry).min(1),
        f("st_asbinary", TWO, Ret::Is(Arrow::Binary), binary)
            .min(1)
            .coerce(|types| spatial("st_asbinary", types, Some(Arg::Str))),
        f("st_srid", ANY, Ret::Is(Arrow::Int32), srid).coerce(|types| spatial("st_srid", types, None)),
        f("st_setsrid", TWO, Ret::With(changed_type), set_srid)
            .coerce(|types| spatial("st_setsrid", types, Some(Arg::Int))),
    ]
}
