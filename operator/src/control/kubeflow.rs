//! The controllers of kubeflow's kinds. They make jobs and schedules of ours and tell back how these fare; everything else
//! about them is the affair of the controllers of jobs and schedules.

use std::sync::Arc;

use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use super::{Context, ControlError, MANAGER, after, names, schedule, settled};
use crate::api::kubeflow::{ScheduledSparkApplication, SparkApplication};
use crate::api::{FiresteelJob, FiresteelSchedule};
use crate::decide::News;
use crate::decide::kubeflow::{Settings, application, scheduled};

/// What is looked after, and how.
#[derive(Debug, Clone)]
pub(crate) struct Compat {
    pub(crate) settings: Settings,
    /// All namespaces when it is empty.
    pub(crate) namespaces: Vec<String>,
}

impl Compat {
    fn cares(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace)
    }
}

/// One look at an application, and what follows from it.
pub(crate) async fn application(
    application: Arc<SparkApplication>,
    context: Arc<Context>,
) -> Result<Action, ControlError> {
    let (namespace, name) = names(&*application)?;
    let Some(compat) = context.compat.as_ref().filter(|compat| compat.cares(&namespace)) else {
        return Ok(Action::await_change());
    };
    if application.metadata.deletion_timestamp.is_some() {
        // The job is owned and goes with it.
        return Ok(Action::await_change());
    }
    let owner = application.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let uid = owner.uid.clone();
    let jobs: Api<FiresteelJob> = Api::namespaced(context.client.clone(), &namespace);
    let job = jobs.get_opt(&name).await?;
    let seen = application::Seen {
        now: context.now(),
        application: &application,
        owner,
        job: job.as_ref(),
        settings: &compat.settings,
    };
    let mut decision = application::decide(&seen);
    let api: Api<SparkApplication> = Api::namespaced(context.client.clone(), &namespace);
    if decision.delete_application {
        settled(api.delete(&name, &DeleteParams::background()).await)?;
        return Ok(Action::await_change());
    }
    if decision.delete_job {
        settled(jobs.delete(&name, &DeleteParams::foreground()).await)?;
    }
    if let Some(suspend) = decision.suspend {
        let patch = json!({"spec": {"suspend": suspend}});
        jobs.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
    }
    if let Some(job) = &decision.create
        && let Err(error) = jobs.create(&PostParams::default(), job).await
    {
        match error {
            // Somebody was faster; the next look sees whose it is.
            kube::Error::Api(status) if status.reason == "AlreadyExists" => return Ok(after(1)),
            // The job itself is not acceptable, and will not be next time.
            kube::Error::Api(status) if matches!(status.code, 400 | 422) => {
                let message = status.message.replace("FiresteelJob", "the job of this application, FiresteelJob");
                decision.status = Some(application::not_taken(&seen, &message));
                decision.news = vec![News::warning("SparkApplicationSubmissionFailed", message)];
            }
            error => {
                if let kube::Error::Api(status) = &error {
                    // A quota, say: it is tried again.
                    let news = [News::warning("SparkApplicationNotSubmitted", status.message.clone())];
                    context.tell(&application.object_ref(&()), "Translate", &news).await;
                }
                return Err(error.into());
            }
        }
    }
    if let Some(status) = decision.status {
        write(&api, &name, status).await?;
    }
    context.tell(&application.object_ref(&()), "Translate", &decision.news).await;
    context.went_well(&uid);
    Ok(after(decision.requeue))
}

/// One look at a scheduled application, and what follows from it.
pub(crate) async fn scheduled(
    scheduled: Arc<ScheduledSparkApplication>,
    context: Arc<Context>,
) -> Result<Action, ControlError> {
    let (namespace, name) = names(&*scheduled)?;
    let Some(compat) = context.compat.as_ref().filter(|compat| compat.cares(&namespace)) else {
        return Ok(Action::await_change());
    };
    if scheduled.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let owner = scheduled.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let uid = owner.uid.clone();
    let schedules: Api<FiresteelSchedule> = Api::namespaced(context.client.clone(), &namespace);
    let found = schedules.get_opt(&name).await?;
    let jobs =
        found.as_ref().and_then(ResourceExt::uid).map(|uid| schedule::jobs_of(&context, &uid)).unwrap_or_default();
    let seen = scheduled::Seen {
        scheduled: &scheduled,
        owner,
        schedule: found.as_ref(),
        jobs: &jobs,
        settings: &compat.settings,
    };
    let mut decision = scheduled::decide(&seen);
    if let Some(wanted) = &decision.apply {
        match schedules.patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(wanted)).await {
            // The schedule itself is not acceptable, and will not be next time.
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                decision = scheduled::not_taken(&seen, &status.message);
            }
            other => {
                other?;
            }
        }
    }
    if decision.hold {
        let patch = json!({"spec": {"suspend": true}});
        schedules.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
    }
    if let Some(status) = decision.status {
        let api: Api<ScheduledSparkApplication> = Api::namespaced(context.client.clone(), &namespace);
        write(&api, &name, status).await?;
    }
    context.tell(&scheduled.object_ref(&()), "Translate", &decision.news).await;
    context.went_well(&uid);
    // The schedule may be seen to change before its jobs are: then nothing tells when they are.
    let active = found.and_then(|schedule| schedule.status).is_some_and(|status| !status.active.is_empty());
    let busy = active || jobs.iter().any(|job| job.finished.is_none());
    Ok(after(if busy { 5 } else { 300 }))
}

async fn write<K>(api: &Api<K>, name: &str, status: Value) -> Result<(), ControlError>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let patch = json!({"status": status});
    settled(api.patch_status(name, &PatchParams::default(), &Patch::Merge(&patch)).await)
}
