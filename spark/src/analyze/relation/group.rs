//! `GROUP BY`: ordinals, aliases, `ALL`, rollup, cube and grouping sets.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult, registry};

use super::block::Grouping;
use crate::analyze::errors::At;
use crate::analyze::expr::{Exprs, binary};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, ExprKind, GroupBy, GroupingElement, Literal};

/// Expressions that stand in rollups, cubes and grouping sets, in order; empty for plain grouping.
pub(super) fn key_candidates(elements: &[GroupingElement]) -> Vec<spec::Expr> {
    if elements.iter().all(|e| matches!(e, GroupingElement::Expr(_))) {
        return vec![];
    }
    let mut out = Vec::new();
    elements.iter().for_each(|e| collect(e, &mut out));
    out
}

/// Whether a position of the select list is grouped by.
pub(super) fn has_ordinal(group_by: &GroupBy) -> bool {
    let GroupBy::Elements(elements) = group_by else { return false };
    let mut exprs = Vec::new();
    elements.iter().for_each(|e| collect(e, &mut exprs));
    exprs.iter().any(|e| matches!(&*e.kind, ExprKind::Literal(Literal::Integer(_))))
}

fn all_as_name() -> spec::Expr {
    ExprKind::Attribute { name: vec!["all".to_string()], plan_id: None, is_metadata: false }.into()
}

fn collect(element: &GroupingElement, out: &mut Vec<spec::Expr>) {
    match element {
        GroupingElement::Expr(expr) => out.push(expr.clone()),
        GroupingElement::Set(exprs) | GroupingElement::Keys(exprs) => out.extend(exprs.iter().cloned()),
        GroupingElement::Rollup(sets) | GroupingElement::Cube(sets) => out.extend(sets.iter().flatten().cloned()),
        GroupingElement::GroupingSets(elements) => elements.iter().for_each(|e| collect(e, out)),
    }
}

impl Analyzer<'_> {
    /// The keys `grouping(...)` may name, as far as they resolve before the select list does.
    pub(super) fn candidate_keys(&self, exprs: &Exprs<'_, '_>, candidates: &[spec::Expr]) -> Vec<Typed> {
        let mut keys: Vec<Typed> = Vec::new();
        for candidate in candidates {
            if let Ok(typed) = exprs.resolve(candidate)
                && !keys.iter().any(|k| k.expr == typed.expr)
            {
                keys.push(typed);
            }
        }
        keys
    }

    /// Resolves a `GROUP BY`.
    pub(super) fn grouping(&self, exprs: &Exprs<'_, '_>, group_by: &GroupBy, items: &[Typed]) -> SparkResult<Grouping> {
        let mut grouping = Grouping { said: true, ..Grouping::default() };
        exprs.group_items.replace(Some(if self.context.group_by_aliases { items.to_vec() } else { vec![] }));
        match group_by {
            // A column or alias of that name is meant before all columns are.
            GroupBy::All => {
                if let Ok(column) = exprs.resolve(&all_as_name())
                    && !plan::contains(&column.expr, |e| matches!(e, Expr::OuterReferenceColumn(..)))
                {
                    self.key(&mut grouping, column);
                    return Ok(grouping);
                }
                if !exprs.lateral_items.borrow().is_empty() {
                    return Err(errors::lateral_group_by());
                }
                for item in items {
                    if !plan::contains(&item.expr, |e| {
                        matches!(e, Expr::AggregateFunction(_) | Expr::WindowFunction(_))
                    }) {
                        self.key(&mut grouping, item.clone());
                    }
                }
                if grouping.keys.is_empty() && items.iter().any(|item| reads_input(&item.expr)) {
                    return Err(SparkError::analysis("UNRESOLVED_ALL_IN_GROUP_BY", &[]));
                }
            }
            GroupBy::Elements(elements) => {
                let plain = elements.iter().all(|e| matches!(e, GroupingElement::Expr(_)));
                let mut sets: Vec<Vec<usize>> = vec![vec![]];
                for element in elements {
                    let alternatives = self.element(exprs, element, items, &mut grouping)?;
                    // Several elements multiply.
                    sets = sets
                        .iter()
                        .flat_map(|left| {
                            alternatives.iter().map(move |right| left.iter().chain(right).copied().collect())
                        })
                        .collect();
                    if sets.len() > 4096 {
                        return Err(errors::unsupported("more than 4096 grouping sets"));
                    }
                }
                if !plain {
                    for set in &mut sets {
                        let mut seen = Vec::new();
                        set.retain(|k| {
                            let new = !seen.contains(k);
                            seen.push(*k);
                            new
                        });
                    }
                    if grouping.keys.iter().any(|(key, _)| holds_map(&key.data_type)) {
                        return Err(errors::unsupported("grouping sets of values that hold maps"));
                    }
                    // One set without keys is the whole input, which has a row also when there is none.
                    let whole = matches!(sets.as_slice(), [only] if only.is_empty()) && grouping.keys.is_empty();
                    grouping.sets = (!whole).then_some(sets);
                }
            }
        }
        Ok(grouping)
    }

    fn element(
        &self,
        exprs: &Exprs<'_, '_>,
        element: &GroupingElement,
        items: &[Typed],
        grouping: &mut Grouping,
    ) -> SparkResult<Vec<Vec<usize>>> {
        let mut set = |exprs_of_set: &[spec::Expr]| -> SparkResult<Vec<usize>> {
            exprs_of_set.iter().map(|e| Ok(self.key(grouping, self.group_expr(exprs, e, items)?))).collect()
        };
        Ok(match element {
            GroupingElement::Expr(expr) => vec![set(std::slice::from_ref(expr))?],
            GroupingElement::Set(members) => vec![set(members)?],
            GroupingElement::Keys(members) => {
                set(members)?;
                vec![vec![]]
            }
            GroupingElement::Rollup(parts) => {
                let parts = parts.iter().map(|p| set(p)).collect::<SparkResult<Vec<_>>>()?;
                (0..=parts.len()).rev().map(|n| parts.iter().take(n).flatten().copied().collect()).collect()
            }
            GroupingElement::Cube(parts) => {
                let parts = parts.iter().map(|p| set(p)).collect::<SparkResult<Vec<_>>>()?;
                if parts.len() > 12 {
                    return Err(errors::unsupported("a cube of more than 12 columns"));
                }
                let pick = |mask: usize| -> Vec<usize> {
                    let last = parts.len().saturating_sub(1);
                    parts
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| mask & (1 << (last - i)) != 0)
                        .flat_map(|(_, p)| p.iter().copied())
                        .collect()
                };
                (0..1usize << parts.len()).rev().map(pick).collect()
            }
            GroupingElement::GroupingSets(elements) => {
                let mut all = Vec::new();
                for element in elements {
                    all.extend(self.element(exprs, element, items, grouping)?);
                }
                all
            }
        })
    }

    /// One grouping expression: an ordinal, a column, or an alias of the select list.
    fn group_expr(&self, exprs: &Exprs<'_, '_>, expr: &spec::Expr, items: &[Typed]) -> SparkResult<Typed> {
        if self.context.ordinals
            && let ExprKind::Literal(Literal::Integer(ordinal)) = &*expr.kind
            && !items.is_empty()
        {
            let index = usize::try_from(*ordinal).ok().and_then(|o| o.checked_sub(1));
            let Some(item) = index.and_then(|i| items.get(i)) else {
                return Err(SparkError::analysis(
                    "GROUP_BY_POS_OUT_OF_RANGE",
                    &[("index", &ordinal.to_string()), ("size", &items.len().to_string())],
                ))
                .at(expr.origin.as_ref());
            };
            if plan::contains(&item.expr, |e| matches!(e, Expr::WindowFunction(_))) {
                return Err(unsupported_key(&item.name)).at(expr.origin.as_ref());
            }
            if plan::contains(&item.expr, |e| matches!(e, Expr::AggregateFunction(_))) {
                return Err(SparkError::analysis(
                    "GROUP_BY_POS_AGGREGATE",
                    &[("index", &ordinal.to_string()), ("aggExpr", &item.name)],
                ))
                .at(expr.origin.as_ref());
            }
            return Ok(item.clone());
        }
        let typed = exprs.resolve(expr)?;
        if plan::contains(&typed.expr, |e| matches!(e, Expr::WindowFunction(_))) {
            return Err(unsupported_key(&typed.name)).at(expr.origin.as_ref());
        }
        if plan::contains(&typed.expr, |e| matches!(e, Expr::AggregateFunction(_))) {
            return Err(SparkError::analysis("GROUP_BY_AGGREGATE", &[("sqlExpr", &typed.name)]))
                .at(expr.origin.as_ref());
        }
        if matches!(typed.data_type, DataType::Variant | DataType::CalendarInterval) {
            return Err(SparkError::analysis(
                "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
                &[("sqlExpr", &errors::expression(&typed.name)), ("dataType", &errors::sql_type(&typed.data_type))],
            ))
            .at(expr.origin.as_ref());
        }
        Ok(typed)
    }

    /// Index of a key, added when it is new.
    fn key(&self, grouping: &mut Grouping, key: Typed) -> usize {
        if let Some(index) = grouping.keys.iter().position(|(k, _)| k.expr == key.expr) {
            return index;
        }
        let own = match &key.expr {
            Expr::Column(column) => column.name.strip_prefix('#').and_then(|n| n.parse().ok()),
            _ => None,
        };
        grouping.keys.push((key, own.unwrap_or_else(|| self.fresh())));
        grouping.keys.len() - 1
    }
}

fn unsupported_key(text: &str) -> SparkError {
    SparkError::analysis(
        "UNSUPPORTED_EXPR_FOR_OPERATOR",
        &[("operator", "Aggregate"), ("invalidExprSqls", &errors::expression(text))],
    )
}

/// Whether columns are used outside of aggregates.
fn reads_input(expr: &Expr) -> bool {
    let mut reads = false;
    let visited = expr.apply(|e| {
        reads |= matches!(e, Expr::Column(_));
        Ok(if matches!(e, Expr::AggregateFunction(_)) { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Continue })
    });
    visited.is_ok() && reads
}

/// What keys that no grouping set has stand for: null, and a set bit of `grouping_id`.
pub(super) fn without_absent(expr: &Expr, absent: &[(Expr, DataType)]) -> Option<Expr> {
    let is_absent = |e: &Expr| absent.iter().find(|(key, _)| key == e);
    match expr {
        Expr::AggregateFunction(call) if call.func.name() == "grouping" => {
            let args = &call.params.args;
            if !args.iter().any(|arg| is_absent(arg).is_some()) {
                return None;
            }
            let number = |value: i32| Expr::Literal(ScalarValue::Int32(Some(value)), None);
            let mut total = number(0);
            for arg in args {
                let bit = if is_absent(arg).is_some() {
                    number(1)
                } else {
                    let mut one = call.clone();
                    one.params.args = vec![arg.clone()];
                    Expr::AggregateFunction(one)
                };
                total = binary(binary(total, Operator::Multiply, number(2)), Operator::Plus, bit);
            }
            Some(total)
        }
        other => {
            let (_, data_type) = is_absent(other)?;
            ScalarValue::try_from(&data_type.to_arrow()).ok().map(|null| Expr::Literal(null, None))
        }
    }
}

/// A key as it is grouped by: maps with their entries in order, because equal maps may differ in it.
pub(super) fn comparable(key: Expr, data_type: &DataType) -> Expr {
    match registry().scalar("spark_map_sort") {
        Some(udf) if holds_map(data_type) => {
            Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(udf, vec![key]))
        }
        _ => key,
    }
}

fn holds_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map { .. } => true,
        DataType::Array { element, .. } => holds_map(element),
        DataType::Struct(fields) => fields.fields.iter().any(|f| holds_map(&f.data_type)),
        _ => false,
    }
}
