//! Reading a text by a pattern, strictly: ranges are checked and the whole text must match.

use super::super::zone::parse_offset;
use super::super::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone, days_from_civil};
use super::Item;
use super::format::MONTHS;

/// The fields a text gave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields {
    /// Year.
    pub year: Option<i32>,
    /// Month, 1 to 12.
    pub month: Option<u32>,
    /// Day of the month.
    pub day: Option<u32>,
    /// Zone or offset.
    pub zone: Option<Zone>,
    pub(super) day_of_year: Option<u32>,
    pub(super) before_christ: bool,
    pub(super) hour: Option<u32>,
    pub(super) clock_hour: Option<u32>,
    pub(super) afternoon: Option<bool>,
    pub(super) minute: Option<u32>,
    pub(super) second: Option<u32>,
    pub(super) micros: Option<u32>,
}

impl Fields {
    /// The day number; missing parts are 1970, 1 and 1.
    #[must_use]
    pub fn days(&self) -> Option<i32> {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        match self.day_of_year {
            Some(day) => {
                let first = days_from_civil(year, 1, 1)?;
                let last = days_from_civil(year, 12, 31)?;
                let days = first.checked_add(i32::try_from(day).ok()?)?.checked_sub(1)?;
                (first..=last).contains(&days).then_some(days)
            }
            None => days_from_civil(year, self.month.unwrap_or(1), self.day.unwrap_or(1)),
        }
    }

    /// Microseconds of the day.
    #[must_use]
    pub fn micros_of_day(&self) -> Option<i64> {
        let hour = match (self.hour, self.clock_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if self.afternoon.unwrap_or(false) { 12 } else { 0 },
            (None, None) => match self.afternoon {
                Some(true) => 12,
                _ => 0,
            },
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let valid = hour < 24 && minute < 60 && second < 60;
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        valid.then_some(seconds * MICROS_PER_SECOND + i64::from(self.micros.unwrap_or(0)))
    }

    /// Wall-clock microseconds.
    #[must_use]
    pub fn local_micros(&self) -> Option<i64> {
        i64::from(self.days()?).checked_mul(MICROS_PER_DAY)?.checked_add(self.micros_of_day()?)
    }
}

pub(super) fn parse(items: &[Item], text: &str) -> Option<Fields> {
    let mut fields = Fields::default();
    let rest = sequence(items, text, &mut fields)?;
    rest.is_empty().then_some(fields)
}

fn sequence<'t>(items: &[Item], text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let mut rest = text;
    for (index, item) in items.iter().enumerate() {
        rest = match item {
            Item::Text(expected) => {
                let head = rest.get(..expected.len())?;
                if !head.eq_ignore_ascii_case(expected) {
                    return None;
                }
                rest.get(expected.len()..)?
            }
            Item::Old(..) => return None,
            Item::Optional(inner) => {
                let mut attempt = *fields;
                match sequence(inner, rest, &mut attempt) {
                    Some(after) => {
                        *fields = attempt;
                        after
                    }
                    None => rest,
                }
            }
            Item::Field(letter, count) => {
                let reserved = items.get(index + 1..).map_or(0, fixed_width);
                field(*letter, *count, reserved, rest, fields)?
            }
        };
    }
    Some(rest)
}

/// Digits that the numeric fields right after this one need, so that `yyyyMMdd` splits.
fn fixed_width(following: &[Item]) -> usize {
    let mut width = 0;
    for item in following {
        match item {
            Item::Field(letter, count) if is_numeric(*letter, *count) => width += count,
            _ => break,
        }
    }
    width
}

fn is_numeric(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count <= 2,
        'y' | 'd' | 'D' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'S' => true,
        _ => false,
    }
}

fn field<'t>(letter: char, count: usize, reserved: usize, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    if !is_numeric(letter, count) {
        return text_field(letter, count, text, fields);
    }
    if letter == 'y' {
        return year(count, reserved, text, fields);
    }
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    let available = run.saturating_sub(reserved);
    let length = match (letter, count) {
        ('S', _) => run.min(count),
        (_, 1) => available.min(9),
        ('D', 2) => available.clamp(2, 3),
        _ => count,
    };
    if length == 0 || run < length {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let value: u32 = digits.parse().ok()?;
    // A field may be given twice, but not with two values.
    let slot = |slot: &mut Option<u32>, range: std::ops::RangeInclusive<u32>| {
        let agrees = slot.is_none_or(|known| known == value);
        (agrees && range.contains(&value)).then(|| *slot = Some(value))
    };
    match letter {
        'M' | 'L' => slot(&mut fields.month, 1..=12)?,
        'd' => slot(&mut fields.day, 1..=31)?,
        'D' => slot(&mut fields.day_of_year, 1..=366)?,
        'H' => slot(&mut fields.hour, 0..=23)?,
        'k' => {
            slot(&mut fields.hour, 1..=24)?;
            fields.hour = Some(value % 24);
        }
        'h' => slot(&mut fields.clock_hour, 1..=12)?,
        'K' => slot(&mut fields.clock_hour, 0..=11)?,
        'm' => slot(&mut fields.minute, 0..=59)?,
        's' => slot(&mut fields.second, 0..=59)?,
        _ => {
            let micros: Option<u32> = format!("{digits:0<6}").get(..6)?.parse().ok();
            if fields.micros.is_some() && fields.micros != micros {
                return None;
            }
            fields.micros = micros;
        }
    }
    Some(rest)
}

fn year<'t>(count: usize, reserved: usize, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' if count >= 4 => (1, text.get(1..)?),
        _ => (1, text),
    };
    let signed = body.len() != text.len();
    let run = body.bytes().take_while(u8::is_ascii_digit).count();
    let available = run.saturating_sub(reserved);
    let length = match count {
        2 => 2,
        _ if reserved > 0 || signed => available.min(9),
        4.. => count.min(available),
        _ => available.min(9),
    };
    if length < count || run < length || length == 0 {
        return None;
    }
    let (digits, rest) = body.split_at(length);
    let value: i32 = digits.parse().ok()?;
    fields.year = Some(if count == 2 { 2000 + value } else { sign * value });
    Some(rest)
}

fn text_field<'t>(letter: char, count: usize, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    match letter {
        'M' | 'L' => {
            let names = MONTHS.iter().map(|name| if count == 3 { name.get(..3).unwrap_or(name) } else { name });
            let (index, name) = names.enumerate().find(|(_, name)| starts(name))?;
            fields.month = Some(index as u32 + 1);
            text.get(name.len()..)
        }
        'G' => {
            let names = if count == 4 { ["Anno Domini", "Before Christ"] } else { ["AD", "BC"] };
            let name = names.into_iter().find(|name| starts(name))?;
            fields.before_christ = name.starts_with('B');
            text.get(name.len()..)
        }
        'a' => {
            fields.afternoon = Some(if starts("PM") { true } else { !starts("AM") });
            (starts("AM") || starts("PM")).then(|| text.get(2..)).flatten()
        }
        'X' if starts("Z") => {
            fields.zone = Some(Zone::UTC);
            text.get(1..)
        }
        'Z' if count == 5 && starts("Z") => {
            fields.zone = Some(Zone::UTC);
            text.get(1..)
        }
        'X' | 'x' | 'Z' | 'O' => {
            let body = if (letter == 'O' || count == 4) && starts("GMT") { text.get(3..)? } else { text };
            if body.len() != text.len() && !body.starts_with(['+', '-']) {
                fields.zone = Some(Zone::UTC);
                return Some(body);
            }
            let length = 1 + body.bytes().skip(1).take_while(|b| b.is_ascii_digit() || *b == b':').count();
            let colon = body.get(..length)?.contains(':');
            let wants_colon = matches!((letter, count), ('X' | 'x', 3 | 5) | ('Z', 4 | 5) | ('O', _));
            if colon != wants_colon && length > 3 {
                return None;
            }
            fields.zone = Some(Zone::Fixed(parse_offset(body.get(..length)?)?));
            body.get(length..)
        }
        'V' | 'z' => {
            let is_zone = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-' | ':');
            let length = text.find(|c: char| !is_zone(c)).unwrap_or(text.len());
            fields.zone = Some(Zone::lookup(text.get(..length)?)?);
            text.get(length..)
        }
        _ => None,
    }
}
