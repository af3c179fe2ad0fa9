//! The worker process: runs the tasks a scheduler gives it, over the same functions, options and runtimes as the scheduler.
//!
//! It knows nothing of Spark's language, of clients or of Kubernetes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod clients;
mod filters;
mod run;
mod stage;

pub use run::{ExecutorError, ExecutorSettings, run};
