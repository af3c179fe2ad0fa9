//! Metrics in Prometheus' text form.

use std::fmt::Write;

use super::{Executor, Job, Rest};

pub(super) fn render(rest: &Rest, executors: &[Executor], jobs: &[Job]) -> String {
    let mut text = String::new();
    let cores: u64 = executors.iter().map(|executor| u64::from(executor.cores)).sum();
    gauge(
        &mut text,
        "firesteel_uptime_seconds",
        "Seconds since the process started.",
        rest.started.elapsed().as_secs(),
    );
    gauge(&mut text, "firesteel_query_memory_limit_bytes", "Bytes queries may reserve here.", rest.memory_limit);
    gauge(&mut text, "firesteel_executors", "Executors registered.", executors.len() as u64);
    gauge(&mut text, "firesteel_executor_cores", "Cores of all executors.", cores);
    let name = "firesteel_jobs";
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} Jobs on the cluster that are remembered.\n# TYPE {name} gauge");
    for status in ["queued", "running", "succeeded", "failed", "cancelled"] {
        let count = jobs.iter().filter(|job| job.status == status).count();
        let _ = writeln!(text, "{name}{{status=\"{status}\"}} {count}");
    }
    text
}

fn gauge(text: &mut String, name: &str, help: &str, value: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
}
