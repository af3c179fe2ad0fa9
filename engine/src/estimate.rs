//! `EstimateExec`: rows as they are, and how many they are likely to be, where what is below cannot say.
//!
//! ```text
//! HashJoin(CollectLeft)      broadcasts its left side only if that is known to be small
//!   EstimateExec: rows=7     what was estimated when the exchange was still an exchange
//!     UnresolvedShuffle      knows nothing
//! ```
//!
//! It changes no rows, and a wrong estimate changes no answer.

use std::fmt;
use std::sync::Arc;

use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

/// Says how many rows its input has.
#[derive(Debug)]
pub struct EstimateExec {
    input: Arc<dyn ExecutionPlan>,
    rows: usize,
}

impl EstimateExec {
    /// Around `input`, which has about so many rows.
    #[must_use]
    pub fn new(input: Arc<dyn ExecutionPlan>, rows: usize) -> Self {
        Self { input, rows }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl DisplayAs for EstimateExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EstimateExec: rows={}", self.rows)
    }
}

impl ExecutionPlan for EstimateExec {
    fn name(&self) -> &str {
        "EstimateExec"
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
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.rows))),
            _ => Err(DataFusionError::Internal("an estimate has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let schema = self.schema();
        // Of one partition nothing is known.
        let num_rows = if args.partition().is_none() { Precision::Inexact(self.rows) } else { Precision::Absent };
        let column_statistics = vec![ColumnStatistics::new_unknown(); schema.fields().len()];
        Ok(Arc::new(Statistics { num_rows, total_byte_size: Precision::Absent, column_statistics }))
    }
}
