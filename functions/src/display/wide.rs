//! Whole numbers of any size, and of 128 bits, for the digits of floats.
//!
//! They know what those need: factors, sums, order, small quotients.

use std::cmp::Ordering;

/// What the digits of floats are computed with.
pub(super) trait Number: Sized + Clone + Ord {
    fn of(value: u64) -> Self;
    /// The number times a small factor.
    fn times(self, factor: u32) -> Self;
    /// The number times a power of two.
    fn shifted(self, bits: i32) -> Self;
    /// The sum of two numbers.
    fn plus(&self, other: &Self) -> Self;
    /// The quotient by a number that goes in at most nine times, and the remainder.
    fn divide_small(self, by: &Self) -> (u8, Self);

    /// The number times a power of five.
    fn fives(self, power: i32) -> Self {
        (0..power).fold(self, |number, _| number.times(5))
    }
}

/// For whom it is known that 128 bits suffice.
impl Number for u128 {
    fn of(value: u64) -> Self {
        Self::from(value)
    }
    fn times(self, factor: u32) -> Self {
        self.wrapping_mul(Self::from(factor))
    }
    fn shifted(self, bits: i32) -> Self {
        self.wrapping_shl(bits.max(0).unsigned_abs())
    }
    fn plus(&self, other: &Self) -> Self {
        self.wrapping_add(*other)
    }
    fn divide_small(self, by: &Self) -> (u8, Self) {
        match by {
            0 => (0, self),
            by => ((self / by) as u8, self % by),
        }
    }
}

/// A whole number; the least significant word first, no zeros at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wide(Vec<u32>);

impl Wide {
    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    /// Takes `other` away, which is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0_i64;
        for (at, word) in self.0.iter_mut().enumerate() {
            let rest = i64::from(*word) - i64::from(other.0.get(at).copied().unwrap_or(0)) + borrow;
            *word = rest as u32;
            borrow = rest >> 32;
        }
        *self = std::mem::take(self).trimmed();
    }
}

impl Number for Wide {
    fn of(value: u64) -> Self {
        Self(vec![value as u32, (value >> 32) as u32]).trimmed()
    }
    fn times(mut self, factor: u32) -> Self {
        let mut carry = 0_u64;
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            *word = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self
    }

    fn shifted(self, bits: i32) -> Self {
        let bits = bits.max(0).unsigned_abs();
        let mut out = vec![0; (bits / 32) as usize];
        out.extend(self.0);
        Self(out).times(1 << (bits % 32)).trimmed()
    }

    fn plus(&self, other: &Self) -> Self {
        let length = self.0.len().max(other.0.len());
        let word = |number: &Self, at: usize| u64::from(number.0.get(at).copied().unwrap_or(0));
        let mut carry = 0;
        let mut out: Vec<u32> = (0..length)
            .map(|at| {
                let sum = word(self, at) + word(other, at) + carry;
                carry = sum >> 32;
                sum as u32
            })
            .collect();
        if carry > 0 {
            out.push(carry as u32);
        }
        Self(out)
    }

    fn divide_small(mut self, by: &Self) -> (u8, Self) {
        let mut quotient = 0;
        while self >= *by && quotient < 10 {
            self.subtract(by);
            quotient += 1;
        }
        (quotient, self)
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
