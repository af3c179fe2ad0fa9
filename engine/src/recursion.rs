//! Recursive queries: an anchor, and a step that is planned and run again over the rows of the round before.
//!
//! A round is a whole query of its own, so a step may refer to the last rows as often as it likes and inside subqueries. Levels
//! and rows are limited. It knows neither SQL nor names; it only runs in the process that planned it.

mod exec;
mod node;
mod planner;
mod substitute;

pub use exec::RecursionExec;
pub use node::{Limits, RecursionNode, WorkNode};
pub use planner::RecursionPlanner;
