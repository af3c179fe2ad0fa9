//! Facts from Spark 4.3.

use super::*;

#[test]
fn prints_and_reads_as_spark_does() {
    let micros = 1_577_884_455_123_456;
    let text = |pattern: &str| Pattern::for_format(pattern).unwrap().format_ntz(micros);
    assert_eq!(text("yyyy-MM-dd HH:mm:ss.SSSSSS a E EEEE D Q"), "2020-01-01 13:14:15.123456 PM Wed Wednesday 1 1");
    assert_eq!(text("yy/M/d h 'o''clock' XXX"), "20/1/1 1 o'clock Z");
    let zone = Zone::parse("America/Los_Angeles").unwrap();
    let iso = Pattern::for_format("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").unwrap();
    assert_eq!(iso.format_timestamp(1_577_865_600_000_000, &zone), "2020-01-01T00:00:00.000-08:00");
    let date = |pattern: &str, text: &str| {
        Pattern::for_parse(pattern).unwrap().parse_date(text).map(super::super::format_date)
    };
    assert_eq!(date("dd/MM/yyyy", "01/02/2020").as_deref(), Some("2020-02-01"));
    assert_eq!(date("yyyyMMdd", "20200102").as_deref(), Some("2020-01-02"));
    assert_eq!(date("yyyy-MM-dd", "2020-02-30"), None);
    assert_eq!(date("yyyy-MM-dd", "2020-1-1"), None);
    let error = Pattern::for_format("e").unwrap_err();
    assert_eq!(error.condition(), "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN");
}
