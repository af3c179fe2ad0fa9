//! Sessions: each row opens a window from its moment to that plus a gap; those that touch are one.
//!
//! Merging is written with window functions over the rows of a group, so that it runs wherever they do.

use super::{SESSION, column};
use crate::spec::{
    Expr, ExprKind, FrameBound, Function, Literal, Relation, RelationKind, SortOrder, WindowFrame, WindowRef,
    WindowSpec,
};

/// Hidden columns; no identifier has a line break without quotes.
const REACHED: &str = "session_window\nreached";
const NUMBER: &str = "session_window\nnumber";

fn with(input: Relation, name: &str, expr: Expr) -> Relation {
    let origin = input.origin.clone();
    let named = ExprKind::Alias { expr, names: vec![name.to_string()], metadata: None };
    let kind = RelationKind::WithColumns { input, columns: vec![named.into()] };
    Relation { kind: Box::new(kind), plan_id: None, origin }
}

fn text(value: &str) -> Expr {
    ExprKind::Literal(Literal::String(value.to_string())).into()
}

fn field(name: &str) -> Expr {
    ExprKind::ExtractValue { child: column(SESSION), key: text(name), dotted: true }.into()
}

fn number(value: i32) -> Expr {
    ExprKind::Literal(Literal::Integer(value)).into()
}

fn pair(start: Expr, end: Expr) -> Expr {
    Expr::call("named_struct", vec![text("start"), start, text("end"), end])
}

/// Every row with the window it opens; those without moment or length go.
pub(super) fn single(input: &Relation, function: &Function) -> Relation {
    let [time, gap] = function.args.as_slice() else { return input.clone() };
    let time = Expr::call("spark_session_time", vec![time.clone()]);
    let gap = Expr::call("spark_session_gap", vec![gap.clone()]);
    let opened = with(input.clone(), SESSION, pair(time.clone(), Expr::call("+", vec![time, gap])));
    let origin = opened.origin.clone();
    let condition = Expr::call(">", vec![field("end"), field("start")]);
    Relation { kind: Box::new(RelationKind::Filter { input: opened, condition }), plan_id: None, origin }
}

/// `function(argument) OVER (PARTITION BY keys ORDER BY start ROWS ..)`, or over the whole partition.
fn over(function: &str, argument: Expr, keys: &[Expr], frame: Option<FrameBound>) -> Expr {
    let start = SortOrder { expr: field("start"), ascending: true, nulls_first: true };
    let spec = WindowSpec {
        base: None,
        partition_by: keys.to_vec(),
        order_by: if frame.is_some() { vec![start] } else { vec![] },
        frame: frame.map(|upper| WindowFrame { rows: true, lower: FrameBound::UnboundedPreceding, upper }),
    };
    ExprKind::Window { function: Expr::call(function, vec![argument]), window: WindowRef::Spec(spec) }.into()
}

/// Every row with the session it belongs to among those of its group.
pub(super) fn merged(input: &Relation, function: &Function, keys: &[Expr]) -> Relation {
    let rows = single(input, function);
    let before = Expr::call("negative", vec![number(1)]);
    let rows = with(rows, REACHED, over("max", field("end"), keys, Some(FrameBound::Offset(before))));
    let apart = Expr::call("<=", vec![field("start"), column(REACHED)]);
    let opens = Expr::call("when", vec![apart, number(0), number(1)]);
    let rows = with(rows, NUMBER, over("sum", opens, keys, Some(FrameBound::CurrentRow)));
    let mut session = keys.to_vec();
    session.push(column(NUMBER));
    let bounds = pair(over("min", field("start"), &session, None), over("max", field("end"), &session, None));
    with(rows, SESSION, bounds)
}
