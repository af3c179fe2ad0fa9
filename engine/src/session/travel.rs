//! Makes option extensions travel to executors.
//!
//! Ballista sends a session's options as the text of their entries and drops what it cannot set again. Entries of an
//! extension lack the extension's prefix, so all of them would be dropped without a word, and tasks would run with
//! defaults. [`Travelling`] is the extension itself to whoever looks it up, with entries that can be set again.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::Result;
use firesteel_connectors::store::StoreOptions;
use firesteel_functions::options::SparkOptions;

/// An extension whose entries carry its prefix.
#[derive(Debug, Clone, Default)]
struct Travelling<T>(T);

impl<T: ConfigExtension + Clone> ConfigExtension for Travelling<T> {
    const PREFIX: &'static str = T::PREFIX;
}

impl<T: ConfigExtension + Clone> ExtensionOptions for Travelling<T> {
    /// The extension itself, so that looking it up by its type finds it.
    fn as_any(&self) -> &dyn Any {
        self.0.as_any()
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self.0.as_any_mut()
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.0.set(key, value)
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let prefix = format!("{}.", T::PREFIX);
        let mut entries = self.0.entries();
        for entry in &mut entries {
            if !entry.key.starts_with(&prefix) {
                entry.key.insert_str(0, &prefix);
            }
        }
        entries
    }
}

/// Makes our extensions in `options` travel, adding those that are absent with their defaults.
pub fn pack(options: &mut ConfigOptions) {
    let spark = options.extensions.get::<SparkOptions>().cloned().unwrap_or_default();
    let store = options.extensions.get::<StoreOptions>().cloned().unwrap_or_default();
    options.extensions.insert(Travelling(spark));
    options.extensions.insert(Travelling(store));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_set_here_arrive_there() {
        let mut sent = ConfigOptions::default();
        let mut spark = SparkOptions::default();
        spark.ansi = false;
        spark.time_zone = "Asia/Tokyo".into();
        sent.extensions.insert(spark);
        sent.extensions.insert(StoreOptions::from_conf([("fs.s3a.access.key", "someone")]));
        pack(&mut sent);
        let mut received = ConfigOptions::default();
        pack(&mut received);
        for entry in sent.entries() {
            if let Some(value) = entry.value {
                let set = received.set(&entry.key, &value);
                assert!(set.is_ok() || entry.key.starts_with("datafusion."), "{}: {set:?}", entry.key);
            }
        }
        let spark = received.extensions.get::<SparkOptions>().unwrap();
        assert!(!spark.ansi);
        assert_eq!(spark.time_zone, "Asia/Tokyo");
        assert_eq!(received.extensions.get::<StoreOptions>(), sent.extensions.get::<StoreOptions>());
    }
}
