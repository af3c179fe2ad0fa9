//! Tests of `conf`, through its own door.
use super::*;

fn conf() -> RuntimeConf {
    RuntimeConf::new(BTreeMap::new())
}

#[test]
fn unknown_key_is_an_error_and_custom_keys_are_free() {
    let conf = conf();
    assert_eq!(conf.get("spark.no.such").unwrap_err().condition(), "SQL_CONF_NOT_FOUND");
    conf.set("spark.no.such", "x").unwrap();
    assert_eq!(conf.get("spark.no.such").unwrap(), "x");
    assert!(!conf.is_modifiable("spark.no.such"));
}

#[test]
fn static_and_bad_values_are_refused() {
    let conf = conf();
    assert_eq!(conf.set("spark.sql.warehouse.dir", "x").unwrap_err().condition(), "CANNOT_MODIFY_STATIC_CONFIG");
    assert_eq!(conf.set("spark.executor.memory", "1g").unwrap_err().condition(), "CANNOT_MODIFY_CONFIG");
    assert_eq!(conf.set("spark.sql.ansi.enabled", "1").unwrap_err().condition(), "INVALID_CONF_VALUE.TYPE_MISMATCH");
    assert_eq!(conf.set("spark.sql.session.timeZone", "Mars").unwrap_err().condition(), "INVALID_CONF_VALUE.TIME_ZONE");
    conf.set("spark.sql.session.timeZone", "GMT+8").unwrap();
    assert_eq!(conf.get("spark.sql.session.timeZone").unwrap(), "+08:00");
}

#[test]
fn secrets_are_hidden() {
    assert_eq!(redact("fs.s3a.secret.key", "abc"), REDACTED);
    assert_eq!(redact("fs.s3a.endpoint", "abc"), "abc");
}
