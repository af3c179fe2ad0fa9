//! `'text' UNIT TO UNIT`.

use firesteel_functions::types::{DayTimeField, YearMonthField};

use super::super::types::day_time;
use crate::spec::Literal;

pub(super) enum RangeError {
    /// The two units make no range.
    Units,
    /// The text does not look like the format given here.
    Text(&'static str),
}

pub(super) fn parse(text: &str, from: &str, to: &str) -> Result<Literal, RangeError> {
    let trimmed = text.trim();
    let (sign, body) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    if (from, to) == ("year", "month") {
        let format = "`[+|-]y-m`, `INTERVAL [+|-]'[+|-]y-m' YEAR TO MONTH`";
        return year_to_month(body, sign).ok_or(RangeError::Text(format));
    }
    let (Some(start), Some(end)) = (day_time(&from.to_ascii_uppercase()), day_time(&to.to_ascii_uppercase())) else {
        return Err(RangeError::Units);
    };
    if start >= end {
        return Err(RangeError::Units);
    }
    let micros = day_to_second(body, start, end).and_then(|micros| micros.checked_mul(sign));
    micros.map(|micros| Literal::DayTimeInterval(micros, start, end)).ok_or(RangeError::Text(format_of(start, end)))
}

/// The legacy type of the same value.
pub(super) fn calendar(literal: Literal) -> Literal {
    const DAY: i64 = 86_400_000_000;
    match literal {
        Literal::YearMonthInterval(months, ..) => Literal::CalendarInterval { months, days: 0, micros: 0 },
        Literal::DayTimeInterval(micros, ..) => {
            let days = i32::try_from(micros / DAY).unwrap_or(0);
            Literal::CalendarInterval { months: 0, days, micros: micros % DAY }
        }
        other => other,
    }
}

fn year_to_month(body: &str, sign: i64) -> Option<Literal> {
    let (years, months) = body.split_once('-')?;
    let (years, months) = (digits(years, 9)?, digits(months, 2)?);
    if months > 11 {
        return None;
    }
    let total = i32::try_from(years.checked_mul(12)?.checked_add(months)?.checked_mul(sign)?).ok()?;
    Some(Literal::YearMonthInterval(total, YearMonthField::Year, YearMonthField::Month))
}

fn digits(text: &str, most: usize) -> Option<i64> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn day_to_second(body: &str, start: DayTimeField, end: DayTimeField) -> Option<i64> {
    let mut parts: Vec<&str> = vec![];
    let clock = if start == DayTimeField::Day {
        let (days, clock) = body.split_once(' ')?;
        parts.push(days);
        clock
    } else {
        body
    };
    parts.extend(clock.split(':'));
    if parts.len() != end as usize - start as usize + 1 {
        return None;
    }
    let mut total: i64 = 0;
    for (offset, part) in parts.iter().enumerate() {
        let leading = offset == 0;
        let (per, most) = match start as usize + offset {
            0 => (86_400_000_000, i64::MAX),
            1 => (3_600_000_000, 23),
            2 => (60_000_000, 59),
            _ => (1_000_000, 59),
        };
        let (whole, fraction) = match part.split_once('.') {
            Some((whole, fraction)) if per == 1_000_000 => (whole, Some(fraction)),
            Some(_) => return None,
            None => (*part, None),
        };
        let value = digits(whole, if leading { 12 } else { 2 })?;
        if !leading && value > most {
            return None;
        }
        total = total.checked_add(value.checked_mul(per)?)?;
        if let Some(fraction) = fraction {
            digits(fraction, 9)?;
            total = total.checked_add(format!("{fraction:0<6}").get(..6)?.parse().ok()?)?;
        }
    }
    Some(total)
}

fn format_of(start: DayTimeField, end: DayTimeField) -> &'static str {
    use DayTimeField::{Day, Hour, Minute};
    match (start, end) {
        (Day, Hour) => "`[+|-]d h`, `INTERVAL [+|-]'[+|-]d h' DAY TO HOUR`",
        (Day, Minute) => "`[+|-]d h:m`, `INTERVAL [+|-]'[+|-]d h:m' DAY TO MINUTE`",
        (Day, _) => "`[+|-]d h:m:s.n`, `INTERVAL [+|-]'[+|-]d h:m:s.n' DAY TO SECOND`",
        (Hour, Minute) => "`[+|-]h:m`, `INTERVAL [+|-]'[+|-]h:m' HOUR TO MINUTE`",
        (Hour, _) => "`[+|-]h:m:s.n`, `INTERVAL [+|-]'[+|-]h:m:s.n' HOUR TO SECOND`",
        _ => "`[+|-]m:s.n`, `INTERVAL [+|-]'[+|-]m:s.n' MINUTE TO SECOND`",
    }
}
