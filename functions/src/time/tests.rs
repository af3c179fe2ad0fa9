//! Facts from Spark 4.3 and Java.

use super::interval::*;
use super::*;
use crate::types::{DayTimeField, YearMonthField};

fn micros(text: &str) -> i64 {
    parse_ntz(text, false).unwrap()
}

#[test]
fn zones_have_many_spellings() {
    for (name, offset) in [
        ("+02:00", 7200),
        ("UTC+3", 10_800),
        ("GMT", 0),
        ("Z", 0),
        ("EST", -18_000),
        ("-0130", -5400),
        ("+5:30", 19_800),
    ] {
        assert_eq!(Zone::parse(name).unwrap().offset_at(0), offset, "{name}");
    }
    assert_eq!(Zone::parse("Mars/Base").unwrap_err().condition(), "INVALID_TIMEZONE");
    assert!(Zone::lookup("+19:00").is_none());
}

#[test]
fn gaps_move_on_and_overlaps_take_the_earlier_offset() {
    let zone = Zone::parse("America/Los_Angeles").unwrap();
    let round = |text: &str| format_local(zone.to_local(zone.to_utc(micros(text))));
    assert_eq!(round("2020-03-08 02:30:00"), "2020-03-08 03:30:00");
    assert_eq!(zone.to_utc(micros("2020-11-01 01:30:00")), micros("2020-11-01 08:30:00"));
    assert_eq!(round("0001-01-01 00:00:00"), "0001-01-01 00:00:00");
}

#[test]
fn dates_cover_sparks_range() {
    for (text, shown) in [
        ("-0044-03-15", Some("-0044-03-15")),
        ("10000-01-01", Some("+10000-01-01")),
        ("2020-02-30", None),
        ("20-1-1", None),
        ("2020-1-1Tx", Some("2020-01-01")),
        ("2020-1x", None),
    ] {
        assert_eq!(parse_date(text).map(format_date).as_deref(), shown, "{text}");
    }
    assert_eq!(parse_timestamp("12:30", &Zone::UTC, || 1).map(format_local).as_deref(), Some("1970-01-02 12:30:00"));
    assert_eq!(parse_ntz("2020-01-01 12:30Z", true), None);
    assert_eq!(parse_ntz("2020-01-01 24:00:00", true), None);
}

#[test]
fn intervals_read_and_print() {
    let parsed = parse_calendar("interval 1 year 2 months -3 days 1.5 seconds").unwrap();
    assert_eq!(parsed.to_string(), "1 years 2 months -3 days 1.5 seconds");
    assert_eq!(parse_calendar("1 foo"), None);
    assert_eq!(parse_calendar("interval"), None);
    assert_eq!(format_day_time(-1_000_000, DayTimeField::Second, DayTimeField::Second), "INTERVAL '-01' SECOND");
    assert_eq!(
        parse_day_time("INTERVAL -'1 02' DAY TO HOUR", DayTimeField::Day, DayTimeField::Hour),
        Some(-26 * 3_600_000_000)
    );
    assert_eq!(parse_day_time("1 25", DayTimeField::Day, DayTimeField::Hour), None);
    assert_eq!(format_year_month(-14, YearMonthField::Year, YearMonthField::Month), "INTERVAL '-1-2' YEAR TO MONTH");
}
