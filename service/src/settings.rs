//! Settings in layers: defaults < TOML file < environment < flags, with the same names everywhere.
//!
//! A setting `connect-port` of the section `scheduler` is the flag `--connect-port`, the variable
//! `FIRESTEEL_CONNECT_PORT` and the key `connect-port` under `[scheduler]` (or at the top of the file, for all processes).
//! Flags and environment are clap's; this file turns a TOML file into environment-like defaults that both outrank.

use std::collections::BTreeMap;
use std::path::Path;

/// Why a settings file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("failed to read settings file '{path}'")]
    Read {
        /// Path.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("failed to parse settings file '{path}': {message}")]
    Parse {
        /// Path.
        path: String,
        /// Parser's text.
        message: String,
    },
    /// A key no process knows.
    #[error("unknown setting '{key}' in '{path}'{hint}")]
    Unknown {
        /// Path.
        path: String,
        /// Key.
        key: String,
        /// `, did you mean '...'?` or empty.
        hint: String,
    },
    /// A value that is a table or a date.
    #[error("setting '{key}' in '{path}' must be a string, number, boolean or list of strings")]
    Shape {
        /// Path.
        path: String,
        /// Key.
        key: String,
    },
}

/// Reads the top-level keys and those under `[section]` of a TOML file as strings; the section wins.
/// `known` are the settings of this process, `sections` the names of all processes' sections.
///
/// # Errors
/// When the file cannot be read or parsed, holds an unknown key at the top or in `section`, or a value of a wrong shape.
pub fn from_file(
    path: &Path,
    section: &str,
    sections: &[&str],
    known: &[String],
) -> Result<BTreeMap<String, String>, SettingsError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: shown.clone(), source })?;
    from_text(&text, &shown, section, sections, known)
}

fn from_text(
    text: &str,
    path: &str,
    section: &str,
    sections: &[&str],
    known: &[String],
) -> Result<BTreeMap<String, String>, SettingsError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SettingsError::Parse {
        path: path.into(),
        message: error.message().into(),
    })?;
    let mut settings = BTreeMap::new();
    for (key, value) in &table {
        if sections.contains(&key.as_str()) && value.is_table() {
            continue;
        }
        // A key at the top is for every process, so one this process does not know may be another's.
        if let Some(name) = known_name(key, known) {
            settings.insert(name, scalar(value, key, path)?);
        } else if value.is_table() {
            return Err(unknown(key, path, sections.iter().map(|s| (*s).to_string())));
        }
    }
    if let Some(toml::Value::Table(own)) = table.get(section) {
        for (key, value) in own {
            let name = known_name(key, known).ok_or_else(|| unknown(key, path, known.iter().cloned()))?;
            settings.insert(name, scalar(value, key, path)?);
        }
    }
    Ok(settings)
}

fn known_name(key: &str, known: &[String]) -> Option<String> {
    let name = key.replace('_', "-");
    known.contains(&name).then_some(name)
}

fn unknown(key: &str, path: &str, candidates: impl Iterator<Item = String>) -> SettingsError {
    let mut best: Option<(usize, String)> = None;
    for candidate in candidates {
        let distance = edit_distance(key, &candidate);
        if distance <= 3 && best.as_ref().is_none_or(|(d, _)| distance < *d) {
            best = Some((distance, candidate));
        }
    }
    let hint = best.map(|(_, name)| format!(", did you mean '{name}'?")).unwrap_or_default();
    SettingsError::Unknown { path: path.into(), key: key.into(), hint }
}

fn scalar(value: &toml::Value, key: &str, path: &str) -> Result<String, SettingsError> {
    let shape = || SettingsError::Shape { path: path.into(), key: key.into() };
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            items.map(|items| items.join(",")).ok_or_else(shape)
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => Err(shape()),
    }
}

/// Levenshtein distance, for suggestions.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut previous = i;
        let mut first = i + 1;
        std::mem::swap(&mut first, &mut row[0]);
        for (j, b) in right.iter().enumerate() {
            let substituted = previous + usize::from(a != *b);
            previous = row[j + 1];
            row[j + 1] = substituted.min(previous + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["connect-port", "bind", "log"].map(String::from).to_vec()
    }

    #[test]
    fn a_section_outranks_the_top() {
        let text = "bind = '0.0.0.0'\nconnect_port = 1\n[server]\nconnect-port = 2\n[executor]\nanything = 3\n";
        let settings = from_text(text, "f", "server", &["server", "executor"], &known()).unwrap();
        assert_eq!(settings["bind"], "0.0.0.0");
        assert_eq!(settings["connect-port"], "2");
    }

    #[test]
    fn an_unknown_key_is_refused_with_a_suggestion() {
        let error = from_text("[server]\nconect-port = 2", "f", "server", &["server"], &known()).unwrap_err();
        assert_eq!(error.to_string(), "unknown setting 'conect-port' in 'f', did you mean 'connect-port'?");
    }

    #[test]
    fn edit_distance_counts_changes() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
    }
}
