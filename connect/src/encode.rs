//! Answers in the protocol's messages: types, rows as Arrow streams, progress.
//!
//! It knows nothing of sessions, operations or how rows come about.

mod batch;
mod literal;
mod observed;
mod progress;
mod rows;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use batch::{Chunking, arrow_batches, ipc_stream};
pub(crate) use observed::observed;
pub(crate) use progress::progress;
pub(crate) use rows::RowBuffer;
pub(crate) use types::{data_type, schema};
