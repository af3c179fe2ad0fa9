//! Metrics in Prometheus' text form.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::api::job::{JobStatus, Phase};
use crate::decide::{Seconds, seconds};

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    looks: [AtomicU64; 6],
    failed_looks: [AtomicU64; 6],
    submissions: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    started: AtomicU64,
    start_seconds: AtomicI64,
    leading: AtomicU64,
    connections: AtomicI64,
    wakes: AtomicU64,
}

/// A kind of object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Cluster,
    Job,
    Schedule,
    Token,
    Application,
    ScheduledApplication,
}

const KINDS: [(&str, usize); 6] = [
    ("FiresteelCluster", 0),
    ("FiresteelJob", 1),
    ("FiresteelSchedule", 2),
    ("FiresteelToken", 3),
    ("SparkApplication", 4),
    ("ScheduledSparkApplication", 5),
];

impl Metrics {
    pub(crate) fn looked(&self, kind: Kind, well: bool) {
        let counts = if well { &self.looks } else { &self.failed_looks };
        if let Some(count) = counts.get(kind as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn submitted(&self) {
        self.submissions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leads(&self) {
        self.leading.store(1, Ordering::Relaxed);
    }

    /// The activator has so many connections more.
    pub(crate) fn connected(&self, more: i64) {
        self.connections.fetch_add(more, Ordering::Relaxed);
    }

    /// A request of a client woke a cluster.
    pub(crate) fn woken(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }

    /// A job went from a phase to another.
    pub(crate) fn job_moved(&self, from: Phase, to: Phase, status: &JobStatus, now: Seconds) {
        if from == to {
            return;
        }
        match to {
            Phase::Succeeded => self.succeeded.fetch_add(1, Ordering::Relaxed),
            Phase::Failed => self.failed.fetch_add(1, Ordering::Relaxed),
            Phase::Running => {
                let queued = status.queued_at.as_ref().map_or(now, seconds);
                self.start_seconds.fetch_add((now - queued).max(0), Ordering::Relaxed);
                self.started.fetch_add(1, Ordering::Relaxed)
            }
            _ => 0,
        };
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let one = |text: &mut String, name: &str, kind: &str, help: &str, value: u64| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        one(&mut text, "firesteel_operator_leading", "gauge", "Whether this process leads.", read(&self.leading));
        one(
            &mut text,
            "firesteel_operator_submissions_total",
            "counter",
            "SQL jobs given to schedulers.",
            read(&self.submissions),
        );
        one(
            &mut text,
            "firesteel_operator_jobs_succeeded_total",
            "counter",
            "Jobs that succeeded.",
            read(&self.succeeded),
        );
        one(
            &mut text,
            "firesteel_operator_jobs_failed_total",
            "counter",
            "Jobs that were given up.",
            read(&self.failed),
        );
        one(
            &mut text,
            "firesteel_operator_connection_wakes_total",
            "counter",
            "Times that clients began to wait for a cluster.",
            read(&self.wakes),
        );
        one(
            &mut text,
            "firesteel_operator_activator_connections",
            "gauge",
            "Connections of clients to the activator.",
            u64::try_from(self.connections.load(Ordering::Relaxed)).unwrap_or(0),
        );
        let name = "firesteel_operator_job_start_seconds";
        let _ = writeln!(
            text,
            "# HELP {name} From queued to running.\n# TYPE {name} summary\n{name}_sum {}\n{name}_count {}",
            self.start_seconds.load(Ordering::Relaxed),
            read(&self.started)
        );
        let name = "firesteel_operator_reconciles_total";
        let _ = writeln!(text, "# HELP {name} Looks at objects.\n# TYPE {name} counter");
        for (kind, index) in KINDS {
            for (result, counts) in [("ok", &self.looks), ("error", &self.failed_looks)] {
                let value = counts.get(index).map_or(0, read);
                let _ = writeln!(text, "{name}{{kind=\"{kind}\",result=\"{result}\"}} {value}");
            }
        }
        text
    }
}
