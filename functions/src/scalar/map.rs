//! Maps and structs: constructors, keys, values, entries. Null keys and duplicate keys fail as Spark's policy says.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StringArray, StructArray, UInt32Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::array::range;
use super::array_types::map_and_key;
use super::coerce::{Arg, common_or, holds_map, list_of, map_of, sql_name};
use super::read::{fail, lists, maps, strs};
use super::regexp::Patterns;
use super::spec::{Call, Nulls, Ret, SparkFn, conform, f};
use super::split::pieces;
use crate::arithmetic::normalize;
use crate::error::ErrorKind;

/// Builds a map array from flat keys and values and the flat indices of each row's entries.
pub(crate) fn build(
    call: &Call<'_>,
    keys: &ArrayRef,
    values: &ArrayRef,
    rows: Vec<Option<Vec<u32>>>,
) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = call.result else { return internal_err!("map result") };
    let DataType::Struct(fields) = entries.data_type() else { return internal_err!("map entries") };
    let keys = conform(Arc::clone(keys), fields[0].data_type())?;
    let values = conform(Arc::clone(values), fields[1].data_type())?;
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    let encoded = converter.convert_columns(&[normalize(&keys)])?;
    // An array of the type VOID has nulls that are not written down.
    let missing = keys.logical_nulls();
    let (mut flat_keys, mut flat_values, mut lengths) = (vec![], vec![], vec![]);
    for row in &rows {
        let mut seen: HashMap<arrow::row::Row<'_>, usize> = HashMap::new();
        let begin = flat_keys.len();
        for &at in row.iter().flatten() {
            if missing.as_ref().is_some_and(|nulls| nulls.is_null(at as usize)) {
                return Err(fail(ErrorKind::Runtime, "NULL_MAP_KEY", &[]));
            }
            match seen.get(&encoded.row(at as usize)) {
                Some(&place) if call.options.map_key_dedup_last_win => flat_values[place] = at,
                Some(_) => {
                    let key = arrow::util::display::array_value_to_string(&keys, at as usize)?;
                    let parameters = [("key", key.as_str()), ("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\"")];
                    return Err(fail(ErrorKind::Runtime, "DUPLICATED_MAP_KEY", &parameters));
                }
                None => {
                    seen.insert(encoded.row(at as usize), flat_keys.len());
                    flat_keys.push(at);
                    flat_values.push(at);
                }
            }
        }
        lengths.push(flat_keys.len() - begin);
    }
    let keys = take(&keys, &UInt32Array::from(flat_keys), None)?;
    let values = take(&values, &UInt32Array::from(flat_values), None)?;
    let entries_array = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let nulls = NullBuffer::from(rows.iter().map(Option::is_some).collect::<Vec<_>>());
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, entries_array, Some(nulls), false)?))
}

fn concat(parts: &[&ArrayRef]) -> Result<ArrayRef> {
    Ok(arrow::compute::concat(&parts.iter().map(|a| a.as_ref()).collect::<Vec<_>>())?)
}

/// `map(key, value, ..)`.
fn map(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if args.is_empty() {
        let none = arrow::array::new_empty_array(&DataType::Null);
        return build(call, &none, &none, vec![Some(vec![]); call.rows]);
    }
    let keys = concat(&args.iter().step_by(2).collect::<Vec<_>>())?;
    let values = concat(&args.iter().skip(1).step_by(2).collect::<Vec<_>>())?;
    let pairs = args.len() / 2;
    let rows = (0..call.rows).map(|row| Some((0..pairs).map(|at| (at * call.rows + row) as u32).collect())).collect();
    build(call, &keys, &values, rows)
}

fn map_types(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() % 2 == 1 {
        super::coerce::check_count("map", types.len(), types.len() + 1, types.len() + 1)?;
    }
    let every = |from: usize| types.iter().skip(from).step_by(2).cloned().collect::<Vec<_>>();
    let listed = |all: &[String]| format!("[{}]", all.join(", "));
    let key = common_or("DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES", "map", &every(0), listed)?;
    let value = common_or("DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES", "map", &every(1), listed)?;
    if holds_map(&key) {
        let parameters = [("sqlExpr", "map"), ("keyType", &sql_name(&key))];
        return Err(fail(ErrorKind::Analysis, "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", &parameters));
    }
    Ok((0..types.len()).map(|at| if at % 2 == 0 { key.clone() } else { value.clone() }).collect())
}

/// `map_from_arrays(keys, values)`: different lengths fail.
fn from_arrays(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (keys, values) = (lists(args, 0)?, lists(args, 1)?);
    let mut order = vec![];
    let mut rows = vec![];
    for row in 0..keys.len() {
        if keys.is_null(row) || values.is_null(row) {
            rows.push(None);
            continue;
        }
        let (k, v) = (range(keys, row), range(values, row));
        if k.len() != v.len() {
            return Err(fail(ErrorKind::Runtime, "_LEGACY_ERROR_TEMP_2098", &[]));
        }
        rows.push(Some(k.clone().map(|at| at as u32).collect()));
        order.push((k, v));
    }
    let mut picks = vec![None; keys.values().len()];
    for (k, v) in order {
        for (k, v) in k.zip(v) {
            picks[k] = Some(v as u32);
        }
    }
    build(call, keys.values(), &take(values.values(), &UInt32Array::from(picks), None)?, rows)
}

/// `map_from_entries(array<struct<key, value>>)`: null if an entry is.
fn from_entries(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    let Some(entries) = list.values().as_struct_opt() else { return internal_err!("map_from_entries") };
    let rows = (0..list.len())
        .map(|row| {
            let here = range(list, row);
            (list.is_valid(row) && here.clone().all(|at| entries.is_valid(at)))
                .then(|| here.map(|at| at as u32).collect())
        })
        .collect();
    build(call, entries.column(0), entries.column(1), rows)
}

/// `map_concat(..)`.
fn map_concat(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let all = (0..args.len()).map(|at| maps(args, at)).collect::<Result<Vec<_>>>()?;
    if all.is_empty() {
        let none = arrow::array::new_empty_array(&DataType::Null);
        return build(call, &none, &none, vec![Some(vec![]); call.rows]);
    }
    let keys = concat(&all.iter().map(|m| m.keys()).collect::<Vec<_>>())?;
    let values = concat(&all.iter().map(|m| m.values()).collect::<Vec<_>>())?;
    let rows = (0..call.rows)
        .map(|row| {
            let mut base = 0;
            let mut out = vec![];
            for map in &all {
                if map.is_null(row) {
                    return None;
                }
                let offsets = map.value_offsets();
                out.extend((offsets[row]..offsets[row + 1]).map(|at| at as u32 + base));
                base += map.keys().len() as u32;
            }
            Some(out)
        })
        .collect();
    build(call, &keys, &values, rows)
}

fn part(call: &Call<'_>, args: &[ArrayRef], pick: fn(&MapArray) -> ArrayRef) -> Result<ArrayRef> {
    let map = maps(args, 0)?;
    let DataType::List(field) = call.result else { return internal_err!("map part") };
    let values = conform(pick(map), field.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), map.offsets().clone(), values, map.nulls().cloned())?))
}

/// `map_contains_key(map, key)`.
fn contains_key(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let map = maps(args, 0)?;
    let converter = RowConverter::new(vec![SortField::new(map.keys().data_type().clone())])?;
    let keys = converter.convert_columns(&[normalize(map.keys())])?;
    let wanted = converter.convert_columns(&[normalize(&args[1])])?;
    let offsets = map.value_offsets();
    let out: BooleanArray = (0..map.len())
        .map(|row| {
            (map.is_valid(row) && args[1].is_valid(row))
                .then(|| (offsets[row]..offsets[row + 1]).any(|at| keys.row(at as usize) == wanted.row(row)))
        })
        .collect();
    Ok(Arc::new(out))
}

fn entry_fields(t: &DataType) -> Option<(DataType, DataType, bool)> {
    let DataType::Map(entries, _) = t else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    Some((fields.first()?.data_type().clone(), fields.get(1)?.data_type().clone(), fields.get(1)?.is_nullable()))
}

fn of_first(fields: &[FieldRef], shape: fn(DataType, DataType, bool) -> DataType) -> Result<DataType> {
    let found = fields.first().and_then(|field| entry_fields(field.data_type()));
    Ok(found.map_or(DataType::Null, |(key, value, nullable)| shape(key, value, nullable)))
}

/// `named_struct(name, value, ..)` and `struct(..)`: never null. Struct field names come from the analyzer as literals.
fn named_struct(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let DataType::Struct(fields) = call.result else { return internal_err!("named_struct") };
    let columns: Vec<ArrayRef> = args.iter().skip(1).step_by(2).cloned().collect();
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, call.rows)?))
}

fn named_fields(fields: &[FieldRef], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    let mut out = vec![];
    for (at, pair) in fields.chunks(2).enumerate() {
        let name = match scalars.get(2 * at) {
            Some(Some(ScalarValue::Utf8(Some(name)))) => name.clone(),
            _ => format!("col{}", at + 1),
        };
        if let Some(value) = pair.get(1) {
            out.push(
                Field::new(name, value.data_type().clone(), value.is_nullable())
                    .with_metadata(value.metadata().clone()),
            );
        }
    }
    Ok(DataType::Struct(Fields::from(out)))
}

/// `struct(..)` with the names `col1, col2, ..`.
fn plain_struct(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let DataType::Struct(fields) = call.result else { return internal_err!("struct") };
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), args.to_vec(), None, call.rows)?))
}

/// `str_to_map(text[, pairDelim[, keyValueDelim]])`: delimiters are patterns.
fn str_to_map(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let text = strs(args, 0)?;
    let delim = |at: usize, row: usize, default: &str| -> Result<Option<String>> {
        match args.get(at) {
            None => Ok(Some(default.to_string())),
            Some(_) => {
                let given = strs(args, at)?;
                Ok(given.is_valid(row).then(|| given.value(row).to_string()))
            }
        }
    };
    let mut patterns = Patterns::new("str_to_map");
    let (mut keys, mut values): (Vec<String>, Vec<Option<String>>) = (vec![], vec![]);
    let mut rows: Vec<Option<Vec<u32>>> = vec![];
    for row in 0..text.len() {
        let (Some(pair), Some(inner)) = (delim(1, row, ",")?, delim(2, row, ":")?) else {
            rows.push(None);
            continue;
        };
        if text.is_null(row) {
            rows.push(None);
            continue;
        }
        let begin = keys.len();
        for piece in pieces(text.value(row), patterns.get(&pair)?, -1)? {
            let mut halves = pieces(&piece, patterns.get(&inner)?, 2)?.into_iter();
            keys.push(halves.next().unwrap_or_default());
            values.push(halves.next());
        }
        rows.push(Some((begin..keys.len()).map(|at| at as u32).collect()));
    }
    let keys: ArrayRef = Arc::new(StringArray::from(keys));
    let values: ArrayRef = Arc::new(StringArray::from(values));
    build(call, &keys, &values, rows)
}

/// Map and struct functions.
pub(crate) fn all() -> Vec<SparkFn> {
    const ONE: &[Arg] = &[Arg::Map];
    vec![
        f(
            "map",
            &[],
            Ret::With(|fields, _| {
                let of = |at: usize| fields.get(at).map_or(DataType::Null, |field| field.data_type().clone());
                let nullable = fields.iter().skip(1).step_by(2).any(|field| field.is_nullable());
                Ok(map_of(of(0), of(1), nullable))
            }),
            map,
        )
        .rest(Arg::Any)
        .coerce(map_types)
        .nulls(Nulls::Never),
        f(
            "map_from_arrays",
            &[Arg::Array, Arg::Array],
            Ret::With(|fields, _| match (fields[0].data_type(), fields[1].data_type()) {
                (DataType::List(k), DataType::List(v)) => {
                    Ok(map_of(k.data_type().clone(), v.data_type().clone(), v.is_nullable()))
                }
                _ => Ok(DataType::Null),
            }),
            from_arrays,
        ),
        f(
            "map_from_entries",
            &[Arg::Array],
            Ret::With(|fields, _| match fields[0].data_type() {
                DataType::List(entry) => match entry.data_type() {
                    DataType::Struct(parts) if parts.len() == 2 => {
                        Ok(map_of(parts[0].data_type().clone(), parts[1].data_type().clone(), parts[1].is_nullable()))
                    }
                    _ => Err(super::coerce::mismatch(
                        "map_from_entries",
                        0,
                        "\"ARRAY<STRUCT<key, value>>\"",
                        fields[0].data_type(),
                    )
                    .into()),
                },
                _ => Ok(DataType::Null),
            }),
            from_entries,
        )
        .nulls(Nulls::Always),
        f(
            "map_concat",
            &[],
            Ret::With(|fields, _| {
                Ok(fields
                    .first()
                    .map_or_else(|| map_of(DataType::Utf8, DataType::Utf8, false), |field| field.data_type().clone()))
            }),
            map_concat,
        )
        .rest(Arg::Map)
        .coerce(super::coerce::all_common),
        f("map_keys", ONE, Ret::With(|fields, _| of_first(fields, |key, _, _| list_of(key, false))), |c, a| {
            part(c, a, |m| Arc::clone(m.keys()))
        }),
        f(
            "map_values",
            ONE,
            Ret::With(|fields, _| of_first(fields, |_, value, nullable| list_of(value, nullable))),
            |c, a| part(c, a, |m| Arc::clone(m.values())),
        ),
        f(
            "map_entries",
            ONE,
            Ret::With(|fields, _| {
                of_first(fields, |key, value, nullable| {
                    let entry = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, nullable)]);
                    list_of(DataType::Struct(entry), false)
                })
            }),
            |c, a| part(c, a, |m| Arc::new(m.entries().clone())),
        ),
        f("map_contains_key", &[Arg::Map, Arg::Any], Ret::Is(DataType::Boolean), contains_key)
            .coerce(|t| map_and_key("map_contains_key", t)),
        f("named_struct", &[], Ret::With(named_fields), named_struct).rest(Arg::Any).nulls(Nulls::Never),
        f(
            "struct",
            &[],
            Ret::With(|fields, _| {
                let named = fields.iter().enumerate().map(|(at, field)| {
                    Field::new(format!("col{}", at + 1), field.data_type().clone(), field.is_nullable())
                });
                Ok(DataType::Struct(named.collect()))
            }),
            plain_struct,
        )
        .rest(Arg::Any)
        .nulls(Nulls::Never),
        f(
            "str_to_map",
            &[Arg::Text, Arg::Text, Arg::Text],
            Ret::Is(map_of(DataType::Utf8, DataType::Utf8, true)),
            str_to_map,
        )
        .min(1),
    ]
}
