//! What options mean.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<ClickHouseOptions> {
    let map = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ClickHouseOptions::from_options(&map)
}

#[test]
fn urls_say_where_and_as_whom() {
    let url = "jdbc:clickhouse:https://ann:p%40s@ch.example:9443/db?clickhouse_setting_max_threads=2";
    let options = read(&[("url", url), ("dbtable", "other.`odd.name`")]).unwrap();
    let target = &options.target;
    assert_eq!((target.host.as_str(), target.port, target.tls), ("ch.example", 9443, true));
    assert_eq!((target.user.as_str(), target.password.as_str(), target.database.as_str()), ("ann", "p@s", "db"));
    assert_eq!(target.settings.get("max_threads").map(String::as_str), Some("2"));
    assert_eq!(options.table, Some(("other".to_owned(), "odd.name".to_owned())));
    assert!(!format!("{options:?}").contains("p@s"));
}

#[test]
fn unknown_options_are_refused_by_name() {
    let error = read(&[("host", "h"), ("table", "t"), ("write.bathSize", "5")]).unwrap_err();
    assert!(error.to_string().contains("write.bathsize"), "{error}");
    assert!(read(&[("host", "h"), ("table", "t"), ("spark.clickhouse.write.batchSize", "5")]).unwrap().batch_rows == 5);
    assert!(read(&[("table", "t")]).is_err());
    assert!(read(&[("host", "h"), ("table", "t"), ("query", "SELECT 1")]).is_err());
}
