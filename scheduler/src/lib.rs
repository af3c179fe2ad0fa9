//! The driver process: the composition root that gives the doors (Spark Connect, Flight SQL, REST) an engine, and the
//! runner that turns plans into jobs on executors.
//!
//! Ballista is known here and in the executor only. Of Kubernetes it knows how a token is reviewed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod access;
mod activity;
mod cluster;
mod doors;
mod error;
mod kubernetes;
mod rest;
mod run;
pub mod runner;
mod settings;
mod submissions;

pub use error::ServeError;
pub use run::{run, run_server};
pub use settings::{Access, SchedulerSettings, ServerSettings, ShuffleCodec, TlsFiles, TokenReviews};
