//! Where data comes from and goes to: object stores and files, PostgreSQL, ClickHouse, and the exactly-once commit protocol.
//!
//! A leaf: knows DataFusion and Arrow, nothing of Spark's language, of plans beyond record batch streams, or of who runs tasks.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::allow_attributes))]

pub mod clickhouse;
mod conditions;
pub mod error;
pub mod files;
pub mod postgres;
pub mod sink;
pub mod store;

pub use error::{ConnectorError, Result};
