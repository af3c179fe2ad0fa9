//! The session settings that change what functions answer. Plans carry them to executors inside the config options.
//!
//! It knows nothing of how a client sets them; the session maps Spark's configuration keys to these fields.

use datafusion::common::extensions_options;
use datafusion::config::{ConfigExtension, ConfigOptions};

extensions_options! {
    /// Spark settings that functions, casts and arithmetic read.
    pub struct SparkOptions {
        /// `spark.sql.ansi.enabled`: errors instead of NULL or wraparound.
        pub ansi: bool, default = true
        /// `spark.sql.caseSensitive`.
        pub case_sensitive: bool, default = false
        /// `spark.sql.session.timeZone`.
        pub time_zone: String, default = "UTC".to_string()
        /// `spark.sql.timestampType` is `TIMESTAMP_NTZ`.
        pub timestamp_type_ntz: bool, default = false
        /// `spark.sql.timeType.enabled`: casts to `TIME` and functions of it are refused without.
        pub time_type: bool, default = false
        /// `spark.sql.legacy.sizeOfNull` (only without ANSI).
        pub legacy_size_of_null: bool, default = true
        /// `spark.sql.mapKeyDedupPolicy` is `LAST_WIN`.
        pub map_key_dedup_last_win: bool, default = false
        /// `spark.sql.ansi.doubleQuotedIdentifiers`.
        pub double_quoted_identifiers: bool, default = false
        /// `spark.sql.decimalOperations.allowPrecisionLoss`.
        pub allow_precision_loss: bool, default = true
        /// `spark.sql.legacy.timeParserPolicy`: `CORRECTED`, `EXCEPTION` or `LEGACY`.
        pub time_parser_policy: String, default = "CORRECTED".to_string()
        /// `spark.sql.storeAssignmentPolicy`: `ANSI`, `LEGACY` or `STRICT`.
        pub store_assignment_policy: String, default = "ANSI".to_string()
        /// `spark.sql.ansi.enforceReservedKeywords`.
        pub enforce_reserved_keywords: bool, default = false
        /// `spark.sql.function.concatBinaryAsString`.
        pub concat_binary_as_string: bool, default = false
        /// `spark.sql.binaryOutputStyle`: how CSV and XML write bytes; empty is `HEX_DISCRETE`.
        pub binary_output_style: String, default = String::new()
        /// `spark.sql.function.eltOutputAsString`.
        pub elt_output_as_string: bool, default = false
        /// `spark.sql.legacy.castComplexTypesToString.enabled` and friends are fixed; this is `spark.sql.legacy.charVarcharAsString`.
        pub char_varchar_as_string: bool, default = false
        /// `spark.sql.legacy.javaCharsets`: charsets beyond the ones Spark 4 documents.
        pub java_charsets: bool, default = false
        /// `spark.sql.legacy.codingErrorAction`: what a charset cannot say becomes a mark instead of an error.
        pub coding_error_marks: bool, default = false
        /// Start of the query in microseconds since the epoch; 0 means now. Every task of a query must agree on it.
        pub query_time: u64, default = 0
        /// User name, for `current_user()`.
        pub user: String, default = String::new()
        /// Current catalog, for `current_catalog()`.
        pub current_catalog: String, default = "spark_catalog".to_string()
        /// Current database, for `current_database()`.
        pub current_database: String, default = "default".to_string()
    }
}

impl ConfigExtension for SparkOptions {
    const PREFIX: &'static str = "spark";
}

impl SparkOptions {
    /// The options a plan runs with; Spark's defaults when none were set.
    #[must_use]
    pub fn from_config(config: &ConfigOptions) -> Self {
        config.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// The session time zone a plan runs with.
    #[must_use]
    pub fn time_zone_of(config: &ConfigOptions) -> &str {
        config.extensions.get::<Self>().map_or("UTC", |options| &options.time_zone)
    }
}
