//! Decisions: functions of what was seen and the time, without any input or output. Everything here is tested with a clock
//! that is a number.

pub(crate) mod access;
pub(crate) mod activate;
pub(crate) mod calendar;
pub(crate) mod cluster;
pub(crate) mod disruption;
pub(crate) mod driver;
pub(crate) mod hibernate;
pub(crate) mod ingress;
pub(crate) mod job;
pub(crate) mod kubeflow;
pub(crate) mod pods;
pub(crate) mod private;
pub(crate) mod resize;
pub(crate) mod scale;
pub(crate) mod schedule;
pub(crate) mod tls;
pub(crate) mod token;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

/// Seconds since the epoch.
pub(crate) type Seconds = i64;

/// The time of an object's field.
pub(crate) fn seconds(time: &Time) -> Seconds {
    time.0.as_second()
}

/// Seconds as an object's field. Years that a timestamp cannot hold become the epoch; no clock is there.
pub(crate) fn time(seconds: Seconds) -> Time {
    Time(Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Something worth telling the user, which becomes an Event of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) warning: bool,
    pub(crate) reason: &'static str,
    pub(crate) note: String,
}

impl News {
    pub(crate) fn normal(reason: &'static str, note: impl Into<String>) -> Self {
        Self { warning: false, reason, note: note.into() }
    }

    pub(crate) fn warning(reason: &'static str, note: impl Into<String>) -> Self {
        Self { warning: true, reason, note: note.into() }
    }
}
