//! Java's date and time patterns, for writing.
//!
//! Only formats; knows nothing of arrays or files.

use std::fmt::Write;

use chrono::{Datelike, NaiveDateTime, Timelike};

use crate::error::{ConnectorError, Result};

/// A parsed pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Item>);

#[derive(Debug, Clone)]
enum Item {
    Literal(String),
    Field(char, usize),
}

const MONTHS: [&str; 12] = [
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
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Pattern {
    pub(super) fn parse(option: &str, text: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                // When writing, an optional section is written.
                '[' | ']' => {}
                '\'' => {
                    let mut literal = String::new();
                    if chars.next_if_eq(&'\'').is_some() {
                        literal.push('\'');
                    } else {
                        loop {
                            match chars.next() {
                                Some('\'') if chars.peek() == Some(&'\'') => {
                                    chars.next();
                                    literal.push('\'');
                                }
                                Some('\'') => break,
                                Some(c) => literal.push(c),
                                None => return Err(ConnectorError::option(option, "unclosed quote in pattern")),
                            }
                        }
                    }
                    items.push(Item::Literal(literal));
                }
                c if c.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while chars.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    if !"yuMLdHhkKmsSaEDXxZO".contains(c) || count > 9 {
                        return Err(ConnectorError::option(option, format!("unsupported pattern letter {c}")));
                    }
                    items.push(Item::Field(c, count));
                }
                c => items.push(Item::Literal(c.to_string())),
            }
        }
        Ok(Self(items))
    }

    /// Appends local time `at`, whose zone is `offset` seconds east of Greenwich (`None` for no zone).
    pub(super) fn format(&self, at: NaiveDateTime, offset: Option<i32>, out: &mut String) {
        for item in &self.0 {
            // Writing to a string cannot fail.
            let _ = match item {
                Item::Literal(text) => out.write_str(text),
                Item::Field(letter, count) => field(*letter, *count, at, offset, out),
            };
        }
    }
}

fn field(letter: char, count: usize, at: NaiveDateTime, offset: Option<i32>, out: &mut String) -> std::fmt::Result {
    let name = |names: &[&'static str], index: u32, full: bool| {
        let name = names.get(index as usize).copied().unwrap_or_default();
        if full { name } else { name.get(..3).unwrap_or(name) }
    };
    let number = match letter {
        'y' | 'u' if count == 2 => return write!(out, "{:02}", at.year().rem_euclid(100)),
        'y' | 'u' => return write!(out, "{:0count$}", at.year()),
        'M' | 'L' if count >= 3 => return out.write_str(name(&MONTHS, at.month0(), count > 3)),
        'E' => return out.write_str(name(&DAYS, at.weekday().num_days_from_monday(), count > 3)),
        'a' => return out.write_str(if at.hour() < 12 { "AM" } else { "PM" }),
        'S' => {
            let digits = format!("{:09}", at.nanosecond() % 1_000_000_000);
            return out.write_str(digits.get(..count).unwrap_or(&digits));
        }
        'X' | 'x' | 'Z' | 'O' => return offset.map_or(Ok(()), |seconds| zone(letter, count, seconds, out)),
        'M' | 'L' => at.month(),
        'd' => at.day(),
        'D' => at.ordinal(),
        'H' => at.hour(),
        'k' => (at.hour() + 23) % 24 + 1,
        'h' => (at.hour() + 11) % 12 + 1,
        'K' => at.hour() % 12,
        'm' => at.minute(),
        _ => at.second(),
    };
    write!(out, "{number:0count$}")
}

fn zone(letter: char, count: usize, seconds: i32, out: &mut String) -> std::fmt::Result {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    match (letter, count) {
        ('X', _) | ('Z', 5) if seconds == 0 => out.write_char('Z'),
        ('O', _) if seconds == 0 => out.write_str("GMT"),
        ('O', 1) if minutes == 0 => write!(out, "GMT{sign}{hours}"),
        ('O', _) => write!(out, "GMT{sign}{hours:02}:{minutes:02}"),
        ('X' | 'x', 1) if minutes == 0 => write!(out, "{sign}{hours:02}"),
        ('X' | 'x', 1 | 2) | ('Z', 1..=3) => write!(out, "{sign}{hours:02}{minutes:02}"),
        ('Z', 4) => write!(out, "GMT{sign}{hours:02}:{minutes:02}"),
        (_, 5) if rest != 0 => write!(out, "{sign}{hours:02}:{minutes:02}:{rest:02}"),
        _ => write!(out, "{sign}{hours:02}:{minutes:02}"),
    }
}
