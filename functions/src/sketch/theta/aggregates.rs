//! `theta_sketch_agg`, `theta_union_agg`, `theta_intersection_agg`.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::bytes::{read, write};
use super::{DEFAULT_LG, Theta, invalid, nominal};
use crate::aggregate::spec::{Agg, AggCall, agg};
use crate::error::ErrorKind;
use crate::scalar::coerce::Arg;
use crate::scalar::read::fail;
use crate::sketch::sample::{Sample, Sampler, Union};
use crate::sketch::state::{Held, Sketch, binary, blob, each_binary, int_argument};
use crate::sketch::types::{Kind, each_key, strict};

/// Values of this task, and the union with other tasks' once there are any.
#[derive(Debug)]
struct Build {
    lg: u8,
    own: Sampler<()>,
    union: Option<Union<()>>,
}

impl Build {
    fn result(&self) -> Theta {
        self.union.as_ref().map_or_else(|| self.own.trimmed(), Union::result)
    }
}

impl Sketch for Build {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_key(args.first(), |_, key| {
            self.own.add(key, |_| ());
            Ok(())
        })
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let other = read(state).ok_or_else(|| invalid("theta_sketch_agg"))?;
        let (lg, own) = (self.lg, &self.own);
        let union = self.union.get_or_insert_with(|| {
            let mut union = Union::new(lg);
            union.add(&own.sample(), |(), ()| ());
            union
        });
        union.add(&other, |(), ()| ());
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
struct Unite(Union<()>);

impl Unite {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.add(&read(bytes).ok_or_else(|| invalid("theta_union_agg"))?, |(), ()| ());
        Ok(())
    }
}

impl Sketch for Unite {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| self.take(bytes))
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        self.take(state)
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(write(&self.0.result()))
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.save()?)))
    }
    fn size(&self) -> usize {
        self.0.size()
    }
}

/// `None` until the first sketch, which is not the same as an empty sketch.
#[derive(Debug, Default)]
struct Intersect(Option<Theta>);

impl Intersect {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let other = read(bytes).ok_or_else(|| invalid("theta_intersection_agg"))?;
        self.0 = Some(self.0.take().map_or_else(|| other.clone(), |old| old.both(&other, |(), ()| ())));
        Ok(())
    }
}

impl Sketch for Intersect {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| self.take(bytes))
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        if state.is_empty() { Ok(()) } else { self.take(state) }
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.0.as_ref().map(write).unwrap_or_default())
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.0.as_ref().map_or_else(|| write(&Sample::nothing()), write))))
    }
    fn size(&self) -> usize {
        self.0.as_ref().map_or(0, |sample| sample.entries.len() * 8)
    }
}

fn size(call: &AggCall, name: &'static str) -> Result<u8> {
    match int_argument(call, 1, DEFAULT_LG) {
        Some(lg) => nominal(name, lg),
        None => {
            let name = format!("`{name}`");
            Err(fail(ErrorKind::Runtime, "THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", &[("function", &name)]))
        }
    }
}

fn nothing(_: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::Binary(Some(write(&Sample::nothing()))))
}

/// The aggregates that make theta sketches; nulls, empty strings and empty arrays are skipped, no rows make an empty sketch.
pub(in crate::sketch) fn all() -> Vec<Agg> {
    const ONE: &[Arg] = &[Arg::Any];
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    vec![
        // theta_sketch_agg(expr[, lgNomEntries]): nominally 2^lgNomEntries hashes, 12 unless given.
        agg("theta_sketch_agg", TWO, binary, blob, |call| {
            let lg = size(call, "theta_sketch_agg")?;
            Ok(Box::new(Held(Build { lg, own: Sampler::new(lg), union: None })))
        })
        .min(1)
        .coerce(|types| strict("theta_sketch_agg", &[Kind::Key, Kind::Int], types))
        .empty(nothing),
        // theta_union_agg(sketch[, lgNomEntries]).
        agg("theta_union_agg", TWO, binary, blob, |call| {
            Ok(Box::new(Held(Unite(Union::new(size(call, "theta_union_agg")?)))))
        })
        .min(1)
        .coerce(|types| strict("theta_union_agg", &[Kind::Bin, Kind::Int], types))
        .empty(nothing),
        // theta_intersection_agg(sketch).
        agg("theta_intersection_agg", ONE, binary, blob, |_| Ok(Box::new(Held(Intersect::default()))))
            .coerce(|types| strict("theta_intersection_agg", &[Kind::Bin], types))
            .empty(nothing),
    ]
}
