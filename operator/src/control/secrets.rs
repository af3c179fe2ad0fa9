//! Secrets that belong to an object of ours. One that belongs to something else is never touched.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams, PostParams};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde_json::json;

use super::ControlError;
use crate::decide::access;

/// What is in the place of a Secret.
pub(crate) enum Place {
    Free,
    Foreign,
    Ours(Box<Secret>),
}

impl Place {
    /// What our Secret holds under a key.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        let Self::Ours(secret) = self else { return None };
        let bytes = secret.data.as_ref()?.get(key)?;
        String::from_utf8(bytes.0.clone()).ok()
    }
}

/// Looks at a Secret.
pub(crate) async fn look(api: &Api<Secret>, name: &str, owner: &OwnerReference) -> Result<Place, ControlError> {
    Ok(match api.get_opt(name).await? {
        None => Place::Free,
        Some(secret) if secret.owner_references().iter().any(|have| have.uid == owner.uid) => {
            Place::Ours(Box::new(secret))
        }
        Some(_) => Place::Foreign,
    })
}

/// Puts a text under a key of a Secret that was looked at; whoever changed it since makes this a conflict.
pub(crate) async fn put(
    api: &Api<Secret>,
    name: &str,
    owner: &OwnerReference,
    place: &Place,
    key: &str,
    text: &str,
) -> Result<(), ControlError> {
    let data = ByteString(text.as_bytes().to_vec());
    match place {
        Place::Foreign => return Err(ControlError::Taken(name.to_owned())),
        Place::Free => {
            let metadata = ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some([("app.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned())].into()),
                owner_references: Some(vec![owner.clone()]),
                ..ObjectMeta::default()
            };
            let secret = Secret { metadata, data: Some([(key.to_owned(), data)].into()), ..Secret::default() };
            api.create(&PostParams::default(), &secret).await?;
        }
        Place::Ours(secret) => {
            let version = secret.resource_version();
            let patch = json!({"metadata": {"resourceVersion": version}, "data": {key: data}});
            api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        }
    }
    Ok(())
}

/// A token nobody has used yet.
pub(crate) fn fresh() -> Result<String, ControlError> {
    let mut random = [0; 32];
    OsRng.try_fill_bytes(&mut random).map_err(|error| ControlError::Random(error.to_string()))?;
    Ok(access::token(random))
}
