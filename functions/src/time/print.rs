//! Dates and times as Spark casts them to strings.

use super::{MICROS_PER_DAY, MICROS_PER_SECOND, civil_from_days};
use crate::display::digits::Backward;

/// `2020-01-31`; years beyond four digits carry a sign.
#[must_use]
pub fn format_date(days: i32) -> String {
    let mut out = String::new();
    write_date(days, &mut out);
    out
}

/// Appends [`format_date`].
#[inline]
pub(crate) fn write_date(days: i32, out: &mut String) {
    let mut text = Backward::new();
    put_date(days, &mut text);
    out.push_str(text.text());
}

/// `2020-01-31 01:02:03.5` from wall-clock microseconds; trailing zeros of the fraction are dropped.
#[must_use]
pub fn format_local(micros: i64) -> String {
    let mut out = String::new();
    write_local(micros, &mut out);
    out
}

/// Appends [`format_local`].
#[inline]
pub(crate) fn write_local(micros: i64, out: &mut String) {
    let mut text = Backward::new();
    put_time(micros.rem_euclid(MICROS_PER_DAY), &mut text);
    text.put(b' ');
    put_date(micros.div_euclid(MICROS_PER_DAY) as i32, &mut text);
    out.push_str(text.text());
}

/// `01:02:03.5` from microseconds of the day.
#[must_use]
pub fn format_time(micros: i64) -> String {
    let mut text = Backward::new();
    put_time(micros, &mut text);
    text.text().to_owned()
}

#[inline]
fn put_date(days: i32, text: &mut Backward) {
    let (year, month, day) = civil_from_days(days);
    text.pair(day.into());
    text.put(b'-');
    text.pair(month.into());
    text.put(b'-');
    let more = text.last(year.unsigned_abs().into(), 4);
    if more > 0 {
        text.whole(more);
    }
    match year {
        10_000.. => text.put(b'+'),
        ..0 => text.put(b'-'),
        _ => {}
    }
}

#[inline]
fn put_time(micros: i64, text: &mut Backward) {
    let micros = micros.unsigned_abs();
    let (seconds, fraction) = (micros / MICROS_PER_SECOND.unsigned_abs(), micros % MICROS_PER_SECOND.unsigned_abs());
    if fraction != 0 {
        let (mut fraction, mut digits) = (fraction, 6);
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        text.last(fraction, digits);
        text.put(b'.');
    }
    text.pair(seconds % 60);
    text.put(b':');
    text.pair(seconds / 60 % 60);
    text.put(b':');
    let more = text.last(seconds / 3600, 2);
    if more > 0 {
        text.whole(more);
    }
}

/// `.5` from microseconds below a second, empty if zero.
pub(super) fn fraction_text(micros: i64) -> String {
    match micros {
        0 => String::new(),
        micros => format!(".{micros:06}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_have_the_digits_that_fmt_gives_them() {
        let mut seed = 7_u64;
        for row in 0..300_000_u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let days = if row < 4 {
                [i32::MIN, i32::MAX, -719_529, 2_932_897][row as usize]
            } else {
                (seed >> 32) as i32 >> (row % 20)
            };
            let (year, month, day) = civil_from_days(days);
            let sign = if year > 9_999 {
                "+"
            } else if year < 0 {
                "-"
            } else {
                ""
            };
            let date = format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
            assert_eq!(format_date(days), date);
            let unit = 10_i64.pow(row % 7);
            let micros = (seed % 86_400_000_000) as i64 / unit * unit;
            let seconds = micros / MICROS_PER_SECOND;
            let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let time = format!("{time}{}", fraction_text(micros % MICROS_PER_SECOND));
            assert_eq!(format_time(micros), time);
            if let Some(local) = i64::from(days).checked_mul(MICROS_PER_DAY).and_then(|start| start.checked_add(micros))
            {
                assert_eq!(format_local(local), format!("{date} {time}"));
            }
        }
    }
}
