//! Tests of `source`, through its own door.
use super::*;

#[test]
fn formats() {
    assert_eq!(Format::parse("Parquet").unwrap(), Format::Parquet);
    assert_eq!(Format::parse("org.apache.spark.sql.execution.datasources.csv.CSVFileFormat").unwrap(), Format::Csv);
    assert_eq!(Format::parse("nope").unwrap_err().condition(), "DATA_SOURCE_NOT_FOUND");
    assert_eq!(Format::parse("orc").unwrap(), Format::Orc);
    assert!(Format::parse("xml").unwrap_err().condition().starts_with("UNSUPPORTED"));
}

#[test]
fn options_ignore_case_and_refuse_bad_values() {
    let options = ReadOptions::new(&Options::from([("HEADER".into(), "yes".into()), ("sep".into(), "||".into())]));
    assert!(options.flag("header", false).is_err());
    assert!(options.byte(&["sep"], None).is_err());
}
