//! Evaluates constant expressions during analysis: limits, pivot values, literals that need the session time zone.
//!
//! It runs DataFusion's physical expressions on one row without columns.

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_plan::ColumnarValue;
use datafusion::scalar::ScalarValue;
use firesteel_functions::{SparkError, SparkResult};

use super::{Analyzer, errors};

impl Analyzer<'_> {
    /// The value of an expression without columns, subqueries and aggregates.
    pub(super) fn fold(&self, expr: &Expr) -> SparkResult<ScalarValue> {
        if let Expr::Literal(value, _) = expr {
            return Ok(value.clone());
        }
        let schema = Arc::new(Schema::empty());
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(schema, vec![], &options)
            .map_err(|e| SparkError::internal(e.to_string()))?;
        let mut props = ExecutionProps::new();
        props.config_options = Some(Arc::clone(&self.context.config));
        let physical = create_physical_expr(expr, &DFSchema::empty(), &props, &PhysicalPlanningContext::default())
            .map_err(errors::planning)?;
        match physical.evaluate(&row).map_err(errors::planning)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0).map_err(errors::planning),
        }
    }
}

/// Whether an expression has the same value for every row and can be computed now.
pub(super) fn is_constant(expr: &Expr) -> bool {
    use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
    let mut constant = true;
    let visited = expr.apply(|e| {
        constant = match e {
            Expr::Column(_)
            | Expr::OuterReferenceColumn(..)
            | Expr::AggregateFunction(_)
            | Expr::WindowFunction(_)
            | Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::LambdaVariable(_)
            | Expr::HigherOrderFunction(_)
            | Expr::Placeholder(_) => false,
            other => !other.is_volatile_node(),
        };
        Ok(if constant { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    visited.is_ok() && constant
}
