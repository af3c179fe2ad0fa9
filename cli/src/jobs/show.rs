//! Jobs on the terminal: a table as kubectl prints them, JSON, or names.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::args::JobsOutput;
use crate::print;

const HEADER: [&str; 7] = ["ID", "STATE", "STATEMENTS", "ROWS", "OWNER", "DURATION", "AGE"];

/// Prints one job.
///
/// # Errors
/// When standard output is closed.
pub(super) fn one(job: &Value, output: JobsOutput) -> anyhow::Result<()> {
    match output {
        JobsOutput::Json => print::line(&serde_json::to_string_pretty(job)?),
        _ => all(&Value::Array(vec![job.clone()]), output),
    }
}

/// Prints jobs.
///
/// # Errors
/// When standard output is closed.
pub(super) fn all(jobs: &Value, output: JobsOutput) -> anyhow::Result<()> {
    let listed = jobs.as_array().map_or(&[][..], Vec::as_slice);
    match output {
        JobsOutput::Json => print::line(&serde_json::to_string_pretty(jobs)?),
        JobsOutput::Name => listed.iter().try_for_each(|job| print::line(text(job, "id"))),
        JobsOutput::Table if listed.is_empty() => {
            print::note("no jobs");
            Ok(())
        }
        JobsOutput::Table => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            table(listed, now).iter().try_for_each(|line| print::line(line))
        }
    }
}

fn table(jobs: &[Value], now: u64) -> Vec<String> {
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(jobs.iter().map(|job| row(job, now)));
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            format!("{cell}{padding}")
        });
        cells.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(job: &Value, now: u64) -> [String; 7] {
    let (started, ended) = (number(job, "started"), number(job, "ended"));
    let until = if ended == 0 { now } else { ended };
    let owner = match text(job, "owner") {
        "" => "<none>",
        owner => owner,
    };
    [
        text(job, "id").to_owned(),
        text(job, "state").to_owned(),
        format!("{}/{}", number(job, "completed_statements"), number(job, "statements")),
        number(job, "rows").to_string(),
        owner.to_owned(),
        span(until.saturating_sub(started)),
        span(now.saturating_sub(started)),
    ]
}

fn text<'a>(job: &'a Value, key: &str) -> &'a str {
    job.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(job: &Value, key: &str) -> u64 {
    job.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// A span of milliseconds, roughly, as kubectl tells ages.
fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_are_aligned_and_times_relative() {
        let jobs = [
            json!({"id": "daily", "state": "succeeded", "statements": 2, "completed_statements": 2, "rows": 70, "owner": "ann",
                "started": 1_000, "ended": 61_000}),
            json!({"id": "x", "state": "running", "statements": 0, "completed_statements": 0, "rows": 0, "owner": null,
                "started": 3_601_000, "ended": 0}),
        ];
        assert_eq!(
            table(&jobs, 7_201_000 + 1_000),
            [
                "ID      STATE       STATEMENTS   ROWS   OWNER    DURATION   AGE",
                "daily   succeeded   2/2          70     ann      60s        2h",
                "x       running     0/0          0      <none>   60m        60m",
            ]
        );
    }
}
