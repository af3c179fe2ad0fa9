//! `InOrderExec`: a merge of partitions that keeps their order, as Spark's `collect` and `LIMIT` do.
//!
//! ```text
//! InOrderExec                partition 0 to its end, then partition 1, ...
//!   CoalescePartitionsExec   what a planner cuts stages at; never run itself
//! ```
//!
//! The partitions next in line run ahead by a batch or two, so that order does not cost all parallelism. It changes no rows,
//! and knows nothing of why their order matters.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};
use futures::StreamExt;
use tokio::sync::mpsc;

/// Batches a partition may be ahead of its turn.
const AHEAD: usize = 2;

/// Runs the merge below it in the order of its partitions.
#[derive(Debug)]
pub struct InOrderExec {
    merge: Arc<dyn ExecutionPlan>,
    /// Rows wanted; `None` for all. Kept here too, because a planner may make the merge anew.
    wanted: Option<usize>,
}

impl InOrderExec {
    /// Around a [`CoalescePartitionsExec`]; anything else below it must have one partition, and is run as it is.
    #[must_use]
    pub fn new(merge: Arc<dyn ExecutionPlan>, wanted: Option<usize>) -> Self {
        Self { merge, wanted }
    }

    /// Rows wanted; `None` for all.
    #[must_use]
    pub fn wanted(&self) -> Option<usize> {
        self.wanted
    }
}

impl DisplayAs for InOrderExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wanted {
            Some(wanted) => write!(f, "InOrderExec: fetch={wanted}"),
            None => f.write_str("InOrderExec"),
        }
    }
}

impl ExecutionPlan for InOrderExec {
    fn name(&self) -> &str {
        "InOrderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.merge.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.merge]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
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
            (Some(merge), true) => Ok(Arc::new(Self { merge, wanted: self.wanted })),
            _ => Err(DataFusionError::Internal("a merge has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(DataFusionError::Internal("a merge has one partition".into()));
        }
        let input = match self.merge.downcast_ref::<CoalescePartitionsExec>() {
            Some(merge) => merge.input(),
            None => &self.merge,
        };
        let turns = Turns {
            at_once: context.session_config().target_partitions().max(1),
            partitions: input.output_partitioning().partition_count(),
            input: Arc::clone(input),
            context,
            next: 0,
            running: VecDeque::new(),
            wanted: self.wanted,
            ended: false,
        };
        let batches =
            futures::stream::unfold(turns, |mut turns| async move { turns.step().await.map(|item| (item, turns)) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

/// A partition that is being read.
struct Running {
    batches: mpsc::Receiver<Result<RecordBatch>>,
    task: SpawnedTask<()>,
}

/// The partitions in their order.
struct Turns {
    input: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    partitions: usize,
    next: usize,
    at_once: usize,
    running: VecDeque<Running>,
    /// Rows still to give; `None` for all.
    wanted: Option<usize>,
    ended: bool,
}

impl Turns {
    async fn step(&mut self) -> Option<Result<RecordBatch>> {
        while !self.ended && self.wanted != Some(0) {
            self.fill();
            let Some(first) = self.running.front_mut() else { break };
            match first.batches.recv().await {
                Some(Ok(batch)) => return Some(Ok(self.cut(batch))),
                Some(Err(error)) => {
                    self.ended = true;
                    self.running.clear();
                    return Some(Err(error));
                }
                None => {
                    let Some(done) = self.running.pop_front() else { break };
                    if let Err(error) = done.task.join().await {
                        self.ended = true;
                        self.running.clear();
                        return Some(Err(DataFusionError::ExecutionJoin(Box::new(error))));
                    }
                }
            }
        }
        // Partitions that are not needed any more stop here.
        self.ended = true;
        self.running.clear();
        None
    }

    fn cut(&mut self, batch: RecordBatch) -> RecordBatch {
        let Some(wanted) = self.wanted else { return batch };
        let rows = batch.num_rows().min(wanted);
        self.wanted = Some(wanted - rows);
        if rows == batch.num_rows() { batch } else { batch.slice(0, rows) }
    }

    fn fill(&mut self) {
        while self.next < self.partitions && self.running.len() < self.at_once {
            let (sender, batches) = mpsc::channel(AHEAD);
            let (input, context, partition) = (Arc::clone(&self.input), Arc::clone(&self.context), self.next);
            self.next += 1;
            let task = SpawnedTask::spawn(async move {
                let mut stream = match input.execute(partition, context) {
                    Ok(stream) => stream,
                    Err(error) => {
                        // Nobody is left to tell when the reader has gone.
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                };
                while let Some(item) = stream.next().await {
                    let failed = item.is_err();
                    if sender.send(item).await.is_err() || failed {
                        return;
                    }
                }
            });
            self.running.push_back(Running { batches, task });
        }
    }
}
