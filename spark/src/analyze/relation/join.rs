//! Joins: conditions, `USING` and `NATURAL` with merged keys, semi and anti, lateral.

use std::sync::Arc;

use datafusion::common::{JoinType as PlanJoin, NullEquality};
use datafusion::logical_expr::{
    Expr, Join as JoinNode, JoinConstraint, LogicalPlan, LogicalPlanBuilder, Operator, Projection,
};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::errors::At;
use crate::analyze::expr::{Exprs, balanced, binary};
use crate::analyze::scope::{Attribute, Scope, same};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, Join, JoinCondition, JoinType, Relation, RelationKind};

impl Analyzer<'_> {
    /// A join.
    pub(super) fn join(&self, join: &Join, env: &Env) -> SparkResult<Resolved> {
        let left = self.relation(&join.left, env)?;
        if join.lateral {
            return self.lateral_join(left, join, env);
        }
        let right = self.relation(&join.right, env)?;
        match &join.condition {
            JoinCondition::None => self.join_on(left, right, join.join_type, None),
            JoinCondition::On(condition) => {
                let both = left.scope.clone().join(right.scope.clone());
                let typed = Exprs::new(self, env, &both).resolve(condition)?;
                let shown = typed.name.clone();
                let on = match typed.data_type {
                    firesteel_functions::types::DataType::Boolean | firesteel_functions::types::DataType::Null => {
                        self.condition(typed)?
                    }
                    ref other => {
                        return Err(SparkError::analysis(
                            "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                            &[
                                ("joinCondition", &errors::expression(&shown)),
                                ("conditionType", &errors::sql_type(other)),
                            ],
                        ))
                        .at(condition.origin.as_ref());
                    }
                };
                super::select::refuse(&on).at(condition.origin.as_ref())?;
                self.join_on(left, right, join.join_type, Some(on))
            }
            JoinCondition::Using(names) => self.join_using(left, right, join.join_type, names),
            JoinCondition::Natural => {
                let case = self.context.options.case_sensitive;
                let mut names: Vec<String> = Vec::new();
                for l in &left.scope.attributes {
                    let shared = right.scope.attributes.iter().any(|r| same(&l.name, &r.name, case));
                    if shared && !names.iter().any(|n| same(n, &l.name, case)) {
                        names.push(l.name.clone());
                    }
                }
                if names.is_empty() {
                    return self.join_on(left, right, join.join_type, None);
                }
                self.join_using(left, right, join.join_type, &names)
            }
        }
    }

    fn join_on(&self, left: Resolved, right: Resolved, join_type: JoinType, on: Option<Expr>) -> SparkResult<Resolved> {
        let plan = join_plan(left.plan, right.plan, join_type, on)?;
        Ok(Resolved::new(plan, joined(left.scope, right.scope, join_type)))
    }

    fn join_using(
        &self,
        left: Resolved,
        right: Resolved,
        join_type: JoinType,
        names: &[String],
    ) -> SparkResult<Resolved> {
        let mut conditions = Vec::new();
        let mut pairs: Vec<(Attribute, Attribute)> = Vec::new();
        for name in names {
            let (l, r) =
                (self.using_column(&left.scope, name, "left")?, self.using_column(&right.scope, name, "right")?);
            let none = Scope::default();
            let env = Env::root(self);
            let exprs = Exprs::new(self, &env, &none);
            let shown = format!("({} = {})", l.name, r.name);
            let (a, b) = exprs.same_type_of(Typed::attribute(&l), Typed::attribute(&r), &shown)?;
            conditions.push(binary(a.expr, Operator::Eq, b.expr));
            pairs.push((l, r));
        }
        let plan = join_plan(left.plan, right.plan, join_type, Some(balanced(conditions, Operator::And)))?;
        if matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti) {
            let keys: Vec<Attribute> = pairs.iter().map(|(l, _)| l.clone()).collect();
            let mut scope = joined(left.scope, right.scope, join_type);
            let rest: Vec<Attribute> =
                scope.attributes.iter().filter(|a| keys.iter().all(|k| k.id != a.id)).cloned().collect();
            scope.attributes = keys.into_iter().chain(rest).collect();
            return Ok(Resolved::new(plan, scope));
        }
        let all = joined(left.scope, right.scope, join_type);
        let find = |id: u64| all.by_id(id).cloned();
        let mut keys: Vec<Attribute> = Vec::new();
        let mut hidden: Vec<Attribute> = all.hidden.clone();
        let mut computed: Vec<(Expr, u64)> = Vec::new();
        for (l, r) in &pairs {
            let (Some(l), Some(r)) = (find(l.id), find(r.id)) else { continue };
            match join_type {
                JoinType::Right => {
                    keys.push(r.clone());
                    hidden.push(l);
                }
                JoinType::Full => {
                    let none = Scope::default();
                    let env = Env::root(self);
                    let both = Exprs::new(self, &env, &none).first_of(&[Typed::attribute(&l), Typed::attribute(&r)])?;
                    let id = self.fresh();
                    computed.push((both.expr, id));
                    keys.push(Attribute {
                        id,
                        name: l.name.clone(),
                        qualifier: Arc::new([]),
                        data_type: both.data_type,
                        nullable: l.nullable && r.nullable,
                        metadata: None,
                    });
                    hidden.push(l);
                    hidden.push(r);
                }
                _ => {
                    keys.push(l);
                    hidden.push(r);
                }
            }
        }
        let is_key = |a: &Attribute| pairs.iter().any(|(l, r)| l.id == a.id || r.id == a.id);
        let rest: Vec<Attribute> = all.attributes.iter().filter(|a| !is_key(a)).cloned().collect();
        let plan = if computed.is_empty() {
            plan
        } else {
            let mut exprs: Vec<(Expr, u64)> =
                all.attributes.iter().chain(&all.hidden).map(|a| (a.expr(), a.id)).collect();
            exprs.extend(computed);
            plan::project(plan, exprs)?
        };
        let scope =
            Scope { attributes: keys.into_iter().chain(rest).collect(), hidden, twins: all.twins, plans: all.plans };
        Ok(Resolved::new(plan, scope))
    }

    fn using_column(&self, scope: &Scope, name: &str, side: &str) -> SparkResult<Attribute> {
        // Of several columns of that name the first is meant.
        match scope.attributes.iter().find(|a| same(&a.name, name, self.context.options.case_sensitive)) {
            Some(found) => Ok(found.clone()),
            None => Err(SparkError::analysis(
                "UNRESOLVED_USING_COLUMN_FOR_JOIN",
                &[
                    ("colName", &format!("`{name}`")),
                    ("side", side),
                    (
                        "suggestion",
                        &format!(
                            "[{}]",
                            scope.attributes.iter().map(|a| format!("`{}`", a.name)).collect::<Vec<_>>().join(", ")
                        ),
                    ),
                ],
            )),
        }
    }

    /// The right side sees the left one's columns.
    fn lateral_join(&self, left: Resolved, join: &Join, env: &Env) -> SparkResult<Resolved> {
        if let (Some((call, alias, columns)), true) =
            (generator_call(&join.right), matches!(join.condition, JoinCondition::None))
        {
            let outer = match join.join_type {
                JoinType::Left => true,
                JoinType::Inner | JoinType::Cross => false,
                _ => return Err(errors::unsupported("this type of LATERAL join")),
            };
            return self.generated(left, &call, outer, alias, columns, env);
        }
        match &join.condition {
            JoinCondition::Natural => {
                return Err(SparkError::parse(
                    "INCOMPATIBLE_JOIN_TYPES",
                    &[("joinType1", "LATERAL"), ("joinType2", "NATURAL")],
                ));
            }
            JoinCondition::Using(_) => {
                return Err(SparkError::new(
                    firesteel_functions::ErrorKind::Parse,
                    "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING",
                    &[],
                ));
            }
            JoinCondition::None | JoinCondition::On(_) => {}
        }
        let inner = env.with_outer(Arc::new(left.scope.clone()));
        let right = self.relation(&join.right, &inner)?;
        crate::analyze::correlation::check(&right.plan, &inner.outer)?;
        let unsure = |category: &str, key: &str, text: &str| {
            let condition = format!("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.{category}");
            SparkError::analysis(&condition, &[(key, text)])
        };
        if volatile(&right.plan) && left.plan.max_rows().is_none_or(|rows| rows > 1) {
            return Err(unsure("NON_DETERMINISTIC_LATERAL_SUBQUERIES", "treeNode", "a lateral join"));
        }
        let outer_ref_columns = right.plan.all_out_ref_exprs();
        let own: Vec<&Expr> = outer_ref_columns
            .iter()
            .filter(|e| matches!(e, Expr::OuterReferenceColumn(_, c) if left.plan.schema().has_column(c)))
            .collect();
        let on = match &join.condition {
            JoinCondition::On(condition) => {
                let both = left.scope.clone().join(right.scope.clone());
                let on = Exprs::new(self, env, &both).condition(condition)?;
                if on.is_volatile() {
                    return Err(unsure("LATERAL_JOIN_CONDITION_NON_DETERMINISTIC", "condition", "the condition"));
                }
                Some(on)
            }
            JoinCondition::None | JoinCondition::Using(_) | JoinCondition::Natural => None,
        };
        if own.is_empty() {
            let plan = join_plan(left.plan, right.plan, join.join_type, on)?;
            return Ok(Resolved::new(plan, joined(left.scope, right.scope, join.join_type)));
        }
        let one_row = matches!(join.join_type, JoinType::Inner | JoinType::Cross | JoinType::Left) && on.is_none();
        if one_row && let Some(plan) = beside(&right.plan, &left.plan, join.join_type != JoinType::Left)? {
            return Ok(Resolved::new(plan, joined(left.scope, right.scope, join.join_type)));
        }
        let subquery = LogicalPlan::Subquery(datafusion::logical_expr::Subquery {
            subquery: Arc::new(right.plan),
            outer_ref_columns,
            spans: datafusion::common::Spans::new(),
        });
        let plan =
            join_plan(left.plan, subquery, join.join_type, on.or_else(|| Some(Expr::Literal(true.into(), None))))?;
        Ok(Resolved::new(plan, joined(left.scope, right.scope, join.join_type)))
    }
}

/// A lateral query without a FROM, computed beside the left side's columns.
fn beside(right: &LogicalPlan, left: &LogicalPlan, may_filter: bool) -> SparkResult<Option<LogicalPlan>> {
    match right {
        LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => Ok(Some(left.clone())),
        LogicalPlan::Projection(projection) => {
            let Some(input) = beside(&projection.input, left, may_filter)? else { return Ok(None) };
            let mut exprs: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
            for expr in &projection.expr {
                let expr = inner_columns(expr.clone())?;
                if !exprs.contains(&expr) {
                    exprs.push(expr);
                }
            }
            let made = Projection::try_new(exprs, Arc::new(input)).map_err(errors::planning)?;
            Ok(Some(LogicalPlan::Projection(made)))
        }
        LogicalPlan::Filter(filter) if may_filter => {
            let Some(input) = beside(&filter.input, left, may_filter)? else { return Ok(None) };
            plan::filter(input, inner_columns(filter.predicate.clone())?).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether two runs of a plan may differ.
fn volatile(plan: &LogicalPlan) -> bool {
    use datafusion::common::tree_node::TreeNodeRecursion;
    let mut found = false;
    // The closures never fail.
    let _ = plan.apply_with_subqueries(|node| {
        let _ = node.apply_expressions(|expr| {
            found |= expr.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        });
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}

/// Outer columns as plain ones.
fn inner_columns(expr: Expr) -> SparkResult<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    expr.transform(|e| {
        Ok(match e {
            Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}

/// A generator standing alone on the right of a lateral join, with its aliases.
fn generator_call(right: &Relation) -> Option<(spec::Expr, Option<&str>, &[String])> {
    match &*right.kind {
        RelationKind::TableFunction { name, args }
            if name.last().is_some_and(|n| super::is_generator(&n.to_lowercase())) =>
        {
            let call = spec::ExprKind::Function(spec::Function::new(name.clone(), args.clone()));
            Some((spec::Expr::from(call).at(right.origin.clone()), None, &[]))
        }
        RelationKind::SubqueryAlias { input, alias, columns } => {
            let (call, inner, _) = generator_call(input)?;
            inner.is_none().then_some((call, Some(alias.as_str()), columns.as_slice()))
        }
        _ => None,
    }
}

/// Output of a join.
pub(super) fn joined(left: Scope, right: Scope, join_type: JoinType) -> Scope {
    let optional = |mut scope: Scope| {
        for attribute in scope.attributes.iter_mut().chain(&mut scope.hidden) {
            attribute.nullable = true;
        }
        scope
    };
    match join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => {
            // Plans below the right side stay known, so that a reference to them is an error with the right name.
            let mut scope = left;
            scope.absorb(right.plans);
            scope
        }
        JoinType::Left => left.join(optional(right)),
        JoinType::Right => optional(left).join(right),
        JoinType::Full => optional(left).join(optional(right)),
        JoinType::Inner | JoinType::Cross => left.join(right),
    }
}

/// The plan of a join; equal keys are found by the optimizer.
pub(super) fn join_plan(
    left: LogicalPlan,
    right: LogicalPlan,
    join_type: JoinType,
    on: Option<Expr>,
) -> SparkResult<LogicalPlan> {
    let kind = match join_type {
        JoinType::Inner | JoinType::Cross => PlanJoin::Inner,
        JoinType::Left => PlanJoin::Left,
        JoinType::Right => PlanJoin::Right,
        JoinType::Full => PlanJoin::Full,
        JoinType::LeftSemi => PlanJoin::LeftSemi,
        JoinType::LeftAnti => PlanJoin::LeftAnti,
    };
    if on.is_none() && kind == PlanJoin::Inner {
        return LogicalPlanBuilder::from(left)
            .cross_join(right)
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning);
    }
    let node = JoinNode::try_new(
        Arc::new(left),
        Arc::new(right),
        vec![],
        on,
        kind,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )
    .map_err(errors::planning)?;
    Ok(LogicalPlan::Join(node))
}
