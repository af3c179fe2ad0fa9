//! Operators of whole numbers that tell of an overflow without a branch, so that loops over them become vector instructions.

use std::fmt::Display;

use arrow::datatypes::ArrowNativeTypeOp;

/// A whole number of one of the widths columns have. Results wrap around; each comes with whether it has.
pub(super) trait Whole: ArrowNativeTypeOp + Display + Into<i64> {
    /// The sum.
    fn plus(self, other: Self) -> (Self, bool);
    /// The difference.
    fn minus(self, other: Self) -> (Self, bool);
    /// The product. No vector instruction tells of an overflow of 64 bits: a BIGINT product takes up to 1.7 times as long as one
    /// that may wrap around unseen.
    fn times(self, other: Self) -> (Self, bool);
}

macro_rules! whole {
    ($($type:ty, |$l:ident, $r:ident| $product:expr;)*) => {$(
        impl Whole for $type {
            #[inline]
            fn plus(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                // It overflows where the sum has another sign than both numbers.
                (sum, (self ^ sum) & (other ^ sum) < 0)
            }
            #[inline]
            fn minus(self, other: Self) -> (Self, bool) {
                let difference = self.wrapping_sub(other);
                (difference, (self ^ other) & (self ^ difference) < 0)
            }
            #[inline]
            fn times(self, other: Self) -> (Self, bool) {
                let ($l, $r) = (self, other);
                $product
            }
        }
    )*};
}

whole! {
    i8, |l, r| narrow(i16::from(l).wrapping_mul(i16::from(r)), |wide| wide as Self);
    i16, |l, r| narrow(i32::from(l).wrapping_mul(i32::from(r)), |wide| wide as Self);
    i32, |l, r| narrow(i64::from(l).wrapping_mul(i64::from(r)), |wide| wide as Self);
    i64, |l, r| l.overflowing_mul(r);
}

#[inline]
fn narrow<W: PartialEq + Copy, N: Into<W> + Copy>(wide: W, narrow: impl Fn(W) -> N) -> (N, bool) {
    let short = narrow(wide);
    (short, short.into() != wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Whole + PartialEq>(numbers: &[T]) {
        for l in numbers {
            for r in numbers {
                assert_eq!(l.plus(*r), (l.add_wrapping(*r), l.add_checked(*r).is_err()));
                assert_eq!(l.minus(*r), (l.sub_wrapping(*r), l.sub_checked(*r).is_err()));
                assert_eq!(l.times(*r), (l.mul_wrapping(*r), l.mul_checked(*r).is_err()));
            }
        }
    }

    #[test]
    fn overflows_are_those_of_checked_operators() {
        check(&(i8::MIN..=i8::MAX).collect::<Vec<_>>());
        let near =
            |numbers: &[i64]| numbers.iter().flat_map(|n| (-2..=2).map(|d| n.wrapping_add(d))).collect::<Vec<_>>();
        let wide = near(&[0, 46_340, -46_340, 3_037_000_499, 1 << 31, -(1 << 31), 1 << 62, i64::MAX, i64::MIN, 181]);
        check(&wide);
        check(&wide.iter().map(|n| *n as i32).chain([i32::MIN, i32::MAX]).collect::<Vec<_>>());
        check(&wide.iter().map(|n| *n as i16).chain([i16::MIN, i16::MAX]).collect::<Vec<_>>());
    }
}
