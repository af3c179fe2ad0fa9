//! What becomes of a ScheduledSparkApplication: a schedule of ours, kept as it says, and its times and runs told back.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::cluster::plain;
use super::fields::Fields;
use super::{Refused, Settings, job, mirror};
use crate::api::FiresteelSchedule;
use crate::api::kubeflow::ScheduledSparkApplication;
use crate::api::schedule::{CatchUp, Concurrency, FiresteelScheduleSpec, JobTemplate};
use crate::decide::News;
use crate::decide::calendar::Calendar;
use crate::decide::schedule::Job;

/// Begins the reason of what we keep, so that what another operator keeps is told from it.
const OURS: &str = "kept by FiresteelSchedule ";
/// Names for expressions, which our schedules do not know.
const NAMES: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// What the decision rests on.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) scheduled: &'a ScheduledSparkApplication,
    pub(crate) owner: OwnerReference,
    /// The schedule of its name, whosever it is.
    pub(crate) schedule: Option<&'a FiresteelSchedule>,
    /// Jobs of the schedule.
    pub(crate) jobs: &'a [Job],
    pub(crate) settings: &'a Settings,
}

/// The decision.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// What the schedule has to be.
    pub(crate) apply: Option<Box<FiresteelSchedule>>,
    /// The schedule is of a spec that is not so any more, and the present one is refused.
    pub(crate) hold: bool,
    /// What changes of the status.
    pub(crate) status: Option<Value>,
    pub(crate) news: Vec<News>,
}

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>) -> Decision {
    let mut decision = Decision::default();
    let known = |path: &str| seen.scheduled.status.as_ref()?.pointer(path)?.as_str();
    if seen.schedule.is_none()
        && known("/scheduleState") == Some("Scheduled")
        && !known("/reason").is_some_and(|reason| reason.starts_with(OURS))
    {
        // Another operator keeps it.
        return decision;
    }
    let foreign = seen
        .schedule
        .is_some_and(|schedule| !schedule.owner_references().iter().any(|owner| owner.uid == seen.owner.uid));
    let left = seen
        .schedule
        .is_some_and(|schedule| schedule.owner_references().iter().any(|owner| owner.kind == seen.owner.kind));
    if foreign && left {
        // It is of one of the same name that was deleted, and goes with that one.
        return decision;
    }
    let wanted = if foreign {
        Err(Refused("metadata.name: a FiresteelSchedule of this name is there and is not this application's".into()))
    } else {
        made(seen)
    };
    let status = match wanted {
        Ok(wanted) => {
            let status = told(seen, &wanted.name_any());
            if seen.schedule.is_none_or(|schedule| schedule.spec != wanted.spec) {
                decision.apply = Some(Box::new(wanted));
            }
            status
        }
        Err(Refused(message)) => {
            let mut refused = not_taken(seen, &message);
            refused.hold &= !foreign;
            return refused;
        }
    };
    decision.status = Some(status).filter(|status| mirror::changes(seen.scheduled.status.as_ref(), status));
    decision
}

/// What becomes of one that is refused, here or by the API server.
pub(crate) fn not_taken(seen: &Seen<'_>, message: &str) -> Decision {
    let status = json!({"scheduleState": "FailedValidation", "reason": message, "nextRun": null});
    let known = seen.scheduled.status.as_ref();
    let told = known.and_then(|status| status.get("reason")?.as_str()) == Some(message);
    let news = News::warning("ScheduledSparkApplicationFailedValidation", message);
    Decision {
        apply: None,
        hold: seen.schedule.is_some_and(|schedule| !schedule.spec.suspend),
        status: Some(status).filter(|status| mirror::changes(known, status)),
        news: if told { Vec::new() } else { vec![news] },
    }
}

/// The schedule of a scheduled application.
fn made(seen: &Seen<'_>) -> Result<FiresteelSchedule, Refused> {
    let name = seen.scheduled.name_any();
    if name.len() > 40 {
        return Err(Refused(
            "metadata.name: must be at most 40 characters, since names of jobs are made from it".into(),
        ));
    }
    let metadata = ObjectMeta {
        name: Some(name.clone()),
        namespace: seen.scheduled.namespace(),
        labels: Some(BTreeMap::from([("sparkoperator.k8s.io/scheduled-app-name".to_owned(), name.clone())])),
        owner_references: Some(vec![seen.owner.clone()]),
        ..ObjectMeta::default()
    };
    let spec = spec(&name, &seen.scheduled.spec, seen.settings)?;
    Ok(FiresteelSchedule { metadata, spec, status: None })
}

/// The schedule's spec.
fn spec(name: &str, value: &Value, settings: &Settings) -> Result<FiresteelScheduleSpec, Refused> {
    let mut fields = Fields::of("spec", value)?;
    let text: String = fields.or_default("schedule")?;
    let named = NAMES.iter().find(|(name, _)| *name == text.trim());
    let schedule = named.map_or(text.trim(), |(_, expression)| expression).to_owned();
    if schedule.starts_with('@') || schedule.contains("TZ=") {
        return Err(fields.refuse(
            "schedule",
            &format!("'{schedule}' is not supported by Firesteel: give five fields, and the zone as timeZone"),
        ));
    }
    // The zone of their operator's process is that of its image, which is UTC.
    let zone: String = fields.take("timeZone")?.filter(|zone| zone != "Local").unwrap_or_else(|| "Etc/UTC".into());
    Calendar::parse(&schedule, &zone).map_err(|problem| fields.refuse("schedule", &problem))?;
    let policy = match fields.take::<String>("concurrencyPolicy")?.as_deref() {
        None | Some("Allow") => Concurrency::Allow,
        Some("Forbid") => Concurrency::Forbid,
        Some("Replace") => Concurrency::Replace,
        Some(other) => {
            return Err(fields.refuse("concurrencyPolicy", &format!("'{other}' is neither Allow, Forbid nor Replace")));
        }
    };
    let mut kept = |key: &str| -> Result<i32, Refused> {
        let count = fields.take(key)?.unwrap_or(1);
        if (0..=100).contains(&count) { Ok(count) } else { Err(fields.refuse(key, "must be from 0 to 100")) }
    };
    let (successful, failed) = (kept("successfulRunHistoryLimit")?, kept("failedRunHistoryLimit")?);
    let suspend: bool = fields.or_default("suspend")?;
    let template: Value = fields.take("template")?.unwrap_or_default();
    let inside = |Refused(message): Refused| {
        let fields = message.split("; ").map(|problem| match problem.strip_prefix("spec.") {
            Some(field) => format!("spec.template.{field}"),
            None => problem.to_owned(),
        });
        Refused(fields.collect::<Vec<_>>().join("; "))
    };
    if template.get("timeToLiveSeconds").is_some_and(|ttl| !ttl.is_null()) {
        return Err(Refused(
            "spec.template.timeToLiveSeconds: runs are kept by successfulRunHistoryLimit and failedRunHistoryLimit"
                .into(),
        ));
    }
    if template.pointer("/driver/podName").and_then(Value::as_str).is_some_and(|name| !name.is_empty()) {
        return Err(Refused(
            "spec.template.driver.podName: must be left out, since each run has a pod of its own".into(),
        ));
    }
    let run = job(name, &template, settings).map_err(inside)?;
    let mut problems = Vec::new();
    fields.done(&mut problems);
    if !problems.is_empty() {
        return Err(Refused(problems.join("; ")));
    }
    let labels = BTreeMap::from([("sparkoperator.k8s.io/scheduled-app-name".to_owned(), name.to_owned())]);
    let mut spec: FiresteelScheduleSpec =
        plain(json!({"schedule": schedule, "timeZone": zone, "template": {"spec": {}}, "suspend": suspend}))?;
    spec.template = JobTemplate { labels, annotations: BTreeMap::new(), spec: run };
    spec.concurrency_policy = policy;
    spec.catch_up = CatchUp::Last;
    spec.successful_jobs_history_limit = successful;
    spec.failed_jobs_history_limit = failed;
    Ok(spec)
}

/// The status in kubeflow's words.
fn told(seen: &Seen<'_>, name: &str) -> Value {
    let status = seen.schedule.and_then(|schedule| schedule.status.clone()).unwrap_or_default();
    let mut jobs: Vec<&Job> = seen.jobs.iter().collect();
    jobs.sort_by_key(|job| std::cmp::Reverse((job.created, job.name.clone())));
    let ended = |succeeded: bool| -> Option<Vec<&str>> {
        let of = jobs.iter().filter(|job| job.finished.is_some() && job.succeeded == succeeded);
        Some(of.map(|job| job.name.as_str()).collect::<Vec<_>>()).filter(|names| !names.is_empty())
    };
    json!({
        "scheduleState": "Scheduled",
        "reason": format!("{OURS}{name}"),
        "lastRun": status.last_schedule_time,
        "nextRun": status.next_schedule_time,
        "lastRunName": jobs.first().map(|job| &job.name),
        "pastSuccessfulRunNames": ended(true),
        "pastFailedRunNames": ended(false),
    })
}

#[cfg(test)]
mod tests;
