//! `kll_sketch_agg_*` and `kll_merge_agg_*`.

use std::marker::PhantomData;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::item::Item;
use super::{DEFAULT_K, Kll, invalid};
use crate::aggregate::spec::{Agg, AggCall, agg};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::Arg;
use crate::scalar::read::fail;
use crate::sketch::state::{Held, Sketch, binary, blob, each_binary};
use crate::sketch::types::{Kind, strict};

/// Rows of this task, and the merge of other tasks' sketches.
#[derive(Debug)]
struct Build<T> {
    name: &'static str,
    own: Kll<T>,
    merged: Option<Kll<T>>,
}

impl<T: Item> Sketch for Build<T> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(column) = args.first() else { return internal_err!("{} without argument", self.name) };
        let Some(items) = T::items(&cast(column, &T::data_type())?) else { return internal_err!("{}", self.name) };
        items.into_iter().flatten().for_each(|item| self.own.add(item));
        Ok(())
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let other = Kll::read(state).ok_or_else(|| invalid(self.name))?;
        self.merged.get_or_insert_with(|| Kll::new(self.own.k)).merge(&other);
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.merged.as_ref().unwrap_or(&self.own).bytes())
    }
    fn finish(&self) -> Result<ScalarValue> {
        // Spark always merges once, which turns the lowest level around.
        let bytes = match &self.merged {
            Some(merged) => merged.bytes(),
            None => {
                let mut made = Kll::new(self.own.k);
                made.merge(&self.own);
                made.bytes()
            }
        };
        Ok(ScalarValue::Binary(Some(bytes)))
    }
    fn size(&self) -> usize {
        T::SIZE * (self.own.retained() + self.merged.as_ref().map_or(0, Kll::retained))
    }
}

/// Takes the accuracy parameter of the first sketch unless one is given.
#[derive(Debug)]
struct Merge<T> {
    name: &'static str,
    made: Option<Kll<T>>,
    kind: PhantomData<T>,
}

impl<T: Item> Sketch for Merge<T> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| {
            let other = Kll::read(bytes).ok_or_else(|| invalid(self.name))?;
            self.made.get_or_insert_with(|| Kll::new(other.k)).merge(&other);
            Ok(())
        })
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let other = Kll::read(state).ok_or_else(|| invalid(self.name))?;
        match &mut self.made {
            Some(made) => made.merge(&other),
            None => self.made = Some(other),
        }
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.made.as_ref().map_or_else(|| Kll::<T>::new(DEFAULT_K).bytes(), Kll::bytes))
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.save()?)))
    }
    fn size(&self) -> usize {
        self.made.as_ref().map_or(0, |made| made.retained() * T::SIZE)
    }
}

/// The accuracy parameter, a constant from 8 to 65535; `None` when none is given.
fn accuracy(call: &AggCall, name: &str) -> Result<Option<u16>> {
    let Some(given) = call.constants.get(1) else { return Ok(None) };
    let expression = format!("\"{name}\"");
    let refuse = |sub: &str, parameters: &[(&str, &str)]| {
        let mut all = vec![("sqlExpr", expression.as_str())];
        all.extend_from_slice(parameters);
        Err(fail(ErrorKind::Analysis, &format!("DATATYPE_MISMATCH.{sub}"), &all))
    };
    match given {
        None => refuse("NON_FOLDABLE_INPUT", &[("inputName", "k"), ("inputType", "int"), ("inputExpr", "k")]),
        Some(ScalarValue::Int32(Some(k))) => match u16::try_from(*k) {
            Ok(k) if k >= 8 => Ok(Some(k)),
            _ => {
                let (function, k) = (format!("`{name}`"), k.to_string());
                let parameters = [("functionName", function.as_str()), ("k", k.as_str())];
                let hint = SparkError::runtime("KLL_SKETCH_K_OUT_OF_RANGE", &parameters).to_string();
                refuse("TYPE_CHECK_FAILURE_WITH_HINT", &[("msg", hint.as_str()), ("hint", "")])
            }
        },
        Some(_) => refuse("UNEXPECTED_NULL", &[("exprName", "k")]),
    }
}

fn build<T: Item>(call: &AggCall, name: &'static str) -> Result<Box<dyn Accumulator>> {
    let own = Kll::<T>::new(accuracy(call, name)?.unwrap_or(DEFAULT_K));
    Ok(Box::new(Held(Build { name, own, merged: None })))
}

fn merge<T: Item>(call: &AggCall, name: &'static str) -> Result<Box<dyn Accumulator>> {
    let made = accuracy(call, name)?.map(Kll::<T>::new);
    Ok(Box::new(Held(Merge { name, made, kind: PhantomData })))
}

fn nothing(_: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::Binary(Some(Kll::<i64>::new(DEFAULT_K).bytes())))
}

macro_rules! kind {
    ($item:ty, $items:expr, $agg:literal, $merge:literal) => {
        [
            agg($agg, &[Arg::Any, Arg::Any], binary, blob, |call| build::<$item>(call, $agg))
                .min(1)
                .coerce(|types| strict($agg, &[$items, Kind::Int], types))
                .empty(nothing),
            agg($merge, &[Arg::Any, Arg::Any], binary, blob, |call| merge::<$item>(call, $merge))
                .min(1)
                .coerce(|types| strict($merge, &[Kind::Bin, Kind::Int], types))
                .empty(nothing),
        ]
    };
}

/// The aggregates that make KLL sketches of values and of sketches; nulls are skipped, no rows make an empty sketch.
pub(in crate::sketch) fn all() -> Vec<Agg> {
    let longs = kind!(i64, Kind::Integers, "kll_sketch_agg_bigint", "kll_merge_agg_bigint");
    let floats = kind!(f32, Kind::Float, "kll_sketch_agg_float", "kll_merge_agg_float");
    let doubles = kind!(f64, Kind::Floating, "kll_sketch_agg_double", "kll_merge_agg_double");
    [longs, floats, doubles].into_iter().flatten().collect()
}
