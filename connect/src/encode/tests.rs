//! Encoding of rows and types.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::ipc::reader::StreamReader;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::{Chunking, arrow_batches, data_type, schema};
use crate::decode;
use crate::language::Language;

fn numbers(rows: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

#[test]
fn a_batch_is_one_stream_with_one_batch_even_when_empty() {
    for rows in [0, 3] {
        let messages = arrow_batches(&numbers(rows), 7, Chunking::default()).unwrap();
        let [message] = messages.as_slice() else { panic!("one message") };
        assert_eq!((message.row_count, message.start_offset, message.num_chunks_in_batch), (rows, Some(7), Some(1)));
        let batches: Vec<_> =
            StreamReader::try_new(message.data.as_ref(), None).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(batches, [numbers(rows)]);
    }
}

#[test]
fn chunks_join_to_the_whole() {
    let chunking = Chunking { allowed: true, preferred: Some(1024) };
    let messages = arrow_batches(&numbers(2000), 0, chunking).unwrap();
    let joined: Vec<u8> = messages.iter().flat_map(|message| message.data.to_vec()).collect();
    let whole = arrow_batches(&numbers(2000), 0, Chunking::default()).unwrap();
    assert_eq!(Some(joined.as_slice()), whole.first().map(|message| message.data.as_ref()));
    let chunks = i64::try_from(joined.len().div_ceil(1024)).unwrap();
    assert!(chunks > 10 && messages.len() == usize::try_from(chunks).unwrap());
    assert!(messages.iter().all(|message| message.row_count == 2000 && message.num_chunks_in_batch == Some(chunks)));
}

#[test]
fn types_round_trip() {
    let inner = StructType::new(vec![StructField {
        name: "x".into(),
        data_type: DataType::Decimal(12, 3),
        nullable: false,
        metadata: Some("{\"comment\":\"c\"}".into()),
    }]);
    let all = DataType::Struct(StructType::new(vec![
        StructField::new(
            "a",
            DataType::Array { element: Box::new(DataType::Struct(inner)), contains_null: true },
            true,
        ),
        StructField::new(
            "m",
            DataType::Map {
                key: Box::new(DataType::String),
                value: Box::new(DataType::Varchar(7)),
                value_contains_null: false,
            },
            true,
        ),
        StructField::new("t", DataType::Timestamp, true),
        StructField::new("n", DataType::Null, true),
    ]));
    assert_eq!(decode::data_type(&data_type(&all), &Language::default()).unwrap(), all);
    let DataType::Struct(fields) = &all else { panic!("a struct") };
    assert_eq!(schema(fields), data_type(&all));
}
