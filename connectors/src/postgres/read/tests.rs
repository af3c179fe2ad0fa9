//! Against a real server named by `FIRESTEEL_TEST_POSTGRES` (a JDBC URL).

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;

use super::*;

#[tokio::test]
async fn every_common_type_is_read() {
    let Ok(url) = std::env::var("FIRESTEEL_TEST_POSTGRES") else {
        return eprintln!("skipped: FIRESTEEL_TEST_POSTGRES names no server");
    };
    let query = "SELECT true AS b, 1::int2 AS i2, -2 AS i4, 3::int8 AS i8, 1.5::float8 AS f, \
                 '-1234.5678'::numeric(12,3) AS n, 0.00012345::numeric AS m, 'x'::varchar(3) AS \"T\", \
                 '2020-01-01'::date AS d, '2020-01-01 10:00+02'::timestamptz AS z, ARRAY[1,2] AS a, \
                 '{\"k\": 1}'::jsonb AS j, NULL::int AS e, 'infinity'::date AS inf FROM generate_series(1, 3)";
    let options = BTreeMap::from([("url".to_owned(), url), ("query".to_owned(), query.to_owned())]);
    let table = PostgresTable::open(JdbcOptions::from_options(&options).unwrap(), &[], &[]).await.unwrap();
    let context = SessionContext::new();
    context.register_table("t", Arc::new(table)).unwrap();
    let rows = context.sql("SELECT * FROM t LIMIT 1").await.unwrap().collect().await.unwrap();
    let text = pretty_format_batches(&rows).unwrap().to_string();
    let values = text.lines().nth(3).unwrap().split('|').map(str::trim).collect::<Vec<_>>().join("|");
    assert_eq!(
        values,
        "|true|1|-2|3|1.5|-1234.568|0.000123450000000000|x|2020-01-01|2020-01-01T08:00:00Z|[1, 2]|{\"k\": 1}||9999-12-31|"
    );
    let rows = context.sql("SELECT count(*) AS n FROM t").await.unwrap().collect().await.unwrap();
    assert!(pretty_format_batches(&rows).unwrap().to_string().contains("| 3 |"));
}
