//! Spark's datetime patterns (`yyyy-MM-dd HH:mm:ss`), compiled once and used for many values.

mod compile;
mod format;
mod legacy;
mod old_parse;
mod parse;
#[cfg(test)]
mod tests;

pub use parse::Fields;

use super::{MICROS_PER_DAY, Zone};
use crate::error::SparkResult;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    /// A pattern letter and how often it was repeated.
    Field(char, usize),
    /// A letter as the old formatter prints and reads it.
    Old(char, usize),
    Optional(Vec<Item>),
}

impl Pattern {
    /// A pattern for printing.
    ///
    /// # Errors
    /// `INCONSISTENT_BEHAVIOR_CROSS_VERSION.*` or `INVALID_DATETIME_PATTERN.*`, as in Spark.
    pub fn for_format(pattern: &str) -> SparkResult<Self> {
        Ok(Self { items: compile::compile(pattern, false)? })
    }

    /// A pattern for printing under a `spark.sql.legacy.timeParserPolicy`.
    ///
    /// # Errors
    /// As [`Pattern::for_format`]; under `LEGACY` for what the old formatter does not know.
    pub fn for_policy(pattern: &str, policy: &str) -> SparkResult<Self> {
        match policy {
            "LEGACY" => Ok(Self { items: legacy::compile(pattern)? }),
            _ => Self::for_format(pattern),
        }
    }

    /// A pattern for reading.
    ///
    /// # Errors
    /// As [`Pattern::for_format`]; letters that only print are errors too.
    pub fn for_parse(pattern: &str) -> SparkResult<Self> {
        Ok(Self { items: compile::compile(pattern, true)? })
    }

    /// A pattern for reading under a `spark.sql.legacy.timeParserPolicy`.
    ///
    /// # Errors
    /// As [`Pattern::for_parse`]; under `LEGACY` for what the old formatter does not know.
    pub fn for_parse_policy(pattern: &str, policy: &str) -> SparkResult<Self> {
        match policy {
            "LEGACY" => Ok(Self { items: legacy::compile(pattern)? }),
            _ => Self::for_parse(pattern),
        }
    }

    /// Whether it asks for more than the time of day.
    #[must_use]
    pub fn needs_date(&self) -> bool {
        fn any(items: &[Item]) -> bool {
            items.iter().any(|item| match item {
                Item::Text(_) => false,
                Item::Field(letter, _) | Item::Old(letter, _) => {
                    !matches!(letter, 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'S' | 'a')
                }
                Item::Optional(inner) => any(inner),
            })
        }
        any(&self.items)
    }

    /// Prints an instant in a zone.
    #[must_use]
    pub fn format_timestamp(&self, utc_micros: i64, zone: &Zone) -> String {
        format::format(&self.items, &format::Moment::new(utc_micros, zone))
    }

    /// Prints a wall-clock time.
    #[must_use]
    pub fn format_ntz(&self, micros: i64) -> String {
        self.format_timestamp(micros, &Zone::UTC)
    }

    /// Prints a date at midnight.
    #[must_use]
    pub fn format_date(&self, days: i32) -> String {
        self.format_ntz(i64::from(days).saturating_mul(MICROS_PER_DAY))
    }

    /// Reads the fields; `None` if the text does not match or a field is out of range.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<Fields> {
        if self.items.iter().any(|item| matches!(item, Item::Old(..))) {
            return old_parse::parse(&self.items, text);
        }
        parse::parse(&self.items, text)
    }

    /// Reads an instant; a text without zone is in `zone`.
    #[must_use]
    pub fn parse_timestamp(&self, text: &str, zone: &Zone) -> Option<i64> {
        let fields = self.parse(text)?;
        Some(fields.zone.unwrap_or(*zone).to_utc(fields.local_micros()?))
    }

    /// Reads a wall-clock time; a zone in the text is ignored.
    #[must_use]
    pub fn parse_ntz(&self, text: &str) -> Option<i64> {
        self.parse(text)?.local_micros()
    }

    /// Reads a date; a time in the text is ignored.
    #[must_use]
    pub fn parse_date(&self, text: &str) -> Option<i32> {
        self.parse(text)?.days()
    }
}
