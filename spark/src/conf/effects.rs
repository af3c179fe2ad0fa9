//! What the settings mean to the engine: a session's text values as typed options.
//!
//! It only reads; every key's name stands here once.

use firesteel_connectors::store::StoreOptions;
use firesteel_engine::session::SessionOverrides;
use firesteel_functions::options::SparkOptions;

use super::RuntimeConf;

/// Typed views of a session's settings.
#[derive(Debug, Clone, Copy)]
pub struct Effects<'a>(&'a RuntimeConf);

impl RuntimeConf {
    /// The typed view.
    #[must_use]
    pub fn effects(&self) -> Effects<'_> {
        Effects(self)
    }
}

impl Effects<'_> {
    /// The session's time zone.
    #[must_use]
    pub fn time_zone(&self) -> String {
        self.text("spark.sql.session.timeZone")
    }

    /// The default data source.
    #[must_use]
    pub fn default_source(&self) -> String {
        self.text("spark.sql.sources.default").to_ascii_lowercase()
    }

    /// `spark.sql.sources.partitionOverwriteMode` is `dynamic`.
    #[must_use]
    pub fn dynamic_overwrite(&self) -> bool {
        self.text("spark.sql.sources.partitionOverwriteMode").eq_ignore_ascii_case("dynamic")
    }

    /// What functions read.
    #[must_use]
    pub fn spark(&self, user: &str, database: &str) -> SparkOptions {
        let mut options = SparkOptions::default();
        options.ansi = self.0.is_true("spark.sql.ansi.enabled");
        options.case_sensitive = self.0.is_true("spark.sql.caseSensitive");
        options.time_zone = self.time_zone();
        options.timestamp_type_ntz = self.text("spark.sql.timestampType").eq_ignore_ascii_case("TIMESTAMP_NTZ");
        options.time_type = self.0.is_true("spark.sql.timeType.enabled");
        options.legacy_size_of_null = self.0.is_true("spark.sql.legacy.sizeOfNull");
        options.map_key_dedup_last_win = self.text("spark.sql.mapKeyDedupPolicy").eq_ignore_ascii_case("LAST_WIN");
        options.double_quoted_identifiers = self.0.is_true("spark.sql.ansi.doubleQuotedIdentifiers");
        options.allow_precision_loss = self.0.is_true("spark.sql.decimalOperations.allowPrecisionLoss");
        options.time_parser_policy = self.text("spark.sql.legacy.timeParserPolicy").to_ascii_uppercase();
        options.store_assignment_policy = self.text("spark.sql.storeAssignmentPolicy").to_ascii_uppercase();
        options.enforce_reserved_keywords = self.0.is_true("spark.sql.ansi.enforceReservedKeywords");
        options.concat_binary_as_string = self.0.is_true("spark.sql.function.concatBinaryAsString");
        options.binary_output_style = self.text("spark.sql.binaryOutputStyle").to_ascii_uppercase();
        options.elt_output_as_string = self.0.is_true("spark.sql.function.eltOutputAsString");
        options.java_charsets = self.0.is_true("spark.sql.legacy.javaCharsets");
        options.coding_error_marks = self.0.is_true("spark.sql.legacy.codingErrorAction");
        options.char_varchar_as_string = self.0.is_true("spark.sql.legacy.charVarcharAsString");
        options.query_time = u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap_or_default();
        options.user = user.to_string();
        options.current_database = database.to_string();
        options
    }

    /// Credentials and endpoints of object stores.
    #[must_use]
    pub fn store(&self) -> StoreOptions {
        StoreOptions::from_conf(self.0.get_all())
    }

    /// Everything a session's context is made of. Partitions follow the runner unless the user asked for a number.
    #[must_use]
    pub fn overrides(&self, user: &str, database: &str) -> SessionOverrides {
        let mut extra = Vec::new();
        for (key, value) in self.0.get_all() {
            // An escape hatch for operators of the engine, under a name that is plainly not Spark's.
            if let Some(option) = key.strip_prefix("spark.firesteel.option.") {
                extra.push((option.to_string(), value));
            }
        }
        let target_partitions =
            self.0.explicit("spark.sql.shuffle.partitions").and_then(|value| value.trim().parse::<usize>().ok());
        SessionOverrides { spark: self.spark(user, database), store: self.store(), target_partitions, extra }
    }

    fn text(&self, key: &str) -> String {
        self.0.get_option(key).unwrap_or_default()
    }
}
