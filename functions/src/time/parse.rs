//! Spark's grammar for strings cast to dates, timestamps and times. Patterns are another matter: see `pattern`.

use super::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone, days_from_civil};

/// Strips what Spark's `trimAll` strips: whitespace and control characters at both ends.
#[must_use]
pub fn trim_all(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

/// A date `[+-]y[-m[-d]]`, optionally followed by `T` or a space and anything.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = trim_all(text).as_bytes();
    let (sign, mut rest) = match bytes.first()? {
        b'-' => (-1, bytes.get(1..)?),
        b'+' => (1, bytes.get(1..)?),
        _ => (1, bytes),
    };
    let mut parts = [1_i32; 3];
    for (index, part) in parts.iter_mut().enumerate() {
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let valid = if index == 0 { (4..=7).contains(&count) } else { (1..=2).contains(&count) };
        if !valid {
            return None;
        }
        let (digits, after) = rest.split_at(count);
        *part = number(digits);
        rest = after;
        match rest.first() {
            None => break,
            Some(b'-') if index < 2 => rest = rest.get(1..)?,
            Some(b' ' | b'T') if index == 2 => break,
            Some(_) => return None,
        }
    }
    let [year, month, day] = parts;
    days_from_civil(sign * year, month as u32, day as u32)
}

/// An instant. A string without zone is in `zone`; a string without date is on `today`, a day number in `zone`.
#[must_use]
pub fn parse_timestamp(text: &str, zone: &Zone, today: impl FnOnce() -> i32) -> Option<i64> {
    let parsed = Parsed::new(text)?;
    let zone = parsed.zone.unwrap_or(*zone);
    let days = if parsed.just_time { today() } else { parsed.days()? };
    Some(zone.to_utc(i64::from(days).checked_mul(MICROS_PER_DAY)?.checked_add(parsed.micros_of_day()?)?))
}

/// A wall-clock time with date. A zone is accepted and dropped if `allow_zone`.
#[must_use]
pub fn parse_ntz(text: &str, allow_zone: bool) -> Option<i64> {
    let parsed = Parsed::new(text)?;
    if parsed.just_time || (parsed.zone.is_some() && !allow_zone) {
        return None;
    }
    i64::from(parsed.days()?).checked_mul(MICROS_PER_DAY)?.checked_add(parsed.micros_of_day()?)
}

/// A time of day in microseconds, `[T]h:m[:s[.f]]`, optionally followed by AM or PM.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let text = trim_all(text);
    let upper = text.to_ascii_uppercase();
    let half = if upper.ends_with("AM") { Some(0) } else { upper.ends_with("PM").then_some(12) };
    let body = if half.is_some() { text.get(..text.len() - 2)?.trim_end() } else { text };
    let mut parsed = Parsed::new(body)?;
    if !parsed.just_time || parsed.zone.is_some() {
        return None;
    }
    if let Some(half) = half {
        if !(1..=12).contains(&parsed.parts[3]) {
            return None;
        }
        parsed.parts[3] = parsed.parts[3] % 12 + half;
    }
    parsed.micros_of_day()
}

struct Parsed {
    /// Year, month, day, hour, minute, second, microsecond.
    parts: [i32; 7],
    zone: Option<Zone>,
    just_time: bool,
}

impl Parsed {
    fn new(text: &str) -> Option<Self> {
        let bytes = trim_all(text).as_bytes();
        let mut parsed = Self { parts: [1, 1, 1, 0, 0, 0, 0], zone: None, just_time: false };
        let signed = matches!(bytes.first()?, b'-' | b'+');
        let mut rest = if signed { bytes.get(1..)? } else { bytes };
        let mut index = 0;
        if rest.first() == Some(&b'T') && !signed {
            parsed.just_time = true;
            index = 3;
            rest = rest.get(1..)?;
        }
        loop {
            let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let (digits, after) = rest.split_at(count);
            let next = after.first().copied();
            if index == 0 && next == Some(b':') && !signed {
                parsed.just_time = true;
                index = 3;
            }
            let valid = match index {
                0 => (4..=6).contains(&count),
                6 => true,
                _ => (1..=2).contains(&count),
            };
            if !valid {
                return None;
            }
            *parsed.parts.get_mut(index)? = if index == 6 { fraction(digits) } else { number(digits) };
            match (index, next) {
                (_, None) => break,
                (0 | 1, Some(b'-')) | (2, Some(b' ' | b'T')) | (3 | 4, Some(b':')) | (5, Some(b'.')) => {
                    index += 1;
                    rest = after.get(1..)?;
                }
                (5 | 6, Some(_)) => {
                    parsed.zone = Some(Zone::lookup(std::str::from_utf8(after).ok()?)?);
                    break;
                }
                _ => return None,
            }
        }
        if bytes.first() == Some(&b'-') {
            parsed.parts[0] = -parsed.parts[0];
        }
        Some(parsed)
    }

    fn days(&self) -> Option<i32> {
        days_from_civil(self.parts[0], self.parts[1] as u32, self.parts[2] as u32)
    }

    fn micros_of_day(&self) -> Option<i64> {
        let [_, _, _, hour, minute, second, micros] = self.parts;
        let valid = hour < 24 && minute < 60 && second < 60;
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        valid.then_some(seconds * MICROS_PER_SECOND + i64::from(micros))
    }
}

/// At most seven digits, which the callers have checked.
fn number(digits: &[u8]) -> i32 {
    digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'))
}

/// Microseconds of the digits after the point; what is finer is cut off.
fn fraction(digits: &[u8]) -> i32 {
    (0..6).fold(0, |value, index| value * 10 + digits.get(index).map_or(0, |digit| i32::from(digit - b'0')))
}
