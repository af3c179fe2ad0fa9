//! The decimal digits Java prints for a float or double.
//!
//! Up to version 18 Java's are not always the shortest that read back as the same number; Spark runs on 17, and its texts
//! are what people compare. The steps are those of Steele and White, "How to Print Floating-Point Numbers Accurately"
//! (1990), with Java's bounds: how far it trusts an estimate of the exponent, and which digits of a large whole number it
//! leaves out. It knows nothing of points and exponents in a text.

use super::wide::{Number, Wide};

/// Digits without trailing zeros, and where the point stands: `0.digits * 10^point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digits {
    /// At least one digit, as numbers.
    pub(crate) digits: Vec<u8>,
    /// The power of ten.
    pub(crate) point: i32,
}

/// Which text the digits are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `toString`, which has a digit after the point even with an exponent.
    Text,
    /// A format with a precision of its own.
    Format,
}

/// A positive finite number as `bits * 2^(exponent - 52)`, bits having the 53rd set.
struct Binary {
    bits: u64,
    exponent: i32,
    significant: i32,
}

const SHIFT: i32 = 52;

/// The digits of the magnitude of a finite double other than zero.
pub(crate) fn double_digits(value: f64, form: Form) -> Digits {
    let raw = value.to_bits() & !(1 << 63);
    let (fraction, biased) = (raw & ((1 << 52) - 1), (raw >> 52) as i32);
    digits(
        match biased {
            0 => {
                let zeros = fraction.leading_zeros() as i32;
                let shift = zeros - (63 - SHIFT);
                Binary { bits: fraction << shift, exponent: 1 - shift - 1023, significant: 64 - zeros }
            }
            _ => Binary { bits: fraction | 1 << 52, exponent: biased - 1023, significant: SHIFT + 1 },
        },
        form,
    )
}

/// The digits of the magnitude of a finite float other than zero.
pub(crate) fn float_digits(value: f32, form: Form) -> Digits {
    let raw = value.to_bits() & !(1 << 31);
    let (fraction, biased) = (raw & ((1 << 23) - 1), (raw >> 23) as i32);
    let (bits, exponent, significant) = match biased {
        0 => {
            let zeros = fraction.leading_zeros() as i32;
            let shift = zeros - (31 - 23);
            (fraction << shift, 1 - shift, 32 - zeros)
        }
        _ => (fraction | 1 << 23, biased, 24),
    };
    digits(Binary { bits: u64::from(bits) << (SHIFT - 23), exponent: exponent - 127, significant }, form)
}

/// How many bits a power of five has.
fn bits_of_five(power: i32) -> i32 {
    match power {
        0 => 0,
        // Exact for the powers of five that a long holds; Java takes three bits for each beyond.
        1..=26 => 64 - 5_u64.pow(power.unsigned_abs()).leading_zeros() as i32,
        _ => 3 * power,
    }
}

fn digits(number: Binary, form: Form) -> Digits {
    let Binary { bits, exponent, significant } = number;
    let tail = bits.trailing_zeros() as i32;
    let kept = SHIFT + 1 - tail;
    let tiny = (kept - exponent - 1).max(0);
    if (-21..=62).contains(&exponent) && tiny == 0 && kept < 64 {
        let insignificant = if exponent > significant { decimal_digits(exponent - significant - 1) } else { 0 };
        let whole = if exponent >= SHIFT { bits << (exponent - SHIFT) } else { bits >> (SHIFT - exponent) };
        return whole_digits(whole, insignificant);
    }
    let decimal = estimate(bits, exponent);
    let b5 = (-decimal).max(0);
    let mut b2 = b5 + tiny + exponent;
    let s5 = decimal.max(0);
    let mut s2 = s5 + tiny;
    let mut m2 = b2 - significant;
    let bits = bits >> tail;
    b2 -= kept - 1;
    let common = b2.min(s2);
    (b2, s2, m2) = (b2 - common, s2 - common, m2 - common);
    // Below a power of two numbers are twice as close.
    if kept == 1 {
        m2 -= 1;
    }
    if m2 < 0 {
        (b2, s2, m2) = (b2 - m2, s2 - m2, 0);
    }
    let scaled = Scaled { bits, decimal, b2, b5, s2, s5, m2, form };
    let widest = (kept + b2 + bits_of_five(b5)).max(s2 + 1 + bits_of_five(s5 + 1)).max(m2 + bits_of_five(b5));
    // Java compares otherwise where its own numbers are short.
    let short = kept + b2 + bits_of_five(b5) < 64 && s2 + 1 + bits_of_five(s5 + 1) < 64;
    if widest < 116 { scaled.generate::<u128>(short) } else { scaled.generate::<Wide>(short) }
}

/// A number as `b / s`, half the distance to its neighbours as `m / s`: powers of two and five of each.
struct Scaled {
    bits: u64,
    decimal: i32,
    b2: i32,
    b5: i32,
    s2: i32,
    s5: i32,
    m2: i32,
    form: Form,
}

impl Scaled {
    fn generate<N: Number>(self, short: bool) -> Digits {
        let mut decimal = self.decimal;
        let mut b = N::of(self.bits).fives(self.b5).shifted(self.b2);
        let s = N::of(1).fives(self.s5).shifted(self.s2);
        let mut m = N::of(1).fives(self.b5).shifted(self.m2);
        let tens = s.clone().times(10);
        let mut out = Vec::with_capacity(18);
        // One digit; then whether what is left is nothing, or as good as one more, at this precision.
        let step = |b: N, m: N| {
            let (digit, rest) = b.divide_small(&s);
            let (b, m) = (rest.times(10), m.times(10));
            let sum = b.plus(&m);
            let (low, high) = (b < m, if short { sum > tens } else { sum >= tens });
            (digit, b, m, low, high)
        };
        let (first, mut low, mut high);
        (first, b, m, low, high) = step(b, m);
        if first == 0 && !high {
            decimal -= 1;
        } else {
            out.push(first);
        }
        if self.form == Form::Format || !(-3..8).contains(&decimal) {
            (low, high) = (false, false);
        }
        while !low && !high {
            let digit;
            (digit, b, m, low, high) = step(b, m);
            out.push(digit);
        }
        let twice = b.times(2);
        let odd = out.last().is_some_and(|digit| digit % 2 == 1);
        if high && (!low || twice > tens || twice == tens && odd) {
            decimal += round_up(&mut out);
        }
        while out.len() > 1 && out.last() == Some(&0) {
            out.pop();
        }
        Digits { digits: out, point: decimal + 1 }
    }
}

/// Adds one to the last digit; gives what that adds to the exponent.
fn round_up(digits: &mut Vec<u8>) -> i32 {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return 0;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
    digits.pop();
    1
}

/// Decimal digits that so many bits tell nothing about.
fn decimal_digits(bits: i32) -> u32 {
    if bits > 1 { (f64::from(bits) * std::f64::consts::LOG10_2) as u32 } else { 0 }
}

/// The digits of a whole number without those that say nothing.
fn whole_digits(mut value: u64, insignificant: u32) -> Digits {
    let mut point = 0;
    if insignificant > 0 {
        let unit = 10_u64.pow(insignificant);
        let rest = value % unit;
        value = value / unit + u64::from(rest >= unit / 2);
        point += insignificant as i32;
    }
    while value > 0 && value.is_multiple_of(10) {
        value /= 10;
        point += 1;
    }
    let digits: Vec<u8> = value.to_string().bytes().map(|digit| digit - b'0').collect();
    point += digits.len() as i32;
    Digits { digits, point }
}

/// The decimal exponent, or one more.
fn estimate(bits: u64, exponent: i32) -> i32 {
    let mantissa = f64::from_bits(1023 << 52 | bits & ((1 << 52) - 1));
    let log = (mantissa - 1.5) * 0.289_529_654 + 0.176_091_259 + f64::from(exponent) * std::f64::consts::LOG10_2;
    log.floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64) -> String {
        let found = double_digits(value, Form::Text);
        let text: String = found.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        format!("{text}e{}", found.point)
    }

    #[test]
    fn digits_are_javas_and_not_the_shortest() {
        assert_eq!(shown(-7.117298403027867e17), "71172984030278669e18");
        assert_eq!(shown(3.279225182561213e16), "32792251825612128e17");
        assert_eq!(shown(4.9e-324), "49e-323");
        assert_eq!(shown(1.0e300), "1e301");
        assert_eq!(shown(0.1), "1e0");
        assert_eq!(shown(123.456), "123456e3");
        assert_eq!(shown(1.0e23), "9999999999999999e23");
        assert_eq!(shown(2.0e23), "19999999999999998e24");
        let single = float_digits(7.649_58e10, Form::Text);
        assert_eq!((single.digits, single.point), (vec![7, 6, 4, 9, 5, 7, 9, 8], 11));
    }
}
