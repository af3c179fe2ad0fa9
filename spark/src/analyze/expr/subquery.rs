//! Subqueries as expressions: scalar, `EXISTS`, `IN`. What of them is correlated is left to the optimizer to untangle.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery as SubqueryPlan, when};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::fold::is_constant;
use crate::analyze::relation::Resolved;
use crate::analyze::scope::Scope;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, collation, correlation, errors, plan, subqueries};
use crate::spec::{self, Subquery};

/// Subqueries in subqueries: DataFusion's rules go through each of them twice for every level around it.
const MOST_LEVELS: usize = 16;

impl Exprs<'_, '_> {
    /// A subquery.
    pub(super) fn subquery(&self, subquery: &Subquery) -> SparkResult<Typed> {
        match subquery {
            Subquery::Scalar(query) => {
                let resolved = self.inner(query)?;
                let [attribute] = resolved.scope.attributes.as_slice() else {
                    return Err(SparkError::analysis(
                        "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                        &[("number", &resolved.scope.attributes.len().to_string())],
                    ));
                };
                correlation::check_groups(&resolved.plan)?;
                let data_type = attribute.data_type.clone();
                let shown = format!("scalarsubquery({})", self.outer_names(&resolved.plan));
                Ok(Typed::new(Expr::ScalarSubquery(wrap(resolved.plan)), data_type, true, shown))
            }
            Subquery::Exists(query) => {
                let resolved = self.inner(query)?;
                let shown = format!("exists({})", self.outer_names(&resolved.plan));
                let exists = Exists { subquery: wrap(subqueries::any_row(resolved.plan)), negated: false };
                Ok(Typed::new(Expr::Exists(exists), DataType::Boolean, false, shown))
            }
            Subquery::In { values, query } => self.in_subquery(values, query),
            Subquery::TableArgument(_) => Err(errors::unsupported("TABLE argument")),
        }
    }

    /// Resolves a subquery with this scope as its outer one.
    fn inner(&self, query: &spec::Relation) -> SparkResult<Resolved> {
        if self.env.outer.len() == MOST_LEVELS {
            return Err(errors::unsupported(&format!("subqueries nested more than {MOST_LEVELS} levels deep")));
        }
        let mut outer: Scope = self.scope.clone();
        if let Some(below) = self.below {
            let known: Vec<u64> = outer.attributes.iter().map(|a| a.id).collect();
            outer.attributes.extend(below.attributes.iter().filter(|a| !known.contains(&a.id)).cloned());
        }
        let mut env = self.env.with_outer(Arc::new(outer));
        env.outer_aggregates.clone_from(&self.outer_aggregates);
        env.far = env.ctes.len();
        self.analyzer.check_nested(query, &env)?;
        let resolved = self.analyzer.relation(query, &env)?;
        correlation::check(&resolved.plan, &env.outer)?;
        Ok(resolved)
    }

    /// In a subquery of `HAVING`, an aggregate of outer columns alone is the outer query's.
    pub(super) fn of_outer_query(&self, call: Typed) -> SparkResult<Typed> {
        if self.env.outer.is_empty() || !plan::contains(&call.expr, |e| matches!(e, Expr::OuterReferenceColumn(..))) {
            return Ok(call);
        }
        let own = !call.expr.column_refs().is_empty();
        if own {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES",
                &[("function", &call.sql())],
            ));
        }
        let Some(asked) = &self.env.outer_aggregates else { return Ok(call) };
        let mut outer = call.clone();
        outer.expr = subqueries::seen_from_outside(call.expr.clone())?;
        let mut asked = asked.lock();
        let known = asked.iter().find(|(known, _)| known.expr == outer.expr).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| {
            let id = self.analyzer.fresh();
            asked.push((outer, id));
            id
        });
        let column = crate::analyze::scope::column(id);
        let field = crate::analyze::typed::arrow_field(&column.name, &call.data_type, call.nullable);
        Ok(Typed { expr: Expr::OuterReferenceColumn(Arc::new(field), column), ..call })
    }

    fn outer_aggregate_name(&self, id: u64) -> Option<String> {
        let asked = self.outer_aggregates.as_ref()?.lock();
        asked.iter().find(|(_, known)| *known == id).map(|(call, _)| call.sql())
    }

    /// Names of the outer columns a subquery uses, as often as it does.
    fn outer_names(&self, plan: &LogicalPlan) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut see = |expr: &Expr| {
            if let Expr::OuterReferenceColumn(_, column) = expr {
                let id = column.name.strip_prefix('#').and_then(|n| n.parse().ok());
                let known = id.and_then(|id| {
                    let below = self.below.and_then(|below| below.by_id(id));
                    self.scope.by_id(id).or(below).map(|a| a.name.clone()).or_else(|| self.outer_aggregate_name(id))
                });
                names.extend(known);
            }
        };
        // The closures never fail.
        let _ = plan.apply(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|e| {
                    see(e);
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        });
        names.join(", ")
    }

    fn in_subquery(&self, values: &[spec::Expr], query: &spec::Relation) -> SparkResult<Typed> {
        let mut left = self.resolve_all(values)?;
        let resolved = self.inner(query)?;
        if let [only] = left.as_slice()
            && resolved.scope.attributes.len() > 1
            && let DataType::Struct(fields) = &only.data_type
        {
            let fields: Vec<String> = fields.fields.iter().map(|f| f.name.clone()).collect();
            let row = only.clone();
            left = fields.iter().map(|f| self.field(row.clone(), f)).collect::<SparkResult<Vec<_>>>()?;
        }
        let right = &resolved.scope.attributes;
        if left.len() != right.len() {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
                &[
                    ("sqlExpr", "\"(listquery())\""),
                    ("leftLength", &left.len().to_string()),
                    ("rightLength", &right.len().to_string()),
                    ("leftColumns", &left.iter().map(|l| errors::expression(&l.name)).collect::<Vec<_>>().join(", ")),
                    ("rightColumns", &right.iter().map(|r| errors::expression(&r.name)).collect::<Vec<_>>().join(", ")),
                ],
            ));
        }
        let texts: Vec<String> = left.iter().map(|l| l.sql()).collect();
        let outer = self.outer_names(&resolved.plan);
        let shown = match texts.as_slice() {
            [one] => format!("({one} IN (listquery({outer})))"),
            _ => format!("({} IN (listquery({outer})))", self.row(left.clone())?.sql()),
        };
        let nullable = left.iter().any(|l| l.nullable) || right.iter().any(|r| r.nullable);
        let ansi = self.analyzer.context.options.ansi;
        let mut columns = Vec::new();
        let mut probes = Vec::new();
        for (value, attribute) in left.into_iter().zip(right) {
            let Some(to) = coerce::comparable(&value.data_type, &attribute.data_type, ansi) else {
                return Err(SparkError::analysis(
                    "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH",
                    &[
                        ("sqlExpr", &errors::expression(&shown)),
                        ("mismatchedColumns", &format!("{}, {}", value.name, attribute.name)),
                        ("leftType", &errors::sql_type(&value.data_type)),
                        ("rightType", &errors::sql_type(&attribute.data_type)),
                    ],
                ));
            };
            let column = Typed::attribute(attribute);
            let (value, column, to) = match collation::winner(&[&value, &column])? {
                Some(collation) if collation.is_indeterminate() => {
                    return Err(SparkError::analysis(
                        "INDETERMINATE_COLLATION_IN_EXPRESSION",
                        &[("expr", &errors::expression(&shown))],
                    ));
                }
                Some(found) if to.is_collated() => {
                    let meet = |value| collation::in_collation(value, found);
                    (meet(value), meet(column), to.with_collation(found))
                }
                _ => (value, column, to),
            };
            let compared = |value: Typed| -> SparkResult<Typed> {
                let value = self.analyzer.coerce(value, &to)?;
                Ok(Typed { expr: collation::keyed(value.expr, &to)?, ..value })
            };
            probes.push(compared(value)?);
            columns.push(compared(column)?);
        }
        if let [only] = probes.as_slice()
            && resolved.plan.all_out_ref_exprs().is_empty()
            && self.is_null(&only.expr)
        {
            let value = match self.analyzer.context.null_in_nothing {
                true => Expr::Literal(ScalarValue::Boolean(None), None),
                false => null_in(resolved.plan)?,
            };
            return Ok(Typed::new(value, DataType::Boolean, nullable, shown));
        }
        let (probe, plan) = self.one_column(probes, columns, resolved.plan)?;
        let expr = Expr::InSubquery(InSubquery::new(Box::new(probe), wrap(subqueries::unordered(plan)), false));
        Ok(Typed::new(expr, DataType::Boolean, nullable, shown))
    }

    /// Whether an expression is a constant that is null. One that fails says so when it is run.
    fn is_null(&self, expr: &Expr) -> bool {
        is_constant(expr) && self.analyzer.fold(expr).is_ok_and(|value| value.is_null())
    }

    /// Both sides of `IN` as one column: several become a struct.
    fn one_column(
        &self,
        mut probes: Vec<Typed>,
        mut columns: Vec<Typed>,
        input: LogicalPlan,
    ) -> SparkResult<(Expr, LogicalPlan)> {
        if probes.len() > 1 {
            // `subqueries` takes the row apart again; both sides keep their columns until then.
            let probe = self.row(probes)?;
            let exprs = columns.into_iter().map(|c| (c.expr, self.analyzer.fresh())).collect();
            return Ok((probe.expr, plan::project(input, exprs)?));
        }
        let (Some(probe), Some(column)) = (probes.pop(), columns.pop()) else {
            return Err(SparkError::internal("IN needs a column"));
        };
        let plan = if matches!(column.expr, Expr::Column(_)) {
            input
        } else {
            plan::project(input, vec![(column.expr, self.analyzer.fresh())])?
        };
        Ok((probe.expr, plan))
    }
}

/// `NULL IN (...)`: null when the subquery has rows, else false. A null in a column is two-valued instead, because Spark
/// computes that with an existence join.
fn null_in(query: LogicalPlan) -> SparkResult<Expr> {
    let exists = Expr::Exists(Exists { subquery: wrap(subqueries::any_row(query)), negated: false });
    let boolean = |value| Expr::Literal(ScalarValue::Boolean(value), None);
    when(exists, boolean(None)).otherwise(boolean(Some(false))).map_err(errors::planning)
}

/// A plan as DataFusion's subquery, with the outer columns it uses.
fn wrap(plan: LogicalPlan) -> SubqueryPlan {
    let outer_ref_columns = plan.all_out_ref_exprs();
    SubqueryPlan { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}
