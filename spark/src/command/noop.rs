//! `format("noop")`: runs a query to its last row and keeps none, which is how Spark users time one.

use std::sync::Arc;

use firesteel_connectors::sink::SinkSpec;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;

use super::{Rows, write};
use crate::session::Session;
use crate::spec::{SaveMode, Write};

/// Whether a write names this source.
pub(super) fn is_meant(write: &Write) -> bool {
    write.format.as_ref().is_some_and(|format| format.eq_ignore_ascii_case("noop"))
}

/// Runs the query of the write.
pub(super) async fn run(session: &Arc<Session>, write: Write) -> SparkResult<Rows> {
    if write.bucket_by.is_some() || !write.cluster_by.is_empty() {
        return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1312", &[("operation", "save")]));
    }
    let refused = match write.mode {
        SaveMode::Append | SaveMode::Overwrite => None,
        SaveMode::ErrorIfExists => Some("\"ErrorIfExists\""),
        SaveMode::Ignore => Some("\"Ignore\""),
    };
    if let Some(mode) = refused {
        let parameters = [("source", "noop"), ("createMode", mode)];
        return Err(SparkError::analysis("UNSUPPORTED_DATA_SOURCE_SAVE_MODE", &parameters));
    }
    if !write.partition_by.is_empty() {
        return Err(SparkError::unsupported("partitionBy of the data source `noop`, which has no columns"));
    }
    let input = session.analyze(&write.input).await?;
    // Names may repeat, and nobody sees them.
    let mut schema: StructType = input.schema;
    for (number, field) in schema.fields.iter_mut().enumerate() {
        field.name = number.to_string();
    }
    write::submit(session, input.plan, &schema, SinkSpec::Noop).await?;
    Ok(Rows::none())
}
