//! Leader election by a Lease: one operator works, others wait. A leader that cannot renew in time ends its process, so
//! that two never work for longer than a look takes; and what they do is harmless when done twice.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, PostParams};

const NAME: &str = "firesteel-operator";
const LEASE_SECONDS: i32 = 15;
const RENEWED_EVERY: Duration = Duration::from_secs(3);
const TRIED_EVERY: Duration = Duration::from_secs(2);
const GIVEN_UP_AFTER: Duration = Duration::from_secs(10);

/// A candidate.
pub(crate) struct Candidate {
    api: Api<Lease>,
    identity: String,
}

impl Candidate {
    pub(crate) fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self { api: Api::namespaced(client, namespace), identity }
    }

    /// Waits until this process leads.
    pub(crate) async fn lead(&self) {
        loop {
            match self.take().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the lease cannot be read or written"),
            }
            tokio::time::sleep(TRIED_EVERY).await;
        }
    }

    /// Renews until that is no longer possible.
    pub(crate) async fn keep(&self) {
        let mut renewed = tokio::time::Instant::now();
        loop {
            tokio::time::sleep(RENEWED_EVERY).await;
            match tokio::time::timeout(GIVEN_UP_AFTER, self.take()).await {
                Ok(Ok(true)) => renewed = tokio::time::Instant::now(),
                Ok(Ok(false)) => return tracing::error!("another process leads"),
                Ok(Err(error)) => tracing::warn!(%error, "the lease could not be renewed"),
                Err(_) => {}
            }
            if renewed.elapsed() >= GIVEN_UP_AFTER {
                return tracing::error!("the lease could not be renewed in time");
            }
        }
    }

    /// Gives the lease back, so that another need not wait for its end.
    pub(crate) async fn release(&self) {
        if let Ok(Some(mut lease)) = self.api.get_opt(NAME).await
            && let Some(spec) = &mut lease.spec
            && spec.holder_identity.as_deref() == Some(&self.identity)
        {
            spec.holder_identity = None;
            if let Err(error) = self.api.replace(NAME, &PostParams::default(), &lease).await {
                tracing::debug!(%error, "the lease was not given back");
            }
        }
    }

    async fn take(&self) -> kube::Result<bool> {
        let now = Timestamp::now();
        let taken = match self.api.get_opt(NAME).await? {
            None => {
                let metadata = ObjectMeta { name: Some(NAME.into()), ..ObjectMeta::default() };
                let lease = Lease { metadata, spec: Some(self.spec(None, now)) };
                self.api.create(&PostParams::default(), &lease).await
            }
            Some(mut lease) => {
                if !free(lease.spec.as_ref(), &self.identity, now) {
                    return Ok(false);
                }
                lease.spec = Some(self.spec(lease.spec.as_ref(), now));
                self.api.replace(NAME, &PostParams::default(), &lease).await
            }
        };
        match taken {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn spec(&self, before: Option<&LeaseSpec>, now: Timestamp) -> LeaseSpec {
        let mine = before.filter(|spec| spec.holder_identity.as_deref() == Some(&self.identity));
        let transitions = before.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(LEASE_SECONDS),
            acquire_time: mine.and_then(|spec| spec.acquire_time.clone()).or(Some(MicroTime(now))),
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(if mine.is_some() { transitions } else { transitions.saturating_add(1) }),
            ..LeaseSpec::default()
        }
    }
}

/// Whether a lease may be taken.
fn free(spec: Option<&LeaseSpec>, identity: &str, now: Timestamp) -> bool {
    let Some(spec) = spec else { return true };
    match &spec.holder_identity {
        None => true,
        Some(holder) if holder.is_empty() || holder == identity => true,
        Some(_) => {
            let length = i64::from(spec.lease_duration_seconds.unwrap_or(LEASE_SECONDS));
            spec.renew_time.as_ref().is_none_or(|renewed| now.as_second() - renewed.0.as_second() > length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_taken_when_it_is_ones_own_or_nobodys_or_too_old() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let held = LeaseSpec {
            holder_identity: Some("other".into()),
            lease_duration_seconds: Some(15),
            renew_time: Some(MicroTime(at(100))),
            ..LeaseSpec::default()
        };
        assert!(!free(Some(&held), "me", at(115)));
        assert!(free(Some(&held), "me", at(116)));
        assert!(free(Some(&held), "other", at(101)));
        assert!(free(Some(&LeaseSpec { holder_identity: None, ..held }), "me", at(101)));
        assert!(free(None, "me", at(0)));
    }
}
