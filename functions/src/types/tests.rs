//! Round trips through Arrow and JSON, and the texts that users see.

use super::*;

fn sample() -> StructType {
    let inner = StructType::new(vec![StructField::new("x y", DataType::Integer, false)]);
    StructType::new(vec![
        StructField::new("a", DataType::Long, false),
        StructField::new("c", DataType::Char(5), true),
        StructField::new("arr", DataType::array(DataType::Struct(inner), true), true),
        StructField::new("m", DataType::map(DataType::String, DataType::Decimal(10, 2), false), true),
        StructField::new("i", DataType::DayTimeInterval(DayTimeField::Hour, DayTimeField::Minute), true),
        StructField::new("t", DataType::Timestamp, true),
        StructField::new("v", DataType::Variant, true),
    ])
}

#[test]
fn types_survive_arrow_and_json() {
    let mut schema = sample();
    schema.fields[0].metadata = Some(r#"{"comment":"it's"}"#.to_owned());
    assert_eq!(StructType::from_arrow(&schema.to_arrow_schema()).unwrap(), schema);
    assert_eq!(StructType::from_json(&schema.json()).unwrap(), schema);
}

#[test]
fn texts_are_sparks() {
    let schema = sample();
    assert_eq!(schema.fields[2].data_type.sql(), "ARRAY<STRUCT<`x y`: INT NOT NULL>>");
    assert_eq!(schema.fields[3].data_type.simple_string(), "map<string,decimal(10,2)>");
    assert_eq!(schema.fields[4].data_type.sql(), "INTERVAL HOUR TO MINUTE");
    assert!(schema.tree_string(None).contains(
        " |-- arr: array (nullable = true)\n |    |-- element: struct (containsNull = true)\n |    |    |-- x y: integer \
         (nullable = false)\n |-- m: map (nullable = true)\n |    |-- key: string\n |    |-- value: decimal(10,2) (valueContainsNull = false)\n"
    ));
}
