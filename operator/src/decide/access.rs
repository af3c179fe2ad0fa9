//! Who may come in by the ports of a cluster: the file of tokens its scheduler reads, and the Secrets around it.

pub(crate) mod reviews;

use std::fmt::Write;

use k8s_openapi::api::core::v1::{
    Container, EnvVar, EnvVarSource, KeyToPath, Pod, SecretKeySelector, SecretVolumeSource, Volume, VolumeMount,
};
use sha2::{Digest, Sha256};

use super::Seconds;
use super::pods::mount;
use super::token::good;
use crate::api::FiresteelToken;
use crate::api::token::{Minted, Role};

/// Key of the file in the Secret of a cluster's tokens.
pub(crate) const FILE: &str = "tokens";
/// Key of a token in its Secret.
pub(crate) const TOKEN: &str = "token";
const FOLDER: &str = "/etc/firesteel/tokens";
const VOLUME: &str = "firesteel-tokens";
const FLAG: &str = "--tokens";
/// Readable by the owner and the pod's group.
const MODE: i32 = 0o440;
/// Digits of a token: 256 bits.
const DIGITS: usize = 64;

/// A token of the operator's own. No object of Kubernetes has such a name, so no user's token is taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// The operator's calls.
    Operator,
    /// The scripts of jobs.
    Driver,
}

impl Own {
    /// The Secret of a cluster.
    pub(crate) fn secret(self, cluster: &str) -> String {
        match self {
            Self::Operator => format!("{cluster}-operator-token"),
            Self::Driver => format!("{cluster}-driver-token"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Operator => "system:operator",
            Self::Driver => "system:driver",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Operator => Role::Admin,
            Self::Driver => Role::User,
        }
    }
}

/// The Secret with the hashes of a cluster's tokens.
pub(crate) fn file_secret(cluster: &str) -> String {
    format!("{cluster}-tokens")
}

/// A token from random bytes.
pub(crate) fn token(random: [u8; DIGITS / 2]) -> String {
    hex(&random)
}

/// Whether a text can be a token that was made here.
pub(crate) fn is_token(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The hash a token is known by.
pub(crate) fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The file: a line a token that is good now.
pub(crate) fn lines<'a>(
    own: &[(Own, String)],
    tokens: impl IntoIterator<Item = &'a FiresteelToken>,
    now: Seconds,
) -> String {
    let mut lines: Vec<String> =
        own.iter().map(|(own, token)| format!("{} {} {}", own.name(), own.role().as_str(), digest(token))).collect();
    for token in tokens {
        let (Some(name), Some(status)) = (&token.metadata.name, &token.status) else { continue };
        if token.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let minted = [&status.current, &status.previous].into_iter().flatten().filter(|minted| good(minted, now));
        lines.extend(minted.map(|minted| line(name, token.spec.role, minted)));
    }
    // Whatever order the tokens come in, the same ones make the same file.
    lines.sort();
    lines.into_iter().map(|line| line + "\n").collect()
}

fn line(name: &str, role: Role, minted: &Minted) -> String {
    let expires = minted.expires_at.as_ref().map_or(String::new(), |at| format!(" {}", at.0));
    format!("{name} {} {}{expires}", role.as_str(), minted.sha256)
}

/// Has a scheduler let in only who has a token.
pub(crate) fn guard(cluster: &str, container: &mut Container, volumes: &mut Vec<Volume>) {
    container.args.get_or_insert_default().extend([FLAG.to_owned(), FOLDER.to_owned()]);
    let mount = VolumeMount { read_only: Some(true), ..mount(VOLUME, FOLDER) };
    container.volume_mounts.get_or_insert_default().push(mount);
    let source = SecretVolumeSource {
        secret_name: Some(file_secret(cluster)),
        // Every file of the folder counts, so there is to be no other.
        items: Some(vec![KeyToPath { key: FILE.into(), path: FILE.into(), ..KeyToPath::default() }]),
        default_mode: Some(MODE),
        ..SecretVolumeSource::default()
    };
    volumes.push(Volume { name: VOLUME.into(), secret: Some(source), ..Volume::default() });
}

/// Whether a scheduler asks for tokens, whatever its cluster's spec says by now.
pub(crate) fn is_guarded(pod: &Pod) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.flat_map(|container| container.args.iter().flatten()).any(|arg| arg == FLAG)
}

/// The environment of a driver that brings its token along, before what refers to it.
pub(crate) fn driver_token(cluster: &str) -> EnvVar {
    let key = SecretKeySelector { name: Own::Driver.secret(cluster), key: TOKEN.into(), optional: None };
    let source = EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() };
    EnvVar { name: "FIRESTEEL_TOKEN".into(), value_from: Some(source), ..EnvVar::default() }
}

/// What `SPARK_REMOTE` ends with then. PySpark would want TLS for its own `token`; headers it sends as they are.
pub(crate) const DRIVER_HEADER: &str = "/;authorization=Bearer%20$(FIRESTEEL_TOKEN)";
/// The same where there is TLS.
pub(crate) const DRIVER_TOKEN: &str = ";token=$(FIRESTEEL_TOKEN)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::pods;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::json;

    fn made(name: &str, status: serde_json::Value) -> FiresteelToken {
        let spec = json!({"clusterRef": {"name": "c"}, "role": "viewer", "secretName": "s"});
        let kind = json!({"apiVersion": "firesteel.dev/v1alpha1", "kind": "FiresteelToken"});
        let mut object = json!({"metadata": {"name": name}, "spec": spec, "status": status});
        object.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn the_file_has_a_line_for_every_token_that_is_good() {
        let at = "1970-01-01T00:00:10Z";
        let minted = |hash: &str, expires: Option<&str>| json!({"sha256": hash, "mintedAt": at, "expiresAt": expires});
        let mut gone = made("gone", json!({"current": minted("g", None)}));
        gone.metadata.deletion_timestamp = Some(super::super::time(5));
        let tokens = [
            made(
                "two",
                json!({"current": minted("t2", Some("2999-01-01T00:00:00Z")), "previous": minted("t1", Some(at))}),
            ),
            gone,
            made("none", json!({})),
            made("ann", json!({"current": minted("a", None)})),
        ];
        let own = [(Own::Operator, "x".to_owned())];
        let operator = format!("system:operator admin {}\n", digest("x"));
        let later = "two viewer t2 2999-01-01T00:00:00Z\n";
        assert_eq!(lines(&own, &tokens, 10), format!("ann viewer a\n{operator}{later}"));
        let both = format!("ann viewer a\n{operator}two viewer t1 {at}\n{later}");
        assert_eq!(lines(&own, tokens.iter().rev(), 9), both);
    }

    #[test]
    fn tokens_are_256_bits_and_known_by_their_hash() {
        let token = token([0xAB; 32]);
        assert!(is_token(&token) && !is_token("") && !is_token(&format!("{token}0")) && !is_token(&"x".repeat(64)));
        // The example of FIPS 180-4.
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_scheduler_reads_the_file_of_its_cluster_and_nothing_else() {
        let scheduler = |guarded: bool| {
            let spec = serde_json::from_value(json!({
                "image": "i", "warehouse": "s3a://b/w", "access": {"tokens": guarded}, "executorGroups": [{"name": "a", "max": 2}],
            }))
            .unwrap();
            pods::scheduler(&pods::Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec: &spec })
        };
        let (open, guarded) = (scheduler(false), scheduler(true));
        assert_eq!((is_guarded(&open), is_guarded(&guarded)), (false, true));
        assert_ne!(pods::made_from(&open), pods::made_from(&guarded));
        let spec = serde_json::to_value(guarded.spec.unwrap()).unwrap();
        let of = |list: &serde_json::Value| {
            list.as_array().unwrap().iter().find(|have| have["name"] == VOLUME).cloned().unwrap()
        };
        let secret = &of(&spec["volumes"])["secret"];
        assert_eq!(
            (&secret["secretName"], &secret["items"]),
            (&json!("c-tokens"), &json!([{"key": "tokens", "path": "tokens"}]))
        );
        let container = &spec["containers"][0];
        assert_eq!(
            of(&container["volumeMounts"])["mountPath"],
            container["args"].as_array().unwrap().last().unwrap().clone()
        );
    }
}
