//! `PIVOT` in SQL and `groupBy().pivot()`: one column per value and aggregate, by filtered aggregates.

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr, lit, when};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::block::{Block, Grouping};
use super::{Env, Resolved};
use crate::analyze::expr::{Exprs, balanced};
use crate::analyze::scope::Scope;
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, collation, errors, plan};
use crate::spec::{self, DataFramePivot, ExprKind, GroupBy, Relation};

/// A pivot value: what the pivot columns must equal, and its text.
struct Value {
    condition: Expr,
    name: String,
}

impl Analyzer<'_> {
    /// SQL `PIVOT`: groups by all columns that are used neither as pivot column nor in an aggregate.
    pub(super) fn pivot(
        &self,
        input: &Relation,
        aggregates: &[spec::Expr],
        columns: &[spec::Expr],
        values: &[spec::Expr],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let scope = input.scope.clone();
        let exprs = Exprs::new(self, env, &scope);
        let pivots = exprs.resolve_all(columns)?;
        let resolved = super::select::select_list(&exprs, aggregates)?;
        let mut used: Vec<datafusion::common::Column> = Vec::new();
        for typed in pivots.iter().chain(&resolved) {
            used.extend(typed.expr.column_refs().into_iter().cloned());
            collect_aggregated(&typed.expr, &mut used);
        }
        let keys: Vec<Typed> =
            scope.attributes.iter().filter(|a| !used.contains(&a.column())).map(Typed::attribute).collect();
        let values = self.values_of(&pivots, values, env)?;
        self.pivoted(input, keys, resolved, values)
    }

    /// `groupBy(...).pivot(column, values).agg(...)`.
    pub(super) fn pivot_frame(
        &self,
        input: &Relation,
        group_by: &GroupBy,
        aggregates: &[spec::Expr],
        pivot: &DataFramePivot,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let scope = input.scope.clone();
        let exprs = Exprs::new(self, env, &scope);
        let keys: Vec<Typed> = self.grouping(&exprs, group_by, &[])?.keys.into_iter().map(|(key, _)| key).collect();
        let column = exprs.resolve(&pivot.column)?;
        let resolved = super::select::select_list(&exprs, aggregates)?;
        let values = if pivot.values.is_empty() {
            self.distinct_values(&input, &column)?
        } else {
            self.values_of(std::slice::from_ref(&column), &pivot.values, env)?
        };
        self.pivoted(input, keys, resolved, values)
    }

    fn values_of(&self, pivots: &[Typed], values: &[spec::Expr], env: &Env) -> SparkResult<Vec<Value>> {
        let none = Scope::default();
        let exprs = Exprs::new(self, env, &none);
        let mut out = Vec::with_capacity(values.len());
        for value in values {
            let (inner, alias) = match &*value.kind {
                ExprKind::Alias { expr, names, .. } => (expr, names.first().cloned()),
                _ => (value, None),
            };
            let parts: Vec<spec::Expr> = match &*inner.kind {
                ExprKind::Row(parts) if pivots.len() > 1 => parts.clone(),
                ExprKind::Function(f)
                    if pivots.len() > 1 && f.name.last().is_some_and(|n| n.eq_ignore_ascii_case("struct")) =>
                {
                    f.args.clone()
                }
                _ => vec![inner.clone()],
            };
            if parts.len() != pivots.len() {
                return Err(SparkError::analysis(
                    "PIVOT_VALUE_DATA_TYPE_MISMATCH",
                    &[
                        ("value", "value"),
                        ("valueType", &parts.len().to_string()),
                        ("pivotType", &pivots.len().to_string()),
                    ],
                ));
            }
            let mut tests = Vec::new();
            let mut texts = Vec::new();
            for (part, pivot) in parts.iter().zip(pivots) {
                let typed = exprs.resolve(part).map_err(|error| not_literal(error, part))?;
                if !crate::analyze::fold::is_constant(&typed.expr) {
                    return Err(SparkError::analysis(
                        "NON_LITERAL_PIVOT_VALUES",
                        &[("expression", &errors::expression(&typed.name))],
                    ));
                }
                let said = self.fold(&typed.expr)?;
                texts.push(if said.is_null() { "null".to_string() } else { self.cast_text(&said, &typed.data_type)? });
                let typed = self.coerce(typed, &pivot.data_type)?;
                let constant = self.fold(&typed.expr)?;
                tests.push(equals(pivot, constant)?);
            }
            let name = alias
                .unwrap_or_else(|| if texts.len() > 1 { format!("{{{}}}", texts.join(", ")) } else { texts.concat() });
            out.push(Value { condition: balanced(tests, datafusion::logical_expr::Operator::And), name });
        }
        Ok(out)
    }

    /// All values of a column, sorted, which takes a query of its own.
    fn distinct_values(&self, input: &Resolved, column: &Typed) -> SparkResult<Vec<Value>> {
        let id = self.fresh();
        let found = plan::project(input.plan.clone(), vec![(column.expr.clone(), id)])?;
        let value = column.output(id);
        let found = self.distinct(found, std::slice::from_ref(&value))?;
        let key = collation::keyed(value.expr(), &value.data_type)?;
        let key = datafusion::logical_expr::SortExpr::new(key, true, true);
        let found = plan::sort(found, vec![key])?;
        let max = self.context.pivot_max_values;
        let found = plan::limit(found, 0, Some(max + 1))?;
        let schema = StructType::new(vec![StructField::new("value", column.data_type.clone(), true)]);
        let key = format!("pivot {}", found.display_indent());
        let TableEntry::Rows { batches, .. } = self.lookup(NameRef::Query { key, plan: found, schema })? else {
            return Err(SparkError::internal("the values of a pivot column must be rows"));
        };
        let mut out = Vec::new();
        for batch in batches {
            let Some(array) = batch.columns().first() else { continue };
            for row in 0..array.len() {
                let value = ScalarValue::try_from_array(array, row).map_err(errors::planning)?;
                let name =
                    if value.is_null() { "null".to_string() } else { self.cast_text(&value, &column.data_type)? };
                out.push(Value { condition: equals(column, value)?, name });
            }
        }
        if out.len() > max {
            return Err(SparkError::analysis(
                "_LEGACY_ERROR_TEMP_1324",
                &[("pivotColumn", &column.name), ("maxValues", &max.to_string())],
            ));
        }
        Ok(out)
    }

    fn pivoted(
        &self,
        input: Resolved,
        keys: Vec<Typed>,
        aggregates: Vec<Typed>,
        values: Vec<Value>,
    ) -> SparkResult<Resolved> {
        let mut items: Vec<Typed> = keys.clone();
        let single = aggregates.len() == 1;
        let aggregated = |a: &Typed| plan::contains(&a.expr, |e| matches!(e, Expr::AggregateFunction(_)));
        // Spark groups by the pivot column too and then looks values up, where their type lets it: what has no rows is null.
        let looked_up = aggregates.iter().all(|a| {
            use DataType::{Boolean, Byte, Decimal, Double, Float, Integer, Long, Short};
            matches!(a.data_type, Boolean | Byte | Short | Integer | Long | Float | Double | Decimal(..))
        });
        for value in &values {
            for aggregate in &aggregates {
                let mut expr = filtered(aggregate.expr.clone(), &value.condition)?;
                if looked_up && aggregated(aggregate) {
                    let rows = filtered(rows(), &value.condition)?.gt(lit(0_i64));
                    expr = when(rows, expr).end().map_err(errors::planning)?;
                }
                let name = if single { value.name.clone() } else { format!("{}_{}", value.name, aggregate.name) };
                let nullable = looked_up || aggregate.nullable || aggregate.data_type != DataType::Long;
                items.push(Typed::new(expr, aggregate.data_type.clone(), nullable, "").alias(name));
            }
        }
        if aggregates.iter().any(|a| !aggregated(a)) {
            return Err(SparkError::analysis(
                "_LEGACY_ERROR_TEMP_1006",
                &[("sql", "aggregate expression required for pivot")],
            ));
        }
        let mut block = Block::new(input.plan, input.scope);
        let mut grouping = Grouping { said: true, ..Grouping::default() };
        for key in keys {
            let own = match &key.expr {
                Expr::Column(column) => column.name.strip_prefix('#').and_then(|n| n.parse().ok()),
                _ => None,
            };
            grouping.keys.push((key, own.unwrap_or_else(|| self.fresh())));
        }
        block.grouping = Some(grouping);
        block.set_items(self, items);
        self.finish(block)
    }
}

/// `count(1)`.
fn rows() -> Expr {
    let count = AggregateFunction::new_udf(count_udaf(), vec![lit(1_i64)], false, None, vec![], None);
    Expr::AggregateFunction(count)
}

/// A column among the values is no literal, rather than unknown.
fn not_literal(error: SparkError, value: &spec::Expr) -> SparkError {
    match &*value.kind {
        ExprKind::Attribute { name, .. } if error.condition().starts_with("UNRESOLVED_COLUMN") => {
            SparkError::analysis("NON_LITERAL_PIVOT_VALUES", &[("expression", &errors::expression(&name.join(".")))])
        }
        _ => error,
    }
}

fn equals(column: &Typed, value: ScalarValue) -> SparkResult<Expr> {
    if value.is_null() {
        return Ok(Expr::IsNull(Box::new(column.expr.clone())));
    }
    let value = collation::keyed(Expr::Literal(value, None), &column.data_type)?;
    Ok(collation::keyed(column.expr.clone(), &column.data_type)?.eq(value))
}

fn collect_aggregated(expr: &Expr, used: &mut Vec<datafusion::common::Column>) {
    use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
    let visited = expr.apply(|e| {
        if let Expr::Column(column) = e {
            used.push(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok());
}

/// The aggregates of an expression over the rows of one value only.
fn filtered(expr: Expr, condition: &Expr) -> SparkResult<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
    expr.transform_down(|e| {
        Ok(match e {
            Expr::AggregateFunction(mut function) => {
                let filter = match function.params.filter.take() {
                    Some(own) => datafusion::logical_expr::and(*own, condition.clone()),
                    None => condition.clone(),
                };
                function.params.filter = Some(Box::new(filter));
                Transformed::new(Expr::AggregateFunction(function), true, TreeNodeRecursion::Jump)
            }
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}
