//! Elementary functions to the last digit as Java's `StrictMath` has them, which Spark computes with.
//!
//! They are those of Sun's fdlibm: FreeBSD's descendants of it where they do the same steps (`libm`), and the others here.
//! Source: K. C. Ng, "Freely Distributable LIBM", 1993. It knows nothing of arrays and nulls.

use std::f64::consts::LN_2;

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// e to the power `x`: the remainder of `x` by the logarithm of 2, by a rational function.
pub(super) fn exp(x: f64) -> f64 {
    const P: [f64; 5] = [
        1.666_666_666_666_660_2e-1,
        -2.777_777_777_701_559_3e-3,
        6.613_756_321_437_934e-5,
        -1.653_390_220_546_525_2e-6,
        4.138_136_797_057_238_5e-8,
    ];
    if !(-745.133_219_101_941_1..=709.782_712_893_384).contains(&x) || x.abs() < 2_f64.powi(-28) {
        return x.exp();
    }
    let size = x.abs();
    let power = match size {
        size if size <= 0.5 * LN_2 => 0,
        size if size < 1.5 * LN_2 => x.signum() as i32,
        _ => (std::f64::consts::LOG2_E * x + 0.5_f64.copysign(x)) as i32,
    };
    let (high, low) = (x - f64::from(power) * LN2_HIGH, f64::from(power) * LN2_LOW);
    let rest = if power == 0 { x } else { high - low };
    let square = rest * rest;
    let series = P.iter().rev().fold(0.0, |sum, p| p + square * sum);
    let c = rest - square * series;
    if power == 0 {
        return 1.0 - (rest * c / (c - 2.0) - rest);
    }
    libm::scalbn(1.0 - ((low - rest * c / (2.0 - c)) - high), power)
}

/// The logarithm to base 10, by the natural one of the number without its power of two.
pub(super) fn log10(x: f64) -> f64 {
    const HIGH: f64 = 3.010_299_956_636_117_7e-1;
    const LOW: f64 = 3.694_239_077_158_931e-13;
    if !x.is_finite() || x <= 0.0 {
        return x.log10();
    }
    let (scaled, mut power) = if x < f64::MIN_POSITIVE { (x * 2_f64.powi(54), -54) } else { (x, 0) };
    let bits = scaled.to_bits();
    power += (bits >> 52) as i32 - 1023;
    let below = i32::from(power < 0);
    let y = f64::from(power + below);
    let rest = f64::from_bits(bits & ((1 << 52) - 1) | ((1023 - below) as u64) << 52);
    y * LOW + std::f64::consts::LOG10_E * libm::log(rest) + y * HIGH
}

/// The cube root: an estimate from the exponent, one rational step, one of Newton's.
pub(super) fn cbrt(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let size = x.abs();
    let high = |value: f64| (value.to_bits() >> 32) as u32;
    let from_high = |high: u32| f64::from_bits(u64::from(high) << 32);
    let mut t = match size < f64::MIN_POSITIVE {
        true => from_high(high(size * 2_f64.powi(54)) / 3 + 696_219_795),
        false => from_high(high(size) / 3 + 715_094_163),
    };
    let r = t * t / size;
    let s = 19.0 / 35.0 + r * t;
    t *= 5.0 / 14.0 + 45.0 / 28.0 / (s + 99.0 / 70.0 + -864.0 / 1225.0 / s);
    t = from_high(high(t) + 1);
    let r = size / (t * t);
    let r = (r - t) / (t + t + r);
    (t + t * r).copysign(x)
}

/// The hyperbolic cosine.
pub(super) fn cosh(x: f64) -> f64 {
    let size = x.abs();
    if size < 0.5 * LN_2 {
        let t = libm::expm1(size);
        let w = 1.0 + t;
        return if size < 2_f64.powi(-55) { w } else { 1.0 + t * t / (w + w) };
    }
    match size < 22.0 {
        true => {
            let t = exp(size);
            0.5 * t + 0.5 / t
        }
        false if size < 709.78 => 0.5 * exp(size),
        false => x.cosh(),
    }
}

/// The hyperbolic sine.
pub(super) fn sinh(x: f64) -> f64 {
    let size = x.abs();
    if x.is_nan() || size < 2_f64.powi(-28) || size >= 709.78 {
        return x.sinh();
    }
    let half = 0.5_f64.copysign(x);
    if size >= 22.0 {
        return half * exp(size);
    }
    let t = libm::expm1(size);
    if size < 1.0 { half * (2.0 * t - t * t / (t + 1.0)) } else { half * (t + t / (t + 1.0)) }
}

/// The hyperbolic tangent.
pub(super) fn tanh(x: f64) -> f64 {
    let size = x.abs();
    if x.is_nan() || size < 2_f64.powi(-55) {
        return x;
    }
    let value = match size {
        size if size >= 22.0 => 1.0,
        size if size >= 1.0 => 1.0 - 2.0 / (libm::expm1(2.0 * size) + 2.0),
        size => {
            let t = libm::expm1(-2.0 * size);
            -t / (t + 2.0)
        }
    };
    value.copysign(x)
}

/// Java's `Math.pow`, which knows no power of one that is no number.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    match (base, exponent) {
        (_, 0.0) => 1.0,
        (_, e) if e.is_nan() => f64::NAN,
        (b, e) if b.abs() == 1.0 && e.is_infinite() => f64::NAN,
        (b, e) => libm::pow(b, e),
    }
}

/// The logarithm to base 2, as a quotient of natural ones.
pub(super) fn log2(x: f64) -> f64 {
    libm::log(x) / libm::log(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_digits_are_javas() {
        assert_eq!(exp(1.0), 2.718_281_828_459_045_5);
        assert_eq!(exp(4.0), 54.598_150_033_144_236);
        assert_eq!(cosh(1.0), 1.543_080_634_815_244);
        assert_eq!(log2(3.0), 1.584_962_500_721_156);
        assert_eq!(cbrt(27.0), 3.0);
        assert_eq!(cbrt(-0.001), -0.1);
        assert_eq!(log10(1000.0), 3.0);
        assert_eq!(log10(0.01), -2.0);
        assert_eq!(tanh(0.0), 0.0);
    }
}
