//! Files written by another writer into a store in memory, read through a plan of DataFusion.

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use orc_rust::ArrowWriterBuilder;

use super::*;

/// A file with columns of these names: a number, a text, and another number.
fn file(names: [&str; 3], rows: i32) -> Bytes {
    let columns: [ArrayRef; 3] = [
        Arc::new((0..rows).collect::<Int32Array>()),
        Arc::new((0..rows).map(|n| Some(format!("t{n}"))).collect::<StringArray>()),
        Arc::new((0..rows).map(|n| i64::from(n) * 10).collect::<Int64Array>()),
    ];
    let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriterBuilder::new(&mut bytes, batch.schema()).try_build().unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// The rows of the columns at `projection` of a table, in parts of the file.
async fn read(bytes: Bytes, table: Schema, projection: Vec<usize>, parts: u64) -> Result<Vec<RecordBatch>> {
    let (store, path) = (Arc::new(InMemory::new()), Path::from("a.orc"));
    let size = bytes.len() as u64;
    store.put(&path, bytes.into()).await.unwrap();
    let url = ObjectStoreUrl::parse("memory://").unwrap();
    let ctx = SessionContext::new();
    ctx.register_object_store(url.as_ref(), Arc::clone(&store) as Arc<dyn ObjectStore>);
    let bound = |part: u64| i64::try_from(size * part / parts).unwrap();
    let files = (0..parts).map(|part| PartitionedFile::new("a.orc", size).with_range(bound(part), bound(part + 1)));
    let source = Arc::new(OrcSource::new(TableSchema::builder(Arc::new(table)).build()));
    let config = FileScanConfigBuilder::new(url, source)
        .with_file_group(files.collect())
        .with_projection_indices(Some(projection))?
        .build();
    let plan = OrcFormat.create_physical_plan(&ctx.state(), config).await?;
    collect(plan, ctx.task_ctx()).await
}

fn table(names: [&str; 3]) -> Schema {
    let types = [DataType::Int32, DataType::Utf8, DataType::Int64];
    Schema::new(names.iter().zip(types).map(|(name, kind)| Field::new(*name, kind, true)).collect::<Vec<_>>())
}

fn shown(batches: &[RecordBatch]) -> Vec<String> {
    pretty_format_batches(batches).unwrap().to_string().lines().map(|line| line.replace(' ', "")).collect()
}

#[tokio::test]
async fn columns_come_in_the_order_of_the_query_and_missing_ones_are_null() {
    let bytes = file(["a", "b", "c"], 2);
    let rows = read(bytes, table(["c", "b", "z"]), vec![2, 1, 0], 1).await;
    // `c` of the table is an INT here and a BIGINT in the file.
    assert_eq!(shown(&rows.unwrap())[1..6], ["|z|b|c|", "+---+----+----+", "||t0|0|", "||t1|10|", "+---+----+----+"]);
}

#[tokio::test]
async fn names_of_old_hive_go_by_position() {
    let bytes = file(["_col0", "_col1", "_col2"], 2);
    let rows = read(bytes, table(["id", "name", "sum"]), vec![2, 1], 1).await;
    assert_eq!(shown(&rows.unwrap())[1..5], ["|sum|name|", "+-----+------+", "|0|t0|", "|10|t1|"]);
}

#[tokio::test]
async fn parts_of_a_file_have_each_row_once_and_no_column_is_a_number_of_rows() {
    for parts in [1, 3, 7] {
        let rows = read(file(["a", "b", "c"], 50_000), table(["a", "b", "c"]), vec![], parts).await.unwrap();
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 50_000);
    }
}

#[tokio::test]
async fn a_broken_file_is_an_error() {
    let whole = file(["a", "b", "c"], 100);
    for bytes in [Bytes::new(), Bytes::from_static(b"ORC"), whole.slice(..whole.len() / 2)] {
        read(bytes, table(["a", "b", "c"]), vec![0], 1).await.unwrap_err();
    }
}
