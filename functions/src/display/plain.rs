//! The decimal digits Java prints for a double between a thousandth and 2^53, from one wide multiplication.
//!
//! They are those that [`super::java_digits`] finds one by one. Between these bounds every step of that algorithm is exact in
//! 128 bits, and a number that ends early is as near to the short number when it is looked at some digits later: so most
//! digits are taken at once, and only the last few are looked at one by one. It knows nothing of points and exponents in a
//! text.

/// A number as `number / 10^decimals`; it may have zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    /// The digits.
    pub(super) number: u64,
    /// How many of them stand behind the point.
    pub(super) decimals: u32,
}

const SHIFT: u32 = 52;
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// The digits of the magnitude of a double; `None` outside the bounds.
pub(super) fn plain(value: f64) -> Option<Plain> {
    let magnitude = value.abs();
    if !(0.001..LARGEST).contains(&magnitude) {
        return None;
    }
    let raw = magnitude.to_bits();
    let bits = raw & ((1 << SHIFT) - 1) | 1 << SHIFT;
    // The magnitude is bits / 2^below; units of half of that make half the distance to a neighbour one.
    let below = (1023 + SHIFT).wrapping_sub((raw >> SHIFT) as u32);
    let unit_bits = below.wrapping_add(1);
    let one = 1_u128 << unit_bits;
    let doubled = u128::from(bits) << 1;
    let (mut number, mut rest, mut half) = ((doubled >> unit_bits) as u64, doubled & one.wrapping_sub(1), 1_u128);
    let mut decimals = 0;
    if rest != 0 {
        // As many digits as leave half a distance far below one: 1233 / 4096 is the logarithm of two.
        decimals = unit_bits.saturating_sub(2).wrapping_mul(1233) >> 12;
        half = u128::from(10_u64.wrapping_pow(decimals));
        rest = rest.wrapping_mul(half);
        number = number.wrapping_mul(half as u64).wrapping_add((rest >> unit_bits) as u64);
        rest &= one.wrapping_sub(1);
    }
    loop {
        let (low, high) = (rest < half, rest.wrapping_add(half) > one);
        if low || high {
            let twice = rest.wrapping_mul(2);
            if high && (!low || twice > one || twice == one && number % 2 == 1) {
                number = number.wrapping_add(1);
            }
            return Some(Plain { number, decimals });
        }
        rest = rest.wrapping_mul(10);
        half = half.wrapping_mul(10);
        number = number.wrapping_mul(10).wrapping_add((rest >> unit_bits) as u64);
        rest &= one.wrapping_sub(1);
        decimals = decimals.wrapping_add(1);
    }
}

impl Plain {
    /// The number without the zeros at its end behind the point.
    #[inline]
    pub(super) fn trimmed(mut self) -> Self {
        while self.decimals > 0 && self.number.is_multiple_of(10) {
            self.number /= 10;
            self.decimals = self.decimals.wrapping_sub(1);
        }
        self
    }
}
