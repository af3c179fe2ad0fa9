//! Whole writes through `prepare`, `write` and `commit`, to a local directory and to an S3 server when one is named
//! in `FIRESTEEL_TEST_S3` (a bucket URL; credentials and endpoint from `AWS_*`).

use arrow::array::*;
use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};

use super::*;
use crate::sink::{CommitMessage, PreparedSink, SinkSpec, WriteReport, prepare};
use crate::store::StoreRegistry;

struct Writer {
    runtime: Arc<RuntimeEnv>,
}

impl Writer {
    fn new() -> Self {
        let runtime = RuntimeEnvBuilder::new().with_object_store_registry(StoreRegistry::new()).build_arc().unwrap();
        Self { runtime }
    }

    async fn prepare(&self, spec: FileSinkSpec, batch: &RecordBatch) -> Result<PreparedSink> {
        prepare(SinkSpec::Files(Box::new(spec)), batch.schema(), "job-1", Arc::clone(&self.runtime)).await
    }

    async fn task(&self, sink: &PreparedSink, partition: usize, attempt: &str, batch: RecordBatch) -> CommitMessage {
        // Everything crosses a process boundary in between.
        let text = serde_json::to_string(sink).unwrap();
        let sink: PreparedSink = serde_json::from_str(&text).unwrap();
        let input = futures::stream::iter([Ok(batch.clone())]);
        let input = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), input));
        let context = TaskContext::default().with_runtime(Arc::clone(&self.runtime));
        let message = sink.write(partition, attempt, input, &context).await.unwrap();
        CommitMessage::from_json(&message.to_json().unwrap()).unwrap()
    }

    async fn write(&self, spec: FileSinkSpec, batches: Vec<RecordBatch>) -> Result<WriteReport> {
        let sink = self.prepare(spec, &batches[0]).await?;
        let mut messages = Vec::new();
        for (partition, batch) in batches.into_iter().enumerate() {
            messages.push(self.task(&sink, partition, "a", batch).await);
        }
        sink.commit(messages, Arc::clone(&self.runtime)).await
    }

    async fn count(&self, url: &str) -> usize {
        // A runtime of its own: runtimes remember listings.
        let context = SessionContext::new_with_config_rt(SessionConfig::new(), Self::new().runtime);
        let table = context.read_parquet(format!("{url}/"), ParquetReadOptions::default()).await.unwrap();
        table.count().await.unwrap()
    }
}

fn people() -> RecordBatch {
    let micros = TimestampMicrosecondArray::from(vec![Some(1_577_872_800_123_456), None, Some(0)]).with_timezone("UTC");
    let decimals = Decimal128Array::from(vec![Some(-150), Some(0), None]).with_precision_and_scale(10, 2).unwrap();
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef, true),
        ("name", Arc::new(StringArray::from(vec![Some("a,\"b\""), Some(""), None])) as ArrayRef, true),
        ("x", Arc::new(Float64Array::from(vec![1.0, 1e10, f64::NAN])) as ArrayRef, true),
        ("d", Arc::new(decimals) as ArrayRef, true),
        ("at", Arc::new(micros) as ArrayRef, true),
    ])
    .unwrap()
}

fn local() -> (std::path::PathBuf, String) {
    let path = std::env::temp_dir().join(format!("firesteel-sink-{}", Uuid::new_v4())).join("out");
    let url = path.to_str().unwrap().to_owned();
    (path, url)
}

fn tree(path: &std::path::Path) -> Vec<String> {
    fn walk(root: &std::path::Path, at: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(at).unwrap().flatten() {
            match entry.path().is_dir() {
                true => walk(root, &entry.path(), out),
                false => out.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    let mut out = Vec::new();
    walk(path, path, &mut out);
    out.sort();
    out
}

fn parquet(url: &str, mode: SaveMode) -> FileSinkSpec {
    FileSinkSpec::new(url, FileFormat::Parquet(ParquetOptions::default()), mode)
}

async fn lifecycle(url: &str) {
    let writer = Writer::new();
    let report = writer.write(parquet(url, SaveMode::ErrorIfExists), vec![people(), people()]).await.unwrap();
    assert_eq!((report.rows, report.files), (6, 2));
    assert_eq!(writer.count(url).await, 6);

    let again = writer.write(parquet(url, SaveMode::ErrorIfExists), vec![people()]).await;
    assert!(matches!(again, Err(ConnectorError::PathAlreadyExists { .. })));
    assert!(matches!(writer.prepare(parquet(url, SaveMode::Ignore), &people()).await.unwrap(), PreparedSink::Nothing));

    // Two attempts of one partition: one is committed, the other dropped.
    let sink = writer.prepare(parquet(url, SaveMode::Append), &people()).await.unwrap();
    let loser = writer.task(&sink, 0, "a0", people()).await;
    let winner = writer.task(&sink, 0, "a1", people()).await;
    assert_eq!(writer.count(url).await, 6, "nothing is visible before commit");
    sink.commit(vec![winner.clone()], Arc::clone(&writer.runtime)).await.unwrap();
    sink.commit(vec![winner], Arc::clone(&writer.runtime)).await.unwrap();
    sink.abort(vec![loser], Arc::clone(&writer.runtime)).await.unwrap();
    assert_eq!(writer.count(url).await, 9);

    // An aborted overwrite leaves the old rows.
    let sink = writer.prepare(parquet(url, SaveMode::Overwrite), &people()).await.unwrap();
    let message = writer.task(&sink, 0, "a", people()).await;
    sink.abort(vec![message], Arc::clone(&writer.runtime)).await.unwrap();
    assert_eq!(writer.count(url).await, 9);
    writer.write(parquet(url, SaveMode::Overwrite), vec![people()]).await.unwrap();
    assert_eq!(writer.count(url).await, 3);

    // An empty result still says what its columns are.
    writer.write(parquet(url, SaveMode::Overwrite), vec![people().slice(0, 0)]).await.unwrap();
    assert_eq!(writer.count(url).await, 0);
}

#[tokio::test]
async fn local_writes_are_exactly_once() {
    let (path, url) = local();
    lifecycle(&url).await;
    let files = tree(&path);
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files[1].starts_with("part-00000-") && files[1].ends_with("-c000.snappy.parquet"));
    assert!(!path.join("_temporary").exists());
}

#[tokio::test]
async fn s3_writes_are_exactly_once() {
    let Ok(bucket) = std::env::var("FIRESTEEL_TEST_S3") else {
        return eprintln!("skipped: FIRESTEEL_TEST_S3 names no bucket");
    };
    lifecycle(&format!("{bucket}/{}", Uuid::new_v4())).await;
    // Random numbers do not compress: several parts.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::from_ne_bytes(state.to_ne_bytes())
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..3_000_000).map(|_| next())));
    let large = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let url = format!("{bucket}/{}", Uuid::new_v4());
    let writer = Writer::new();
    let report = writer.write(parquet(&url, SaveMode::Append), vec![large]).await.unwrap();
    assert!(report.bytes > 20_000_000);
    assert_eq!(writer.count(&url).await, 3_000_000);

    let missing = writer.write(parquet("s3a://no-such-bucket-here/x", SaveMode::Append), vec![people()]).await;
    assert!(matches!(missing, Err(ConnectorError::BucketNotFound { .. })), "{missing:?}");
}

#[tokio::test]
async fn partitions_become_directories_and_dynamic_overwrite_spares_the_others() {
    let (path, url) = local();
    let writer = Writer::new();
    let spec = |mode| FileSinkSpec {
        partition_by: vec!["name".to_owned()],
        dynamic_overwrite: true,
        max_records_per_file: 1,
        ..parquet(&url, mode)
    };
    writer.write(spec(SaveMode::Append), vec![people()]).await.unwrap();
    let files = tree(&path);
    let directories: Vec<&str> = files.iter().filter_map(|file| file.split_once('/')).map(|(dir, _)| dir).collect();
    let null = "name=__HIVE_DEFAULT_PARTITION__";
    assert_eq!(directories, ["name=__HIVE_DEFAULT_PARTITION__", null, "name=a,%22b%22"]);
    assert!(files[3].contains(".c000.snappy.parquet"), "{files:?}");
    writer.write(spec(SaveMode::Overwrite), vec![people().slice(0, 1)]).await.unwrap();
    assert_eq!(tree(&path).len(), 4);
}

#[tokio::test]
async fn text_formats_are_sparks() {
    let writer = Writer::new();
    let zoned = |format| {
        let (path, url) = local();
        (
            path,
            FileSinkSpec { time_zone: "Europe/Berlin".to_owned(), ..FileSinkSpec::new(url, format, SaveMode::Append) },
        )
    };
    let (path, spec) = zoned(FileFormat::Csv(CsvOptions { header: true, ..Default::default() }));
    writer.write(spec, vec![people()]).await.unwrap();
    let text = std::fs::read_to_string(path.join(&tree(&path)[1])).unwrap();
    assert_eq!(
        text,
        "id,name,x,d,at\n1,\"a,\\\"b\\\"\",1.0,-1.50,2020-01-01T11:00:00.123+01:00\n2,\"\",1.0E10,0.00,\n\
         3,,NaN,,1970-01-01T01:00:00.000+01:00\n"
    );
    let (path, spec) = zoned(FileFormat::Json(JsonOptions { compression: "gzip".to_owned(), ..Default::default() }));
    writer.write(spec, vec![people()]).await.unwrap();
    let name = &tree(&path)[1];
    assert!(name.ends_with("-c000.json.gz"), "{name}");
    let gz = datafusion::datasource::file_format::file_compression_type::FileCompressionType::GZIP;
    let mut text = String::new();
    let mut reader = gz.convert_read(std::fs::File::open(path.join(name)).unwrap()).unwrap();
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!(
        text,
        "{\"id\":1,\"name\":\"a,\\\"b\\\"\",\"x\":1.0,\"d\":-1.50,\"at\":\"2020-01-01T11:00:00.123+01:00\"}\n\
         {\"id\":2,\"name\":\"\",\"x\":1.0E10,\"d\":0.00}\n{\"id\":3,\"x\":\"NaN\",\"at\":\"1970-01-01T01:00:00.000+01:00\"}\n"
    );
}

#[tokio::test]
async fn unwritable_types_are_told_before_any_task() {
    let field = Field::new("i", DataType::Duration(TimeUnit::Microsecond), true);
    let batch = RecordBatch::new_empty(Arc::new(Schema::new(vec![field])));
    let error = Writer::new().prepare(parquet("/tmp/never", SaveMode::Append), &batch).await.unwrap_err();
    assert!(matches!(error, ConnectorError::TypeMismatch { .. }));
}
