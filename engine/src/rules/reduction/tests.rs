//! That reduced plans answer as before, and that rows which must stay stay.

use arrow::util::pretty::pretty_format_batches;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use tempfile::TempDir;

use super::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, fewest_rows: 1000, stages: true };

/// `lines` has 20,000 rows of 3,000 orders, each order one of 30 days and one of 100 customers, in two files each.
async fn tables(folder: &TempDir) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2);
    let options = config.options_mut();
    options.optimizer.hash_join_single_partition_threshold = 0;
    options.optimizer.hash_join_single_partition_threshold_rows = 0;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_round_robin_repartition = false;
    let context = SessionContext::new_with_config(config);
    for (name, rows) in [
        ("lines", "select value % 3000 as o, value as price from generate_series(1, 20000)"),
        ("orders", "select value as id, value % 30 as day, value % 100 as c from generate_series(0, 2999)"),
    ] {
        let path = folder.path().join(name).to_string_lossy().into_owned();
        for half in 0..2 {
            let copy = format!("copy ({rows} where value % 2 = {half}) to '{path}/{half}.parquet'");
            context.sql(&copy).await.unwrap().collect().await.unwrap();
        }
        context.register_parquet(name, &path, ParquetReadOptions::default()).await.unwrap();
    }
    context
}

async fn rows(context: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
    // An exchange that is in the plan twice cannot run as one.
    let apart = plan.transform_up(|node| {
        if let Some(filter) = node.downcast_ref::<KeyFilterExec>() {
            let keys = Arc::new(CoalescePartitionsExec::new(Arc::clone(filter.keys())));
            let input = Arc::clone(filter.input());
            return Ok(Transformed::yes(replace_children_if_necessary(node, vec![keys, input])?));
        }
        match node.downcast_ref::<RepartitionExec>() {
            Some(exchange) => {
                let apart = RepartitionExec::try_new(Arc::clone(exchange.input()), exchange.partitioning().clone())?;
                Ok(Transformed::yes(Arc::new(apart) as Arc<dyn ExecutionPlan>))
            }
            None => Ok(Transformed::no(node)),
        }
    });
    let plan = apart.unwrap().data;
    let batches = collect(plan, context.task_ctx()).await.unwrap();
    let mut rows: Vec<String> =
        pretty_format_batches(&batches).unwrap().to_string().lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// Whether no scan is in a plan twice: its partitions share what is left to read, so the second would find nothing.
fn scans_are_apart(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut apart = true;
    plan.apply(|node| {
        apart &= !node.children().is_empty() || seen.insert(Arc::as_ptr(node).cast::<()>().addr());
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    apart
}

/// How often a query is reduced; its rows must be the same.
async fn reductions(sql: &str) -> (usize, String) {
    reductions_within(sql, LIMITS).await
}

async fn reductions_within(sql: &str, limits: Limits) -> (usize, String) {
    let folder = tempfile::tempdir().unwrap();
    let context = tables(&folder).await;
    let plan = async || context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    let reduced = reduce(plan().await, limits).unwrap();
    let text = displayable(reduced.as_ref()).indent(false).to_string();
    if !limits.stages {
        assert!(scans_are_apart(&reduced), "{text}");
    }
    assert_eq!(rows(&context, plan().await).await, rows(&context, reduced).await, "{text}");
    (text.matches("CollectLeft, join_type=RightSemi").count() + text.matches("KeyFilterExec").count(), text)
}

#[tokio::test]
async fn the_larger_side_of_a_join_loses_what_the_filter_of_the_other_drops() {
    let (count, plan) = reductions("select id, c, price from orders join lines on id = o where day = 7").await;
    assert_eq!(count, 1, "{plan}");
    let (count, plan) = reductions("select id, c, price from lines left join orders on id = o and day = 7").await;
    assert_eq!(count, 0, "the rows of a preserved side stay: {plan}");
    let (count, plan) = reductions(
        "select id from orders where day = 7 and not exists (select 1 from lines where o = id and price > 9000)",
    )
    .await;
    assert_eq!(count, 1, "{plan}");
    let (count, plan) =
        reductions("select o, price from lines where not exists (select 1 from orders where o = id and day = 7)").await;
    assert_eq!(count, 0, "{plan}");
    let (count, plan) =
        reductions("select id, price from orders full join lines on id = o where day = 7 or day is null").await;
    assert_eq!(count, 0, "{plan}");
}

#[tokio::test]
async fn groups_by_the_key_are_not_made_where_the_join_drops_them() {
    let sums = "select o, sum(price) as total, count(*) as n from lines group by o";
    let (count, plan) =
        reductions(&format!("select id, total, n from orders join ({sums}) s on id = o where day = 7")).await;
    let (filter, groups) = (plan.find("KeyFilterExec").unwrap(), plan.find("mode=Partial").unwrap());
    assert!(count == 1 && groups < filter, "{plan}");
    // Of another column than the key, groups need all their rows.
    let by_price = "select max(o) as o, price % 10 as p from lines group by price % 10";
    let (count, plan) =
        reductions(&format!("select id, p from orders join ({by_price}) s on id = o where day = 7")).await;
    assert_eq!(count, 0, "{plan}");
}

#[tokio::test]
async fn in_one_process_joins_that_keep_a_side_are_reduced() {
    let limits = Limits { stages: false, ..LIMITS };
    let sums = "select o, sum(price) as total from lines group by o";
    for (join, wanted) in [("left join", 1), ("join", 0)] {
        let sql = format!("select id, total from (select * from orders where day = 7) f {join} ({sums}) s on id = o");
        let (count, plan) = reductions_within(&sql, limits).await;
        assert_eq!(count, wanted, "{plan}");
    }
}

#[tokio::test]
async fn a_filter_that_keeps_most_or_may_differ_the_next_time_reduces_nothing() {
    for filter in ["day < 25", "random() < 0.1"] {
        let sql = format!("select count(*) > 0 from orders join lines on id = o where {filter}");
        let (count, plan) = reductions(&sql).await;
        assert_eq!(count, 0, "{plan}");
    }
    let some = "(select id from orders where day = 7 limit 20) l";
    let (count, plan) = reductions(&format!("select count(*) from {some} join lines on id = o")).await;
    assert_eq!(count, 0, "{plan}");
}

#[tokio::test]
async fn rows_are_dropped_below_joins_that_keep_the_key() {
    let sql = "select a.o, a.price, b.price from lines a join lines b on a.price = b.price
        join orders on a.o = id where day = 7";
    let (count, plan) = reductions(sql).await;
    let inner = plan.rfind("join_type=Inner").unwrap();
    assert!(count > 0 && inner < plan.find("KeyFilterExec").unwrap(), "{plan}");
    let outer = "select b.o, a.price, b.price from lines a left join lines b on a.price = b.price
        join orders on b.o = id where day = 7 or b.o is null";
    let (count, plan) = reductions(outer).await;
    assert_eq!(count, 0, "{plan}");
}

#[tokio::test]
async fn a_number_that_depends_on_the_rows_before_is_not_passed() {
    let drawn = "select o, price, random() < 2 as r from lines";
    let sql = format!(
        "select id, r, a.price from orders join ({drawn}) a on id = o join lines b on a.price = b.price where day = 7"
    );
    let (count, plan) = reductions(&sql).await;
    assert_eq!(count, 0, "{plan}");
}

#[tokio::test]
async fn a_side_that_travels_itself_gives_the_keys_of_its_exchange() {
    let few = "select id from orders join lines on id = o where day = 7 and c < 10 and price < 9000";
    let sql = format!(
        "select o, price from ({few}) join lines on id = o where exists (select 1 from lines x where x.o = id)"
    );
    let (count, plan) = reductions(&sql).await;
    let line = |(at, _): (usize, &str)| plan[at..].lines().nth(1).map(str::trim);
    let mut keys = plan.match_indices("KeyFilterExec").filter_map(line);
    assert!(count >= 2 && keys.any(|line| line.starts_with("RepartitionExec")), "{plan}");
}

#[tokio::test]
async fn what_a_having_leaves_may_be_few() {
    let having = "select o from lines group by o having sum(price) > 60000";
    let sql = format!(
        "select s.id, price from (select id, c from orders where id in ({having})) s
            join orders k on s.c = k.id join lines on s.id = o"
    );
    let (count, plan) = reductions(&sql).await;
    let filter = plan.find("KeyFilterExec: key=id, column=o");
    assert!(count >= 1 && filter.is_some_and(|at| plan[at..].contains("FilterExec: sum(lines.price)")), "{plan}");
    let all = sql.replace("having sum(price) > 60000", "");
    let (_, plan) = reductions(&all).await;
    assert!(!plan.contains("KeyFilterExec"), "nothing says that these are few: {plan}");
}
