//! Marsaglia's xorshift generator behind Java's `Random`, which `rand`, `randn` and `randstr` draw from.
//! Source: Marsaglia, "Xorshift RNGs" (2003); Java's documentation of `java.util.Random` for doubles and gaussians.

use super::murmur;

/// Seed of the hash of arrays in Scala's library.
const ARRAY_SEED: u32 = 0x3c07_4a61;

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct XorShift {
    state: u64,
    /// The second of a pair of gaussians.
    kept: Option<f64>,
}

impl XorShift {
    /// A generator whose bits are those of the hashed seed.
    pub(crate) fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur::hash(&bytes, ARRAY_SEED);
        let high = murmur::hash(&bytes, low);
        Self { state: (u64::from(high) << 32) | u64::from(low), kept: None }
    }

    /// The lowest `bits` bits of the next state, of at most 32.
    pub(crate) fn next(&mut self, bits: u32) -> i32 {
        let mut next = self.state ^ (self.state << 21);
        next ^= next >> 35;
        next ^= next << 4;
        self.state = next;
        (next & ((1_u64 << bits) - 1)) as u32 as i32
    }

    /// A number in `[0, 1)`.
    pub(crate) fn double(&mut self) -> f64 {
        let high = i64::from(self.next(26)) << 27;
        (high + i64::from(self.next(27))) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number of the standard normal distribution, by the polar method.
    pub(crate) fn gaussian(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        loop {
            let x = 2.0 * self.double() - 1.0;
            let y = 2.0 * self.double() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.kept = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// A text of letters and digits.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        (0..length)
            .map(|_| {
                let place = self.next(32).unsigned_abs() as usize % LETTERS.len();
                char::from(LETTERS.get(place).copied().unwrap_or(b'0'))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::XorShift;

    #[test]
    fn seed_zero_gives_the_documented_values() {
        assert!((XorShift::new(0).double() - 0.760_495_375_828_591_5).abs() < 1e-15);
        assert_eq!(XorShift::new(0).text(10), "ceV0PXaR2I");
        assert!((XorShift::new(0).gaussian() - 1.603_499_160_93).abs() < 1e-9);
    }
}
