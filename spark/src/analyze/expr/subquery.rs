//! Subqueries as expressions: scalar, `EXISTS`, `IN`. What of them is correlated is left to the optimizer to untangle.

use std::sync::Arc;

use datafusion::common::Spans;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery as SubqueryPlan};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::relation::Resolved;
use crate::analyze::scope::Scope;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, errors, plan, subqueries};
use crate::spec::{self, Subquery};

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
                let data_type = attribute.data_type.clone();
                Ok(Typed::new(Expr::ScalarSubquery(wrap(resolved.plan)), data_type, true, "scalarsubquery()"))
            }
            Subquery::Exists(query) => {
                let resolved = self.inner(query)?;
                let exists = Exists { subquery: wrap(subqueries::any_row(resolved.plan)), negated: false };
                Ok(Typed::new(Expr::Exists(exists), DataType::Boolean, false, "exists()"))
            }
            Subquery::In { values, query } => self.in_subquery(values, query),
            Subquery::TableArgument(_) => Err(errors::unsupported("TABLE argument")),
        }
    }

    /// Resolves a subquery with this scope as its outer one.
    fn inner(&self, query: &spec::Relation) -> SparkResult<Resolved> {
        let mut outer: Scope = self.scope.clone();
        if let Some(below) = self.below {
            let known: Vec<u64> = outer.attributes.iter().map(|a| a.id).collect();
            outer.attributes.extend(below.attributes.iter().filter(|a| !known.contains(&a.id)).cloned());
        }
        let env = self.env.with_outer(Arc::new(outer));
        self.analyzer.relation(query, &env)
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
        let shown = match texts.as_slice() {
            [one] => format!("({one} IN (listquery()))"),
            many => format!(
                "(named_struct({}) IN (listquery()))",
                many.iter().map(|t| format!("{t}, {t}")).collect::<Vec<_>>().join(", ")
            ),
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
            probes.push(self.analyzer.coerce(value, &to)?);
            columns.push(self.analyzer.coerce(Typed::attribute(attribute), &to)?);
        }
        let (probe, plan) = self.one_column(probes, columns, resolved.plan)?;
        let expr = Expr::InSubquery(InSubquery::new(Box::new(probe), wrap(subqueries::unordered(plan)), false));
        Ok(Typed::new(expr, DataType::Boolean, nullable, shown))
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

/// A plan as DataFusion's subquery, with the outer columns it uses.
fn wrap(plan: LogicalPlan) -> SubqueryPlan {
    let outer_ref_columns = plan.all_out_ref_exprs();
    SubqueryPlan { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}
