//! The wire form of `numeric`: groups of four decimal digits.
//!
//! Knows nothing of arrays.

use bytes::{BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Appends `unscaled * 10^-scale`, without the length word.
pub(super) fn put_decimal(unscaled: i128, scale: i8, out: &mut BytesMut) {
    let mut buffer = [0_u8; 40];
    let mut at = buffer.len();
    let mut rest = unscaled.unsigned_abs();
    while rest > 0 && at > 0 {
        at -= 1;
        if let Some(slot) = buffer.get_mut(at) {
            *slot = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        }
        rest /= 10;
    }
    put_scaled(unscaled < 0, buffer.get(at..).unwrap_or_default(), scale, out);
}

/// Appends a decimal number in plain digits, e.g. `-12.50`, as `Display` of wide decimals and floats gives it.
pub(super) fn put_text(text: &str, out: &mut BytesMut) {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    match digits {
        "NaN" => return put_special(NAN, out),
        "inf" => return put_special(if negative { NEGATIVE_INFINITY } else { INFINITY }, out),
        _ => {}
    }
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    put_digits(negative, integer.as_bytes(), fraction.as_bytes(), out);
}

fn put_special(sign: u16, out: &mut BytesMut) {
    out.put_i32(8);
    out.put_i16(0);
    out.put_i16(0);
    out.put_u16(sign);
    out.put_i16(0);
}

fn put_scaled(negative: bool, digits: &[u8], scale: i8, out: &mut BytesMut) {
    if scale <= 0 {
        let mut digits = digits.to_vec();
        digits.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        return put_digits(negative, &digits, &[], out);
    }
    let scale = usize::from(scale.unsigned_abs());
    if digits.len() >= scale {
        let (integer, fraction) = digits.split_at(digits.len() - scale);
        return put_digits(negative, integer, fraction, out);
    }
    let mut fraction = vec![b'0'; scale - digits.len()];
    fraction.extend_from_slice(digits);
    put_digits(negative, &[], &fraction, out);
}

/// Appends length word and value.
fn put_digits(negative: bool, integer: &[u8], fraction: &[u8], out: &mut BytesMut) {
    let integer = integer.get(integer.iter().take_while(|digit| **digit == b'0').count()..).unwrap_or_default();
    let mut groups: Vec<i16> = Vec::with_capacity(integer.len() / 4 + fraction.len() / 4 + 2);
    let lead = integer.len() % 4;
    let (first, rest) = integer.split_at(lead);
    if !first.is_empty() {
        groups.push(group(first));
    }
    groups.extend(rest.chunks(4).map(group));
    let mut weight = i16::try_from(groups.len()).unwrap_or(i16::MAX) - 1;
    for chunk in fraction.chunks(4) {
        let missing = 4 - chunk.len();
        groups.push((0..missing).fold(group(chunk), |value, _| value * 10));
    }
    // Zero groups at either end are not sent.
    let leading = groups.iter().take_while(|value| **value == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).unwrap_or_default();
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    let count = i16::try_from(groups.len()).unwrap_or(i16::MAX);
    out.put_i32(8 + 2 * i32::from(count));
    out.put_i16(count);
    out.put_i16(weight);
    out.put_u16(if negative && !groups.is_empty() { NEGATIVE } else { 0 });
    out.put_i16(i16::try_from(fraction.len()).unwrap_or(i16::MAX));
    groups.into_iter().for_each(|value| out.put_i16(value));
}

fn group(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |value, digit| value * 10 + i16::from(digit.saturating_sub(b'0')))
}

/// What `numeric(p, s)` can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Digits in all.
    pub(crate) precision: i32,
    /// Of them after the point; may be negative.
    pub(crate) scale: i32,
}

impl Limits {
    /// Out of the catalogue's packed form; `None` without limits.
    pub(super) fn of(modifier: i32) -> Option<Self> {
        let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
        // Eleven bits, signed.
        let scale = packed & 0x7ff;
        Some(Self { precision: packed >> 16, scale: if scale >= 1024 { scale - 2048 } else { scale } })
    }

    /// Whether any decimal of this precision and scale fits.
    pub(super) fn holds_all(self, precision: u8, scale: i8) -> bool {
        let (ours, theirs) = (self.precision - self.scale, i32::from(precision) - i32::from(scale));
        ours > theirs || (ours == theirs && self.scale >= i32::from(scale))
    }

    /// Whether `unscaled * 10^-scale` fits once it is rounded as the server rounds.
    pub(super) fn holds(self, unscaled: i128, scale: i8) -> bool {
        let drop = i32::from(scale) - self.scale;
        let value = unscaled.unsigned_abs();
        let (value, limit) = if drop > 0 {
            let Some(divisor) = 10_u128.checked_pow(drop.unsigned_abs()) else { return true };
            (value / divisor + u128::from(value % divisor >= divisor.div_ceil(2)), self.precision)
        } else {
            // Digits that are added count.
            (value, self.precision + drop)
        };
        match u32::try_from(limit) {
            Ok(digits) => 10_u128.checked_pow(digits).is_none_or(|limit| value < limit),
            Err(_) => value == 0,
        }
    }

    /// Whether a number in plain digits has too many before the point; what rounding adds is left to the server.
    pub(super) fn too_long(self, text: &str) -> bool {
        let integer = text.trim_start_matches('-').split('.').next().unwrap_or_default().trim_start_matches('0');
        let room = usize::try_from(self.precision - self.scale).unwrap_or_default();
        integer.bytes().all(|byte| byte.is_ascii_digit()) && integer.len() > room
    }
}
