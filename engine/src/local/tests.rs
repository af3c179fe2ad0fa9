//! Tests of the local runner, through its own door.
use std::time::{Duration, Instant};

use futures::StreamExt;

use super::*;
use crate::session::{EngineConfig, SessionOverrides, SessionRecipe};

#[tokio::test]
async fn a_recursive_query_runs_under_guard() {
    let recipe = SessionRecipe::new(EngineConfig::default()).unwrap();
    let runner = LocalJobRunner::new(2);
    let ctx = recipe.context(SessionOverrides::default()).unwrap();
    let sql = "with recursive t(n) as (select 1 union all select n + 1 from t where n < 100) select n from t";
    let plan = ctx.state().create_logical_plan(sql).await.unwrap();
    let job = runner.submit("test", ctx, plan, CancellationToken::new()).await.unwrap();
    let rows: usize = job.stream.map(|batch| batch.unwrap().num_rows()).collect::<Vec<_>>().await.iter().sum();
    assert_eq!(rows, 100);
}

#[tokio::test]
async fn a_cancelled_job_ends_in_an_error_within_a_second() {
    let recipe = SessionRecipe::new(EngineConfig::default()).unwrap();
    let runner = LocalJobRunner::new(2);
    let ctx = recipe.context(SessionOverrides::default()).unwrap();
    let sql =
        "select count(*) from generate_series(1, 3000000) a, generate_series(1, 1000000) b where a.value % 7 = b.value";
    let plan = ctx.state().create_logical_plan(sql).await.unwrap();
    let cancel = CancellationToken::new();
    let mut job = runner.submit("test", ctx, plan, cancel.clone()).await.unwrap();
    cancel.cancel();
    let begun = Instant::now();
    let first = job.stream.next().await.unwrap();
    assert!(first.is_err());
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(job.stream.next().await.is_none());
}

#[tokio::test]
async fn a_job_yields_all_rows_in_order() {
    let recipe = SessionRecipe::new(EngineConfig::default()).unwrap();
    let runner = LocalJobRunner::new(2);
    let ctx = recipe.context(SessionOverrides::default()).unwrap();
    let plan = ctx.state().create_logical_plan("select value from generate_series(1, 20000)").await.unwrap();
    let job = runner.submit("test", ctx, plan, CancellationToken::new()).await.unwrap();
    let progress = job.progress.clone();
    let rows: usize = job.stream.map(|batch| batch.unwrap().num_rows()).collect::<Vec<_>>().await.iter().sum();
    assert_eq!(rows, 20000);
    assert!(progress.borrow().stages.iter().all(|stage| stage.done));
}
