//! What becomes of an executor whose group got other resources: resized in place where that takes effect, replaced otherwise.
//!
//! An executor's task slots and its memory pool are fixed when its process begins. So CPU changes in place as long as the
//! slots stay, and so do requests of memory, which matter to Kubernetes only; a limit of memory is a matter of another pod
//! (`decide::pods::made` knows which is which).

use super::Seconds;

/// Seconds a node may take, or put it off.
const PATIENCE: i64 = 300;

/// What a pod was made from, or should be: hashes of all of it, and of what cannot change in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made<'a> {
    pub(crate) from: &'a str,
    pub(crate) shape: &'a str,
}

/// How far the node is with the resources that the pod asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// They are what the process has.
    Done,
    /// They are not yet, for this reason.
    Underway(String),
    /// They cannot be had on this node, for this reason.
    Infeasible(String),
}

/// What the decision rests on.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    pub(crate) is: Made<'a>,
    pub(crate) wanted: Made<'a>,
    /// What it was last asked to become in place, and when.
    pub(crate) asked: Option<(&'a str, Seconds)>,
    /// What it cannot become in place.
    pub(crate) refused: Option<&'a str>,
    /// It runs.
    pub(crate) ready: bool,
    pub(crate) progress: Progress,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is as it should be.
    Keep,
    /// Ask for the resources.
    Ask,
    /// They come.
    Wait,
    /// They have come.
    Done,
    /// They do not come, for this reason: it is to be replaced.
    GiveUp(String),
    /// It cannot change in place: it is to be replaced.
    Replace,
}

impl Step {
    /// Whether the pod makes room for another one when it is free.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self, Self::GiveUp(_) | Self::Replace)
    }
}

/// Decides.
pub(crate) fn step(seen: &Seen<'_>) -> Step {
    let Seen { is, wanted, .. } = *seen;
    if is.from == wanted.from && seen.asked.is_none() {
        return Step::Keep;
    }
    // Pods of older operators do not say what shape they have.
    let in_place = is.shape == wanted.shape && !wanted.shape.is_empty();
    if !in_place || seen.refused == Some(wanted.from) || !seen.ready {
        return Step::Replace;
    }
    let Some((_, since)) = seen.asked.filter(|(asked, _)| *asked == wanted.from) else { return Step::Ask };
    match &seen.progress {
        Progress::Done => Step::Done,
        Progress::Infeasible(why) => Step::GiveUp(why.clone()),
        Progress::Underway(why) if seen.now - since >= PATIENCE => {
            Step::GiveUp(format!("not within {PATIENCE} seconds: {why}"))
        }
        Progress::Underway(_) => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(from: &'a str, wanted: &'a str) -> Seen<'a> {
        Seen {
            now: 1000,
            is: Made { from, shape: "s" },
            wanted: Made { from: wanted, shape: "s" },
            asked: None,
            refused: None,
            ready: true,
            progress: Progress::Done,
        }
    }

    #[test]
    fn other_resources_are_asked_for_waited_for_and_noted() {
        assert_eq!(step(&seen("a", "a")), Step::Keep);
        assert_eq!(step(&seen("a", "b")), Step::Ask);
        let asked = Seen { asked: Some(("b", 990)), ..seen("a", "b") };
        let underway = || Progress::Underway("deferred".into());
        assert_eq!(step(&Seen { progress: underway(), ..asked.clone() }), Step::Wait);
        assert_eq!(step(&asked), Step::Done);
        // Meanwhile something else is wanted, or what there was.
        assert_eq!(step(&Seen { asked: Some(("b", 990)), ..seen("a", "c") }), Step::Ask);
        assert_eq!(step(&Seen { asked: Some(("b", 990)), ..seen("a", "a") }), Step::Ask);
    }

    #[test]
    fn what_cannot_change_in_place_is_replaced() {
        let other = Seen { is: Made { from: "a", shape: "t" }, ..seen("a", "b") };
        let older = Seen { is: Made { from: "a", shape: "" }, wanted: Made { from: "b", shape: "" }, ..seen("a", "b") };
        let starting = Seen { ready: false, ..seen("a", "b") };
        let refused = Seen { refused: Some("b"), ..seen("a", "b") };
        for seen in [other, older, starting, refused] {
            assert_eq!(step(&seen), Step::Replace);
            assert!(step(&seen).replaces());
        }
        assert_eq!(step(&Seen { refused: Some("b"), ..seen("a", "c") }), Step::Ask);
    }

    #[test]
    fn a_node_that_has_no_room_is_given_up_at_once_and_one_that_puts_it_off_after_a_while() {
        let asked = |progress, since| Seen { asked: Some(("b", since)), progress, ..seen("a", "b") };
        let never = asked(Progress::Infeasible("too big".into()), 999);
        assert_eq!(step(&never), Step::GiveUp("too big".into()));
        let later = |since| step(&asked(Progress::Underway("deferred".into()), since));
        assert_eq!(later(701), Step::Wait);
        assert_eq!(later(700), Step::GiveUp("not within 300 seconds: deferred".into()));
    }
}
