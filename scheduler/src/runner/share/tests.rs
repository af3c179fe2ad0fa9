//! That equal exchanges become one stage, read by its right number, and that others stay apart.

use datafusion::physical_plan::displayable;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use firesteel_engine::key_filter::KeyFilterExec;
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

/// A query whose joins are reduced, cut into stages: the whole plan, and how often each stage reads keys for a filter.
async fn filters(sql: &str) -> (String, Vec<(usize, usize)>) {
    let folder = tempfile::tempdir().unwrap();
    let (plan, options) = planned(sql, &folder).await;
    let limits = reduction::Limits { fewest_rows: 10, ..reduction::Limits::of_broadcast(1 << 20) };
    let shared = shared(reduction::reduce(plan, limits).unwrap(), &options).unwrap();
    let text = displayable(shared.as_ref()).indent(false).to_string();
    let stages = DefaultDistributedPlanner::new().plan_query_stages(&JobId::new("test"), shared, &options).unwrap();
    let mut read = Vec::new();
    for stage in &stages {
        let id = stage.stage_id();
        stage.children()[0]
            .apply(|node| {
                let keys = node.downcast_ref::<KeyFilterExec>().map(KeyFilterExec::keys);
                if let Some(reader) = keys.map(|keys| keys.downcast_ref::<UnresolvedShuffleExec>().unwrap()) {
                    assert!(reader.broadcast && reader.stage_id != id, "{text}");
                    let made = stages.iter().find(|stage| stage.stage_id() == reader.stage_id).unwrap();
                    let partitions = made.shuffle_output_partitioning().unwrap().partition_count();
                    assert_eq!(partitions, reader.upstream_partition_count, "{text}");
                    assert_eq!(made.schema(), reader.schema, "{text}");
                    read.push((id, reader.stage_id));
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .unwrap();
    }
    (text, read)
}

#[tokio::test]
async fn keys_that_a_stage_makes_anyway_are_read_from_it() {
    let (plan, read) = filters("select a.g, b.g from t a join t b on a.k = b.k where a.g = 3").await;
    assert_eq!(read.len(), 1, "{plan}");
    assert_eq!(plan.matches("RepartitionExec: partitioning=Hash").count(), 2, "{plan}");
    // The keys are on the right, so their stage is cut after the one that reads them.
    let (plan, read) = filters("select a.g, b.g from t a join t b on a.k = b.k where b.g = 3").await;
    assert_eq!(read.len(), 1, "{plan}");
}

#[tokio::test]
async fn what_a_having_leaves_filters_what_is_joined_with_it() {
    let few = "select k, g from t where k in (select k from t group by k having sum(g) > 5)";
    let (plan, read) =
        filters(&format!("select a.k, c.g from t b join ({few}) a on b.k = a.g join t c on a.k = c.k")).await;
    assert_eq!(read.len(), 1, "{plan}");
}

#[tokio::test]
async fn keys_may_be_filtered_by_keys_themselves() {
    let few = "select a.k, a.g from t a join t b on a.k = b.k where a.g = 3";
    let (plan, read) = filters(&format!("select few.k, c.k from ({few}) few join t c on few.g = c.k")).await;
    let stages: HashSet<usize> = read.iter().map(|(_, made)| *made).collect();
    assert_eq!((read.len(), stages.len()), (2, 2), "{plan}");
}

#[tokio::test]
async fn a_filter_whose_keys_nobody_makes_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, options) = planned("select a.g, b.g from t a join t b on a.k = b.k", &folder).await;
    let (other, _) = planned("select k, count(*) from t group by k", &folder).await;
    let alone: Arc<dyn ExecutionPlan> = Arc::new(KeyFilterExec::new(other, 0, plan, 0));
    let text = displayable(shared(alone, &options).unwrap().as_ref()).indent(false).to_string();
    assert!(!text.contains("KeyFilterExec") && text.contains("HashJoinExec"), "{text}");
}
