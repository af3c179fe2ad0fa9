//! Names: columns, struct fields, lambda parameters, aliases to the left, outer columns, variables, parameters.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::errors;
use crate::analyze::scope::{Attribute, Scope, find_in, same};
use crate::analyze::typed::{Typed, arrow_field};

impl Exprs<'_, '_> {
    /// A name.
    pub(super) fn attribute(&self, name: &[String], plan_id: Option<i64>) -> SparkResult<Typed> {
        if let Some(plan_id) = plan_id {
            return self.plan_attribute(name, plan_id);
        }
        if let Some(found) = self.lambda_variable(name)? {
            return Ok(found);
        }
        if let Some(found) = self.in_scopes(name)? {
            return Ok(found);
        }
        if let Some(found) = self.binding(name)? {
            return Ok(found);
        }
        if let [one] = name
            && let Some(found) = self.name_without_parentheses(one)?
        {
            return Ok(found);
        }
        if let Some(items) = self.group_items.borrow().as_deref() {
            // In GROUP BY an alias is a whole name, and the first item of that name is meant.
            let whole = name.join(".");
            let found = items.iter().enumerate().find(|(_, item)| same(&item.name, &whole, self.case_sensitive()));
            if let Some((index, item)) = found {
                if self.lateral_items.borrow().contains(&index) {
                    return Err(errors::lateral_group_by());
                }
                return Ok(item.clone());
            }
        } else if let Some(found) = self.lateral_alias(name)? {
            self.lateral.set(true);
            return Ok(found);
        }
        if let Some(found) = self.outer_attribute(name)? {
            return Ok(found);
        }
        if let Some(found) = self.variable(name)? {
            return Ok(found);
        }
        if !self.analyzer.files && name.iter().any(|part| same(part, "_metadata", self.case_sensitive())) {
            self.analyzer.files_asked.set(true);
        }
        let visible = match self.below {
            Some(below) if self.reach.is_none() && (self.in_aggregate.get() || self.scope.attributes.is_empty()) => {
                below
            }
            _ => self.scope,
        };
        Err(errors::unresolved_column(name, visible))
    }

    pub(super) fn case_sensitive(&self) -> bool {
        self.analyzer.context.options.case_sensitive
    }

    fn in_scopes(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        if let (Some(reach), Some(below)) = (&self.reach, self.below) {
            return self.reaching(name, reach, below);
        }
        let scopes: [Option<&Scope>; 2] = match self.below {
            Some(below) if self.in_aggregate.get() => [Some(below), Some(self.scope)],
            below => [Some(self.scope), below],
        };
        let mut failed = None;
        for scope in scopes.into_iter().flatten() {
            if let Some(found) = scope.find(name, self.case_sensitive())? {
                // An alias without that field does not hide the column that has it.
                match self.fields(Typed::attribute(&found.attribute), &found.rest) {
                    Ok(typed) => return Ok(Some(typed)),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(None)
    }

    /// Follows the rest of a dotted name into structs and maps.
    pub(super) fn fields(&self, mut value: Typed, rest: &[String]) -> SparkResult<Typed> {
        for field in rest {
            let text = format!("{}.{field}", value.sql());
            value = self.field(value, field)?.part(field, text);
        }
        Ok(value)
    }

    /// `df["x"]`: a column of the client's plan with this id.
    fn plan_attribute(&self, name: &[String], plan_id: i64) -> SparkResult<Typed> {
        let scopes = [Some(self.scope), self.below];
        for scope in scopes.into_iter().flatten() {
            let Some(outputs) = scope.plans.get(&plan_id) else { continue };
            if let Some(found) = self.among(outputs, scope, name)? {
                return Ok(found);
            }
        }
        for outer in self.env.outer.iter().rev() {
            let Some(outputs) = outer.plans.get(&plan_id) else { continue };
            if let Some(found) = self.among(outputs, outer, name)? {
                return Ok(outer_reference(found, &self.env.outer));
            }
        }
        let known = scopes.into_iter().flatten().any(|s| s.plans.contains_key(&plan_id));
        if name.first().is_some_and(|part| same(part, "_metadata", self.case_sensitive())) {
            self.analyzer.files_asked.set(true);
            if let Some(found) = self.in_scopes(name)? {
                return Ok(found);
            }
        }
        if known {
            // The plan is below but lost the column, or never had it.
            let output = self.scope.plans.get(&plan_id).and_then(|o| o.first());
            if let Some(output) = output
                && find_in(output, name, self.case_sensitive())?.is_none()
            {
                return Err(errors::unresolved_column(name, &Scope::new(output.to_vec())));
            }
        }
        Err(SparkError::analysis("CANNOT_RESOLVE_DATAFRAME_COLUMN", &[("name", &errors::quoted(name))]))
    }

    fn among(&self, outputs: &[Arc<[Attribute]>], scope: &Scope, name: &[String]) -> SparkResult<Option<Typed>> {
        let mut found: Option<Typed> = None;
        for output in outputs {
            let Some(candidate) = find_in(output, name, self.case_sensitive())? else { continue };
            let Some(visible) = scope.by_id(candidate.attribute.id) else { continue };
            let mut attribute = visible.clone();
            attribute.name.clone_from(&candidate.attribute.name);
            let typed = self.fields(Typed::attribute(&attribute), &candidate.rest)?;
            if found.as_ref().is_some_and(|f| f.expr != typed.expr) {
                return Err(SparkError::analysis("AMBIGUOUS_COLUMN_REFERENCE", &[("name", &errors::quoted(name))]));
            }
            found = Some(typed);
        }
        Ok(found)
    }

    fn lambda_variable(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        let Some((first, rest)) = name.split_first() else { return Ok(None) };
        let found = {
            let lambdas = self.lambdas.borrow();
            lambdas.iter().rev().find(|(n, _)| same(n, first, self.case_sensitive())).map(|(_, t)| t.clone())
        };
        found.map(|typed| self.fields(typed, rest)).transpose()
    }

    /// Parameters of the SQL function whose body this is.
    fn binding(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        for (index, part) in name.iter().enumerate().take(2) {
            let Some(binding) = self.env.bindings.iter().rev().find(|b| {
                same(&b.name, part, self.case_sensitive())
                    && (index == 0
                        || name.first().is_some_and(|f| same(last_part(&b.function), f, self.case_sensitive())))
            }) else {
                continue;
            };
            let mut value = binding.value.clone().part(part, part.clone());
            if self.env.outer.len() > binding.depth {
                value = outer_reference(value, &self.env.outer);
            }
            return self.fields(value, name.get(index + 1..).unwrap_or_default()).map(Some);
        }
        Ok(None)
    }

    fn lateral_alias(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        let Some((first, rest)) = name.split_first() else { return Ok(None) };
        let found = {
            let aliases = self.aliases.borrow();
            let mut matches = aliases.iter().filter(|(n, _)| same(n, first, self.case_sensitive()));
            let found = matches.next().map(|(_, typed)| typed.clone());
            if matches.next().is_some() {
                return Err(SparkError::analysis(
                    "AMBIGUOUS_LATERAL_COLUMN_ALIAS",
                    &[
                        ("name", &errors::quoted(name)),
                        (
                            "n",
                            &aliases.iter().filter(|(n, _)| same(n, first, self.case_sensitive())).count().to_string(),
                        ),
                    ],
                ));
            }
            found
        };
        let Some(typed) = found else { return Ok(None) };
        if typed.expr.is_volatile() {
            return Err(errors::unsupported("a lateral reference to a column alias that is not deterministic"));
        }
        let place = if self.in_window.get() {
            Some(("LATERAL_COLUMN_ALIAS_IN_WINDOW", "windowExpr"))
        } else if self.in_aggregate.get() {
            Some(("LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC", "aggFunc"))
        } else {
            None
        };
        let text = format!("lateralAliasReference({first})");
        if let Some((place, key)) = place {
            return Err(SparkError::analysis(
                &format!("UNSUPPORTED_FEATURE.{place}"),
                &[("lca", &errors::quoted(name)), (key, &errors::expression(&text))],
            ));
        }
        self.fields(typed.part(first, text), rest).map(Some)
    }

    fn outer_attribute(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        // Only the query right around is visible, and a name that finds several of its columns finds none.
        let Some(outer) = self.env.outer.last() else { return Ok(None) };
        let Ok(Some(found)) = outer.find(name, self.case_sensitive()) else { return Ok(None) };
        let mut typed = outer_reference(Typed::attribute(&found.attribute), &self.env.outer);
        let qualified: Vec<&str> = found.attribute.qualifier.iter().map(String::as_str).collect();
        let qualified = [qualified, vec![found.attribute.name.as_str()]].concat().join(".");
        typed.text = Some(format!("outer({qualified})"));
        self.fields(typed, &found.rest).map(Some)
    }

    fn variable(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        let lower: Vec<String> = name.iter().map(|p| p.to_lowercase()).collect();
        let context = self.analyzer.context;
        // A script's own variables hide the session's; a label may stand before them.
        let local = match lower.as_slice() {
            [label, one, ..] if context.locals.contains_key(&format!("{label}.{one}")) => {
                context.locals.get(&format!("{label}.{one}")).map(|found| (found, 2))
            }
            [one, ..] => context.locals.get(one).map(|found| (found, 1)),
            [] => return Ok(None),
        };
        let (variable, rest) = match lower.as_slice() {
            [system, session, one, ..] if system == "system" && session == "session" => (one, 3),
            [session, one, ..] if session == "session" => (one, 2),
            [one, ..] => (one, 1),
            [] => return Ok(None),
        };
        let of_session = || context.variables.get(variable).map(|found| (found, rest));
        let Some((found, rest)) = local.or_else(of_session) else { return Ok(None) };
        let shown = name.get(rest - 1).cloned().unwrap_or_default();
        let typed = Typed::literal(found.value.clone(), found.data_type.clone(), shown.clone());
        let mut typed = self.fields(typed.part(&shown, shown.clone()), name.get(rest..).unwrap_or_default())?;
        typed.nullable = true;
        Ok(Some(typed))
    }

    /// `:name`.
    pub(super) fn parameter(&self, name: &str) -> SparkResult<Typed> {
        match self.env.parameters.named.get(name) {
            Some(value) => self.constant_parameter(value),
            None => Err(SparkError::analysis("UNBOUND_SQL_PARAMETER", &[("name", name)])),
        }
    }

    /// `?`.
    pub(super) fn positional_parameter(&self, index: usize) -> SparkResult<Typed> {
        match self.env.parameters.positional.get(index) {
            Some(value) => self.constant_parameter(value),
            None => Err(SparkError::analysis("UNBOUND_SQL_PARAMETER", &[("name", &format!("_{index}"))])),
        }
    }

    fn constant_parameter(&self, value: &crate::spec::Expr) -> SparkResult<Typed> {
        // A parameter's own columns, if any, are not the query's.
        let scope = Scope::default();
        let typed = Exprs::new(self.analyzer, self.env, &scope).resolve(value)?;
        let name = typed.name.clone();
        Ok(typed.named_as(name))
    }

    /// The parts that `IDENTIFIER(expr)` names.
    pub(super) fn identifier(&self, expr: &crate::spec::Expr) -> SparkResult<Vec<String>> {
        let typed = self.resolve(expr)?;
        let refused = |sub: &str| {
            SparkError::analysis(
                &format!("NOT_A_CONSTANT_STRING.{sub}"),
                &[("name", "IDENTIFIER"), ("expr", &typed.name), ("dataType", &typed.data_type.simple_string())],
            )
        };
        if !crate::analyze::fold::is_constant(&typed.expr) {
            return Err(refused("NOT_CONSTANT"));
        }
        if !typed.data_type.is_string() {
            return Err(refused("WRONG_TYPE"));
        }
        let text = match self.analyzer.fold(&typed.expr)? {
            datafusion::scalar::ScalarValue::Utf8(Some(text)) => text,
            _ => return Err(refused("NULL")),
        };
        match &*self.analyzer.context.parse.expression(&text)?.kind {
            crate::spec::ExprKind::Attribute { name, .. } => Ok(name.clone()),
            _ => Err(SparkError::analysis("PARSE_SYNTAX_ERROR", &[("error", &text), ("hint", "")])),
        }
    }
}

/// The function's own name of `spark_catalog.db.f`.
fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The same expression seen from inside a subquery of the scopes `outer`.
pub(in crate::analyze) fn outer_reference(mut typed: Typed, outer: &[Arc<Scope>]) -> Typed {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let own = typed.field();
    let field_of = |column: &datafusion::common::Column| {
        let id = column.name.strip_prefix('#').and_then(|n| n.parse().ok());
        let found = id.and_then(|id| outer.iter().rev().find_map(|scope| scope.by_id(id)));
        Arc::new(match found {
            Some(attribute) => arrow_field(&column.name, &attribute.data_type, attribute.nullable),
            None => own.as_ref().clone().with_name(column.name.clone()),
        })
    };
    let moved = typed.expr.clone().transform(|e| {
        Ok(match e {
            Expr::Column(column) => Transformed::yes(Expr::OuterReferenceColumn(field_of(&column), column)),
            other => Transformed::no(other),
        })
    });
    if let Ok(moved) = moved {
        typed.expr = moved.data;
    }
    typed.qualifier = None;
    typed
}
