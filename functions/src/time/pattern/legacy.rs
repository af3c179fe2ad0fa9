//! Patterns as Java's `SimpleDateFormat` prints them, for `spark.sql.legacy.timeParserPolicy` = `LEGACY`.
//!
//! Dates before 1582-10-15 keep their fields, but weekdays and weeks follow the Julian calendar.

use super::Item;
use super::compile::malformed;
use super::format::{MONTHS, Moment, WEEKDAYS};
use crate::error::SparkResult;

/// The items of a pattern; letters that only newer formatters know are errors.
pub(super) fn compile(pattern: &str) -> SparkResult<Vec<Item>> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut items = Vec::new();
    let mut text = String::new();
    let mut quoted = false;
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        if c == '\'' {
            if chars.get(at) == Some(&'\'') {
                text.push('\'');
                at += 1;
            } else {
                quoted = !quoted;
            }
            continue;
        }
        if quoted || !c.is_ascii_alphabetic() {
            text.push(c);
            continue;
        }
        let count = 1 + chars.iter().skip(at).take_while(|next| **next == c).count();
        at += count - 1;
        if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(c) || c == 'X' && count > 3 {
            return Err(malformed(pattern));
        }
        if !text.is_empty() {
            items.push(Item::Text(std::mem::take(&mut text)));
        }
        items.push(Item::Old(c, count));
    }
    if quoted {
        return Err(malformed(pattern));
    }
    if !text.is_empty() {
        items.push(Item::Text(text));
    }
    Ok(items)
}

/// Days of the Gregorian calendar's first day, 1582-10-15.
const CUTOVER: i32 = -141_427;

/// Day of the week (Monday is 0) and day of the year (from 1).
fn weekday_and_day(moment: &Moment<'_>) -> (i64, i64) {
    let (year, month, day) = moment.date;
    if moment.days >= CUTOVER {
        return ((i64::from(moment.days) + 3).rem_euclid(7), i64::from(super::super::civil::day_of_year(moment.days)));
    }
    // Julian day number of a Julian date.
    let number = |year: i64, month: i64, day: i64| {
        let shift = (14 - month) / 12;
        let (year, month) = (year + 4800 - shift, month + 12 * shift - 3);
        day + (153 * month + 2) / 5 + 365 * year + year.div_euclid(4) - 32_083
    };
    let today = number(i64::from(year), i64::from(month), i64::from(day));
    (today.rem_euclid(7), today - number(i64::from(year), 1, 1) + 1)
}

/// One field.
pub(super) fn field(letter: char, count: usize, moment: &Moment<'_>) -> String {
    let (year, month, day) = moment.date;
    let padded = |value: i64| format!("{value:0count$}");
    let (weekday, day_of_year) = weekday_and_day(moment);
    // Weeks start on Sunday and the first one has January 1st.
    let sunday = (weekday + 1) % 7;
    let week_of = |day: i64| (day - 1 + 6 - sunday) / 7 + 1;
    let era_year = i64::from(if year > 0 { year } else { 1 - year });
    match letter {
        'G' => if year > 0 { "AD" } else { "BC" }.to_owned(),
        'y' | 'Y' if count == 2 => format!("{:02}", era_year % 100),
        'y' => padded(era_year),
        'Y' => {
            let next = month == 12 && i64::from(31 - day) < 6 - sunday;
            padded(era_year + i64::from(next))
        }
        'M' | 'L' if count >= 3 => {
            let name = MONTHS.get(month as usize - 1).copied().unwrap_or("");
            if count == 3 { name.get(..3).unwrap_or(name) } else { name }.to_owned()
        }
        'M' | 'L' => padded(i64::from(month)),
        'E' => {
            let name = usize::try_from(weekday).ok().and_then(|at| WEEKDAYS.get(at)).copied().unwrap_or("");
            if count < 4 { name.get(..3).unwrap_or(name) } else { name }.to_owned()
        }
        'u' => padded(weekday + 1),
        'F' => padded(week_of_month(i64::from(day))),
        'w' => {
            let last = month == 12 && i64::from(31 - day) < 6 - sunday;
            padded(if last { 1 } else { week_of(day_of_year) })
        }
        'W' => padded(week_of(i64::from(day))),
        'D' => padded(day_of_year),
        'S' => padded(moment.micros_of_day % 1_000_000 / 1000),
        'Z' => super::super::zone::offset_text(moment.offset, false),
        'z' if count >= 4 => super::format::field('z', 4, moment),
        'z' => super::format::field('z', 1, moment),
        other => super::format::field(other, count, moment),
    }
}

/// Which of its weekday's days in the month a day is.
fn week_of_month(day: i64) -> i64 {
    (day - 1) / 7 + 1
}
