//! `TaskExec`: tells functions in the operator below it which task runs them.
//!
//! ```text
//! TaskExec            partition 1: while it polls, the thread's current task is that of partition 1
//!   ProjectionExec    rand(42)
//!   DataSourceExec    one row for each partition: its number
//! ```
//!
//! The numbers are an input, so that whoever cuts a plan into tasks cuts them with it: Ballista tells a task the numbers of the
//! partitions it makes, which are others where its rows are spread by hash. It changes no rows. Each execution of a partition is a new task, so that a repeated one draws the same random numbers.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{AsArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
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
    /// As many partitions as the input has, with the number of each.
    numbers: Arc<dyn ExecutionPlan>,
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
            let moved = TaskExec { input: Arc::clone(&task.input), numbers: Arc::clone(&task.numbers), shift };
            Ok(Transformed::yes(Arc::new(moved) as Arc<dyn ExecutionPlan>))
        }
        None => Ok(Transformed::no(node)),
    })?;
    Ok(moved.data)
}

impl TaskExec {
    /// Around all partitions of `input`.
    ///
    /// # Errors
    /// When the numbers cannot be written down.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let numbers = numbers(input.output_partitioning().partition_count())?;
        Ok(Self { input, numbers, shift: 0 })
    }

    /// Around some partitions of an input, whose numbers `numbers` holds.
    #[must_use]
    pub fn sliced(input: Arc<dyn ExecutionPlan>, numbers: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, numbers, shift: 0 }
    }

    /// The number of one of its partitions.
    fn number(&self, partition: usize) -> Result<usize> {
        let source = self.numbers.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
        let rows = source.and_then(|source| source.downcast_ref::<MemorySourceConfig>());
        let batch = rows.and_then(|rows| rows.partitions().get(partition)?.first());
        let number =
            batch.and_then(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>()?.values().first());
        number
            .and_then(|number| usize::try_from(*number).ok())
            .ok_or_else(|| DataFusionError::Internal(format!("partition {partition} of an operator has no number")))
    }
}

/// The numbers of so many partitions, one in each.
fn numbers(partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::new(Schema::new(vec![Field::new("partition", DataType::UInt64, false)]));
    let row = |number: usize| -> Result<Vec<RecordBatch>> {
        let array = Arc::new(UInt64Array::from(vec![number as u64]));
        Ok(vec![RecordBatch::try_new(Arc::clone(&schema), vec![array])?])
    };
    let rows = (0..partitions).map(row).collect::<Result<Vec<_>>>()?;
    Ok(MemorySourceConfig::try_new_exec(&rows, schema, None)?)
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
        vec![&self.input, &self.numbers]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true, false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false, false]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop(), children.is_empty()) {
            (Some(numbers), Some(input), true) => {
                let partitions = |plan: &Arc<dyn ExecutionPlan>| plan.output_partitioning().partition_count();
                // The input was given other partitions, which are all there are.
                let same = partitions(&numbers) == partitions(&input);
                let numbers = if same { numbers } else { self::numbers(partitions(&input))? };
                Ok(Arc::new(Self { input, numbers, shift: self.shift }))
            }
            _ => Err(DataFusionError::Internal("a task has an input and numbers".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let number = self.number(partition)?;
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
