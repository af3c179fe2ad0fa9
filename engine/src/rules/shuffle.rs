//! Shuffles both sides of the joins that collect their left side in one process, but must not in stages.
//!
//! A left semi, left anti or left outer join gives rows of its left side once, however many rows of the right match. A task
//! that has all of the left side and a part of the right one cannot tell. Ballista shuffles such joins as it cuts the plan
//! into stages; done before, the exchanges are there for other rules to see, such as [`super::reduction`].

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};

/// The plan with both sides of such joins in `partitions` partitions by their keys.
///
/// # Errors
/// When an operator cannot be rebuilt.
pub fn shuffled(plan: Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| match node.downcast_ref::<HashJoinExec>() {
        Some(join) if is_unsafe(join) => Ok(Transformed::yes(by_keys(join, partitions)?)),
        _ => Ok(Transformed::no(node)),
    })
    .data()
}

/// Whether a join needs its whole right side in one task. With one partition it has that, and operators above may rely on
/// there being one.
fn is_unsafe(join: &HashJoinExec) -> bool {
    let by_probe_rows = matches!(
        join.join_type(),
        JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    );
    *join.partition_mode() == PartitionMode::CollectLeft
        && !by_probe_rows
        && !join.null_aware
        && join.right().output_partitioning().partition_count() > 1
}

fn by_keys(join: &HashJoinExec, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let (left, right) = join.on().iter().map(|(left, right)| (Arc::clone(left), Arc::clone(right))).unzip();
    let exchange = |input: &Arc<dyn ExecutionPlan>, keys| -> Result<Arc<dyn ExecutionPlan>> {
        let merged = input.downcast_ref::<CoalescePartitionsExec>().filter(|merge| merge.fetch().is_none());
        let input = merged.map_or(input, |merge| merge.input());
        Ok(Arc::new(RepartitionExec::try_new(Arc::clone(input), Partitioning::Hash(keys, partitions))?))
    };
    let children = vec![exchange(join.left(), left)?, exchange(join.right(), right)?];
    join.builder().with_partition_mode(PartitionMode::Partitioned).with_new_children(children)?.build_exec()
}

#[cfg(test)]
mod tests {
    use datafusion::physical_plan::displayable;
    use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

    use super::*;

    async fn planned(sql: &str) -> (SessionContext, Arc<dyn ExecutionPlan>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(3));
        for (table, rows) in [("small", 100), ("large", 50_000)] {
            let path = folder.path().join(table).to_string_lossy().into_owned();
            let rows = format!("select value as k, value % 10 as g from generate_series(1, {rows})");
            let copy = format!("copy ({rows}) to '{path}/' stored as parquet");
            SessionContext::new().sql(&copy).await.unwrap().collect().await.unwrap();
            let options = ParquetReadOptions::default().file_extension("");
            context.register_parquet(table, &path, options).await.unwrap();
        }
        let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
        (context, plan, folder)
    }

    #[tokio::test]
    async fn a_side_whose_rows_must_come_once_is_not_collected() {
        for (join, rows) in [("left semi", 100), ("left anti", 0), ("left", 100)] {
            let sql = format!("select s.k from small s {join} join large l on s.k = l.k where s.g >= 0");
            let (context, plan, _folder) = planned(&sql).await;
            let plan = shuffled(plan, 3).unwrap();
            let text = displayable(plan.as_ref()).indent(false).to_string();
            assert!(!text.contains("CollectLeft, join_type=Left"), "{text}");
            assert!(text.contains("Partitioned, join_type=Left"), "{text}");
            let found = datafusion::physical_plan::collect(plan, context.task_ctx()).await.unwrap();
            assert_eq!(found.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), rows, "{text}");
        }
    }

    #[tokio::test]
    async fn what_may_be_broadcast_stays() {
        let (_context, plan, _folder) = planned("select s.k from small s join large l on s.k = l.k").await;
        let before = displayable(plan.as_ref()).indent(false).to_string();
        assert!(before.contains("CollectLeft"), "{before}");
        assert_eq!(displayable(shuffled(plan, 3).unwrap().as_ref()).indent(false).to_string(), before);
    }
}
