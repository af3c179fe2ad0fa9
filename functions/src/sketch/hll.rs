//! The HyperLogLog sketch of DataSketches with one byte a register, in its own serialised form.
//!
//! It knows nothing of arrays or functions. Format and estimators: <https://datasketches.apache.org/docs/HLL/HLL.html>.

mod aggregates;
mod bytes;
mod coupons;
mod estimate;
mod functions;
mod registers;
mod union;

pub(super) use aggregates::all as aggregates;
pub(super) use functions::all as functions;

use coupons::Coupons;
use registers::Registers;

/// Least and greatest base-2 logarithm of the number of registers.
const LG_K: std::ops::RangeInclusive<i32> = 4..=21;
/// The default base-2 logarithm of the number of registers.
const DEFAULT_LG_K: u8 = 12;
/// Bits of a coupon that address a register; the value is above them.
const ADDRESS: u32 = (1 << 26) - 1;

/// A sketch: few values are kept as coupons, many as registers.
#[derive(Debug, Clone)]
pub(super) struct Hll {
    /// Base-2 logarithm of the number of registers.
    lg_k: u8,
    mode: Mode,
}

#[derive(Debug, Clone)]
enum Mode {
    Coupons(Coupons),
    Registers(Registers),
}

impl Hll {
    /// An empty sketch.
    fn new(lg_k: u8) -> Self {
        Self { lg_k, mode: Mode::Coupons(Coupons::list()) }
    }
    /// Counts a value given as the bytes it is hashed by.
    fn add(&mut self, value: &[u8]) {
        let (low, high) = super::murmur::hash(value);
        let rank = high.leading_zeros().min(62) + 1;
        self.coupon(rank << 26 | (low as u32 & ADDRESS));
    }
    fn coupon(&mut self, coupon: u32) {
        match &mut self.mode {
            Mode::Registers(registers) => registers.coupon(coupon),
            Mode::Coupons(coupons) => {
                if coupons.add(coupon, self.lg_k) {
                    self.mode = Mode::Registers(Registers::promoted(self.lg_k, coupons));
                }
            }
        }
    }
    fn is_empty(&self) -> bool {
        matches!(&self.mode, Mode::Coupons(coupons) if coupons.count() == 0)
    }
    /// The number of distinct values, approximately.
    fn estimate(&self) -> f64 {
        match &self.mode {
            Mode::Coupons(coupons) => coupons.estimate(),
            Mode::Registers(registers) => registers.estimate(),
        }
    }
    fn size(&self) -> usize {
        match &self.mode {
            Mode::Coupons(coupons) => coupons.table().len() * 4,
            Mode::Registers(_) => 1 << self.lg_k,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hll;

    #[test]
    fn three_integers_serialise_as_datasketches_does() {
        let mut sketch = Hll::new(12);
        for value in 1_i64..=3 {
            sketch.add(&value.to_le_bytes());
        }
        let text: String = sketch.bytes().iter().map(|b| format!("{b:02X}")).collect();
        assert_eq!(text, "0201070C030003082BF2FB06862FF90D758166070000000000000000000000000000000000000000");
    }
    #[test]
    fn a_sketch_survives_its_bytes() {
        let mut sketch = Hll::new(10);
        for value in 0_i64..5000 {
            sketch.add(&value.to_le_bytes());
        }
        let again = Hll::read(&sketch.bytes()).unwrap();
        assert_eq!(again.estimate(), sketch.estimate());
        assert!((again.estimate() - 5000.0).abs() < 500.0);
    }
}
