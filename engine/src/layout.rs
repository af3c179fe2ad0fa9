//! How rows lie in partitions where the user says so: `repartition`, `coalesce`, `sortWithinPartitions`, a sort whose order is seen.
//!
//! DataFusion takes such things for hints and plans them anew as it needs. So they are operators it does not know until its
//! rules are done; then [`crate::rules`] puts its own in their place:
//!
//! ```text
//! LayoutExec (Shuffle)    RepartitionExec by hash of a number that meets the wanted partition
//! LayoutExec (Coalesce)   the same, or one merge in order
//! LayoutExec (Sorted)     SortExec that keeps partitions, below AsIsExec
//! LayoutExec (Merged)     the same, and a merge into one
//! LayoutExec (Kept)       nothing
//! ```

mod exec;
mod node;
mod planner;

pub use exec::LayoutExec;
pub(crate) use exec::Wanted;
pub use node::{Layout, LayoutNode};
pub use planner::LayoutPlanner;
