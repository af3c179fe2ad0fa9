//! Functions of the running task: random numbers, texts and orders, and numbers of rows and partitions.
//!
//! Seeds and the number of the call come as arguments that the analyzer adds: each call draws from a generator of its
//! own, seeded with its seed plus the number of the partition, and so gives the same values when a task is repeated.
//! Source: Spark's pages of functions `rand`, `randn`, `randstr`, `uuid`, `shuffle`, `monotonically_increasing_id`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::array::{gather, range};
use super::coerce::Arg;
use super::read::{lists, longs, opt_int};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::task::{State, Task, Twister, XorShift};

/// A constant argument: every row has it.
fn number(args: &[ArrayRef], at: usize) -> Result<i64> {
    let given = longs(args, at)?;
    Ok(if given.is_empty() || given.is_null(0) { 0 } else { given.value(0) })
}

/// Draws once for each row.
fn drawn<T>(call: &Call<'_>, args: &[ArrayRef], mut draw: impl FnMut(&mut XorShift) -> T) -> Result<Vec<T>> {
    if call.rows == 0 {
        return Ok(vec![]);
    }
    let at = args.len().saturating_sub(2);
    let (given, number) = (number(args, at)?, number(args, at + 1)?);
    let task = Task::current();
    let start = || State::XorShift(XorShift::new(task.seed(given)));
    Ok(task.with_state(number, start, |state| match state {
        State::XorShift(random) => (0..call.rows).map(|_| draw(random)).collect(),
        State::Twister(_) | State::Count(_) => vec![],
    }))
}

/// Steps a Mersenne Twister.
fn twisted<T>(args: &[ArrayRef], step: impl FnOnce(&mut Twister) -> T) -> Result<Option<T>> {
    let at = args.len().saturating_sub(2);
    let (given, number) = (number(args, at)?, number(args, at + 1)?);
    let task = Task::current();
    let start = || State::Twister(Box::new(Twister::new(task.seed(given))));
    Ok(task.with_state(number, start, |state| match state {
        State::Twister(random) => Some(step(random)),
        State::XorShift(_) | State::Count(_) => None,
    }))
}

fn rand(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(drawn(call, args, XorShift::double)?)))
}

fn randn(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from(drawn(call, args, XorShift::gaussian)?)))
}

/// `randstr(length, seed, call)`.
fn randstr(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let length = usize::try_from(opt_int(args, 0, 0).unwrap_or(0)).unwrap_or(0);
    Ok(Arc::new(StringArray::from(drawn(call, args, |random| random.text(length))?)))
}

fn uuid(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if call.rows == 0 {
        return Ok(Arc::new(StringArray::from(Vec::<String>::new())));
    }
    let all = twisted(args, |random| (0..call.rows).map(|_| random.uuid()).collect::<Vec<_>>())?;
    Ok(Arc::new(StringArray::from(all.unwrap_or_default())))
}

/// `shuffle(array, seed, call)`: a null array draws nothing.
fn shuffle(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let list = lists(args, 0)?;
    let DataType::List(field) = call.result else {
        return datafusion::common::internal_err!("shuffle gives an array");
    };
    if list.is_empty() {
        return Ok(Arc::clone(&args[0]));
    }
    let rows = twisted(args, |random| {
        (0..list.len())
            .map(|row| {
                let here = range(list, row);
                list.is_valid(row)
                    .then(|| random.order(here.len()).into_iter().map(|at| Some((here.start + at) as u32)).collect())
            })
            .collect::<Vec<_>>()
    })?;
    gather(Arc::clone(field), list.values(), &rows.unwrap_or_default())
}

/// `monotonically_increasing_id(call)`: the partition in the upper 31 bits, the row within it in the lower 33.
fn increasing(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    if call.rows == 0 {
        return Ok(Arc::new(Int64Array::from(Vec::<i64>::new())));
    }
    let number = number(args, 0)?;
    let task = Task::current();
    let rows = call.rows as i64;
    let first = task.with_state(
        number,
        || State::Count(0),
        |state| match state {
            State::Count(count) => {
                let first = *count;
                *count += rows;
                first
            }
            State::XorShift(_) | State::Twister(_) => 0,
        },
    );
    let base = ((task.partition() as i64) << 33) + first;
    Ok(Arc::new(Int64Array::from_iter_values(base..base + rows)))
}

fn partition_id(call: &Call<'_>, _: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(Int32Array::from(vec![Task::current().partition() as i32; call.rows])))
}

/// `spark_spread(number, from, to)`.
fn spread_numbers(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(numbers) = args.first() else { return datafusion::common::internal_err!("spark_spread without a number") };
    if numbers.is_empty() {
        return Ok(Arc::clone(numbers));
    }
    crate::task::spread(numbers, number(args, 1)?, number(args, 2)?)
}

/// Functions of the running task.
pub(crate) fn all() -> Vec<SparkFn> {
    const DRAW: &[Arg] = &[Arg::Long, Arg::Long];
    let double = || Ret::Is(DataType::Float64);
    let text = || Ret::Is(DataType::Utf8);
    let made = vec![
        f("rand", DRAW, double(), rand).also(&["random"]),
        f("randn", DRAW, double(), randn),
        f("randstr", &[Arg::Int, Arg::Long, Arg::Long], text(), randstr),
        f("uuid", DRAW, text(), uuid),
        f("monotonically_increasing_id", &[Arg::Long], Ret::Is(DataType::Int64), increasing),
        f("spark_partition_id", &[], Ret::Is(DataType::Int32), partition_id),
    ];
    let mut made: Vec<SparkFn> = made.into_iter().map(|one| one.volatile().nulls(Nulls::Never)).collect();
    made.push(f("spark_spread", &[Arg::Long, Arg::Long, Arg::Long], Ret::Is(DataType::Int64), spread_numbers));
    made.push(f("shuffle", &[Arg::Array, Arg::Long, Arg::Long], Ret::Same(0), shuffle).volatile());
    made
}
