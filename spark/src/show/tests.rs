//! Tests of `show`, through its own door.
use super::*;

fn table(more: bool, truncate: usize) -> Table {
    let rows = vec![vec!["1".into(), "a long text of many characters".into()], vec!["NULL".into(), "x\ty".into()]];
    Table::new(&["id".into(), "text".into()], rows, more, truncate)
}

#[test]
fn draws_a_table() {
    let text = table(true, 20).horizontal(20);
    assert_eq!(
        text,
        "+----+--------------------+\n|  id|                text|\n+----+--------------------+\n\
         |   1|a long text of ma...|\n|NULL|                x\\ty|\n+----+--------------------+\nonly showing top 2 rows"
    );
}

#[test]
fn no_columns_and_no_rows() {
    assert_eq!(Table::default().horizontal(20), "++\n||\n++\n++\n");
    assert_eq!(Table::default().vertical(), "(0 rows)");
}

#[test]
fn vertical_and_wide_characters() {
    let table = Table::new(&["a".into()], vec![vec!["日本".into()]], false, 20);
    assert_eq!(table.vertical(), "-RECORD 0---\n a   | 日本 \n");
    assert_eq!(table.horizontal(0), "+----+\n|a   |\n+----+\n|日本|\n+----+\n");
}
