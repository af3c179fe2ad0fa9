//! Options of a read or write: names without case, typed on demand; what Spark has and this engine has not is refused.
//!
//! What an option does is the format's business.

use std::collections::BTreeMap;

use firesteel_functions::error::{SparkError, SparkResult};

use super::Format;
use crate::spec::Options;

/// Options by lower-case name.
#[derive(Clone, Default)]
pub(crate) struct ReadOptions(BTreeMap<String, String>);

impl std::fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An option of Spark's that has only some of its values here: the others would change the answer.
struct Partial {
    formats: &'static [Format],
    name: &'static str,
    /// Lower case; what Spark does without the option is among them.
    values: &'static [&'static str],
}

const fn partial(formats: &'static [Format], name: &'static str, values: &'static [&'static str]) -> Partial {
    Partial { formats, name, values }
}

const CSV: &[Format] = &[Format::Csv];
const JSON: &[Format] = &[Format::Json];
const TEXTS: &[Format] = &[Format::Csv, Format::Json];
const PARQUET: &[Format] = &[Format::Parquet, Format::Avro];
const ENCODED: &[Format] = &[Format::Csv, Format::Json, Format::Text];
const AVRO: &[Format] = &[Format::Avro];
const FILES: &[Format] = &[Format::Parquet, Format::Avro, Format::Orc, Format::Csv, Format::Json, Format::Text];
const UTF8: &[&str] = &["utf-8", "utf8", "us-ascii"];

/// What reading does not do in full.
const READ: &[Partial] = &[
    partial(FILES, "ignorecorruptfiles", &["false"]),
    partial(FILES, "ignoremissingfiles", &["false"]),
    partial(AVRO, "avroschema", &[]),
    partial(AVRO, "avroschemaurl", &[]),
    partial(AVRO, "positionalfieldmatching", &["false"]),
    partial(AVRO, "enablestableidentifiersforuniontype", &["false"]),
    partial(AVRO, "mergeschema", &["false"]),
    partial(PARQUET, "datetimerebasemode", &["exception", "corrected"]),
    partial(PARQUET, "int96rebasemode", &["exception", "corrected"]),
    partial(ENCODED, "encoding", UTF8),
    partial(ENCODED, "charset", UTF8),
    partial(TEXTS, "linesep", &["\n", "\r\n", "\\n", "\\r\\n"]),
    partial(CSV, "maxcharspercolumn", &["-1"]),
    partial(CSV, "emptyvalue", &[""]),
    partial(CSV, "chartoescapequoteescaping", &[]),
    partial(CSV, "enforceschema", &["true"]),
    partial(CSV, "unescapedquotehandling", &["stop_at_delimiter"]),
    partial(CSV, "prefersdate", &["true"]),
    partial(TEXTS, "locale", &["en-us", "en_us", "en"]),
    partial(TEXTS, "enabledatetimeparsingfallback", &["false"]),
    partial(JSON, "usenestedfieldvaluesasvariants", &["false"]),
    partial(TEXTS, "singlevariantcolumn", &[]),
];

/// What writing does not do in full.
const WRITE: &[Partial] = &[
    partial(ENCODED, "encoding", &["utf-8", "utf8"]),
    partial(ENCODED, "charset", &["utf-8", "utf8"]),
    partial(CSV, "chartoescapequoteescaping", &[]),
    partial(TEXTS, "locale", &["en-us", "en_us", "en"]),
    partial(JSON, "pretty", &["false"]),
    partial(JSON, "writenonasciicharacterascodepoint", &["false"]),
    partial(JSON, "sortkeys", &["false"]),
];

impl ReadOptions {
    /// Options as the user wrote them.
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect())
    }

    /// The same options without one.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut rest = self.clone();
        rest.0.remove(&name.to_ascii_lowercase());
        rest
    }

    /// The value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The value of the first of these options.
    pub(crate) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A boolean option.
    pub(crate) fn flag(&self, name: &str, default: bool) -> SparkResult<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(bad(name, text)),
        }
    }

    /// An option of one byte.
    pub(crate) fn byte(&self, names: &[&str], default: Option<u8>) -> SparkResult<Option<u8>> {
        let Some(text) = self.first(names) else { return Ok(default) };
        let name = names.first().copied().unwrap_or_default();
        match text {
            "" | "\\0" | "\u{0}" => Ok(None),
            "\\t" => Ok(Some(b'\t')),
            "\\\\" => Ok(Some(b'\\')),
            text => match text.as_bytes() {
                [byte] => Ok(Some(*byte)),
                _ => Err(SparkError::unsupported(format!("option `{name}` of more than one ASCII character"))),
            },
        }
    }

    /// All options, for connectors.
    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Refuses what Spark's option of a format would do and reading does not. Names that Spark does not know have no
    /// effect, here as there.
    pub(crate) fn check_read(&self, format: Format, zone: &str) -> SparkResult<()> {
        self.check(READ, format, zone)
    }

    /// The same for writing.
    pub(crate) fn check_write(&self, format: Format, zone: &str) -> SparkResult<()> {
        self.check(WRITE, format, zone)
    }

    fn check(&self, rules: &[Partial], format: Format, zone: &str) -> SparkResult<()> {
        for rule in rules.iter().filter(|rule| rule.formats.contains(&format)) {
            let Some(value) = self.get(rule.name) else { continue };
            if !rule.values.contains(&value.to_ascii_lowercase().as_str()) {
                return Err(SparkError::unsupported(format!("option `{}` with value `{value}`", rule.name)));
            }
        }
        match self.get("timezone") {
            Some(other) if TEXTS.contains(&format) && !other.eq_ignore_ascii_case(zone) => {
                Err(SparkError::unsupported("option `timeZone` other than the session's time zone"))
            }
            _ => Ok(()),
        }
    }
}

/// A value that an option does not take.
pub(crate) fn bad(name: &str, value: &str) -> SparkError {
    SparkError::analysis(
        "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        &[("optionName", name), ("message", &format!("`{value}` is not a value it takes."))],
    )
}
