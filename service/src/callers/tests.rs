//! Callers, with a reviewer that counts.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;

#[derive(Debug, Default)]
struct Fake {
    asked: AtomicUsize,
}

impl Reviewer for Fake {
    fn review<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Review, Unavailable>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let known = |role| Review::Known { caller: Caller { name: token.into(), role }, good_for: None };
        let answer = match token {
            "user" => Ok(known(Role::User)),
            "viewer" => Ok(known(Role::Viewer)),
            "weak" => Ok(Review::Powerless { name: "weak".into() }),
            "broken" => Err(Unavailable("connection refused".into())),
            "slow" => return std::future::pending().boxed(),
            _ => Ok(Review::Stranger),
        };
        futures::future::ready(answer).boxed()
    }
}

fn callers(reviewer: Option<Arc<Fake>>) -> (tempfile::TempDir, Arc<Callers>) {
    let folder = tempfile::tempdir().unwrap();
    let hash: String = digest("file").iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(folder.path().join("tokens"), format!("ann admin {hash}\n")).unwrap();
    let tokens = Tokens::open(folder.path().join("tokens")).unwrap();
    let reviews = reviewer.map(|reviewer| Reviews::new(reviewer, Duration::from_millis(50)));
    (folder, Arc::new(Callers { tokens, reviews }))
}

#[tokio::test]
async fn a_token_of_the_file_is_not_reviewed_and_others_are_once() {
    let reviewer = Arc::new(Fake::default());
    let (_folder, callers) = callers(Some(Arc::clone(&reviewer)));
    assert_eq!(callers.caller(Some("file")).await.unwrap().name, "ann");
    assert_eq!(reviewer.asked.load(Ordering::Relaxed), 0);
    for _ in 0..3 {
        assert_eq!(callers.user(Some("user")).await.unwrap().role, Role::User);
        assert_eq!(callers.caller(Some("else")).await, Err(Refused::Stranger));
        assert!(
            matches!(callers.user(Some("viewer")).await, Err(Refused::Role(why)) if why.contains("a viewer may not"))
        );
        assert!(
            matches!(callers.caller(Some("weak")).await, Err(Refused::Role(why)) if why == "weak has no role here")
        );
    }
    assert_eq!(reviewer.asked.load(Ordering::Relaxed), 4);
    for none in [None, Some(""), Some("x".repeat(TOKEN_BYTES + 1).as_str())] {
        assert_eq!(callers.caller(none).await, Err(Refused::Stranger));
    }
    assert_eq!(reviewer.asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_reviewer_without_an_answer_lets_nobody_in_and_is_asked_again() {
    let reviewer = Arc::new(Fake::default());
    let (_folder, callers) = callers(Some(Arc::clone(&reviewer)));
    for _ in 0..2 {
        assert_eq!(callers.caller(Some("broken")).await, Err(Refused::Unavailable));
    }
    assert_eq!(reviewer.asked.load(Ordering::Relaxed), 2);
    assert_eq!(callers.caller(Some("slow")).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn without_a_reviewer_the_file_is_all() {
    let (_folder, callers) = callers(None);
    assert_eq!(callers.caller(Some("user")).await, Err(Refused::Stranger));
    assert!(callers.user(Some("file")).await.is_ok());
}
