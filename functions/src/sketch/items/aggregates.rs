//! `approx_top_k`, `approx_top_k_accumulate`, `approx_top_k_combine`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, StringArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};

use super::{DEFAULT_K, DEFAULT_LIMIT, Items, check_k, check_limit, item_of, listed, result_type, state_type};
use crate::aggregate::spec::{Agg, AggCall, agg};
use crate::error::{ErrorKind, SparkError};
use crate::scalar::coerce::{Arg, mismatch, sql_name, target};
use crate::scalar::read::{bins, fail};
use crate::sketch::state::{Held, Sketch, blob};

/// What is made of the items at the end.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// The most frequent ones.
    Top(usize),
    /// The sketch.
    State,
}

#[derive(Debug)]
struct Track {
    items: Items,
    item: DataType,
    result: DataType,
    outcome: Outcome,
    /// The number of items tracked is that of the first sketch.
    adopts: bool,
    fresh: bool,
}

impl Track {
    fn unite(&mut self, other: &Items) -> Result<()> {
        if self.adopts && self.fresh {
            self.items.limit = other.limit;
        } else if self.adopts && self.items.limit != other.limit {
            let (one, two) = (self.items.limit.to_string(), other.limit.to_string());
            let parameters = [("size1", one.as_str()), ("size2", two.as_str())];
            return Err(fail(ErrorKind::Runtime, "APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH", &parameters));
        }
        self.fresh = false;
        self.items.merge(other);
        Ok(())
    }
    fn unreadable(&self) -> DataFusionError {
        SparkError::unsupported(format!("approx_top_k sketches of {}", sql_name(&self.item))).into()
    }
}

impl Sketch for Track {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(column) = args.first() else { return internal_err!("approx_top_k without argument") };
        if let (Some(states), Some(_)) = (column.as_struct_opt(), item_of(column.data_type())) {
            let Some(limits) = states.columns().get(1).and_then(|c| c.as_primitive_opt::<Int32Type>()) else {
                return internal_err!("approx_top_k_combine without a limit");
            };
            for (row, bytes) in bins(states.columns(), 0)?.iter().enumerate() {
                if let Some(bytes) = bytes.filter(|_| states.is_valid(row)) {
                    let limit = limits.value(row);
                    let other = Items::read(bytes, limit, &self.item).ok_or_else(|| self.unreadable())?;
                    self.unite(&other)?;
                }
            }
            return Ok(());
        }
        for row in 0..column.len() {
            if column.is_null(row) || column.data_type().is_null() {
                self.items.nulls += 1;
            } else {
                self.items.add(ScalarValue::try_from_array(column, row)?, 1);
            }
        }
        Ok(())
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let Some((limit, bytes)) = state.split_first_chunk::<4>() else { return Ok(()) };
        let limit = i32::from_le_bytes(*limit);
        let other = Items::read(bytes, limit, &self.item).ok_or_else(|| self.unreadable())?;
        self.unite(&other)
    }
    fn save(&self) -> Result<Vec<u8>> {
        if self.adopts && self.fresh {
            return Ok(Vec::new());
        }
        let mut out = self.items.limit.to_le_bytes().to_vec();
        out.extend(self.items.bytes().ok_or_else(|| self.unreadable())?);
        Ok(out)
    }
    fn finish(&self) -> Result<ScalarValue> {
        if let Outcome::Top(k) = self.outcome {
            return listed(self.items.top(k, &self.item)?, &self.result);
        }
        let DataType::Struct(fields) = &self.result else { return internal_err!("approx_top_k has no state") };
        let bytes = self.items.bytes().ok_or_else(|| self.unreadable())?;
        let ddl = match sql_name(&self.item).trim_matches('"') {
            "STRING" => "item string not null".to_string(),
            name => format!("item {name} NOT NULL"),
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BinaryArray::from_iter([Some(bytes)])),
            Arc::new(Int32Array::from(vec![self.items.limit])),
            new_null_array(&self.item, 1),
            Arc::new(StringArray::from(vec![ddl])),
        ];
        Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)))
    }
    fn size(&self) -> usize {
        self.items.size()
    }
}

/// A constant argument; `None` inside for a null one.
fn constant(call: &AggCall, name: &str, at: usize, what: &str, default: i32) -> Result<Option<i32>> {
    match call.constants.get(at) {
        None => Ok(Some(default)),
        Some(Some(ScalarValue::Int32(value))) => Ok(*value),
        Some(Some(value)) if value.is_null() => Ok(None),
        Some(_) => Err(hinted(name, &format!("{what} must be a constant literal"))),
    }
}

fn hinted(name: &str, message: &str) -> DataFusionError {
    let expression = format!("\"{name}\"");
    let parameters = [("sqlExpr", expression.as_str()), ("msg", message), ("hint", "")];
    fail(ErrorKind::Analysis, "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", &parameters)
}

fn first(types: &[DataType]) -> DataType {
    types.first().cloned().unwrap_or(DataType::Null)
}

fn counted(name: &str, types: &[DataType]) -> Result<Vec<DataType>> {
    let item = first(types);
    if !Items::takes(&item) {
        return Err(match item {
            DataType::List(_) => hinted(name, "array columns are not supported"),
            DataType::Map(..) => hinted(name, "map columns are not supported"),
            DataType::Struct(_) => hinted(name, "struct columns are not supported"),
            other => hinted(name, &format!("{} columns are not supported", sql_name(&other))),
        });
    }
    let mut out = vec![item];
    for (at, given) in types.iter().enumerate().skip(1) {
        out.push(target(Arg::Int, given).ok_or_else(|| mismatch(name, at, "\"INT\"", given))?);
    }
    Ok(out)
}

/// The frequent item aggregates; null counts as an item of its own.
pub(in crate::sketch) fn all() -> Vec<Agg> {
    const TOP: &str = "approx_top_k";
    const ACCUMULATE: &str = "approx_top_k_accumulate";
    const COMBINE: &str = "approx_top_k_combine";
    vec![
        // approx_top_k(expr[, k[, maxItemsTracked]]): the k most frequent values, most frequent first.
        agg(
            TOP,
            &[Arg::Any, Arg::Any, Arg::Any],
            |types| Ok(result_type(&first(types))),
            blob,
            |call| {
                let limit = check_limit(TOP, constant(call, TOP, 2, "Number of items tracked", DEFAULT_LIMIT)?)?;
                let k = check_k(TOP, constant(call, TOP, 1, "K", DEFAULT_K)?, limit)?;
                let (items, item, result) = (Items::new(limit), first(&call.types), call.result.clone());
                Ok(Box::new(Held(Track { items, item, result, outcome: Outcome::Top(k), adopts: false, fresh: true })))
            },
        )
        .min(1)
        .coerce(|types| counted(TOP, types)),
        // approx_top_k_accumulate(expr[, maxItemsTracked]): the sketch alone.
        agg(
            ACCUMULATE,
            &[Arg::Any, Arg::Any],
            |types| Ok(state_type(&first(types))),
            blob,
            |call| {
                let limit = constant(call, ACCUMULATE, 1, "Number of items tracked", DEFAULT_LIMIT)?;
                let items = Items::new(check_limit(ACCUMULATE, limit)?);
                let (item, result) = (first(&call.types), call.result.clone());
                Ok(Box::new(Held(Track { items, item, result, outcome: Outcome::State, adopts: false, fresh: true })))
            },
        )
        .min(1)
        .coerce(|types| counted(ACCUMULATE, types)),
        // approx_top_k_combine(state[, maxItemsTracked]): sketches must have one size unless a new one is given.
        agg(
            COMBINE,
            &[Arg::Any, Arg::Any],
            |types| Ok(first(types)),
            blob,
            |call| {
                let adopts = call.constants.len() < 2;
                let limit = if adopts {
                    DEFAULT_LIMIT
                } else {
                    check_limit(COMBINE, constant(call, COMBINE, 1, "Number of items tracked", DEFAULT_LIMIT)?)?
                };
                let item = item_of(&first(&call.types)).unwrap_or(DataType::Null);
                let (items, result) = (Items::new(limit), call.result.clone());
                Ok(Box::new(Held(Track { items, item, result, outcome: Outcome::State, adopts, fresh: true })))
            },
        )
        .min(1)
        .coerce(|types| {
            let mut out = vec![match types.first() {
                Some(state) if item_of(state).is_some() => state.clone(),
                other => {
                    let given = other.cloned().unwrap_or(DataType::Null);
                    return Err(mismatch(COMBINE, 0, "\"STRUCT\"", &given).into());
                }
            }];
            for (at, given) in types.iter().enumerate().skip(1) {
                out.push(target(Arg::Int, given).ok_or_else(|| mismatch(COMBINE, at, "\"INT\"", given))?);
            }
            Ok(out)
        }),
    ]
}
