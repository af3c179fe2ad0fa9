//! Properties that have clauses of their own and may not be set by name.

use firesteel_functions::error::{ErrorKind, SparkError, SparkResult};

use crate::session::Session;
use crate::spec::Options;

const TABLES: &[(&str, &str)] = &[
    ("provider", "please use the USING clause to specify it"),
    ("location", "please use the LOCATION clause to specify it"),
    ("owner", "it will be set to the current user"),
    ("external", "please use CREATE EXTERNAL TABLE"),
    ("is_managed_location", "please use the LOCATION clause to specify it"),
];

/// Refuses reserved properties of tables and views.
///
/// # Errors
/// `UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY`.
pub(super) fn tables(session: &Session, properties: &Options) -> SparkResult<()> {
    if session.conf().is_true("spark.sql.legacy.notReserveProperties") {
        return Ok(());
    }
    for (name, message) in TABLES {
        if properties.contains_key(*name) {
            return Err(SparkError::new(
                ErrorKind::Parse,
                "UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY",
                &[("property", name), ("msg", message)],
            ));
        }
    }
    Ok(())
}
