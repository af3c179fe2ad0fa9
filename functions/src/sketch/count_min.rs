//! `count_min_sketch(col, eps, confidence, seed)`: how often values occur, at most `eps` too high with this confidence.
//!
//! Source: Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min Sketch and its Applications" (2005);
//! the bytes are those of Spark's sketch library, version 1, big-endian.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int8Type, Int16Type, Int32Type, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err};

use super::state::{Held, Sketch, binary, blob};
use crate::aggregate::spec::{Agg, AggCall, agg};
use crate::display::java_double;
use crate::error::ErrorKind;
use crate::scalar::coerce::{Arg, mismatch};
use crate::scalar::hash;
use crate::scalar::read::fail;
use crate::task::JavaRandom;

const NAME: &str = "count_min_sketch";
const VERSION: i32 = 1;
/// 2^31 - 1, a prime, as a mask.
const PRIME: i64 = (1 << 31) - 1;

#[derive(Debug)]
struct CountMin {
    width: i32,
    factors: Vec<i64>,
    total: i64,
    /// A row of `width` counters for each factor.
    counts: Vec<i64>,
}

impl CountMin {
    fn new(eps: f64, confidence: f64, seed: i64) -> Self {
        let width = (2.0 / eps).ceil() as i32;
        let depth = (-(-confidence).ln_1p() / 2_f64.ln()).ceil() as i32;
        let mut random = JavaRandom::new(seed);
        let factors: Vec<i64> = (0..depth).map(|_| i64::from(random.below(i32::MAX))).collect();
        let cells = factors.len().saturating_mul(usize::try_from(width).unwrap_or(0));
        Self { width, factors, total: 0, counts: vec![0; cells] }
    }
    fn count(&mut self, row: usize, bucket: i32) {
        let at = row * usize::try_from(self.width).unwrap_or(0) + usize::try_from(bucket).unwrap_or(0);
        if let Some(cell) = self.counts.get_mut(at) {
            *cell += 1;
        }
    }
    fn add_number(&mut self, value: i64) {
        for row in 0..self.factors.len() {
            let product = self.factors.get(row).copied().unwrap_or(0).wrapping_mul(value);
            let hash = product.wrapping_add(product >> 32) & PRIME;
            self.count(row, (hash as i32) % self.width.max(1));
        }
        self.total += 1;
    }
    fn add_bytes(&mut self, value: &[u8]) {
        let first = hash::bytes(value, 0) as i32;
        let second = hash::bytes(value, first as u32) as i32;
        for row in 0..self.factors.len() {
            let mixed = first.wrapping_add((row as i32).wrapping_mul(second));
            self.count(row, (mixed % self.width.max(1)).abs());
        }
        self.total += 1;
    }
    fn bytes(&self) -> Vec<u8> {
        let mut out = VERSION.to_be_bytes().to_vec();
        out.extend(self.total.to_be_bytes());
        out.extend((self.factors.len() as i32).to_be_bytes());
        out.extend(self.width.to_be_bytes());
        out.extend(self.factors.iter().chain(&self.counts).flat_map(|number| number.to_be_bytes()));
        out
    }
}

impl Sketch for CountMin {
    fn update(&mut self, args: &[ArrayRef]) -> Result<()> {
        let Some(column) = args.first() else { return internal_err!("count_min_sketch without argument") };
        let whole = match column.data_type() {
            DataType::Int8 => column.as_primitive::<Int8Type>().unary::<_, Int64Type>(i64::from),
            DataType::Int16 => column.as_primitive::<Int16Type>().unary::<_, Int64Type>(i64::from),
            DataType::Int32 => column.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from),
            DataType::Int64 => column.as_primitive::<Int64Type>().clone(),
            DataType::Utf8 => {
                column.as_string::<i32>().iter().flatten().for_each(|text| self.add_bytes(text.as_bytes()));
                return Ok(());
            }
            DataType::Binary => {
                column.as_binary::<i32>().iter().flatten().for_each(|bytes| self.add_bytes(bytes));
                return Ok(());
            }
            _ => return Ok(()),
        };
        whole.iter().flatten().for_each(|number| self.add_number(number));
        Ok(())
    }
    fn merge(&mut self, state: &[u8]) -> Result<()> {
        // Another task's sketch has the same shape: only the counts and their sum differ.
        let number = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).unwrap_or_default();
        let head = 20 + self.factors.len() * 8;
        let (Some(total), Some(counts)) = (state.get(4..12), state.get(head..)) else {
            return internal_err!("the state of count_min_sketch is too short");
        };
        self.total += number(total);
        self.counts.iter_mut().zip(counts.chunks_exact(8)).for_each(|(cell, more)| *cell += number(more));
        Ok(())
    }
    fn save(&self) -> Result<Vec<u8>> {
        Ok(self.bytes())
    }
    fn finish(&self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bytes())))
    }
    fn size(&self) -> usize {
        size_of_val(self) + (self.factors.len() + self.counts.len()) * 8
    }
}

fn refuse(sub: &str, parameters: &[(&str, &str)]) -> DataFusionError {
    let mut all = vec![("sqlExpr", "\"count_min_sketch\"")];
    all.extend_from_slice(parameters);
    fail(ErrorKind::Analysis, &format!("DATATYPE_MISMATCH.{sub}"), &all)
}

/// A constant argument that is not null.
fn constant<'a>(call: &'a AggCall, at: usize, name: &str, wanted: &str) -> Result<&'a ScalarValue> {
    match call.constants.get(at) {
        Some(Some(value)) if value.is_null() => Err(refuse("UNEXPECTED_NULL", &[("exprName", name)])),
        Some(Some(value)) => Ok(value),
        _ => {
            let (quoted, sql) = (format!("`{name}`"), format!("\"{name}\""));
            let parameters = [("inputName", quoted.as_str()), ("inputType", wanted), ("inputExpr", sql.as_str())];
            Err(refuse("NON_FOLDABLE_INPUT", &parameters))
        }
    }
}

/// A constant double in `(0, most]`.
fn fraction(call: &AggCall, at: usize, name: &str, most: f64) -> Result<f64> {
    let ScalarValue::Float64(Some(value)) = constant(call, at, name, "\"DOUBLE\"")? else {
        return internal_err!("{name} is no double");
    };
    if *value > 0.0 && *value <= most {
        return Ok(*value);
    }
    let (range, given) = (format!("(0.0, {}]", java_double(most)), format!("{}D", java_double(*value)));
    let parameters = [("exprName", name), ("valueRange", range.as_str()), ("currentValue", given.as_str())];
    Err(refuse("VALUE_OUT_OF_RANGE", &parameters))
}

fn typed(types: &[DataType]) -> Result<Vec<DataType>> {
    let mut out = Vec::with_capacity(types.len());
    for (at, given) in types.iter().enumerate() {
        let (fits, wanted, default) = match at {
            0 => (
                given.is_signed_integer() || matches!(given, DataType::Utf8 | DataType::Binary),
                "(\"INTEGRAL\" or \"STRING\" or \"BINARY\")",
                DataType::Int64,
            ),
            1 | 2 => (*given == DataType::Float64, "\"DOUBLE\"", DataType::Float64),
            _ => {
                let whole = matches!(given, DataType::Int32 | DataType::Int64);
                (whole, "(\"INT\" or \"BIGINT\")", DataType::Int32)
            }
        };
        match given {
            given if fits => out.push(given.clone()),
            DataType::Null => out.push(default),
            given => return Err(mismatch(NAME, at, wanted, given).into()),
        }
    }
    Ok(out)
}

/// The function of this file; nulls are skipped, no rows make an empty sketch.
pub(super) fn aggregates() -> Vec<Agg> {
    const FOUR: &[Arg] = &[Arg::Any, Arg::Any, Arg::Any, Arg::Any];
    vec![
        agg(NAME, FOUR, binary, blob, |call| {
            let eps = fraction(call, 1, "eps", f64::MAX)?;
            let confidence = fraction(call, 2, "confidence", 1.0)?;
            let seed = match constant(call, 3, "seed", "(\"INT\" or \"BIGINT\")")? {
                ScalarValue::Int32(Some(seed)) => i64::from(*seed),
                ScalarValue::Int64(Some(seed)) => *seed,
                _ => return internal_err!("seed is no whole number"),
            };
            Ok(Box::new(Held(CountMin::new(eps, confidence, seed))))
        })
        .coerce(typed),
    ]
}

#[cfg(test)]
mod tests {
    use super::CountMin;

    #[test]
    fn bytes_are_those_of_the_functions_page() {
        let mut made = CountMin::new(0.5, 0.5, 1);
        [1, 2, 1].into_iter().for_each(|value| made.add_number(value));
        let hex: String = made.bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        let head = "0000000100000000000000030000000100000004000000005D8D6AB9";
        let counts = "0000000000000000000000000000000200000000000000010000000000000000";
        assert_eq!(hex, format!("{head}{counts}"));
    }
}
