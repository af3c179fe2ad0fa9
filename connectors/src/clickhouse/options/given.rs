//! Options taken one by one, so that what is left at the end is what nobody knows.
//!
//! Knows no option by name.

use std::collections::BTreeMap;

use super::Codec;
use crate::error::{ConnectorError, Result};

/// Options by lower-case name, taken out as they are understood.
pub(super) struct Given(pub(super) BTreeMap<String, String>);

impl Given {
    pub(super) fn take(&mut self, keys: &[&str]) -> Option<String> {
        let mut found = None;
        for key in keys {
            found = found.or(self.0.remove(*key));
        }
        found
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        match self.take(&[key]).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err(ConnectorError::option(key, "expected true or false")),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, keys: &[&str]) -> Result<Option<T>> {
        let name = keys.first().copied().unwrap_or_default();
        let parse = |text: String| text.trim().parse().map_err(|_| ConnectorError::option(name, "expected a number"));
        self.take(keys).map(parse).transpose()
    }

    pub(super) fn millis(&mut self, key: &str, default: u64) -> Result<u64> {
        let Some(text) = self.take(&[key]) else { return Ok(default) };
        let text = text.trim().to_ascii_lowercase();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.strip_prefix(digits).unwrap_or_default() {
            "ms" => 1,
            "" | "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(ConnectorError::option(key, "expected a time such as 500ms or 10s")),
        };
        let count: u64 = digits.trim().parse().map_err(|_| ConnectorError::option(key, "expected a time"))?;
        Ok(count.saturating_mul(unit))
    }

    pub(super) fn codec(&mut self, key: &str) -> Result<Codec> {
        match self.take(&[key]).map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("lz4") => Ok(Codec::Lz4),
            Some("none") => Ok(Codec::None),
            Some("zstd") => Ok(Codec::Zstd),
            Some(_) => Err(ConnectorError::option(key, "expected none, lz4 or zstd")),
        }
    }

    /// Removes all entries that begin with one of `prefixes` and returns them without it.
    pub(super) fn prefixed(&mut self, prefixes: &[&str]) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for prefix in prefixes {
            let keys: Vec<String> = self.0.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
            for key in keys {
                if let (Some(value), Some(name)) = (self.0.remove(&key), key.strip_prefix(prefix)) {
                    found.insert(name.to_owned(), value);
                }
            }
        }
        found
    }
}
