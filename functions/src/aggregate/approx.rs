//! `approx_count_distinct` by HyperLogLog++, as Spark's, whose estimates depend on its hash and its registers.
//!
//! Source: Heule, Nunkesser, Hall, "HyperLogLog in Practice" (2013). The hash comes in as an argument. Spark corrects
//! estimates between 2.5 and 5 times the number of registers by tables of the paper; here a curve stands for them, so only
//! such estimates may differ, by a small part of the deviation that was asked for.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;

use super::spec::{Agg, AggCall, agg};
use crate::error::SparkError;
use crate::scalar::coerce::Arg;

/// Up to which count of distinct values linear counting is better, by precision from 4 (the paper, appendix).
const LINEAR_UP_TO: [f64; 15] = [
    10.0, 20.0, 40.0, 80.0, 220.0, 400.0, 900.0, 1_800.0, 3_100.0, 6_500.0, 15_500.0, 20_000.0, 50_000.0, 120_000.0,
    350_000.0,
];
/// The bias of a raw estimate, both in numbers of registers: means of simulated sketches.
const BIAS: [(f64, f64); 10] = [
    (2.5, 0.064),
    (2.559, 0.0588),
    (2.794, 0.044),
    (3.03, 0.029),
    (3.27, 0.0212),
    (3.515, 0.0155),
    (3.76, 0.0109),
    (4.007, 0.0069),
    (4.505, 0.0045),
    (5.0, 0.0),
];

/// Bits of a hash that choose a register: what a relative standard deviation takes, at least 4.
///
/// # Errors
/// `FAILED_FUNCTION_CALL` when the deviation is not above 0 and at most 0.39.
pub fn precision(deviation: f64) -> Result<u8, SparkError> {
    if !(deviation > 0.0 && deviation <= 0.39) {
        return Err(SparkError::analysis("FAILED_FUNCTION_CALL", &[("funcName", "`approx_count_distinct`")]));
    }
    let bits = (2.0 * (1.106 / deviation).ln() / std::f64::consts::LN_2).ceil();
    // A register a byte: 40 bits would be a terabyte, and no deviation anybody asks for.
    (4_u8..=30)
        .find(|p| f64::from(*p) >= bits)
        .ok_or_else(|| SparkError::analysis("FAILED_FUNCTION_CALL", &[("funcName", "`approx_count_distinct`")]))
}

#[derive(Debug)]
struct HyperLogLog {
    precision: u8,
    registers: Vec<u8>,
}

impl HyperLogLog {
    fn new(precision: u8) -> Self {
        Self { precision, registers: vec![0; 1 << precision] }
    }

    fn add(&mut self, hash: u64) {
        let at = usize::try_from(hash >> (64 - self.precision)).unwrap_or(0);
        let rest = (hash << self.precision) | (1 << (self.precision - 1));
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        if let Some(register) = self.registers.get_mut(at) {
            *register = (*register).max(rank);
        }
    }

    fn estimate(&self) -> f64 {
        let count = f64::from(1_u32 << self.precision);
        let alpha = match self.precision {
            4 => 0.673,
            5 => 0.697,
            6 => 0.709,
            _ => 0.7213 / (1.0 + 1.079 / count),
        };
        let sum: f64 = self.registers.iter().map(|register| 2_f64.powi(-i32::from(*register))).sum();
        let raw = alpha * count * count / sum;
        let zeros = self.registers.iter().filter(|register| **register == 0).count();
        let linear_up_to = LINEAR_UP_TO.get(usize::from(self.precision.saturating_sub(4)));
        if zeros > 0 {
            let linear = count * (count / zeros as f64).ln();
            if linear_up_to.is_some_and(|most| linear <= *most) || raw <= 2.5 * count {
                return linear;
            }
        }
        if linear_up_to.is_some() { raw - bias(raw / count) * count } else { raw }
    }
}

/// Between the points of the curve.
fn bias(raw: f64) -> f64 {
    let pairs = BIAS.iter().zip(BIAS.iter().skip(1));
    let around = pairs.into_iter().find(|((from, _), (to, _))| (*from..*to).contains(&raw));
    around.map_or(0.0, |((from, low), (to, high))| low + (high - low) * (raw - from) / (to - from))
}

impl Accumulator for HyperLogLog {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(hashes) = values.first().and_then(|values| values.as_primitive_opt::<Int64Type>()) else {
            return internal_err!("a hash is no number");
        };
        for hash in hashes.iter().flatten() {
            self.add(hash.cast_unsigned());
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
        Ok(ScalarValue::Int64(Some(self.estimate().round() as i64)))
    }
    fn size(&self) -> usize {
        size_of_val(self) + self.registers.capacity()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.registers.clone()))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(given) = states.first().and_then(|states| states.as_binary_opt::<i32>()) else {
            return internal_err!("registers are no binary");
        };
        for other in given.iter().flatten() {
            for (register, other) in self.registers.iter_mut().zip(other) {
                *register = (*register).max(*other);
            }
        }
        Ok(())
    }
}

fn made(call: &AggCall) -> Result<Box<dyn Accumulator>> {
    let precision = match call.constants.get(1) {
        Some(Some(ScalarValue::Int32(Some(precision)))) => {
            u8::try_from(*precision).ok().filter(|p| (4..=30).contains(p))
        }
        _ => None,
    };
    match precision {
        Some(precision) => Ok(Box::new(HyperLogLog::new(precision))),
        None => internal_err!("approx_count_distinct without a precision"),
    }
}

/// `approx_count_distinct(hash, precision)`: never null; nulls do not count.
pub(crate) fn all() -> Vec<Agg> {
    let made = agg(
        "approx_count_distinct",
        &[Arg::Long, Arg::Int],
        |_| Ok(DataType::Int64),
        |_, _| vec![DataType::Binary],
        made,
    );
    vec![made.empty(|_| Ok(ScalarValue::Int64(Some(0))))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_deviation_takes_more_registers() {
        assert_eq!([0.39, 0.2, 0.05, 0.02, 0.01].map(|d| precision(d).unwrap()), [4, 5, 9, 12, 14]);
        assert!(precision(0.4).is_err() && precision(0.0).is_err() && precision(f64::NAN).is_err());
    }

    #[test]
    fn estimates_are_near_over_the_whole_range_and_states_merge() {
        // A generator that goes through all numbers once (Steele et al., SplitMix64).
        let hash = |n: u64| {
            let z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        for count in [0_u32, 1, 1_000, 9_000, 11_000, 14_000, 18_000, 300_000] {
            let (mut left, mut right) = (HyperLogLog::new(12), HyperLogLog::new(12));
            for n in 0..count {
                if n % 3 == 0 { left.add(hash(n.into())) } else { right.add(hash(n.into())) }
            }
            let state = right.state().unwrap().remove(0).to_array().unwrap();
            left.merge_batch(&[state]).unwrap();
            let (found, count) = (left.estimate(), f64::from(count));
            assert!((found - count).abs() <= 0.05 * count, "{found} of {count}");
        }
    }
}
