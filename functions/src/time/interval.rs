//! Intervals as text: Spark's ANSI and legacy forms, read and printed.

use super::print::fraction_text;
use super::{MICROS_PER_DAY, MICROS_PER_SECOND};
use crate::types::{DayTimeField, YearMonthField};

const MICROS_PER_HOUR: i64 = 3600 * MICROS_PER_SECOND;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;

/// A legacy calendar interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

fn unit_name(field: DayTimeField) -> &'static str {
    match field {
        DayTimeField::Day => "DAY",
        DayTimeField::Hour => "HOUR",
        DayTimeField::Minute => "MINUTE",
        DayTimeField::Second => "SECOND",
    }
}

/// `INTERVAL '1-2' YEAR TO MONTH`.
#[must_use]
pub fn format_year_month(months: i32, start: YearMonthField, end: YearMonthField) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let (years, rest) = (months.unsigned_abs() / 12, months.unsigned_abs() % 12);
    match (start, end) {
        (YearMonthField::Year, YearMonthField::Year) => format!("INTERVAL '{sign}{years}' YEAR"),
        (YearMonthField::Month, YearMonthField::Month) => format!("INTERVAL '{sign}{}' MONTH", months.unsigned_abs()),
        _ => format!("INTERVAL '{sign}{years}-{rest}' YEAR TO MONTH"),
    }
}

/// `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
#[must_use]
pub fn format_day_time(micros: i64, start: DayTimeField, end: DayTimeField) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let mut rest = micros.unsigned_abs();
    let mut body = String::new();
    for field in [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second] {
        if field < start || field > end {
            continue;
        }
        let size = size_of(field) as u64;
        let (count, below) = (rest / size, rest % size);
        if field == start {
            let first = if field == DayTimeField::Day { count.to_string() } else { format!("{count:02}") };
            body.push_str(&first);
        } else {
            body.push(if field == DayTimeField::Hour { ' ' } else { ':' });
            body.push_str(&format!("{count:02}"));
        }
        rest = below;
        if field == DayTimeField::Second {
            body.push_str(&fraction_text(below as i64));
        }
    }
    let range = match start == end {
        true => unit_name(start).to_owned(),
        false => format!("{} TO {}", unit_name(start), unit_name(end)),
    };
    format!("INTERVAL '{sign}{body}' {range}")
}

/// Microseconds of a unit.
#[must_use]
pub fn size_of(field: DayTimeField) -> i64 {
    match field {
        DayTimeField::Day => MICROS_PER_DAY,
        DayTimeField::Hour => MICROS_PER_HOUR,
        DayTimeField::Minute => MICROS_PER_MINUTE,
        DayTimeField::Second => MICROS_PER_SECOND,
    }
}

impl std::fmt::Display for Calendar {
    /// `1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        let mut part = |count: i64, unit: &str| {
            if count != 0 {
                parts.push(format!("{count} {unit}"));
            }
        };
        part(i64::from(self.months / 12), "years");
        part(i64::from(self.months % 12), "months");
        part(i64::from(self.days), "days");
        part(self.micros / MICROS_PER_HOUR, "hours");
        part(self.micros % MICROS_PER_HOUR / MICROS_PER_MINUTE, "minutes");
        let below = self.micros % MICROS_PER_MINUTE;
        if below != 0 {
            let sign = if below < 0 { "-" } else { "" };
            let fraction = fraction_text(below.abs() % MICROS_PER_SECOND);
            parts.push(format!("{sign}{}{fraction} seconds", below.abs() / MICROS_PER_SECOND));
        }
        match parts.is_empty() {
            true => f.write_str("0 seconds"),
            false => f.write_str(&parts.join(" ")),
        }
    }
}

/// `[interval] 1 year 2 months -3 days 1.5 seconds`; `None` if malformed or out of range.
#[must_use]
pub fn parse_calendar(text: &str) -> Option<Calendar> {
    let lower = super::parse::trim_all(text).to_ascii_lowercase();
    let body = match lower.strip_prefix("interval") {
        Some(rest) if rest.starts_with(|c: char| c.is_whitespace()) => rest,
        Some(_) => return None,
        None => lower.as_str(),
    };
    let mut words = body.split_whitespace().peekable();
    words.peek()?;
    let mut total = Calendar::default();
    while let Some(word) = words.next() {
        // A sign may stand apart from its number.
        let number = match word {
            "+" => words.next()?.to_owned(),
            "-" => {
                let number = words.next()?;
                match number.strip_prefix('-') {
                    Some(positive) => positive.to_owned(),
                    None => format!("-{}", number.strip_prefix('+').unwrap_or(number)),
                }
            }
            word => word.to_owned(),
        };
        let unit = words.next()?;
        add_unit(&mut total, &number, unit)?;
    }
    Some(total)
}

fn add_unit(total: &mut Calendar, number: &str, unit: &str) -> Option<()> {
    let unit = unit.strip_suffix('s').filter(|unit| !unit.is_empty()).unwrap_or(unit);
    if unit == "second" {
        total.micros = total.micros.checked_add(parse_seconds(number)?)?;
        return Some(());
    }
    let count: i64 = number.strip_prefix('+').unwrap_or(number).parse().ok()?;
    let small = || i32::try_from(count).ok();
    match unit {
        "year" => total.months = total.months.checked_add(small()?.checked_mul(12)?)?,
        "month" => total.months = total.months.checked_add(small()?)?,
        "week" => total.days = total.days.checked_add(small()?.checked_mul(7)?)?,
        "day" => total.days = total.days.checked_add(small()?)?,
        "hour" => total.micros = total.micros.checked_add(count.checked_mul(MICROS_PER_HOUR)?)?,
        "minute" => total.micros = total.micros.checked_add(count.checked_mul(MICROS_PER_MINUTE)?)?,
        "millisecond" => total.micros = total.micros.checked_add(count.checked_mul(1000)?)?,
        "microsecond" => total.micros = total.micros.checked_add(count)?,
        _ => return None,
    }
    Some(())
}

/// Microseconds of `[+-]s[.f]` with at most nine decimals; what is finer than a microsecond is cut off.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let seconds: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(micros)?.checked_mul(sign)
}

/// Strips `INTERVAL '...' UNIT [TO UNIT]` down to sign and body, if the text has that form.
fn literal_body<'a>(text: &'a str, range: &str) -> Option<(i64, &'a str)> {
    let text = super::parse::trim_all(text);
    let mut sign = 1;
    let mut body = text;
    if text.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("interval")) {
        let rest = text.get(8..)?.trim_start();
        let (outer, rest) = match rest.as_bytes().first()? {
            b'-' => (-1, rest.get(1..)?.trim_start()),
            b'+' => (1, rest.get(1..)?.trim_start()),
            _ => (1, rest),
        };
        let (inner, unit) = rest.strip_prefix('\'')?.split_once('\'')?;
        let unit = unit.split_whitespace().collect::<Vec<_>>().join(" ");
        if !unit.eq_ignore_ascii_case(range) {
            return None;
        }
        sign = outer;
        body = inner.trim();
    }
    match body.as_bytes().first()? {
        b'-' => Some((-sign, body.get(1..)?)),
        b'+' => Some((sign, body.get(1..)?)),
        _ => Some((sign, body)),
    }
}

/// Months of `1-2`, `INTERVAL '1-2' YEAR TO MONTH` and the sub-range forms.
#[must_use]
pub fn parse_year_month(text: &str, start: YearMonthField, end: YearMonthField) -> Option<i32> {
    let range = match (start, end) {
        (YearMonthField::Year, YearMonthField::Year) => "YEAR",
        (YearMonthField::Month, YearMonthField::Month) => "MONTH",
        _ => "YEAR TO MONTH",
    };
    let (sign, body) = literal_body(text, range)?;
    let count = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten();
    let months = match (start, end) {
        (YearMonthField::Year, YearMonthField::Year) => count(body)?.checked_mul(12)?,
        (YearMonthField::Month, YearMonthField::Month) => count(body)?,
        _ => {
            let (years, months) = body.split_once('-')?;
            let months = count(months).filter(|months| *months < 12)?;
            count(years)?.checked_mul(12)?.checked_add(months)?
        }
    };
    i32::try_from(months.checked_mul(sign)?).ok()
}

/// Microseconds of `1 02:03:04.5`, `INTERVAL '1 02:03:04.5' DAY TO SECOND` and the sub-range forms.
#[must_use]
pub fn parse_day_time(text: &str, start: DayTimeField, end: DayTimeField) -> Option<i64> {
    let range = match start == end {
        true => unit_name(start).to_owned(),
        false => format!("{} TO {}", unit_name(start), unit_name(end)),
    };
    let (sign, body) = literal_body(text, &range)?;
    let fields: Vec<DayTimeField> = [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second]
        .into_iter()
        .filter(|field| *field >= start && *field <= end)
        .collect();
    let mut rest = body;
    let mut total = 0_i64;
    for (index, field) in fields.iter().enumerate() {
        let last = index + 1 == fields.len();
        let (part, after) = match (last, field) {
            (true, _) => (rest, ""),
            (false, DayTimeField::Day) => rest.split_once(' ')?,
            (false, _) => rest.split_once(':')?,
        };
        rest = after;
        let value = match field {
            DayTimeField::Second => parse_seconds(part).filter(|_| part.starts_with(|c: char| c.is_ascii_digit()))?,
            field => {
                if !part.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                part.parse::<i64>().ok()?.checked_mul(size_of(*field))?
            }
        };
        let limit = match field {
            DayTimeField::Hour => MICROS_PER_DAY,
            DayTimeField::Minute => MICROS_PER_HOUR,
            DayTimeField::Second => MICROS_PER_MINUTE,
            DayTimeField::Day => i64::MAX,
        };
        if index > 0 && value >= limit {
            return None;
        }
        total = total.checked_add(value)?;
    }
    total.checked_mul(sign)
}
