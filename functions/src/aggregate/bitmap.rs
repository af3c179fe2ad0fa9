//! Bitmaps of 32768 bits gathered over rows: `bitmap_construct_agg`, `bitmap_or_agg`, `bitmap_and_agg`.
//!
//! Source: Spark's pages of these functions. A bitmap shorter than others is filled up with zeros; no rows give the
//! neutral bitmap.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::spec::{Agg, agg};
use crate::error::ErrorKind;
use crate::scalar::array_types::exactly;
use crate::scalar::bitmap::BITS;
use crate::scalar::coerce::Arg;
use crate::scalar::read::fail;

const BYTES: usize = BITS as usize / 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Sets the bits that numbers name.
    Construct,
    Or,
    And,
}

#[derive(Debug)]
struct Bitmap {
    step: Step,
    bytes: Vec<u8>,
}

impl Bitmap {
    fn new(step: Step) -> Self {
        Self { step, bytes: vec![if step == Step::And { 0xff } else { 0 }; BYTES] }
    }

    fn join(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(given) = values.first().and_then(|values| values.as_binary_opt::<i32>()) else {
            return internal_err!("a bitmap is no binary");
        };
        for bitmap in given.iter().flatten() {
            for (at, byte) in self.bytes.iter_mut().enumerate() {
                let other = bitmap.get(at).copied().unwrap_or(0);
                *byte = if self.step == Step::And { *byte & other } else { *byte | other };
            }
        }
        Ok(())
    }
}

impl Accumulator for Bitmap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.step != Step::Construct {
            return self.join(values);
        }
        let Some(given) = values.first().and_then(|values| values.as_primitive_opt::<Int64Type>()) else {
            return internal_err!("a bit position is no number");
        };
        for position in given.iter().flatten() {
            let slot = usize::try_from(position).ok().and_then(|at| self.bytes.get_mut(at / 8));
            let Some(byte) = slot else {
                let (position, bits, bytes) = (position.to_string(), BITS.to_string(), BYTES.to_string());
                let parameters = [
                    ("bitPosition", position.as_str()),
                    ("bitmapNumBytes", bytes.as_str()),
                    ("bitmapNumBits", bits.as_str()),
                ];
                return Err(fail(ErrorKind::ArrayIndex, "INVALID_BITMAP_POSITION", &parameters));
            };
            *byte |= 1 << (position % 8);
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bytes.clone())))
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.bytes.capacity()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(std::mem::take(&mut self.bytes)))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.join(states)
    }
}

fn binary(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Binary)
}

fn state(_: &[DataType], _: &DataType) -> Vec<DataType> {
    vec![DataType::Binary]
}

fn neutral(step: Step) -> Result<ScalarValue> {
    Bitmap::new(step).evaluate()
}

/// Aggregates of bitmaps.
pub(crate) fn all() -> Vec<Agg> {
    const ANY: &[Arg] = &[Arg::Any];
    vec![
        agg("bitmap_construct_agg", &[Arg::Long], binary, state, |_| Ok(Box::new(Bitmap::new(Step::Construct))))
            .empty(|_| neutral(Step::Construct)),
        agg("bitmap_or_agg", ANY, binary, state, |_| Ok(Box::new(Bitmap::new(Step::Or))))
            .coerce(|t| exactly("bitmap_or_agg", t, &[("BINARY", |t| *t == DataType::Binary)]))
            .empty(|_| neutral(Step::Or)),
        agg("bitmap_and_agg", ANY, binary, state, |_| Ok(Box::new(Bitmap::new(Step::And))))
            .coerce(|t| exactly("bitmap_and_agg", t, &[("BINARY", |t| *t == DataType::Binary)]))
            .empty(|_| neutral(Step::And)),
    ]
}
