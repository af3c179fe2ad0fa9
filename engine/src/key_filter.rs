//! `KeyFilterExec`: drops rows whose key is not among the keys of another plan, as long as those turn out to be few.
//!
//! ```text
//! KeyFilterExec: key=o_orderkey, column=l_orderkey
//!   UnresolvedShuffle: broadcast      orders that are left; how many, nobody knew when this was planned
//!   lineitem
//! ```
//!
//! A semi join has to take all keys, however many there are. This filter may let a row pass that has no partner, because
//! the join above it drops such rows anyway. So it gives up when there are more keys than pay, and keeps no more than two
//! bytes of each. It may stand only where a join with the same keys follows. It knows no runner.

mod keys;

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::error::ArrowError;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};
use futures::stream::unfold;
use futures::{StreamExt, TryFutureExt};
use tokio::sync::OnceCell;

use keys::Keys;

/// Drops rows without a partner.
#[derive(Debug)]
pub struct KeyFilterExec {
    keys: Arc<dyn ExecutionPlan>,
    key: usize,
    input: Arc<dyn ExecutionPlan>,
    column: usize,
    /// About how many rows are left; `None` where nobody can tell.
    rows: Option<usize>,
    /// Read once for all partitions of a task.
    known: Arc<OnceCell<Keys>>,
    metrics: ExecutionPlanMetricsSet,
}

impl KeyFilterExec {
    /// Rows of `input` whose `column` is among the values of `key` in `keys`. To be run, `keys` must have one partition.
    #[must_use]
    pub fn new(keys: Arc<dyn ExecutionPlan>, key: usize, input: Arc<dyn ExecutionPlan>, column: usize) -> Self {
        let (known, metrics) = (Arc::default(), ExecutionPlanMetricsSet::new());
        Self { keys, key, input, column, rows: None, known, metrics }
    }

    /// The same filter, said to leave about so many rows.
    #[must_use]
    pub fn estimated(self, rows: Option<usize>) -> Self {
        Self { rows, ..self }
    }

    /// Where the keys come from.
    #[must_use]
    pub fn keys(&self) -> &Arc<dyn ExecutionPlan> {
        &self.keys
    }

    /// What is filtered.
    #[must_use]
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The index of the key in the keys, and of the column in the input.
    #[must_use]
    pub fn on(&self) -> (usize, usize) {
        (self.key, self.column)
    }
}

impl DisplayAs for KeyFilterExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, input) = (self.keys.schema(), self.input.schema());
        write!(f, "KeyFilterExec: key={}, column={}", keys.field(self.key).name(), input.field(self.column).name())
    }
}

impl ExecutionPlan for KeyFilterExec {
    fn name(&self) -> &str {
        "KeyFilterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.keys, &self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition, Distribution::UnspecifiedDistribution])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false, true]
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
            (Some(input), Some(keys), true) => {
                Ok(Arc::new(Self::new(keys, self.key, input, self.column).estimated(self.rows)))
            }
            _ => internal_err!("a filter by keys has two inputs"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // With a part of the keys it would drop rows that have a partner.
        if self.keys.output_partitioning().partition_count() != 1 {
            return internal_err!("the keys of a filter come in one partition");
        }
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (known, keys, key) = (Arc::clone(&self.known), Arc::clone(&self.keys), self.key);
        let (input, column, schema) = (Arc::clone(&self.input), self.column, self.schema());
        let opened = async move {
            let read = Keys::read(keys, key, Arc::clone(&context));
            let keys = known.get_or_try_init(|| read).await?.clone();
            let size = context.session_config().batch_size();
            let output = BatchCoalescer::new(input.schema(), size).with_biggest_coalesce_batch_size(Some(size / 2));
            Ok(Filter { keys, column, rows: input.execute(partition, context)?, output, ended: false, metrics })
        };
        let rows = opened.map_ok(|filter| unfold(filter, Filter::next)).try_flatten_stream();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::Skip, ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let known = inputs.get(1).map(|input| input.as_ref().clone().to_inexact());
        let mut known = known.unwrap_or_else(|| Statistics::new_unknown(&self.schema()));
        // Of one partition nothing is estimated.
        if let (Some(rows), None) = (self.rows, args.partition()) {
            known.num_rows = known.num_rows.min(&Precision::Inexact(rows));
            known.total_byte_size = Precision::Absent;
        }
        Ok(Arc::new(known))
    }
}

/// One partition that is being filtered.
struct Filter {
    keys: Keys,
    column: usize,
    rows: SendableRecordBatchStream,
    output: BatchCoalescer,
    ended: bool,
    metrics: BaselineMetrics,
}

impl Filter {
    async fn next(mut self) -> Option<(Result<RecordBatch>, Self)> {
        loop {
            if let Some(batch) = self.output.next_completed_batch() {
                return Some((Ok(batch.record_output(&self.metrics)), self));
            }
            if self.ended {
                return None;
            }
            let taken = match self.rows.next().await {
                Some(Ok(batch)) => self.take(batch),
                Some(Err(error)) => Err(error),
                None => {
                    self.ended = true;
                    self.output.finish_buffered_batch().map_err(Into::into)
                }
            };
            if let Err(error) = taken {
                self.ended = true;
                return Some((Err(error), self));
            }
        }
    }

    fn take(&mut self, batch: RecordBatch) -> Result<()> {
        let _timer = self.metrics.elapsed_compute().timer();
        let pushed: Result<(), ArrowError> = match self.keys.among(batch.column(self.column))? {
            Some(mask) => self.output.push_batch_with_filter(batch, &mask),
            None => self.output.push_batch(batch),
        };
        Ok(pushed?)
    }
}

#[cfg(test)]
mod tests;
