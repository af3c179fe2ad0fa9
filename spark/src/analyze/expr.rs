//! Expressions: the unresolved expression to a [`Typed`] one. The dispatch is here, each kind in its own file below.
//!
//! Aggregates, windows and generators stay inside the expression; `relation::block` takes them out.

mod aggregate;
mod alike;
mod arithmetic;
mod char_padding;
mod choice;
mod collate;
mod column;
mod constant;
mod decided;
mod document;
mod function;
mod input_file;
mod internal;
mod lambda;
mod moment;
mod name_pattern;
mod nested;
mod operator;
mod pandas;
mod predicate;
mod random;
mod reach;
mod special;
mod star;
mod subquery;
mod temporal;
mod udf;
mod unavailable;
mod window;

pub(super) use operator::{balanced, binary};
pub(super) use reach::{Reach, mark, unmarked};

use std::cell::{Cell, RefCell};

use datafusion::logical_expr::Expr;
use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

use super::collation::{self, Strength};
use super::errors::{self, At};
use super::relation::Env;
use super::scope::{Attribute, Scope};
use super::typed::Typed;
use super::{Analyzer, naming};
use crate::spec::{self, ExprKind};

/// A table-generating function found in a select list.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    /// Lower-case name without `_outer`.
    pub name: String,
    /// Keep input rows without output.
    pub outer: bool,
    /// Arguments.
    pub args: Vec<Typed>,
    /// Output columns.
    pub output: Vec<Attribute>,
}

/// Resolves expressions over a scope.
pub(super) struct Exprs<'s, 'a> {
    /// The analyzer.
    pub analyzer: &'s Analyzer<'a>,
    /// What surrounds the relation.
    pub env: &'s Env,
    /// Columns.
    pub scope: &'s Scope,
    /// Columns below a select block: tried when `scope` has no match, and first inside aggregates.
    pub below: Option<&'s Scope>,
    /// How names of `HAVING` and `ORDER BY` reach `below`; `None` for the rule above.
    pub reach: Option<Reach>,
    /// `WINDOW` clause.
    pub windows: &'s [(String, spec::WindowSpec)],
    /// Aliases to the left in the same select list.
    pub aliases: RefCell<Vec<(String, Typed)>>,
    /// Subqueries resolved so far, by their text.
    pub subqueries: RefCell<Vec<(String, Typed)>>,
    /// Lambda parameters, innermost last.
    pub lambdas: RefCell<Vec<(String, Typed)>>,
    /// In how many lambdas the body being resolved stands.
    pub lambda_depth: Cell<usize>,
    /// Generators found; `None` where none is allowed.
    pub generators: Option<&'s RefCell<Vec<Generator>>>,
    /// Grouping expressions, for `grouping(...)`.
    pub grouping: Option<&'s [Typed]>,
    /// The select list while `GROUP BY` is resolved: its names stand for its expressions.
    pub group_items: RefCell<Option<Vec<Typed>>>,
    /// Whether an alias to the left was used since this was last reset.
    pub lateral: Cell<bool>,
    /// Items of the select list that use aliases to the left.
    pub lateral_items: RefCell<Vec<usize>>,
    /// Where the name being resolved is written.
    pub origin: RefCell<Option<spec::Origin>>,
    /// Where the last call that draws its own seed is written.
    pub drawing: Cell<Option<u64>>,
    /// In `HAVING`: aggregates that its subqueries ask for.
    pub outer_aggregates: Option<super::relation::OuterAggregates>,
    /// Inside the arguments of an aggregate.
    pub in_aggregate: Cell<bool>,
    /// Inside a window function's arguments.
    pub in_window: Cell<bool>,
    /// The firmest collation among the parts of each expression being resolved, innermost last.
    pub strengths: RefCell<Vec<Strength>>,
}

impl<'s, 'a> Exprs<'s, 'a> {
    /// Expressions over one scope.
    pub(super) fn new(analyzer: &'s Analyzer<'a>, env: &'s Env, scope: &'s Scope) -> Self {
        Self {
            analyzer,
            env,
            scope,
            below: None,
            reach: None,
            windows: &[],
            aliases: RefCell::default(),
            subqueries: RefCell::default(),
            lambdas: RefCell::default(),
            lambda_depth: Cell::default(),
            generators: None,
            grouping: None,
            group_items: RefCell::default(),
            lateral: Cell::new(false),
            lateral_items: RefCell::default(),
            origin: RefCell::default(),
            drawing: Cell::new(None),
            outer_aggregates: None,
            in_aggregate: Cell::new(false),
            in_window: Cell::new(false),
            strengths: RefCell::default(),
        }
    }

    /// Resolves one expression.
    pub(super) fn resolve(&self, expr: &spec::Expr) -> SparkResult<Typed> {
        self.strengths.borrow_mut().push(Strength::Default);
        self.note_drawing(expr);
        let resolved = stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.resolve_kind(expr));
        let parts = self.strengths.borrow_mut().pop().unwrap_or_default();
        let mut typed = resolved.at(expr.origin.as_ref())?;
        typed.strength = match &*expr.kind {
            ExprKind::Cast { .. } | ExprKind::Subquery(_) => typed.strength,
            _ => typed.strength.max(parts),
        };
        // Of types without strings nothing is inherited.
        if !typed.data_type.collations().is_empty()
            && let Some(outer) = self.strengths.borrow_mut().last_mut()
        {
            *outer = (*outer).max(typed.strength);
        }
        Ok(typed)
    }

    /// Resolves several.
    pub(super) fn resolve_all(&self, exprs: &[spec::Expr]) -> SparkResult<Vec<Typed>> {
        exprs.iter().map(|e| self.resolve(e)).collect()
    }

    /// Both sides of a comparison in one type.
    pub(super) fn same_type_of(&self, l: Typed, r: Typed, shown: &str) -> SparkResult<(Typed, Typed)> {
        self.same_type(l, r, shown)
    }

    /// The first value that is not null.
    pub(super) fn first_of(&self, values: &[Typed]) -> SparkResult<Typed> {
        let found = self.predicate("coalesce", values)?;
        found.ok_or_else(|| firesteel_functions::SparkError::internal("coalesce is a predicate"))
    }

    /// Arguments of a call.
    pub(super) fn arguments_of(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Vec<Typed>> {
        self.arguments(name, args)
    }

    /// Resolves a condition.
    pub(super) fn condition(&self, expr: &spec::Expr) -> SparkResult<Expr> {
        let typed = self.resolve(expr)?;
        self.analyzer.condition(typed).at(expr.origin.as_ref())
    }

    /// The condition of `HAVING`, where what is no boolean is cast to one.
    pub(super) fn having(&self, expr: &spec::Expr) -> SparkResult<Expr> {
        let typed = self.resolve(expr)?;
        let typed = match typed.data_type {
            DataType::Boolean => typed,
            _ => self.analyzer.cast(typed, &DataType::Boolean, spec::CastMode::Session).at(expr.origin.as_ref())?,
        };
        self.analyzer.condition(typed).at(expr.origin.as_ref())
    }

    fn resolve_kind(&self, expr: &spec::Expr) -> SparkResult<Typed> {
        match &*expr.kind {
            ExprKind::Literal(literal) => self.analyzer.literal(literal),
            ExprKind::TypedLiteral { type_name, text } => self.typed_literal(type_name, text),
            ExprKind::Attribute { name, plan_id, .. } => {
                self.origin.borrow_mut().clone_from(&expr.origin);
                self.attribute(name, *plan_id)
            }
            ExprKind::Star { .. } => Err(errors::invalid_star()),
            ExprKind::Regex { pattern, .. } => self.attribute(std::slice::from_ref(pattern), None),
            ExprKind::Function(function) => self.function(function, expr.origin.as_ref()),
            ExprKind::NamedArgument { name, .. } => {
                Err(errors::unsupported(&format!("named argument {name} outside a call")))
            }
            ExprKind::Alias { expr, names, metadata } => {
                let mut typed = self.resolve(expr)?;
                match names.as_slice() {
                    [name] => {
                        typed = typed.alias(name.clone());
                        if metadata.is_some() {
                            typed.metadata.clone_from(metadata);
                        }
                        Ok(typed)
                    }
                    _ => Err(errors::alias_count(names.len())),
                }
            }
            ExprKind::Cast { expr, to, mode } => {
                let value = self.resolve(expr)?;
                let of_text = !value.data_type.collations().is_empty();
                let moment = self.constant_moment(&value, to)?;
                // A cast takes the length from no value: `CHAR` and `VARCHAR` are declarations of stored columns.
                let mut typed = self.analyzer.cast(value, &crate::catalog::text_type::plain(to), *mode)?;
                if let Some(moment) = moment {
                    typed.expr = Expr::Literal(moment, None);
                }
                typed.strength = if of_text { Strength::Implicit } else { Strength::Default };
                Ok(typed)
            }
            ExprKind::ExtractValue { child, key, dotted } => {
                let child = self.resolve(child)?;
                let key = self.resolve(key)?;
                self.extract(child, key, *dotted)
            }
            ExprKind::UpdateFields { expr, field, value } => {
                let target = self.resolve(expr)?;
                let value = value.as_ref().map(|v| self.resolve(v)).transpose()?;
                self.update_field(target, field, value)
            }
            ExprKind::Lambda { .. } => Err(errors::unsupported("a lambda function outside a higher-order function")),
            ExprKind::LambdaVariable(name) => self.attribute(std::slice::from_ref(name), None),
            ExprKind::Window { function, window } => self.window(function, window),
            ExprKind::SortOrder(order) => self.resolve(&order.expr),
            ExprKind::Subquery(subquery) => {
                // The same text means the same subquery, so that a grouping expression is found again in the select list.
                let text = expr.origin.as_ref().and_then(fragment);
                let known =
                    self.subqueries.borrow().iter().find(|(t, _)| Some(t) == text.as_ref()).map(|(_, t)| t.clone());
                if let Some(known) = known {
                    return Ok(known);
                }
                let mut typed = self.subquery(subquery)?;
                typed.strength = Strength::Implicit;
                if let Some(text) = text {
                    self.subqueries.borrow_mut().push((text, typed.clone()));
                }
                Ok(typed)
            }
            ExprKind::NamedParameter(name) => self.parameter(name),
            ExprKind::PositionalParameter(index) => self.positional_parameter(*index),
            ExprKind::IdentifierClause(name) => {
                let parts = self.identifier(name)?;
                self.origin.borrow_mut().clone_from(&expr.origin);
                self.attribute(&parts, None)
            }
            ExprKind::Row(values) => {
                let values = self.arguments_of("struct", values)?;
                let texts: Vec<String> = values.iter().map(Typed::sql).collect();
                let row = self.row(values)?;
                let names: Vec<String> = match &row.data_type {
                    DataType::Struct(fields) => fields.fields.iter().map(|f| f.name.clone()).collect(),
                    _ => vec![],
                };
                let pairs: Vec<String> = names.into_iter().zip(texts).flat_map(|(name, text)| [name, text]).collect();
                Ok(row.named_as(naming::call("named_struct", &pairs)))
            }
            ExprKind::PythonUdf(udf) => Err(errors::unsupported(&format!("Python function {}", udf.name))),
            ExprKind::Default => Err(errors::unsupported("DEFAULT outside INSERT")),
        }
    }

    /// Sort keys as DataFusion's, with their text.
    pub(super) fn sort_keys(
        &self,
        order: &[spec::SortOrder],
    ) -> SparkResult<Vec<(datafusion::logical_expr::SortExpr, String, DataType)>> {
        order
            .iter()
            .map(|key| {
                let typed = self.resolve(&key.expr)?;
                errors::check_orderable(&typed.name, &typed.data_type).at(key.expr.origin.as_ref())?;
                let text = naming::sort_key(&typed.name, key.ascending, key.nulls_first);
                let expr = collation::keyed(typed.expr, &typed.data_type)?;
                let sort = datafusion::logical_expr::SortExpr::new(expr, key.ascending, key.nulls_first);
                Ok((sort, text, typed.data_type))
            })
            .collect()
    }
}

/// The part of a query that an origin is about.
fn fragment(origin: &spec::Origin) -> Option<String> {
    let spec::Origin::Sql { start, stop, text } = origin else { return None };
    let (start, stop) = (usize::try_from(*start).ok()?, usize::try_from(*stop).ok()?);
    Some(text.chars().skip(start).take((stop + 1).saturating_sub(start)).collect())
}
