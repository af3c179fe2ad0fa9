//! Paths, options and configuration, without a server.

use super::*;
use datafusion::common::config::ExtensionOptions;

fn url(path: &str) -> String {
    normalise_path(path).unwrap().to_string()
}

#[test]
fn paths_of_every_form_become_urls() {
    assert_eq!(url("s3a://b/dir/a=1/*.parquet"), "s3://b/dir/a=1/*.parquet");
    assert_eq!(url("s3://b/x?y"), "s3://b/x%3Fy");
    assert_eq!(url("s3://b"), "s3://b/");
    assert_eq!(url("file:/tmp/a b"), "file:///tmp/a%20b");
    assert_eq!(url("file:///tmp/a"), "file:///tmp/a");
    assert_eq!(url("/tmp/p=a%3Ab/"), "file:///tmp/p=a%253Ab/");
    assert!(url("relative/dir").ends_with("/relative/dir"));
    assert_eq!(directory_path(&normalise_path("/tmp/p=a%3Ab").unwrap()).unwrap().as_ref(), "tmp/p=a%3Ab");
    assert!(normalise_path(" ").is_err());
}

#[test]
fn options_travel_and_do_not_show_secrets() {
    let options = StoreOptions::from_conf([
        ("spark.hadoop.fs.s3a.access.key", "old"),
        ("fs.s3a.access.key", "AKIA"),
        ("fs.s3a.secret.key", "hush"),
        ("spark.app.name", "x"),
    ]);
    assert!(!format!("{options:?}").contains("hush"));
    let entry = options.entries().remove(0);
    let mut copy = StoreOptions::default();
    copy.set(&entry.key, entry.value.as_deref().unwrap()).unwrap();
    assert_eq!(copy, options);
    assert_eq!(copy.s3a("b", "access.key"), Some("AKIA"));
}

#[test]
fn equal_configurations_share_a_client_and_others_do_not() {
    let registry = StoreRegistry::with_env(BTreeMap::new());
    let options = |key: &str| {
        StoreOptions::from_conf([
            ("fs.s3a.access.key", key),
            ("fs.s3a.secret.key", "s"),
            ("fs.s3a.bucket.special.endpoint", "http://127.0.0.1:1"),
        ])
    };
    let at = |registry: &StoreRegistry, url: &str| registry.store(&Url::parse(url).unwrap()).unwrap();
    let (one, two, other) =
        (registry.for_options(&options("a")), registry.for_options(&options("a")), registry.for_options(&options("b")));
    assert!(Arc::ptr_eq(&at(&one, "s3://x/"), &at(&two, "s3a://x/y")));
    assert!(!Arc::ptr_eq(&at(&one, "s3://x/"), &at(&other, "s3://x/")));
    assert!(!Arc::ptr_eq(&at(&one, "s3://x/"), &at(&one, "s3://special/")));
    assert!(multipart_of(&at(&one, "s3://x/")).is_some());
    assert!(multipart_of(&at(&one, "file:///tmp")).is_none());
    assert!(matches!(registry.store(&Url::parse("hdfs://x/").unwrap()), Err(ConnectorError::UnsupportedScheme { .. })));
}

#[test]
fn unknown_credential_providers_are_refused() {
    let registry = StoreRegistry::with_env(BTreeMap::new());
    let options = StoreOptions::from_conf([("fs.s3a.aws.credentials.provider", "com.example.MyProvider")]);
    let store = registry.for_options(&options).store(&Url::parse("s3://x/").unwrap());
    assert!(matches!(store, Err(ConnectorError::InvalidOption { .. })));
}

#[tokio::test]
async fn a_refused_connection_is_told_within_seconds() {
    let registry = StoreRegistry::with_env(BTreeMap::new());
    let options = StoreOptions::from_conf([
        ("fs.s3a.access.key", "a"),
        ("fs.s3a.secret.key", "b"),
        ("fs.s3a.endpoint", "http://127.0.0.1:9"),
    ]);
    let url = Url::parse("s3://bucket/dir").unwrap();
    let store = registry.for_options(&options).store(&url).unwrap();
    let start = std::time::Instant::now();
    let error = crate::files::exists(&url, store.as_ref()).await.unwrap_err();
    assert!(matches!(error, ConnectorError::ConnectionFailed { .. }), "{error:?}");
    assert!(start.elapsed().as_secs() < 12);
}
