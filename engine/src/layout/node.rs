//! `LayoutNode`: a layout in a logical plan.

use std::cmp::Ordering;
use std::fmt;

use datafusion::common::DFSchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, SortExpr, UserDefinedLogicalNodeCore};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A row goes to the partition that the last column says, a `BIGINT`, taken modulo the number of partitions; without a
    /// number of partitions there are as many as the rows need.
    Shuffle {
        /// Partitions.
        partitions: Option<usize>,
    },
    /// Neighbouring partitions become one until there are no more than this; the last column says which a row comes from.
    Coalesce {
        /// Partitions.
        partitions: usize,
    },
    /// Rows are sorted in each partition.
    Sorted {
        /// By these.
        keys: Vec<SortExpr>,
    },
    /// Rows stay where they are, and limits above them.
    Kept,
    /// All rows are in one partition, sorted.
    Merged {
        /// By these.
        keys: Vec<SortExpr>,
    },
}

/// Rows laid out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayoutNode {
    input: LogicalPlan,
    layout: Layout,
}

impl LayoutNode {
    /// `input` laid out.
    #[must_use]
    pub fn new(input: LogicalPlan, layout: Layout) -> Self {
        Self { input, layout }
    }

    /// The node as a plan.
    #[must_use]
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: std::sync::Arc::new(self) })
    }

    /// What was asked for.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl UserDefinedLogicalNodeCore for LayoutNode {
    fn name(&self) -> &str {
        "Layout"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        match &self.layout {
            Layout::Sorted { keys } | Layout::Merged { keys } => keys.iter().map(|key| key.expr.clone()).collect(),
            Layout::Shuffle { .. } | Layout::Coalesce { .. } | Layout::Kept => Vec::new(),
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.layout {
            Layout::Shuffle { partitions: Some(partitions) } => write!(f, "Shuffle: partitions={partitions}"),
            Layout::Shuffle { partitions: None } => f.write_str("Shuffle"),
            Layout::Coalesce { partitions } => write!(f, "Coalesce: partitions={partitions}"),
            Layout::Sorted { .. } => f.write_str("SortWithinPartitions"),
            Layout::Kept => f.write_str("Kept"),
            Layout::Merged { .. } => f.write_str("SortIntoOne"),
        }
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return Err(DataFusionError::Internal("a layout has one input".into()));
        };
        let by = |keys: &[SortExpr]| keys.iter().zip(exprs).map(|(key, expr)| key.with_expr(expr)).collect();
        let layout = match &self.layout {
            Layout::Sorted { keys } => Layout::Sorted { keys: by(keys) },
            Layout::Merged { keys } => Layout::Merged { keys: by(keys) },
            other => other.clone(),
        };
        Ok(Self { input, layout })
    }

    /// What is asked for, and the number of the partition.
    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut columns = output_columns.to_vec();
        match &self.layout {
            Layout::Shuffle { .. } | Layout::Coalesce { .. } => {
                columns.extend(self.input.schema().fields().len().checked_sub(1));
            }
            Layout::Kept => {}
            Layout::Sorted { keys } | Layout::Merged { keys } => {
                for column in keys.iter().flat_map(|key| key.expr.column_refs()) {
                    columns.extend(self.input.schema().maybe_index_of_column(column));
                }
            }
        }
        columns.sort_unstable();
        columns.dedup();
        Some(vec![columns])
    }
}

impl PartialOrd for LayoutNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.layout == other.layout { self.input.partial_cmp(&other.input) } else { None }
    }
}
