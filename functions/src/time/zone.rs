//! Time zones by every spelling Spark accepts, and the way between instants and wall-clock times.

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};

use super::MICROS_PER_SECOND;
use crate::error::{ErrorKind, SparkError, SparkResult};

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A constant offset from UTC in seconds.
    Fixed(i32),
    /// A region of the time zone database.
    Region(Tz),
}

/// Java's `ZoneId.SHORT_IDS`.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self::Fixed(0);

    /// The zone of a name such as `Europe/Berlin`, `+02:00`, `UTC+3`, `GMT`, `Z` or `PST`.
    ///
    /// # Errors
    /// `INVALID_TIMEZONE`.
    pub fn parse(name: &str) -> SparkResult<Self> {
        Self::lookup(name)
            .ok_or_else(|| SparkError::new(ErrorKind::DateTime, "INVALID_TIMEZONE", &[("timeZone", name)]))
    }

    /// Like [`Zone::parse`], without making an error.
    #[must_use]
    pub fn lookup(name: &str) -> Option<Self> {
        let name = name.trim();
        if matches!(name, "UTC" | "GMT" | "UT" | "Z" | "Etc/UTC") {
            return Some(Self::UTC);
        }
        if name.starts_with(['+', '-']) {
            return parse_offset(name).map(Self::Fixed);
        }
        for prefix in ["UTC", "GMT", "UT"] {
            if let Some(rest) = name.strip_prefix(prefix)
                && rest.starts_with(['+', '-'])
            {
                return parse_offset(rest).map(Self::Fixed);
            }
        }
        if let Some((_, id)) = SHORT_IDS.iter().find(|(short, _)| *short == name) {
            return Self::lookup(id);
        }
        Tz::from_str(name).ok().map(Self::Region)
    }

    /// Seconds that local time is ahead of UTC at an instant.
    #[must_use]
    pub fn offset_at(&self, utc_micros: i64) -> i32 {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Region(tz) => tz.offset_from_utc_datetime(&naive(utc_micros)).fix().local_minus_utc(),
        }
    }

    /// Wall-clock microseconds of an instant.
    #[must_use]
    pub fn to_local(self, utc_micros: i64) -> i64 {
        utc_micros.saturating_add(i64::from(self.offset_at(utc_micros)) * MICROS_PER_SECOND)
    }

    /// The instant of a wall-clock time. In an overlap the earlier one; in a gap the time moves on by the gap's length.
    #[must_use]
    pub fn to_utc(self, local_micros: i64) -> i64 {
        let offset = match self {
            Self::Fixed(offset) => offset,
            Self::Region(tz) => match tz.offset_from_local_datetime(&naive(local_micros)) {
                MappedLocalTime::Single(offset) => offset.fix().local_minus_utc(),
                MappedLocalTime::Ambiguous(first, second) => {
                    // The offset in force before the clock went back is the larger one.
                    first.fix().local_minus_utc().max(second.fix().local_minus_utc())
                }
                MappedLocalTime::None => self.offset_at(local_micros.saturating_sub(super::MICROS_PER_DAY)),
            },
        };
        local_micros.saturating_sub(i64::from(offset) * MICROS_PER_SECOND)
    }

    /// The name as Java prints the zone.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(offset) => offset_text(*offset, true),
            Self::Region(tz) => tz.name().to_owned(),
        }
    }

    /// The short name in force at an instant, such as `PST`.
    #[must_use]
    pub fn abbreviation(&self, utc_micros: i64) -> String {
        match self {
            Self::Fixed(0) => "UTC".to_owned(),
            Self::Fixed(_) => self.id(),
            Self::Region(tz) => {
                let offset = tz.offset_from_utc_datetime(&naive(utc_micros));
                offset.abbreviation().map_or_else(|| self.id(), str::to_owned)
            }
        }
    }
}

/// `+hh:mm` or `+hhmm`, with seconds where there are any.
pub(super) fn offset_text(offset: i32, colon: bool) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes, seconds) = (offset.abs() / 3600, offset.abs() / 60 % 60, offset.abs() % 60);
    let separator = if colon { ":" } else { "" };
    let mut text = format!("{sign}{hours:02}{separator}{minutes:02}");
    if seconds != 0 {
        text.push_str(&format!("{separator}{seconds:02}"));
    }
    text
}

/// Seconds of `+h`, `+hh`, `+h:mm`, `+hh:m`, `+hh:mm`, `+hhmm`, `+hh:mm:ss` or `+hhmmss`, at most 18 hours.
pub(super) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    if !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let parts: Vec<&str> = match (rest.contains(':'), rest.len()) {
        (true, _) => rest.split(':').collect(),
        (false, 1 | 2) => vec![rest],
        (false, 4) => vec![rest.get(..2)?, rest.get(2..)?],
        (false, 6) => vec![rest.get(..2)?, rest.get(2..4)?, rest.get(4..)?],
        _ => return None,
    };
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty() || part.len() > 2) {
        return None;
    }
    let mut numbers = [0; 3];
    for (slot, part) in numbers.iter_mut().zip(&parts) {
        *slot = part.parse::<i32>().ok()?;
    }
    let [hours, minutes, seconds] = numbers;
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= 18 * 3600).then_some(sign * total)
}

/// chrono's time for a microsecond count; outside chrono's range the nearest one, where offsets no longer change.
fn naive(micros: i64) -> NaiveDateTime {
    match DateTime::from_timestamp_micros(micros) {
        Some(time) => time.naive_utc(),
        None if micros < 0 => NaiveDateTime::MIN + chrono::TimeDelta::days(2),
        None => NaiveDateTime::MAX - chrono::TimeDelta::days(2),
    }
}
