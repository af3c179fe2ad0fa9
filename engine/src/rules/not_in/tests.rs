//! That the plain plan answers as SQL does for every mix of nulls, and that what may differ the second time is left alone.

use datafusion::common::tree_node::TreeNode;
use datafusion::prelude::SessionContext;

use super::*;

async fn context() -> SessionContext {
    let context = SessionContext::new();
    context.add_optimizer_rule(Arc::new(PlainNotIn));
    for (name, values) in [
        ("some", "(1), (2), (3), (3)"),
        ("some_and_null", "(1), (2), (null), (3)"),
        ("others", "(2), (5), (2)"),
        ("others_and_null", "(2), (null)"),
        ("only_null", "(cast(null as bigint))"),
    ] {
        let table = format!("create table {name} as select cast(column1 as bigint) as v from (values {values})");
        context.sql(&table).await.unwrap().collect().await.unwrap();
    }
    context
}

/// Rows that are kept (null as -1), and whether the plan has a join that knows about nulls.
async fn kept(context: &SessionContext, from: &str, right: &str) -> (Vec<i64>, bool) {
    let sql = format!("select coalesce(v, -1) as v from {from} where v not in ({right}) order by v");
    let frame = context.sql(&sql).await.unwrap();
    let plan = frame.clone().into_optimized_plan().unwrap();
    let aware = plan.exists(|node| Ok(matches!(node, LogicalPlan::Join(join) if join.null_aware))).unwrap();
    let mut rows = Vec::new();
    for batch in frame.collect().await.unwrap() {
        let column = datafusion::common::cast::as_int64_array(batch.column(0)).unwrap().clone();
        rows.extend(column.values());
    }
    (rows, aware)
}

#[tokio::test]
async fn nulls_count_on_both_sides_as_in_sql() {
    let context = context().await;
    for (from, right, want) in [
        ("some", "select v from others", vec![1, 3, 3]),
        ("some_and_null", "select v from others", vec![1, 3]),
        ("some", "select v from others_and_null", vec![]),
        ("some_and_null", "select v from others_and_null where v is not null", vec![1, 3]),
        ("some_and_null", "select v from others where v > 100", vec![-1, 1, 2, 3]),
        ("some", "select v from only_null", vec![]),
        ("only_null", "select v from others", vec![]),
        ("some", "select v + 1 from others group by v", vec![1, 2]),
    ] {
        assert_eq!(kept(&context, from, right).await, (want, false), "{from} not in ({right})");
    }
}

#[tokio::test]
async fn one_inside_another_has_names_of_its_own() {
    let context = context().await;
    let right = "select v from others where v not in (select v from others where v = 5)";
    assert_eq!(kept(&context, "some", right).await, (vec![1, 3, 3], false));
}

#[tokio::test]
async fn rows_that_may_differ_the_second_time_are_read_once() {
    let context = context().await;
    for right in
        ["select v from others limit 1", "select v from others where random() < 2", "select first_value(v) from others"]
    {
        assert!(kept(&context, "some_and_null", right).await.1, "{right}");
    }
}
