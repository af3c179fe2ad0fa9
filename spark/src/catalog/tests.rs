//! Tests of `catalog`, through its own door.
use datafusion::execution::runtime_env::RuntimeEnvBuilder;

use super::*;

async fn warehouse() -> (tempfile::TempDir, Warehouse) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = RuntimeEnvBuilder::new().build().unwrap();
    let warehouse = Warehouse::open(folder.path().to_str().unwrap(), &runtime).unwrap();
    (folder, warehouse)
}

fn table(name: &str) -> Relation {
    serde_json::from_value(serde_json::json!({"database": "default", "name": name, "kind": "Managed", "columns": []}))
        .unwrap()
}

#[tokio::test]
async fn objects_last_and_names_are_taken_once() {
    let (_folder, warehouse) = warehouse().await;
    assert_eq!(warehouse.databases().await.unwrap(), ["default"]);
    assert!(warehouse.create_relation(&table("t")).await.unwrap());
    assert!(!warehouse.create_relation(&table("t")).await.unwrap());
    assert_eq!(warehouse.tables("default").await.unwrap(), ["t"]);
    warehouse.remove_relation(&table("t")).await.unwrap();
    assert!(warehouse.relation(&TableName::new("default", "T")).await.unwrap().is_none());
    assert_eq!(warehouse.database("nope").await.unwrap_err().condition(), "SCHEMA_NOT_FOUND");
}

#[test]
fn patterns() {
    assert!(matches(Some("show_t1*|x"), "SHOW_T12"));
    assert!(!matches(Some("show"), "show_t"));
}
