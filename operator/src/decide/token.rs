//! What a `FiresteelToken` needs next: a token to make, and what its status says.
//!
//! The hash of a new token is in the status before the token is in the Secret, so the Secret is right when it holds what the
//! status says. One that holds something else, or is gone, gets a new token at once: that is also how a token that has
//! become known is replaced.

use super::{News, Seconds, seconds, time};
use crate::api::set_condition;
use crate::api::token::{FiresteelTokenSpec, Minted, TokenStatus};

/// What is in the place of the Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing.
    Missing,
    /// A Secret of somebody else.
    Foreign,
    /// Our Secret, with the hash of what it holds.
    Ours(String),
}

/// The cluster of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cluster {
    Missing,
    /// It asks nobody for a token.
    Open,
    Guarded,
}

/// What the decision rests on.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) created: Seconds,
    pub(crate) generation: Option<i64>,
    pub(crate) spec: &'a FiresteelTokenSpec,
    pub(crate) status: &'a TokenStatus,
    pub(crate) kept: Kept,
    pub(crate) cluster: Cluster,
    /// The hash of a token that nobody has used yet.
    pub(crate) fresh: &'a str,
}

/// The decision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decision {
    /// The fresh token goes into the Secret, after the status was written.
    pub(crate) mint: bool,
    pub(crate) status: TokenStatus,
    pub(crate) requeue: i64,
    pub(crate) news: Vec<News>,
}

/// Seconds between looks at a Secret, which is not watched.
const LOOK: i64 = 60;

/// Decides.
pub(crate) fn decide(seen: &Seen<'_>) -> Decision {
    let mut decision = Decision { status: seen.status.clone(), requeue: LOOK, ..Decision::default() };
    decision.status.observed_generation = seen.generation;
    let end = seen.spec.ttl_seconds.map(|ttl| seen.created.saturating_add(ttl));
    if end.is_some_and(|end| end <= seen.now) {
        nothing(
            seen,
            &mut decision,
            "Expired",
            "Expired",
            "its time is over: raise spec.ttlSeconds or make another one",
        );
        return decision;
    }
    if seen.kept == Kept::Foreign {
        let message = format!("the Secret '{}' belongs to something else: delete it", seen.spec.secret_name);
        nothing(seen, &mut decision, "Blocked", "SecretTaken", &message);
        return decision;
    }
    mint(seen, end, &mut decision);
    bound(seen, end, &mut decision);
    let (phase, holds, reason, message) = match seen.cluster {
        Cluster::Missing => ("Pending", false, "ClusterMissing", "there is no such cluster"),
        Cluster::Open => {
            ("Pending", false, "ClusterOpen", "the cluster asks nobody for tokens: set its spec.access.tokens")
        }
        Cluster::Guarded => ("Active", true, "Minted", ""),
    };
    phase.clone_into(&mut decision.status.phase);
    ready(seen, &mut decision, holds, reason, message);
    decision
}

/// Whether a token has to be made, and which of the old ones stays good.
fn mint(seen: &Seen<'_>, end: Option<Seconds>, decision: &mut Decision) {
    let status = &mut decision.status;
    let holds = |minted: &Minted| matches!(&seen.kept, Kept::Ours(hash) if *hash == minted.sha256);
    let previous = status.previous.take().filter(|minted| good(minted, seen.now));
    match status.current.take() {
        Some(current) if holds(&current) => {
            let due = rotation(seen, &current).is_some_and(|at| at <= seen.now);
            if !due {
                (status.current, status.previous) = (Some(current), previous);
                return;
            }
            let overlap = seen.spec.rotation.as_ref().map_or(0, |rotation| rotation.overlap_seconds);
            let until = seen.now + overlap;
            let until = end.map_or(until, |end| until.min(end));
            status.previous = Some(Minted { expires_at: Some(time(until)), ..current });
            decision.news.push(News::normal("Rotated", format!("the old token is good for {overlap} more seconds")));
        }
        // The Secret was not reached the last time: who reads it has the old one still.
        Some(_) if previous.as_ref().is_some_and(holds) => status.previous = previous,
        Some(_) => decision.news.push(News::warning(
            "SecretChanged",
            "the Secret was removed or changed: a new token is made and the old one is worth nothing",
        )),
        None => decision.news.push(News::normal("Minted", format!("Secret {}", seen.spec.secret_name))),
    }
    decision.mint = true;
    status.current = Some(Minted { sha256: seen.fresh.to_owned(), minted_at: time(seen.now), expires_at: None });
}

/// When the current token ends and when the next look is worth it.
fn bound(seen: &Seen<'_>, end: Option<Seconds>, decision: &mut Decision) {
    let Some(current) = &mut decision.status.current else { return };
    let rotation_at = rotation(seen, current);
    let overlap = seen.spec.rotation.as_ref().map_or(0, |rotation| rotation.overlap_seconds);
    let latest = rotation_at.map(|at| at.saturating_add(overlap.max(LOOK)));
    current.expires_at = [latest, end].into_iter().flatten().min().map(time);
    let next = rotation_at.filter(|at| end.is_none_or(|end| *at < end));
    decision.status.next_rotation_at = next.map(time);
    let until = decision.status.previous.as_ref().and_then(|minted| minted.expires_at.as_ref()).map(seconds);
    for at in [next, end, until].into_iter().flatten() {
        decision.requeue = decision.requeue.min((at - seen.now).max(1));
    }
}

fn rotation(seen: &Seen<'_>, current: &Minted) -> Option<Seconds> {
    let rotation = seen.spec.rotation.as_ref()?;
    Some(seconds(&current.minted_at).saturating_add(rotation.every_seconds))
}

/// No token is good.
fn nothing(seen: &Seen<'_>, decision: &mut Decision, phase: &str, reason: &'static str, message: &str) {
    let status = &mut decision.status;
    if status.phase != phase {
        decision.news.push(News::warning(reason, message));
    }
    phase.clone_into(&mut status.phase);
    (status.current, status.previous, status.next_rotation_at) = (None, None, None);
    ready(seen, decision, false, reason, message);
}

fn ready(seen: &Seen<'_>, decision: &mut Decision, holds: bool, reason: &str, message: &str) {
    let conditions = &mut decision.status.conditions;
    set_condition(conditions, "Ready", Some(holds), reason, message, seen.generation, time(seen.now));
}

/// Whether a token lets anybody in.
pub(crate) fn good(minted: &Minted, now: Seconds) -> bool {
    minted.expires_at.as_ref().is_none_or(|at| now < seconds(at))
}

#[cfg(test)]
mod tests;
