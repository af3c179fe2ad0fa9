//! `AsIsExec`: rows as they are, and what planners should know of them that the plan below does not say.
//!
//! ```text
//! HashJoin(CollectLeft)       broadcasts its left side only if that is known to be small
//!   AsIsExec: rows=7          what was estimated when the exchange was still an exchange
//!     UnresolvedShuffle       knows nothing
//!
//! Aggregate(Partial)          first(page)
//!   AsIsExec: sorted=[time]   so that nobody drops a sort that nothing else asks for
//!     Sort: time
//! ```
//!
//! It changes no rows, and a wrong estimate changes no answer. A plan that has travelled is planned no more, so there it
//! knows nothing.

use std::fmt;
use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, LexOrdering, OrderingRequirements, PhysicalExpr};
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, InputDistributionRequirements, PlanProperties,
};

/// Passes rows on.
#[derive(Debug)]
pub struct AsIsExec {
    input: Arc<dyn ExecutionPlan>,
    rows: Option<usize>,
    sorted: Option<LexOrdering>,
    /// The rows were in one partition, sorted as a whole, and shall stay so.
    whole: bool,
}

impl AsIsExec {
    /// Around `input`, of which nothing is to be said.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, rows: None, sorted: None, whole: false }
    }

    /// Around `input`, which has about so many rows.
    #[must_use]
    pub fn estimated(input: Arc<dyn ExecutionPlan>, rows: usize) -> Self {
        Self { rows: Some(rows), ..Self::new(input) }
    }

    /// Around `input`, each of whose partitions is sorted by `keys`.
    #[must_use]
    pub fn sorted(input: Arc<dyn ExecutionPlan>, keys: LexOrdering) -> Self {
        let whole = input.output_partitioning().partition_count() == 1;
        Self { sorted: Some(keys), whole, ..Self::new(input) }
    }
}

impl DisplayAs for AsIsExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rows, &self.sorted) {
            (Some(rows), _) => write!(f, "AsIsExec: rows={rows}"),
            (None, Some(keys)) => write!(f, "AsIsExec: sorted=[{keys}]"),
            (None, None) => f.write_str("AsIsExec"),
        }
    }
}

impl ExecutionPlan for AsIsExec {
    fn name(&self) -> &str {
        "AsIsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let wanted = if self.whole { Distribution::SinglePartition } else { Distribution::UnspecifiedDistribution };
        InputDistributionRequirements::new(vec![wanted])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.sorted.clone().map(OrderingRequirements::from)]
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
            (Some(input), true) => {
                Ok(Arc::new(Self { input, rows: self.rows, sorted: self.sorted.clone(), whole: self.whole }))
            }
            _ => Err(DataFusionError::Internal("rows as they are have one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let schema = self.schema();
        // Of one partition nothing is estimated.
        if let (Some(rows), None) = (self.rows, args.partition()) {
            let column_statistics = vec![ColumnStatistics::new_unknown(); schema.fields().len()];
            let (num_rows, total_byte_size) = (Precision::Inexact(rows), Precision::Absent);
            return Ok(Arc::new(Statistics { num_rows, total_byte_size, column_statistics }));
        }
        Ok(inputs.first().map_or_else(|| Arc::new(Statistics::new_unknown(&schema)), Arc::clone))
    }
}
