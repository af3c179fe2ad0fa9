//! Everything that can go wrong between us and a store or a database, as kinds a caller can act on.
//!
//! Knows nothing of Spark's error classes: the engine maps kinds onto them.

use datafusion::error::DataFusionError;
use object_store::Error as StoreError;

/// Result of a connector operation.
pub type Result<T, E = ConnectorError> = std::result::Result<T, E>;

/// What went wrong in a connector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectorError {
    /// No file or directory matches the path.
    #[error("path does not exist: {path}")]
    PathNotFound {
        /// The path as the user gave it, normalised to a URL.
        path: String,
    },
    /// The target of a write exists and the mode forbids that.
    #[error("path already exists: {path}")]
    PathAlreadyExists {
        /// The path.
        path: String,
    },
    /// The path cannot be understood.
    #[error("invalid path '{path}': {reason}")]
    InvalidPath {
        /// The path.
        path: String,
        /// Why.
        reason: String,
    },
    /// The store refused the credentials or the operation.
    #[error("access denied to {path}: {reason}")]
    PermissionDenied {
        /// The path or bucket.
        path: String,
        /// What the store said.
        reason: String,
    },
    /// The bucket does not exist.
    #[error("bucket does not exist: {bucket}")]
    BucketNotFound {
        /// The bucket or the URL in it.
        bucket: String,
    },
    /// A URL scheme no store serves.
    #[error("unsupported URL scheme '{scheme}' in {path}")]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
        /// The whole path.
        path: String,
    },
    /// Directories under one table disagree about partition columns.
    #[error("conflicting partition directories: {detail}")]
    ConflictingPartitions {
        /// Which ones.
        detail: String,
    },
    /// A required option is absent.
    #[error("option '{key}' is required")]
    MissingOption {
        /// The option's name.
        key: String,
    },
    /// An option has a value that cannot be used.
    #[error("invalid value for option '{key}': {reason}")]
    InvalidOption {
        /// The option's name.
        key: String,
        /// Why, without secrets.
        reason: String,
    },
    /// Asked for something that is not supported.
    #[error("unsupported: {feature}")]
    Unsupported {
        /// What.
        feature: String,
    },
    /// The server cannot be reached.
    #[error("could not connect to {target}: {reason}")]
    ConnectionFailed {
        /// Host and port, or the endpoint.
        target: String,
        /// Why.
        reason: String,
    },
    /// The server refused the user or password.
    #[error("authentication failed at {target}: {reason}")]
    AuthenticationFailed {
        /// Host and port.
        target: String,
        /// What the server said.
        reason: String,
    },
    /// The database named in the URL does not exist.
    #[error("database not found: {reason}")]
    DatabaseNotFound {
        /// What the server said.
        reason: String,
    },
    /// The table does not exist.
    #[error("table not found: {table}")]
    TableNotFound {
        /// The table.
        table: String,
    },
    /// The table exists and the mode forbids that.
    #[error("table already exists: {table}")]
    TableExists {
        /// The table.
        table: String,
    },
    /// A column to write is not in the target table.
    #[error("column {column} not found in table {table}, which has: {available}")]
    ColumnNotFound {
        /// The column to write.
        column: String,
        /// The target table.
        table: String,
        /// What the table has.
        available: String,
    },
    /// A column's type cannot be stored in the target column's type.
    #[error("column {column} of type {from} cannot be written as {to}")]
    TypeMismatch {
        /// The column.
        column: String,
        /// Our type.
        from: String,
        /// The target's type.
        to: String,
    },
    /// One value does not fit the target column.
    #[error("value {value} of column {column} (row {row} of the partition) does not fit {to}: {reason}")]
    InvalidValue {
        /// The column.
        column: String,
        /// Zero-based row within the task's partition.
        row: u64,
        /// The value, shortened.
        value: String,
        /// The target's type.
        to: String,
        /// Why it does not fit.
        reason: String,
    },
    /// Rows of an upsert that have no one row to become.
    #[error("cannot upsert into {table}: {reason}: ({keys}) = ({value})")]
    DuplicateKey {
        /// The target table.
        table: String,
        /// The key columns.
        keys: String,
        /// Their values.
        value: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The server has no room for the connections a write needs.
    #[error("too few free connections at {target}: {free} free, at least 2 needed")]
    TooFewConnections {
        /// Host and port.
        target: String,
        /// Those that are free.
        free: i64,
    },
    /// An error reported by the database.
    #[error("database error {sqlstate}: {message}")]
    Database {
        /// The five-character SQLSTATE.
        sqlstate: String,
        /// Message, detail, hint and context.
        message: String,
        /// Whether the same request may succeed later.
        transient: bool,
    },
    /// An I/O failure that may pass.
    #[error("I/O failure at {target}: {reason}")]
    Transient {
        /// What was talked to.
        target: String,
        /// What happened.
        reason: String,
    },
    /// Any other failure of an object store.
    #[error("object store failure at {path}: {reason}")]
    Store {
        /// The path.
        path: String,
        /// What happened.
        reason: String,
    },
    /// The commit protocol was not followed.
    #[error("write protocol: {0}")]
    Protocol(String),
    /// The error of the rows' producer, passed on unchanged.
    #[error(transparent)]
    Engine(#[from] DataFusionError),
}

impl ConnectorError {
    /// Whether running the same task again may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ConnectionFailed { .. } | Self::Transient { .. } => true,
            Self::Database { transient, .. } => *transient,
            _ => false,
        }
    }

    /// An invalid option.
    pub(crate) fn option(key: &str, reason: impl Into<String>) -> Self {
        Self::InvalidOption { key: key.to_owned(), reason: reason.into() }
    }

    /// Sorts an object store's error into our kinds; `path` is what the user would recognise.
    pub fn from_store(path: &str, error: StoreError) -> Self {
        let path = path.to_owned();
        let reason = chain(&error);
        if reason.contains("NoSuchBucket") {
            return Self::BucketNotFound { bucket: path };
        }
        match error {
            StoreError::NotFound { .. } => Self::PathNotFound { path },
            StoreError::AlreadyExists { .. } => Self::PathAlreadyExists { path },
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
                Self::PermissionDenied { path, reason }
            }
            StoreError::InvalidPath { .. } => Self::InvalidPath { path, reason },
            _ if ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "Forbidden"]
                .iter()
                .any(|code| reason.contains(code)) =>
            {
                Self::PermissionDenied { path, reason }
            }
            _ if reason.contains("error sending request") || reason.contains("Connection refused") => {
                Self::ConnectionFailed { target: path, reason }
            }
            StoreError::Generic { .. } => Self::Transient { target: path, reason },
            _ => Self::Store { path, reason },
        }
    }
}

impl From<ConnectorError> for DataFusionError {
    fn from(error: ConnectorError) -> Self {
        match error {
            ConnectorError::Engine(error) => error,
            // Ballista runs a task again only for I/O errors.
            error if error.is_transient() => Self::IoError(std::io::Error::other(error)),
            error => Self::External(Box::new(error)),
        }
    }
}

/// The error with its causes, each said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
