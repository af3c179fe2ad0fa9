//! The Secret of a cluster's certificate. It belongs to somebody else and is not watched, so it is looked at now and then.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::Api;

use super::{Context, ControlError};
use crate::activator::Speech;
use crate::activator::tls::Keys;
use crate::api::cluster::tls::Tls;
use crate::decide::Seconds;
use crate::decide::pods::Named;
use crate::decide::tls::{self, CERTIFICATES, Certificate, PRIVATE_KEY};

/// Seconds after which a Secret that can be used is looked at again. Others are each time.
const LOOK: i64 = 30;

/// What this process knows of the certificate of a cluster.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) certificate: Certificate,
    secret: String,
    /// Kept only where connections may come here.
    keys: Option<Arc<Keys>>,
    looked: Seconds,
}

impl Known {
    /// What is spoken at the ports of a cluster of which this is known.
    pub(crate) fn speech(known: Option<&Self>) -> Speech {
        known.map_or(Speech::Plain, |known| Speech::Tls(known.keys.clone()))
    }
}

/// Looks at the Secret, where the spec names one and it is time.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn look(context: &Context, named: &Named<'_>) -> Result<Option<Known>, ControlError> {
    let uid = &named.owner.uid;
    let Some(Tls { secret_name }) = &named.spec.tls else {
        context.certificates.lock().remove(uid);
        return Ok(None);
    };
    let now = context.now();
    let before = context.certificates.lock().get(uid).filter(|known| known.secret == *secret_name).cloned();
    let keeps = named.spec.hibernation.wake_on_connection;
    let recent = |known: &&Known| {
        known.certificate == Certificate::Usable && known.keys.is_some() == keeps && now - known.looked < LOOK
    };
    if let Some(known) = before.as_ref().filter(recent) {
        return Ok(Some(known.clone()));
    }
    let secret = find(context, named.namespace, secret_name).await?;
    let keys = keys(secret_name, secret.as_ref(), before.as_ref().and_then(|known| known.keys.as_deref()));
    let (certificate, keys) = match keys {
        Ok(keys) => (Certificate::Usable, keeps.then(|| Arc::new(keys))),
        // What there was is still what the scheduler shows.
        Err(why) => (Certificate::Unusable(why), before.and_then(|known| known.keys).filter(|_| keeps)),
    };
    let known = Known { certificate, secret: secret_name.clone(), keys, looked: now };
    context.certificates.lock().insert(uid.clone(), known.clone());
    Ok(Some(known))
}

/// Whether the Secret of a certificate says whom to trust.
///
/// # Errors
/// When the API server cannot be asked.
pub(crate) async fn has_authority(context: &Context, namespace: &str, tls: Option<&Tls>) -> Result<bool, ControlError> {
    let Some(tls) = tls else { return Ok(false) };
    Ok(find(context, namespace, &tls.secret_name).await?.is_some_and(|secret| tls::has_authority(&secret)))
}

async fn find(context: &Context, namespace: &str, name: &str) -> Result<Option<Secret>, ControlError> {
    Ok(Api::namespaced(context.client.clone(), namespace).get_opt(name).await?)
}

fn keys(name: &str, secret: Option<&Secret>, before: Option<&Keys>) -> Result<Keys, String> {
    if let Some(problem) = tls::lacks(name, secret) {
        return Err(problem);
    }
    let data = secret.and_then(|secret| secret.data.as_ref());
    let bytes = |key: &str| data.and_then(|data| data.get(key)).map_or(&[][..], |bytes| bytes.0.as_slice());
    Keys::new(bytes(CERTIFICATES), bytes(PRIVATE_KEY), before)
        .map_err(|why| format!("the Secret '{name}' for spec.tls cannot be used: {why}"))
}
