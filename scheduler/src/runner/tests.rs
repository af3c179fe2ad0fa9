//! A cluster in one process: a coordinator and two executors that talk over loopback.

use std::path::Path;

use arrow::util::pretty::pretty_format_batches;
use ballista_scheduler::scheduler_process::start_grpc_service_with_listener;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use firesteel_connectors::sink::files::ParquetOptions;
use firesteel_connectors::sink::{FileFormat, FileSinkSpec, SaveMode, SinkSpec};
use firesteel_connectors::store::StoreOptions;
use firesteel_engine::{EngineConfig, SessionOverrides, SessionRecipe};
use firesteel_executor::ExecutorSettings;
use firesteel_functions::options::SparkOptions;
use firesteel_service::tasks::{self, Task};
use futures::StreamExt;
use tempfile::TempDir;

use super::*;
use crate::doors;

struct Cluster {
    runner: Arc<BallistaJobRunner>,
    recipe: Arc<SessionRecipe>,
    data: TempDir,
    _parts: Vec<Task<()>>,
}

impl Cluster {
    async fn start(executors: usize) -> Self {
        let recipe = SessionRecipe::new(EngineConfig { target_partitions: 4, ..EngineConfig::default() }).unwrap();
        let local = LocalJobRunner::new(2);
        let listener = doors::listen("127.0.0.1", 0).await.unwrap();
        let port = doors::address(&listener).unwrap().port();
        let coordinator = cluster::make(&recipe, "127.0.0.1", "127.0.0.1", port, ShuffleCodec::None).await.unwrap();
        let mut parts = Vec::new();
        let service = coordinator.ballista.clone();
        parts.push(tasks::spawn("cluster", async move {
            start_grpc_service_with_listener(listener, service).await.unwrap();
        }));
        for _ in 0..executors {
            let settings = ExecutorSettings {
                scheduler_port: port,
                port: 0,
                grpc_port: 0,
                vcores: Some(2),
                memory_limit: Some(512 << 20),
                ..ExecutorSettings::default()
            };
            parts.push(tasks::spawn("executor", async move {
                firesteel_executor::run(settings, std::future::pending()).await.unwrap();
            }));
        }
        let runner = BallistaJobRunner::new(coordinator, local, 4, Duration::from_secs(3));
        for _ in 0..100 {
            if runner.cores.load(Ordering::Relaxed) == executors * 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let data = tempfile::tempdir().unwrap();
        write_rows(data.path()).await;
        Self { runner, recipe, data, _parts: parts }
    }

    async fn session(&self) -> Arc<SessionContext> {
        let spark = SparkOptions::default();
        let store = StoreOptions::from_conf([("fs.s3a.access.key", "nobody")]);
        let ctx = self.recipe.context(SessionOverrides { spark, store, ..SessionOverrides::default() }).unwrap();
        let path = self.data.path().to_string_lossy().into_owned();
        ctx.register_parquet("t", path, ParquetReadOptions::default()).await.unwrap();
        ctx
    }

    async fn job(&self, sql: &str) -> (JobHandle, CancellationToken) {
        let ctx = self.session().await;
        let plan = ctx.state().create_logical_plan(sql).await.unwrap();
        let cancel = CancellationToken::new();
        (self.runner.submit("test", ctx, plan, cancel.clone()).await.unwrap(), cancel)
    }

    async fn remote(&self, sql: &str) -> String {
        let (job, _) = self.job(sql).await;
        assert_eq!(job.id.0.len(), 32, "'{sql}' must run on the cluster, whose job ids have 32 characters");
        let progress = job.progress.clone();
        let batches: Vec<_> = job.stream.map(|batch| batch.unwrap()).collect().await;
        assert!(progress.borrow().stages.iter().all(|stage| stage.done));
        pretty_format_batches(&batches).unwrap().to_string()
    }

    async fn here(&self, sql: &str) -> String {
        let batches = self.session().await.sql(sql).await.unwrap().collect().await.unwrap();
        pretty_format_batches(&batches).unwrap().to_string()
    }
}

async fn write_rows(directory: &Path) {
    let ctx = SessionContext::new();
    for file in 0..4 {
        let sql = format!(
            "select value + {file} * 50000 as k, value % 7 as g, cast(value as varchar) as s from generate_series(1, 50000)"
        );
        let path = directory.join(format!("{file}.parquet"));
        let options = datafusion::dataframe::DataFrameWriteOptions::new().with_single_file_output(true);
        ctx.sql(&sql).await.unwrap().write_parquet(&path.to_string_lossy(), options, None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_on_executors_answer_as_they_do_here() {
    let cluster = Cluster::start(2).await;
    for sql in [
        "select count(*), sum(k), min(s) from t",
        "select g, count(*) c, sum(k) s from t group by g order by g",
        "select a.g, count(*) c from t a join t b on a.k = b.k where a.g < 3 group by a.g order by a.g",
        "select k, s from t where k % 1000 = 0 order by k desc",
        "select k from t where k > (select avg(k) from t) order by k limit 5",
        "select k, row_number() over (partition by g order by k) r from t order by g, k limit 10",
        "with s as (select k % 100 as m, sum(k) as total from t group by k % 100)
            select count(*), sum(a.total), max(b.total) from s a join s b on a.m = b.total % 100",
        "select g from t where k < 3 union all select g + 10 from t where k < 3 order by 1",
    ] {
        assert_eq!(cluster.remote(sql).await, cluster.here(sql).await, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_on_executors_is_committed_once_and_whole() {
    let cluster = Cluster::start(2).await;
    let target = tempfile::tempdir().unwrap();
    let ctx = cluster.session().await;
    let plan = ctx.state().create_logical_plan("select k, g from t where g < 5").await.unwrap();
    let url = format!("file://{}/out", target.path().display());
    let spec = FileSinkSpec::new(&url, FileFormat::Parquet(ParquetOptions::default()), SaveMode::ErrorIfExists);
    let spec = SinkSpec::Files(Box::new(spec));
    let cancel = CancellationToken::new();
    let report =
        firesteel_engine::write::write(cluster.runner.as_ref(), ctx, plan, spec, "write", cancel).await.unwrap();
    let here = cluster.session().await;
    let wanted = here.sql("select k from t where g < 5").await.unwrap().count().await.unwrap();
    let out = here.read_parquet(format!("{url}/"), ParquetReadOptions::default()).await.unwrap();
    assert_eq!(out.count().await.unwrap(), wanted);
    assert_eq!(report.rows, wanted as u64);
    assert!(report.files > 1, "several tasks write");
    assert!(target.path().join("out/_SUCCESS").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_ends_in_an_error_at_once() {
    let cluster = Cluster::start(1).await;
    let (mut job, cancel) = cluster.job("select count(*) from t a, t b where a.k % 3 < b.k % 5").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let begun = std::time::Instant::now();
    cancel.cancel();
    let error = job.stream.next().await.unwrap().unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(error.to_string().contains("OPERATION_CANCELED"), "{error}");
    assert!(job.stream.next().await.is_none());
    drop(job);
    // The one executor is free again: the next job need not wait for the long one.
    let next = tokio::time::timeout(Duration::from_secs(10), cluster.remote("select count(*) from t where k > 0"));
    assert!(next.await.unwrap().contains("200000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_an_executor_arrives_and_no_executor_is_an_error() {
    let cluster = Cluster::start(1).await;
    let (job, _) = cluster.job("select raise_error(s) from t").await;
    let last = job.stream.collect::<Vec<_>>().await.pop().unwrap();
    let error = SparkError::recover(&last.unwrap_err()).unwrap();
    assert_eq!(error.condition(), "USER_RAISED_EXCEPTION");
    let alone = Cluster::start(0).await;
    let (job, _) = alone.job("select sum(k) from t").await;
    let last = job.stream.collect::<Vec<_>>().await.pop().unwrap();
    assert!(last.unwrap_err().to_string().contains("no executor"));
}
