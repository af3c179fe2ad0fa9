//! Clusters that sleep by the clock, through working days, weekends and changes of the clock.

use super::*;
use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;

/// Changes of phase between two instants, by local time. Pods come and go at once; an operator looks when it is told to.
fn phases(spec: &FiresteelClusterSpec, zone: &str, from: &str, until: &str, jobs: usize) -> Vec<String> {
    let tz: Tz = zone.parse().unwrap();
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    let (mut now, end) = (instant(from), instant(until));
    let (mut status, mut scheduler, mut found, mut last) = (ClusterStatus::default(), None, Vec::new(), String::new());
    let mut looks = 0;
    while now < end {
        let load = if scheduler.is_some() { idle(0) } else { None };
        let poll = 300;
        let decision = once(&Seen { scheduler: scheduler.clone(), load, jobs, poll, ..seen(spec, &status, now) });
        if decision.make_scheduler {
            scheduler = up();
        } else if decision.delete.iter().any(|name| name == "c-scheduler") {
            scheduler = None;
        }
        if matches!(decision.status.phase.as_str(), "Ready" | "Hibernated") && decision.status.phase != last {
            last = decision.status.phase.clone();
            found.push(format!("{} {last}", tz.timestamp_opt(now, 0).unwrap().format("%a %d %H:%M")));
        }
        // What was done is seen at once.
        now += if decision.make_scheduler || !decision.delete.is_empty() { 0 } else { decision.requeue };
        status = decision.status;
        looks += 1;
        assert!(looks < 20_000, "it looks for ever");
    }
    found
}

fn nights(start: &str, end: &str, zone: &str) -> FiresteelClusterSpec {
    spec(json!({"hibernation": {"schedules": [{"start": start, "end": end, "timeZone": zone}]}}))
}

#[test]
fn nights_and_weekends_are_slept_through_to_the_minute() {
    let spec = nights("0 20 * * 1-5", "0 7 * * 1-5", "Europe/Moscow");
    let week = phases(&spec, "Europe/Moscow", "2026-11-26T12:00:00+03:00", "2026-12-01T12:00:00+03:00", 0);
    assert_eq!(
        week,
        [
            "Thu 26 12:00 Ready",
            "Thu 26 20:00 Hibernated",
            "Fri 27 07:00 Ready",
            "Fri 27 20:00 Hibernated",
            "Mon 30 07:00 Ready",
            "Mon 30 20:00 Hibernated",
            "Tue 01 07:00 Ready",
        ]
    );
    // Jobs wait for the morning.
    assert_eq!(
        phases(&spec, "Europe/Moscow", "2026-11-26T19:00:00+03:00", "2026-11-27T08:00:00+03:00", 3),
        ["Thu 26 19:00 Ready", "Thu 26 20:00 Hibernated", "Fri 27 07:00 Ready",]
    );
}

#[test]
fn a_night_with_a_change_of_the_clock_begins_and_ends_by_the_clock() {
    let spec = nights("0 22 * * *", "30 2 * * *", "Europe/Berlin");
    // Half past two is skipped: the night ends when the clock has gone forward.
    let spring = phases(&spec, "Europe/Berlin", "2026-03-28T20:00:00+01:00", "2026-03-30T05:00:00+02:00", 0);
    assert_eq!(
        spring,
        [
            "Sat 28 20:00 Ready",
            "Sat 28 22:00 Hibernated",
            "Sun 29 03:00 Ready",
            "Sun 29 22:00 Hibernated",
            "Mon 30 02:30 Ready"
        ]
    );
    // Half past two comes twice: the night ends the first time, and does not begin again.
    let autumn = phases(&spec, "Europe/Berlin", "2026-10-24T20:00:00+02:00", "2026-10-25T12:00:00+01:00", 0);
    assert_eq!(autumn, ["Sat 24 20:00 Ready", "Sat 24 22:00 Hibernated", "Sun 25 02:30 Ready"]);
}

#[test]
fn of_several_times_of_sleep_each_counts() {
    let spec = spec(json!({"hibernation": {"schedules": [
        {"start": "0 12 * * *", "end": "0 13 * * *", "timeZone": "Etc/UTC"},
        {"start": "30 12 * * *", "end": "0 14 * * *", "timeZone": "Etc/UTC"},
    ]}}));
    let day = phases(&spec, "Etc/UTC", "2026-11-26T11:00:00Z", "2026-11-26T18:00:00Z", 0);
    assert_eq!(day, ["Thu 26 11:00 Ready", "Thu 26 12:00 Hibernated", "Thu 26 14:00 Ready"]);
}
