//! Changes of the clock, rare days, and what cannot be understood.

use super::*;

fn at(text: &str) -> Seconds {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp()
}

fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let calendar = Calendar::parse(expression, zone).unwrap();
    let zone: Tz = zone.parse().unwrap();
    std::iter::successors(calendar.next(at(after)), |instant| calendar.next(*instant))
        .take(count)
        .map(|instant| DateTime::from_timestamp(instant, 0).unwrap().with_timezone(&zone).to_rfc3339())
        .collect()
}

#[test]
fn a_time_that_the_clock_skips_happens_right_after_the_gap() {
    // Berlin goes from 02:00 to 03:00 on 2026-03-29.
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", 2),
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
}

#[test]
fn a_time_that_the_clock_repeats_happens_once() {
    // Berlin goes from 03:00 back to 02:00 on 2026-10-25.
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", 2),
        ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    );
}

#[test]
fn a_distance_is_kept_through_both_changes() {
    assert_eq!(
        times("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45:00+02:00", 5),
        [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00"
        ]
    );
    assert_eq!(
        times("0 * * * *", "Europe/Berlin", "2026-03-29T00:30:00+01:00", 3),
        ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"]
    );
}

#[test]
fn two_skipped_times_become_one() {
    assert_eq!(
        times("15,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", 2),
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:15:00+02:00"]
    );
}

#[test]
fn rare_days_are_found_both_ways() {
    let leap = Calendar::parse("0 12 29 2 *", "Etc/UTC").unwrap();
    assert_eq!(leap.next(at("2026-01-01T00:00:00Z")), Some(at("2028-02-29T12:00:00Z")));
    assert_eq!(leap.previous(at("2027-06-01T00:00:00Z"), 0), Some(at("2024-02-29T12:00:00Z")));
    let monthly = Calendar::parse("0 0 1 * *", "America/New_York").unwrap();
    assert_eq!(monthly.previous(at("2026-07-20T00:00:00Z"), 0), Some(at("2026-07-01T04:00:00Z")));
    assert_eq!(monthly.previous(at("2026-07-20T00:00:00Z"), at("2026-07-02T00:00:00Z")), None);
}

#[test]
fn occurrences_never_go_back_and_each_is_found_from_just_before() {
    for zone in ["Etc/UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"] {
        for expression in ["*/7 * * * *", "5 */3 * * *", "30 1,2,3 * * *", "0 0 * * 0", "59 23 31 12 *"] {
            let calendar = Calendar::parse(expression, zone).unwrap();
            let mut last = at("2026-03-01T00:00:00Z");
            for _ in 0..300 {
                let next = calendar.next(last).unwrap();
                assert!(next > last, "{expression} {zone}");
                assert_eq!(calendar.next(next - 1), Some(next), "{expression} {zone}");
                assert_eq!(calendar.previous(next, last), Some(next), "{expression} {zone}");
                last = next;
            }
        }
    }
}

#[test]
fn what_cannot_be_understood_is_said() {
    assert!(Calendar::parse("61 * * * *", "Etc/UTC").unwrap_err().contains("bad schedule '61 * * * *'"));
    assert!(Calendar::parse("0 0 * * *", "Mars/Base").unwrap_err().contains("unknown time zone 'Mars/Base'"));
    assert!(Calendar::parse("0 0 31 2 *", "Etc/UTC").is_err());
    assert!(Calendar::parse("* * * * * *", "Etc/UTC").is_err());
}

#[test]
fn counting_stops_at_its_limit() {
    let calendar = Calendar::parse("* * * * *", "Etc/UTC").unwrap();
    assert_eq!(calendar.count(0, 600, 100), 10);
    assert_eq!(calendar.count(0, 6_000_000, 100), 100);
}
