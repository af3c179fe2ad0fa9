//! The controller of schedules.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, PostParams};
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};

use super::{Context, ControlError, after, names, settled};
use crate::api::job::Phase;
use crate::api::{FiresteelJob, FiresteelSchedule, SCHEDULE};
use crate::decide::schedule::{Job, Seen, decide};
use crate::decide::seconds;

/// One look at a schedule, and what follows from it.
pub(crate) async fn reconcile(schedule: Arc<FiresteelSchedule>, context: Arc<Context>) -> Result<Action, ControlError> {
    let uid = schedule.uid().ok_or(ControlError::Incomplete("a uid"))?;
    let (namespace, name) = names(&*schedule)?;
    if schedule.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let jobs = jobs_of(&context, &uid);
    let status = schedule.status.clone().unwrap_or_default();
    let decision = decide(&Seen {
        now: context.now(),
        name: &name,
        created: schedule.metadata.creation_timestamp.as_ref().map_or(0, seconds),
        generation: schedule.metadata.generation,
        spec: &schedule.spec,
        status: &status,
        jobs: &jobs,
    });
    let api: Api<FiresteelJob> = Api::namespaced(context.client.clone(), &namespace);
    let mut news = decision.news;
    for old in &decision.delete {
        settled(api.delete(old, &DeleteParams::background()).await)?;
    }
    if let Some(job) = &decision.create {
        settled(api.create(&PostParams::default(), &job_of(&schedule, &namespace, &name, job)?).await)?;
        news.push(crate::decide::News::normal("Created", format!("job {job}")));
    }
    if schedule.status.as_ref() != Some(&decision.status) {
        let mut object = (*schedule).clone();
        object.status = Some(decision.status);
        object.metadata.managed_fields = None;
        let schedules: Api<FiresteelSchedule> = Api::namespaced(context.client.clone(), &namespace);
        schedules.replace_status(&name, &PostParams::default(), &object).await?;
    }
    context.tell(&schedule.object_ref(&()), "Schedule", &news).await;
    context.went_well(&uid);
    Ok(after(decision.requeue))
}

/// Jobs of the schedule of a uid.
pub(crate) fn jobs_of(context: &Context, uid: &str) -> Vec<Job> {
    context.jobs.state().iter().filter(|job| owned(job, uid)).map(|job| seen(job)).collect()
}

fn owned(job: &FiresteelJob, uid: &str) -> bool {
    job.owner_references().iter().any(|owner| owner.uid == uid)
}

fn seen(job: &FiresteelJob) -> Job {
    let status = job.status.clone().unwrap_or_default();
    let created = job.metadata.creation_timestamp.as_ref().map_or(0, seconds);
    Job {
        name: job.name_any(),
        created,
        finished: status.phase.is_final().then(|| status.finished_at.as_ref().map_or(created, seconds)),
        succeeded: status.phase == Phase::Succeeded,
        going: job.metadata.deletion_timestamp.is_some(),
    }
}

fn job_of(schedule: &FiresteelSchedule, namespace: &str, name: &str, job: &str) -> Result<FiresteelJob, ControlError> {
    let template = &schedule.spec.template;
    let mut labels = template.labels.clone();
    labels.insert(SCHEDULE.into(), name.to_owned());
    let owner = schedule.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let metadata = ObjectMeta {
        name: Some(job.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels),
        annotations: Some(template.annotations.clone()),
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    };
    Ok(FiresteelJob { metadata, spec: template.spec.clone(), status: None })
}
