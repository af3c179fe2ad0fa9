//! Keeps an object that a cluster has beside its pods. One of that name that belongs to something else is never touched.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Context, ControlError, MANAGER, settled};
use crate::decide::Seconds;
use crate::decide::pods::Named;

/// Seconds after which an object is looked at again, whoever changed it.
const LOOK: i64 = 60;

/// What this process knows of an object.
#[derive(Debug, Clone)]
pub(crate) struct Kept<K> {
    wanted: Option<K>,
    looked: Seconds,
    pub(crate) found: Found,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// The object, as it is wanted.
    Ours,
    /// None, as it is wanted.
    None,
    /// Somebody else's, which is left alone.
    Foreign,
    /// What the API server or a webhook did not take is the user's affair, and holds nothing else of the cluster back.
    Refused(String),
}

impl<K: PartialEq> Kept<K> {
    /// Whether there is nothing to do.
    pub(crate) fn is_settled(&self, wanted: Option<&K>, now: Seconds) -> bool {
        self.wanted.as_ref() == wanted && (wanted.is_none() || now - self.looked < LOOK)
    }
}

/// Has the object be as it is wanted, or not be.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn keep<K>(
    context: &Context,
    named: &Named<'_>,
    name: &str,
    wanted: Option<K>,
) -> Result<Kept<K>, ControlError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(context.client.clone(), named.namespace);
    let found = match apply(&api, named, name, wanted.as_ref()).await {
        Ok(found) => found,
        Err(ControlError::Kube(kube::Error::Api(status))) if matches!(status.code, 400 | 403 | 422) => {
            Found::Refused(status.message.clone())
        }
        Err(error) => return Err(error),
    };
    Ok(Kept { wanted, looked: context.now(), found })
}

async fn apply<K>(api: &Api<K>, named: &Named<'_>, name: &str, wanted: Option<&K>) -> Result<Found, ControlError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
{
    let found = api.get_opt(name).await?;
    let uid = &named.owner.uid;
    let foreign = found.as_ref().is_some_and(|found| !found.owner_references().iter().any(|owner| &owner.uid == uid));
    match wanted {
        None => {
            if found.is_some() && !foreign {
                settled(api.delete(name, &DeleteParams::default()).await)?;
            }
            Ok(Found::None)
        }
        Some(_) if foreign => Ok(Found::Foreign),
        Some(object) => {
            api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await?;
            Ok(Found::Ours)
        }
    }
}
