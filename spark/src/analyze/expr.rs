//! Expressions: the unresolved expression to a [`Typed`] one. The dispatch is here, each kind in its own file below.
//!
//! Aggregates, windows and generators stay inside the expression; `relation::block` takes them out.

mod aggregate;
mod arithmetic;
mod column;
mod constant;
mod function;
mod lambda;
mod nested;
mod operator;
mod predicate;
mod special;
mod star;
mod subquery;
mod udf;
mod window;

pub(super) use operator::{balanced, binary};

use std::cell::{Cell, RefCell};

use datafusion::logical_expr::Expr;
use firesteel_functions::SparkResult;
use firesteel_functions::types::DataType;

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
    /// `WINDOW` clause.
    pub windows: &'s [(String, spec::WindowSpec)],
    /// Aliases to the left in the same select list.
    pub aliases: RefCell<Vec<(String, Typed)>>,
    /// Lambda parameters, innermost last.
    pub lambdas: RefCell<Vec<(String, Typed)>>,
    /// Generators found; `None` where none is allowed.
    pub generators: Option<&'s RefCell<Vec<Generator>>>,
    /// Grouping expressions, for `grouping(...)`.
    pub grouping: Option<&'s [Typed]>,
    /// Grouping keys: in HAVING a name means one of these before it means a select alias.
    pub keys: Vec<Expr>,
    /// In GROUP BY an alias is a whole name; elsewhere its fields can be named too.
    pub whole_aliases: Cell<bool>,
    /// Inside the arguments of an aggregate.
    pub in_aggregate: Cell<bool>,
    /// Inside a window function's arguments.
    pub in_window: Cell<bool>,
}

impl<'s, 'a> Exprs<'s, 'a> {
    /// Expressions over one scope.
    pub(super) fn new(analyzer: &'s Analyzer<'a>, env: &'s Env, scope: &'s Scope) -> Self {
        Self {
            analyzer,
            env,
            scope,
            below: None,
            windows: &[],
            aliases: RefCell::default(),
            lambdas: RefCell::default(),
            generators: None,
            grouping: None,
            keys: Vec::new(),
            whole_aliases: Cell::new(false),
            in_aggregate: Cell::new(false),
            in_window: Cell::new(false),
        }
    }

    /// Resolves one expression.
    pub(super) fn resolve(&self, expr: &spec::Expr) -> SparkResult<Typed> {
        stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.resolve_kind(expr)).at(expr.origin.as_ref())
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

    fn resolve_kind(&self, expr: &spec::Expr) -> SparkResult<Typed> {
        match &*expr.kind {
            ExprKind::Literal(literal) => self.analyzer.literal(literal),
            ExprKind::TypedLiteral { type_name, text } => self.typed_literal(type_name, text),
            ExprKind::Attribute { name, plan_id, .. } => self.attribute(name, *plan_id),
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
                self.analyzer.cast(value, to, *mode)
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
            ExprKind::Subquery(subquery) => self.subquery(subquery),
            ExprKind::NamedParameter(name) => self.parameter(name),
            ExprKind::PositionalParameter(index) => self.positional_parameter(*index),
            ExprKind::IdentifierClause(name) => {
                let parts = self.identifier(name)?;
                self.attribute(&parts, None)
            }
            ExprKind::Row(values) => {
                self.function(&spec::Function::new(vec!["struct".to_string()], values.clone()), None)
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
                let sort = datafusion::logical_expr::SortExpr::new(typed.expr, key.ascending, key.nulls_first);
                Ok((sort, text, typed.data_type))
            })
            .collect()
    }
}
