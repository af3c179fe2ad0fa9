//! Says of filters which share of the rows they are likely to keep, where DataFusion has only one figure for all.
//!
//! DataFusion works the share out for comparisons of numbers and dates with what it knows of the column. With one other
//! condition in it, be it on a string, the whole filter is taken to keep 20 of 100 rows. Here such conditions count by kind, as
//! in Selinger et al., "Access Path Selection in a Relational Database Management System" (1979), section 4, and the
//! others by DataFusion's own reckoning. It changes estimates only, and with them which side of a join is built or broadcast.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr};
use datafusion::physical_expr::intervals::utils::check_support;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;

use super::columns::rows;

/// An equality with a value, and a search in a text.
const EQUAL: f64 = 0.1;
/// A comparison with an end on one side.
const OPEN_RANGE: f64 = 1.0 / 3.0;
/// A list of values keeps no more, however long it is.
const MOST_OF_A_LIST: f64 = 0.5;
/// Nulls in a column that has some.
const NULLS: f64 = 0.05;
/// What is of no known kind: DataFusion's own figure.
const UNKNOWN: f64 = 0.2;

/// Sets the share of every filter of which DataFusion cannot tell it.
#[derive(Debug, Default)]
pub(super) struct EstimateFilters;

impl PhysicalOptimizerRule for EstimateFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(filter) = node.downcast_ref::<FilterExec>() else { return Ok(Transformed::no(node)) };
            let Some(share) = kept(filter.predicate(), filter.input())? else { return Ok(Transformed::no(node)) };
            let filter = filter.clone().with_default_selectivity(percent(share))?;
            Ok(Transformed::yes(Arc::new(filter) as Arc<dyn ExecutionPlan>))
        })
        .data()
    }

    fn name(&self) -> &str {
        "estimate_filters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Never none: a guess that is too low makes a broadcast of a large side, one that is too high only an exchange.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100")]
fn percent(share: f64) -> u8 {
    (share * 100.0).ceil().clamp(1.0, 100.0) as u8
}

/// The share of the input's rows that a predicate keeps, or `None` where DataFusion works it out.
fn kept(predicate: &Arc<dyn PhysicalExpr>, input: &Arc<dyn ExecutionPlan>) -> Result<Option<f64>> {
    let schema = input.schema();
    let (known, guessed): (Vec<_>, Vec<_>) =
        split_conjunction(predicate).into_iter().map(Arc::clone).partition(|part| check_support(part, &schema));
    if guessed.is_empty() {
        return Ok(None);
    }
    let guess = guessed.iter().map(share).product::<f64>();
    if known.is_empty() {
        return Ok(Some(guess));
    }
    let of_known = FilterExec::try_new(conjunction(known.iter().map(Arc::clone)), Arc::clone(input))?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let known = match (rows(&of_known)?, rows(input.as_ref())?) {
        (Some(kept), Some(all)) if all > 0 => kept as f64 / all as f64,
        _ => known.iter().map(share).product(),
    };
    Ok(Some(guess * known.min(1.0)))
}

/// The share of rows that a condition of this kind keeps.
fn share(condition: &Arc<dyn PhysicalExpr>) -> f64 {
    if let Some(binary) = condition.downcast_ref::<BinaryExpr>() {
        let sides = || (share(binary.left()), share(binary.right()));
        return match binary.op() {
            Operator::And => {
                let (left, right) = sides();
                left * right
            }
            Operator::Or => {
                let (left, right) = sides();
                (left + right - left * right).min(1.0)
            }
            Operator::Eq | Operator::IsNotDistinctFrom => EQUAL,
            Operator::NotEq | Operator::IsDistinctFrom => 1.0 - EQUAL,
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => OPEN_RANGE,
            _ => UNKNOWN,
        };
    }
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let kept = (list.len() as f64 * EQUAL).min(MOST_OF_A_LIST);
        return if list.negated() { 1.0 - kept } else { kept };
    }
    if let Some(not) = condition.downcast_ref::<NotExpr>() {
        return 1.0 - share(not.arg());
    }
    if condition.is::<IsNullExpr>() {
        return NULLS;
    }
    if condition.is::<IsNotNullExpr>() {
        return 1.0 - NULLS;
    }
    if let Some(function) = condition.downcast_ref::<ScalarFunctionExpr>() {
        let searches = ["like", "ilike", "rlike", "contains", "startswith", "endswith"];
        return if searches.contains(&function.name()) { EQUAL } else { UNKNOWN };
    }
    if condition.is::<Literal>() { 1.0 } else { UNKNOWN }
}

#[cfg(test)]
mod tests {
    use datafusion::common::tree_node::TreeNodeRecursion;
    use datafusion::prelude::{ParquetReadOptions, SessionContext};

    use super::*;

    /// How many of 100 rows the filter of a query is said to keep.
    async fn percent_of(condition: &str) -> u8 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet").to_string_lossy().into_owned();
        let context = SessionContext::new();
        let rows = "select value as k, concat('s', value) as s from generate_series(1, 1000)";
        context.sql(&format!("copy ({rows}) to '{path}'")).await.unwrap().collect().await.unwrap();
        context.register_parquet("t", &path, ParquetReadOptions::default()).await.unwrap();
        let sql = format!("select * from t where {condition}");
        let plan = context.sql(&sql).await.unwrap().create_physical_plan().await.unwrap();
        let plan = EstimateFilters.optimize(plan, &ConfigOptions::default()).unwrap();
        let mut found = None;
        plan.apply(|node| {
            found = found.or(node.downcast_ref::<FilterExec>().map(FilterExec::default_selectivity));
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        found.unwrap()
    }

    #[tokio::test]
    async fn a_filter_counts_by_its_kinds_of_conditions() {
        assert_eq!(percent_of("s = 's7'").await, 10);
        assert_eq!(percent_of("s <> 's7'").await, 90);
        assert_eq!(percent_of("s in ('a', 'b', 'c', 'd')").await, 40);
        assert_eq!(percent_of("s = 'a' or s > 'b'").await, 40);
        assert_eq!(percent_of("s not in ('a', 'b', 'c', 'd', 'e', 'f', 'g') and s <> 'x'").await, 45);
        assert_eq!(percent_of("s = 'a' and upper(s) = 'B' and length(s) = 2").await, 1, "never none");
    }

    #[tokio::test]
    async fn what_is_known_of_a_column_counts_as_known() {
        assert_eq!(percent_of("k > 900").await, 20, "left to DataFusion");
        assert_eq!(percent_of("s <> 's7' and k > 500").await, 45);
    }

    #[test]
    fn shares_are_between_one_and_all() {
        assert_eq!([0.0, 0.001, 0.1, 0.5, 1.0, 7.0].map(percent), [1, 1, 10, 50, 100, 100]);
    }
}
