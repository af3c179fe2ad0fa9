//! What went wrong in a store or a database, as Spark's conditions.
//!
//! The connectors know no conditions and the functions know no connectors, so the two meet here. It knows nothing of clients.

use std::error::Error;

use datafusion::error::DataFusionError;
use firesteel_connectors::ConnectorError;
use firesteel_functions::error::{ErrorKind, SparkError, from_datafusion, quote_identifier};

/// A failure of the engine, of connectors, or a Spark error on its way.
#[must_use]
pub fn failure(error: DataFusionError) -> SparkError {
    if let Some(known) = SparkError::recover(&error) {
        return known;
    }
    match inner(&error) {
        Some(connector) => of(connector),
        None => from_datafusion(error),
    }
}

/// A failure of a connector.
#[must_use]
pub fn connector(error: ConnectorError) -> SparkError {
    match error {
        ConnectorError::Engine(error) => failure(error),
        error => of(&error),
    }
}

/// A failure of a stream, put into the envelope that keeps its condition. What may pass stays a failure of input and output,
/// by which a task is known to be worth another try.
#[must_use]
pub fn envelope(error: DataFusionError) -> DataFusionError {
    match SparkError::recover(&error) {
        Some(_) => error,
        None => told(&error).unwrap_or(error),
    }
}

/// The failure of a connector inside another, in such an envelope; `None` where there is none.
#[must_use]
pub fn told(error: &DataFusionError) -> Option<DataFusionError> {
    let connector = inner(error)?;
    let known = DataFusionError::from(of(connector));
    Some(if connector.is_transient() { DataFusionError::IoError(std::io::Error::other(known)) } else { known })
}

/// A location as Spark shows it: `file:/path` for `file:///path`.
#[must_use]
pub fn shown_location(url: &str) -> String {
    match url.strip_prefix("file:///") {
        Some(path) => format!("file:/{path}"),
        None => url.to_string(),
    }
}

fn inner(error: &DataFusionError) -> Option<&ConnectorError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<ConnectorError>() {
            return Some(found);
        }
        // An I/O error hides what it holds from `source`.
        let held = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = held.and_then(|held| held.downcast_ref::<ConnectorError>()) {
            return Some(found);
        }
        next = match current.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::IoError(inner)) => Some(inner),
            _ => current.source(),
        };
    }
    None
}

fn of(error: &ConnectorError) -> SparkError {
    let text = error.to_string();
    match error {
        ConnectorError::PathNotFound { path } => {
            SparkError::analysis("PATH_NOT_FOUND", &[("path", &shown_location(path))])
        }
        ConnectorError::PathAlreadyExists { path } => {
            SparkError::analysis("PATH_ALREADY_EXISTS", &[("outputPath", &shown_location(path))])
        }
        ConnectorError::BucketNotFound { bucket } => SparkError::analysis("PATH_NOT_FOUND", &[("path", bucket)])
            .with_message(format!("Path does not exist: {bucket}. The bucket does not exist.")),
        ConnectorError::InvalidPath { path, reason } => SparkError::analysis("PATH_NOT_FOUND", &[("path", path)])
            .with_message(format!("Path cannot be read: {path}: {reason}.")),
        ConnectorError::PermissionDenied { path, .. }
        | ConnectorError::Store { path, .. }
        | ConnectorError::Transient { target: path, .. }
            if !matches!(error, ConnectorError::Transient { target, .. } if target == "PostgreSQL") =>
        {
            SparkError::new(ErrorKind::Execution, "FAILED_READ_FILE.NO_HINT", &[("path", path)])
                .with_message(format!("Encountered error while accessing file {path}: {text}"))
        }
        ConnectorError::UnsupportedScheme { .. } => SparkError::unsupported(text),
        ConnectorError::Unsupported { feature } => SparkError::unsupported(feature),
        ConnectorError::ConflictingPartitions { detail } => SparkError::new(
            ErrorKind::Runtime,
            "CONFLICTING_PARTITION_COLUMN_NAMES",
            &[("distinctPartColLists", detail), ("suspiciousPaths", "")],
        ),
        ConnectorError::MissingOption { key } => {
            SparkError::new(ErrorKind::IllegalArgument, "STDS_REQUIRED_OPTION_UNSPECIFIED", &[("optionName", key)])
        }
        ConnectorError::InvalidOption { key, reason } => SparkError::new(
            ErrorKind::IllegalArgument,
            "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
            &[("optionName", key), ("message", reason)],
        ),
        ConnectorError::TableNotFound { table } => {
            SparkError::analysis("TABLE_OR_VIEW_NOT_FOUND", &[("relationName", table), ("searchPath", "[]")])
                .with_message(format!("The table or view {table} cannot be found in the database."))
        }
        ConnectorError::TableExists { table } => {
            SparkError::analysis("TABLE_OR_VIEW_ALREADY_EXISTS", &[("relationName", table)])
        }
        ConnectorError::ColumnNotFound { column, table, available } => SparkError::analysis(
            "COLUMN_NOT_DEFINED_IN_TABLE",
            &[
                ("colType", "data"),
                ("colName", &quote_identifier(&[column])),
                ("tableName", table),
                ("tableCols", available),
            ],
        ),
        ConnectorError::TypeMismatch { column, from, to } => SparkError::analysis(
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST",
            &[("tableName", ""), ("colName", &quote_identifier(&[column])), ("srcType", from), ("targetType", to)],
        )
        .with_message(text),
        ConnectorError::InvalidValue { column, to, .. } => SparkError::new(
            ErrorKind::Arithmetic,
            "CAST_OVERFLOW_IN_TABLE_INSERT",
            &[("sourceType", ""), ("targetType", to), ("columnName", &quote_identifier(&[column]))],
        )
        .with_message(text),
        ConnectorError::DuplicateKey { .. } => {
            SparkError::new(ErrorKind::Runtime, "MERGE_CARDINALITY_VIOLATION", &[]).with_message(text)
        }
        ConnectorError::ConnectionFailed { .. }
        | ConnectorError::AuthenticationFailed { .. }
        | ConnectorError::DatabaseNotFound { .. }
        | ConnectorError::TooFewConnections { .. }
        | ConnectorError::Transient { .. }
        | ConnectorError::Database { .. } => {
            SparkError::new(ErrorKind::Execution, "FAILED_JDBC.UNCLASSIFIED", &[("url", ""), ("message", &text)])
                .with_message(text)
        }
        _ => SparkError::internal(text),
    }
}
