//! Writing as part of a plan: a logical node, its physical operator and the planner between them.
//!
//! The operator keeps its input's partitions: each writes its own rows and reports one message, which the caller of the
//! job collects and commits (see [`crate::write`]). How rows reach a target is the connectors' business.

mod exec;
mod node;
mod planner;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

pub use exec::SinkExec;
pub use node::SinkNode;
pub use planner::SinkPlanner;

/// Name of the output column with the number of the partition that wrote.
pub const PARTITION_COLUMN: &str = "partition";
/// Name of the output column with the connector's commit message as JSON.
pub const MESSAGE_COLUMN: &str = "message";

/// Schema of what sinks report: one row for each partition.
#[must_use]
pub fn message_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(PARTITION_COLUMN, DataType::Int64, false),
        Field::new(MESSAGE_COLUMN, DataType::Utf8, false),
    ]))
}
