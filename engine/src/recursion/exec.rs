//! `RecursionExec`: runs the anchor, then the step until a round has no rows or enough are there.
//!
//! All rounds run before the first row is handed on, so that limits are errors whatever is done with the rows.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, execute_stream,
};
use firesteel_functions::{ErrorKind, SparkError};
use futures::{StreamExt, TryStreamExt};

use super::{RecursionNode, substitute};

/// Runs a recursion in one partition.
pub struct RecursionExec {
    node: Arc<RecursionNode>,
    state: Arc<SessionState>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl RecursionExec {
    /// Runs `node`, planning its rounds with `state`.
    #[must_use]
    pub fn new(node: RecursionNode, mut state: SessionState) -> Self {
        if !substitute::scans(node.anchor()) && !substitute::scans(node.step()) {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
        let schema: SchemaRef = Arc::new(node.schema().as_arrow().clone());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { node: Arc::new(node), state: Arc::new(state), schema, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for RecursionExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecursionExec").field("node", &self.node).finish_non_exhaustive()
    }
}

impl DisplayAs for RecursionExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecursionExec: {}", self.node.id())
    }
}

impl ExecutionPlan for RecursionExec {
    fn name(&self) -> &str {
        "RecursionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// Its rows are its own: an enclosing recursion gives it none.
    fn with_new_state(&self, _state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn ExecutionPlan>> {
        None
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(DataFusionError::Internal(format!("a recursion has no partition {partition}")));
        }
        let memory = MemoryConsumer::new("Recursion").register(context.memory_pool());
        let rounds = Rounds {
            node: Arc::clone(&self.node),
            state: Arc::clone(&self.state),
            schema: Arc::clone(&self.schema),
            context,
            memory,
        };
        let stream = futures::stream::once(rounds.run())
            .map_ok(|(batches, memory)| {
                // The reservation lives until the last batch is taken.
                futures::stream::iter(batches.into_iter().map(Ok)).chain(futures::stream::poll_fn(move |_| {
                    let _ = &memory;
                    std::task::Poll::Ready(None)
                }))
            })
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream)))
    }
}

struct Rounds {
    node: Arc<RecursionNode>,
    state: Arc<SessionState>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
    memory: MemoryReservation,
}

impl Rounds {
    async fn run(self) -> Result<(Vec<RecordBatch>, MemoryReservation)> {
        let anchor = self.state.optimize(self.node.anchor())?;
        let step = self.state.optimize(self.node.step())?;
        let limits = self.node.limits();
        let mut all: Vec<RecordBatch> = Vec::new();
        let mut total = 0_u64;
        let mut level = 1_u64;
        let mut rows = self.round(&anchor, 0).await?;
        loop {
            let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
            if count == 0 {
                break;
            }
            if let Some(most) = limits.levels
                && level > most
            {
                let most = most.to_string();
                return Err(SparkError::new(
                    ErrorKind::Execution,
                    "RECURSION_LEVEL_LIMIT_EXCEEDED",
                    &[("levelLimit", &most)],
                )
                .into());
            }
            total += u64::try_from(count).unwrap_or(u64::MAX);
            all.extend(rows.iter().cloned());
            match (self.node.fetch(), limits.rows) {
                (Some(fetch), _) if total >= fetch => break,
                (None, Some(most)) if total >= most => {
                    let most = most.to_string();
                    return Err(SparkError::new(
                        ErrorKind::Execution,
                        "RECURSION_ROW_LIMIT_EXCEEDED",
                        &[("rowLimit", &most)],
                    )
                    .into());
                }
                _ => {}
            }
            let last = Arc::new(rows);
            let plan = substitute::with_rows(&step, self.node.id(), &last)?;
            // Every round draws other random numbers.
            rows = self.round(&plan, i64::try_from(level - 1).unwrap_or(0)).await?;
            level += 1;
            // A long recursion gives its thread back between rounds, and can be cancelled there.
            tokio::task::yield_now().await;
        }
        Ok((all, self.memory))
    }

    /// Runs an optimized plan; its rows in the recursion's columns.
    async fn round(&self, plan: &LogicalPlan, shift: i64) -> Result<Vec<RecordBatch>> {
        let physical = self.state.query_planner().create_physical_plan(plan, self.state.as_ref()).await?;
        let physical = crate::task::shifted(physical, shift)?;
        let mut stream = execute_stream(physical, Arc::clone(&self.context))?;
        let mut rows = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            self.memory.try_grow(batch.get_array_memory_size())?;
            let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            rows.push(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?);
        }
        Ok(rows)
    }
}
