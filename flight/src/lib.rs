//! Flight SQL: the door for ADBC, JDBC and ODBC clients, over the same sessions and the same SQL as Spark Connect.
//!
//! ```text
//! get_flight_info(text) -> analyze -> schema + ticket(text) -> do_get -> execute -> rows
//! ```
//!
//! A ticket of a query is its text, so nothing is kept between the two calls. A command (DDL, `SHOW`, `SET`) runs once,
//! in the first call, and its few rows wait for the second. What SQL means lives in `spark`; this crate knows only
//! Flight messages.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod metadata;
mod options;
mod put;
mod server;
mod service;
mod sessions;
mod statement;
mod status;

pub use options::FlightOptions;
pub use server::{ServeError, serve};
