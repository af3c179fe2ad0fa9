//! Facts from Spark 4.3.

use super::parse::parse;
use super::{path, read};

#[test]
fn paths_find_what_hive_finds() {
    let find = |text: &str, at: &str| path::object(text, at);
    assert_eq!(find("{\"a\":[{\"b\":1},{\"b\":2}]}", "$.a[*].b").as_deref(), Some("[1,2]"));
    assert_eq!(find("{\"a\":[{\"b\":1}]}", "$.a[*].b").as_deref(), Some("1"));
    assert_eq!(find("[[[1,2],[3]],[[4]]]", "$[*][*][*]").as_deref(), Some("[[1,2,3],4]"));
    assert_eq!(find("{\"a\":1.00}", "$.a").as_deref(), Some("1.0"));
    assert_eq!(find("{\"a\":null}", "$.a"), None);
}

#[test]
fn texts_are_read_as_leniently_as_options_say() {
    let grammar = read::default_grammar();
    assert!(parse("{'a':1} x", grammar).is_ok());
    assert!(parse("{\"a\":01}", grammar).is_err());
    assert_eq!(parse("  ", grammar), Ok(None));
}
