//! Dates, instants, time zones, datetime patterns and intervals, as plain numbers and text.
//!
//! It knows nothing of Arrow arrays. Days and microseconds count from 1970-01-01, in the proleptic Gregorian calendar.

pub mod civil;
pub mod interval;
pub mod parse;
pub mod pattern;
pub mod print;
#[cfg(test)]
mod tests;
pub mod zone;

pub use civil::{civil_from_days, days_from_civil, days_in_month};
pub use parse::{parse_date, parse_ntz, parse_time, parse_timestamp};
pub use print::{format_date, format_local, format_time};
pub(crate) use print::{write_date, write_local};
pub use zone::Zone;

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
