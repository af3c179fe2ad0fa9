//! Printing a moment by a pattern, in English as Spark does.

use super::super::civil::{civil_from_days, day_of_year, iso_weekday};
use super::super::zone::offset_text;
use super::super::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone};
use super::Item;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];

pub(super) struct Moment<'a> {
    utc: i64,
    zone: &'a Zone,
    pub(super) offset: i32,
    pub(super) days: i32,
    pub(super) date: (i32, u32, u32),
    pub(super) micros_of_day: i64,
}

impl<'a> Moment<'a> {
    pub(super) fn new(utc: i64, zone: &'a Zone) -> Self {
        let local = zone.to_local(utc);
        let days = local.div_euclid(MICROS_PER_DAY) as i32;
        let micros_of_day = local.rem_euclid(MICROS_PER_DAY);
        Self { utc, zone, offset: zone.offset_at(utc), days, date: civil_from_days(days), micros_of_day }
    }
}

pub(super) fn format(items: &[Item], moment: &Moment<'_>) -> String {
    let mut out = String::new();
    write(items, moment, &mut out);
    out
}

fn write(items: &[Item], moment: &Moment<'_>, out: &mut String) {
    for item in items {
        match item {
            Item::Text(text) => out.push_str(text),
            Item::Optional(inner) => write(inner, moment, out),
            Item::Field(letter, count) => out.push_str(&field(*letter, *count, moment)),
            Item::Old(letter, count) => out.push_str(&super::legacy::field(*letter, *count, moment)),
        }
    }
}

pub(super) fn field(letter: char, count: usize, moment: &Moment<'_>) -> String {
    let (year, month, day) = moment.date;
    let seconds = moment.micros_of_day / MICROS_PER_SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let padded = |value: i64| format!("{value:0count$}");
    match letter {
        'G' if count == 4 => if year > 0 { "Anno Domini" } else { "Before Christ" }.to_owned(),
        'G' => if year > 0 { "AD" } else { "BC" }.to_owned(),
        'y' if count == 2 => format!("{:02}", year.rem_euclid(100)),
        'y' => {
            let digits = format!("{:0count$}", year.unsigned_abs());
            let sign = match year {
                ..0 => "-",
                _ if count >= 4 && digits.len() > count => "+",
                _ => "",
            };
            format!("{sign}{digits}")
        }
        'M' | 'L' => named(&MONTHS, month as usize - 1, count).unwrap_or_else(|| padded(i64::from(month))),
        'd' => padded(i64::from(day)),
        'D' => padded(i64::from(day_of_year(moment.days))),
        'E' => named(&WEEKDAYS, iso_weekday(moment.days) as usize - 1, count.max(3)).unwrap_or_default(),
        'F' => ((day - 1) % 7 + 1).to_string(),
        'Q' | 'q' => {
            let quarter = (month as usize - 1) / 3;
            match count {
                3 => format!("Q{}", quarter + 1),
                4 => QUARTERS.get(quarter).map_or_else(String::new, |text| (*text).to_owned()),
                _ => padded(quarter as i64 + 1),
            }
        }
        'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'H' => padded(hour),
        'k' => padded(if hour == 0 { 24 } else { hour }),
        'K' => padded(hour % 12),
        'h' => padded(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => padded(minute),
        's' => padded(second),
        'S' => {
            let nanos = format!("{:09}", moment.micros_of_day % MICROS_PER_SECOND * 1000);
            nanos.chars().take(count).collect()
        }
        'V' => moment.zone.id(),
        'z' if count == 4 && *moment.zone == Zone::UTC => "Coordinated Universal Time".to_owned(),
        'z' => moment.zone.abbreviation(moment.utc),
        'O' => gmt(moment.offset, count == 4),
        'X' | 'x' => iso_offset(moment.offset, count, letter == 'X'),
        'Z' => match count {
            4 => gmt(moment.offset, true),
            5 => iso_offset(moment.offset, 5, true),
            _ => offset_text(moment.offset, false),
        },
        _ => String::new(),
    }
}

fn named(names: &[&str], index: usize, count: usize) -> Option<String> {
    let name = names.get(index)?;
    match count {
        3 => name.get(..3).map(str::to_owned),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn gmt(offset: i32, long: bool) -> String {
    if offset == 0 {
        return "GMT".to_owned();
    }
    if long {
        return format!("GMT{}", offset_text(offset, true));
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    if minutes == 0 { format!("GMT{sign}{hours}") } else { format!("GMT{sign}{hours}:{minutes:02}") }
}

fn iso_offset(offset: i32, count: usize, zulu: bool) -> String {
    if offset == 0 && zulu {
        return "Z".to_owned();
    }
    let text = offset_text(offset / 60 * 60, matches!(count, 3 | 5));
    match (count, offset % 3600) {
        (1, 0) => text.get(..3).map_or_else(String::new, str::to_owned),
        (4 | 5, _) => offset_text(offset, count == 5),
        _ => {
            if count == 1 {
                offset_text(offset / 60 * 60, false)
            } else {
                text
            }
        }
    }
}
