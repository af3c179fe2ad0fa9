//! Keeps the Ingress of a cluster.

use super::owned::{Found, keep};
use super::{Context, ControlError};
use crate::decide::News;
use crate::decide::ingress;
use crate::decide::pods::Named;

/// Has the Ingress be as the spec says; returns where it leads to, while it is ours.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn settle(context: &Context, named: &Named<'_>) -> Result<(Option<String>, Vec<News>), ControlError> {
    let (uid, now) = (&named.owner.uid, context.now());
    let wanted = ingress::object(named);
    let address = named.spec.ingress.as_ref().map(ingress::address);
    let known = context.ingresses.lock().get(uid).cloned();
    if let Some(known) = known.filter(|known| known.is_settled(wanted.as_ref(), now)) {
        return Ok((address.filter(|_| known.found == Found::Ours), Vec::new()));
    }
    let kept = keep(context, named, named.name, wanted).await?;
    let news = match &kept.found {
        Found::Ours | Found::None => Vec::new(),
        Found::Foreign => {
            let note = "the Ingress of the cluster's name belongs to something else: delete it, or choose another name";
            vec![News::warning("IngressTaken", note)]
        }
        Found::Refused(why) => vec![News::warning("IngressRefused", why.clone())],
    };
    let ours = kept.found == Found::Ours;
    context.ingresses.lock().insert(uid.clone(), kept);
    Ok((address.filter(|_| ours), news))
}
