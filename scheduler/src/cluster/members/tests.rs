//! What is free, and who is dead, without any executor process.

use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::scheduler::{ExecutorOperatingSystemSpecification, ExecutorSpecification};
use ballista_scheduler::planner::DefaultDistributedPlanner;
use ballista_scheduler::state::execution_graph::{ExecutionGraph, StaticExecutionGraph};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::*;

fn executor(id: &str, port: u16) -> (ExecutorMetadata, ExecutorData) {
    let metadata = ExecutorMetadata {
        id: id.into(),
        host: "127.0.0.1".into(),
        port,
        grpc_port: port,
        specification: ExecutorSpecification::default().with_vcores(1),
        os_info: ExecutorOperatingSystemSpecification::default(),
    };
    (metadata, ExecutorData { executor_id: id.into(), total_vcores: 1, available_vcores: 1 })
}

async fn job() -> JobInfoCache {
    let config = SessionConfig::new_with_ballista().with_target_partitions(2);
    let ctx = SessionContext::new_with_config(config);
    let frame = ctx.sql("SELECT a, count(*) FROM (VALUES (1), (2)) AS t(a) GROUP BY a").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let mut graph = StaticExecutionGraph::new(
        "scheduler",
        &JobId::new("job"),
        "job",
        "session",
        plan,
        0,
        Arc::new(ctx.copied_config()),
        &mut DefaultDistributedPlanner::new(),
        None,
    )
    .unwrap();
    graph.revive();
    JobInfoCache::new(Box::new(graph))
}

#[tokio::test]
async fn the_core_of_a_task_whose_stage_was_rolled_back_is_free_again() {
    let members = Members::new();
    let (metadata, data) = executor("one", 1);
    members.register_executor(metadata, data).await.unwrap();
    let job = job().await;
    let jobs = Arc::new(HashMap::from([(JobId::new("job"), job.clone())]));
    let bind = || members.bind_schedulable_tasks(TaskDistributionPolicy::RoundRobin, Arc::clone(&jobs), None);

    let first = bind().await.unwrap();
    assert_eq!(first.len(), 1, "one core, one task");
    assert!(bind().await.unwrap().is_empty(), "the core is taken");

    let stage = first[0].1.key.stage_id;
    let mut graph = job.execution_graph.write().await;
    graph.rollback_running_stage(stage, HashSet::new()).unwrap();
    graph.resolve_stage(stage).unwrap();
    graph.revive();
    drop(graph);
    assert_eq!(bind().await.unwrap().len(), 1, "nobody gave the core back, and yet it is free");
}

#[tokio::test]
async fn an_executor_that_refuses_connections_is_dead_before_its_heartbeat_is_overdue() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let members = Members::new();
    let (metadata, data) = executor("one", listener.local_addr().unwrap().port());
    members.register_executor(metadata, data).await.unwrap();
    assert!(!members.probe().await);
    assert_ne!(members.executor_heartbeats()["one"].timestamp, 0);

    drop(listener);
    assert!(members.probe().await);
    assert!(members.probe().await);
    assert_eq!(members.executor_heartbeats()["one"].timestamp, 0);
    members.remove_executor("one").await.unwrap();
    assert_eq!(members.lost(), 1);
    assert!(!members.probe().await);
}
