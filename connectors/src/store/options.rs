//! The store settings of one session, as they travel with its tasks to other processes.
//!
//! Holds secrets: never printed, only carried.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::error::{DataFusionError, Result};
use serde::{Deserialize, Serialize};

const ENTRY: &str = "conf";

/// `fs.s3a.*` settings of a session, without the `spark.hadoop.` prefix.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoreOptions {
    conf: BTreeMap<String, String>,
}

impl StoreOptions {
    /// Keeps what concerns stores of a session's whole configuration; `spark.hadoop.` loses to the plain key.
    pub fn from_conf<K: AsRef<str>, V: AsRef<str>>(conf: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut plain = BTreeMap::new();
        let mut prefixed = BTreeMap::new();
        for (key, value) in conf {
            let (key, value) = (key.as_ref(), value.as_ref().to_owned());
            if let Some(key) = key.strip_prefix("spark.hadoop.").filter(|key| key.starts_with("fs.")) {
                prefixed.insert(key.to_owned(), value);
            } else if key.starts_with("fs.") {
                plain.insert(key.to_owned(), value);
            }
        }
        prefixed.extend(plain);
        Self { conf: prefixed }
    }

    /// These options with those of one read or write laid over them.
    pub fn overlaid(&self, other: &Self) -> Self {
        let mut conf = self.conf.clone();
        conf.extend(other.conf.clone());
        Self { conf }
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.conf.is_empty()
    }

    /// The value of `fs.s3a.<name>` for a bucket: its own setting before the general one.
    pub(super) fn s3a(&self, bucket: &str, name: &str) -> Option<&str> {
        self.conf
            .get(&format!("fs.s3a.bucket.{bucket}.{name}"))
            .or_else(|| self.conf.get(&format!("fs.s3a.{name}")))
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.conf.keys()).finish()
    }
}

impl ConfigExtension for StoreOptions {
    const PREFIX: &'static str = "store";
}

impl ExtensionOptions for StoreOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if key != ENTRY {
            return Err(DataFusionError::Configuration(format!("unknown store option '{key}'")));
        }
        // The parser's message could quote the secret.
        *self = serde_json::from_str(value)
            .map_err(|_| DataFusionError::Configuration("store.conf is not a JSON object of strings".to_owned()))?;
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let value = (!self.conf.is_empty()).then(|| serde_json::to_string(&self.conf).unwrap_or_default());
        vec![ConfigEntry { key: ENTRY.to_owned(), value, description: "Object store settings of the session." }]
    }
}
