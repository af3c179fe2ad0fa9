//! Callers that Kubernetes knows: what the scheduler needs to ask the API server about them, and what is told of that.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, KeyToPath, ProjectedVolumeSource, ServiceAccountTokenProjection, Volume,
    VolumeMount, VolumeProjection,
};

use crate::api::cluster::{ClusterStatus, FiresteelClusterSpec};
use crate::api::set_condition;
use crate::decide::pods::{Named, mount};
use crate::decide::{News, Seconds, time};

const FOLDER: &str = "/var/run/secrets/firesteel/api-server";
const VOLUME: &str = "firesteel-api-server";
/// Where Kubernetes keeps the certificates of its API server, in each namespace.
const CERTIFICATES: &str = "kube-root-ca.crt";
/// Seconds a token of the scheduler is good for; it is replaced long before.
const TOKEN_SECONDS: i64 = 3600;
/// Readable by the owner and the pod's group.
const MODE: i32 = 0o440;
const CONDITION: &str = "TokensReviewed";

/// How reviews of tokens go, as the scheduler says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reviews {
    Made,
    Failing(String),
}

/// Has a scheduler let in whom Kubernetes knows, if the spec says so.
pub(crate) fn guard(cluster: &Named<'_>, container: &mut Container, volumes: &mut Vec<Volume>) {
    let Some(kubernetes) = &cluster.spec.access.kubernetes else { return };
    let args = container.args.get_or_insert_default();
    let named = format!("{}/{}", cluster.namespace, cluster.name);
    args.extend(["--token-reviews".to_owned(), named, "--token-review-folder".to_owned(), FOLDER.to_owned()]);
    for audience in &kubernetes.audiences {
        args.extend(["--token-review-audiences".to_owned(), audience.clone()]);
    }
    let mount = VolumeMount { read_only: Some(true), ..mount(VOLUME, FOLDER) };
    container.volume_mounts.get_or_insert_default().push(mount);
    let token = ServiceAccountTokenProjection {
        path: "token".into(),
        expiration_seconds: Some(TOKEN_SECONDS),
        ..ServiceAccountTokenProjection::default()
    };
    let certificates = ConfigMapProjection {
        name: CERTIFICATES.into(),
        items: Some(vec![KeyToPath { key: "ca.crt".into(), path: "ca.crt".into(), ..KeyToPath::default() }]),
        ..ConfigMapProjection::default()
    };
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(certificates), ..VolumeProjection::default() },
    ];
    let projected =
        ProjectedVolumeSource { default_mode: Some(MODE), sources: Some(sources), ..ProjectedVolumeSource::default() };
    volumes.push(Volume { name: VOLUME.into(), projected: Some(projected), ..Volume::default() });
}

/// Tells whether callers are told apart, as far as the scheduler has said; what is wrong is news once.
pub(crate) fn tell(
    spec: &FiresteelClusterSpec,
    reviews: Option<&Reviews>,
    now: Seconds,
    status: &mut ClusterStatus,
) -> Option<News> {
    if spec.access.kubernetes.is_none() {
        status.conditions.retain(|condition| condition.type_ != CONDITION);
        return None;
    }
    let (holds, reason, message) = match reviews? {
        Reviews::Made => (true, "Reviewed", ""),
        Reviews::Failing(problem) => (false, "ReviewsFail", problem.as_str()),
    };
    let known = status.conditions.iter().any(|known| known.type_ == CONDITION && known.message == message);
    let generation = status.observed_generation;
    set_condition(&mut status.conditions, CONDITION, Some(holds), reason, message, generation, time(now));
    (!holds && !known).then(|| News::warning("ReviewsFail", format!("tokens of Kubernetes let nobody in: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::pods;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::{Value, json};

    fn spec(access: Value) -> FiresteelClusterSpec {
        serde_json::from_value(json!({
            "image": "i", "warehouse": "s3a://b/w", "serviceAccountName": "s", "access": access,
            "executorGroups": [{"name": "a", "max": 2}],
        }))
        .unwrap()
    }

    #[test]
    fn a_scheduler_that_reviews_tokens_gets_its_own_and_executors_get_none() {
        let spec = spec(json!({"tokens": true, "kubernetes": {"audiences": ["one", "two"]}}));
        let named = Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec: &spec };
        let made = serde_json::to_value(pods::scheduler(&named).spec.unwrap()).unwrap();
        let args: Vec<&str> =
            made["containers"][0]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let after =
            |flag: &str| -> Vec<&str> { args.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1]).collect() };
        assert_eq!(after("--token-reviews"), ["n/c"]);
        assert_eq!(after("--token-review-audiences"), ["one", "two"]);
        let volume = made["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == VOLUME).unwrap();
        let sources = &volume["projected"]["sources"];
        assert_eq!(sources[0]["serviceAccountToken"], json!({"path": "token", "expirationSeconds": 3600}));
        assert_eq!(sources[1]["configMap"]["name"], "kube-root-ca.crt");
        assert_eq!(made["automountServiceAccountToken"], json!(false));
        let executor = serde_json::to_string(&pods::executor(&named, &spec.executor_groups[0], 0)).unwrap();
        assert!(!executor.contains(VOLUME) && !executor.contains("serviceAccountToken"));
    }

    #[test]
    fn what_is_wrong_is_told_once_and_goes_when_it_is_over() {
        let asks = spec(json!({"tokens": true, "kubernetes": {}}));
        let failing = Reviews::Failing("may not create tokenreviews".into());
        let mut status = ClusterStatus::default();
        assert_eq!(tell(&asks, None, 1, &mut status), None);
        assert!(status.conditions.is_empty());
        let news = tell(&asks, Some(&failing), 2, &mut status).unwrap();
        assert!(news.warning && news.note.contains("may not create tokenreviews"));
        assert_eq!(tell(&asks, Some(&failing), 3, &mut status), None);
        let condition = status.conditions.first().unwrap();
        assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("False", "ReviewsFail"));
        assert_eq!(tell(&asks, Some(&Reviews::Made), 4, &mut status), None);
        assert_eq!(status.conditions.first().unwrap().status, "True");
        assert_eq!(tell(&spec(json!({"tokens": true})), None, 5, &mut status), None);
        assert!(status.conditions.is_empty());
    }
}
