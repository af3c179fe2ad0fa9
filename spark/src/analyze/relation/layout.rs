//! `repartition`, `coalesce`, their hints, and `sortWithinPartitions`: which partition each row is in.
//!
//! Sources: <https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-hints.html>, the page of
//! `DataFrame.repartition`. Rows go where Spark's partitioners send them, `repartition(n)` aside, which Spark too lets
//! depend on where rows come from.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, SortExpr, lit};
use firesteel_engine::layout::{Layout, LayoutNode};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult, registry};

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, column};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, collation, errors, plan};
use crate::spec::{self, ExprKind, Literal, Relation};

impl Analyzer<'_> {
    /// `repartition(n)` and `coalesce(n)`.
    pub(super) fn repartition(
        &self,
        resolved: Resolved,
        partitions: i64,
        shuffle: bool,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let partitions = positive(partitions)?;
        let exprs = Exprs::new(self, env, &resolved.scope);
        let of_task = |name: &str| exprs.resolve(&spec::Expr::call(name, vec![]));
        let partition = self.coerce(of_task("spark_partition_id")?, &DataType::Long)?.expr;
        if !shuffle {
            return self.laid_out(resolved, partition, Layout::Coalesce { partitions });
        }
        // One after the other, each partition of the input beginning elsewhere.
        let number = of_task("monotonically_increasing_id")?.expr + partition;
        self.laid_out(resolved, number, Layout::Shuffle { partitions: Some(partitions) })
    }

    /// `repartition([n, ]columns)`, `repartitionByRange`, `DISTRIBUTE BY`.
    pub(super) fn repartition_by(
        &self,
        resolved: Resolved,
        by: &[spec::Expr],
        partitions: Option<usize>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        if by.is_empty() {
            let partitions = partitions.unwrap_or(self.context.config.execution.target_partitions);
            return self.repartition(resolved, i64::try_from(partitions).unwrap_or(i64::MAX), true, env);
        }
        let ranges = by.iter().any(|expr| matches!(&*expr.kind, ExprKind::SortOrder(_)));
        let exprs = Exprs::new(self, env, &resolved.scope);
        if ranges {
            let partitions = partitions.unwrap_or(self.context.config.execution.target_partitions).max(1);
            let number = self.range_number(&exprs, by, partitions)?;
            return self.laid_out(resolved, number, Layout::Shuffle { partitions: Some(partitions) });
        }
        let keys = match exprs.resolve_all(by) {
            Err(error) if error.condition().starts_with("UNRESOLVED_COLUMN") => {
                return match self.with_unselected(&resolved, by, env)? {
                    Some((resolved, keys)) => self.shuffled(resolved, keys, partitions),
                    None => Err(error),
                };
            }
            keys => keys?,
        };
        self.shuffled(resolved, keys, partitions)
    }

    /// `repartitionById(n, column)`: the column is the number of a row's partition, null that of the first.
    pub(super) fn repartition_by_id(
        &self,
        resolved: Resolved,
        id: &spec::Expr,
        partitions: Option<usize>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let id = Exprs::new(self, env, &resolved.scope).resolve(id)?;
        if !matches!(id.data_type, DataType::Integer | DataType::Short | DataType::Byte | DataType::Null) {
            let shown = format!("direct_shuffle_partition_id({})", id.sql());
            return Err(errors::unexpected_input(&shown, 0, "\"INT\"", &id.sql(), &id.data_type));
        }
        let number = self.coerce(id, &DataType::Long)?.expr;
        self.laid_out(resolved, number, Layout::Shuffle { partitions })
    }

    /// The rows of a `SELECT` with what it does not show but is laid out by, hidden, and all keys; `None` for other relations.
    fn with_unselected(
        &self,
        resolved: &Resolved,
        by: &[spec::Expr],
        env: &Env,
    ) -> SparkResult<Option<(Resolved, Vec<Typed>)>> {
        let Some(block) = &resolved.block else { return Ok(None) };
        let mut scope = resolved.scope.clone();
        let (mut extra, mut keys, mut hidden) = (Vec::new(), Vec::with_capacity(by.len()), Vec::new());
        for key in by {
            let order = spec::SortOrder { expr: key.clone(), ascending: true, nulls_first: true };
            let (mut expr, added, data_type) = self.sort_key(resolved, &order, env)?;
            if added.is_some() {
                let id = self.fresh();
                extra.push((expr, id));
                expr = Expr::Column(column(id));
                // A sort within the partitions may be by the same column.
                if let ExprKind::Attribute { name, .. } = &*key.kind
                    && let Some((name, qualifier)) = name.split_last()
                {
                    let (name, qualifier, data_type) = (name.clone(), qualifier.into(), data_type.clone());
                    hidden.push(Attribute { id, name, qualifier, data_type, nullable: true, metadata: None });
                }
            }
            keys.push(Typed::new(expr, data_type, true, ""));
        }
        let plan = block.build(self, &extra)?;
        scope.hidden = hidden;
        Ok(Some((Resolved::new(plan, scope), keys)))
    }

    /// Rows where the hash of their keys sends them.
    fn shuffled(&self, resolved: Resolved, keys: Vec<Typed>, partitions: Option<usize>) -> SparkResult<Resolved> {
        let keys = keys
            .into_iter()
            .map(|key| {
                let expr = collation::keyed(key.expr, &key.data_type)?;
                Ok(Typed { expr, data_type: key.data_type.without_collations(), ..key })
            })
            .collect::<SparkResult<Vec<_>>>()?;
        let Some(function) = registry().scalar("hash") else {
            return Err(SparkError::internal("function hash is not known"));
        };
        let hash = self.call_scalar(&function, keys, "hash".to_string())?;
        let number = self.coerce(hash, &DataType::Long)?.expr;
        self.laid_out(resolved, number, Layout::Shuffle { partitions })
    }

    /// Cuts sorted rows into parts of one size; equal rows are in one part.
    fn range_number(&self, exprs: &Exprs<'_, '_>, by: &[spec::Expr], partitions: usize) -> SparkResult<Expr> {
        use datafusion::functions_aggregate::count::count_udaf;
        use datafusion::functions_window::expr_fn::rank;
        use datafusion::logical_expr::expr::WindowFunction;
        let mut keys = Vec::with_capacity(by.len());
        for key in by {
            let (expr, ascending, nulls_first) = match &*key.kind {
                ExprKind::SortOrder(order) => (&order.expr, order.ascending, order.nulls_first),
                _ => (key, true, true),
            };
            let key = exprs.resolve(expr)?;
            errors::check_orderable(&key.name, &key.data_type)?;
            keys.push(SortExpr::new(collation::keyed(key.expr, &key.data_type)?, ascending, nulls_first));
        }
        let place = rank().order_by(keys).build().map_err(errors::planning)?;
        let place = datafusion::logical_expr::cast(place, arrow::datatypes::DataType::Int64);
        let all = Expr::from(WindowFunction::new(count_udaf(), vec![lit(1_i64)]));
        let partitions = i64::try_from(partitions).unwrap_or(i64::MAX);
        Ok((place - lit(1_i64)) * lit(partitions) / all)
    }

    fn laid_out(&self, resolved: Resolved, number: Expr, layout: Layout) -> SparkResult<Resolved> {
        let columns: Vec<_> = resolved.scope.attributes.iter().chain(&resolved.scope.hidden).cloned().collect();
        let id = self.fresh();
        let (plan, number) = windowed(resolved.plan.clone(), number)?;
        let numbered = columns.iter().map(|a| (a.expr(), a.id)).chain([(number, id)]).collect();
        let plan = LayoutNode::new(plan::project(plan, numbered)?, layout).into_plan();
        let plan = plan::keep(plan, &columns)?;
        // A sort above by what the block does not show makes the block anew; then its own layout is what counts.
        Ok(Resolved { plan, ..resolved })
    }

    /// A hint that says how rows lie; `None` for all others, which choose how, never what.
    pub(super) fn layout_hint(
        &self,
        input: &Relation,
        name: &str,
        args: &[spec::Expr],
        env: &Env,
    ) -> SparkResult<Option<Resolved>> {
        let name = name.to_uppercase();
        if !matches!(name.as_str(), "COALESCE" | "REPARTITION" | "REPARTITION_BY_RANGE" | "REBALANCE") {
            return Ok(None);
        }
        let whole = args.first().and_then(|first| match &*first.kind {
            ExprKind::Literal(Literal::Integer(number)) => Some(i64::from(*number)),
            _ => None,
        });
        let resolved = self.relation(input, env)?;
        if name == "COALESCE" {
            return match (whole, args) {
                (Some(partitions), [_]) => self.repartition(resolved, partitions, false, env).map(Some),
                _ => {
                    Err(bad_hint("_LEGACY_ERROR_TEMP_1048", "COALESCE Hint expects a partition number as a parameter."))
                }
            };
        }
        if let (Some(partitions), "REPARTITION", [_]) = (whole, name.as_str(), args) {
            return self.repartition(resolved, partitions, true, env).map(Some);
        }
        let partitions = whole.map(positive).transpose()?;
        let mut by = Vec::with_capacity(args.len());
        for arg in args.iter().skip(usize::from(whole.is_some())) {
            by.push(match &*arg.kind {
                ExprKind::Attribute { .. } => arg.clone(),
                ExprKind::Literal(Literal::String(column)) => {
                    let name = vec![column.clone()];
                    ExprKind::Attribute { name, plan_id: None, is_metadata: false }.into()
                }
                _ => {
                    let shown = Exprs::new(self, env, &resolved.scope).resolve(arg)?.sql();
                    return Err(bad_hint(
                        "_LEGACY_ERROR_TEMP_1047",
                        &format!(
                            "{name} Hint parameters should include an optional integral partitionNum and/or columns, \
                             but \"{shown}\" can not be recognized as either partitionNum or columns."
                        ),
                    ));
                }
            });
        }
        if name == "REBALANCE" {
            // The number is where Spark begins; what comes out of it depends on how much there is.
            return self.repartition_by(resolved, &by, None, env).map(Some);
        }
        if name == "REPARTITION_BY_RANGE" {
            let order = |expr| spec::SortOrder { expr, ascending: true, nulls_first: true };
            by = by.into_iter().map(|expr| ExprKind::SortOrder(order(expr)).into()).collect();
        }
        self.repartition_by(resolved, &by, partitions, env).map(Some)
    }
}

/// Rows sorted in each partition.
pub(super) fn sorted_within(input: LogicalPlan, keys: Vec<SortExpr>) -> LogicalPlan {
    if keys.is_empty() {
        return input;
    }
    LayoutNode::new(input, Layout::Sorted { keys }).into_plan()
}

/// Computes the window functions of an expression below it.
fn windowed(input: LogicalPlan, expr: Expr) -> SparkResult<(LogicalPlan, Expr)> {
    let mut found: Vec<Expr> = Vec::new();
    // The closure never fails.
    let _ = expr.apply(|part| {
        if matches!(part, Expr::WindowFunction(_)) && !found.contains(part) {
            found.push(part.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    if found.is_empty() {
        return Ok((input, expr));
    }
    let plan = LogicalPlanBuilder::window_plan(input, found.clone()).map_err(errors::planning)?;
    let expr = expr.transform_down(|part| {
        Ok(match found.contains(&part) {
            true => Transformed::yes(Expr::Column(Column::new_unqualified(part.schema_name().to_string()))),
            false => Transformed::no(part),
        })
    });
    Ok((plan, expr.map_err(errors::planning)?.data))
}

fn bad_hint(condition: &str, message: &str) -> SparkError {
    SparkError::analysis(condition, &[]).with_message(message)
}

/// A number of partitions.
pub(super) fn positive(partitions: i64) -> SparkResult<usize> {
    match usize::try_from(partitions) {
        Ok(partitions) if partitions > 0 => Ok(partitions),
        _ => Err(errors::requirement(&format!("Number of partitions ({partitions}) must be positive."))),
    }
}
