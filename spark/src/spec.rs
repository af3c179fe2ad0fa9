//! The one unresolved plan of a query: what SQL text and Spark Connect messages both become before analysis.
//!
//! Everything here is what the user said, nothing is resolved. It knows neither protobuf nor DataFusion.
//! Names follow Spark's unresolved logical plan (Spark Connect's `relations.proto` and `expressions.proto`).

mod command;
mod expr;
mod relation;
mod script;

pub use command::*;
pub use expr::*;
pub use relation::*;
pub use script::*;

/// A whole request: something that returns rows, or something that is done.
#[derive(Debug, Clone)]
pub enum Plan {
    /// A query.
    Query(Relation),
    /// A command; most return rows too, eagerly.
    Command(Box<Command>),
}
