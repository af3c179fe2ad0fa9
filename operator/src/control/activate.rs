//! Has clients' connections come to the activator while it should have them, and tells what became of that.

use std::net::IpAddr;

use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::owned::{Found, keep};
use super::{Context, ControlError};
use crate::activator::{Lead, Name, Speech};
use crate::api::cluster::ClusterStatus;
use crate::api::set_condition;
use crate::decide::activate::{Gate, slice};
use crate::decide::cluster::Decision;
use crate::decide::pods::Named;
use crate::decide::{News, time};

const CONDITION: &str = "ActivatorListening";

/// Has it be as the decision says; `scheduler` is where a scheduler that is ready is. The status tells whether it is so.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn settle(
    context: &Context,
    named: &Named<'_>,
    decision: &mut Decision,
    scheduler: Option<IpAddr>,
    speech: Speech,
) -> Result<(), ControlError> {
    let gate = decision.gate.clone();
    let (wanted, listens) = match listen(context, named, &gate, &decision.status, scheduler, speech) {
        Ok(wanted) => (wanted, Ok(())),
        Err(why) => (None, Err(("NoActivator", why))),
    };
    let found = point(context, named, wanted).await?;
    if !named.spec.hibernation.wake_on_connection {
        decision.status.conditions.retain(|condition| condition.type_ != CONDITION);
        return Ok(());
    }
    let told = listens.and(match found {
        Found::Ours | Found::None => Ok(()),
        Found::Foreign => Err((
            "EndpointSliceTaken",
            format!("the EndpointSlice '{}' belongs to something else", slice::name(named.name)),
        )),
        Found::Refused(why) => Err(("EndpointSliceRefused", why)),
    });
    let (holds, reason, message) = match (&told, gate) {
        (Err((reason, why)), _) => (false, *reason, why.as_str()),
        (Ok(()), Gate::Shut(reason)) => (false, reason, ""),
        (Ok(()), _) => (true, "Listening", ""),
    };
    let conditions = &mut decision.status.conditions;
    let known = conditions.iter().any(|known| known.type_ == CONDITION && known.message == message);
    if let Err((reason, why)) = &told
        && !known
    {
        decision.news.push(News::warning(reason, format!("connections do not wake the cluster: {why}")));
    }
    let generation = decision.status.observed_generation;
    set_condition(conditions, CONDITION, Some(holds), reason, message, generation, time(context.now()));
    Ok(())
}

/// Listens, or no more; returns the EndpointSlice that belongs to it.
fn listen(
    context: &Context,
    named: &Named<'_>,
    gate: &Gate,
    status: &ClusterStatus,
    scheduler: Option<IpAddr>,
    speech: Speech,
) -> Result<Option<EndpointSlice>, String> {
    let uid = named.owner.uid.as_str();
    let Some(activator) = &context.activator else {
        let why = "the operator was started without --activator-address".to_owned();
        return if named.spec.hibernation.wake_on_connection { Err(why) } else { Ok(None) };
    };
    let lead = match (gate, scheduler) {
        (Gate::Shut(why), _) => {
            activator.shut(uid, (*why).to_owned());
            return Ok(None);
        }
        (Gate::Pass | Gate::Leave, Some(address)) => Lead::Pass(address),
        _ => Lead::Hold(trouble(status)),
    };
    if *gate == Gate::Leave {
        activator.direct(uid, lead);
        return Ok(None);
    }
    let name = Name { namespace: named.namespace.to_owned(), cluster: named.name.to_owned() };
    let ports =
        activator.open(uid, name, speech, lead).map_err(|error| format!("the operator cannot listen: {error}"))?;
    Ok(Some(slice::object(named, activator.address, &ports)))
}

/// Why the scheduler is not ready.
fn trouble(status: &ClusterStatus) -> String {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status != "True");
    ready.map_or_else(|| "the scheduler is starting".to_owned(), |condition| condition.message.clone())
}

/// Keeps the EndpointSlice.
async fn point(context: &Context, named: &Named<'_>, wanted: Option<EndpointSlice>) -> Result<Found, ControlError> {
    let uid = &named.owner.uid;
    let known = context.slices.lock().get(uid).cloned();
    if let Some(known) = known.filter(|known| known.is_settled(wanted.as_ref(), context.now())) {
        return Ok(known.found);
    }
    let kept = keep(context, named, &slice::name(named.name), wanted).await?;
    let found = kept.found.clone();
    context.slices.lock().insert(uid.clone(), kept);
    Ok(found)
}
