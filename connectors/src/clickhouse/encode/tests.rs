//! What the target cannot hold is refused by name; what it can hold arrives as it is.

use arrow::array::{BooleanArray, Decimal128Array, Int64Array, StringArray};

use super::*;

fn column(sql_type: &str) -> Vec<Column> {
    let kind = Kind::parse(sql_type);
    vec![Column { name: "c".to_owned(), sql_type: sql_type.to_owned(), kind, generated: false }]
}

fn send(array: ArrayRef, sql_type: &str) -> Result<ArrayRef> {
    let columns = column(sql_type);
    let batch = RecordBatch::try_from_iter([("c", array)]).unwrap();
    Encoder::new(&columns, "UTC").batch(&batch).map(|batch| Arc::clone(batch.column(0)))
}

fn refused(array: ArrayRef, sql_type: &str) -> (u64, String) {
    match send(array, sql_type).unwrap_err() {
        ConnectorError::InvalidValue { row, value, .. } => (row, value),
        other => panic!("{other}"),
    }
}

#[test]
fn numbers_out_of_range_name_their_row() {
    let big: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(1 << 40)]));
    assert_eq!(refused(Arc::clone(&big), "Nullable(Int32)"), (2, (1_i64 << 40).to_string()));
    assert_eq!(refused(Arc::clone(&big), "Int64"), (1, "NULL".to_owned()));
    assert_eq!(send(big, "LowCardinality(Nullable(UInt64))").unwrap().data_type(), &DataType::UInt64);
    assert_eq!(refused(Arc::new(Int64Array::from(vec![-1])), "UInt256"), (0, "-1".to_owned()));
}

#[test]
fn no_digits_are_lost() {
    let exact: ArrayRef =
        Arc::new(Decimal128Array::from(vec![12_300, 45_600]).with_precision_and_scale(10, 4).unwrap());
    assert!(send(Arc::clone(&exact), "Decimal(5, 2)").is_ok());
    let fine: ArrayRef = Arc::new(Decimal128Array::from(vec![12_300, 45_601]).with_precision_and_scale(10, 4).unwrap());
    assert_eq!(refused(fine, "Decimal(5, 2)").0, 1);
    assert!(matches!(send(exact, "Int32").unwrap_err(), ConnectorError::TypeMismatch { .. }));
}

#[test]
fn texts_are_checked_before_the_server_reads_them() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "c"]));
    assert_eq!(refused(Arc::clone(&texts), "Enum8('a' = 1, 'b' = 2)"), (1, "c".to_owned()));
    assert_eq!(refused(Arc::clone(&texts), "UUID").0, 0);
    assert_eq!(refused(Arc::new(StringArray::from(vec!["ä€"])), "FixedString(4)").0, 0);
    assert!(send(Arc::new(BooleanArray::from(vec![true])), "UInt8").is_ok());
}

#[test]
fn a_refusal_inside_a_list_names_the_row_of_the_list() {
    let mut lists = arrow::array::ListBuilder::new(arrow::array::Int64Builder::new());
    for items in [vec![1, 2], vec![], vec![3, 1_000]] {
        lists.values().append_slice(&items);
        lists.append(true);
    }
    let lists: ArrayRef = Arc::new(lists.finish());
    assert_eq!(refused(lists.slice(1, 2), "Array(Int8)"), (1, "1000".to_owned()));
}
