//! `LayoutExec`: a layout while a plan is being made. It never runs: a rule replaces it.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};

/// Rows in partitions as they shall be.
#[derive(Debug)]
pub struct LayoutExec {
    input: Arc<dyn ExecutionPlan>,
    wanted: Wanted,
    properties: Arc<PlanProperties>,
}

/// What shall be.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// Each row in the partition its last column says.
    Shuffle(usize),
    /// No more partitions than these.
    Coalesce(usize),
    /// Each partition in this order.
    Sorted(LexOrdering),
    /// As they are.
    Kept,
    /// One partition in this order.
    Merged(LexOrdering),
}

impl LayoutExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, wanted: Wanted) -> Self {
        let given = input.output_partitioning().partition_count();
        let partitions = match &wanted {
            Wanted::Shuffle(partitions) => *partitions,
            Wanted::Coalesce(partitions) => given.min(*partitions),
            Wanted::Sorted(_) | Wanted::Kept => given,
            Wanted::Merged(_) => 1,
        };
        // Nothing above may rely on an order that the plan keeps only if this operator does.
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, wanted, properties: Arc::new(properties) }
    }

    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}

impl DisplayAs for LayoutExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wanted {
            Wanted::Shuffle(partitions) => write!(f, "LayoutExec: shuffle={partitions}"),
            Wanted::Coalesce(partitions) => write!(f, "LayoutExec: coalesce={partitions}"),
            Wanted::Sorted(keys) => write!(f, "LayoutExec: sorted=[{keys}]"),
            Wanted::Kept => f.write_str("LayoutExec: kept"),
            Wanted::Merged(keys) => write!(f, "LayoutExec: merged=[{keys}]"),
        }
    }
}

impl ExecutionPlan for LayoutExec {
    fn name(&self) -> &str {
        "LayoutExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        if let Wanted::Sorted(keys) | Wanted::Merged(keys) = &self.wanted {
            for key in keys {
                if f(&key.expr)? == TreeNodeRecursion::Stop {
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.wanted.clone()))),
            _ => Err(DataFusionError::Internal("a layout has one input".into())),
        }
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Err(DataFusionError::Internal("a layout was not planned to its end".into()))
    }
}
