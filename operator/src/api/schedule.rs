//! `FiresteelSchedule`: jobs by the clock.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job::FiresteelJobSpec;

/// A schedule: makes a job whenever its cron expression says so.
#[derive(Debug, Clone, PartialEq, CustomResource, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "firesteel.dev",
    version = "v1alpha1",
    kind = "FiresteelSchedule",
    plural = "firesteelschedules",
    shortname = "fss",
    category = "firesteel",
    namespaced,
    derive = "PartialEq",
    status = "ScheduleStatus",
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule"),
    printcolumn(name = "TimeZone", type_ = "string", json_path = ".spec.timeZone"),
    printcolumn(name = "Suspend", type_ = "boolean", json_path = ".spec.suspend"),
    printcolumn(name = "Active", type_ = "integer", json_path = ".status.activeCount"),
    printcolumn(name = "Last", type_ = "date", json_path = ".status.lastScheduleTime"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextScheduleTime"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("size(self.metadata.name) <= 40").message("metadata.name must be at most 40 characters, since names of jobs are made from it"),
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiresteelScheduleSpec {
    /// Five fields: minute, hour, day of month, month, day of week.
    #[schemars(length(min = 9, max = 256))]
    #[x_kube(validation = Rule::new("!self.contains('TZ=')").message("schedule must not hold a time zone: use timeZone"))]
    #[x_kube(validation = Rule::new("self.matches('^\\\\s*\\\\S+(\\\\s+\\\\S+){4}\\\\s*$')").message("schedule must have five fields: minute, hour, day of month, month, day of week"))]
    pub(crate) schedule: String,
    /// IANA time zone of the schedule.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub(crate) time_zone: String,
    /// The job.
    pub(crate) template: JobTemplate,
    /// Makes no more jobs; those that run go on.
    #[serde(default)]
    pub(crate) suspend: bool,
    /// What happens when the last job still runs.
    #[serde(default)]
    pub(crate) concurrency_policy: Concurrency,
    /// Seconds a job may be late; one that is later is missed. For ever when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31536000))]
    pub(crate) starting_deadline_seconds: Option<i64>,
    /// Whether times missed while the operator was away, or the schedule suspended, are made up for.
    #[serde(default)]
    pub(crate) catch_up: CatchUp,
    /// Jobs that succeeded and are kept.
    #[serde(default = "three")]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) successful_jobs_history_limit: i32,
    /// Jobs that failed and are kept.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) failed_jobs_history_limit: i32,
}

/// A job to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobTemplate {
    /// Labels of the job.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Annotations of the job.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// The job's spec.
    pub(crate) spec: FiresteelJobSpec,
}

/// What happens when the last job still runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Concurrency {
    /// The new one is skipped.
    #[default]
    Forbid,
    /// Both run.
    Allow,
    /// The old one is deleted.
    Replace,
}

/// What happens to times that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum CatchUp {
    /// Only the last one is made up for.
    #[default]
    Last,
    /// None is, when it is more than a minute late.
    None,
}

/// What is known of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ScheduleStatus {
    /// Generation of the spec all this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
    /// ScheduleValid.
    pub(crate) conditions: Vec<Condition>,
    /// Jobs that have not ended.
    pub(crate) active: Vec<String>,
    /// How many.
    pub(crate) active_count: i32,
    /// The last time that was dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_schedule_time: Option<Time>,
    /// When a job of it last succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_successful_time: Option<Time>,
    /// The next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_schedule_time: Option<Time>,
    /// Times for which no job was made.
    pub(crate) missed_runs: i64,
}

fn utc() -> String {
    "Etc/UTC".into()
}
fn one() -> i32 {
    1
}
fn three() -> i32 {
    3
}
