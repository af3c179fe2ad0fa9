//! That deep expressions get short names inside, keep their own, and mean what they meant.

use datafusion::functions::expr_fn::abs;
use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

use super::*;

fn nest(depth: usize, inner: Expr) -> Expr {
    (0..depth).fold(inner, |expr, _| abs(expr))
}

fn analyzed(exprs: Vec<Expr>) -> LogicalPlan {
    let plan = LogicalPlanBuilder::empty(true).project([lit(-3_i64).alias("x")]).unwrap();
    let plan = plan.project(exprs).unwrap().build().unwrap();
    ShortNames.analyze(plan, &ConfigOptions::default()).unwrap()
}

#[test]
fn ordinary_expressions_stay_as_they_are() {
    let plan = analyzed(vec![nest(ORDINARY - 1, col("x"))]);
    let mut short = 0;
    plan.expressions()[0]
        .apply(|expr| {
            short += usize::from(matches!(expr, Expr::ScalarFunction(call) if call.func.inner().is::<short::Short>()));
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
    assert_eq!(short, 0);
}

#[test]
fn a_deep_expression_keeps_the_name_of_its_column_and_has_short_ones_inside() {
    let deep = nest(200, col("x"));
    let name = deep.schema_name().to_string();
    let plan = analyzed(vec![deep]);
    assert_eq!(plan.schema().field(0).name(), &name);
    let Expr::Alias(alias) = &plan.expressions()[0] else { panic!("{}", plan.expressions()[0]) };
    assert!(alias.expr.schema_name().to_string().len() < 120, "{}", alias.expr.schema_name());
}

#[test]
fn names_differ_where_expressions_do_and_nowhere_else() {
    let names: Vec<String> = [col("x"), lit(1_i64), col("x")]
        .map(|inner| shortened(nest(100, inner)).unwrap().data.schema_name().to_string())
        .to_vec();
    assert_ne!(names[0], names[1]);
    assert_eq!(names[0], names[2]);
}

#[tokio::test]
async fn a_sum_of_hundreds_of_columns_is_planned_at_once_and_right() {
    let context = datafusion::prelude::SessionContext::new();
    context.add_analyzer_rule(Arc::new(ShortNames));
    let plan = LogicalPlanBuilder::empty(true).project([lit(-3_i64).alias("x")]).unwrap();
    let deep = shortened(nest(400, col("x"))).unwrap().data;
    let plan = plan.project([deep.alias("y")]).unwrap().build().unwrap();
    let rows = context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
    assert_eq!(rows[0].column(0).as_ref(), &arrow::array::Int64Array::from(vec![3]) as &dyn arrow::array::Array);
}
