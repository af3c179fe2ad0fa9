//! Java's linear congruential generator. Source: Java's documentation of `java.util.Random`.

const FACTOR: i64 = 0x5_DEEC_E66D;
const MASK: i64 = (1 << 48) - 1;

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct JavaRandom(i64);

impl JavaRandom {
    /// A generator with this seed.
    pub(crate) fn new(seed: i64) -> Self {
        Self((seed ^ FACTOR) & MASK)
    }
    fn next(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(FACTOR).wrapping_add(0xB) & MASK;
        (self.0 >> (48 - bits)) as i32
    }
    /// A number in `[0, bound)`, for a positive bound.
    pub(crate) fn below(&mut self, bound: i32) -> i32 {
        let mut drawn = self.next(31);
        if bound & bound.wrapping_neg() == bound {
            return ((i64::from(bound) * i64::from(drawn)) >> 31) as i32;
        }
        loop {
            let rest = drawn % bound;
            if drawn.wrapping_sub(rest).wrapping_add(bound - 1) >= 0 {
                return rest;
            }
            drawn = self.next(31);
        }
    }
    /// A number in `[0, 1)`.
    pub(crate) fn double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_number_of_seed_one_is_javas() {
        assert_eq!(super::JavaRandom::new(1).below(i32::MAX), 0x5D8D_6AB9);
    }
}
