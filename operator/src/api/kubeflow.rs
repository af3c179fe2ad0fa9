//! Two kinds of kubeflow's operator, `sparkoperator.k8s.io/v1beta2`, as they are read and answered.
//!
//! Their definitions are not ours, so what is in them is taken as it comes: one object that is not as expected must not
//! keep the others from being seen.

use std::borrow::Cow;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The group.
pub(crate) const GROUP: &str = "sparkoperator.k8s.io";
/// Annotation of a job: the digest of the spec it was made from.
pub(crate) const MADE_OF: &str = "firesteel.dev/spark-application";

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $plural:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            /// Name, namespace and the like.
            pub(crate) metadata: ObjectMeta,
            /// What is wanted.
            #[serde(default)]
            pub(crate) spec: Value,
            /// What is known of it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(crate) status: Option<Value>,
        }

        impl Resource for $name {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }
            fn group((): &()) -> Cow<'_, str> {
                GROUP.into()
            }
            fn version((): &()) -> Cow<'_, str> {
                "v1beta2".into()
            }
            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

kind!(
    /// One run of an application.
    SparkApplication,
    "SparkApplication",
    "sparkapplications"
);
kind!(
    /// Runs of an application by the clock.
    ScheduledSparkApplication,
    "ScheduledSparkApplication",
    "scheduledsparkapplications"
);
