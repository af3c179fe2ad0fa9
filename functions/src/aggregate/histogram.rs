//! `histogram_numeric(expr, nb)`: bins of uneven width that follow the values.
//!
//! Source: Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm" (2010): a value that is no bin's centre
//! becomes a bin, and the two closest bins are merged while there are too many. Ties are broken as Hive's function of
//! the same name does, by Java's generator with a fixed seed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::adapt::list_scalar;
use super::by_double::{from_doubles, to_doubles};
use super::spec::{Agg, AggCall, agg};
use crate::error::ErrorKind;
use crate::scalar::coerce::{Arg, list_of, mismatch, target};
use crate::scalar::read::fail;
use crate::scalar::spec::conform;
use crate::sketch::state::{Held, Sketch, blob};
use crate::task::JavaRandom;

const NAME: &str = "histogram_numeric";
/// Seed of the generator that breaks ties.
const SEED: i64 = 31_183;

/// A bin: centre and number of values.
type Bin = (f64, f64);

#[derive(Debug)]
struct Histogram {
    limit: usize,
    bins: Vec<Bin>,
    random: JavaRandom,
    result: DataType,
}

impl Histogram {
    fn add(&mut self, value: f64) {
        // Not a library search: NaN compares with nothing and ends it wherever it is.
        let (mut low, mut high, mut at) = (0, self.bins.len(), 0);
        while low < high {
            at = usize::midpoint(low, high);
            let Some((centre, _)) = self.bins.get(at) else { break };
            if *centre > value {
                high = at;
            } else if *centre < value {
                at += 1;
                low = at;
            } else {
                break;
            }
        }
        match self.bins.get_mut(at) {
            Some((centre, count)) if *centre == value => *count += 1.0,
            _ => {
                self.bins.insert(at, (value, 1.0));
                self.trim();
            }
        }
    }
    fn trim(&mut self) {
        while self.bins.len() > self.limit {
            let (mut least, mut place, mut ties) = (f64::NAN, 0, 1);
            for (at, pair) in self.bins.windows(2).enumerate() {
                let [(left, _), (right, _)] = pair else { continue };
                let gap = right - left;
                if at == 0 {
                    least = gap;
                } else if gap < least {
                    (least, place, ties) = (gap, at, 1);
                } else if gap == least {
                    ties += 1;
                    if self.random.double() <= 1.0 / f64::from(ties) {
                        place = at;
                    }
                }
            }
            if place + 1 >= self.bins.len() {
                return;
            }
            let (right, more) = self.bins.remove(place + 1);
            if let Some((centre, count)) = self.bins.get_mut(place) {
                let both = *count + more;
                *centre = *centre * (*count / both) + right / both * more;
                *count = both;
            }
        }
    }
}

impl Sketch for Histogram {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(values) = args.first() else { return internal_err!("a histogram without values") };
        to_doubles(values)?.iter().flatten().for_each(|value| self.add(value));
        Ok(())
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let mut other = state.chunks_exact(16).map(|bin| {
            let (centre, count) = bin.split_at(8);
            let read = |bytes: &[u8]| bytes.try_into().map(f64::from_le_bytes).unwrap_or_default();
            (read(centre), read(count))
        });
        if self.bins.is_empty() {
            self.bins = other.collect();
            return Ok(());
        }
        self.bins.extend(&mut other);
        self.bins.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        self.trim();
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.bins.iter().flat_map(|(centre, count)| [centre.to_le_bytes(), count.to_le_bytes()]).flatten().collect())
    }
    fn finish(&self) -> Result<ScalarValue> {
        let DataType::List(field) = &self.result else { return internal_err!("a histogram is an array") };
        let DataType::Struct(fields) = field.data_type() else { return internal_err!("a bin is a struct") };
        if self.bins.is_empty() {
            return ScalarValue::try_from(&self.result);
        }
        let of = fields.first().map_or(&DataType::Float64, |field| field.data_type());
        let centres = Float64Array::from_iter_values(self.bins.iter().map(|(centre, _)| *centre));
        let centres = from_doubles(&centres, of)?;
        let counts: ArrayRef = Arc::new(self.bins.iter().map(|(_, count)| Some(*count)).collect::<Float64Array>());
        let bins: ArrayRef = Arc::new(StructArray::try_new(fields.clone(), vec![centres, counts], None)?);
        ScalarValue::try_from_array(&conform(list_scalar(bins).to_array()?, &self.result)?, 0)
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.bins.capacity() * size_of::<Bin>()
    }
}

fn bins_of(types: &[DataType]) -> Result<DataType> {
    let of = types.first().cloned().unwrap_or(DataType::Null);
    let fields = Fields::from(vec![Field::new("x", of, true), Field::new("y", DataType::Float64, true)]);
    Ok(list_of(DataType::Struct(fields), true))
}

fn typed(types: &[DataType]) -> Result<Vec<DataType>> {
    const REQUIRED: &str = "(\"NUMERIC\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";
    types
        .iter()
        .enumerate()
        .map(|(at, given)| {
            let found = match (at, given) {
                (
                    0,
                    DataType::Date32
                    | DataType::Timestamp(..)
                    | DataType::Duration(_)
                    | DataType::Interval(IntervalUnit::YearMonth),
                ) => Some(given.clone()),
                (0, _) => target(Arg::Num, given),
                _ => target(Arg::Int, given),
            };
            let required = if at == 0 { REQUIRED } else { "\"INT\"" };
            found.ok_or_else(|| mismatch(NAME, at, required, given).into())
        })
        .collect()
}

fn refuse(sub: &str, parameters: &[(&str, &str)]) -> datafusion::common::DataFusionError {
    let mut all = vec![("sqlExpr", "\"histogram_numeric\"")];
    all.extend_from_slice(parameters);
    fail(ErrorKind::Analysis, &format!("DATATYPE_MISMATCH.{sub}"), &all)
}

fn limit(call: &AggCall) -> Result<usize> {
    match call.constants.get(1) {
        Some(Some(ScalarValue::Int32(Some(bins)))) => {
            usize::try_from(*bins).ok().filter(|bins| *bins >= 2).ok_or_else(|| {
                let given = bins.to_string();
                let parameters =
                    [("exprName", "nb"), ("valueRange", "[2, 2147483647]"), ("currentValue", given.as_str())];
                refuse("VALUE_OUT_OF_RANGE", &parameters)
            })
        }
        Some(Some(_)) => Err(refuse("UNEXPECTED_NULL", &[("exprName", "nb")])),
        _ => Err(refuse(
            "NON_FOLDABLE_INPUT",
            &[("inputName", "`nb`"), ("inputType", "\"INT\""), ("inputExpr", "\"nb\"")],
        )),
    }
}

/// The function of this file; nulls are skipped, no rows make null.
pub(crate) fn all() -> Vec<Agg> {
    vec![
        agg(NAME, &[Arg::Any, Arg::Any], bins_of, blob, |call| {
            let limit = limit(call)?;
            let (random, result) = (JavaRandom::new(SEED), call.result.clone());
            Ok(Box::new(Held(Histogram { limit, bins: vec![], random, result })))
        })
        .coerce(typed),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_bins_become_one() {
        let mut made = Histogram { limit: 3, bins: vec![], random: JavaRandom::new(SEED), result: DataType::Null };
        [0.5, 1.0, 2.0, 10.0, 10.5, 3.0, 3.0].into_iter().for_each(|value| made.add(value));
        assert_eq!(made.bins, [(0.75, 2.0), (2.666_666_666_666_666_5, 3.0), (10.25, 2.0)]);
    }
}
