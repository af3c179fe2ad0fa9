//! Options of a read: names without case, typed on demand, unknown ones refused.
//!
//! Which options a format has is listed here; what they do is the format's business.

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

/// Options of all file sources.
const FILES: &[&str] = &[
    "path",
    "paths",
    "basepath",
    "recursivefilelookup",
    "pathglobfilter",
    "modifiedafter",
    "modifiedbefore",
    "ignoremissingfiles",
    "ignorecorruptfiles",
    "mergeschema",
    "compression",
    "codec",
    "serialization.format",
];

/// Options that only writing reads, or that only tune Spark's own reader: accepted without effect.
const WITHOUT_EFFECT: &[&str] = &[
    "datetimerebasemode",
    "int96rebasemode",
    "maxcharspercolumn",
    "maxcolumns",
    "maxpartitionbytes",
    "encoding",
    "charset",
    "quoteall",
    "escapequotes",
    "emptyvalue",
    "chartoescapequoteescaping",
    "locale",
    "enforceschema",
    "unescapedquotehandling",
    "inputbuffersize",
    "prefersdate",
    "ignorenullfields",
    "partitionoverwritemode",
    "maxrecordsperfile",
    "parquet.block.size",
    "parquet.page.size",
    "parquet.compression",
    "wholetext",
    "linesep",
    "header",
];

/// Options that have one value here.
const FIXED: &[(&str, &str)] = &[
    ("allowsinglequotes", "true"),
    ("allowunquotedfieldnames", "false"),
    ("allowcomments", "false"),
    ("allownumericleadingzeros", "false"),
    ("allowbackslashescapinganycharacter", "false"),
    ("allowunquotedcontrolchars", "false"),
    ("primitivesasstring", "false"),
    ("prefersdecimal", "false"),
    ("dropfieldifallnull", "false"),
    ("infertimestamp", "false"),
];

const CSV: &[&str] = &[
    "header",
    "sep",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "nullvalue",
    "inferschema",
    "samplingratio",
    "multiline",
    "mode",
    "dateformat",
    "timestampformat",
    "timestampntzformat",
    "ignoreleadingwhitespace",
    "ignoretrailingwhitespace",
    "columnnameofcorruptrecord",
    "nanvalue",
    "positiveinf",
    "negativeinf",
    "enabledatetimeparsingfallback",
    "timezone",
    "columnpruning",
    "extension",
];

const JSON: &[&str] = &[
    "multiline",
    "mode",
    "samplingratio",
    "dateformat",
    "timestampformat",
    "timestampntzformat",
    "columnnameofcorruptrecord",
    "timezone",
    "allownonnumericnumbers",
    "enabledatetimeparsingfallback",
];

impl ReadOptions {
    /// Options as the user wrote them.
    pub(crate) fn new(options: &Options) -> Self {
        Self(options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect())
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

    /// Refuses options that the format does not have.
    pub(crate) fn check(&self, format: Format) -> SparkResult<()> {
        let own = match format {
            Format::Csv => CSV,
            Format::Json => JSON,
            _ => &[],
        };
        for (name, default) in FIXED {
            if self.get(name).is_some_and(|value| !value.eq_ignore_ascii_case(default)) {
                return Err(SparkError::unsupported(format!("option `{name}` other than {default}")));
            }
        }
        for key in self.0.keys() {
            let key = key.as_str();
            let store = key.starts_with("fs.") || key.starts_with("spark.");
            if store
                || FIXED.iter().any(|(name, _)| *name == key)
                || [FILES, WITHOUT_EFFECT, own].iter().any(|known| known.contains(&key))
            {
                continue;
            }
            // Spark ignores what it does not know; so do we, but not in silence.
            tracing::warn!(option = key, format = format.name(), "unknown read option has no effect");
        }
        if let Some(encoding) = self.first(&["encoding", "charset"])
            && !["utf-8", "utf8", "us-ascii"].contains(&encoding.to_ascii_lowercase().as_str())
        {
            return Err(SparkError::unsupported(format!("files in encoding `{encoding}`")));
        }
        if self.get("linesep").is_some_and(|separator| !["\n", "\r\n", "\\n", "\\r\\n"].contains(&separator)) {
            return Err(SparkError::unsupported("option `lineSep` other than a line feed"));
        }
        Ok(())
    }
}

/// A value that an option does not take.
pub(crate) fn bad(name: &str, value: &str) -> SparkError {
    SparkError::analysis(
        "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        &[("optionName", name), ("message", &format!("`{value}` is not a value it takes."))],
    )
}
