//! The controller of tokens. A token that is deleted needs nothing: its Secret is owned, and its cluster takes the line away.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};

use super::secrets::{self, Place};
use super::{Context, ControlError, after, names};
use crate::api::FiresteelToken;
use crate::decide::access::{self, TOKEN};
use crate::decide::seconds;
use crate::decide::token::{Cluster, Kept, Seen, decide};

/// One look at a token, and what follows from it.
pub(crate) async fn reconcile(token: Arc<FiresteelToken>, context: Arc<Context>) -> Result<Action, ControlError> {
    let uid = token.uid().ok_or(ControlError::Incomplete("a uid"))?;
    let (namespace, name) = names(&*token)?;
    if token.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let owner = token.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &namespace);
    let place = secrets::look(&secrets, &token.spec.secret_name, &owner).await?;
    let kept = match &place {
        Place::Free => Kept::Missing,
        Place::Foreign => Kept::Foreign,
        Place::Ours(_) => Kept::Ours(place.value(TOKEN).map(|token| access::digest(&token)).unwrap_or_default()),
    };
    let key = ObjectRef::new(&token.spec.cluster_ref.name).within(&namespace);
    let cluster = match context.clusters.get(&key) {
        None => Cluster::Missing,
        Some(cluster) if cluster.spec.access.tokens => Cluster::Guarded,
        Some(_) => Cluster::Open,
    };
    let fresh = secrets::fresh()?;
    let status = token.status.clone().unwrap_or_default();
    let decision = decide(&Seen {
        now: context.now(),
        created: token.metadata.creation_timestamp.as_ref().map_or(0, seconds),
        generation: token.metadata.generation,
        spec: &token.spec,
        status: &status,
        kept,
        cluster,
        fresh: &access::digest(&fresh),
    });
    if token.status.as_ref() != Some(&decision.status) {
        let mut object = (*token).clone();
        object.status = Some(decision.status);
        object.metadata.managed_fields = None;
        let tokens: Api<FiresteelToken> = Api::namespaced(context.client.clone(), &namespace);
        // Whoever saw an older status makes no token, since this is a conflict then.
        tokens.replace_status(&name, &PostParams::default(), &object).await?;
    }
    if decision.mint {
        secrets::put(&secrets, &token.spec.secret_name, &owner, &place, TOKEN, &fresh).await?;
    }
    context.tell(&token.object_ref(&()), "Mint", &decision.news).await;
    context.went_well(&uid);
    Ok(after(decision.requeue))
}
