//! The nearest Spark condition for failures born in DataFusion, Arrow, Parquet or an object store.
//!
//! Everything that already is a [`SparkError`] passes unchanged. It knows nothing of clients or jobs.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::object_store;
use datafusion::parquet::errors::ParquetError;

use super::{ErrorKind, SparkError};

/// The Spark error an engine failure is shown as.
#[must_use]
pub fn from_datafusion(error: DataFusionError) -> SparkError {
    SparkError::recover(&error).unwrap_or_else(|| classify(&error))
}

impl From<DataFusionError> for SparkError {
    fn from(error: DataFusionError) -> Self {
        from_datafusion(error)
    }
}

impl From<ArrowError> for SparkError {
    fn from(error: ArrowError) -> Self {
        Self::recover_source(&error).unwrap_or_else(|| arrow(&error))
    }
}

fn classify(error: &DataFusionError) -> SparkError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => classify(inner),
        DataFusionError::Shared(inner) => classify(inner),
        DataFusionError::Collection(all) => match all.first() {
            Some(first) => classify(first),
            None => SparkError::internal(error.to_string()),
        },
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::ParquetError(inner) => parquet(inner),
        DataFusionError::ObjectStore(inner) => store(inner),
        DataFusionError::IoError(inner) => io(inner),
        DataFusionError::NotImplemented(what) => SparkError::unsupported(what),
        DataFusionError::ResourcesExhausted(what) => {
            SparkError::new(ErrorKind::Execution, "UNABLE_TO_ACQUIRE_MEMORY", &[("message", what)])
                .with_message(format!("Unable to acquire memory: {what}"))
        }
        DataFusionError::SchemaError(inner, _) => SparkError::internal(inner.to_string()),
        DataFusionError::External(inner) => source(inner.as_ref()),
        other => SparkError::internal(other.strip_backtrace()),
    }
}

fn source(error: &(dyn std::error::Error + 'static)) -> SparkError {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(inner) = current.downcast_ref::<DataFusionError>() {
            return classify(inner);
        }
        if let Some(inner) = current.downcast_ref::<object_store::Error>() {
            return store(inner);
        }
        if let Some(inner) = current.downcast_ref::<ParquetError>() {
            return parquet(inner);
        }
        if let Some(inner) = current.downcast_ref::<ArrowError>() {
            return arrow(inner);
        }
        if let Some(inner) = current.downcast_ref::<std::io::Error>() {
            return io(inner);
        }
        next = current.source();
    }
    SparkError::internal(error.to_string())
}

fn store(error: &object_store::Error) -> SparkError {
    match error {
        object_store::Error::NotFound { path, .. } => SparkError::analysis("PATH_NOT_FOUND", &[("path", path)]),
        object_store::Error::PermissionDenied { path, source }
        | object_store::Error::Unauthenticated { path, source } => {
            read_failed(path, &format!("access denied: {source}"))
        }
        object_store::Error::AlreadyExists { path, .. } => {
            SparkError::analysis("PATH_ALREADY_EXISTS", &[("outputPath", path)])
        }
        other => read_failed("", &other.to_string()),
    }
}

fn parquet(error: &ParquetError) -> SparkError {
    match error {
        ParquetError::External(inner) => source(inner.as_ref()),
        other => read_failed("", &other.to_string()),
    }
}

fn io(error: &std::io::Error) -> SparkError {
    match error.get_ref() {
        Some(inner) if inner.is::<DataFusionError>() || inner.is::<object_store::Error>() => source(inner),
        _ => read_failed("", &error.to_string()),
    }
}

/// Spark names the file and leaves the cause to the chain; this engine has one text, so the cause follows.
fn read_failed(path: &str, cause: &str) -> SparkError {
    let error = SparkError::new(ErrorKind::Execution, "FAILED_READ_FILE.NO_HINT", &[("path", path)]);
    let message = match path {
        "" => format!("Encountered error while reading file: {cause}"),
        path => format!("Encountered error while reading file {path}: {cause}"),
    };
    error.with_message(message)
}

fn arrow(error: &ArrowError) -> SparkError {
    match error {
        ArrowError::ExternalError(inner) => source(inner.as_ref()),
        ArrowError::DivideByZero => SparkError::divide_by_zero(),
        ArrowError::ArithmeticOverflow(_) => SparkError::arithmetic_overflow("overflow", ""),
        ArrowError::NotYetImplemented(what) => SparkError::unsupported(what),
        ArrowError::CsvError(what) | ArrowError::JsonError(what) | ArrowError::AvroError(what) => read_failed("", what),
        ArrowError::ParquetError(what) => read_failed("", what),
        ArrowError::IoError(_, inner) => io(inner),
        other => SparkError::internal(other.to_string()),
    }
}
