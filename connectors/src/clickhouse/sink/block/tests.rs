//! Batches of any size become batches of bounded size, in order.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::ipc::reader::StreamReader;

use super::*;
use crate::clickhouse::encode::Encoder;
use crate::clickhouse::kind::Kind;
use crate::clickhouse::table::Column;

fn columns() -> Vec<Column> {
    let column = |name: &str, sql_type: &str| Column {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        kind: Kind::parse(sql_type),
        generated: false,
    };
    vec![column("id", "Int64"), column("v", "String")]
}

fn rows(first: i64, last: i64, width: usize) -> RecordBatch {
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("v", DataType::Utf8, true)];
    let texts = StringArray::from_iter_values((first..last).map(|id| format!("{id:width$}")));
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![Arc::new(Int64Array::from_iter_values(first..last)), Arc::new(texts)],
    )
    .unwrap()
}

/// The batches that batches become.
fn gathered(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let (mut gather, mut done) = (Gather::default(), Vec::new());
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            at += gather.take(batch, at);
            if gather.is_full() {
                done.extend(gather.settle().unwrap());
            }
        }
    }
    done.extend(gather.settle().unwrap());
    done
}

fn lengths(batches: &[RecordBatch]) -> Vec<usize> {
    batches.iter().map(RecordBatch::num_rows).collect()
}

#[test]
fn small_batches_are_put_together_and_every_row_is_there_once() {
    let batches: Vec<RecordBatch> = (0..100).map(|at| rows(at * 1000, (at + 1) * 1000, 1)).collect();
    let gathered = gathered(&batches);
    assert_eq!(lengths(&gathered), [66_000, 34_000]);
    let ids: Vec<i64> =
        gathered.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(ids, (0..100_000).collect::<Vec<i64>>());
}

#[test]
fn what_is_large_enough_is_taken_as_it_is() {
    let batches = [rows(0, 66_000, 1), rows(66_000, 101_000, 1), rows(101_000, 102_000, 1)];
    let once = gathered(&batches);
    assert_eq!(lengths(&once), [66_000, 36_000]);
    let shared = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().as_ptr();
    assert_eq!(shared(&once[0]), shared(&batches[0]));
    assert_eq!(lengths(&gathered(&once)), [66_000, 36_000]);
}

#[test]
fn wide_rows_end_batches_early_and_large_batches_are_cut() {
    let batches: Vec<RecordBatch> = (0..4).map(|at| rows(at * 1000, (at + 1) * 1000, 10_000)).collect();
    assert_eq!(lengths(&gathered(&batches)), [1000; 4]);
    assert_eq!(lengths(&gathered(&[rows(0, 200_000, 1)])), [65_536, 65_536, 65_536, 3392]);
}

#[test]
fn a_block_is_what_it_was_given() {
    let columns = columns();
    let mut encoder = Encoder::new(&columns, "UTC");
    let first = encoder.batch(&rows(0, 1000, 1)).unwrap();
    for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
        let mut block = Block::new(&first.schema(), codec, 10).unwrap();
        block.write(&first).unwrap();
        block.write(&first.slice(10, 20)).unwrap();
        assert_eq!(block.rows(), 1020);
        let read = StreamReader::try_new(std::io::Cursor::new(block.finish().unwrap()), None).unwrap();
        let back: Vec<RecordBatch> = read.map(Result::unwrap).collect();
        assert_eq!(back, [first.clone(), first.slice(10, 20)]);
    }
}

#[test]
fn a_bad_value_is_told_with_its_row_in_the_input() {
    let columns = vec![Column { kind: Kind::parse("UInt8"), sql_type: "UInt8".to_owned(), ..columns().remove(0) }];
    let mut encoder = Encoder::new(&columns, "UTC");
    encoder.batch(&rows(0, 100, 1).project(&[0]).unwrap()).unwrap();
    let error = encoder.batch(&rows(100, 300, 1).project(&[0]).unwrap()).unwrap_err();
    assert!(matches!(error, ConnectorError::InvalidValue { row: 256, .. }), "{error}");
    assert!(error.to_string().contains("id"), "{error}");
}
