//! Against a real server named by `FIRESTEEL_TEST_POSTGRES` (a JDBC URL).

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::Int32Type;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

use super::*;
use crate::postgres::table::TableName;
use crate::sink::{CommitMessage, WriteReport, Written};

fn server() -> Option<String> {
    let url = std::env::var("FIRESTEEL_TEST_POSTGRES").ok();
    if url.is_none() {
        eprintln!("skipped: FIRESTEEL_TEST_POSTGRES names no server");
    }
    url
}

fn spec(url: &str, table: &str, mode: SaveMode, more: &[(&str, &str)]) -> PostgresSinkSpec {
    let mut options = BTreeMap::from([("url".to_owned(), url.to_owned()), ("dbTable".to_owned(), table.to_owned())]);
    options.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    PostgresSinkSpec::from_options(&options, mode, Vec::new()).unwrap()
}

fn rows() -> RecordBatch {
    let decimals = vec![Some(-12345), Some(1_000_000), None];
    let decimals = Decimal128Array::from(decimals).with_precision_and_scale(20, 3).unwrap();
    let instants = TimestampMicrosecondArray::from(vec![1_577_872_800_123_456, 0, -1]).with_timezone("UTC");
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![]), None]);
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef, true),
        ("Name", Arc::new(StringArray::from(vec![Some("ä"), Some(""), None])) as ArrayRef, true),
        ("d", Arc::new(decimals) as ArrayRef, true),
        ("at", Arc::new(instants) as ArrayRef, true),
        ("day", Arc::new(Date32Array::from(vec![Some(0), Some(18262), None])) as ArrayRef, true),
        ("l", Arc::new(lists) as ArrayRef, true),
    ])
    .unwrap()
}

async fn task(sink: &PreparedPostgres, partition: usize, batch: RecordBatch) -> Result<CommitMessage> {
    let input = RecordBatchStreamAdapter::new(batch.schema(), futures::stream::iter([Ok(batch)]));
    let attempt = uuid::Uuid::new_v4().simple().to_string();
    let message = sink.write(partition, &attempt, Box::pin(input)).await?;
    Ok(CommitMessage { partition, attempt, rows: message.rows, written: Written::Postgres(message) })
}

async fn write(spec: PostgresSinkSpec, batch: RecordBatch) -> Result<WriteReport> {
    let job = uuid::Uuid::new_v4().to_string();
    let Some(sink) = prepare(spec, batch.schema(), &job).await? else { return Ok(WriteReport::default()) };
    let sink: PreparedPostgres = serde_json::from_str(&serde_json::to_string(&sink).unwrap()).unwrap();
    let first = task(&sink, 0, batch.clone()).await?;
    // The same task once more, as after a lost answer.
    let again = task(&sink, 0, batch.clone()).await?;
    assert_eq!(first.rows, again.rows);
    let second = task(&sink, 1, batch).await?;
    let report = sink.commit(&[again.clone(), second.clone()]).await?;
    sink.commit(&[again, second]).await?;
    Ok(report)
}

async fn ask(url: &str, sql: &str) -> String {
    let connection = connect(&super::super::url::Target::parse(url).unwrap(), "test").await.unwrap();
    let row = connection.client().query_one(&format!("SELECT ({sql})::text"), &[]).await.unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

async fn run(url: &str, sql: &str) {
    let connection = connect(&super::super::url::Target::parse(url).unwrap(), "test").await.unwrap();
    connection.execute(sql).await.unwrap();
}

#[tokio::test]
async fn a_table_is_created_appended_and_overwritten_exactly_once() {
    let Some(url) = server() else { return };
    let table = format!("t_{}", uuid::Uuid::new_v4().simple());
    let report = write(spec(&url, &table, SaveMode::ErrorIfExists, &[]), rows()).await.unwrap();
    assert_eq!(report.rows, 6);
    let all = format!("SELECT count(*) FROM {table}");
    assert_eq!(ask(&url, &all).await, "6");
    let one = format!("SELECT t::text FROM {table} t WHERE id = 1 LIMIT 1");
    assert_eq!(ask(&url, &one).await, "(1,ä,-12.345,\"2020-01-01 10:00:00.123456+00\",1970-01-01,\"{1,NULL}\")");
    let two = format!("SELECT t::text FROM {table} t WHERE id = 2 LIMIT 1");
    assert_eq!(ask(&url, &two).await, "(2,\"\",1000.000,\"1970-01-01 00:00:00+00\",2020-01-01,{})");

    let exists = write(spec(&url, &table, SaveMode::ErrorIfExists, &[]), rows()).await;
    assert!(matches!(exists, Err(ConnectorError::TableExists { .. })));
    write(spec(&url, &table, SaveMode::Append, &[]), rows()).await.unwrap();
    assert_eq!(ask(&url, &all).await, "12");
    write(spec(&url, &table, SaveMode::Overwrite, &[("truncate", "true")]), rows()).await.unwrap();
    assert_eq!(ask(&url, &all).await, "6");
    write(spec(&url, &table, SaveMode::Overwrite, &[]), rows().slice(0, 1)).await.unwrap();
    assert_eq!(ask(&url, &all).await, "2");
    let left = "SELECT count(*) FROM pg_tables WHERE tablename LIKE '\\_firesteel\\_stage%'";
    assert_eq!(ask(&url, left).await, "0");
    run(&url, &format!("DROP TABLE {table}")).await;
}

#[tokio::test]
async fn values_take_the_columns_types_or_are_refused_by_name() {
    let Some(url) = server() else { return };
    let table = format!("t_{}", uuid::Uuid::new_v4().simple());
    run(
        &url,
        &format!(
            "CREATE TABLE {table} (id int2, name varchar(3), u uuid, j jsonb, n numeric(10,2), extra int DEFAULT 7)"
        ),
    )
    .await;
    let batch = |id: i64, name: &str, uuid: &str| {
        RecordBatch::try_from_iter([
            ("U", Arc::new(StringArray::from(vec![uuid])) as ArrayRef),
            ("ID", Arc::new(Int64Array::from(vec![id])) as ArrayRef),
            ("Name", Arc::new(StringArray::from(vec![name])) as ArrayRef),
            ("J", Arc::new(StringArray::from(vec!["{\"a\": [1]}"])) as ArrayRef),
            ("N", Arc::new(Float64Array::from(vec![0.000_125])) as ArrayRef),
        ])
        .unwrap()
    };
    let uuid = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let append = || spec(&url, &table, SaveMode::Append, &[]);
    write(append(), batch(5, "abc", uuid)).await.unwrap();
    let row = format!("SELECT t::text FROM {table} t LIMIT 1");
    assert_eq!(ask(&url, &row).await, format!("(5,abc,{uuid},\"{{\"\"a\"\": [1]}}\",0.00,7)"));
    match write(append(), batch(70_000, "abc", uuid)).await {
        Err(ConnectorError::InvalidValue { column, row: 0, value, .. }) => {
            assert_eq!((column.as_str(), value.as_str()), ("id", "70000"));
        }
        other => panic!("{other:?}"),
    }
    let nul = write(append(), batch(1, "a\0", uuid)).await;
    assert!(matches!(nul, Err(ConnectorError::InvalidValue { .. })), "{nul:?}");
    let long = write(append(), batch(1, "abcd", uuid)).await;
    assert!(matches!(long, Err(ConnectorError::InvalidValue { ref column, .. }) if column == "name"), "{long:?}");
    let bad = write(append(), batch(1, "a", "nonsense")).await;
    assert!(matches!(bad, Err(ConnectorError::InvalidValue { .. })), "{bad:?}");
    assert_eq!(ask(&url, &format!("SELECT count(*) FROM {table}")).await, "2");
    let unknown = RecordBatch::try_from_iter([("zz", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]).unwrap();
    assert!(matches!(write(append(), unknown).await, Err(ConnectorError::ColumnNotFound { .. })));
    run(&url, &format!("DROP TABLE {table}")).await;
}

#[tokio::test]
async fn an_aborted_job_leaves_the_old_table_and_bars_late_attempts() {
    let Some(url) = server() else { return };
    let table = format!("t_{}", uuid::Uuid::new_v4().simple());
    write(spec(&url, &table, SaveMode::Append, &[]), rows()).await.unwrap();
    for (mode, expected) in [(SaveMode::Overwrite, "6"), (SaveMode::Append, "6")] {
        let job = uuid::Uuid::new_v4().to_string();
        let sink = prepare(spec(&url, &table, mode, &[]), rows().schema(), &job).await.unwrap().unwrap();
        task(&sink, 0, rows()).await.unwrap();
        sink.abort().await.unwrap();
        assert!(task(&sink, 1, rows()).await.is_err());
        assert_eq!(ask(&url, &format!("SELECT count(*) FROM {table}")).await, expected);
    }
    run(&url, &format!("DROP TABLE {table}")).await;
}

#[tokio::test]
async fn of_two_attempts_the_one_that_is_named_counts_and_a_late_one_leaves_nothing() {
    let Some(url) = server() else { return };
    let table = format!("t_{}", uuid::Uuid::new_v4().simple());
    run(&url, &format!("CREATE TABLE {table} (id bigint)")).await;
    let ids =
        |ids: Vec<i64>| RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from(ids)) as ArrayRef)]).unwrap();
    let job = uuid::Uuid::new_v4().to_string();
    let spec = spec(&url, &table, SaveMode::Append, &[]);
    let sink = prepare(spec, ids(vec![]).schema(), &job).await.unwrap().unwrap();
    task(&sink, 0, ids(vec![1, 2, 3])).await.unwrap();
    let named = task(&sink, 0, ids(vec![4, 5])).await.unwrap();
    assert_eq!(sink.commit(&[named]).await.unwrap().rows, 2);
    assert!(task(&sink, 0, ids(vec![6])).await.is_err());
    assert_eq!(ask(&url, &format!("SELECT string_agg(id::text, ',' ORDER BY id) FROM {table}")).await, "4,5");
    let left = format!("SELECT count(*) FROM pg_tables WHERE left(tablename, 30) = left('{}', 30)", stage_prefix(&job));
    assert_eq!(ask(&url, &left).await, "0");
    run(&url, &format!("DROP TABLE {table}")).await;
}

#[tokio::test]
async fn connection_failures_have_kinds() {
    let target = |url: &str| super::super::url::Target::parse(url).unwrap();
    let refused = connect(&target("jdbc:postgresql://127.0.0.1:9/x?user=u"), "t").await.unwrap_err();
    assert!(matches!(refused, ConnectorError::ConnectionFailed { .. }), "{refused:?}");
    let Some(url) = server() else { return };
    let location = url.split('?').next().unwrap();
    let wrong = connect(&target(&format!("{location}?user=nobody_here&password=x")), "t").await.unwrap_err();
    assert!(matches!(wrong, ConnectorError::AuthenticationFailed { .. }), "{wrong:?}");
}

#[test]
fn urls_and_options_are_read_and_secrets_hidden() {
    let target =
        super::super::url::Target::parse("jdbc:postgresql://h1:1,h2/db%20x?user=u&password=p%26q&sslmode=require");
    let target = target.unwrap();
    assert_eq!(target.hosts, [("h1".to_owned(), 1), ("h2".to_owned(), 5432)]);
    assert_eq!((target.database.as_str(), target.password.as_deref()), ("db x", Some("p&q")));
    assert!(!format!("{target:?}").contains("p&q"));
    let options = |pairs: &[(&str, &str)]| {
        let map = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        JdbcOptions::from_options(&map)
    };
    let url = ("url", "jdbc:postgresql:db");
    assert!(matches!(options(&[url]), Err(ConnectorError::MissingOption { .. })));
    assert!(matches!(options(&[url, ("dbtable", "t"), ("nonsense", "1")]), Err(ConnectorError::InvalidOption { .. })));
    assert_eq!(options(&[url, ("DBTABLE", "t"), ("NumPartitions", "3")]).unwrap().num_partitions, Some(3));
    assert_eq!(TableName::parse("S.\"T\"\"x\"").unwrap().sql(), "\"s\".\"T\"\"x\"");
    assert!(TableName::parse("(select 1) t").is_err());
}
