//! Keeps the Ingress of a cluster. One of that name that belongs to something else is never touched.

use k8s_openapi::api::networking::v1::Ingress;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams};

use super::{Context, ControlError, MANAGER, settled};
use crate::decide::ingress;
use crate::decide::pods::Named;
use crate::decide::{News, Seconds};

/// Seconds after which the Ingress is looked at again, whoever changed it.
const LOOK: i64 = 60;

/// What this process knows of a cluster's Ingress.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    wanted: Option<Ingress>,
    looked: Seconds,
    ours: bool,
}

/// Has the Ingress be as the spec says; returns where it leads to, while it is ours.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn settle(context: &Context, named: &Named<'_>) -> Result<(Option<String>, Vec<News>), ControlError> {
    let (uid, now) = (&named.owner.uid, context.now());
    let wanted = ingress::object(named);
    let address = named.spec.ingress.as_ref().map(ingress::address);
    let known = context.ingresses.lock().get(uid).cloned();
    if let Some(known) = known.filter(|known| known.wanted == wanted)
        && (wanted.is_none() || now - known.looked < LOOK)
    {
        return Ok((address.filter(|_| known.ours), Vec::new()));
    }
    let (ours, news) = match keep(context, named, wanted.as_ref()).await {
        Ok(kept) => kept,
        // What the API server or a webhook does not take is the user's affair, and holds nothing else of the cluster back.
        Err(ControlError::Kube(kube::Error::Api(status))) if matches!(status.code, 400 | 403 | 422) => {
            (false, vec![News::warning("IngressRefused", status.message.clone())])
        }
        Err(error) => return Err(error),
    };
    context.ingresses.lock().insert(uid.clone(), Kept { wanted, looked: now, ours });
    Ok((address.filter(|_| ours), news))
}

/// Makes it so; returns whether there is one that is ours.
async fn keep(
    context: &Context,
    named: &Named<'_>,
    wanted: Option<&Ingress>,
) -> Result<(bool, Vec<News>), ControlError> {
    let api: Api<Ingress> = Api::namespaced(context.client.clone(), named.namespace);
    let found = api.get_opt(named.name).await?;
    let uid = &named.owner.uid;
    let foreign = found.as_ref().is_some_and(|found| !found.owner_references().iter().any(|owner| &owner.uid == uid));
    match wanted {
        None if found.is_some() && !foreign => {
            settled(api.delete(named.name, &DeleteParams::default()).await)?;
            Ok((false, Vec::new()))
        }
        None => Ok((false, Vec::new())),
        Some(_) if foreign => {
            let note = "the Ingress of the cluster's name belongs to something else: delete it, or choose another name";
            Ok((false, vec![News::warning("IngressTaken", note)]))
        }
        Some(object) => {
            api.patch(named.name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await?;
            Ok((true, Vec::new()))
        }
    }
}
