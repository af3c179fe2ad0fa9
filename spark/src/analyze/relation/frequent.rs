//! `freqItems`: the values of a column that more than a part of its rows have, and perhaps others.
//!
//! Spark keeps `1 / support` counters while it reads, and answers with the values they stand for at the end. So it answers with all
//! values when there are not more than that, else with those above the support and whatever the order of rows left. Here the
//! values are counted, and the second answer has nothing but the frequent ones.

use firesteel_functions::SparkResult;

use super::{Env, Resolved};
use crate::analyze::{Analyzer, errors};
use crate::spec::{
    Expr, ExprKind, Function, GroupBy, GroupingElement, Join, JoinCondition, JoinType, Literal, Relation, RelationKind,
    WindowRef, WindowSpec,
};

const SUPPORT: f64 = 0.01;

impl Analyzer<'_> {
    /// One row with an array for each column.
    pub(super) fn frequent_items(
        &self,
        input: &Relation,
        columns: &[String],
        support: Option<f64>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let support = support.unwrap_or(SUPPORT);
        if !(1e-4..=1.0).contains(&support) {
            return Err(errors::requirement(&format!("Support must be in [1e-4, 1], but got {support}.")));
        }
        let counters = (1.0 / support) as i64;
        let answers = columns.iter().map(|column| frequent(input, column, counters));
        let joined = answers.reduce(|left, right| {
            RelationKind::Join(Join {
                left,
                right,
                join_type: JoinType::Cross,
                condition: JoinCondition::None,
                lateral: false,
            })
            .into()
        });
        self.relation(&joined.unwrap_or_else(|| RelationKind::OneRow.into()), env)
    }
}

fn frequent(input: &Relation, column: &str, counters: i64) -> Relation {
    const ITEM: &str = "item";
    const COUNT: &str = "count";
    const ROWS: &str = "rows";
    const KINDS: &str = "kinds";
    let item =
        alias(ExprKind::Attribute { name: vec![column.to_string()], plan_id: None, is_metadata: false }.into(), ITEM);
    let items: Relation = RelationKind::Project { input: input.clone(), exprs: vec![item] }.into();
    let counted: Relation = RelationKind::Aggregate {
        input: items,
        group_by: GroupBy::Elements(vec![GroupingElement::Expr(named(ITEM))]),
        aggregates: vec![alias(count(), COUNT)],
        pivot: None,
    }
    .into();
    let over_all = |function: Expr| -> Expr {
        ExprKind::Window { function, window: WindowRef::Spec(WindowSpec::default()) }.into()
    };
    let compared: Relation = RelationKind::Project {
        input: counted,
        exprs: vec![
            named(ITEM),
            named(COUNT),
            alias(over_all(Expr::call("sum", vec![named(COUNT)])), ROWS),
            alias(over_all(count()), KINDS),
        ],
    }
    .into();
    let few = Expr::call("<=", vec![named(KINDS), long(counters)]);
    let frequent = Expr::call(">", vec![Expr::call("*", vec![named(COUNT), long(counters + 1)]), named(ROWS)]);
    let kept = RelationKind::Filter { input: compared, condition: Expr::call("or", vec![few, frequent]) }.into();
    // A list passes over nulls, which are values here, but not over structs of them.
    let list = ExprKind::Function(Function::new(
        vec!["collect_list".to_string()],
        vec![Expr::call("struct", vec![named(ITEM)])],
    ));
    let field = ExprKind::Literal(Literal::String(ITEM.to_string())).into();
    let values = ExprKind::ExtractValue { child: list.into(), key: field, dotted: true }.into();
    RelationKind::Aggregate {
        input: kept,
        group_by: GroupBy::Elements(vec![]),
        aggregates: vec![alias(values, &format!("{column}_freqItems"))],
        pivot: None,
    }
    .into()
}

fn named(name: &str) -> Expr {
    ExprKind::Attribute { name: vec![name.to_string()], plan_id: None, is_metadata: false }.into()
}

fn alias(expr: Expr, name: &str) -> Expr {
    ExprKind::Alias { expr, names: vec![name.to_string()], metadata: None }.into()
}

fn count() -> Expr {
    Expr::call("count", vec![ExprKind::Literal(Literal::Integer(1)).into()])
}

fn long(value: i64) -> Expr {
    ExprKind::Literal(Literal::Long(value)).into()
}
