//! Reading a text as Java's strict `SimpleDateFormat` does, for `spark.sql.legacy.timeParserPolicy` = `LEGACY`.
//!
//! Fields take as many digits as there are, spaces before them are skipped, and what follows the last one is not looked at.

use chrono::Datelike;

use super::super::Zone;
use super::super::civil::iso_weekday;
use super::super::zone::parse_offset;
use super::Item;
use super::format::{MONTHS, WEEKDAYS};
use super::parse::Fields;

/// The fields of a text; `None` when it does not match or they contradict each other.
pub(super) fn parse(items: &[Item], text: &str) -> Option<Fields> {
    let mut fields = Fields::default();
    let mut weekday = None;
    let mut rest = text;
    for (index, item) in items.iter().enumerate() {
        rest = match item {
            Item::Text(expected) => rest.strip_prefix(expected.as_str())?,
            Item::Old(letter, count) => {
                let abuts = matches!(items.get(index + 1), Some(Item::Old(next, width)) if is_numeric(*next, *width));
                field(*letter, *count, abuts, rest.trim_start_matches([' ', '\t']), &mut fields, &mut weekday)?
            }
            Item::Field(..) | Item::Optional(_) => return None,
        };
    }
    // Fields that say another day than the date are errors.
    match weekday {
        Some(found) if iso_weekday(fields.days()?) != found => None,
        _ => Some(fields),
    }
}

fn is_numeric(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count <= 2,
        'E' | 'a' | 'G' | 'z' | 'Z' | 'X' => false,
        _ => true,
    }
}

fn field<'t>(
    letter: char,
    count: usize,
    abuts: bool,
    text: &'t str,
    fields: &mut Fields,
    weekday: &mut Option<u32>,
) -> Option<&'t str> {
    if !is_numeric(letter, count) {
        return word(letter, text, fields, weekday);
    }
    let run = text.bytes().take_while(u8::is_ascii_digit).count();
    // Only a number that stands right before another one is cut at its width.
    let length = if abuts { count } else { run };
    if length == 0 || run < length {
        return None;
    }
    let (digits, rest) = text.split_at(length);
    let value: u32 = digits.parse().ok()?;
    let within = |range: std::ops::RangeInclusive<u32>| range.contains(&value).then_some(value);
    match letter {
        'y' => {
            let short = count <= 2 && length == 2;
            fields.year = Some(if short { this_century(value) } else { i32::try_from(within(1..=9999)?).ok()? });
        }
        'M' | 'L' => fields.month = Some(within(1..=12)?),
        'd' => fields.day = Some(within(1..=31)?),
        'D' => fields.day_of_year = Some(within(1..=366)?),
        'H' => fields.hour = Some(within(0..=23)?),
        'k' => fields.hour = Some(within(1..=24)? % 24),
        'h' => fields.clock_hour = Some(within(1..=12)?),
        'K' => fields.clock_hour = Some(within(0..=11)?),
        'm' => fields.minute = Some(within(0..=59)?),
        's' => fields.second = Some(within(0..=59)?),
        // Thousandths, however many digits say so.
        'S' => fields.micros = Some(within(0..=999)? * 1000),
        'u' => *weekday = Some(within(1..=7)?),
        // Weeks say a day only together with other fields.
        _ => return None,
    }
    Some(rest)
}

/// A year of two digits: within 80 years before and 20 years after now.
fn this_century(value: u32) -> i32 {
    let first = chrono::Utc::now().year() - 80;
    let year = first.div_euclid(100) * 100 + i32::try_from(value).unwrap_or(0);
    if year < first { year + 100 } else { year }
}

fn word<'t>(letter: char, text: &'t str, fields: &mut Fields, weekday: &mut Option<u32>) -> Option<&'t str> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    // The whole name or its first three letters, the longer one if both fit.
    let named = |names: &[&str]| {
        names.iter().enumerate().find_map(|(index, name)| {
            let short = name.get(..3).unwrap_or(name);
            let found: &str = if starts(name) { name } else { short };
            starts(found).then_some((u32::try_from(index + 1).ok()?, found.len()))
        })
    };
    match letter {
        'M' | 'L' => {
            let (month, length) = named(&MONTHS)?;
            fields.month = Some(month);
            text.get(length..)
        }
        'E' => {
            let (day, length) = named(&WEEKDAYS)?;
            *weekday = Some(day);
            text.get(length..)
        }
        'G' => {
            fields.before_christ = starts("BC");
            (starts("AD") || starts("BC")).then(|| text.get(2..)).flatten()
        }
        'a' => {
            fields.afternoon = Some(starts("PM"));
            (starts("AM") || starts("PM")).then(|| text.get(2..)).flatten()
        }
        'X' if text.starts_with('Z') => {
            fields.zone = Some(Zone::UTC);
            text.get(1..)
        }
        _ => {
            let is_zone = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-' | ':');
            let length = text.find(|c: char| !is_zone(c)).unwrap_or(text.len());
            let name = text.get(..length)?;
            let offset = if name.starts_with(['+', '-']) { parse_offset(name).map(Zone::Fixed) } else { None };
            fields.zone = Some(offset.or_else(|| Zone::lookup(name))?);
            text.get(length..)
        }
    }
}
