//! `TaskExec`: tells functions in the operator below it which task runs them.
//!
//! ```text
//! TaskExec            partition 1: while it polls, the thread's current task is that of partition 1
//!   ProjectionExec    rand(42)
//! ```
//!
//! It changes no rows. Each execution of a partition is a new task, so that a repeated one draws the same random numbers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use firesteel_functions::task::Task;
use futures::Stream;

/// Gives its input a task for each partition.
#[derive(Debug)]
pub struct TaskExec {
    input: Arc<dyn ExecutionPlan>,
    /// Numbers of the stage's partitions that this plan's partitions are, when the plan is one task's slice of it.
    numbers: Option<Arc<[usize]>>,
    /// What seeds are moved by.
    shift: i64,
}

/// The same plan with the seeds of all its tasks moved by `shift`.
///
/// # Errors
/// When an operator cannot be rebuilt.
pub(crate) fn shifted(plan: Arc<dyn ExecutionPlan>, shift: i64) -> Result<Arc<dyn ExecutionPlan>> {
    if shift == 0 {
        return Ok(plan);
    }
    let moved = plan.transform_up(|node| match node.downcast_ref::<TaskExec>() {
        Some(task) => {
            let moved = TaskExec { input: Arc::clone(&task.input), numbers: task.numbers.clone(), shift };
            Ok(Transformed::yes(Arc::new(moved) as Arc<dyn ExecutionPlan>))
        }
        None => Ok(Transformed::no(node)),
    })?;
    Ok(moved.data)
}

impl TaskExec {
    /// Around `input`.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, numbers: None, shift: 0 }
    }

    /// The same operator in one task's slice of a stage, where its partition `i` is the stage's partition `numbers[i]`.
    #[must_use]
    pub fn sliced(&self, numbers: &[usize]) -> Self {
        // With another number of partitions they were repartitioned within the slice, and have only their own numbers.
        let same = self.input.output_partitioning().partition_count() == numbers.len();
        Self { input: Arc::clone(&self.input), numbers: same.then(|| numbers.into()), shift: self.shift }
    }
}

impl DisplayAs for TaskExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskExec")
    }
}

impl ExecutionPlan for TaskExec {
    fn name(&self) -> &str {
        "TaskExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self { input, numbers: self.numbers.clone(), shift: self.shift })),
            _ => Err(DataFusionError::Internal("a task has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(partition).copied()).unwrap_or(partition);
        let inner = self.input.execute(partition, context)?;
        Ok(Box::pin(TaskStream { inner, task: Task::new(number, self.shift) }))
    }
}

struct TaskStream {
    inner: SendableRecordBatchStream,
    task: Arc<Task>,
}

impl Stream for TaskStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let _entered = self.task.enter();
        self.inner.as_mut().poll_next(cx)
    }
}

impl RecordBatchStream for TaskStream {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }
}
