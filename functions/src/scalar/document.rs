//! What readers and writers of documents (JSON, CSV, XML) share: the options map and the texts of dates and times.
//! It knows none of the grammars.

use std::collections::BTreeMap;

use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::options::SparkOptions;
use crate::scalar::base64;
use crate::time::pattern::Pattern;
use crate::time::{self, Zone};

/// The options of a call, by lower-case name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads the JSON object the analyzer makes of `map(...)`; anything else is no options.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let read = text.and_then(|text| serde_json::from_str::<BTreeMap<String, Option<String>>>(text).ok());
        let pairs = read.unwrap_or_default().into_iter();
        Self(pairs.filter_map(|(key, value)| Some((key.to_lowercase(), value?))).collect())
    }

    /// The value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// A switch.
    ///
    /// # Errors
    /// A text that is neither `true` nor `false`.
    pub(crate) fn flag(&self, name: &str, default: bool) -> SparkResult<bool> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => {
                let message = format!("For input string: \"{other}\"");
                let error = SparkError::new(ErrorKind::IllegalArgument, "INTERNAL_ERROR", &[("message", &message)]);
                Err(error.with_message(message))
            }
        }
    }

    /// The zone of times: the option or the session's.
    ///
    /// # Errors
    /// An unknown zone.
    pub(crate) fn zone(&self, session: &str) -> SparkResult<Zone> {
        Zone::parse(self.get("timeZone").unwrap_or(session))
    }

    /// Whether bad records are errors.
    pub(crate) fn fail_fast(&self) -> bool {
        self.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("FAILFAST"))
    }

    /// The column that gets the text of bad records.
    pub(crate) fn corrupt_column(&self) -> &str {
        self.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record")
    }
}

/// How dates and times are written.
#[derive(Debug, Clone)]
pub(crate) struct Formats {
    zone: Zone,
    date: Option<SparkResult<Pattern>>,
    timestamp: Option<SparkResult<Pattern>>,
    ntz: Option<SparkResult<Pattern>>,
    time: Option<SparkResult<Pattern>>,
}

impl Formats {
    /// For reading: without a pattern texts are read as casts read them.
    ///
    /// # Errors
    /// An unknown zone. A bad pattern counts only where it is used.
    pub(crate) fn reading(options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        let policy = session.time_parser_policy.as_str();
        let pattern = |name: &str| options.get(name).map(|text| Pattern::for_parse_policy(text, policy));
        Ok(Self {
            zone: options.zone(&session.time_zone)?,
            date: pattern("dateFormat"),
            timestamp: pattern("timestampFormat"),
            ntz: pattern("timestampNTZFormat"),
            // Times of day are younger than the old formatter.
            time: options.get("timeFormat").map(Pattern::for_parse),
        })
    }

    /// For writing, with Spark's ISO patterns as defaults.
    ///
    /// # Errors
    /// An unknown zone.
    pub(crate) fn writing(options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        let policy = session.time_parser_policy.as_str();
        let pattern = |name: &str, default: &str| {
            // The defaults are written for the new formatter.
            Some(
                options
                    .get(name)
                    .map_or_else(|| Pattern::for_format(default), |text| Pattern::for_policy(text, policy)),
            )
        };
        Ok(Self {
            zone: options.zone(&session.time_zone)?,
            date: pattern("dateFormat", "yyyy-MM-dd"),
            timestamp: pattern("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]"),
            ntz: pattern("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]"),
            time: options.get("timeFormat").map(Pattern::for_format),
        })
    }

    /// The zone of instants.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether the user gave a pattern for instants.
    pub(crate) fn has_timestamp_pattern(&self) -> bool {
        self.timestamp.is_some()
    }

    /// Whether the user gave a pattern for dates.
    pub(crate) fn has_date_pattern(&self) -> bool {
        self.date.is_some()
    }

    /// Days of a date.
    pub(crate) fn read_date(&self, text: &str) -> Option<i64> {
        match &self.date {
            None => time::parse_date(text).map(i64::from),
            Some(pattern) => pattern.as_ref().ok()?.parse_date(text).map(i64::from),
        }
    }

    /// Microseconds of an instant.
    pub(crate) fn read_timestamp(&self, text: &str) -> Option<i64> {
        match &self.timestamp {
            None => time::parse_timestamp(text, &self.zone, || 0),
            Some(pattern) => pattern.as_ref().ok()?.parse_timestamp(text, &self.zone),
        }
    }

    /// Microseconds of a wall-clock time; a text with a zone is none.
    pub(crate) fn read_ntz(&self, text: &str) -> Option<i64> {
        match &self.ntz {
            None => time::parse_ntz(text, false),
            Some(pattern) => pattern.as_ref().ok()?.parse_ntz(text),
        }
    }

    /// Microseconds of a time of day.
    pub(crate) fn read_time(&self, text: &str) -> Option<i64> {
        match &self.time {
            None => time::parse_time(text),
            Some(pattern) => pattern.as_ref().ok()?.parse(text)?.micros_of_day(),
        }
    }

    /// # Errors
    /// A bad pattern.
    pub(crate) fn write_date(&self, days: i64) -> SparkResult<String> {
        let days = i32::try_from(days).unwrap_or(0);
        match &self.date {
            None => Ok(time::format_date(days)),
            Some(pattern) => Ok(pattern.as_ref().map_err(Clone::clone)?.format_date(days)),
        }
    }

    /// # Errors
    /// A bad pattern.
    pub(crate) fn write_timestamp(&self, micros: i64) -> SparkResult<String> {
        match &self.timestamp {
            None => Ok(time::format_local(self.zone.to_local(micros))),
            Some(pattern) => Ok(pattern.as_ref().map_err(Clone::clone)?.format_timestamp(micros, &self.zone)),
        }
    }

    /// # Errors
    /// A bad pattern.
    pub(crate) fn write_ntz(&self, micros: i64) -> SparkResult<String> {
        match &self.ntz {
            None => Ok(time::format_local(micros)),
            Some(pattern) => Ok(pattern.as_ref().map_err(Clone::clone)?.format_ntz(micros)),
        }
    }

    /// # Errors
    /// A bad pattern.
    pub(crate) fn write_time(&self, micros: i64) -> SparkResult<String> {
        match &self.time {
            None => Ok(time::format_time(micros)),
            Some(pattern) => Ok(pattern.as_ref().map_err(Clone::clone)?.format_ntz(micros)),
        }
    }
}

/// Bytes in a style of `spark.sql.binaryOutputStyle`.
pub(crate) fn binary_text(bytes: &[u8], style: &str) -> String {
    let hex = |gap: &str| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(gap);
    match style {
        "UTF-8" => String::from_utf8_lossy(bytes).into_owned(),
        "BASIC" => {
            let numbers: Vec<String> = bytes.iter().map(|byte| i8::from_le_bytes([*byte]).to_string()).collect();
            format!("[{}]", numbers.join(", "))
        }
        "BASE64" => base64::encode(bytes).trim_end_matches('=').to_owned(),
        "HEX" => hex(""),
        _ => format!("[{}]", hex(" ")),
    }
}

/// What [`binary_text`] wrote; without a style the text is the bytes.
pub(crate) fn binary_from_text(text: &str, style: &str) -> Option<Vec<u8>> {
    let inside = || text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let hex = |text: &str| u8::from_str_radix(text, 16).ok();
    match style {
        "BASIC" => {
            let numbers = inside()?.split(',').map(str::trim).filter(|number| !number.is_empty());
            numbers.map(|number| number.parse::<i8>().ok().map(|number| number.to_le_bytes()[0])).collect()
        }
        "BASE64" => base64::decode(text),
        "HEX" => text.as_bytes().chunks(2).map(|pair| hex(std::str::from_utf8(pair).ok()?)).collect(),
        "HEX_DISCRETE" => inside()?.split_whitespace().map(hex).collect(),
        _ => Some(text.as_bytes().to_vec()),
    }
}

/// The error of `FAILFAST` for a record that does not fit.
pub(crate) fn malformed(record: &str) -> SparkError {
    SparkError::new(
        ErrorKind::Execution,
        "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
        &[("badRecord", record), ("failFastMode", "FAILFAST")],
    )
}
