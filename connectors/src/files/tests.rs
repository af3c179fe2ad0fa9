//! Listing and partition discovery over an in-memory store.

use object_store::PutPayload;
use object_store::memory::InMemory;

use super::escape::{escape, partition_segment, unescape};
use super::*;

async fn store(keys: &[&str]) -> InMemory {
    let store = InMemory::new();
    for key in keys {
        store.put(&Path::parse(key).unwrap(), PutPayload::from_static(b"x")).await.unwrap();
    }
    store
}

async fn names(store: &InMemory, url: &str) -> Vec<String> {
    let files = list(&crate::store::normalise_path(url).unwrap(), store, &ListOptions::default()).await.unwrap();
    files.into_iter().map(|file| file.meta.location.into()).collect()
}

#[tokio::test]
async fn hidden_files_are_skipped_and_globs_match_whole_segments() {
    let store = store(&[
        "t/_SUCCESS",
        "t/.crc",
        "t/_p=1/a",
        "t/_temporary/0/b",
        "t/p=1/c",
        "t/p=2/_meta",
        "t/p=2/d",
        "u/p=1/e",
    ])
    .await;
    assert_eq!(names(&store, "s3://b/t").await, ["t/_p=1/a", "t/p=1/c", "t/p=2/d"]);
    assert_eq!(names(&store, "s3://b/t/p=[2-3]").await, ["t/p=2/d"]);
    assert_eq!(names(&store, "s3://b/{t,u}/p=1/*").await, ["t/p=1/c", "u/p=1/e"]);
    assert_eq!(names(&store, "s3://b/t/_SUCCESS").await, ["t/_SUCCESS"]);
    let missing = Url::parse("s3://b/nothing").unwrap();
    let error = list(&missing, &store, &ListOptions::default()).await.unwrap_err();
    assert!(matches!(error, ConnectorError::PathNotFound { .. }));
}

#[tokio::test]
async fn partition_types_are_inferred_as_spark_does() {
    let store = store(&[
        "t/i=1/l=1/d=1.5/day=2024-01-02/at=2024-01-02 10%3A00%3A00/s=a%2Fb/f",
        "t/i=2/l=9999999999/d=2/day=2024-01-03/at=2024-01-02/s=7/f",
        "t/i=__HIVE_DEFAULT_PARTITION__/l=3/d=3/day=__HIVE_DEFAULT_PARTITION__/at=2024-01-02/s=8/f",
    ])
    .await;
    let url = Url::parse("s3://b/t").unwrap();
    let files = list(&url, &store, &ListOptions::default()).await.unwrap();
    let found = discover(&files, &PartitionOptions::default()).unwrap();
    let types: Vec<String> =
        found.fields.iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(
        types,
        ["i Int32", "l Int64", "d Float64", "day Date32", "at Timestamp(µs, \"UTC\")", "s Utf8"].map(str::to_owned)
    );
    assert!(found.values[2][0].is_null() && found.values[2][3].is_null());
    assert_eq!(found.values[0][5].to_string(), "a/b");
}

#[tokio::test]
async fn disagreeing_directories_are_an_error() {
    let store = store(&["t/a=1/f", "t/b=1/f"]).await;
    let files = list(&Url::parse("s3://b/t").unwrap(), &store, &ListOptions::default()).await.unwrap();
    let error = discover(&files, &PartitionOptions::default()).unwrap_err();
    assert!(matches!(error, ConnectorError::ConflictingPartitions { .. }));
}

#[test]
fn escaping_round_trips() {
    assert_eq!(partition_segment("a", Some("x/y:z")), "a=x%2Fy%3Az");
    assert_eq!(partition_segment("a", None), "a=__HIVE_DEFAULT_PARTITION__");
    for text in ["plain", "50%", "a=b", "ü\u{1}"] {
        assert_eq!(unescape(&escape(text)), text);
    }
}
