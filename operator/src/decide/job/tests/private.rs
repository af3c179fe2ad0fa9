//! Jobs with a cluster of their own: it is made when they begin and goes when nothing needs it.

use super::*;

pub(super) fn own(extra: Value) -> FiresteelJobSpec {
    let cluster = json!({
        "image": "i", "warehouse": "/w", "allowUnauthenticated": true,
        "executorGroups": [{"name": "a", "max": 1, "taskSlots": 1}],
    });
    let mut spec = json!({"clusterTemplate": {"spec": cluster}, "sql": {"text": "SELECT 1"}});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn look(spec: &FiresteelJobSpec, status: &JobStatus, now: Seconds, cluster: Cluster, run: Run) -> Decision {
    let (private, trouble) = (true, Some("the cluster cannot start: ErrImagePull"));
    decide(&Seen { now, uid: "u", generation: Some(1), spec, status, cluster, private, trouble, run, progress: None })
}

#[test]
fn the_cluster_is_made_once_is_waited_for_and_is_deleted_at_the_end() {
    let spec = own(json!({}));
    let first = look(&spec, &JobStatus::default(), 100, Cluster::Missing, Run::Missing);
    assert_eq!((first.status.phase, first.act), (Phase::Queued, Some(Act::MakeCluster)));
    // As when the API server takes no cluster.
    assert_eq!(first.status.message.as_deref(), Some("the cluster cannot start: ErrImagePull"));
    let waits = look(&spec, &first.status, 101, Cluster::NotReady, Run::Missing);
    assert_eq!((waits.act, waits.status.message.as_deref()), (None, Some("the cluster cannot start: ErrImagePull")));
    assert_eq!(waits.requeue, ASKED);
    let starts = look(&spec, &waits.status, 110, Cluster::Ready, Run::Missing);
    assert_eq!((starts.status.phase, starts.act), (Phase::Starting, None));
    for ended in [Run::Ended(Outcome::Succeeded), failed()] {
        let done = look(&spec, &starts.status, 120, Cluster::Ready, ended);
        assert!(done.status.phase.is_final() && done.act.is_none());
        for cluster in [Cluster::Ready, Cluster::NotReady, Cluster::Asleep] {
            assert_eq!(look(&spec, &done.status, 121, cluster, Run::Missing).act, Some(Act::DropCluster));
        }
        assert_eq!(look(&spec, &done.status, 122, Cluster::Missing, Run::Missing).act, None);
    }
}

#[test]
fn a_cluster_that_went_away_while_the_job_ran_is_made_again() {
    let spec = own(json!({"restartPolicy": {"backoffSeconds": 1}}));
    let running = look(&spec, &submitted(&spec), 101, Cluster::Ready, running()).status;
    let lost = look(&spec, &running, 110, Cluster::Missing, Run::Unknown);
    assert_eq!((lost.status.phase, lost.status.infrastructure_failures), (Phase::Backoff, 1));
    let again = look(&spec, &lost.status, 111, Cluster::Missing, Run::Missing);
    assert_eq!(look(&spec, &again.status, 111, Cluster::Missing, Run::Missing).act, Some(Act::MakeCluster));
}

#[test]
fn a_suspended_job_keeps_no_cluster_and_gets_another_one() {
    let (on, off) = (own(json!({"suspend": true})), own(json!({})));
    let held = look(&on, &JobStatus::default(), 100, Cluster::Missing, Run::Missing);
    assert_eq!((held.status.phase, held.act), (Phase::Suspended, None));
    assert_eq!(look(&on, &held.status, 101, Cluster::Missing, Run::Missing).act, None);
    assert_eq!(look(&on, &held.status, 101, Cluster::Ready, Run::Missing).act, Some(Act::DropCluster));
    let again = look(&off, &held.status, 102, Cluster::Missing, Run::Missing).status;
    assert_eq!(look(&off, &again, 102, Cluster::Missing, Run::Missing).act, Some(Act::MakeCluster));
}

#[test]
fn a_cluster_that_does_not_start_in_time_is_given_up_with_its_reason() {
    let spec = own(json!({"timeouts": {"queueSeconds": 60}}));
    let first = look(&spec, &JobStatus::default(), 100, Cluster::Missing, Run::Missing);
    let late = look(&spec, &first.status, 160, Cluster::NotReady, Run::Missing);
    assert_eq!((late.status.phase, late.status.reason.as_deref()), (Phase::Failed, Some("QueueTimeout")));
    assert!(late.status.message.as_deref().unwrap().contains("ErrImagePull"));
    assert_eq!(look(&spec, &late.status, 161, Cluster::NotReady, Run::Missing).act, Some(Act::DropCluster));
    // One that was never made is not made at the end.
    assert_eq!(look(&spec, &first.status, 160, Cluster::Missing, Run::Missing).act, None);
}

#[test]
fn a_cluster_that_is_named_is_nobodys_to_make_or_to_delete() {
    let spec = spec(json!({}));
    assert_eq!(step(&spec, &JobStatus::default(), 100, Cluster::Missing, Run::Missing).act, None);
    let done = step(&spec, &submitted(&spec), 110, Cluster::Ready, Run::Ended(Outcome::Succeeded)).status;
    assert_eq!(step(&spec, &done, 111, Cluster::Ready, Run::Missing).act, None);
}
