//! PostgreSQL: JDBC URLs and options, connections, and the exactly-once sink.
//!
//! Speaks the wire protocol directly; knows nothing of Spark beyond the names of its `jdbc` options.

pub mod connect;
mod ddl;
mod encode;
mod numeric;
pub mod options;
pub mod read;
pub mod sink;
pub mod table;
pub mod url;

pub use connect::{Connection, connect};
pub use options::JdbcOptions;
pub use read::{PostgresScanExec, PostgresTable};
pub use table::TableName;
pub use url::Target;
