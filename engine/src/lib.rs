//! What a query is once Spark is gone: sessions, plans, the port to whatever runs them, and how results are written.
//!
//! This crate knows DataFusion, our functions and our connectors. It knows neither the Spark language nor Ballista.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod as_is;
pub mod cancel;
pub mod codec;
pub mod database;
pub mod failure;
pub mod footers;
pub mod job;
pub mod key_filter;
pub mod layout;
pub mod local;
pub mod memory;
pub mod order;
pub mod read_ahead;
pub mod recursion;
pub mod rules;
pub mod session;
pub mod sink;
pub mod task;
mod thread;
pub mod write;

pub use job::{JobHandle, JobId, JobProgress, JobRunner, StageProgress};
pub use session::{EngineConfig, SessionOverrides, SessionRecipe};
