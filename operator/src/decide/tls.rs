//! TLS on the ports of a cluster: what its scheduler and its clients need for it, and what is told of the Secret.

use k8s_openapi::api::core::v1::{Container, EnvVar, KeyToPath, Secret, SecretVolumeSource, Volume, VolumeMount};

use super::pods::{CONNECT_PORT, FLIGHT_PORT, host, mount};
use super::{News, Seconds, time};
use crate::api::cluster::ClusterStatus;
use crate::api::cluster::tls::Tls;
use crate::api::set_condition;

/// Key of the certificates in the Secret.
pub(crate) const CERTIFICATES: &str = "tls.crt";
/// Key of the private key.
pub(crate) const PRIVATE_KEY: &str = "tls.key";
/// Key of the certificate of who has signed, in the Secrets of cert-manager for example.
const AUTHORITY: &str = "ca.crt";
const FOLDER: &str = "/etc/firesteel/tls";
const VOLUME: &str = "firesteel-tls";
/// Readable by the owner and the pod's group.
const MODE: i32 = 0o440;
const AUTHORITY_FOLDER: &str = "/etc/firesteel/authority";
const AUTHORITY_VOLUME: &str = "firesteel-authority";
const CONDITION: &str = "CertificateFound";

/// The Secret as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Certificate {
    Usable,
    /// Why it is not.
    Unusable(String),
}

/// What a Secret lacks, if it lacks something.
pub(crate) fn lacks(name: &str, secret: Option<&Secret>) -> Option<String> {
    let Some(secret) = secret else { return Some(format!("there is no Secret '{name}' for spec.tls")) };
    let has = |key: &str| secret.data.as_ref().and_then(|data| data.get(key)).is_some_and(|bytes| !bytes.0.is_empty());
    let missing = [CERTIFICATES, PRIVATE_KEY].into_iter().find(|key| !has(key))?;
    Some(format!("the Secret '{name}' for spec.tls has no {missing}"))
}

/// Whether clients can be told whom to trust.
pub(crate) fn has_authority(secret: &Secret) -> bool {
    secret.data.as_ref().is_some_and(|data| data.contains_key(AUTHORITY))
}

/// Has a scheduler speak TLS, if the spec says so.
pub(crate) fn guard(tls: Option<&Tls>, container: &mut Container, volumes: &mut Vec<Volume>) {
    let Some(tls) = tls else { return };
    let args = container.args.get_or_insert_default();
    for (flag, key) in [("--tls-cert", CERTIFICATES), ("--tls-key", PRIVATE_KEY)] {
        args.extend([flag.to_owned(), format!("{FOLDER}/{key}")]);
    }
    let mount = VolumeMount { read_only: Some(true), ..mount(VOLUME, FOLDER) };
    container.volume_mounts.get_or_insert_default().push(mount);
    volumes.push(keys(VOLUME, &tls.secret_name, &[CERTIFICATES, PRIVATE_KEY], MODE));
}

/// A volume of some keys of a Secret.
fn keys(volume: &str, secret: &str, keys: &[&str], mode: i32) -> Volume {
    let item = |key: &&str| KeyToPath { key: (*key).to_owned(), path: (*key).to_owned(), ..KeyToPath::default() };
    let source = SecretVolumeSource {
        secret_name: Some(secret.to_owned()),
        items: Some(keys.iter().map(item).collect()),
        default_mode: Some(mode),
        ..SecretVolumeSource::default()
    };
    Volume { name: volume.to_owned(), secret: Some(source), ..Volume::default() }
}

/// What a script needs to know whom it speaks to: gRPC's roots, the variable of which is a matter of gRPC's own
/// (<https://grpc.github.io/grpc/core/md_doc_environment_variables.html>).
pub(crate) fn trust(secret: &str) -> (EnvVar, Volume, VolumeMount) {
    let variable = EnvVar {
        name: "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH".into(),
        value: Some(format!("{AUTHORITY_FOLDER}/{AUTHORITY}")),
        ..EnvVar::default()
    };
    // It is no secret, and a script may run as any user.
    let volume = keys(AUTHORITY_VOLUME, secret, &[AUTHORITY], 0o444);
    (variable, volume, VolumeMount { read_only: Some(true), ..mount(AUTHORITY_VOLUME, AUTHORITY_FOLDER) })
}

/// Where Spark Connect is within the network, as PySpark takes it, without a slash at the end where nothing has to be said.
pub(crate) fn spark_connect(cluster: &str, namespace: &str, tls: Option<&Tls>) -> String {
    let said = if tls.is_some() { "/;use_ssl=true" } else { "" };
    format!("sc://{}:{CONNECT_PORT}{said}", host(cluster, namespace))
}

/// Where Flight SQL is within the network, as ADBC takes it.
pub(crate) fn flight_sql(cluster: &str, namespace: &str, tls: Option<&Tls>) -> String {
    let scheme = if tls.is_some() { "grpc+tls" } else { "grpc" };
    format!("{scheme}://{}:{FLIGHT_PORT}", host(cluster, namespace))
}

/// Tells whether the certificate was found; what is wrong is news once.
pub(crate) fn tell(
    tls: Option<&Tls>,
    certificate: Option<&Certificate>,
    now: Seconds,
    status: &mut ClusterStatus,
) -> Option<News> {
    if tls.is_none() {
        status.conditions.retain(|condition| condition.type_ != CONDITION);
        return None;
    }
    let (holds, reason, message) = match certificate? {
        Certificate::Usable => (true, "Found", ""),
        Certificate::Unusable(why) => (false, "CertificateUnusable", why.as_str()),
    };
    let known = status.conditions.iter().any(|known| known.type_ == CONDITION && known.message == message);
    let generation = status.observed_generation;
    set_condition(&mut status.conditions, CONDITION, Some(holds), reason, message, generation, time(now));
    (!holds && !known).then(|| News::warning("CertificateUnusable", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::FiresteelClusterSpec;
    use crate::decide::pods::{self, Named};
    use k8s_openapi::ByteString;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::{Value, json};

    fn spec(tls: Value) -> FiresteelClusterSpec {
        serde_json::from_value(json!({
            "image": "i", "warehouse": "s3a://b/w", "allowUnauthenticated": true, "tls": tls,
            "executorGroups": [{"name": "a", "max": 2}],
        }))
        .unwrap()
    }

    fn secret(keys: &[(&str, &str)]) -> Secret {
        let data = keys.iter().map(|(key, text)| ((*key).to_owned(), ByteString(text.as_bytes().to_vec()))).collect();
        Secret { data: Some(data), ..Secret::default() }
    }

    #[test]
    fn a_scheduler_reads_its_key_and_executors_do_not() {
        let spec = spec(json!({"secretName": "cert"}));
        let named = Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec: &spec };
        let made = serde_json::to_value(pods::scheduler(&named).spec.unwrap()).unwrap();
        let args: Vec<&str> =
            made["containers"][0]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let after = |flag: &str| args[args.iter().position(|arg| *arg == flag).unwrap() + 1];
        assert_eq!(
            (after("--tls-cert"), after("--tls-key")),
            ("/etc/firesteel/tls/tls.crt", "/etc/firesteel/tls/tls.key")
        );
        let named_so =
            |list: &Value| list.as_array().unwrap().iter().find(|have| have["name"] == VOLUME).cloned().unwrap();
        let source = &named_so(&made["volumes"])["secret"];
        assert_eq!(source["secretName"], "cert");
        assert_eq!(
            source["items"],
            json!([{"key": "tls.crt", "path": "tls.crt"}, {"key": "tls.key", "path": "tls.key"}])
        );
        assert_eq!(named_so(&made["containers"][0]["volumeMounts"])["mountPath"], FOLDER);
        let executor = serde_json::to_string(&pods::executor(&named, &spec.executor_groups[0], 0)).unwrap();
        assert!(!executor.contains("tls"), "{executor}");
    }

    #[test]
    fn clients_are_told_to_speak_tls_where_it_is_spoken() {
        let tls = Tls { secret_name: "cert".into() };
        assert_eq!(spark_connect("c", "n", None), "sc://c.n.svc:15002");
        assert_eq!(spark_connect("c", "n", Some(&tls)), "sc://c.n.svc:15002/;use_ssl=true");
        assert_eq!(flight_sql("c", "n", None), "grpc://c.n.svc:32010");
        assert_eq!(flight_sql("c", "n", Some(&tls)), "grpc+tls://c.n.svc:32010");
    }

    #[test]
    fn what_a_secret_lacks_is_named() {
        let whole = secret(&[("tls.crt", "c"), ("tls.key", "k")]);
        assert_eq!(lacks("s", Some(&whole)), None);
        assert!(!has_authority(&whole) && has_authority(&secret(&[("ca.crt", "a")])));
        for (secret, word) in [
            (None, "there is no Secret 's'"),
            (Some(Secret::default()), "has no tls.crt"),
            (Some(secret(&[("tls.crt", "c"), ("tls.key", "")])), "has no tls.key"),
        ] {
            let told = lacks("s", secret.as_ref()).unwrap();
            assert!(told.contains(word), "{told}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_once_and_goes_when_it_is_over() {
        let tls = Tls { secret_name: "cert".into() };
        let wrong = Certificate::Unusable("there is no Secret".into());
        let mut status = ClusterStatus::default();
        let news = tell(Some(&tls), Some(&wrong), 1, &mut status).unwrap();
        assert!(news.warning && news.note == "there is no Secret");
        assert_eq!(tell(Some(&tls), Some(&wrong), 2, &mut status), None);
        assert_eq!(status.conditions.first().unwrap().status, "False");
        assert_eq!(tell(Some(&tls), Some(&Certificate::Usable), 3, &mut status), None);
        assert_eq!(status.conditions.first().unwrap().status, "True");
        assert_eq!(tell(None, None, 4, &mut status), None);
        assert!(status.conditions.is_empty());
    }
}
