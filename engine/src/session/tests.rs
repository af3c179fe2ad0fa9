//! Sums, averages and counts, through a session. Facts from Spark 4.3.

use datafusion::physical_plan::displayable;
use firesteel_functions::SparkError;

use super::*;

async fn context(rows: &str, types: &str) -> Arc<SessionContext> {
    let recipe = SessionRecipe::new(EngineConfig::default()).unwrap();
    let context = recipe.context(SessionOverrides::default()).unwrap();
    let table = format!("create table t as select g, arrow_cast(x, '{types}') as x from (values {rows}) v(g, x)");
    context.sql(&table).await.unwrap().collect().await.unwrap();
    context
}

async fn rows(context: &SessionContext, query: &str) -> Result<Vec<String>> {
    let batches = context.sql(query).await?.collect().await?;
    let shown = arrow::util::pretty::pretty_format_batches(&batches)?.to_string();
    Ok(shown.lines().skip(3).filter(|line| line.starts_with('|')).map(|line| line.replace(' ', "")).collect())
}

#[tokio::test]
async fn nulls_and_filtered_rows_do_not_count() {
    let context = context("(1, 1.5), (1, null), (1, 2.25), (2, null), (3, -0.01)", "Decimal128(5, 2)").await;
    let query = "select g, sum(x), avg(x), sum(x) filter (where x < 2), avg(x) filter (where x > 2) from t group by g order by g";
    let expected = ["|1|3.75|1.875000|1.50|2.250000|", "|2|||||", "|3|-0.01|-0.010000|-0.01||"];
    assert_eq!(rows(&context, query).await.unwrap(), expected);
    let all = rows(&context, "select sum(x), avg(x), count(x), count(*) from t").await.unwrap();
    assert_eq!(all, ["|3.74|1.246667|3|5|"]);
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_a_null_or_wraps() {
    let nines = "99999999999999999999999999999999999999";
    let values = format!("(1, '{nines}'), (1, '{nines}'), (2, '1')");
    let decimals = context(&values, "Decimal128(38, 0)").await;
    let longs = context("(1, 9223372036854775807), (1, 1), (2, 1)", "Int64").await;
    for (context, call) in [(&decimals, "sum"), (&decimals, "avg"), (&longs, "sum")] {
        let error = rows(context, &format!("select g, {call}(x) from t group by g")).await.unwrap_err();
        assert_eq!(SparkError::recover(&error).unwrap().condition(), "ARITHMETIC_OVERFLOW", "{call}");
    }
    for (context, call, first, second) in [
        (&decimals, "try_sum", "", "1"),
        (&decimals, "sum__legacy", "", "1"),
        (&decimals, "try_avg", "", "1.0000"),
        (&longs, "try_sum", "", "1"),
        (&longs, "sum__legacy", "-9223372036854775808", "1"),
    ] {
        let found = rows(context, &format!("select g, {call}(x) from t group by g order by g")).await.unwrap();
        assert_eq!(found, [format!("|1|{first}|"), format!("|2|{second}|")], "{call}");
    }
}

#[tokio::test]
async fn rows_that_are_counted_elsewhere_are_not_read() {
    let context = context("(1, 1), (2, null)", "Int64").await;
    let plan = context.sql("select count(*) from t").await.unwrap().create_physical_plan().await.unwrap();
    let plan = displayable(plan.as_ref()).indent(false).to_string();
    assert!(!plan.contains("DataSourceExec"), "{plan}");
    assert_eq!(rows(&context, "select count(*) from t").await.unwrap(), ["|2|"]);
}
