//! A session's runtime configuration, `spark.conf`, with Spark's defaults, types and errors.
//!
//! It keeps values as text, as users see them; typed views for the engine are made in [`effects`]. It runs nothing.

mod effects;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use firesteel_functions::error::{ErrorKind, SparkError, SparkResult};
use parking_lot::RwLock;

pub use effects::Effects;
use keys::{KEYS, Key, Kind};

/// Settings of one session.
#[derive(Debug)]
pub struct RuntimeConf {
    fixed: BTreeMap<String, String>,
    values: RwLock<BTreeMap<String, String>>,
    version: AtomicU64,
}

impl RuntimeConf {
    /// Settings with these values of the server (static keys of the server or changed defaults).
    #[must_use]
    pub fn new(server: BTreeMap<String, String>) -> Self {
        Self { fixed: server, values: RwLock::default(), version: AtomicU64::new(0) }
    }

    /// A copy for a cloned session.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { fixed: self.fixed.clone(), values: RwLock::new(self.values.read().clone()), version: AtomicU64::new(0) }
    }

    /// Changes whenever a value changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The value or default of a key, or Spark's error when there is none.
    pub fn get(&self, key: &str) -> SparkResult<String> {
        self.get_option(key).ok_or_else(|| {
            SparkError::new(ErrorKind::NoSuchElement, "SQL_CONF_NOT_FOUND", &[("sqlConf", &quoted(key))])
        })
    }

    /// The value or default of a key, when there is one.
    #[must_use]
    pub fn get_option(&self, key: &str) -> Option<String> {
        if let Some(value) = self.values.read().get(key) {
            return Some(value.clone());
        }
        self.default(key)
    }

    /// The value of a key, or `default` when it is neither set nor known.
    #[must_use]
    pub fn get_or(&self, key: &str, default: Option<&str>) -> Option<String> {
        if let Some(value) = self.values.read().get(key) {
            return Some(value.clone());
        }
        default.map(str::to_string).or_else(|| self.default(key))
    }

    /// Whether the session itself has set a key.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.values.read().contains_key(key)
    }

    /// The value when the user or the server has set it.
    #[must_use]
    pub fn explicit(&self, key: &str) -> Option<String> {
        self.values.read().get(key).cloned().or_else(|| self.fixed.get(key).cloned())
    }

    /// Sets a key; static keys and bad values are Spark's errors.
    pub fn set(&self, key: &str, value: &str) -> SparkResult<()> {
        let key = key.trim();
        modifiable(key)?;
        if let Some(known) = keys::find(key) {
            check(known, value)?;
        }
        let value = if key == "spark.sql.session.timeZone" { zone(key, value)? } else { value.to_string() };
        self.values.write().insert(key.to_string(), value);
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Forgets a key.
    pub fn unset(&self, key: &str) -> SparkResult<()> {
        modifiable(key)?;
        self.values.write().remove(key);
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Forgets all keys of the session.
    pub fn reset(&self) {
        self.values.write().clear();
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// What the session (or the server) has set, secrets included; for the client that set them.
    #[must_use]
    pub fn get_all(&self) -> BTreeMap<String, String> {
        let mut all = self.fixed.clone();
        all.extend(self.values.read().iter().map(|(k, v)| (k.clone(), v.clone())));
        all
    }

    /// Whether a session may set a key: known and not static.
    #[must_use]
    pub fn is_modifiable(&self, key: &str) -> bool {
        keys::find(key).is_some_and(|key| !key.fixed)
    }

    /// All known keys with value or default, for `SET -v`.
    #[must_use]
    pub fn known(&self) -> Vec<(String, String)> {
        let mut rows: Vec<_> = KEYS
            .iter()
            .map(|key| (key.name.to_string(), self.get_option(key.name).unwrap_or_else(|| "<undefined>".to_string())))
            .collect();
        rows.sort();
        rows
    }

    /// A known boolean.
    #[must_use]
    pub fn is_true(&self, key: &str) -> bool {
        self.get_option(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn default(&self, key: &str) -> Option<String> {
        self.fixed.get(key).cloned().or_else(|| keys::find(key)?.default.map(str::to_string))
    }
}

/// Whether a value of this key must not be shown.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["secret", "password", "token", "access.key", "accesskey", "credential"].iter().any(|part| key.contains(part))
}

/// The value as it may be shown.
#[must_use]
pub fn redact(key: &str, value: &str) -> String {
    if is_secret(key) { REDACTED.to_string() } else { value.to_string() }
}

/// What stands for a secret.
pub const REDACTED: &str = "*********(redacted)";

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

/// Settings of the cluster that Spark refuses to change in a session.
const CLUSTER: &[&str] = &[
    "spark.executor.",
    "spark.driver.",
    "spark.master",
    "spark.submit.",
    "spark.yarn.",
    "spark.kubernetes.",
    "spark.memory.",
    "spark.shuffle.service.",
];

fn modifiable(key: &str) -> SparkResult<()> {
    if keys::find(key).is_some_and(|key| key.fixed) {
        return Err(SparkError::analysis("CANNOT_MODIFY_STATIC_CONFIG", &[("key", &quoted(key))]));
    }
    if CLUSTER.iter().any(|prefix| key.starts_with(prefix)) {
        return Err(SparkError::analysis(
            "CANNOT_MODIFY_CONFIG",
            &[("key", &quoted(key)), ("docroot", "https://spark.apache.org/docs/latest")],
        ));
    }
    Ok(())
}

fn check(key: &Key, value: &str) -> SparkResult<()> {
    let text = value.trim();
    let expected = match key.kind {
        Kind::Boolean if !["true", "false"].contains(&text.to_ascii_lowercase().as_str()) => "boolean",
        Kind::Int if text.parse::<i32>().is_err() => "int",
        Kind::Long if text.parse::<i64>().is_err() => "long",
        Kind::Bytes if parse_bytes(text).is_none() => "bytes",
        Kind::OneOf(options) if !options.iter().any(|option| option.eq_ignore_ascii_case(text)) => {
            return Err(SparkError::new(
                ErrorKind::IllegalArgument,
                "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS",
                &[("confName", key.name), ("confValue", value), ("confOptions", &options.join(", "))],
            ));
        }
        _ => "",
    };
    if !expected.is_empty() {
        return Err(SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_CONF_VALUE.TYPE_MISMATCH",
            &[("confName", key.name), ("confValue", value), ("confType", expected)],
        ));
    }
    let positive = ["spark.sql.shuffle.partitions", "spark.sql.pivotMaxValues", "spark.sql.leafNodeDefaultParallelism"];
    if positive.contains(&key.name) && text.parse::<i64>().is_ok_and(|n| n <= 0) {
        return Err(SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_CONF_VALUE.REQUIREMENT",
            &[
                ("confName", key.name),
                ("confValue", value),
                ("confRequirement", &format!("The value of {} must be positive", key.name)),
            ],
        ));
    }
    Ok(())
}

/// Spark's sizes: a number with an optional unit (bytes when there is none).
pub(crate) fn parse_bytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        "p" | "pb" => 50,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(1_i64 << shift)
}

/// A time zone as Spark accepts it, in the form the engine reads.
pub(crate) fn zone(key: &str, value: &str) -> SparkResult<String> {
    let text = value.trim();
    normal_zone(text).ok_or_else(|| {
        SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_CONF_VALUE.TIME_ZONE",
            &[("confName", key), ("confValue", value)],
        )
    })
}

fn normal_zone(text: &str) -> Option<String> {
    if text.parse::<chrono_tz::Tz>().is_ok() {
        return Some(text.to_string());
    }
    if text == "Z" {
        return Some(text.to_string());
    }
    // `+8`, `+08`, `+08:00`, `+8:00`, `GMT+8`, `UTC-03:30`
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let sign = offset.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let (hours, minutes) = offset[1..].split_once(':').unwrap_or((&offset[1..], "0"));
    let minutes = minutes.split(':').next()?;
    if hours.is_empty() || hours.len() > 2 || minutes.is_empty() || minutes.len() > 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    (hours * 60 + minutes <= 18 * 60 && minutes < 60).then(|| format!("{sign}{hours:02}:{minutes:02}"))
}
