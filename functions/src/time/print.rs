//! Dates and times as Spark casts them to strings.

use super::{MICROS_PER_DAY, MICROS_PER_SECOND, civil_from_days};

/// `2020-01-31`; years beyond four digits carry a sign.
#[must_use]
pub fn format_date(days: i32) -> String {
    let (year, month, day) = civil_from_days(days);
    let sign = match year {
        10_000.. => "+",
        ..0 => "-",
        _ => "",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

/// `2020-01-31 01:02:03.5` from wall-clock microseconds; trailing zeros of the fraction are dropped.
#[must_use]
pub fn format_local(micros: i64) -> String {
    let days = micros.div_euclid(MICROS_PER_DAY) as i32;
    format!("{} {}", format_date(days), format_time(micros.rem_euclid(MICROS_PER_DAY)))
}

/// `01:02:03.5` from microseconds of the day.
#[must_use]
pub fn format_time(micros: i64) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    text.push_str(&fraction_text(micros % MICROS_PER_SECOND));
    text
}

/// `.5` from microseconds below a second, empty if zero.
pub(super) fn fraction_text(micros: i64) -> String {
    match micros {
        0 => String::new(),
        micros => format!(".{micros:06}").trim_end_matches('0').to_owned(),
    }
}
