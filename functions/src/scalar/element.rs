//! Single elements and sizes of arrays and maps: `element_at`, `get`, `size`, `cardinality`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::array::range;
use super::coerce::{Arg, common};
use super::read::{fail, ints, lists, maps};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::arithmetic::normalize;
use crate::error::ErrorKind;

fn bad_index(condition: &str, index: i32, size: usize) -> datafusion::common::DataFusionError {
    let (index, size) = (index.to_string(), size.to_string());
    let parameters =
        [("indexValue", index.as_str()), ("arraySize", size.as_str()), ("ansiConfig", "\"spark.sql.ansi.enabled\"")];
    fail(ErrorKind::ArrayIndex, condition, &parameters)
}

/// `element_at(map, key)`: null when absent.
fn lookup(args: &[ArrayRef]) -> Result<ArrayRef> {
    let map = maps(args, 0)?;
    let key = &args[1];
    let converter = RowConverter::new(vec![SortField::new(key.data_type().clone())])?;
    let keys = converter.convert_columns(&[normalize(map.keys())])?;
    let wanted = converter.convert_columns(&[normalize(key)])?;
    let offsets = map.value_offsets();
    let rows: UInt32Array = (0..map.len())
        .map(|row| {
            if map.is_null(row) || key.is_null(row) {
                return None;
            }
            let mut here = offsets[row] as usize..offsets[row + 1] as usize;
            here.find(|at| keys.row(*at) == wanted.row(row)).map(|at| at as u32)
        })
        .collect();
    Ok(take(map.values(), &rows, None)?)
}

/// `element_at(array, index)`: 1-based, negative from the end; ANSI fails outside, `try_element_at` gives null.
fn element_at(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.first().is_some_and(|a| matches!(a.data_type(), DataType::Map(_, _))) {
        return lookup(args);
    }
    let (list, index) = (lists(args, 0)?, ints(args, 1)?);
    let strict = call.options.ansi && call.name == "element_at";
    let rows = (0..list.len())
        .map(|row| {
            if list.is_null(row) || index.is_null(row) {
                return Ok(None);
            }
            let (here, at) = (range(list, row), index.value(row));
            if at == 0 {
                return Err(fail(ErrorKind::ArrayIndex, "INVALID_INDEX_OF_ZERO", &[]));
            }
            let offset = if at > 0 { i64::from(at) - 1 } else { here.len() as i64 + i64::from(at) };
            if (0..here.len() as i64).contains(&offset) {
                return Ok(Some((here.start as i64 + offset) as u32));
            }
            if strict { Err(bad_index("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", at, here.len())) } else { Ok(None) }
        })
        .collect::<Result<UInt32Array>>()?;
    Ok(take(list.values(), &rows, None)?)
}

/// `get(array, index)`: 0-based, null outside. `spark_array_item` is `array[index]`: ANSI fails outside.
fn get(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, index) = (lists(args, 0)?, ints(args, 1)?);
    let strict = call.options.ansi && call.name != "get";
    let rows = (0..list.len())
        .map(|row| {
            if list.is_null(row) || index.is_null(row) {
                return Ok(None);
            }
            let (here, at) = (range(list, row), index.value(row));
            if usize::try_from(at).is_ok_and(|at| at < here.len()) {
                return Ok(Some(here.start as u32 + at as u32));
            }
            if strict { Err(bad_index("INVALID_ARRAY_INDEX", at, here.len())) } else { Ok(None) }
        })
        .collect::<Result<UInt32Array>>()?;
    Ok(take(list.values(), &rows, None)?)
}

/// `size(array or map)`: null for null, or -1 in the legacy mode.
fn size(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(value) = args.first() else { return internal_err!("size without argument") };
    let offsets = match value.data_type() {
        DataType::List(_) => lists(args, 0)?.value_offsets(),
        DataType::Map(_, _) => maps(args, 0)?.value_offsets(),
        _ => return internal_err!("size of {}", value.data_type()),
    };
    let legacy = !call.options.ansi && call.options.legacy_size_of_null && call.name != "array_size";
    let out: Int32Array = (0..value.len())
        .map(|row| {
            if value.is_null(row) {
                return legacy.then_some(-1);
            }
            Some(offsets[row + 1] - offsets[row])
        })
        .collect();
    Ok(Arc::new(out))
}

fn inner(fields: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match fields.first().map(|field| field.data_type()) {
        Some(DataType::List(element)) => element.data_type().clone(),
        Some(DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => fields[1].data_type().clone(),
            _ => DataType::Null,
        },
        _ => DataType::Null,
    })
}

fn indexed(types: &[DataType]) -> Result<Vec<DataType>> {
    match (types.first(), types.get(1)) {
        (Some(DataType::Map(entries, sorted)), Some(given)) => {
            let DataType::Struct(fields) = entries.data_type() else { return internal_err!("map") };
            let _ = (common("element_at", &[fields[0].data_type().clone(), given.clone()])?, sorted);
            Ok(vec![types[0].clone(), fields[0].data_type().clone()])
        }
        _ => super::coerce::coerce("element_at", &[Arg::Array, Arg::Int], None, types),
    }
}

/// Element and size functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const AT: &[Arg] = &[Arg::Any, Arg::Any];
    let sizes = |types: &[DataType]| {
        let arg = if matches!(types.first(), Some(DataType::Map(_, _))) { Arg::Map } else { Arg::Array };
        super::coerce::coerce("size", &[arg], None, types)
    };
    vec![
        f("element_at", AT, Ret::With(inner), element_at)
            .coerce(indexed)
            .nulls(Nulls::Always)
            .also(&["try_element_at"]),
        f("get", &[Arg::Array, Arg::Int], Ret::Element(0), get)
            .coerce(|types| match types.first() {
                Some(DataType::Null) => Err(super::coerce::mismatch("get", 0, "\"ARRAY\"", &DataType::Null).into()),
                _ => super::coerce::coerce("get", &[Arg::Array, Arg::Int], None, types),
            })
            .nulls(Nulls::Always),
        f("spark_array_item", &[Arg::Array, Arg::Int], Ret::Element(0), get).nulls(Nulls::Always),
        f("size", &[Arg::Any], Ret::Is(DataType::Int32), size).coerce(sizes).also(&["cardinality"]),
        f("array_size", &[Arg::Array], Ret::Is(DataType::Int32), size),
    ]
}
