//! What is fetched ahead, shown by what can be read once the file is gone.

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;

/// Four row groups of two columns in a store, and a scan's readers.
struct Fixture {
    store: Arc<InMemory>,
    readers: Readers,
    file: PartitionedFile,
    metadata: Arc<ParquetMetaData>,
}

impl Fixture {
    async fn new(all: bool) -> Self {
        let numbers = || Arc::new(Int64Array::from_iter_values(0..400)) as ArrayRef;
        let rows = RecordBatch::try_from_iter([("a", numbers()), ("b", numbers())]).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        let bytes = writer.into_inner().unwrap();
        let (store, path) = (Arc::new(InMemory::new()), Path::from("t.parquet"));
        store.put(&path, bytes.into()).await.unwrap();
        let runtime = RuntimeEnvBuilder::new().build_arc().unwrap();
        let url = ObjectStoreUrl::parse("s3://bucket").unwrap();
        runtime.register_object_store(url.as_ref(), Arc::clone(&store) as Arc<dyn ObjectStore>);
        let file = PartitionedFile::new_from_meta(store.head(&path).await.unwrap());
        let readers = Readers { stores: Arc::new(OnceLock::from(runtime)), url, waits: true, all };
        let metadata = {
            let mut reader = readers.create_reader(0, file.clone(), None, &ExecutionPlanMetricsSet::new()).unwrap();
            reader.get_metadata(None).await.unwrap()
        };
        assert_eq!(metadata.num_row_groups(), 4);
        Self { store, readers, file, metadata }
    }

    /// A reader that has read the footer.
    async fn reader(&self) -> Box<dyn AsyncFileReader + Send> {
        let metrics = ExecutionPlanMetricsSet::new();
        let mut reader = self.readers.create_reader(0, self.file.clone(), None, &metrics).unwrap();
        reader.get_metadata(None).await.unwrap();
        reader
    }

    fn columns(&self, group: usize, columns: &[usize]) -> Vec<Range<u64>> {
        columns.iter().map(|column| chunk(self.metadata.row_group(group), *column)).collect()
    }

    /// Reads row groups with the file there, then takes it away.
    async fn read_then_lose(&self, reader: &mut Box<dyn AsyncFileReader + Send>, groups: &[usize], columns: &[usize]) {
        for group in groups {
            reader.get_byte_ranges(self.columns(*group, columns)).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        self.store.delete(&self.file.object_meta.location).await.unwrap();
    }
}

#[tokio::test]
async fn the_next_row_group_is_there_when_it_is_asked_for() {
    let fixture = Fixture::new(true).await;
    let mut reader = fixture.reader().await;
    let wanted = fixture.columns(1, &[0, 1]);
    let before = reader.get_byte_ranges(wanted.clone()).await.unwrap();
    let mut reader = fixture.reader().await;
    fixture.read_then_lose(&mut reader, &[0], &[0, 1]).await;
    assert_eq!(reader.get_byte_ranges(wanted).await.unwrap(), before);
    // That of after the next was not: the store says what is wrong.
    let error = reader.get_byte_ranges(fixture.columns(2, &[0, 1])).await.unwrap_err();
    assert!(error.to_string().contains("t.parquet"), "{error}");
}

#[tokio::test]
async fn other_columns_are_fetched_as_they_are_asked_for() {
    let fixture = Fixture::new(true).await;
    let mut reader = fixture.reader().await;
    reader.get_byte_ranges(fixture.columns(0, &[0])).await.unwrap();
    let both = reader.get_byte_ranges(fixture.columns(1, &[0, 1])).await.unwrap();
    assert_eq!(both.len(), 2);
    let mut reader = fixture.reader().await;
    fixture.read_then_lose(&mut reader, &[0], &[1]).await;
    assert!(reader.get_byte_ranges(fixture.columns(1, &[0])).await.is_err());
}

#[tokio::test]
async fn where_row_groups_can_be_skipped_two_in_a_row_are_waited_for() {
    let fixture = Fixture::new(false).await;
    let mut reader = fixture.reader().await;
    fixture.read_then_lose(&mut reader, &[0], &[0]).await;
    assert!(reader.get_byte_ranges(fixture.columns(1, &[0])).await.is_err());
    let fixture = Fixture::new(false).await;
    let mut reader = fixture.reader().await;
    fixture.read_then_lose(&mut reader, &[0, 1], &[0]).await;
    assert!(reader.get_byte_ranges(fixture.columns(2, &[0])).await.is_ok());
}

#[tokio::test]
async fn nothing_beyond_the_range_of_the_file_is_fetched() {
    let mut fixture = Fixture::new(true).await;
    let second = fixture.columns(1, &[0])[0].start;
    fixture.file = fixture.file.clone().with_range(0, i64::try_from(second).unwrap());
    let mut reader = fixture.reader().await;
    fixture.read_then_lose(&mut reader, &[0], &[0]).await;
    assert!(reader.get_byte_ranges(fixture.columns(1, &[0])).await.is_err());
}

#[test]
fn only_whole_columns_of_one_row_group_are_known() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let fixture = runtime.block_on(Fixture::new(true));
    let groups = fixture.metadata.row_groups();
    assert_eq!(columns_of(groups, &fixture.columns(2, &[1, 0])), Some((2, vec![1, 0])));
    let page = fixture.columns(2, &[1]).into_iter().map(|range| range.start..range.end - 1).collect::<Vec<_>>();
    assert_eq!(columns_of(groups, &page), None);
    let mixed = [fixture.columns(1, &[0]), fixture.columns(2, &[0])].concat();
    assert_eq!(columns_of(groups, &mixed), None);
    assert_eq!(columns_of(groups, &[]), None);
}
