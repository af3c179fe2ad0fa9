//! The controller of jobs.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use serde_json::json;

use super::{Context, ControlError, after, look, names, pods_of, settled, tls};
use crate::api::job::{JobStatus, Phase, SqlSource};
use crate::api::{FiresteelCluster, FiresteelJob};
use crate::decide::driver::{self, Driver};
use crate::decide::job::{Act, Cluster, Outcome, Progress, Run, Seen, decide};
use crate::decide::private;
use crate::engine::{EngineError, Request, Submission};

/// Keeps a job until its run is stopped.
const FINALIZER: &str = "firesteel.dev/stop";
/// Steps a job may take in one look.
const STEPS: usize = 6;
/// Seconds the run of a deleted job is tried to be stopped.
const STOPPING: i64 = 60;

/// How long a run may take to be seen by its end only: its status is written once and not twice.
const SHORT: Duration = Duration::from_millis(150);

/// One look at a job, and what follows from it.
pub(crate) async fn reconcile(job: Arc<FiresteelJob>, context: Arc<Context>) -> Result<Action, ControlError> {
    let uid = job.uid().ok_or(ControlError::Incomplete("a uid"))?;
    let (namespace, name) = names(&*job)?;
    let api: Api<FiresteelJob> = Api::namespaced(context.client.clone(), &namespace);
    if job.metadata.deletion_timestamp.is_some() {
        context.refused.lock().remove(&uid);
        return stop(&job, &context, &namespace, &name, &api).await;
    }
    if context.is_old(&uid, &*job) {
        return Ok(after(1));
    }
    let mut job = (*job).clone();
    // A driver pod is owned and goes by itself; a run in the scheduler has to be stopped.
    let phase = job.status.as_ref().map(|status| status.phase).unwrap_or_default();
    if job.spec.sql.is_some() && !phase.is_final() && !job.finalizers().iter().any(|have| have == FINALIZER) {
        let mut finalizers = job.finalizers().to_vec();
        finalizers.push(FINALIZER.into());
        job = finalizers_of(&api, &job, &name, finalizers).await?;
        context.wrote(&uid, &job);
    }
    let mut known = None;
    for _ in 0..STEPS {
        let status = job.status.clone().unwrap_or_default();
        let (cluster, trouble) = cluster_of(&context, &namespace, &job);
        let (run, progress) = match known.take() {
            Some(known) => known,
            None => run(&context, &namespace, &name, &job, &status).await?,
        };
        let now = context.now();
        let generation = job.metadata.generation;
        let private = private::is_private(&job);
        let trouble = trouble.as_deref();
        let spec = &job.spec;
        let seen = Seen { now, uid: &uid, generation, spec, status: &status, cluster, private, trouble, run, progress };
        let mut decision = decide(&seen);
        decision.status.cluster_name = Some(private::cluster_name(&job));
        if job.spec.python.is_some() && decision.status.submission_id.is_some() {
            decision.status.driver_pod = Some(driver::name(&name, decision.status.attempt));
        }
        if job.status.as_ref() != Some(&decision.status) {
            let phase = decision.status.phase;
            let new = decision.status.submission_id != status.submission_id;
            job.status = Some(decision.status);
            job = api.replace_status(&name, &PostParams::default(), &job).await?;
            job.metadata.managed_fields = None;
            context.wrote(&uid, &job);
            let written = job.status.clone().unwrap_or_default();
            context.metrics.job_moved(status.phase, phase, &written, now);
            // Nobody can have submitted an id that nobody knew.
            known = new.then_some((Run::Missing, None));
        }
        context.tell(&job.object_ref(&()), "Run", &decision.news).await;
        match decision.act {
            Some(Act::Submit) => known = submit(&context, &namespace, &name, &job).await?,
            Some(Act::Stop) => stop_run(&context, &namespace, &name, &job, &status).await?,
            Some(Act::MakeCluster) => make_cluster(&context, &namespace, &job).await?,
            Some(Act::DropCluster) => drop_cluster(&context, &namespace, &job).await?,
            Some(Act::Delete) => {
                settled(api.delete(&name, &DeleteParams::background()).await)?;
                return Ok(Action::await_change());
            }
            None => {}
        }
        if decision.requeue > 0 {
            context.went_well(&uid);
            return Ok(after(decision.requeue));
        }
    }
    Ok(after(1))
}

/// The job's cluster as it is known, with what is wrong with it.
fn cluster_of(context: &Context, namespace: &str, job: &FiresteelJob) -> (Cluster, Option<String>) {
    let name = private::cluster_name(job);
    let known = context.clusters.get(&ObjectRef::new(&name).within(namespace));
    let known = known.filter(|cluster| !private::is_private(job) || private::belongs(cluster, job));
    let cluster = look::cluster(known.as_deref());
    if cluster == Cluster::Missing {
        let refused = job.uid().and_then(|uid| context.refused.lock().get(&uid).cloned());
        return (cluster, refused.map(|why| format!("the cluster of the job cannot be made: {why}")));
    }
    let reachable = look::door(context, namespace, &name).is_some();
    let cluster = if cluster == Cluster::Ready && !reachable { Cluster::NotReady } else { cluster };
    (cluster, known.as_deref().and_then(look::trouble))
}

/// Makes the job's own cluster. One of that name that is on its way out is waited for. That the API server does not take it
/// is told with the next look, and tried again.
async fn make_cluster(context: &Context, namespace: &str, job: &FiresteelJob) -> Result<(), ControlError> {
    let owner = job.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let Some(cluster) = private::cluster(job, owner) else { return Ok(()) };
    let api: Api<FiresteelCluster> = Api::namespaced(context.client.clone(), namespace);
    let uid = job.uid().unwrap_or_default();
    match api.create(&PostParams::default(), &cluster).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 422) => {
            context.refused.lock().insert(uid, status.message.clone());
            Ok(())
        }
        other => {
            context.refused.lock().remove(&uid);
            settled(other)
        }
    }
}

/// Deletes the job's own cluster. Its name is free when all its pods are gone, so that none is taken for one of the next.
async fn drop_cluster(context: &Context, namespace: &str, job: &FiresteelJob) -> Result<(), ControlError> {
    let api: Api<FiresteelCluster> = Api::namespaced(context.client.clone(), namespace);
    settled(api.delete(&private::cluster_name(job), &DeleteParams::foreground()).await)
}

/// The run of the current submission.
async fn run(
    context: &Context,
    namespace: &str,
    name: &str,
    job: &FiresteelJob,
    status: &JobStatus,
) -> Result<(Run, Option<Progress>), ControlError> {
    let Some(id) = &status.submission_id else { return Ok((Run::Missing, None)) };
    if !matches!(status.phase, Phase::Starting | Phase::Running | Phase::Suspending) {
        return Ok((Run::Missing, None));
    }
    if job.spec.python.is_some() {
        let pod = pods_of(context, namespace).get_opt(&driver::name(name, status.attempt)).await?;
        return Ok((driver::run(pod.as_ref(), id), None));
    }
    let Some(door) = look::door(context, namespace, &private::cluster_name(job)) else {
        return Ok((Run::Unknown, None));
    };
    Ok(match context.engine.submission(&door, id).await {
        Ok(Some(submission)) => seen(submission),
        Ok(None) => (Run::Missing, None),
        Err(error) => {
            tracing::debug!(%error, job = name, "the run is not known");
            (Run::Unknown, None)
        }
    })
}

fn seen(submission: Submission) -> (Run, Option<Progress>) {
    let progress = Some(Progress {
        statements: submission.statements,
        completed: submission.completed_statements,
        rows: submission.rows,
    });
    let failure = submission.error.map(|error| (error.condition, error.message));
    let outcome = match submission.state.as_str() {
        "running" => return (Run::Running { instance: None, progress }, progress),
        "queued" => return (Run::Queued, progress),
        "succeeded" => Outcome::Succeeded,
        "timed_out" => Outcome::TimedOut,
        "cancelled" => Outcome::Cancelled,
        "lost" => Outcome::Infrastructure {
            reason: "SchedulerRestarted".into(),
            message: "the scheduler was restarted while the job ran".into(),
        },
        _ => {
            let (reason, message) = failure.unwrap_or_else(|| ("Failed".into(), "the job failed".into()));
            Outcome::Failed { reason, message }
        }
    };
    (Run::Ended(outcome), progress)
}

/// Gets or creates the submission, and says how it stands where that is known.
async fn submit(
    context: &Context,
    namespace: &str,
    name: &str,
    job: &FiresteelJob,
) -> Result<Option<(Run, Option<Progress>)>, ControlError> {
    let only = |run| Ok(Some((run, None)));
    let status = job.status.clone().unwrap_or_default();
    let Some(id) = &status.submission_id else { return Ok(None) };
    if let Some(source) = &job.spec.python {
        let owner = job.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
        let cluster = &private::cluster_name(job);
        let key = ObjectRef::new(cluster).within(namespace);
        let known = context.clusters.get(&key);
        let guarded = known.as_ref().is_some_and(|cluster| cluster.spec.access.tokens);
        let tls = known.as_ref().and_then(|cluster| cluster.spec.tls.as_ref());
        let authority = tls::has_authority(context, namespace, tls).await?;
        let pod = driver::pod(&Driver {
            job: name,
            namespace,
            cluster,
            submission: id,
            attempt: status.attempt,
            owner,
            source,
            conf: &job.spec.conf,
            guarded,
            tls,
            authority,
        });
        return match pods_of(context, namespace).create(&PostParams::default(), &pod).await {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(None),
            // The pod itself is not acceptable, and will not be next time.
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                only(Run::Ended(Outcome::Failed { reason: "PodRefused".into(), message: status.message.clone() }))
            }
            Err(kube::Error::Api(status)) if status.code == 403 => {
                only(Run::Waiting { reason: "PodForbidden".into(), message: status.message.clone() })
            }
            Err(error) => Err(error.into()),
        };
    }
    let Some(source) = &job.spec.sql else { return Ok(None) };
    let text = match text(context, namespace, source).await? {
        Ok(text) => text,
        Err(message) => return only(Run::Waiting { reason: "ConfigMapMissing".into(), message }),
    };
    let Some(door) = look::door(context, namespace, &private::cluster_name(job)) else {
        return only(Run::Unknown);
    };
    let request = Request {
        sql: text.as_deref(),
        uri: source.uri.as_deref(),
        parameters: &source.parameters,
        conf: &job.spec.conf,
        timeout_seconds: job.spec.timeouts.active_seconds,
    };
    context.metrics.submitted();
    match context.engine.submit(&door, id, &request).await {
        Ok(submission) => match seen(submission) {
            ended @ (Run::Ended(_), _) => Ok(Some(ended)),
            _ => {
                tokio::time::sleep(SHORT).await;
                Ok(None)
            }
        },
        Err(EngineError::Refused(message)) => only(Run::Ended(Outcome::Failed { reason: "Refused".into(), message })),
        Err(error) => {
            tracing::debug!(%error, job = name, "not submitted yet");
            only(Run::Unknown)
        }
    }
}

/// The statements where they are here; `None` where the cluster reads them.
async fn text(
    context: &Context,
    namespace: &str,
    source: &SqlSource,
) -> Result<Result<Option<String>, String>, ControlError> {
    if source.text.is_some() {
        return Ok(Ok(source.text.clone()));
    }
    let Some(key) = &source.config_map_key_ref else { return Ok(Ok(None)) };
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), namespace);
    let Some(map) = api.get_opt(&key.name).await? else {
        return Ok(Err(format!("there is no ConfigMap '{}'", key.name)));
    };
    match map.data.and_then(|mut data| data.remove(&key.key)) {
        Some(text) => Ok(Ok(Some(text))),
        None => Ok(Err(format!("the ConfigMap '{}' has no key '{}'", key.name, key.key))),
    }
}

/// Stops the run of a status.
async fn stop_run(
    context: &Context,
    namespace: &str,
    name: &str,
    job: &FiresteelJob,
    status: &JobStatus,
) -> Result<(), ControlError> {
    if job.spec.python.is_some() {
        let pods: Api<Pod> = pods_of(context, namespace);
        return settled(pods.delete(&driver::name(name, status.attempt), &DeleteParams::default()).await);
    }
    let door = look::door(context, namespace, &private::cluster_name(job));
    if let (Some(door), Some(id)) = (door, &status.submission_id)
        && let Err(error) = context.engine.cancel(&door, id).await
    {
        tracing::debug!(%error, job = name, "the run could not be stopped yet");
    }
    Ok(())
}

/// Stops the run of a job that is being deleted, then lets it go.
async fn stop(
    job: &FiresteelJob,
    context: &Context,
    namespace: &str,
    name: &str,
    api: &Api<FiresteelJob>,
) -> Result<Action, ControlError> {
    if !job.finalizers().iter().any(|have| have == FINALIZER) {
        return Ok(Action::await_change());
    }
    let status = job.status.clone().unwrap_or_default();
    let since = job.metadata.deletion_timestamp.as_ref().map_or(0, crate::decide::seconds);
    let patient = context.now() - since < STOPPING;
    if let (false, Some(id)) = (status.phase.is_final(), &status.submission_id) {
        let alive = matches!(cluster_of(context, namespace, job).0, Cluster::Ready | Cluster::NotReady);
        let stopped = match look::door(context, namespace, &private::cluster_name(job)) {
            Some(door) => context.engine.cancel(&door, id).await.is_ok(),
            None => false,
        };
        if alive && !stopped && patient {
            return Ok(after(2));
        }
    }
    let rest = job.finalizers().iter().filter(|have| *have != FINALIZER).cloned().collect();
    match finalizers_of(api, job, name, rest).await {
        Err(ControlError::Kube(kube::Error::Api(status))) if status.code == 404 => {}
        other => {
            other?;
        }
    }
    Ok(Action::await_change())
}

async fn finalizers_of(
    api: &Api<FiresteelJob>,
    job: &FiresteelJob,
    name: &str,
    finalizers: Vec<String>,
) -> Result<FiresteelJob, ControlError> {
    let version = job.resource_version();
    let patch = json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}});
    Ok(api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?)
}
