//! How a process is born and dies: telemetry, named tasks, signals, layered settings, and who may come in.
//!
//! It knows nothing of queries, Spark, Ballista or Kubernetes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod callers;
pub mod settings;
pub mod signals;
pub mod tasks;
pub mod telemetry;
pub mod tls;
pub mod tokens;
