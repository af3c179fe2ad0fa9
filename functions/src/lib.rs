//! Spark's functions, casts, types and errors, on Arrow and DataFusion alone.
//!
//! This crate must know nothing of sessions, catalogs, plans to resolve, protocols or stores.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod collation;
pub mod error;
pub mod options;
pub mod types;

pub mod time;

pub mod cast;

pub mod display;

pub mod task;

pub mod arithmetic;

pub mod geo;

pub use error::{ErrorKind, QueryContext, SparkError, SparkResult};
pub use options::SparkOptions;

mod aggregate;
mod lambda;
mod needle;
mod regex;
mod registry;
mod scalar;
mod sketch;
mod under;
mod window;
pub use aggregate::approx_count_distinct_precision;
pub use registry::{Registry, registry};
pub use scalar::json::{JsonRecords, record_schema};
pub use scalar::reshape::reshape_expr;
pub use under::under;

/// The function that checks a scalar subquery's number of rows. No query can name it.
pub const SINGLE_ROW: &str = "scalar subquery rows";
