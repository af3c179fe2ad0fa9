//! What the API server is asked, and how its answers are read. No input and no output.
//!
//! The kinds are those of <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/> and
//! <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firesteel_service::tokens::Role;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const GROUP: &str = "firesteel.dev";
const RESOURCE: &str = "firesteelclusters";

/// Who has a token, as the API server says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) username: String,
    uid: String,
    groups: Vec<String>,
    /// Of authenticators and for authorizers: handed on as it is.
    extra: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TokenReview {
    #[serde(default)]
    status: TokenStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenStatus {
    authenticated: bool,
    user: User,
    audiences: Vec<String>,
}

impl TokenReview {
    /// Whose the token is, if it is somebody's for one of the audiences.
    pub(super) fn user(self, audiences: &[String]) -> Option<User> {
        let status = self.status;
        // An authenticator that knows no audiences says none, and its word counts for the API server only.
        let meant = audiences.is_empty() || audiences.iter().any(|audience| status.audiences.contains(audience));
        (status.authenticated && meant && !status.user.username.is_empty()).then_some(status.user)
    }
}

/// The answer to any question of access.
#[derive(Debug, Deserialize)]
pub(super) struct Access {
    #[serde(default)]
    status: AccessStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AccessStatus {
    allowed: bool,
    denied: bool,
}

impl Access {
    pub(super) fn allows(&self) -> bool {
        self.status.allowed && !self.status.denied
    }
}

/// The verb on a FiresteelCluster that gives a role. None of them is one that the API server itself knows.
fn verb(role: Role) -> &'static str {
    match role {
        Role::Viewer => "view",
        Role::User => "query",
        Role::Admin => "admin",
    }
}

pub(super) fn token_review(token: &str, audiences: &[String]) -> Value {
    json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": {"token": token, "audiences": audiences},
    })
}

pub(super) fn access_review(user: &User, namespace: &str, cluster: &str, role: Role) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
            "resourceAttributes": {
                "namespace": namespace, "verb": verb(role), "group": GROUP, "resource": RESOURCE, "name": cluster,
            },
        },
    })
}

pub(super) fn own_access_review(group: &str, resource: &str) -> Value {
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "create", "group": group, "resource": resource}},
    })
}

/// The second since the epoch at which a token ends, if it is a JWT that says so (RFC 7519, 4.1.4). Only read of tokens that
/// the API server has verified.
pub(super) fn expiry(token: &str) -> Option<u64> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    let end = claims.get("exp")?;
    // A NumericDate may have a fraction; the whole seconds before it are safe.
    end.as_u64().or_else(|| end.to_string().split('.').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(status: Value) -> TokenReview {
        serde_json::from_value(json!({"kind": "TokenReview", "status": status})).unwrap()
    }

    #[test]
    fn somebody_is_who_is_authenticated_for_an_audience_that_was_asked_for() {
        let user = json!({"username": "ann", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]}});
        let whose = |audiences: Value, asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(|&audience| audience.to_owned()).collect();
            let status = json!({"authenticated": true, "user": user, "audiences": audiences});
            review(status).user(&asked).map(|user| user.username)
        };
        let ann = Some("ann".to_owned());
        assert_eq!(whose(json!(["https://api"]), &[]), ann);
        assert_eq!(whose(json!(["firesteel"]), &["other", "firesteel"]), ann);
        assert_eq!(whose(json!(["https://api"]), &["firesteel"]), None);
        assert_eq!(whose(json!([]), &["firesteel"]), None);
        for nobody in [
            json!({}),
            json!({"authenticated": false, "error": "invalid bearer token"}),
            json!({"authenticated": false, "user": user}),
            json!({"authenticated": true}),
        ] {
            assert_eq!(review(nobody).user(&[]), None);
        }
        let silent: TokenReview = serde_json::from_value(json!({"kind": "TokenReview"})).unwrap();
        assert_eq!(silent.user(&[]), None);
    }

    #[test]
    fn access_is_what_is_allowed_and_not_denied() {
        let allows = |status: Value| serde_json::from_value::<Access>(json!({"status": status})).unwrap().allows();
        assert!(allows(json!({"allowed": true})));
        for no in [json!({}), json!({"allowed": false}), json!({"allowed": true, "denied": true})] {
            assert!(!allows(no));
        }
    }

    #[test]
    fn all_of_a_user_is_asked_about() {
        let user: User =
            serde_json::from_value(json!({"username": "ann", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]}}))
                .unwrap();
        let asked = access_review(&user, "n", "c", Role::User);
        let spec = &asked["spec"];
        assert_eq!(
            (&spec["user"], &spec["groups"], &spec["extra"]),
            (&json!("ann"), &json!(["g"]), &json!({"k": ["v"]}))
        );
        let expected = json!({"namespace": "n", "verb": "query", "group": "firesteel.dev", "resource": "firesteelclusters", "name": "c"});
        assert_eq!(spec["resourceAttributes"], expected);
    }

    #[test]
    fn the_end_of_a_token_is_read_where_it_says_one() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(expiry(&token(r#"{"exp": 1790000000}"#)), Some(1_790_000_000));
        assert_eq!(expiry(&token(r#"{"exp": 1790000000.9}"#)), Some(1_790_000_000));
        for none in [token("{}"), token("[]"), token(r#"{"exp": "soon"}"#), "opaque".into(), "a.b.c".into()] {
            assert_eq!(expiry(&none), None, "{none}");
        }
    }
}
