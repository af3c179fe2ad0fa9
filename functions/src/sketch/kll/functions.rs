//! `kll_sketch_get_n_*`, `_get_quantile_*`, `_get_rank_*`, `_merge_*` and `_to_string_*`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::item::Item;
use super::{Kll, invalid};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{Arg, list_of, mismatch, sql_name, target};
use crate::scalar::read::{bins, fail};
use crate::scalar::spec::{Call, Ret, SparkFn, conform, f};
use crate::sketch::types::{Kind, strict};

fn read<T: Item>(call: &Call<'_>, bytes: &[u8]) -> Result<Kll<T>> {
    Kll::read(bytes).ok_or_else(|| invalid(call.name))
}

/// `kll_sketch_get_n_*(sketch)`: how many items it has seen.
fn count<T: Item>(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let one = |bytes: &[u8]| Ok(read::<T>(call, bytes)?.count as i64);
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<Int64Array>>()?))
}

/// `kll_sketch_to_string_*(sketch)`: a summary.
fn text<T: Item>(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let one = |bytes: &[u8]| Ok(read::<T>(call, bytes)?.summary());
    Ok(Arc::new(bins(args, 0)?.iter().map(|bytes| bytes.map(one).transpose()).collect::<Result<StringArray>>()?))
}

/// `kll_sketch_merge_*(left, right)`: keeps the accuracy parameter of the first.
fn merge<T: Item>(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = bins(args, 0)?
        .iter()
        .zip(bins(args, 1)?)
        .map(|pair| {
            let (Some(left), Some(right)) = pair else { return Ok(None) };
            let mut made = read::<T>(call, left)?;
            made.merge(&read(call, right)?);
            Ok(Some(made.bytes()))
        })
        .collect::<Result<Vec<Option<Vec<u8>>>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(out)))
}

/// Asks every sketch the question of its row, or each of the row's array of questions.
fn ask<T: Item, Q: Item, A: Item>(
    call: &Call<'_>,
    args: &[ArrayRef],
    answer: impl Fn(&[(T, u64)], Q) -> Result<A>,
) -> Result<ArrayRef> {
    let sketches = bins(args, 0)?;
    let Some(questions) = args.get(1) else { return internal_err!("{} without question", call.name) };
    let lists = questions.as_list_opt::<i32>();
    let flat = lists.map_or_else(|| Arc::clone(questions), |lists| Arc::clone(lists.values()));
    let Some(flat) = Q::items(&flat) else { return internal_err!("{} with another question", call.name) };
    let (mut answers, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for (row, bytes) in sketches.iter().enumerate() {
        let range = match lists {
            Some(lists) => {
                let offsets = lists.value_offsets();
                let end = |at: usize| offsets.get(at).map_or(0, |offset| *offset as usize);
                end(row)..end(row + 1)
            }
            None => row..row + 1,
        };
        let asked = flat.get(range).unwrap_or_default();
        let Some(bytes) = bytes.filter(|_| questions.is_valid(row)) else {
            valid.push(false);
            lengths.push(0);
            if lists.is_none() {
                answers.push(None);
            }
            continue;
        };
        let sorted = read::<T>(call, bytes)?.sorted();
        for question in asked {
            // A null inside an array is the zero the JVM reads there.
            let Some(question) = question.or_else(|| Q::read(&[0; 8], 0)) else { continue };
            answers.push(Some(answer(&sorted, question)?));
        }
        valid.push(true);
        lengths.push(asked.len());
    }
    let answers = A::column(answers);
    if lists.is_none() {
        return Ok(answers);
    }
    let field = Arc::new(Field::new("element", A::data_type(), true));
    let nulls = NullBuffer::from(valid);
    let made = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), answers, Some(nulls))?;
    conform(Arc::new(made), call.result)
}

/// `kll_sketch_get_quantile_*(sketch, rank)`: a rank outside `[0, 1]` fails, as does an empty sketch.
fn quantile<T: Item>(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    ask(call, args, |sorted: &[(T, u64)], rank: f64| {
        if !(0.0..=1.0).contains(&rank) {
            let name = format!("`{}`", call.name);
            let parameters = [("functionName", name.as_str())];
            return Err(fail(ErrorKind::Runtime, "KLL_SKETCH_INVALID_QUANTILE_RANGE", &parameters));
        }
        Kll::quantile(sorted, rank).ok_or_else(|| invalid(call.name))
    })
}

/// `kll_sketch_get_rank_*(sketch, quantile)`: the share of items not above it; an empty sketch fails.
fn rank<T: Item>(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    ask(call, args, |sorted: &[(T, u64)], item: T| Kll::rank(sorted, item).ok_or_else(|| invalid(call.name)))
}

/// What a question, which is a constant, is cast to: numbers, strings, and arrays of numbers.
fn question(name: &str, wanted: &DataType, types: &[DataType]) -> Result<Vec<DataType>> {
    let fits = |t: &DataType| t.is_numeric() || matches!(t, DataType::Utf8 | DataType::Null);
    let mut out = Vec::new();
    for (at, given) in types.iter().enumerate() {
        out.push(match (at, given) {
            (0, given) => target(Arg::Bin, given).ok_or_else(|| mismatch(name, 0, "\"BINARY\"", given))?,
            (_, DataType::List(element)) if fits(element.data_type()) && *element.data_type() != DataType::Utf8 => {
                list_of(wanted.clone(), true)
            }
            (_, given) if fits(given) => wanted.clone(),
            (at, given) => {
                let required = format!("({} or {})", sql_name(wanted), sql_name(&list_of(wanted.clone(), false)));
                return Err(mismatch(name, at, &required, given).into());
            }
        });
    }
    Ok(out)
}

/// The result type for a constant question: `DATATYPE_MISMATCH.NON_FOLDABLE_INPUT` for any other.
fn answered(
    input: &str,
    fields: &[FieldRef],
    constants: &[Option<&ScalarValue>],
    answer: DataType,
) -> Result<DataType> {
    let Some(field) = fields.get(1) else { return internal_err!("a sketch without question") };
    if !matches!(constants.get(1), Some(Some(_))) {
        let asked = sql_name(field.data_type());
        let parameters =
            [("sqlExpr", "\"kll_sketch\""), ("inputName", input), ("inputType", asked.as_str()), ("inputExpr", "")];
        return Err(SparkError::analysis("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", &parameters).into());
    }
    Ok(if matches!(field.data_type(), DataType::List(_)) { list_of(answer, false) } else { answer })
}

macro_rules! kind {
    ($item:ty, $n:literal, $text:literal, $merge:literal, $quantile:literal, $rank:literal) => {
        [
            f($n, &[Arg::Any], Ret::Is(DataType::Int64), count::<$item>).coerce(|t| strict($n, &[Kind::Bin], t)),
            f($text, &[Arg::Any], Ret::Is(DataType::Utf8), text::<$item>).coerce(|t| strict($text, &[Kind::Bin], t)),
            f($merge, &[Arg::Any, Arg::Any], Ret::Is(DataType::Binary), merge::<$item>)
                .coerce(|t| strict($merge, &[Kind::Bin, Kind::Bin], t)),
            f(
                $quantile,
                &[Arg::Any, Arg::Any],
                Ret::With(|fields, constants| answered("rank", fields, constants, <$item>::data_type())),
                quantile::<$item>,
            )
            .coerce(|t| question($quantile, &DataType::Float64, t)),
            f(
                $rank,
                &[Arg::Any, Arg::Any],
                Ret::With(|fields, constants| answered("quantile", fields, constants, DataType::Float64)),
                rank::<$item>,
            )
            .coerce(|t| question($rank, &<$item>::data_type(), t)),
        ]
    };
}

/// The scalar functions on KLL sketches. A null argument gives null; bytes that are no sketch fail with
/// `KLL_INVALID_INPUT_SKETCH_BUFFER`.
pub(in crate::sketch) fn all() -> Vec<SparkFn> {
    let longs = kind!(
        i64,
        "kll_sketch_get_n_bigint",
        "kll_sketch_to_string_bigint",
        "kll_sketch_merge_bigint",
        "kll_sketch_get_quantile_bigint",
        "kll_sketch_get_rank_bigint"
    );
    let floats = kind!(
        f32,
        "kll_sketch_get_n_float",
        "kll_sketch_to_string_float",
        "kll_sketch_merge_float",
        "kll_sketch_get_quantile_float",
        "kll_sketch_get_rank_float"
    );
    let doubles = kind!(
        f64,
        "kll_sketch_get_n_double",
        "kll_sketch_to_string_double",
        "kll_sketch_merge_double",
        "kll_sketch_get_quantile_double",
        "kll_sketch_get_rank_double"
    );
    [longs, floats, doubles].into_iter().flatten().collect()
}
