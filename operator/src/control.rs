//! Controllers: they look, let `decide` decide, and do what it says. One for each kind.

pub(crate) mod access;
pub(crate) mod activate;
pub(crate) mod cluster;
pub(crate) mod ingress;
pub(crate) mod job;
pub(crate) mod kubeflow;
pub(crate) mod look;
pub(crate) mod owned;
pub(crate) mod resize;
pub(crate) mod schedule;
pub(crate) mod secrets;
pub(crate) mod tls;
pub(crate) mod token;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::jiff::Timestamp;
use kube::api::Api;
use kube::runtime::controller::Action;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::reflector::Store;
use kube::{Client, ResourceExt};
use parking_lot::Mutex;

use crate::activator::Activator;
use crate::api::{FiresteelCluster, FiresteelJob, FiresteelToken};
use crate::decide::disruption::Stay;
use crate::decide::scale::History;
use crate::decide::{News, Seconds};
use crate::engine::Engine;
use crate::metrics::Metrics;

/// Who writes the fields of objects that are applied.
pub(crate) const MANAGER: &str = "firesteel-operator";

/// What controllers share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) engine: Engine,
    pub(crate) recorder: Recorder,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pods: Store<Pod>,
    pub(crate) clusters: Store<FiresteelCluster>,
    pub(crate) jobs: Store<FiresteelJob>,
    pub(crate) tokens: Store<FiresteelToken>,
    /// How kubeflow's kinds are looked after, if they are.
    pub(crate) compat: Option<kubeflow::Compat>,
    /// Seconds between looks at a cluster's load.
    pub(crate) poll: i64,
    /// Demand of the last seconds, by the cluster's uid.
    pub(crate) histories: Mutex<HashMap<String, History>>,
    /// Disruption budgets as they were last written, by the cluster's uid.
    pub(crate) stays: Mutex<HashMap<String, Stay>>,
    /// Why the API server took no pod, by the cluster's uid, or no cluster, by the job's.
    pub(crate) refused: Mutex<HashMap<String, String>>,
    /// Ingresses as they were last written, by the cluster's uid.
    pub(crate) ingresses: Mutex<HashMap<String, owned::Kept<Ingress>>>,
    /// Where clients' connections wait, if they may.
    pub(crate) activator: Option<Activator>,
    /// EndpointSlices that lead there as they were last written, by the cluster's uid.
    pub(crate) slices: Mutex<HashMap<String, owned::Kept<EndpointSlice>>>,
    /// Tokens of clusters, by the cluster's uid.
    pub(crate) guards: Mutex<HashMap<String, access::Guard>>,
    /// Certificates of clusters, by the cluster's uid.
    pub(crate) certificates: Mutex<HashMap<String, tls::Known>>,
    /// The version of a job that this process wrote last and has not seen yet, by the job's uid.
    pub(crate) written: Mutex<HashMap<String, u64>>,
    /// Failures in a row, by the object's uid.
    pub(crate) failures: Mutex<HashMap<String, u32>>,
}

/// Why a look came to nothing; it is repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("the API server: {0}")]
    Kube(#[from] kube::Error),
    #[error("an object without {0}")]
    Incomplete(&'static str),
    #[error("the Secret '{0}' belongs to something else: delete it, or choose another name for the cluster")]
    Taken(String),
    #[error("the system has no random numbers: {0}")]
    Random(String),
}

impl ControlError {
    /// Somebody else was faster: the next look will see what they did.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Kube(kube::Error::Api(status)) if status.code == 409)
    }
}

impl Context {
    pub(crate) fn now(&self) -> Seconds {
        Timestamp::now().as_second()
    }

    /// Tells the user, best effort: an event that is lost changes nothing.
    pub(crate) async fn tell(&self, object: &ObjectReference, action: &str, news: &[News]) {
        for item in news {
            let event = Event {
                type_: if item.warning { EventType::Warning } else { EventType::Normal },
                reason: item.reason.to_owned(),
                note: Some(item.note.chars().take(1000).collect()),
                action: action.to_owned(),
                secondary: None,
            };
            if let Err(error) = self.recorder.publish(&event, object).await {
                tracing::debug!(%error, "an event was not taken");
            }
        }
    }

    /// When to look again after a failure: soon at first, then less and less often.
    pub(crate) fn again(&self, uid: &str, error: &ControlError) -> Action {
        if error.is_conflict() {
            return Action::requeue(Duration::from_millis(200));
        }
        let mut failures = self.failures.lock();
        let count = failures.entry(uid.to_owned()).or_insert(0);
        *count = (*count + 1).min(7);
        Action::requeue(Duration::from_millis(500 << *count))
    }

    /// Forgets clusters that are gone: nobody looks at them once more.
    pub(crate) fn forget_gone(&self) {
        let there: HashSet<String> = self.clusters.state().iter().filter_map(|cluster| cluster.uid()).collect();
        self.histories.lock().retain(|uid, _| there.contains(uid));
        self.stays.lock().retain(|uid, _| there.contains(uid));
        self.ingresses.lock().retain(|uid, _| there.contains(uid));
        self.slices.lock().retain(|uid, _| there.contains(uid));
        self.guards.lock().retain(|uid, _| there.contains(uid));
        self.certificates.lock().retain(|uid, _| there.contains(uid));
        if let Some(activator) = &self.activator {
            activator.keep(&there);
        }
        let jobs: HashSet<String> = self.jobs.state().iter().filter_map(|job| job.uid()).collect();
        self.written.lock().retain(|uid, _| jobs.contains(uid));
    }

    /// Remembers what was written: until the watch brings it, what is known of the object is old.
    pub(crate) fn wrote<K: ResourceExt>(&self, uid: &str, object: &K) {
        if let Some(version) = version(object) {
            self.written.lock().insert(uid.to_owned(), version);
        }
    }

    /// Whether this process wrote the object later. To act on it would come to a conflict; the watch will bring the newer one.
    pub(crate) fn is_old<K: ResourceExt>(&self, uid: &str, object: &K) -> bool {
        let mut written = self.written.lock();
        let old = written.get(uid).zip(version(object)).is_some_and(|(wrote, seen)| seen < *wrote);
        if !old {
            written.remove(uid);
        }
        old
    }

    /// Forgets failures of the past.
    pub(crate) fn went_well(&self, uid: &str) {
        self.failures.lock().remove(uid);
    }
}

/// Versions grow: <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>.
fn version<K: ResourceExt>(object: &K) -> Option<u64> {
    object.resource_version()?.parse().ok()
}

/// An object's namespace and name.
pub(crate) fn names<K: ResourceExt>(object: &K) -> Result<(String, String), ControlError> {
    let namespace = object.namespace().ok_or(ControlError::Incomplete("a namespace"))?;
    Ok((namespace, object.name_any()))
}

/// Takes "it is there already" and "it is gone already" for success.
pub(crate) fn settled<T>(result: kube::Result<T>) -> Result<(), ControlError> {
    match result {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 || status.reason == "AlreadyExists" => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn after(seconds: i64) -> Action {
    Action::requeue(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).max(Duration::from_millis(50)))
}

pub(crate) fn pods_of(context: &Context, namespace: &str) -> Api<Pod> {
    Api::namespaced(context.client.clone(), namespace)
}
