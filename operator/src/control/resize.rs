//! Resizes executors in place, by the resize subresource of pods.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Context, ControlError, pods_of, settled};
use crate::api::{EXECUTOR_GROUP, MADE_FROM, RESIZE_REFUSED, RESIZING};
use crate::decide::News;
use crate::decide::pods::made;
use crate::decide::resize::{Progress, Seen, Step, step};

/// What becomes of an executor's pod, and what it should be.
#[derive(Debug)]
pub(crate) struct Sizing<'a> {
    pub(crate) step: Step,
    /// `None` when its group is gone.
    wanted: Option<&'a Pod>,
}

/// What becomes of an executor's pod; `wanted` has a pod for each group.
pub(crate) fn look<'a>(context: &Context, pod: &Pod, wanted: &'a [(&str, Pod)]) -> Sizing<'a> {
    let group = pod.labels().get(EXECUTOR_GROUP).map(String::as_str);
    let wanted = wanted.iter().find(|(name, _)| Some(*name) == group).map(|(_, wanted)| wanted);
    Sizing { step: wanted.map_or(Step::Keep, |wanted| next(context, pod, wanted)), wanted }
}

fn next(context: &Context, pod: &Pod, wanted: &Pod) -> Step {
    let annotations = pod.annotations();
    let asked = annotations.get(RESIZING).and_then(|text| {
        let (from, since) = text.split_once(' ')?;
        Some((from, since.parse::<Timestamp>().ok()?.as_second()))
    });
    step(&Seen {
        now: context.now(),
        is: made(pod),
        wanted: made(wanted),
        asked,
        refused: annotations.get(RESIZE_REFUSED).map(String::as_str),
        ready: super::look::is_ready(pod),
        progress: progress(pod),
    })
}

/// Takes the step; returns what is worth telling.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn act(
    context: &Context,
    namespace: &str,
    pod: &Pod,
    sizing: &Sizing<'_>,
) -> Result<Option<News>, ControlError> {
    let Some(wanted) = sizing.wanted else { return Ok(None) };
    let (api, name) = (pods_of(context, namespace), pod.name_any());
    let from = made(wanted).from;
    match &sizing.step {
        Step::Keep | Step::Wait | Step::Replace => Ok(None),
        Step::Ask => match ask(&api, &name, wanted).await {
            Ok(()) => {
                // Only now, so that it is not taken for done before it is asked for.
                let asked = format!("{from} {}", Timestamp::now());
                note(&api, &name, &json!({RESIZING: asked})).await?;
                Ok(Some(News::normal("Resizing", format!("{name} gets other resources in place"))))
            }
            // An API server without the subresource, a kubelet that cannot, a quota, or another class of quality of service.
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 404 | 405 | 422) => {
                refuse(&api, &name, from, &status.message).await.map(Some)
            }
            Err(error) => Err(error.into()),
        },
        Step::Done => {
            note(&api, &name, &json!({MADE_FROM: from, RESIZING: null, RESIZE_REFUSED: null})).await?;
            Ok(Some(News::normal("Resized", format!("{name} has its new resources"))))
        }
        Step::GiveUp(why) => refuse(&api, &name, from, why).await.map(Some),
    }
}

async fn ask(api: &Api<Pod>, name: &str, wanted: &Pod) -> kube::Result<()> {
    let container = wanted.spec.iter().flat_map(|spec| &spec.containers).next();
    let Some(container) = container else { return Ok(()) };
    let containers = json!([{"name": container.name, "resources": container.resources}]);
    // Strategic, since containers are told apart by their names.
    let patch = Patch::Strategic(json!({"spec": {"containers": containers}}));
    api.patch_resize(name, &PatchParams::default(), &patch).await.map(drop)
}

async fn refuse(api: &Api<Pod>, name: &str, from: &str, why: &str) -> Result<News, ControlError> {
    note(api, name, &json!({RESIZE_REFUSED: from, RESIZING: null})).await?;
    let note = format!("{name} cannot be resized in place and is replaced when it is free: {why}");
    Ok(News::warning("ResizeRefused", note))
}

async fn note(api: &Api<Pod>, name: &str, annotations: &Value) -> Result<(), ControlError> {
    let patch = json!({"metadata": {"annotations": annotations}});
    settled(api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(&patch)).await)
}

/// How far the node is (<https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/>).
fn progress(pod: &Pod) -> Progress {
    let Some(status) = &pod.status else { return Progress::Underway("the node says nothing".into()) };
    for condition in status.conditions.iter().flatten().filter(|condition| condition.status == "True") {
        let reason = condition.reason.as_deref().unwrap_or_default();
        let why = format!("{reason} {}", condition.message.as_deref().unwrap_or_default()).trim().to_owned();
        match (condition.type_.as_str(), reason) {
            ("PodResizePending", "Infeasible") => return Progress::Infeasible(why),
            ("PodResizePending" | "PodResizeInProgress", _) => return Progress::Underway(why),
            _ => {}
        }
    }
    // Without a word the node either has not seen it yet or is done.
    let seen = status.observed_generation.zip(pod.metadata.generation);
    if seen.is_some_and(|(observed, generation)| observed >= generation) {
        Progress::Done
    } else {
        Progress::Underway("the node has not seen it".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"generation": 2}, "spec": {"containers": []}, "status": status}))
            .unwrap()
    }

    #[test]
    fn a_node_is_done_when_it_has_seen_the_change_and_has_nothing_to_say() {
        let condition = |kind: &str, reason: &str| {
            let said = json!([{"type": kind, "status": "True", "reason": reason, "message": "why"}]);
            progress(&pod(json!({"observedGeneration": 2, "conditions": said})))
        };
        assert_eq!(progress(&pod(json!({"observedGeneration": 2}))), Progress::Done);
        assert!(matches!(progress(&pod(json!({"observedGeneration": 1}))), Progress::Underway(_)));
        assert!(matches!(progress(&pod(json!({}))), Progress::Underway(_)));
        assert_eq!(condition("PodResizePending", "Infeasible"), Progress::Infeasible("Infeasible why".into()));
        assert_eq!(condition("PodResizePending", "Deferred"), Progress::Underway("Deferred why".into()));
        assert_eq!(condition("PodResizeInProgress", "Error"), Progress::Underway("Error why".into()));
        assert_eq!(condition("Ready", ""), Progress::Done);
    }
}
