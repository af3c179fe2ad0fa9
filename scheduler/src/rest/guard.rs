//! Who may ask this door for what: whoever looks is a viewer at least, and what changes things wants more.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use firesteel_service::callers::{Callers, Refused};
use firesteel_service::tokens::{Caller, Role, credentials};

/// Who asks; `None` where everybody may do everything.
pub(super) type By = Extension<Option<Caller>>;

/// Lets those in who have a token, and notes who they are. People's browsers ask for it, since it may be a password.
pub(super) async fn check(State(callers): State<Option<Arc<Callers>>>, mut request: Request, next: Next) -> Response {
    let caller = match callers {
        None => None,
        Some(callers) => {
            let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = header.and_then(credentials).map(|(_, token)| token);
            match callers.caller(token.as_deref()).await {
                Ok(caller) => Some(caller),
                Err(refused) => return sent_away(&refused),
            }
        }
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn sent_away(refused: &Refused) -> Response {
    let message = axum::Json(serde_json::json!({"message": refused.to_string()}));
    match refused {
        Refused::Role(_) => (StatusCode::FORBIDDEN, message).into_response(),
        Refused::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, message).into_response(),
        _ => {
            let asked = [(header::WWW_AUTHENTICATE, "Basic realm=\"Firesteel: the password is a token\"")];
            (StatusCode::UNAUTHORIZED, asked, message).into_response()
        }
    }
}

/// Refuses callers below a role, with a sentence.
pub(super) fn allow(by: &By, least: Role) -> Result<(), &'static str> {
    match (&by.0, least) {
        (Some(caller), least) if caller.role < least => Err(match least {
            Role::Viewer => "the role viewer is needed",
            Role::User => "the role user is needed",
            Role::Admin => "the role admin is needed",
        }),
        _ => Ok(()),
    }
}

/// Whether a job of `owner` is the caller's to stop.
pub(super) fn may_stop(by: &By, owner: Option<&str>) -> bool {
    match &by.0 {
        None => true,
        Some(caller) => caller.role >= Role::Admin || owner == Some(caller.name.as_str()) && caller.role >= Role::User,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(role: Role) -> By {
        Extension(Some(Caller { name: "ann".into(), role }))
    }

    #[test]
    fn users_stop_their_own_jobs_and_admins_all() {
        let everybody: By = Extension(None);
        assert!(may_stop(&everybody, Some("bob")) && may_stop(&everybody, None));
        assert!(may_stop(&by(Role::User), Some("ann")));
        for not_theirs in [Some("bob"), None] {
            assert!(!may_stop(&by(Role::User), not_theirs));
            assert!(may_stop(&by(Role::Admin), not_theirs));
        }
        assert!(!may_stop(&by(Role::Viewer), Some("ann")));
    }

    #[test]
    fn roles_are_least_roles() {
        assert!(allow(&by(Role::Viewer), Role::Viewer).is_ok());
        assert_eq!(allow(&by(Role::Viewer), Role::User), Err("the role user is needed"));
        assert_eq!(allow(&by(Role::User), Role::Admin), Err("the role admin is needed"));
        assert!(allow(&by(Role::Admin), Role::User).is_ok());
        assert!(allow(&Extension(None), Role::Admin).is_ok());
    }
}
