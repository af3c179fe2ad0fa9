//! What becomes of a SparkApplication: a job that is made once, followed, and made anew when the spec was changed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt;
use serde_json::Value;

use super::{Refused, Settings, digest, job, mirror};
use crate::api::FiresteelJob;
use crate::api::kubeflow::{MADE_OF, SparkApplication};
use crate::decide::{News, Seconds, time};

/// Seconds between looks at what is watched anyway.
const WATCHED: i64 = 300;
/// Seconds between looks at what is on its way out.
const SOON: i64 = 2;

/// What the decision rests on.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) application: &'a SparkApplication,
    pub(crate) owner: OwnerReference,
    /// The job of the application's name, whosever it is.
    pub(crate) job: Option<&'a FiresteelJob>,
    pub(crate) settings: &'a Settings,
}

/// The decision. The job is made before the status is written, since its name makes a second creation harmless.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub(crate) create: Option<Box<FiresteelJob>>,
    pub(crate) delete_job: bool,
    /// Holds the job back, or lets it go.
    pub(crate) suspend: Option<bool>,
    pub(crate) delete_application: bool,
    /// What changes of the status.
    pub(crate) status: Option<Value>,
    pub(crate) requeue: i64,
    pub(crate) news: Vec<News>,
}

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>) -> Decision {
    let mut decision = Decision { requeue: WATCHED, ..Decision::default() };
    let application = seen.application;
    let known = |path: &str| application.status.as_ref()?.pointer(path)?.as_str().filter(|text| !text.is_empty());
    let (submission, state) = (known("/submissionID"), known("/applicationState/state"));
    let digest = digest(&application.spec);
    if submission.is_some_and(|id| !id.starts_with(mirror::OURS)) {
        // Another operator has run it, or runs it.
        return decision;
    }
    let status = match seen.job {
        Some(job) if !job.owner_references().iter().any(|owner| owner.uid == seen.owner.uid) => {
            if job.owner_references().iter().any(|owner| owner.kind == seen.owner.kind) {
                // It is of an application of the same name that was deleted, and goes with that one.
                decision.requeue = SOON;
                return decision;
            }
            if submission.is_some() {
                return decision;
            }
            refuse(
                seen,
                &mut decision,
                &digest,
                "metadata.name: a FiresteelJob of this name is there and is not this application's",
            )
        }
        Some(job) if job.annotations().get(MADE_OF) != Some(&digest) => {
            decision.delete_job = job.metadata.deletion_timestamp.is_none();
            decision.requeue = SOON;
            mirror::invalidating()
        }
        Some(job) if job.metadata.deletion_timestamp.is_some() => {
            decision.requeue = SOON;
            return decision;
        }
        Some(job) => {
            let wanted = application.spec.get("suspend").and_then(Value::as_bool).unwrap_or(false);
            decision.suspend = Some(wanted).filter(|wanted| *wanted != job.spec.suspend);
            mirror::status(&seen.owner.uid, &digest, job)
        }
        None if submission == Some(mirror::submission(&digest).as_str()) => {
            if state.is_some_and(|state| state != "INVALIDATING" && !mirror::is_final(state)) {
                // It was made and is gone, so what it did is not known: it is not made again.
                let message = "the FiresteelJob of this application was deleted";
                decision.news.push(News::warning("SparkApplicationFailed", message));
                mirror::failed(&seen.owner.uid, &digest, message, &time(seen.now))
            } else if state == Some("INVALIDATING") {
                begin(seen, &mut decision, &digest)
            } else {
                expire(seen, &mut decision, state, known("/terminationTime"));
                return decision;
            }
        }
        None => begin(seen, &mut decision, &digest),
    };
    finish(seen, &mut decision, state, status);
    decision
}

/// Makes the job, or says why there is none.
fn begin(seen: &Seen<'_>, decision: &mut Decision, digest: &str) -> Value {
    match made(seen, digest) {
        Ok(job) => {
            let status = mirror::status(&seen.owner.uid, digest, &job);
            decision.create = Some(Box::new(job));
            status
        }
        Err(Refused(message)) => refuse(seen, decision, digest, &message),
    }
}

/// The job of an application.
fn made(seen: &Seen<'_>, digest: &str) -> Result<FiresteelJob, Refused> {
    let name = seen.application.name_any();
    if name.len() > 52 {
        return Err(Refused(
            "metadata.name: must be at most 52 characters, since names of pods are made from it".into(),
        ));
    }
    let spec = job(&name, &seen.application.spec, seen.settings)?;
    let metadata = ObjectMeta {
        name: Some(name.clone()),
        namespace: seen.application.namespace(),
        labels: Some(BTreeMap::from([("sparkoperator.k8s.io/app-name".to_owned(), name)])),
        annotations: Some(BTreeMap::from([(MADE_OF.to_owned(), digest.to_owned())])),
        owner_references: Some(vec![seen.owner.clone()]),
        ..ObjectMeta::default()
    };
    Ok(FiresteelJob { metadata, spec, status: None })
}

/// Sensors know FAILED only as the end of what is not run.
fn refuse(seen: &Seen<'_>, decision: &mut Decision, digest: &str, message: &str) -> Value {
    decision.news.push(News::warning("SparkApplicationSubmissionFailed", message.to_owned()));
    let message = format!("submission failed: {message}");
    mirror::failed(&seen.owner.uid, digest, &message, &time(seen.now))
}

/// The status of an application whose job the API server does not take.
pub(crate) fn not_taken(seen: &Seen<'_>, message: &str) -> Value {
    let message = format!("submission failed: {message}");
    mirror::failed(&seen.owner.uid, &digest(&seen.application.spec), &message, &time(seen.now))
}

/// Tells what has changed, and when the application goes.
fn finish(seen: &Seen<'_>, decision: &mut Decision, before: Option<&str>, status: Value) {
    let text = |path: &str| status.pointer(path).and_then(Value::as_str);
    let state = text("/applicationState/state").unwrap_or_default();
    let error = text("/applicationState/errorMessage").unwrap_or_default();
    if before != Some(state) && decision.news.is_empty() {
        match state {
            "SUBMITTED" => {
                decision.news.push(News::normal("SparkApplicationSubmitted", "as a FiresteelJob of the same name"))
            }
            "COMPLETED" => decision.news.push(News::normal("SparkApplicationCompleted", "the application is done")),
            "FAILED" => decision.news.push(News::warning("SparkApplicationFailed", error)),
            "PENDING_RERUN" => decision.news.push(News::warning("SparkApplicationPendingRerun", error)),
            _ => {}
        }
    }
    expire(seen, decision, Some(state), text("/terminationTime"));
    decision.status = Some(status.clone()).filter(|status| mirror::changes(seen.application.status.as_ref(), status));
}

fn expire(seen: &Seen<'_>, decision: &mut Decision, state: Option<&str>, ended: Option<&str>) {
    // What is less than nothing is refused, and whoever said it shall see so.
    let ttl = seen.application.spec.get("timeToLiveSeconds").and_then(Value::as_i64).filter(|ttl| *ttl >= 0);
    let ended = ended.and_then(|text| text.parse::<k8s_openapi::jiff::Timestamp>().ok());
    if let (Some(ttl), Some(ended), true) = (ttl, ended, state.is_some_and(mirror::is_final)) {
        let left = ended.as_second().saturating_add(ttl).saturating_sub(seen.now);
        decision.delete_application = left <= 0;
        decision.requeue = left.clamp(1, WATCHED);
    }
}

#[cfg(test)]
mod tests;
