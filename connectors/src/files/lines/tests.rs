//! Texts cut in every way give the same rows.

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::split::Splitter;
use super::*;

fn rows(kind: Rows, text: &str, block: usize) -> Vec<String> {
    let (mut splitter, mut rows) = (Splitter::new(kind, true), Vec::new());
    let mut add = |row: &[u8]| rows.push(String::from_utf8(row.to_vec()).unwrap());
    for block in text.as_bytes().chunks(block) {
        splitter.push(block, &mut add);
    }
    splitter.finish(&mut add);
    rows
}

#[test]
fn lines_end_as_hadoops_do() {
    for block in 1..8 {
        assert_eq!(rows(Rows::Lines, "\u{feff}a\nb\r\n\r\nc\rd\n\ne", block), ["a", "b", "", "c", "d", "", "e"]);
        assert_eq!(rows(Rows::Lines, "a\n", block), ["a"]);
        assert!(rows(Rows::Lines, "", block).is_empty());
        assert_eq!(rows(Rows::Separated("||".into()), "a|b||c\n||||d|", block), ["a|b", "c\n", "", "d|"]);
        assert_eq!(rows(Rows::Separated("\n".into()), "a\r\nb", block), ["a\r", "b"]);
        assert_eq!(rows(Rows::Files, "a\nb\n", block), ["a\nb\n"]);
    }
    assert_eq!(rows(Rows::Files, "", 1), [""]);
}

/// The rows of a file, read in ranges that begin at these places, in order.
async fn read(format: LinesFormat, text: &[u8], starts: &[usize], column: bool) -> Vec<RecordBatch> {
    let (store, path) = (Arc::new(InMemory::new()), Path::from("a.txt"));
    store.put(&path, text.to_vec().into()).await.unwrap();
    let url = ObjectStoreUrl::parse("memory://").unwrap();
    let ctx = SessionContext::new();
    ctx.register_object_store(url.as_ref(), Arc::clone(&store) as Arc<dyn ObjectStore>);
    let table = Schema::new(vec![Field::new("value", DataType::Utf8, true)]);
    let source = format.file_source(TableSchema::builder(Arc::new(table)).build());
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let at = |place: usize| i64::try_from(place).unwrap();
    let files = starts.iter().zip(ends).map(|(start, end)| {
        let file = PartitionedFile::new("a.txt", text.len() as u64);
        if starts.len() > 1 { file.with_range(at(*start), at(end)) } else { file }
    });
    let projection = if column { vec![0] } else { vec![] };
    let config = FileScanConfigBuilder::new(url, source)
        .with_file_group(files.collect())
        .with_projection_indices(Some(projection))
        .unwrap()
        .build();
    let plan = format.create_physical_plan(&ctx.state(), config).await.unwrap();
    collect(plan, ctx.task_ctx()).await.unwrap()
}

fn texts(batches: &[RecordBatch]) -> Vec<String> {
    batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().map(|t| t.unwrap().to_owned())).collect()
}

#[tokio::test]
async fn ranges_have_each_line_once() {
    let format = LinesFormat { rows: Rows::Lines, gzip: false };
    let text = "one\ntwo\r\n\nfour\rfive\nsix";
    let expected = ["one", "two", "", "four", "five", "six"];
    for first in 0..text.len() {
        for second in first..text.len() {
            let batches = read(format.clone(), text.as_bytes(), &[0, first, second], true).await;
            assert_eq!(texts(&batches), expected, "cut at {first} and {second}");
        }
    }
    assert_eq!(texts(&read(format.clone(), text.as_bytes(), &[0], true).await), expected);
    let counted = read(format, text.as_bytes(), &[0, 5, 9], false).await;
    assert_eq!(counted.iter().map(RecordBatch::num_rows).sum::<usize>(), 6);
}

#[tokio::test]
async fn files_larger_than_a_block_have_all_their_lines() {
    let format = LinesFormat { rows: Rows::Lines, gzip: false };
    let line = "x".repeat(99);
    let text = format!("{line}\n").repeat(200_000);
    for starts in [vec![0], vec![0, 10_000_000], vec![0, 1, 19_999_999]] {
        let batches = read(format.clone(), text.as_bytes(), &starts, true).await;
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 200_000, "{starts:?}");
        assert!(texts(&batches).iter().all(|text| *text == line));
    }
}
