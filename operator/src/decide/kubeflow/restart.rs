//! `restartPolicy` of an application. Whatever ends a run early is a failure there, so both kinds of ours have its number.

use serde_json::json;

use super::cluster::plain;
use super::fields::{Fields, Refused};
use crate::api::job::RestartPolicy;

/// Reads the policy.
pub(super) fn policy(fields: &mut Fields, problems: &mut Vec<String>) -> Result<RestartPolicy, Refused> {
    let mut said = fields.object("restartPolicy")?;
    let kind: Option<String> = said.take("type")?;
    let retries: Option<i32> = said.take("onFailureRetries")?;
    let wait: Option<i64> = said.take("onFailureRetryInterval")?;
    // A submission is get-or-create here and is repeated until it is known, so there are no failed ones to count.
    let (_times, _seconds): (Option<i32>, Option<i64>) =
        (said.take("onSubmissionFailureRetries")?, said.take("onSubmissionFailureRetryInterval")?);
    let (retries, wait) = (retries.unwrap_or(0), wait.unwrap_or(5));
    if !(0..=99).contains(&retries) {
        return Err(said.refuse("onFailureRetries", "must be from 0 to 99"));
    }
    if !(1..=86_400).contains(&wait) {
        return Err(said.refuse("onFailureRetryInterval", "must be from 1 to 86400"));
    }
    let policy = match kind.as_deref().unwrap_or("Never") {
        "Never" => json!({"type": "Never", "maxAttempts": 1, "maxInfrastructureFailures": 0}),
        "OnFailure" => json!({
            "type": "OnFailure", "maxAttempts": retries + 1, "maxInfrastructureFailures": retries,
            "backoffGrowth": "Linear", "backoffSeconds": wait, "backoffMaxSeconds": 86_400,
        }),
        "Always" => {
            return Err(said.refuse("type", "Always is not supported by Firesteel: use a ScheduledSparkApplication"));
        }
        other => return Err(said.refuse("type", &format!("'{other}' is neither Never nor OnFailure"))),
    };
    said.done(problems);
    plain(policy)
}
