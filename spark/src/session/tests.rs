//! Sessions without a cluster: text in, rows out, in a warehouse folder of their own.

use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::{EngineConfig, SessionRecipe};
use firesteel_functions::error::SparkError;

use super::*;

struct Fixture {
    _folder: tempfile::TempDir,
    path: String,
    session: Arc<Session>,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_string();
    let local = LocalJobRunner::new(2);
    let recipe = SessionRecipe::new(EngineConfig { target_partitions: 2, ..EngineConfig::default() }).unwrap();
    let parts = EngineParts { runner: Arc::clone(&local) as _, local, recipe, warehouse: format!("{path}/warehouse") };
    let session = SparkEngine::new(parts).unwrap().session("me", "1");
    Fixture { _folder: folder, path, session }
}

impl Fixture {
    async fn try_sql(&self, text: &str) -> Result<String, SparkError> {
        let plan = self.session.parse(text)?;
        let (schema, batches) = self.session.execute_command_eagerly(plan).await?;
        let batches: Vec<_> = batches
            .iter()
            .map(|batch| crate::output::encode_batch(batch, &schema, &self.session.time_zone()).unwrap())
            .collect();
        Ok(pretty_format_batches(&batches).unwrap().to_string())
    }

    async fn sql(&self, text: &str) -> String {
        match self.try_sql(text).await {
            Ok(rows) => rows,
            Err(error) => panic!("{text}: {error}"),
        }
    }

    async fn fails(&self, text: &str) -> String {
        self.try_sql(text).await.unwrap_err().condition().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_live_in_the_warehouse() {
    let it = fixture();
    it.sql("CREATE TABLE t (a INT, b STRING DEFAULT 'x', c DECIMAL(10,2)) USING parquet PARTITIONED BY (b)").await;
    it.sql("INSERT INTO t (a, c) VALUES (1, 2.5)").await;
    it.sql("INSERT INTO t VALUES (2, 3.5, 'y')").await;
    let rows = it.sql("SELECT a, c, b FROM t ORDER BY a").await;
    assert!(rows.contains("| 1 | 2.50 | x |") && rows.contains("| 2 | 3.50 | y |"), "{rows}");
    let rows = it.sql("SHOW PARTITIONS t").await;
    assert!(rows.contains("b=x") && rows.contains("b=y"), "{rows}");
    assert_eq!(
        it.fails("INSERT INTO t VALUES ('abc', 2.5, 'y')").await,
        "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST"
    );
    it.sql("INSERT OVERWRITE t PARTITION (b = 'x') SELECT 9, 9.0").await;
    let rows = it.sql("SELECT a, b FROM t ORDER BY a").await;
    assert!(rows.contains("| 9 | x |") && rows.contains("| 2 | y |") && !rows.contains("| 1 |"), "{rows}");
    it.sql("DROP TABLE t").await;
    assert_eq!(it.fails("SELECT * FROM t").await, "TABLE_OR_VIEW_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_follow_or_keep_what_they_meant() {
    let it = fixture();
    it.sql("CREATE TEMP VIEW v AS SELECT 1 AS a").await;
    assert_eq!(it.fails("CREATE TEMP VIEW v AS SELECT 2 AS a").await, "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS");
    assert_eq!(it.fails("CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM v").await, "RECURSIVE_VIEW");
    assert_eq!(it.fails("CREATE VIEW stored AS SELECT * FROM v").await, "INVALID_TEMP_OBJ_REFERENCE");
    it.sql("CREATE VIEW stored (x COMMENT 'c') AS SELECT 5 AS y").await;
    assert!(it.sql("SELECT x FROM stored").await.contains("| 5 |"));
    assert!(it.sql("SHOW TABLES").await.contains("stored"));
    let crate::spec::Plan::Query(query) = it.session.parse("SELECT a + 1 AS a FROM v").unwrap() else { panic!() };
    let replace = crate::spec::Command::CreateTempView { name: "v".into(), input: query, replace: true, global: false };
    it.session.execute(crate::spec::Plan::Command(Box::new(replace))).await.unwrap();
    assert!(it.sql("SELECT a FROM v").await.contains("| 2 |"));
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_and_json_files_are_read_as_spark_reads_them() {
    let it = fixture();
    std::fs::write(format!("{}/a.csv", it.path), "id,name,when\n1,x,2020-01-01\n,\"a,b\",\n").unwrap();
    let rows = it
        .sql(&format!(
            "CREATE TEMP VIEW c USING csv OPTIONS (path '{}/a.csv', header 'true', inferSchema 'true')",
            it.path
        ))
        .await;
    assert!(!rows.contains("error"));
    let rows = it.sql("SELECT * FROM c ORDER BY name DESC").await;
    assert!(rows.contains("| 1  | x    | 2020-01-01 |") && rows.contains("a,b"), "{rows}");
    assert!(it.sql("DESCRIBE c").await.contains("date"));
    std::fs::write(format!("{}/a.json", it.path), "{\"b\": 1, \"a\": {\"z\": 1.5}}\n{\"b\": 2}\n").unwrap();
    let rows = it.sql(&format!("SELECT a.z, b FROM json.`{}/a.json` ORDER BY b", it.path)).await;
    assert!(rows.contains("| 1.5 | 1 |") && rows.contains("|     | 2 |"), "{rows}");
    assert_eq!(it.fails("SELECT * FROM parquet.`/no/such/path`").await, "PATH_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_answer_with_sparks_columns() {
    let it = fixture();
    assert!(it.sql("SET spark.sql.ansi.enabled=false").await.contains("false"));
    assert!(it.sql("SHOW CATALOGS").await.contains("spark_catalog"));
    it.sql("CREATE DATABASE d").await;
    it.sql("USE d").await;
    assert!(it.sql("SELECT current_database() AS x").await.contains("| d |"));
    it.sql("DECLARE v INT DEFAULT 3").await;
    it.sql("SET VAR v = v + 4").await;
    assert!(it.sql("SELECT v AS x").await.contains("| 7 |"));
    it.sql("CREATE FUNCTION f(x INT) RETURNS INT RETURN x + 1").await;
    assert!(it.sql("SELECT d.f(2) AS x").await.contains("| 3 |"));
    assert!(it.sql("EXECUTE IMMEDIATE 'SELECT ? AS x' USING 42").await.contains("| 42 |"));
    assert!(it.sql("EXPLAIN SELECT 1").await.contains("== Physical Plan =="));
    assert_eq!(it.fails("DROP DATABASE d").await, "SCHEMA_NOT_EMPTY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_table_takes_its_rows_along() {
    let it = fixture();
    it.sql("CREATE TABLE old (a INT) USING parquet").await;
    it.sql("INSERT INTO old VALUES (1)").await;
    it.sql("ALTER TABLE old RENAME TO new").await;
    it.sql("CREATE TABLE old (a INT) USING parquet").await;
    it.sql("INSERT OVERWRITE old VALUES (2)").await;
    assert!(it.sql("SELECT a FROM new").await.contains("| 1 |"));
    it.sql("DROP TABLE old").await;
    std::fs::create_dir_all(format!("{}/warehouse/old", it.path)).unwrap();
    std::fs::write(format!("{}/warehouse/old/left.parquet", it.path), "x").unwrap();
    assert_eq!(it.fails("CREATE TABLE old (a INT) USING parquet").await, "LOCATION_ALREADY_EXISTS");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_limited_length_is_padded_and_checked() {
    let it = fixture();
    it.sql("CREATE TABLE t (c CHAR(4), v VARCHAR(2)) USING parquet").await;
    it.sql("INSERT INTO t VALUES ('ab', 'x   ')").await;
    let rows = it.sql("SELECT concat(c, '#', v, '#') AS x FROM t WHERE c = 'ab'").await;
    assert!(rows.contains("ab  #x #"), "{rows}");
    assert_eq!(it.fails("INSERT INTO t VALUES ('ab', 'xyz')").await, "EXCEED_LIMIT_LENGTH");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_loop_and_handle_errors() {
    let it = fixture();
    let rows = it.sql("BEGIN DECLARE n INT = 0; WHILE n < 5 DO SET n = n + 1; END WHILE; SELECT n AS x; END").await;
    assert!(rows.contains("| 5 |"), "{rows}");
    let rows = it.sql("BEGIN DECLARE EXIT HANDLER FOR DIVIDE_BY_ZERO SELECT 'zero' AS x; SELECT 1 / 0; END").await;
    assert!(rows.contains("| zero |"), "{rows}");
    let rows = it.sql("BEGIN FOR r AS SELECT id FROM range(3) DO SELECT r.id AS x; END FOR; END").await;
    assert!(rows.contains("| 2 |"), "{rows}");
    assert_eq!(it.fails("BEGIN a: BEGIN SELECT 1; END b; END").await, "LABELS_MISMATCH");
    assert_eq!(it.fails("SELECT n").await, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION");
}
