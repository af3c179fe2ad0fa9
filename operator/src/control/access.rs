//! The tokens of a cluster: the file its scheduler reads, and those of the operator's own.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::{Context, ControlError, look, pods_of, secrets, settled};
use crate::api::TOKENS_SEEN;
use crate::decide::Seconds;
use crate::decide::access::{self, FILE, Own, TOKEN};
use crate::decide::pods::{Named, scheduler_name};

/// Seconds after which the Secrets are looked at again, whoever changed them.
const LOOK: i64 = 60;

/// What this process knows of the Secrets of a cluster.
#[derive(Clone)]
pub(crate) struct Guard {
    own: Vec<(Own, String)>,
    file: String,
    looked: Seconds,
}

impl Guard {
    /// The token of the operator's calls.
    pub(crate) fn operator(&self) -> Option<String> {
        self.own.iter().find(|(own, _)| *own == Own::Operator).map(|(_, token)| token.clone())
    }
}

/// Has the file say what tokens there are. It is there before the scheduler that reads it.
pub(crate) async fn settle(context: &Context, named: &Named<'_>) -> Result<(), ControlError> {
    let uid = &named.owner.uid;
    let asks = look::pods(context, named.namespace, named.name, "scheduler").iter().any(|pod| access::is_guarded(pod));
    if !named.spec.access.tokens && !asks {
        context.guards.lock().remove(uid);
        return Ok(());
    }
    let now = context.now();
    let api: Api<Secret> = Api::namespaced(context.client.clone(), named.namespace);
    let known = context.guards.lock().get(uid).cloned();
    let recent = known.as_ref().filter(|guard| now - guard.looked < LOOK);
    let own = match recent {
        Some(guard) => guard.own.clone(),
        None => own(&api, named).await?,
    };
    let tokens: Vec<_> = context
        .tokens
        .state()
        .into_iter()
        .filter(|token| token.namespace().as_deref() == Some(named.namespace))
        .filter(|token| token.spec.cluster_ref.name == named.name)
        .collect();
    let file = access::lines(&own, tokens.iter().map(AsRef::as_ref), now);
    if recent.is_some_and(|guard| guard.file == file) {
        return Ok(());
    }
    let name = access::file_secret(named.name);
    let place = secrets::look(&api, &name, &named.owner).await?;
    if place.value(FILE).as_ref() != Some(&file) {
        secrets::put(&api, &name, &named.owner, &place, FILE, &file).await?;
    }
    if known.is_none_or(|guard| guard.file != file) {
        let seen: String = access::digest(&file).chars().take(16).collect();
        let patch = json!({"metadata": {"annotations": {TOKENS_SEEN: seen}}});
        let pods = pods_of(context, named.namespace);
        let name = scheduler_name(named.name);
        settled(pods.patch_metadata(&name, &PatchParams::default(), &Patch::Merge(&patch)).await)?;
    }
    context.guards.lock().insert(uid.clone(), Guard { own, file, looked: now });
    Ok(())
}

/// The operator's own tokens, made where they are missing.
async fn own(api: &Api<Secret>, named: &Named<'_>) -> Result<Vec<(Own, String)>, ControlError> {
    let mut all = Vec::new();
    for own in [Own::Operator, Own::Driver] {
        let name = own.secret(named.name);
        let place = secrets::look(api, &name, &named.owner).await?;
        let token = match place.value(TOKEN).filter(|token| access::is_token(token)) {
            Some(token) => token,
            None => {
                let token = secrets::fresh()?;
                secrets::put(api, &name, &named.owner, &place, TOKEN, &token).await?;
                token
            }
        };
        all.push((own, token));
    }
    Ok(all)
}
