//! Batches of any size become blocks of bounded size, in order.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::ipc::reader::StreamReader;

use super::*;
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

/// The blocks that batches become, as the batches inside each.
fn blocks(batches: &[RecordBatch], most: usize) -> Vec<Vec<RecordBatch>> {
    let columns = columns();
    let mut encoder = Encoder::new(&columns, "UTC");
    let schema = encoder.schema(&batches[0].schema()).unwrap();
    let (mut block, mut done) = (Block::new(&schema, Codec::Lz4).unwrap(), Vec::new());
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            at += block.take(batch, at, most, &mut encoder).unwrap();
            if block.is_full(most) {
                let full = std::mem::replace(&mut block, Block::new(&schema, Codec::Lz4).unwrap());
                done.push(full.finish(&mut encoder).unwrap());
            }
        }
    }
    done.push(block.finish(&mut encoder).unwrap());
    let read = |bytes: Bytes| StreamReader::try_new(std::io::Cursor::new(bytes), None).unwrap();
    done.into_iter().map(|bytes| read(bytes).map(Result::unwrap).collect()).collect()
}

fn lengths(blocks: &[Vec<RecordBatch>]) -> Vec<Vec<usize>> {
    blocks.iter().map(|block| block.iter().map(RecordBatch::num_rows).collect()).collect()
}

#[test]
fn small_batches_are_put_together_and_every_row_is_there_once() {
    let batches: Vec<RecordBatch> = (0..100).map(|at| rows(at * 1000, (at + 1) * 1000, 1)).collect();
    let blocks = blocks(&batches, 80_000);
    assert_eq!(lengths(&blocks), [vec![66_000, 14_000], vec![20_000]]);
    let ids: Vec<i64> = blocks
        .iter()
        .flatten()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(ids, (0..100_000).collect::<Vec<i64>>());
}

#[test]
fn wide_rows_end_batches_early() {
    let batches: Vec<RecordBatch> = (0..4).map(|at| rows(at * 1000, (at + 1) * 1000, 10_000)).collect();
    assert_eq!(lengths(&blocks(&batches, 500_000)), [vec![1000; 4]]);
}

#[test]
fn a_large_batch_is_cut_where_a_block_ends() {
    assert_eq!(lengths(&blocks(&[rows(0, 20_000, 1)], 7000)), [vec![7000], vec![7000], vec![6000]]);
}

#[test]
fn a_bad_value_is_told_with_its_row_in_the_input() {
    let columns = vec![Column { kind: Kind::parse("UInt8"), sql_type: "UInt8".to_owned(), ..columns().remove(0) }];
    let mut encoder = Encoder::new(&columns, "UTC");
    let batches: Vec<RecordBatch> = (0..10).map(|at| rows(at * 30, (at + 1) * 30, 1).project(&[0]).unwrap()).collect();
    let mut block = Block::new(&encoder.schema(&batches[0].schema()).unwrap(), Codec::None).unwrap();
    for batch in &batches {
        block.take(batch, 0, 500_000, &mut encoder).unwrap();
    }
    let error = block.finish(&mut encoder).unwrap_err().to_string();
    assert!(error.contains("256") && error.contains("id"), "{error}");
}
