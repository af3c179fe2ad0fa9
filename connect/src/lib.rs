//! Spark Connect: the door for unmodified PySpark and other Spark clients.
//!
//! ```text
//! message -> decode -> spark::spec -> spark::session -> rows -> encode -> operation buffer -> client
//! ```
//!
//! This is the only crate that knows Spark Connect messages. What a query means lives in `spark`; where it runs is
//! behind `engine::job::JobRunner`.
//!
//! Plans nest deeply. Messages are checked for depth before they are decoded (`firesteel_proto::codec`), and decoding
//! makes its own room on the stack; analysis runs on the caller's runtime, whose threads should have stacks of 32 MB.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod artifacts;
pub mod client;
mod decode;
mod encode;
mod error;
mod guard;
mod language;
mod operation;
mod options;
mod registry;
mod semantics;
mod server;
mod service;
mod session;

pub use options::ConnectOptions;
pub use server::{ServeError, serve};
