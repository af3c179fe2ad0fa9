//! `SinkNode`: "write these rows there" in a logical plan. It holds what the connector prepared and shows none of it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use firesteel_connectors::sink::PreparedSink;

use super::message_schema;

/// Writes its input to a prepared sink.
#[derive(Clone)]
pub struct SinkNode {
    input: LogicalPlan,
    sink: Arc<PreparedSink>,
    /// The sink as JSON: its identity, since a prepared sink has no equality of its own. Holds credentials.
    identity: Arc<str>,
    schema: DFSchemaRef,
}

impl SinkNode {
    /// A node that writes `input` to `sink`.
    ///
    /// # Errors
    /// When the sink cannot be serialised.
    pub fn new(input: LogicalPlan, sink: PreparedSink) -> Result<Self> {
        let identity = serde_json::to_string(&sink).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let schema = Arc::new(DFSchema::try_from(message_schema().as_ref().clone())?);
        Ok(Self { input, sink: Arc::new(sink), identity: identity.into(), schema })
    }

    /// The node as a plan.
    #[must_use]
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// Where the rows go.
    #[must_use]
    pub fn sink(&self) -> &Arc<PreparedSink> {
        &self.sink
    }
}

impl UserDefinedLogicalNodeCore for SinkNode {
    fn name(&self) -> &str {
        "Sink"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => Ok(Self { input, ..self.clone() }),
            _ => Err(DataFusionError::Internal("a sink has one input".into())),
        }
    }

    /// All columns of the input are written, whatever is asked of the output.
    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}

impl fmt::Debug for SinkNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkNode").field("input", &self.input).finish_non_exhaustive()
    }
}

impl PartialEq for SinkNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity && self.input == other.input
    }
}

impl Eq for SinkNode {}

impl Hash for SinkNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for SinkNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.identity.cmp(&other.identity) {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}
