//! `UNION`, `INTERSECT`, `EXCEPT` by position or name, and duplicate removal.

mod by_name;

use std::sync::Arc;

use datafusion::common::{JoinType as PlanJoin, NullEquality};
use datafusion::logical_expr::{Aggregate, Expr, Join, JoinConstraint, LogicalPlan, LogicalPlanBuilder, Union};
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::scope::{Attribute, same};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, coerce, collation, errors, plan};
use crate::spec::{Relation, RelationKind, SetOperator};

/// What is done with both sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub op: SetOperator,
    pub all: bool,
    pub by_name: bool,
    pub allow_missing: bool,
}

impl Kind {
    fn shown(self) -> &'static str {
        match (self.op, self.all) {
            (SetOperator::Union, _) => "UNION",
            (SetOperator::Intersect, true) => "INTERSECT ALL",
            (SetOperator::Intersect, false) => "INTERSECT",
            (SetOperator::Except, true) => "EXCEPT ALL",
            (SetOperator::Except, false) => "EXCEPT",
        }
    }
}

impl Analyzer<'_> {
    /// A set operation.
    pub(super) fn set_operation(
        &self,
        left: &Relation,
        right: &Relation,
        kind: Kind,
        env: &Env,
    ) -> SparkResult<Resolved> {
        if kind.op == SetOperator::Union && kind.all && !kind.by_name {
            return self.union_all(left, right, env);
        }
        let left = self.relation(left, env)?;
        let mut right = self.relation(right, env)?;
        let mut left = left;
        if kind.by_name {
            (left, right) = self.by_name(left, right, kind.allow_missing)?;
        }
        match kind.op {
            SetOperator::Union => {
                let union = self.union(vec![left, right])?;
                if kind.all {
                    return Ok(union);
                }
                let plan = self.distinct(union.plan, &union.scope.attributes)?;
                Ok(Resolved::new(plan, union.scope))
            }
            _ => self.semi_or_anti(left, right, kind),
        }
    }

    /// A left-deep chain of `UNION ALL` becomes one union.
    fn union_all(&self, left: &Relation, right: &Relation, env: &Env) -> SparkResult<Resolved> {
        let mut inputs = vec![self.relation(right, env)?];
        let mut next = left;
        loop {
            match &*next.kind {
                RelationKind::SetOperation {
                    left, right, op: SetOperator::Union, all: true, by_name: false, ..
                } if next.plan_id.is_none() => {
                    inputs.push(self.relation(right, env)?);
                    next = left;
                }
                _ => {
                    inputs.push(self.relation(next, env)?);
                    break;
                }
            }
        }
        inputs.reverse();
        self.union(inputs)
    }

    fn union(&self, inputs: Vec<Resolved>) -> SparkResult<Resolved> {
        let (attributes, inputs, scopes) = self.aligned("UNION", inputs)?;
        let plan =
            LogicalPlan::Union(Union::try_new(inputs.into_iter().map(Arc::new).collect()).map_err(errors::planning)?);
        let mut scope = crate::analyze::scope::Scope::new(attributes);
        for below in scopes {
            scope.absorb(below);
        }
        Ok(Resolved::new(plan, scope))
    }

    /// All inputs with the same column names and types; the ids are those of the output.
    #[expect(clippy::type_complexity, reason = "three lists that belong together once")]
    fn aligned(
        &self,
        operator: &str,
        inputs: Vec<Resolved>,
    ) -> SparkResult<(Vec<Attribute>, Vec<LogicalPlan>, Vec<std::collections::BTreeMap<i64, Vec<Arc<[Attribute]>>>>)>
    {
        let Some(first) = inputs.first() else { return Err(SparkError::internal("a set operation without inputs")) };
        let mut attributes: Vec<Attribute> = first.scope.attributes.clone();
        for input in inputs.iter().skip(1) {
            if input.scope.attributes.len() != attributes.len() {
                return Err(column_count(operator, attributes.len(), input.scope.attributes.len()));
            }
            for (index, (to, from)) in attributes.iter_mut().zip(&input.scope.attributes).enumerate() {
                let wider = coerce::wider(&to.data_type, &from.data_type, self.context.options.ansi);
                let wider = match operator {
                    // Fields that are called differently meet by place.
                    "UNION" => wider.or_else(|| coerce::by_place(&to.data_type, &from.data_type)),
                    _ => wider,
                };
                let Some(wider) = wider else {
                    return Err(column_type(operator, index, &to.data_type, &from.data_type));
                };
                to.data_type = wider;
                to.nullable |= from.nullable;
            }
        }
        for attribute in &mut attributes {
            attribute.id = self.fresh();
            attribute.qualifier = Arc::new([]);
        }
        let mut plans = Vec::with_capacity(inputs.len());
        let mut scopes = Vec::with_capacity(inputs.len());
        for input in inputs {
            let exprs = input
                .scope
                .attributes
                .iter()
                .zip(&attributes)
                .map(|(from, to)| Ok((self.coerce(Typed::attribute(from), &to.data_type)?.expr, to.id)))
                .collect::<SparkResult<Vec<_>>>()?;
            plans.push(plan::project(input.plan, exprs)?);
            scopes.push(input.scope.plans);
        }
        Ok((attributes, plans, scopes))
    }

    fn semi_or_anti(&self, left: Resolved, right: Resolved, kind: Kind) -> SparkResult<Resolved> {
        let plans = left.scope.plans.clone();
        let (attributes, mut inputs, _) = self.aligned(kind.shown(), vec![left, right])?;
        collation::refuse_maps(&attributes)?;
        let (Some(right), Some(left)) = (inputs.pop(), inputs.pop()) else {
            return Err(SparkError::internal("a set operation has two inputs"));
        };
        // Both sides share ids: the right one gets its own before they meet.
        let mut other: Vec<Attribute> =
            attributes.iter().map(|a| Attribute { id: self.fresh(), ..a.clone() }).collect();
        let right = plan::project(right, attributes.iter().zip(&other).map(|(a, b)| (a.expr(), b.id)).collect())?;
        let mut attributes = attributes;
        let mut left = left;
        let mut right = right;
        let visible = attributes.len();
        if kind.all {
            // Equal rows are numbered on both sides, so that each meets at most one.
            for (side, columns) in [(&mut left, &mut attributes), (&mut right, &mut other)] {
                let keys = columns
                    .iter()
                    .map(|a| collation::keyed(a.expr(), &a.data_type))
                    .collect::<SparkResult<Vec<_>>>()?;
                let id = self.fresh();
                *side = numbered(side.clone(), keys, columns, id)?;
                columns.push(Attribute {
                    id,
                    name: String::new(),
                    qualifier: Arc::new([]),
                    data_type: DataType::Long,
                    nullable: false,
                    metadata: None,
                });
            }
        } else {
            left = self.distinct(left, &attributes)?;
        }
        let compared = |a: &Attribute| collation::keyed(a.expr(), &a.data_type);
        let on = attributes
            .iter()
            .zip(&other)
            .map(|(a, b)| Ok((compared(a)?, compared(b)?)))
            .collect::<SparkResult<Vec<_>>>()?;
        let join_type = if kind.op == SetOperator::Intersect { PlanJoin::LeftSemi } else { PlanJoin::LeftAnti };
        let join = Join::try_new(
            Arc::new(left),
            Arc::new(right),
            on,
            None,
            join_type,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )
        .map_err(errors::planning)?;
        attributes.truncate(visible);
        let plan = plan::keep(LogicalPlan::Join(join), &attributes)?;
        let mut scope = crate::analyze::scope::Scope::new(attributes);
        scope.absorb(plans);
        Ok(Resolved::new(plan, scope))
    }

    /// `dropDuplicates(columns)`: one row of each group.
    pub(super) fn deduplicate(&self, input: &Relation, columns: &[String], env: &Env) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        if columns.is_empty() {
            let columns = &resolved.scope.attributes;
            let plan = self.distinct(plan::keep(resolved.plan.clone(), columns)?, columns)?;
            return Ok(Resolved::new(plan, Resolved::drop_hidden(resolved.scope)));
        }
        let case = self.context.options.case_sensitive;
        let mut keys: Vec<Attribute> = Vec::new();
        for name in columns {
            let found: Vec<&Attribute> =
                resolved.scope.attributes.iter().filter(|a| same(&a.name, name, case)).collect();
            if found.is_empty() {
                return Err(errors::no_such_name(name, &resolved.scope));
            }
            keys.extend(found.into_iter().cloned());
        }
        let Some(first) = registry().aggregate("first") else {
            return Err(errors::unsupported("dropDuplicates without function first"));
        };
        let mut aggregates = Vec::new();
        let mut attributes = resolved.scope.attributes.clone();
        for attribute in &mut attributes {
            if keys.iter().any(|k| k.id == attribute.id) {
                continue;
            }
            let typed = self.call_aggregate(
                &first,
                vec![Typed::attribute(attribute)],
                "first".to_string(),
                Default::default(),
            )?;
            attribute.id = self.fresh();
            aggregates.push(plan::named(typed.expr, attribute.id));
        }
        let mut group = Vec::with_capacity(keys.len());
        for key in &keys {
            if key.data_type.is_collated() {
                group.push(plan::named(collation::keyed(key.expr(), &key.data_type)?, self.fresh()));
                aggregates.push(plan::named(self.first_of_group(key)?, key.id));
            } else {
                group.push(plan::named(collation::keyed(key.expr(), &key.data_type)?, key.id));
            }
        }
        let aggregate = Aggregate::try_new(Arc::new(resolved.plan), group, aggregates).map_err(errors::planning)?;
        let plan = plan::keep(LogicalPlan::Aggregate(aggregate), &attributes)?;
        Ok(Resolved::new(plan, resolved.scope.with_output(attributes)))
    }
}

impl Resolved {
    fn drop_hidden(mut scope: crate::analyze::scope::Scope) -> crate::analyze::scope::Scope {
        scope.hidden.clear();
        scope
    }
}

/// Adds `row_number() OVER (PARTITION BY keys)`; of collated strings that are equal the first stands for all.
fn numbered(input: LogicalPlan, keys: Vec<Expr>, columns: &[Attribute], id: u64) -> SparkResult<LogicalPlan> {
    use datafusion::common::Column;
    use datafusion::functions_window::{nth_value::first_value, row_number::row_number};
    use datafusion::logical_expr::ExprFunctionExt;
    let over = |function: Expr| function.partition_by(keys.clone()).build().map_err(errors::planning);
    let mut windows = vec![over(row_number())?];
    let mut exprs: Vec<(Expr, u64)> = Vec::with_capacity(columns.len() + 1);
    for attribute in columns {
        if attribute.data_type.is_collated() {
            let first = over(first_value(attribute.expr()))?;
            exprs.push((Expr::Column(Column::new_unqualified(first.schema_name().to_string())), attribute.id));
            windows.push(first);
        } else {
            exprs.push((attribute.expr(), attribute.id));
        }
    }
    let number = windows.first().map(|number| number.schema_name().to_string()).unwrap_or_default();
    exprs.push((Expr::Column(Column::new_unqualified(number)), id));
    let plan = LogicalPlanBuilder::window_plan(input, windows).map_err(errors::planning)?;
    plan::project(plan, exprs)
}

/// Different numbers of columns.
pub(super) fn column_count(operator: &str, first: usize, second: usize) -> SparkError {
    SparkError::analysis(
        "NUM_COLUMNS_MISMATCH",
        &[
            ("operator", operator),
            ("firstNumColumns", &first.to_string()),
            ("invalidOrdinalNum", "second"),
            ("invalidNumColumns", &second.to_string()),
        ],
    )
}

/// Types without a common one.
pub(super) fn column_type(operator: &str, index: usize, first: &DataType, second: &DataType) -> SparkError {
    let ordinal = ["first", "second", "third", "fourth", "fifth"].get(index).copied().unwrap_or("next");
    SparkError::analysis(
        "INCOMPATIBLE_COLUMN_TYPE",
        &[
            ("operator", operator),
            ("columnOrdinalNumber", ordinal),
            ("tableOrdinalNumber", "second"),
            ("dataType1", &errors::sql_type(second)),
            ("dataType2", &errors::sql_type(first)),
            ("hint", ""),
        ],
    )
}
