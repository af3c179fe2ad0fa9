//! What a pod was made from, as hashes in its annotations: of all of it, and of what cannot change in place.

use k8s_openapi::api::core::v1::{Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use sha2::{Digest, Sha256};

use crate::api::{MADE_FROM, Placement, SHAPE};
use crate::decide::resize::Made;

/// A hash of what a pod is made from; a pod with another one is out of date.
pub(crate) fn made_from(pod: &Pod) -> &str {
    made(pod).from
}

/// Both hashes.
pub(crate) fn made(pod: &Pod) -> Made<'_> {
    let said = |key| pod.metadata.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str);
    Made { from: said(MADE_FROM), shape: said(SHAPE) }
}

/// The annotations of a pod of this spec.
pub(super) fn annotations(spec: &PodSpec, placement: &Placement) -> [(String, String); 2] {
    [(MADE_FROM.to_owned(), hash(spec, placement)), (SHAPE.to_owned(), hash(&shape(spec), placement))]
}

fn hash(spec: &PodSpec, placement: &Placement) -> String {
    // Serialising plain structs cannot fail.
    let mut made = serde_json::to_vec(spec).unwrap_or_default();
    // Nothing is added where nothing is said, so that pods of older operators are not out of date.
    let said = [("labels", &placement.labels), ("annotations", &placement.annotations)];
    for said in said.into_iter().filter(|(_, said)| !said.is_empty()) {
        made.extend(serde_json::to_vec(&said).unwrap_or_default());
    }
    let digest = Sha256::digest(made);
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The spec without the numbers that take effect in place. That there are such numbers stays: none can be added or taken away.
fn shape(spec: &PodSpec) -> PodSpec {
    let mut shape = spec.clone();
    let resources = shape.containers.iter_mut().filter_map(|container| container.resources.as_mut());
    for ResourceRequirements { requests, limits, .. } in resources {
        let numbers = [(requests.as_mut(), &["cpu", "memory"][..]), (limits.as_mut(), &["cpu"][..])];
        for (numbers, keys) in numbers {
            for (_, number) in numbers.into_iter().flatten().filter(|(key, _)| keys.contains(&key.as_str())) {
                *number = Quantity("any".into());
            }
        }
    }
    shape
}
