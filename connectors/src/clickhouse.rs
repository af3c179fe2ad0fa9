//! ClickHouse over HTTP: options, types, reading in Arrow, and an all-or-nothing sink.
//!
//! Speaks ClickHouse's HTTP interface with `ArrowStream` bodies; knows nothing of Spark beyond the names of the official
//! connector's options and how Spark's types are carried in Arrow.

mod conform;
mod ddl;
mod encode;
mod http;
mod kind;
pub mod options;
pub mod read;
pub mod sink;
mod table;

pub use options::ClickHouseOptions;
pub use read::ClickHouseTable;
