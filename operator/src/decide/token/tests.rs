//! Lives of tokens, told step by step.

use super::*;
use serde_json::{Value, json};

fn spec(extra: Value) -> FiresteelTokenSpec {
    let mut spec = json!({"clusterRef": {"name": "c"}, "role": "user", "secretName": "s"});
    spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn seen<'a>(spec: &'a FiresteelTokenSpec, status: &'a TokenStatus, now: Seconds, kept: Kept) -> Seen<'a> {
    Seen { now, created: 100, generation: Some(1), spec, status, kept, cluster: Cluster::Guarded, fresh: "new" }
}

fn ours(hash: &str) -> Kept {
    Kept::Ours(hash.into())
}

fn minted(hash: &str, at: Seconds, expires: Option<Seconds>) -> Minted {
    Minted { sha256: hash.into(), minted_at: time(at), expires_at: expires.map(time) }
}

fn status(current: Option<Minted>, previous: Option<Minted>) -> TokenStatus {
    TokenStatus { phase: "Active".into(), current, previous, ..TokenStatus::default() }
}

#[test]
fn a_new_token_is_made_once_and_then_left_alone() {
    let spec = spec(json!({}));
    let first = decide(&seen(&spec, &TokenStatus::default(), 100, Kept::Missing));
    assert_eq!((first.mint, first.status.current.clone()), (true, Some(minted("new", 100, None))));
    assert_eq!((first.status.phase.as_str(), first.news[0].reason), ("Active", "Minted"));
    let later = decide(&seen(&spec, &first.status, 5000, ours("new")));
    assert_eq!((later.mint, later.news.len(), later.requeue, later.status), (false, 0, 60, first.status));
}

#[test]
fn a_secret_that_is_gone_or_changed_gets_a_new_token_and_the_old_one_ends() {
    let (spec, before) =
        (spec(json!({})), status(Some(minted("old", 100, None)), Some(minted("older", 50, Some(999)))));
    for kept in [Kept::Missing, ours("other")] {
        let after = decide(&seen(&spec, &before, 200, kept));
        assert_eq!(
            (after.mint, after.status.current, after.status.previous),
            (true, Some(minted("new", 200, None)), None)
        );
        assert_eq!((after.news[0].reason, after.news[0].warning), ("SecretChanged", true));
    }
}

#[test]
fn the_secret_of_somebody_else_is_left_alone_and_nobody_is_let_in() {
    let spec = spec(json!({}));
    let blocked = decide(&seen(&spec, &status(Some(minted("old", 100, None)), None), 200, Kept::Foreign));
    assert!(!blocked.mint && blocked.status.current.is_none());
    let ready = &blocked.status.conditions[0];
    assert_eq!(
        (blocked.status.phase.as_str(), ready.status.as_str(), ready.reason.as_str()),
        ("Blocked", "False", "SecretTaken")
    );
    assert!(decide(&seen(&spec, &blocked.status, 210, Kept::Foreign)).news.is_empty());
    assert!(decide(&seen(&spec, &blocked.status, 220, Kept::Missing)).mint);
}

#[test]
fn a_token_ends_with_its_time_and_lives_again_with_more() {
    let short = spec(json!({"ttlSeconds": 50}));
    let first = decide(&seen(&short, &TokenStatus::default(), 120, Kept::Missing));
    assert_eq!((first.status.current.clone().unwrap().expires_at, first.requeue), (Some(time(150)), 30));
    let over = decide(&seen(&short, &first.status, 150, ours("new")));
    assert_eq!((over.mint, over.status.current.clone(), over.status.phase.as_str()), (false, None, "Expired"));
    assert!(decide(&seen(&short, &over.status, 151, ours("new"))).news.is_empty());
    let long = spec(json!({"ttlSeconds": 500}));
    let again = decide(&Seen { fresh: "next", ..seen(&long, &over.status, 160, ours("new")) });
    assert_eq!((again.mint, again.status.current), (true, Some(minted("next", 160, Some(600)))));
}

#[test]
fn rotation_keeps_the_old_token_for_the_overlap_and_never_beyond_the_end() {
    let spec = spec(json!({"ttlSeconds": 1000, "rotation": {"everySeconds": 300, "overlapSeconds": 90}}));
    let before = status(Some(minted("old", 100, None)), None);
    let early = decide(&seen(&spec, &before, 399, ours("old")));
    assert_eq!((early.mint, early.requeue, early.status.next_rotation_at.clone()), (false, 1, Some(time(400))));
    assert_eq!(early.status.current.unwrap().expires_at, Some(time(490)));
    let turned = decide(&seen(&spec, &before, 400, ours("old")));
    assert_eq!((turned.mint, turned.news[0].reason), (true, "Rotated"));
    assert_eq!(turned.status.current, Some(minted("new", 400, Some(790))));
    assert_eq!(turned.status.previous, Some(minted("old", 100, Some(490))));
    let after = decide(&seen(&spec, &turned.status, 490, ours("new")));
    assert_eq!((after.mint, after.status.previous), (false, None));
    let last = decide(&seen(&spec, &status(Some(minted("old", 1000, None)), None), 1050, ours("old")));
    assert_eq!((last.status.current.unwrap().expires_at, last.status.next_rotation_at), (Some(time(1100)), None));
}

#[test]
fn a_rotation_that_was_interrupted_is_done_again_without_taking_the_token_that_is_used() {
    let spec = spec(json!({"rotation": {"everySeconds": 300, "overlapSeconds": 90}}));
    let half = status(Some(minted("lost", 400, None)), Some(minted("old", 100, Some(490))));
    let again = decide(&seen(&spec, &half, 402, ours("old")));
    assert_eq!((again.mint, again.status.current), (true, Some(minted("new", 402, Some(792)))));
    assert_eq!((again.status.previous, again.news.len()), (Some(minted("old", 100, Some(490))), 0));
}

#[test]
fn the_condition_says_what_the_cluster_lacks() {
    let spec = spec(json!({}));
    for (cluster, reason) in [(Cluster::Missing, "ClusterMissing"), (Cluster::Open, "ClusterOpen")] {
        let decision = decide(&Seen { cluster, ..seen(&spec, &TokenStatus::default(), 100, Kept::Missing) });
        assert_eq!(
            (decision.status.phase.as_str(), decision.status.conditions[0].reason.as_str()),
            ("Pending", reason)
        );
    }
}
