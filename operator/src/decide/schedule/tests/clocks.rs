//! Schedules through changes of the clock, by an operator that looks when it is told to: which jobs there are, by local time.

use super::*;
use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;

/// Local times of the jobs that are made between two local times, by an operator that is away in between.
fn jobs(schedule: &str, zone: &str, from: &str, until: &str, away: Option<(&str, &str)>) -> Vec<String> {
    let spec = spec(json!({"schedule": schedule, "timeZone": zone, "concurrencyPolicy": "Allow"}));
    let tz: Tz = zone.parse().unwrap();
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    let (start, end) = (instant(from), instant(until));
    let away = away.map(|(from, until)| instant(from)..instant(until));
    let (mut now, mut status, mut found, mut names) = (start, ScheduleStatus::default(), Vec::new(), Vec::new());
    while now < end {
        if let Some(away) = away.as_ref().filter(|away| away.contains(&now)) {
            now = away.end;
        }
        let decision =
            decide(&Seen { now, name: "s", created: start, generation: None, spec: &spec, status: &status, jobs: &[] });
        if let Some(name) = decision.create {
            let minute: i64 = name.strip_prefix("s-").unwrap().parse().unwrap();
            found.push(tz.timestamp_opt(minute * 60, 0).unwrap().format("%d %H:%M %z").to_string());
            assert!(!names.contains(&name), "{name} twice");
            names.push(name);
        }
        status = decision.status;
        now += decision.requeue;
    }
    found
}

#[test]
fn in_spring_a_time_that_is_skipped_is_made_up_for_once() {
    let berlin = |schedule: &str| {
        jobs(schedule, "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-30T12:00:00+02:00", None)
    };
    assert_eq!(berlin("30 2 * * *"), ["29 03:00 +0200", "30 02:30 +0200"]);
    assert_eq!(berlin("0 3 * * *"), ["29 03:00 +0200", "30 03:00 +0200"]);
    assert_eq!(berlin("59 1 * * *"), ["29 01:59 +0100", "30 01:59 +0200"]);
    // Both times of a schedule are in the gap: one job.
    assert_eq!(berlin("10,50 2 * * *"), ["29 03:00 +0200", "30 02:10 +0200", "30 02:50 +0200"]);
    assert_eq!(
        berlin("0 */6 * * *"),
        [
            "28 18:00 +0100",
            "29 00:00 +0100",
            "29 06:00 +0200",
            "29 12:00 +0200",
            "29 18:00 +0200",
            "30 00:00 +0200",
            "30 06:00 +0200"
        ]
    );
}

#[test]
fn in_autumn_a_time_that_is_repeated_makes_one_job_and_a_distance_two() {
    let berlin = |schedule: &str| {
        jobs(schedule, "Europe/Berlin", "2026-10-24T23:50:00+02:00", "2026-10-25T04:10:00+01:00", None)
    };
    assert_eq!(berlin("30 2 * * *"), ["25 02:30 +0200"]);
    assert_eq!(berlin("0 3 * * *"), ["25 03:00 +0100"]);
    assert_eq!(
        berlin("0 * * * *"),
        ["25 00:00 +0200", "25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100", "25 04:00 +0100"]
    );
}

#[test]
fn zones_with_other_changes_are_no_exception() {
    // New York changes at its own dates, Lord Howe by half an hour, and Saint John's has an odd offset.
    let york = jobs("30 1 * * *", "America/New_York", "2026-10-31T12:00:00-04:00", "2026-11-02T12:00:00-05:00", None);
    assert_eq!(york, ["01 01:30 -0400", "02 01:30 -0500"]);
    let howe =
        jobs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", "2026-10-05T12:00:00+11:00", None);
    assert_eq!(howe, ["04 02:30 +1100", "05 02:15 +1100"]);
    let john = jobs("30 2 * * *", "America/St_Johns", "2026-03-07T12:00:00-03:30", "2026-03-09T12:00:00-02:30", None);
    assert_eq!(john, ["08 03:00 -0230", "09 02:30 -0230"]);
    // There are no changes in Moscow.
    let moscow = jobs("30 2 * * *", "Europe/Moscow", "2026-03-28T12:00:00+03:00", "2026-03-30T12:00:00+03:00", None);
    assert_eq!(moscow, ["29 02:30 +0300", "30 02:30 +0300"]);
}

#[test]
fn an_operator_that_was_away_during_the_change_makes_up_for_it_once() {
    let spring = ("2026-03-29T01:30:00+01:00", "2026-03-29T05:00:00+02:00");
    let made =
        jobs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-30T12:00:00+02:00", Some(spring));
    assert_eq!(made, ["29 03:00 +0200", "30 02:30 +0200"]);
    // It was there for the first half past two and away for the second.
    let autumn = ("2026-10-25T02:45:00+02:00", "2026-10-25T03:30:00+01:00");
    let made =
        jobs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-26T12:00:00+01:00", Some(autumn));
    assert_eq!(made, ["25 02:30 +0200", "26 02:30 +0100"]);
    // Two hourly jobs were missed, one in each of the two hours: the last is made up for.
    let made = jobs(
        "0 * * * *",
        "Europe/Berlin",
        "2026-10-25T01:30:00+02:00",
        "2026-10-25T03:30:00+01:00",
        Some(("2026-10-25T01:45:00+02:00", "2026-10-25T02:20:00+01:00")),
    );
    assert_eq!(made, ["25 02:00 +0100", "25 03:00 +0100"]);
}
