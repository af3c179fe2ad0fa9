//! Keys become shards as ClickHouse's own `createBlockSelector` has it; the engine's word is asked in the end-to-end tests.

use arrow::array::{Int32Array, UInt64Array};

use super::*;

fn column(name: &str, sql_type: &str) -> Column {
    Column { name: name.to_owned(), sql_type: sql_type.to_owned(), kind: Kind::parse(sql_type), generated: false }
}

fn table() -> Table {
    Table {
        database: "d".to_owned(),
        name: "t".to_owned(),
        engine: "Distributed".to_owned(),
        engine_full: String::new(),
        uuid: String::new(),
        partition_key: String::new(),
        dependants: Vec::new(),
        columns: vec![column("id", "Int32"), column("site_id", "LowCardinality(String)"), column("odd`name", "UInt64")],
    }
}

fn target() -> Target {
    let options = [("host", "127.0.0.1"), ("table", "t")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    crate::clickhouse::ClickHouseOptions::from_options(&options.into()).unwrap().target
}

fn sharding(key: Option<&str>, written: &[usize], weights: &[u64]) -> Result<Sharding> {
    let table = table();
    let columns: Vec<Column> = written.iter().map(|at| table.columns[*at].clone()).collect();
    Sharding::new(key, &table, &columns, weights, &target())
}

#[test]
fn keys_are_told_apart() {
    let key = |text: &str| sharding(Some(text), &[2, 0, 1], &[1, 1]).map(|sharding| sharding.key);
    assert_eq!(key("id").unwrap(), Key::Column(1));
    assert_eq!(key("`odd\\`name`").unwrap(), Key::Column(0));
    assert_eq!(key("rand()").unwrap(), Key::Any);
    let asked = Key::Asked {
        expression: "cityHash64(site_id)".to_owned(),
        columns: vec![2],
        structure: "`site_id` LowCardinality(String)".to_owned(),
    };
    assert_eq!(key("cityHash64(site_id)").unwrap(), asked);
    // A column of text is no number: the server says what it makes of it.
    assert!(matches!(key("site_id").unwrap(), Key::Asked { .. }));
}

#[test]
fn what_cannot_be_placed_is_refused() {
    let refused = |key, written: &[usize], weights: &[u64]| sharding(key, written, weights).unwrap_err().to_string();
    assert!(refused(None, &[0], &[1, 1]).contains("no sharding key"));
    assert!(refused(Some("intHash64(id)"), &[1], &[1, 1]).contains("without column id"));
    assert!(refused(Some("now()"), &[0], &[1, 1]).contains("no column"));
    assert!(refused(Some("id"), &[0], &[0, 0]).contains("weight 0"));
    assert!(sharding(None, &[0], &[1]).is_ok());
}

#[tokio::test]
async fn negative_keys_count_as_their_bits_and_weights_as_slots() {
    let sharding = sharding(Some("id"), &[0], &[1, 0, 2]).unwrap();
    let ids = [0, 1, 2, 3, -1, -2, -3, i32::MIN];
    let rows = RecordBatch::try_from_iter([("id", Arc::new(Int32Array::from(ids.to_vec())) as ArrayRef)]).unwrap();
    let parts = Router::new(&sharding, 0).unwrap().split(&rows).await.unwrap();
    let parts: Vec<(usize, Vec<i32>)> = parts
        .iter()
        .map(|(shard, rows)| (*shard, rows.column(0).as_primitive::<Int32Type>().values().to_vec()))
        .collect();
    // 2^32 - 1 is a multiple of three, and 2^31 leaves two.
    assert_eq!(parts, [(0, vec![0, 3, -1]), (2, vec![1, 2, -2, -3, i32::MIN])]);
}

#[tokio::test]
async fn rows_take_turns_where_any_shard_will_do() {
    let sharding = sharding(Some("rand()"), &[0], &[1, 3]).unwrap();
    let rows =
        RecordBatch::try_from_iter([("id", Arc::new(Int32Array::from_iter_values(0..400)) as ArrayRef)]).unwrap();
    let parts = Router::new(&sharding, 5).unwrap().split(&rows).await.unwrap();
    let sizes: Vec<(usize, usize)> = parts.iter().map(|(shard, rows)| (*shard, rows.num_rows())).collect();
    assert_eq!(sizes, [(0, 100), (1, 300)]);
}

#[test]
fn keys_that_are_null_or_no_numbers_are_refused() {
    let null: ArrayRef = Arc::new(UInt64Array::from(vec![Some(1), None]));
    assert!(numbers(&null).unwrap_err().to_string().contains("null"));
    let text: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["a"]));
    assert!(numbers(&text).unwrap_err().to_string().contains("Utf8"));
}

#[test]
fn keys_are_those_of_their_rows_in_whatever_order_they_come() {
    let batch = |keys: Vec<i32>, rows: Vec<u32>| {
        let keys: ArrayRef = Arc::new(Int32Array::from(keys));
        let rows: ArrayRef = Arc::new(UInt32Array::from(rows));
        RecordBatch::try_from_iter([("key", keys), (ROW, rows)])
    };
    let answer = || [batch(vec![30, 10], vec![2, 0]), batch(vec![20], vec![1])].into_iter();
    let answer = || answer().map(|batch| batch.map_err(engine));
    assert_eq!(placed(answer(), 3).unwrap(), [10, 20, 30]);
    assert!(placed(answer(), 4).unwrap_err().to_string().contains("no sharding key"));
    assert!(placed(answer(), 2).unwrap_err().to_string().contains("not sent"));
}
