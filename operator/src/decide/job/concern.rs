//! Which changes of a job concern its cluster, and which of a cluster its jobs.
//!
//! Each change that concerns somebody is a look and often a request, so a thousand jobs must not have their cluster looked
//! at a thousand times, nor look themselves because one of them has moved.

use super::Cluster;
use crate::api::FiresteelJob;
use crate::api::job::Phase;
use crate::decide::private;

/// Whether a change of the job concerns its cluster: it may have to be woken, or to grow.
pub(crate) fn calls(job: &FiresteelJob) -> bool {
    !matches!(phase(job), Phase::Starting | Phase::Succeeded | Phase::Failed)
}

/// Whether a change of its cluster concerns the job.
pub(crate) fn heeds(job: &FiresteelJob, cluster: &Cluster) -> bool {
    match phase(job) {
        // What has ended still has its own cluster to delete.
        Phase::Succeeded | Phase::Failed => private::is_private(job),
        // These are asked for from time to time; that all is well is no news.
        Phase::Starting | Phase::Running => *cluster != Cluster::Ready,
        _ => true,
    }
}

fn phase(job: &FiresteelJob) -> Phase {
    job.status.as_ref().map(|status| status.phase).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(phase: Phase, own: bool) -> FiresteelJob {
        let source = if own {
            let cluster = json!({"image": "i", "warehouse": "/w", "executorGroups": [{"name": "a", "max": 1}]});
            json!({"sql": {"text": "SELECT 1"}, "clusterTemplate": {"spec": cluster}})
        } else {
            json!({"sql": {"text": "SELECT 1"}, "clusterRef": {"name": "c"}})
        };
        let mut job = FiresteelJob::new("j", serde_json::from_value(source).unwrap());
        job.status = Some(crate::api::job::JobStatus { phase, ..Default::default() });
        job
    }

    #[test]
    fn a_job_calls_its_cluster_before_it_is_submitted_and_while_it_runs() {
        for phase in [Phase::Queued, Phase::Backoff, Phase::Running, Phase::Suspending, Phase::Suspended] {
            assert!(calls(&job(phase, false)), "{phase:?}");
        }
        for phase in [Phase::Starting, Phase::Succeeded, Phase::Failed] {
            assert!(!calls(&job(phase, false)), "{phase:?}");
        }
    }

    #[test]
    fn a_cluster_that_is_well_is_news_to_those_that_wait_for_it_only() {
        let heeded = |phase, own, cluster| heeds(&job(phase, own), &cluster);
        assert!(heeded(Phase::Queued, false, Cluster::Ready) && heeded(Phase::Queued, false, Cluster::Asleep));
        for phase in [Phase::Starting, Phase::Running] {
            assert!(!heeded(phase, false, Cluster::Ready) && heeded(phase, false, Cluster::Missing), "{phase:?}");
        }
        assert!(!heeded(Phase::Succeeded, false, Cluster::Missing) && heeded(Phase::Failed, true, Cluster::Ready));
    }
}
