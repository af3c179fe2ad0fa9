//! A sum of `number unit` pairs.

use firesteel_functions::types::{DayTimeField, YearMonthField};

/// Months, days and microseconds, and which units were named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Months.
    pub(super) months: i32,
    /// Days.
    pub(super) days: i32,
    /// Microseconds.
    pub(super) micros: i64,
    /// Year-month units named.
    pub(super) year_month_units: Vec<YearMonthField>,
    /// Day-time units named; a week is days, parts of a second are seconds.
    pub(super) day_time_units: Vec<DayTimeField>,
}

impl Amount {
    /// Parses `[interval] 1 day -2 hours ...`.
    ///
    /// # Errors
    /// The sub-condition of `INVALID_INTERVAL_FORMAT`, with the offending word after a blank when there is one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        if lower.is_empty() {
            return Err("INPUT_IS_EMPTY".to_string());
        }
        let body = match lower.strip_prefix("interval") {
            Some(rest) if rest.starts_with(char::is_whitespace) => rest,
            Some(_) => return Err(format!("INVALID_PREFIX {lower}")),
            None => &lower,
        };
        let mut amount = Self::default();
        let mut words = body.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let number = match word {
                // The sign may stand apart.
                "-" => format!("-{}", words.next().ok_or("MISSING_NUMBER")?),
                "+" => words.next().ok_or("MISSING_NUMBER")?.to_string(),
                word => word.to_string(),
            };
            let unit = words.next().ok_or_else(|| format!("MISSING_UNIT {number}"))?;
            let singular = unit.strip_suffix('s').unwrap_or(unit);
            amount.add(&number, singular)?;
        }
        if amount.year_month_units.is_empty() && amount.day_time_units.is_empty() {
            return Err("MISSING_NUMBER".to_string());
        }
        Ok(amount)
    }

    /// Adds `number unit`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(super) fn add(&mut self, number: &str, unit: &str) -> Result<(), String> {
        let number = number.trim();
        let overflow = || "ARITHMETIC_EXCEPTION".to_string();
        let (negative, digits) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(format!("UNRECOGNIZED_NUMBER {number}"));
        }
        if digits.contains('.') && unit != "second" {
            return Err(format!("INVALID_FRACTION {unit}"));
        }
        if fraction.len() > 9 {
            return Err(format!("INVALID_PRECISION {number}"));
        }
        let sign: i64 = if negative { -1 } else { 1 };
        let value: i64 = if whole.is_empty() {
            0
        } else {
            format!("{}{whole}", if negative { "-" } else { "" }).parse().map_err(|_| overflow())?
        };
        let small = |scaled: Option<i64>| scaled.and_then(|value| i32::try_from(value).ok()).ok_or_else(overflow);
        let micros = |per: i64| value.checked_mul(per).ok_or_else(overflow);
        match unit {
            "year" | "month" => {
                let months = small(value.checked_mul(if unit == "year" { 12 } else { 1 }))?;
                self.months = self.months.checked_add(months).ok_or_else(overflow)?;
                self.year_month_units.push(if unit == "year" { YearMonthField::Year } else { YearMonthField::Month });
                return Ok(());
            }
            "week" | "day" => {
                let days = small(value.checked_mul(if unit == "week" { 7 } else { 1 }))?;
                self.days = self.days.checked_add(days).ok_or_else(overflow)?;
                self.day_time_units.push(DayTimeField::Day);
                return Ok(());
            }
            _ => {}
        }
        let (field, added) = match unit {
            "hour" => (DayTimeField::Hour, micros(3_600_000_000)?),
            "minute" => (DayTimeField::Minute, micros(60_000_000)?),
            "second" => {
                let padded: i64 = format!("{fraction:0<6}").get(..6).and_then(|d| d.parse().ok()).unwrap_or(0);
                (DayTimeField::Second, micros(1_000_000)?.checked_add(sign * padded).ok_or_else(overflow)?)
            }
            "millisecond" => (DayTimeField::Second, micros(1_000)?),
            "microsecond" => (DayTimeField::Second, value),
            other => return Err(format!("INVALID_UNIT {other}")),
        };
        self.micros = self.micros.checked_add(added).ok_or_else(overflow)?;
        self.day_time_units.push(field);
        Ok(())
    }

    /// Days and microseconds together; `None` when they do not fit.
    pub(super) fn total_micros(&self) -> Option<i64> {
        i64::from(self.days).checked_mul(86_400_000_000)?.checked_add(self.micros)
    }
}
