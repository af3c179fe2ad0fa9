//! The Spark language: SQL text and DataFrame plans in, DataFusion logical plans and Spark's answers out.
//!
//! It knows nothing of gRPC, of clusters or of Kubernetes: plans are run by an `engine::job::JobRunner`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod analyze;
pub mod catalog;
pub mod command;
pub mod conf;
#[cfg(test)]
mod fuzz;
pub mod output;
mod script;
pub mod session;
pub mod show;
mod source;
pub mod spec;
pub mod sql;
