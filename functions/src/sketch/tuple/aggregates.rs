//! `tuple_sketch_agg_*`, `tuple_union_agg_*`, `tuple_intersection_agg_*`.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::bytes::{read, write};
use super::cell::{Cell, Mode, Number};
use super::{Given, Tuple, invalid, mode_of_call, size_of_call};
use crate::aggregate::spec::{Agg, AggCall, agg};
use crate::scalar::coerce::{Arg, mismatch, target};
use crate::sketch::sample::{Sample, Sampler, Union};
use crate::sketch::state::{Held, Sketch, binary, blob, each_binary};
use crate::sketch::types::{Kind, each_key, keyed, strict};

/// A number that Arrow carries.
trait Carried: Number {
    /// Its Arrow type.
    type Arrow: ArrowPrimitiveType<Native = Self>;
}
impl Carried for i32 {
    type Arrow = Int32Type;
}
impl Carried for f64 {
    type Arrow = Float64Type;
}

/// Rows of this task, and the union with other tasks' sketches once there are any.
#[derive(Debug)]
struct Build<V> {
    name: &'static str,
    lg: u8,
    mode: Mode,
    own: Sampler<Cell<V>>,
    union: Option<Union<Cell<V>>>,
}

impl<V: Carried> Build<V> {
    fn result(&self) -> Tuple<V> {
        self.union.as_ref().map_or_else(|| self.own.sample(), Union::result)
    }
}

impl<V: Carried> Sketch for Build<V> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(summaries) = args.get(1) else { return internal_err!("{} without summary", self.name) };
        let summaries = cast(summaries, &V::Arrow::DATA_TYPE)?;
        let Some(summaries) = summaries.as_primitive_opt::<V::Arrow>() else { return internal_err!("{}", self.name) };
        let mode = self.mode;
        each_key(args.first(), |row, key| {
            if summaries.is_valid(row) {
                let new = Cell::first(summaries.value(row), mode);
                self.own.add(key, |old| old.map_or(new, |old| old.join(&new, mode)));
            }
            Ok(())
        })
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let other = read(state).ok_or_else(|| invalid(self.name))?;
        let (lg, mode, own) = (self.lg, self.mode, &self.own);
        if self.union.is_none() && other.entries.len() > 1 << lg && own.is_empty() {
            // A single state is the result, cut or not, as long as no other comes.
            self.own = Sampler::of(lg, &other);
            return Ok(());
        }
        let union = self.union.get_or_insert_with(|| {
            let mut union = Union::new(lg);
            union.add(&own.sample(), |a, b| a.join(b, mode));
            union
        });
        union.add(&other, |a, b| a.join(b, mode));
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(write(&self.result()))
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(write(&self.result()))))
    }
    fn size(&self) -> usize {
        self.own.size() + self.union.as_ref().map_or(0, Union::size)
    }
}

#[derive(Debug)]
struct Unite<V> {
    name: &'static str,
    mode: Mode,
    union: Union<Cell<V>>,
}

impl<V: Number> Sketch for Unite<V> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| self.merge(bytes))
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let mode = self.mode;
        self.union.add(&read(state).ok_or_else(|| invalid(self.name))?, |a, b| a.join(b, mode));
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(write(&self.union.result()))
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.save()?)))
    }
    fn size(&self) -> usize {
        self.union.size()
    }
}

/// `None` until the first sketch.
#[derive(Debug)]
struct Intersect<V> {
    name: &'static str,
    mode: Mode,
    made: Option<Tuple<V>>,
}

impl<V: Number> Sketch for Intersect<V> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| self.merge(bytes))
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        if state.is_empty() {
            return Ok(());
        }
        let other = read(state).ok_or_else(|| invalid(self.name))?;
        let mode = self.mode;
        self.made = Some(match self.made.take() {
            Some(made) => made.both(&other, |a, b| a.join(b, mode)),
            None => other,
        });
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.made.as_ref().map(write).unwrap_or_default())
    }
    fn finish(&self) -> Result<ScalarValue> {
        let bytes = self.made.as_ref().map_or_else(|| write(&Sample::<Cell<V>>::nothing()), write);
        Ok(ScalarValue::Binary(Some(bytes)))
    }
    fn size(&self) -> usize {
        self.made.as_ref().map_or(0, |made| made.entries.len() * (8 + Cell::<V>::SIZE))
    }
}

fn argument(call: &AggCall, at: usize) -> Given<'_> {
    call.constants.get(at).map(Option::as_ref)
}

fn build<V: Carried>(call: &AggCall, name: &'static str) -> Result<Box<dyn Accumulator>> {
    let (lg, mode) = (size_of_call(name, argument(call, 2))?, mode_of_call(name, argument(call, 3))?);
    Ok(Box::new(Held(Build { name, lg, mode, own: Sampler::<Cell<V>>::new(lg), union: None })))
}

fn unite<V: Number>(call: &AggCall, name: &'static str) -> Result<Box<dyn Accumulator>> {
    let (lg, mode) = (size_of_call(name, argument(call, 1))?, mode_of_call(name, argument(call, 2))?);
    Ok(Box::new(Held(Unite { name, mode, union: Union::<Cell<V>>::new(lg) })))
}

fn intersect<V: Number>(call: &AggCall, name: &'static str) -> Result<Box<dyn Accumulator>> {
    let mode = mode_of_call(name, argument(call, 1))?;
    Ok(Box::new(Held(Intersect::<V> { name, mode, made: None })))
}

/// Keys that are no key become strings; summaries become numbers of one kind.
fn values(name: &str, types: &[DataType], summary: Arg) -> Result<Vec<DataType>> {
    let mut out = strict(name, &[Kind::Key], &types.iter().take(1).map(keyed).collect::<Vec<_>>())?;
    if let Some(given) = types.get(1) {
        let wanted = if summary == Arg::Int { "\"INT\"" } else { "\"DOUBLE\"" };
        out.push(target(summary, given).ok_or_else(|| mismatch(name, 1, wanted, given))?);
    }
    out.extend(strict(name, &[Kind::Int, Kind::Text], types.get(2..).unwrap_or_default())?);
    Ok(out)
}

fn nothing(_: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::Binary(Some(write(&Sample::<Cell<i32>>::nothing()))))
}

macro_rules! kind {
    ($number:ty, $summary:expr, $agg:literal, $union:literal, $both:literal) => {
        [
            agg($agg, &[Arg::Any, Arg::Any, Arg::Any, Arg::Any], binary, blob, |call| build::<$number>(call, $agg))
                .min(2)
                .coerce(|types| values($agg, types, $summary))
                .empty(nothing),
            agg($union, &[Arg::Any, Arg::Any, Arg::Any], binary, blob, |call| unite::<$number>(call, $union))
                .min(1)
                .coerce(|types| strict($union, &[Kind::Bin, Kind::Int, Kind::Text], types))
                .empty(nothing),
            agg($both, &[Arg::Any, Arg::Any], binary, blob, |call| intersect::<$number>(call, $both))
                .min(1)
                .coerce(|types| strict($both, &[Kind::Bin, Kind::Text], types))
                .empty(nothing),
        ]
    };
}

/// The aggregates that make tuple sketches; rows with a null are skipped, no rows make an empty sketch.
pub(in crate::sketch) fn all() -> Vec<Agg> {
    let doubles =
        kind!(f64, Arg::Double, "tuple_sketch_agg_double", "tuple_union_agg_double", "tuple_intersection_agg_double");
    let integers =
        kind!(i32, Arg::Int, "tuple_sketch_agg_integer", "tuple_union_agg_integer", "tuple_intersection_agg_integer");
    doubles.into_iter().chain(integers).collect()
}
