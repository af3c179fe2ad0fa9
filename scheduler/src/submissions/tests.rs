//! Jobs by id: once, over restarts, with parameters, failures and limits.

use super::*;
use firesteel_engine::EngineConfig;
use firesteel_engine::job::JobRunner;
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::SessionRecipe;
use firesteel_spark::session::EngineParts;

fn submissions(folder: &std::path::Path) -> Arc<Submissions> {
    let recipe = SessionRecipe::new(EngineConfig { target_partitions: 1, ..EngineConfig::default() }).unwrap();
    let local = LocalJobRunner::new(1);
    let runner: Arc<dyn JobRunner> = Arc::clone(&local) as Arc<dyn JobRunner>;
    let warehouse = folder.join("warehouse").display().to_string();
    let engine = SparkEngine::new(EngineParts { runner, local, recipe, warehouse }).unwrap();
    Submissions::open(engine, Activity::new(), Some(folder.join("state"))).unwrap()
}

fn request(sql: &str) -> Request {
    Request {
        sql: Some(sql.into()),
        uri: None,
        parameters: BTreeMap::new(),
        conf: BTreeMap::new(),
        timeout_seconds: None,
    }
}

async fn ended(jobs: &Submissions, id: &str) -> Submission {
    loop {
        let submission = jobs.get(id).unwrap();
        if submission.ended != 0 {
            return submission;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the end of a job is noted, which is after it can be seen.
async fn noted(folder: &std::path::Path, id: &str) {
    let file = folder.join(format!("state/submissions/{id}.json"));
    while !std::fs::read_to_string(&file).unwrap().contains("succeeded") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_one_job_however_often_it_is_submitted_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let text = "CREATE TABLE t (a INT); INSERT INTO t VALUES (1); SELECT * FROM t";
    {
        let jobs = submissions(folder.path());
        for _ in 0..3 {
            jobs.get_or_create("one", request(text), None).await.unwrap();
        }
        let done = ended(&jobs, "one").await;
        assert_eq!((done.state, done.statements, done.completed_statements, done.rows), (Standing::Succeeded, 3, 3, 1));
        assert!(matches!(jobs.get_or_create("one", request("SELECT 2"), None).await, Err(Refused::Conflict)));
        assert!(matches!(jobs.get_or_create("one", request(text), Some("bob".into())).await, Err(Refused::Conflict)));
        noted(folder.path(), "one").await;
    }
    let jobs = submissions(folder.path());
    assert_eq!(jobs.get_or_create("one", request(text), None).await.unwrap().state, Standing::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ran_when_the_process_ended_is_lost_and_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = submissions(folder.path());
    let mut running = first.get_or_create("gone", request("SELECT 1"), None).await.unwrap();
    running = ended(&first, &running.id).await;
    noted(folder.path(), "gone").await;
    running.state = Standing::Running;
    running.ended = 0;
    first.note(&running).await.unwrap();
    let again = submissions(folder.path());
    assert_eq!(again.get_or_create("gone", request("SELECT 1"), None).await.unwrap().state, Standing::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_failures_and_limits_of_time_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = submissions(folder.path());
    let with = Request {
        parameters: BTreeMap::from([("day".into(), "it's \\ :day".into())]),
        ..request("CREATE TABLE d (day STRING); INSERT INTO d SELECT :day; SELECT * FROM d WHERE day = :day")
    };
    jobs.get_or_create("with", with, None).await.unwrap();
    let done = ended(&jobs, "with").await;
    assert_eq!((done.state, done.rows, done.error), (Standing::Succeeded, 1, None));
    jobs.get_or_create("bad", request("SELECT 1; SELECT nothing_here; SELECT 2"), None).await.unwrap();
    let bad = ended(&jobs, "bad").await;
    let error = bad.error.unwrap();
    assert_eq!((bad.state, bad.completed_statements), (Standing::Failed, 1));
    assert_eq!(
        (error.condition.as_str(), error.sqlstate.as_deref()),
        ("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", Some("42703"))
    );
    let endless = "SELECT count(*) FROM range(0, 100000000000) WHERE id % 7 = 3";
    jobs.get_or_create("late", Request { timeout_seconds: Some(1), ..request(endless) }, None).await.unwrap();
    assert_eq!(ended(&jobs, "late").await.state, Standing::TimedOut);
    jobs.get_or_create("stopped", request(endless), None).await.unwrap();
    jobs.cancel("stopped").unwrap();
    assert_eq!(ended(&jobs, "stopped").await.state, Standing::Cancelled);
}
