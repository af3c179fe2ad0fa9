//! A select block: input, grouping, conditions, windows, generators, projection, distinct.
//!
//! Expressions are kept as resolved over the input; [`Block::build`] takes aggregates, windows and generators out of them.
//! A sort or filter above may ask for more columns and build again.

use std::sync::Arc;

use datafusion::common::{Column, HashMap};
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use firesteel_functions::arithmetic;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use crate::analyze::canonical::same_meaning;
use crate::analyze::collation::GroupKeys;
use crate::analyze::expr::Generator;
use crate::analyze::scope::{Attribute, Scope, column};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};

mod parts;

use parts::{Parts, windows};

/// Grouping of a block.
#[derive(Debug, Clone, Default)]
pub(in crate::analyze) struct Grouping {
    /// Distinct keys and their ids after grouping.
    pub keys: Vec<(Typed, u64)>,
    /// Sets as indices into `keys`; `None` for plain grouping.
    pub sets: Option<Vec<Vec<usize>>>,
    /// There was a `GROUP BY`.
    pub said: bool,
}

/// A select block.
#[derive(Debug, Clone)]
pub(in crate::analyze) struct Block {
    /// What it reads.
    pub input: LogicalPlan,
    /// Columns of that.
    pub input_scope: Scope,
    /// Grouping; `None` without aggregation.
    pub grouping: Option<Grouping>,
    /// `HAVING`.
    pub having: Vec<Expr>,
    /// `HAVING` uses what the select list does not give.
    pub having_adds: bool,
    /// Aggregates that subqueries of `having` ask for.
    pub asked: Vec<(Expr, u64)>,
    /// `QUALIFY`.
    pub qualify: Vec<Expr>,
    /// Generators in the select list.
    pub generators: Vec<Generator>,
    /// Select list and ids of its columns.
    pub items: Vec<(Typed, u64)>,
    /// `DISTINCT`.
    pub distinct: bool,
}

impl Block {
    /// A projection.
    pub(super) fn new(input: LogicalPlan, input_scope: Scope) -> Self {
        Self {
            input,
            input_scope,
            grouping: None,
            asked: vec![],
            having: vec![],
            having_adds: false,
            qualify: vec![],
            generators: vec![],
            items: vec![],
            distinct: false,
        }
    }

    /// Sets the select list: columns as they stand keep their ids, each once.
    pub(super) fn set_items(&mut self, analyzer: &Analyzer<'_>, items: Vec<Typed>) {
        let mut used: Vec<u64> = Vec::with_capacity(items.len());
        self.items = items
            .into_iter()
            .map(|item| {
                let own = match (&item.expr, &item.qualifier) {
                    (Expr::Column(column), Some(_)) => column.name.strip_prefix('#').and_then(|n| n.parse().ok()),
                    _ => None,
                };
                let id = own.filter(|id| !used.contains(id)).unwrap_or_else(|| analyzer.fresh());
                used.push(id);
                (item, id)
            })
            .collect();
    }

    /// Output columns.
    pub(super) fn output(&self) -> Vec<Attribute> {
        let grouped = self.grouping.as_ref().filter(|g| g.sets.is_some());
        self.items
            .iter()
            .map(|(item, id)| {
                let mut attribute = item.output(*id);
                // Keys that some grouping set leaves out are null there.
                if let Some(grouping) = grouped {
                    let is_key = |e: &Expr| grouping.keys.iter().any(|(k, _)| k.expr == *e);
                    attribute.nullable |= plan::contains(&item.expr, is_key);
                }
                attribute
            })
            .collect()
    }

    /// The columns that say which file a row is from, where each row of the output is a row of the input.
    pub(super) fn passes_files(&self) -> Vec<Attribute> {
        let aggregate = |e: &Expr| matches!(e, Expr::AggregateFunction(_));
        let grouped = self.grouping.is_some()
            || !self.having.is_empty()
            || self.items.iter().any(|(item, _)| plan::contains(&item.expr, aggregate));
        if grouped || self.distinct { Vec::new() } else { self.input_scope.of_files() }
    }

    /// Columns that repeat an earlier one.
    pub(super) fn twins(&self) -> Vec<u64> {
        let repeats = |(index, (item, _)): &(usize, &(Typed, u64))| {
            item.qualifier.is_some() && self.items.iter().take(*index).any(|(earlier, _)| earlier.expr == item.expr)
        };
        self.items.iter().enumerate().filter(repeats).map(|(_, (_, id))| *id).collect()
    }

    /// Replaces references to output columns by what they stand for.
    pub(super) fn inline(&self, expr: Expr) -> SparkResult<Expr> {
        let map: HashMap<Column, Expr> = self.items.iter().map(|(item, id)| (column(*id), item.expr.clone())).collect();
        plan::substitute(expr, &map)
    }

    /// The plan, with more columns after the select list.
    pub(super) fn build(&self, analyzer: &Analyzer<'_>, extra: &[(Expr, u64)]) -> SparkResult<LogicalPlan> {
        let mut parts = Parts {
            having: self.having.clone(),
            qualify: self.qualify.clone(),
            generators: self.generators.clone(),
            items: self.items.iter().map(|(item, id)| (item.expr.clone(), *id)).chain(extra.iter().cloned()).collect(),
        };
        let mut plan = self.input.clone();
        let aggregated = parts.any(|e| matches!(e, Expr::AggregateFunction(_)));
        if self.grouping.is_some() || aggregated {
            let grouping = self.grouping.clone().unwrap_or_default();
            plan = self.aggregate(analyzer, plan, grouping, &mut parts)?;
        }
        for condition in std::mem::take(&mut parts.having) {
            plan = plan::filter(plan, condition)?;
        }
        for generator in std::mem::take(&mut parts.generators) {
            plan = super::generate::apply(analyzer, plan, &generator)?;
        }
        plan = windows(plan, &mut parts)?;
        for condition in std::mem::take(&mut parts.qualify) {
            plan = plan::filter(plan, condition)?;
        }
        plan = plan::project(plan, parts.items)?;
        if self.distinct { analyzer.distinct(plan, &self.output()) } else { Ok(plan) }
    }

    fn aggregate(
        &self,
        analyzer: &Analyzer<'_>,
        mut input: LogicalPlan,
        grouping: Grouping,
        parts: &mut Parts,
    ) -> SparkResult<LogicalPlan> {
        analyzer.aggregated(&input);
        let mut keys: Vec<(Expr, u64)> = grouping.keys.iter().map(|(key, id)| (key.expr.clone(), *id)).collect();
        // Sets are over columns, and subqueries are joined below: such parts become columns first.
        let mut computed: Vec<(Expr, u64)> = Vec::new();
        // Spark expands rows into sets, so that no rows make no groups: a constant key keeps the set `()` from being a global one.
        let constant =
            grouping.sets.as_ref().is_some_and(|sets| sets.iter().any(Vec::is_empty)).then(|| analyzer.fresh());
        if let Some(id) = constant {
            computed.push((Expr::Literal(datafusion::scalar::ScalarValue::Int32(Some(0)), None), id));
        }
        for (key, id) in &keys {
            let alone = grouping.sets.is_some() && !matches!(key, Expr::Column(_));
            if alone || plan::contains(key, is_subquery) {
                computed.push((key.clone(), *id));
            }
        }
        parts.visit(|e| {
            if let Expr::AggregateFunction(function) = e {
                for arg in function.params.args.iter().chain(function.params.filter.as_deref()) {
                    if plan::contains(arg, is_subquery) && !computed.iter().any(|(known, _)| known == arg) {
                        computed.push((arg.clone(), analyzer.fresh()));
                    }
                }
            }
        });
        if !computed.is_empty() {
            let mut columns: Vec<(Expr, u64)> =
                self.input_scope.attributes.iter().chain(&self.input_scope.hidden).map(|a| (a.expr(), a.id)).collect();
            columns.extend(computed.iter().cloned());
            input = plan::project(input, columns)?;
            parts.rewrite(|e| {
                computed
                    .iter()
                    .find(|(key, id)| key == e && Some(*id) != constant)
                    .map(|(_, id)| Expr::Column(column(*id)))
            })?;
            for (key, id) in &mut keys {
                if computed.iter().any(|(_, c)| c == id) {
                    *key = Expr::Column(column(*id));
                }
            }
        }
        let absent = absent_keys(&grouping, &keys);
        if !absent.is_empty() {
            parts.rewrite(|e| super::group::without_absent(e, &absent))?;
        }
        let mut aggregates: Vec<(Expr, u64)> = self.asked.clone();
        parts.visit(|e| {
            if matches!(e, Expr::AggregateFunction(_)) && !aggregates.iter().any(|(known, _)| known == e) {
                aggregates.push((e.clone(), analyzer.fresh()));
            }
        });
        let literal_keys = grouping.sets.is_some();
        parts.rewrite(|e| {
            if let Some((_, id)) = aggregates.iter().find(|(known, _)| known == e) {
                return Some(Expr::Column(column(*id)));
            }
            if matches!(e, Expr::Literal(..)) && !literal_keys {
                return None;
            }
            keys.iter().find(|(key, _)| same_meaning(key, e)).map(|(_, id)| Expr::Column(column(*id)))
        })?;
        let valid: Vec<Column> = keys.iter().chain(&aggregates).map(|(_, id)| column(*id)).collect();
        self.check_grouped(&grouping, parts, &valid)?;
        let types = grouping.keys.iter().map(|(key, _)| key.data_type.clone());
        let compared = GroupKeys::new(analyzer, &keys, types, grouping.sets.is_some())?;
        let mut restored: Vec<(Expr, u64)> = Vec::new();
        if !compared.is_empty() {
            let mut columns: Vec<(Expr, u64)> = input
                .schema()
                .columns()
                .into_iter()
                .filter_map(|c| Some((Expr::Column(c.clone()), id_of(&c)?)))
                .collect();
            columns.extend(compared.computed.iter().cloned());
            input = plan::project(input, columns)?;
            for (index, (key, id)) in keys.iter_mut().enumerate() {
                let Some((key_column, key_id)) = compared.column_of(index) else { continue };
                let Some((typed, _)) = grouping.keys.get(index) else { continue };
                let value = Typed { expr: std::mem::replace(key, key_column.clone()), ..typed.clone() };
                for (call, _) in aggregates.iter_mut().filter(|(call, _)| is_grouping(call)) {
                    *call = with_key(call.clone(), &value.expr, &key_column)?;
                }
                if !typed.data_type.is_collated() {
                    restored.push((key_column, *id));
                    *id = key_id;
                    continue;
                }
                let first = analyzer.first_value(value)?;
                if grouping.sets.is_some() {
                    // A set that leaves the key out has no value of it.
                    let found = analyzer.fresh();
                    aggregates.push((first, found));
                    let shown = datafusion::logical_expr::when(key_column.is_not_null(), Expr::Column(column(found)))
                        .end()
                        .map_err(errors::planning)?;
                    restored.push((shown, *id));
                } else {
                    aggregates.push((first, *id));
                }
                *id = key_id;
            }
        }
        let group_expr = match &grouping.sets {
            None => keys
                .into_iter()
                .zip(&grouping.keys)
                .map(|((key, id), (typed, _))| {
                    // Equal floats differ in bits: zeros by sign, NaNs by payload.
                    let float = arithmetic::holds_float(&typed.data_type.to_arrow());
                    let key = if float { arithmetic::normalize_float(key) } else { key };
                    plan::named(super::group::comparable(key, &typed.data_type), id)
                })
                .collect(),
            Some(sets) => {
                let key = |index: &usize| keys.get(*index).map(|(key, _)| key.clone());
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(
                    sets.iter()
                        .map(|set| {
                            let constant = constant.map(|id| Expr::Column(column(id)));
                            set.iter().filter_map(key).chain(constant).collect()
                        })
                        .collect(),
                ))]
            }
        };
        let aggr_expr: Vec<Expr> = aggregates.into_iter().map(|(e, id)| plan::named(e, id)).collect();
        if group_expr.is_empty() && aggr_expr.is_empty() {
            // `GROUP BY ()` and the like: one row.
            return plan::limit(LogicalPlanBuilder::empty(true).build().map_err(errors::planning)?, 0, Some(1));
        }
        let aggregate = Aggregate::try_new(Arc::new(input), group_expr, aggr_expr).map_err(errors::planning)?;
        let global = aggregate.group_expr.is_empty();
        let mut plan = LogicalPlan::Aggregate(aggregate);
        // A condition without columns must not sink below a global aggregate, which has a row whatever its input has:
        // it would, once a constant of the select list takes the place of a column. Nothing sinks below a limit.
        let mut above = parts.having.iter().chain(parts.items.iter().map(|(item, _)| item));
        if global && above.any(|e| e.column_refs().is_empty()) && plan.all_out_ref_exprs().is_empty() {
            plan = plan::limit(plan, 0, Some(1))?;
        }
        if restored.is_empty() {
            return Ok(plan);
        }
        let mut columns: Vec<(Expr, u64)> =
            plan.schema().columns().into_iter().filter_map(|c| Some((Expr::Column(c.clone()), id_of(&c)?))).collect();
        columns.retain(|(_, id)| restored.iter().all(|(_, own)| own != id));
        columns.extend(restored);
        plan::project(plan, columns)
    }

    fn check_grouped(&self, grouping: &Grouping, parts: &Parts, valid: &[Column]) -> SparkResult<()> {
        let generated: Vec<Column> =
            parts.generators.iter().flat_map(|g| g.output.iter().map(Attribute::column)).collect();
        let mut wrong: Option<Column> = None;
        parts.visit(|e| {
            if let Expr::Column(found) = e
                && wrong.is_none()
                && !valid.contains(found)
                && !generated.contains(found)
            {
                wrong = Some(found.clone());
            }
        });
        let Some(wrong) = wrong else { return Ok(()) };
        if !grouping.said {
            return Err(SparkError::analysis("MISSING_GROUP_BY", &[]));
        }
        let id = wrong.name.strip_prefix('#').and_then(|n| n.parse().ok());
        let name = id.and_then(|id| self.input_scope.by_id(id)).map_or_else(String::new, |a| a.name.clone());
        Err(SparkError::analysis(
            "MISSING_AGGREGATION",
            &[
                ("expression", &errors::expression(&name)),
                ("expressionAnyValue", &errors::expression(&format!("any_value({name})"))),
            ],
        ))
    }
}

/// Keys that no grouping set has: null in every row.
fn absent_keys(grouping: &Grouping, keys: &[(Expr, u64)]) -> Vec<(Expr, DataType)> {
    let Some(sets) = &grouping.sets else { return vec![] };
    let absent = |index: &usize| !sets.iter().any(|set| set.contains(index));
    let typed = grouping.keys.iter().zip(keys).enumerate();
    typed
        .filter(|(index, _)| absent(index))
        .map(|(_, ((key, _), (expr, _)))| (expr.clone(), key.data_type.clone()))
        .collect()
}

/// The id of a column.
fn id_of(column: &Column) -> Option<u64> {
    column.name.strip_prefix('#').and_then(|id| id.parse().ok())
}

/// `grouping(...)` of another expression for a key.
fn with_key(call: Expr, key: &Expr, by: &Expr) -> SparkResult<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    call.transform_down(|e| Ok(if e == *key { Transformed::yes(by.clone()) } else { Transformed::no(e) }))
        .map(|changed| changed.data)
        .map_err(errors::planning)
}

fn is_grouping(expr: &Expr) -> bool {
    matches!(expr, Expr::AggregateFunction(function) if function.func.name() == "grouping")
}

fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_))
}
