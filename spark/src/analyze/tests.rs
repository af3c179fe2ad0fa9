//! Queries through parser, analyzer and DataFusion in this process: names, types, rows, error conditions.

mod harness;

use harness::{check, fails};

#[tokio::test]
async fn names_of_operators() {
    check(
        "select 1+2, 1 + 2 * 3, -(1), not true, 'a' || 'b', 1/2, 7 div 2, 7 % 3, 1=1, 1<=>null, 1 != 2, 1 in (1,2), 'a' like 'b', 1 between 0 and 2, null is null",
        &[
            "(1 + 2):int", "(1 + (2 * 3)):int", "(- 1):int", "(NOT true):boolean", "concat(a, b):string", "(1 / 2):double",
            "(7 div 2):bigint", "(7 % 3):int", "(1 = 1):boolean", "(1 <=> NULL):boolean", "(NOT (1 = 2)):boolean",
            "(1 IN (1, 2)):boolean", "a LIKE b:boolean", "between(1, 0, 2):boolean", "(NULL IS NULL):boolean",
        ],
        &["3|7|-1|false|ab|0.5|3|1|true|false|true|true|false|true|true"],
    )
    .await;
}

#[tokio::test]
async fn aggregates() {
    check(
        "select count(*), sum(a), avg(distinct a), max(a) filter (where a > 1), count(distinct a, b) from values (1, 2),(2, null),(2, 3) t(a, b)",
        &["count(1):bigint", "sum(a):bigint", "avg(DISTINCT a):double", "max(a) FILTER (WHERE (a > 1)):int", "count(DISTINCT a, b):bigint"],
        &["3|5|1.5|2|2"],
    )
    .await;
    check(
        "select a, sum(b) s from values (1, 2), (1, 3), (2, 5) t(a, b) group by a having sum(b) > 1 and s < 100 order by sum(b) desc, a",
        &["a:int", "s:bigint"],
        &["1|5", "2|5"],
    )
    .await;
    check(
        "select a+1 x, count(*) from values (1), (1), (2) t(a) group by 1 order by 2 desc",
        &["x:int", "count(1):bigint"],
        &["2|2", "3|1"],
    )
    .await;
    check(
        "select a+1, count(*) c from values (1), (1), (2) t(a) group by all order by all",
        &["(a + 1):int", "c:bigint"],
        &["2|2", "3|1"],
    )
    .await;
    fails("select a, b, sum(c) from values (1,2,3) t(a,b,c) group by a", "MISSING_AGGREGATION").await;
    fails("select a, sum(b) from values (1,2) t(a,b)", "MISSING_GROUP_BY").await;
    fails("select sum(sum(a)) from values (1) t(a)", "NESTED_AGGREGATE_FUNCTION").await;
}

#[tokio::test]
async fn grouping_sets() {
    check(
        "select a, b, grouping(a), grouping_id(), sum(c) from values ('x','y',1),('x','z',2) t(a,b,c) group by rollup(a,b) order by 4, b",
        &["a:string", "b:string", "grouping(a):tinyint", "grouping_id():bigint", "sum(c):bigint"],
        &["x|y|0|0|1", "x|z|0|0|2", "x|NULL|0|1|3", "NULL|NULL|1|3|3"],
    )
    .await;
    check(
        "select a + 1 as k, sum(a) from values (1),(2) t(a) group by cube(a + 1) order by k nulls last",
        &["k:int", "sum(a):bigint"],
        &["2|1", "3|2", "NULL|3"],
    )
    .await;
}

#[tokio::test]
async fn scoping() {
    check("select 1 as a, a + 1 as b, b * 2 as c", &["a:int", "b:int", "c:int"], &["1|2|4"]).await;
    check("select A from (select 1 a)", &["A:int"], &["1"]).await;
    check("select 1 as x, 2 as x", &["x:int", "x:int"], &["1|2"]).await;
    fails("select x from (select 1 as x, 2 as x)", "AMBIGUOUS_REFERENCE").await;
    fails("select b from (select 1 a)", "UNRESOLVED_COLUMN.WITH_SUGGESTION").await;
    fails("select * from nowhere", "TABLE_OR_VIEW_NOT_FOUND").await;
    fails("select no_such_function(1)", "UNRESOLVED_ROUTINE").await;
    check(
        "select s.a, s.b.c from (select named_struct('a', 1, 'b', named_struct('c', 2)) s)",
        &["a:int", "c:int"],
        &["1|2"],
    )
    .await;
    check("select * except (b) from values (1,2,3) t(a,b,c)", &["a:int", "c:int"], &["1|3"]).await;
    check("select t.*, 1 from values (1,2) t(a,b)", &["a:int", "b:int", "1:int"], &["1|2|1"]).await;
}

#[tokio::test]
async fn joins() {
    let two = "values (1,'a'),(2,'b') l(id,x)";
    let other = "values (2,'c'),(3,'d') r(id,y)";
    check(&format!("select * from {two} join {other} using (id)"), &["id:int", "x:string", "y:string"], &["2|b|c"])
        .await;
    check(
        &format!("select * from {two} natural full join {other} order by id"),
        &["id:int", "x:string", "y:string"],
        &["1|a|NULL", "2|b|c", "3|NULL|d"],
    )
    .await;
    check(
        &format!("select l.id, r.id from {two} left join {other} on l.id = r.id order by 1"),
        &["id:int", "id:int"],
        &["1|NULL", "2|2"],
    )
    .await;
    check(&format!("select * from {two} left anti join {other} on l.id = r.id"), &["id:int", "x:string"], &["1|a"])
        .await;
    check(
        "select * from values (1),(2) a(x), lateral (select a.x + 1 as y) order by 1",
        &["x:int", "y:int"],
        &["1|2", "2|3"],
    )
    .await;
}

#[tokio::test]
async fn subqueries() {
    check(
        "select (select max(a) from values (1),(2) t(a)), exists(select 1)",
        &["scalarsubquery():int", "exists():boolean"],
        &["2|true"],
    )
    .await;
    check(
        "select a from values (1),(2),(3) t(a) where a in (select b from values (2),(3) u(b)) order by a",
        &["a:int"],
        &["2", "3"],
    )
    .await;
    check("select a from values (1),(2) t(a) where a not in (select b from values (2),(null) u(b))", &["a:int"], &[])
        .await;
    check("select a from values (1),(null) t(a) where a not in (select b from values (2) u(b))", &["a:int"], &["1"])
        .await;
    check(
        "select a, (select sum(c) from values (1,10),(1,20) u(b,c) where b = a) s from values (1),(2) t(a) order by a",
        &["a:int", "s:bigint"],
        &["1|30", "2|NULL"],
    )
    .await;
    check(
        "select a from values (1),(2) t(a) where exists (select 1 from values (2) u(b) where b = a)",
        &["a:int"],
        &["2"],
    )
    .await;
}

#[tokio::test]
async fn subqueries_as_values() {
    check(
        "select a, a in (select b from values (1),(null) u(b)), exists(select 1 from values (2) v(c) where c = a) from values (1),(2) t(a) order by a",
        &["a:int", "(a IN (listquery())):boolean", "exists(a):boolean"],
        // What is unknown is false: Spark computes IN outside of filters as an existence join.
        &["1|true|false", "2|false|true"],
    )
    .await;
    check(
        "select a from values (1),(2) t(a) where a = 5 or a not in (select b from values (1),(null) u(b))",
        &["a:int"],
        &[],
    )
    .await;
    check("select a from values (1),(2) t(a) where a = 2 or a in (select 1) order by a", &["a:int"], &["1", "2"]).await;
}

#[tokio::test]
async fn subqueries_of_any_shape() {
    check(
        "select a, (select count(*) from values (1),(5) u(x) where x > a) c from values (1),(7) t(a) order by a",
        &["a:int", "c:bigint"],
        &["1|1", "7|0"],
    )
    .await;
    check(
        "select a, (select x from values (3),(4) u(x) where x > a order by x desc limit 1) m from values (1),(9) t(a) order by a",
        &["a:int", "m:int"],
        &["1|4", "9|NULL"],
    )
    .await;
    check(
        "select a, s from values (1),(2) t(a), lateral (select sum(x) s from values (1),(5) u(x) where x > a) order by a",
        &["a:int", "s:bigint"],
        &["1|5", "2|5"],
    )
    .await;
    check("select 1 from (select 1 z, min(x) m from values (1) t(x) where false) b where z != z", &["1:int"], &[])
        .await;
}

#[tokio::test]
async fn recursion() {
    check(
        "with recursive r(n) as (values 0 union all select n + 1 from r where n < 3) select n from r",
        &["n:int"],
        &["0", "1", "2", "3"],
    )
    .await;
    let endless = "with recursive r(n) as (values 0 union all select n + 1 from r) select n from r";
    check(&format!("{endless} limit 2"), &["n:int"], &["0", "1"]).await;
    assert!(harness::run(endless).await.unwrap_err().contains("RECURSION_LEVEL_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn set_operations() {
    check("select 1 union all select 2.5 order by 1", &["1:decimal(11,1)"], &["1.0", "2.5"]).await;
    check(
        "select a from values (1),(1),(2) t(a) intersect all select a from values (1),(1),(3) t(a)",
        &["a:int"],
        &["1", "1"],
    )
    .await;
    check("select a from values (1),(1),(2) t(a) except select 2", &["a:int"], &["1"]).await;
    check("select a from values (1),(1),(2) t(a) except all select 1", &["a:int"], &["1", "2"]).await;
    fails("select 1 union select 1, 2", "NUM_COLUMNS_MISMATCH").await;
    fails("select array(1) union select 1", "INCOMPATIBLE_COLUMN_TYPE").await;
}

#[tokio::test]
async fn windows() {
    check(
        "select row_number() over (order by a), sum(a) over (partition by b order by a rows between 1 preceding and current row) from values (1,2) t(a,b)",
        &[
            "row_number() OVER (ORDER BY a ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW):int",
            "sum(a) OVER (PARTITION BY b ORDER BY a ASC NULLS FIRST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW):bigint",
        ],
        &["1|1"],
    )
    .await;
    check(
        "select a, sum(sum(b)) over (order by a) r from values (1,1),(1,2),(2,3) t(a,b) group by a qualify r > 3",
        &["a:int", "r:bigint"],
        &["2|6"],
    )
    .await;
}

#[tokio::test]
async fn generators() {
    check("select explode(array(1,2)), 'x'", &["col:int", "x:string"], &["1|x", "2|x"]).await;
    check("select posexplode(array('a','b'))", &["pos:int", "col:string"], &["0|a", "1|b"]).await;
    check("select explode(map('a', 1))", &["key:string", "value:int"], &["a|1"]).await;
    check("select inline(array(struct(1,'a'), struct(2,'b')))", &["col1:int", "col2:string"], &["1|a", "2|b"]).await;
    check("select stack(2,1,2,3)", &["col0:int", "col1:int"], &["1|2", "3|NULL"]).await;
    check(
        "select a, c from values (1, array(10,20)), (2, array()) t(a, b) lateral view outer explode(b) e as c order by 1, 2",
        &["a:int", "c:int"],
        &["1|10", "1|20", "2|NULL"],
    )
    .await;
}

#[tokio::test]
async fn common_tables() {
    check("with t as (select 1 a), u as (select a + 1 b from t) select * from t, u", &["a:int", "b:int"], &["1|2"])
        .await;
    check(
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select * from r order by n",
        &["n:int"],
        &["1", "2", "3"],
    )
    .await;
}

#[tokio::test]
async fn pivots() {
    check(
        "select * from values ('x','a',1),('x','b',2),('y','a',3) t(k,p,v) pivot (sum(v) for p in ('a','b')) order by k",
        &["k:string", "a:bigint", "b:bigint"],
        &["x|1|2", "y|3|NULL"],
    )
    .await;
    check(
        "select * from values (1,10,20) t(id,a,b) unpivot (v for n in (a,b)) order by n",
        &["id:int", "n:string", "v:int"],
        &["1|a|10", "1|b|20"],
    )
    .await;
}

#[tokio::test]
async fn names_that_hide_each_other() {
    check("select a, a from values (2),(1) t(a) order by a", &["a:int", "a:int"], &["1|1", "2|2"]).await;
    check("select 1 from range(10) having true", &["1:int"], &["1"]).await;
    check("select 'a' as c from values (named_struct('f', 1)) t(c) group by c order by c.f", &["c:string"], &["a"])
        .await;
    check(
        "select named_struct('f', 1) as c from values (named_struct('f', 0)) t(c) group by c having c.f > 0",
        &["c:struct<f:int>"],
        &[],
    )
    .await;
    check("select upper(s.a) from (select named_struct('a', 'x') s)", &["upper(s.a):string"], &["X"]).await;
}

#[tokio::test]
async fn escapes_and_quantifiers() {
    check("select 'a%b' like 'a#%b' escape '#'", &["a%b LIKE a#%b ESCAPE '#':boolean"], &["true"]).await;
    check("select 'axb' like 'a#%b' escape '#' as r", &["r:boolean"], &["false"]).await;
    check(
        "select a from values ('x'),('y') t(a) where a not like any ('x', 'y') order by a",
        &["a:string"],
        &["x", "y"],
    )
    .await;
    check(
        "select (1, 2) in (select 1, 2) as m, (1, null) in (select 1, 2) as n",
        &["m:boolean", "n:boolean"],
        // Outside a filter Spark's IN over a subquery is an existence join: no NULL.
        &["true|false"],
    )
    .await;
}

#[tokio::test]
async fn definitions_in_definitions_are_resolved_once() {
    // Resolved twice for each level, this would take until the end of days.
    for with in ["WITH", "WITH RECURSIVE"] {
        let nested = (0..60)
            .fold("SELECT 1 AS x".to_string(), |query, _| format!("{with} c AS ({query}) SELECT x + 1 AS x FROM c"));
        check(&nested, &["x:int"], &["61"]).await;
    }
    check(
        "with c as (select rand(1) > -1 as x) select a.x, b.x, (select count(*) from c) from c a join c b on a.x = b.x",
        &["x:boolean", "x:boolean", "scalarsubquery():bigint"],
        &["true|true|1"],
    )
    .await;
    fails("with c as (select nothing) select 1", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION").await;
}
