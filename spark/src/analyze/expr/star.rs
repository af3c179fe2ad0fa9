//! `*`, `t.*`, `s.*`, with `EXCEPT` and `REPLACE`, and column names given as a regular expression.

use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use super::name_pattern::NamePattern;
use crate::analyze::errors;
use crate::analyze::scope::{Attribute, Scope, find_in, same};
use crate::analyze::typed::Typed;
use crate::spec::{self, ExprKind};

impl Exprs<'_, '_> {
    /// The columns a select item stands for: several for a star or a generator.
    pub(in crate::analyze) fn expand(&self, expr: &spec::Expr) -> SparkResult<Vec<Typed>> {
        match &*expr.kind {
            ExprKind::Star { target, plan_id, except, replace } => self.star(target, *plan_id, except, replace),
            ExprKind::Regex { pattern, plan_id } => self.regex(pattern, *plan_id),
            _ => match self.top_generator(expr)? {
                Some(columns) => Ok(columns),
                None => Ok(vec![self.resolve(expr)?]),
            },
        }
    }

    /// A star.
    pub(super) fn star(
        &self,
        target: &[String],
        plan_id: Option<i64>,
        except: &[Vec<String>],
        replace: &[(spec::Expr, String)],
    ) -> SparkResult<Vec<Typed>> {
        let mut columns = self.star_columns(target, plan_id)?;
        let case = self.analyzer.context.options.case_sensitive;
        if !except.is_empty() {
            columns = self.without(columns, except)?;
        }
        for (expr, name) in replace {
            let value = self.resolve(expr)?.alias(name.clone());
            let Some(slot) = columns.iter_mut().find(|c| same(&c.name, name, case)) else {
                return Err(errors::unresolved_column(std::slice::from_ref(name), self.scope));
            };
            *slot = value;
        }
        Ok(columns)
    }

    /// The columns without these, or without these fields of theirs.
    fn without(&self, columns: Vec<Typed>, except: &[Vec<String>]) -> SparkResult<Vec<Typed>> {
        let case = self.analyzer.context.options.case_sensitive;
        let known: Vec<Attribute> = columns.iter().zip(0_u64..).map(|(column, index)| column.output(index)).collect();
        let mut dropped: Vec<(u64, Vec<String>)> = Vec::with_capacity(except.len());
        for name in except {
            let Some(found) = find_in(&known, name, case)? else {
                return Err(errors::unresolved_column(name, &Scope::new(known)));
            };
            dropped.push((found.attribute.id, found.rest));
        }
        let overlap = |a: &[String], b: &[String]| a.iter().zip(b).all(|(a, b)| same(a, b, case));
        let twice = dropped.iter().enumerate().any(|(index, (column, path))| {
            dropped.iter().skip(index + 1).any(|(other, longer)| column == other && overlap(path, longer))
        });
        if twice {
            let list: Vec<String> = except.iter().map(|name| name.join(".")).collect();
            return Err(SparkError::analysis("EXCEPT_OVERLAPPING_COLUMNS", &[("columns", &list.join(", "))]));
        }
        let mut out = Vec::with_capacity(columns.len());
        for (column, index) in columns.into_iter().zip(0_u64..) {
            let paths: Vec<&Vec<String>> =
                dropped.iter().filter(|(id, _)| *id == index).map(|(_, path)| path).collect();
            if paths.iter().any(|path| path.is_empty()) {
                continue;
            }
            let name = column.name.clone();
            let mut kept = column.clone();
            for path in &paths {
                self.fields(column.clone(), path)?;
                kept = self.update_field(kept, &path.join("."), None)?;
            }
            out.push(if paths.is_empty() { kept } else { kept.alias(name) });
        }
        Ok(out)
    }

    fn star_columns(&self, target: &[String], plan_id: Option<i64>) -> SparkResult<Vec<Typed>> {
        let case = self.analyzer.context.options.case_sensitive;
        if let Some(plan_id) = plan_id {
            let outputs = self.scope.plans.get(&plan_id);
            let Some(output) = outputs.and_then(|o| o.first()) else {
                return Err(SparkError::analysis("CANNOT_RESOLVE_DATAFRAME_COLUMN", &[("name", "`*`")]));
            };
            return Ok(visible(output, &self.scope.attributes));
        }
        if target.is_empty() {
            return Ok(self.scope.attributes.iter().map(Typed::attribute).collect());
        }
        let qualified = self.scope.qualified(target, case);
        if !qualified.is_empty() {
            return Ok(qualified.iter().map(Typed::attribute).collect());
        }
        // A subquery may spread the columns of the query around it.
        if let Some(outer) = self.env.outer.last() {
            let columns = outer.qualified(target, case);
            if !columns.is_empty() {
                let around = |a: &Attribute| super::column::outer_reference(Typed::attribute(a), &self.env.outer);
                return Ok(columns.iter().map(around).collect());
            }
        }
        // `s.*` of a struct.
        let value = self.attribute(target, None).map_err(|_| {
            let known: Vec<String> = self.scope.attributes.iter().map(|a| format!("`{}`", a.name)).collect();
            SparkError::analysis(
                "CANNOT_RESOLVE_STAR_EXPAND",
                &[("targetString", &errors::quoted(target)), ("columns", &known.join(", "))],
            )
        })?;
        let DataType::Struct(fields) = value.data_type.clone() else {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                &[
                    ("sqlExpr", &errors::expression(&value.name)),
                    ("paramIndex", "first"),
                    ("requiredType", "\"STRUCT\""),
                    ("inputSql", &errors::expression(&value.name)),
                    ("inputType", &errors::sql_type(&value.data_type)),
                ],
            ));
        };
        fields
            .fields
            .iter()
            .map(|f| Ok(self.field(value.clone(), &f.name)?.part(&f.name, format!("{}.{}", value.sql(), f.name))))
            .collect()
    }

    fn regex(&self, pattern: &str, plan_id: Option<i64>) -> SparkResult<Vec<Typed>> {
        let pattern = NamePattern::new(pattern, self.analyzer.context.options.case_sensitive)?;
        let columns = self.star_columns(&[], plan_id)?;
        Ok(columns.into_iter().filter(|c| pattern.fits(&c.name)).collect())
    }
}

fn visible(output: &[Attribute], now: &[Attribute]) -> Vec<Typed> {
    output.iter().filter(|a| now.iter().any(|b| b.id == a.id)).map(Typed::attribute).collect()
}
