//! Tests of `output`, through its own door.
use arrow::array::{Array, Int32Array, StructArray, TimestampMicrosecondArray};
use firesteel_functions::types::{DataType, StructField};

use super::*;

#[test]
fn timestamps_get_the_session_zone_also_inside_structs() {
    let times = TimestampMicrosecondArray::from(vec![1]).with_timezone("UTC");
    let inner = StructArray::from(vec![(
        Arc::new(Field::new("c0", times.data_type().clone(), true)),
        Arc::new(times) as arrow::array::ArrayRef,
    )]);
    let batch = RecordBatch::try_from_iter([("#1", Arc::new(inner) as arrow::array::ArrayRef)]).unwrap();
    let inner = StructType::new(vec![StructField::new("t", DataType::Timestamp, true)]);
    let schema = StructType::new(vec![StructField::new("s", DataType::Struct(inner), true)]);
    let out = encode_batch(&batch, &schema, "Asia/Tokyo").unwrap();
    let text = format!("{:?}", out.schema().field(0).data_type());
    assert!(text.contains("Asia/Tokyo") && text.contains("\"t\""), "{text}");
    assert_eq!(out.schema().field(0).name(), "s");
}

#[test]
fn a_wrong_type_is_an_error_not_a_cast() {
    let batch =
        RecordBatch::try_from_iter([("#1", Arc::new(Int32Array::from(vec![1])) as arrow::array::ArrayRef)]).unwrap();
    let schema = StructType::new(vec![StructField::new("a", DataType::String, true)]);
    assert!(encode_batch(&batch, &schema, "UTC").is_err());
}
