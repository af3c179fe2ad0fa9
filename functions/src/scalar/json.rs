//! JSON texts: the tree they are read into, and the functions over them.

mod file;
mod functions;
mod infer;
pub(crate) mod parse;
mod path;
mod print;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use file::JsonRecords;
pub(crate) use functions::{all, declared, options, type_of};
pub(crate) use infer::merge;
pub use infer::record_schema;
pub(crate) use read::moment;
pub(crate) use write::moment as written_moment;

/// A JSON value. Objects keep the order and the repetitions of their fields, numbers keep their text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number without point and exponent.
    Int(String),
    /// Any other number, also `NaN` and `Infinity`.
    Float(String),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}
