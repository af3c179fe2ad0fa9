//! Relations that add, rename or leave out columns, and aliases of relations.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, Scope, same};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, ExprKind, Literal, Relation};

impl Analyzer<'_> {
    /// `AS alias(columns)`.
    pub(super) fn subquery_alias(
        &self,
        input: &Relation,
        alias: &str,
        columns: &[String],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let (given, found) = (columns.len(), resolved.scope.attributes.len());
        if given > 0 && given != found {
            match &*input.kind {
                spec::RelationKind::TableFunction { name, .. } => {
                    return Err(SparkError::analysis(
                        "NUM_TABLE_VALUE_ALIASES_MISMATCH",
                        &[
                            ("funcName", &errors::quoted(name)),
                            ("aliasesNum", &given.to_string()),
                            ("outColsNum", &found.to_string()),
                        ],
                    ));
                }
                spec::RelationKind::Values(_) => {
                    return Err(SparkError::parse(
                        "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                        &[
                            ("expectedNumCols", &given.to_string()),
                            ("actualNumCols", &found.to_string()),
                            ("rowIndex", "0"),
                        ],
                    ));
                }
                _ => {}
            }
        }
        self.aliased(resolved, &[alias.to_string()], columns)
    }

    /// A relation under a qualifier, and its columns under other names.
    pub(super) fn aliased(&self, input: Resolved, qualifier: &[String], columns: &[String]) -> SparkResult<Resolved> {
        let Resolved { plan, mut scope, .. } = input;
        if !columns.is_empty() && columns.len() != scope.attributes.len() {
            return Err(SparkError::analysis(
                "ASSIGNMENT_ARITY_MISMATCH",
                &[("numTarget", &columns.len().to_string()), ("numExpr", &scope.attributes.len().to_string())],
            ));
        }
        let qualifier: Arc<[String]> = qualifier.to_vec().into();
        for attribute in &mut scope.attributes {
            attribute.qualifier = Arc::clone(&qualifier);
        }
        for (attribute, name) in scope.attributes.iter_mut().zip(columns) {
            attribute.name.clone_from(name);
        }
        scope.hidden.retain(Attribute::is_of_file);
        for attribute in &mut scope.hidden {
            attribute.qualifier = Arc::clone(&qualifier);
        }
        Ok(Resolved::new(plan, scope))
    }

    /// `toDF(names)`.
    pub(super) fn rename(&self, input: &Relation, names: &[String], env: &Env) -> SparkResult<Resolved> {
        let Resolved { plan, mut scope, .. } = self.relation(input, env)?;
        if names.len() != scope.attributes.len() {
            return Err(SparkError::analysis(
                "ASSIGNMENT_ARITY_MISMATCH",
                &[("numTarget", &names.len().to_string()), ("numExpr", &scope.attributes.len().to_string())],
            ));
        }
        for (attribute, name) in scope.attributes.iter_mut().zip(names) {
            attribute.name.clone_from(name);
            attribute.qualifier = Arc::new([]);
        }
        scope.hidden.retain(Attribute::is_of_file);
        Ok(Resolved::new(plan, scope))
    }

    /// `withColumns`: replaces columns of the same name, adds the others.
    pub(super) fn with_columns(&self, input: &Relation, columns: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let case = self.context.options.case_sensitive;
        let scope = resolved.scope.clone();
        let generators = std::cell::RefCell::default();
        let mut exprs = Exprs::new(self, env, &scope);
        exprs.generators = Some(&generators);
        let mut new: Vec<(String, Typed)> = Vec::new();
        for column in columns {
            let ExprKind::Alias { names, .. } = &*column.kind else {
                return Err(SparkError::internal("withColumns needs named columns"));
            };
            let Some(name) = names.first() else { continue };
            if new.iter().any(|(n, _)| same(n, name, case)) {
                return Err(SparkError::analysis(
                    "COLUMN_ALREADY_EXISTS",
                    &[("columnName", &format!("`{}`", name.to_lowercase()))],
                ));
            }
            let mut columns = exprs.expand(column)?;
            let (Some(typed), true) = (columns.pop(), columns.is_empty()) else {
                return Err(errors::alias_count(columns.len() + 1));
            };
            if typed.name == *name || same(&typed.name, name, case) {
                new.push((name.clone(), typed));
            } else {
                new.push((name.clone(), typed.alias(name.clone())));
            }
        }
        let mut items: Vec<Typed> = Vec::with_capacity(scope.attributes.len() + new.len());
        for attribute in &scope.attributes {
            match new.iter().find(|(n, _)| same(n, &attribute.name, case)) {
                Some((_, typed)) => items.push(typed.clone()),
                None => items.push(Typed::attribute(attribute)),
            }
        }
        for (name, typed) in new {
            if !scope.attributes.iter().any(|a| same(&a.name, &name, case)) {
                items.push(typed);
            }
        }
        let mut block = super::Block::new(resolved.plan, resolved.scope);
        block.generators = generators.take();
        block.set_items(self, items);
        self.finish(block)
    }

    /// `withColumnsRenamed`; names that are not there are ignored.
    pub(super) fn with_columns_renamed(
        &self,
        input: &Relation,
        renames: &[(String, String)],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let Resolved { plan, mut scope, .. } = self.relation(input, env)?;
        let case = self.context.options.case_sensitive;
        for (from, to) in renames {
            for attribute in &mut scope.attributes {
                if same(&attribute.name, from, case) {
                    attribute.name.clone_from(to);
                    attribute.qualifier = Arc::new([]);
                }
            }
        }
        Ok(Resolved::new(plan, scope))
    }

    /// `drop`; names that are not there are ignored.
    pub(super) fn drop_columns(
        &self,
        input: &Relation,
        columns: &[spec::Expr],
        names: &[String],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let Resolved { plan, scope, .. } = self.relation(input, env)?;
        let case = self.context.options.case_sensitive;
        let mut dropped: Vec<u64> = Vec::new();
        for name in names {
            dropped.extend(scope.attributes.iter().filter(|a| same(&a.name, name, case)).map(|a| a.id));
        }
        for column in columns {
            match Exprs::new(self, env, &scope).resolve(column) {
                Ok(typed) => {
                    if let Expr::Column(found) = &typed.expr {
                        dropped.extend(scope.attributes.iter().filter(|a| a.column() == *found).map(|a| a.id));
                    }
                }
                Err(error) if super::select::is_missing(&error) && self.wanted.borrow().is_none() => {}
                Err(error) => return Err(error),
            }
        }
        let attributes: Vec<Attribute> =
            scope.attributes.iter().filter(|a| !dropped.contains(&a.id)).cloned().collect();
        let files = scope.of_files();
        let kept: Vec<Attribute> = attributes.iter().chain(&files).cloned().collect();
        let plan = plan::keep(plan, &kept)?;
        Ok(Resolved::new(plan, scope.with_output(attributes).hiding(files)))
    }

    /// `df.to(schema)`: columns by name, cast where that loses nothing.
    pub(super) fn to_schema(&self, input: &Relation, schema: &StructType, env: &Env) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let mut items = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let found = resolved.scope.find(std::slice::from_ref(&field.name), self.context.options.case_sensitive)?;
            let value = match found {
                Some(found) => Typed::attribute(&found.attribute),
                None if field.nullable => {
                    Typed::literal(crate::analyze::literal::null(&field.data_type)?, field.data_type.clone(), "NULL")
                }
                None => return Err(errors::unresolved_column(std::slice::from_ref(&field.name), &resolved.scope)),
            };
            let value = self.reconciled(value, &field.data_type, field.nullable, std::slice::from_ref(&field.name))?;
            let mut value = value.alias(field.name.clone());
            value.metadata.clone_from(&field.metadata);
            items.push(value);
        }
        let mut block = super::Block::new(resolved.plan, resolved.scope);
        block.set_items(self, items);
        self.finish(block)
    }

    /// `na.fill`.
    pub(super) fn fill_na(
        &self,
        input: &Relation,
        columns: &[String],
        values: &[Literal],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let targets = self.named_columns(&resolved.scope, columns)?;
        let mut items = Vec::new();
        for attribute in &resolved.scope.attributes {
            let position = targets.iter().position(|t| *t == attribute.id);
            let value = match (values, position) {
                ([one], _) if columns.is_empty() => Some(one),
                ([one], Some(_)) => Some(one),
                (many, Some(position)) => many.get(position),
                _ => None,
            };
            let item = Typed::attribute(attribute);
            let value =
                value.map(|v| self.literal(v)).transpose()?.filter(|v| fits(&v.data_type, &attribute.data_type));
            items.push(match value {
                None => item,
                Some(value) => {
                    let value = self.coerce(value, &attribute.data_type)?;
                    let nan = matches!(attribute.data_type, DataType::Float | DataType::Double);
                    let test = if nan {
                        let is_nan = datafusion::functions::math::isnan().call(vec![attribute.expr()]);
                        datafusion::logical_expr::or(Expr::IsNull(Box::new(attribute.expr())), is_nan)
                    } else {
                        Expr::IsNull(Box::new(attribute.expr()))
                    };
                    let expr = datafusion::logical_expr::when(test, value.expr)
                        .otherwise(attribute.expr())
                        .map_err(errors::planning)?;
                    Typed::new(expr, attribute.data_type.clone(), false, "").alias(attribute.name.clone())
                }
            });
        }
        let mut block = super::Block::new(resolved.plan, resolved.scope);
        block.set_items(self, items);
        self.finish(block)
    }

    /// `na.drop`.
    pub(super) fn drop_na(
        &self,
        input: &Relation,
        columns: &[String],
        min_non_nulls: Option<usize>,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let targets = self.named_columns(&resolved.scope, columns)?;
        let targets: Vec<&Attribute> =
            resolved.scope.attributes.iter().filter(|a| columns.is_empty() || targets.contains(&a.id)).collect();
        let needed = min_non_nulls.unwrap_or(targets.len());
        let mut count: Option<Expr> = None;
        let mut tests = Vec::new();
        for attribute in &targets {
            let mut test = Expr::IsNotNull(Box::new(attribute.expr()));
            if matches!(attribute.data_type, DataType::Float | DataType::Double) {
                let is_nan = datafusion::functions::math::isnan().call(vec![attribute.expr()]);
                test = datafusion::logical_expr::and(test, Expr::Not(Box::new(is_nan)));
            }
            let one = datafusion::logical_expr::when(test.clone(), Expr::Literal(ScalarValue::Int64(Some(1)), None))
                .otherwise(Expr::Literal(ScalarValue::Int64(Some(0)), None))
                .map_err(errors::planning)?;
            count = Some(match count {
                None => one,
                Some(sum) => sum + one,
            });
            tests.push(test);
        }
        let predicate = if needed >= targets.len() {
            crate::analyze::expr::balanced(tests, datafusion::logical_expr::Operator::And)
        } else {
            let needed = i64::try_from(needed).unwrap_or(i64::MAX);
            match count {
                Some(count) => count.gt_eq(Expr::Literal(ScalarValue::Int64(Some(needed)), None)),
                None => return Ok(resolved),
            }
        };
        let plan = plan::filter(resolved.plan, predicate)?;
        Ok(Resolved::new(plan, resolved.scope))
    }

    /// `na.replace`.
    pub(super) fn replace_na(
        &self,
        input: &Relation,
        columns: &[String],
        replacements: &[(Literal, Literal)],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let targets = self.named_columns(&resolved.scope, columns)?;
        let none = Scope::default();
        let exprs = Exprs::new(self, env, &none);
        let mut items = Vec::new();
        for attribute in &resolved.scope.attributes {
            let chosen = columns.is_empty() || targets.contains(&attribute.id);
            let mut pairs = Vec::new();
            for (old, new) in replacements {
                let (old, new) = (self.literal(old)?, self.literal(new)?);
                // No number without a fraction is NaN, nor can it become one.
                if attribute.data_type.is_integral() && [&old, &new].into_iter().any(is_nan) {
                    continue;
                }
                let comparable = fits(&old.data_type, &attribute.data_type);
                let same_kind = matches!(new.data_type, DataType::Null) || fits(&new.data_type, &attribute.data_type);
                if chosen && comparable && same_kind {
                    // A value with a fraction is equal to no whole number.
                    let (value, old) = exprs.same_type_of(Typed::attribute(attribute), old, "")?;
                    let new = self.cast(new, &attribute.data_type, spec::CastMode::Session)?;
                    pairs.push((Box::new(value.expr.eq(old.expr)), Box::new(new.expr)));
                }
            }
            items.push(if pairs.is_empty() {
                Typed::attribute(attribute)
            } else {
                let case = datafusion::logical_expr::expr::Case::new(None, pairs, Some(Box::new(attribute.expr())));
                Typed::new(Expr::Case(case), attribute.data_type.clone(), true, "").alias(attribute.name.clone())
            });
        }
        let mut block = super::Block::new(resolved.plan, resolved.scope);
        block.set_items(self, items);
        self.finish(block)
    }

    /// Ids of columns by name, in that order.
    pub(super) fn named_columns(&self, scope: &Scope, names: &[String]) -> SparkResult<Vec<u64>> {
        let mut out = Vec::with_capacity(names.len());
        for name in names {
            match scope.find(std::slice::from_ref(name), self.context.options.case_sensitive)? {
                Some(found) => out.push(found.attribute.id),
                None => return Err(errors::unresolved_column(std::slice::from_ref(name), scope)),
            }
        }
        Ok(out)
    }
}

fn is_nan(value: &Typed) -> bool {
    match value.constant() {
        Some(ScalarValue::Float64(Some(number))) => number.is_nan(),
        Some(ScalarValue::Float32(Some(number))) => number.is_nan(),
        _ => false,
    }
}

/// Whether a replacement value suits a column: numbers for numbers, strings for strings, booleans for booleans.
fn fits(value: &DataType, column: &DataType) -> bool {
    value.is_numeric() && column.is_numeric()
        || value.is_string() && column.is_string()
        || *value == DataType::Boolean && *column == DataType::Boolean
}
