//! That equal exchanges become one stage, read by its right number, and that others stay apart.

use datafusion::physical_plan::displayable;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use firesteel_engine::session::profile;
use firesteel_engine::{EngineConfig, SessionOverrides, SessionRecipe};
use tempfile::TempDir;

use super::*;
use crate::cluster;
use crate::settings::ShuffleCodec;

async fn session(folder: &TempDir) -> Arc<SessionContext> {
    let recipe = SessionRecipe::new(EngineConfig { target_partitions: 3, ..EngineConfig::default() }).unwrap();
    let ctx = recipe.context(SessionOverrides::default()).unwrap();
    let path = folder.path().join("t.parquet").to_string_lossy().into_owned();
    let rows = "select value as k, value % 7 as g from generate_series(1, 1000)";
    SessionContext::new().sql(&format!("copy ({rows}) to '{path}'")).await.unwrap().collect().await.unwrap();
    ctx.register_parquet("t", &path, ParquetReadOptions::default()).await.unwrap();
    ctx
}

/// A plan in which both sides of every join travel, and the options it was made with.
async fn planned(sql: &str, folder: &TempDir) -> (Arc<dyn ExecutionPlan>, ConfigOptions) {
    let mut state = session(folder).await.state();
    *state.config_mut() = cluster::session_config(state.config().clone(), ShuffleCodec::None);
    let options = state.config_mut().options_mut();
    profile::stamp(options);
    options.optimizer.hash_join_single_partition_threshold = 0;
    options.optimizer.hash_join_single_partition_threshold_rows = 0;
    let logical = state.create_logical_plan(sql).await.unwrap();
    let plan = state.create_physical_plan(&logical).await.unwrap();
    (plan, state.config_options().as_ref().clone())
}

/// How many exchanges are read that another part of the plan makes, and the plan.
async fn readers(sql: &str) -> (usize, String) {
    let folder = tempfile::tempdir().unwrap();
    let (plan, options) = planned(sql, &folder).await;
    let shared = shared(plan, &options).unwrap();
    let text = displayable(shared.as_ref()).indent(false).to_string();
    let job = JobId::new("test");
    let stages = DefaultDistributedPlanner::new().plan_query_stages(&job, Arc::clone(&shared), &options);
    let stages = stages.unwrap();
    let mut count = 0;
    let _ = shared.apply(|node| {
        if let Some(reader) = node.downcast_ref::<UnresolvedShuffleExec>() {
            count += 1;
            let stage = stages.iter().find(|stage| stage.stage_id() == reader.stage_id).unwrap();
            assert_eq!(stage.shuffle_output_partitioning(), Some(reader.properties().output_partitioning()), "{text}");
            assert_eq!(stage.schema().fields().len(), reader.schema.fields().len(), "{text}");
        }
        Ok(TreeNodeRecursion::Continue)
    });
    (count, text)
}

const SUMS: &str = "with s as (select g, sum(k) as total from t group by g)";

#[tokio::test]
async fn what_a_query_asks_for_twice_is_made_once() {
    let (count, plan) = readers(&format!("{SUMS} select * from s a join s b on a.g = b.total")).await;
    assert_eq!(count, 1, "{plan}");
    let (count, plan) =
        readers(&format!("{SUMS} select * from s a join s b on a.g = b.total join s c on b.g = c.total")).await;
    assert_eq!(count, 2, "{plan}");
}

#[tokio::test]
async fn what_differs_or_may_differ_is_made_each_time() {
    for sql in [
        "select * from (select g, sum(k) s from t where k < 9 group by g) a
            join (select g, sum(k) s from t where k < 8 group by g) b on a.s = b.g",
        "with s as (select g, sum(rand(7, 0)) as total from t group by g) select * from s a join s b on a.total = b.g",
        "with s as (select g, sum(k) as total from (select * from t limit 50) group by g)
            select * from s a join s b on a.total = b.g",
    ] {
        let (count, plan) = readers(sql).await;
        assert_eq!(count, 0, "{plan}");
    }
}

#[tokio::test]
async fn keys_that_another_stage_made_are_broadcast() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "select a.g, b.g from t a join t b on a.k = b.k where a.g = 3";
    let (plan, options) = planned(sql, &folder).await;
    let limits = reduction::Limits { fewest_rows: 10, ..reduction::Limits::of_broadcast(1 << 20) };
    let shared = shared(reduction::reduce(plan, limits).unwrap(), &options).unwrap();
    let text = displayable(shared.as_ref()).indent(false).to_string();
    assert!(text.contains("UnresolvedShuffleExec") && text.contains("RightSemi"), "{text}");
    let stages = DefaultDistributedPlanner::new().plan_query_stages(&JobId::new("test"), shared, &options).unwrap();
    let mut semi_joins = 0;
    for stage in &stages {
        let top = Arc::clone(stage.children().first().unwrap());
        let text = displayable(top.as_ref()).indent(false).to_string();
        semi_joins += text.matches("mode=CollectLeft, join_type=RightSemi").count();
        assert!(!text.contains("mode=Partitioned, join_type=RightSemi"), "{text}");
    }
    assert_eq!(semi_joins, 1);
}
