//! Whether clients' connections come to the operator while a cluster cannot take them, and which requests wake it.
//!
//! Connections come here by an EndpointSlice beside those that Kubernetes makes for the cluster's Service, so the Service
//! itself never changes. It goes away only after the scheduler is ready and in the Service again, and the listeners go
//! after that, so that at no time a connection finds nobody.

pub(crate) mod slice;

use super::Seconds;
use super::hibernate::Wanted;
use super::pods::REST_PORT;
use crate::api::cluster::Hibernation;

/// Seconds of a ready scheduler after which the Service leads to it alone. Kubernetes needs them to put it in.
const SWITCHED_AFTER: i64 = 5;
/// Seconds of a ready scheduler after which nobody listens any more. Nodes need them to learn of the Service's change.
const SHUT_AFTER: i64 = 15;

/// What becomes of connections to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gate {
    /// None come here, for this reason.
    Shut(&'static str),
    /// They come here and wait.
    Hold,
    /// They may come here and go on to the scheduler at once.
    Pass,
    /// The Service does not lead here any more, but a node may not know that yet.
    Leave,
}

impl Default for Gate {
    fn default() -> Self {
        Self::Shut("Disabled")
    }
}

/// Decides; `ready_since` is when the scheduler became ready, while it is.
pub(crate) fn gate(spec: &Hibernation, wanted: Wanted, ready_since: Option<Seconds>, now: Seconds) -> Gate {
    if !spec.wake_on_connection {
        return Gate::default();
    }
    match (wanted, ready_since.map(|since| now - since)) {
        // By hand and by schedule outrank whoever connects.
        (Wanted::Suspended | Wanted::Scheduled, _) => Gate::Shut(wanted.reason()),
        (Wanted::Idle, _) | (Wanted::Awake, None) => Gate::Hold,
        (Wanted::Awake, Some(ready)) if ready < SWITCHED_AFTER => Gate::Pass,
        (Wanted::Awake, Some(ready)) if ready < SHUT_AFTER => Gate::Leave,
        (Wanted::Awake, Some(_)) => Gate::Shut(wanted.reason()),
    }
}

/// Whether a request is somebody's who wants the cluster, and not one of those that machines make all the time.
pub(crate) fn wakes(port: i32, path: &str) -> bool {
    port != REST_PORT || !matches!(path, "/healthz" | "/readyz" | "/metrics")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::pods::CONNECT_PORT;

    fn asked(wanted: Wanted, ready_since: Option<Seconds>, now: Seconds) -> Gate {
        gate(&Hibernation { wake_on_connection: true, ..Hibernation::default() }, wanted, ready_since, now)
    }

    #[test]
    fn connections_wait_while_nobody_else_takes_them_and_a_change_loses_none() {
        assert_eq!(asked(Wanted::Idle, None, 100), Gate::Hold);
        assert_eq!(asked(Wanted::Awake, None, 110), Gate::Hold);
        let moves: Vec<Gate> = [120, 124, 125, 134, 135].map(|now| asked(Wanted::Awake, Some(120), now)).to_vec();
        assert_eq!(moves, [Gate::Pass, Gate::Pass, Gate::Leave, Gate::Leave, Gate::Shut("Awake")]);
    }

    #[test]
    fn a_cluster_that_sleeps_by_hand_or_by_schedule_takes_no_connection() {
        assert_eq!(asked(Wanted::Suspended, None, 0), Gate::Shut("Suspended"));
        assert_eq!(asked(Wanted::Scheduled, None, 0), Gate::Shut("Scheduled"));
        assert_eq!(gate(&Hibernation::default(), Wanted::Idle, None, 0), Gate::Shut("Disabled"));
    }

    #[test]
    fn probes_and_scrapes_wake_nobody() {
        assert!(!wakes(REST_PORT, "/metrics") && !wakes(REST_PORT, "/readyz") && !wakes(REST_PORT, "/healthz"));
        assert!(wakes(REST_PORT, "/api/v1/submissions/a") && wakes(REST_PORT, "/"));
        assert!(wakes(CONNECT_PORT, "/metrics"));
    }
}
