//! `hll_sketch_agg` and `hll_union_agg`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};

use super::functions::{different, invalid};
use super::{DEFAULT_LG_K, Hll, LG_K};
use crate::aggregate::spec::{Agg, agg};
use crate::error::ErrorKind;
use crate::scalar::coerce::Arg;
use crate::scalar::read::fail;
use crate::sketch::state::{Held, Sketch, binary, blob, each_binary, flag_argument, int_argument};
use crate::sketch::types::{Kind, strict};

#[derive(Debug)]
struct Build(Hll);

impl Sketch for Build {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(column) = args.first() else { return internal_err!("hll_sketch_agg without argument") };
        match column.data_type() {
            DataType::Int32 => {
                for value in column.as_primitive::<Int32Type>().iter().flatten() {
                    self.0.add(&i64::from(value).to_le_bytes());
                }
            }
            DataType::Int64 => {
                for value in column.as_primitive::<Int64Type>().iter().flatten() {
                    self.0.add(&value.to_le_bytes());
                }
            }
            DataType::Utf8 => {
                for value in column.as_string::<i32>().iter().flatten().filter(|value| !value.is_empty()) {
                    self.0.add(value.as_bytes());
                }
            }
            DataType::Binary => {
                for value in column.as_binary::<i32>().iter().flatten().filter(|value| !value.is_empty()) {
                    self.0.add(value);
                }
            }
            _ => {}
        }
        Ok(())
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        let other = Hll::read(state).ok_or_else(|| invalid("hll_sketch_agg"))?;
        self.0.unite(&other, false);
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.0.bytes())
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.0.bytes())))
    }
    fn size(&self) -> usize {
        self.0.size()
    }
}

/// Takes the size of its first sketch.
#[derive(Debug)]
struct Unite {
    made: Option<Hll>,
    mixed: bool,
}

impl Unite {
    fn take(&mut self, bytes: &[u8], wrapped: bool) -> Result<()> {
        let other = Hll::read(bytes).ok_or_else(|| invalid("hll_union_agg"))?;
        let made = self.made.get_or_insert_with(|| Hll::new(other.lg_k));
        if made.lg_k != other.lg_k && !self.mixed {
            return Err(different("hll_union_agg", made.lg_k, other.lg_k));
        }
        made.unite(&other, wrapped);
        Ok(())
    }
}

impl Sketch for Unite {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        each_binary(args.first(), |bytes| self.take(bytes, true))
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        if state.is_empty() { Ok(()) } else { self.take(state, false) }
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.made.as_ref().map(Hll::bytes).unwrap_or_default())
    }
    fn finish(&self) -> Result<ScalarValue> {
        let bytes = self.made.as_ref().map_or_else(|| Hll::new(DEFAULT_LG_K).bytes(), Hll::bytes);
        Ok(ScalarValue::Binary(Some(bytes)))
    }
    fn size(&self) -> usize {
        self.made.as_ref().map_or(0, Hll::size)
    }
}

fn nothing(_: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::Binary(Some(Hll::new(DEFAULT_LG_K).bytes())))
}

/// The aggregates that make HLL sketches; nulls and empty strings are skipped, no rows make an empty sketch.
pub(in crate::sketch) fn all() -> Vec<Agg> {
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    vec![
        // hll_sketch_agg(expr[, lgConfigK]): 2^lgConfigK registers, 12 unless given.
        agg("hll_sketch_agg", TWO, binary, blob, |call| {
            let Some(lg_k) = int_argument(call, 1, i32::from(DEFAULT_LG_K)) else {
                let parameters = [("function", "`hll_sketch_agg`")];
                return Err(fail(ErrorKind::Runtime, "HLL_K_MUST_BE_CONSTANT", &parameters));
            };
            if !LG_K.contains(&lg_k) {
                let value = lg_k.to_string();
                let parameters =
                    [("function", "`hll_sketch_agg`"), ("min", "4"), ("max", "21"), ("value", value.as_str())];
                return Err(fail(ErrorKind::Runtime, "HLL_INVALID_LG_K", &parameters));
            }
            Ok(Box::new(Held(Build(Hll::new(lg_k as u8)))))
        })
        .min(1)
        .coerce(|types| strict("hll_sketch_agg", &[Kind::Counted, Kind::Int], types))
        .empty(nothing),
        // hll_union_agg(sketch[, allowDifferentLgConfigK]).
        agg("hll_union_agg", TWO, binary, blob, |call| {
            Ok(Box::new(Held(Unite { made: None, mixed: flag_argument(call, 1) })))
        })
        .min(1)
        .coerce(|types| strict("hll_union_agg", &[Kind::Bin, Kind::Bool], types))
        .empty(nothing),
    ]
}
