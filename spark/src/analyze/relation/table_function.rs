//! Table functions in FROM: `range`, generators, and SQL functions that return tables.

use std::sync::Arc;

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult, registry};

use super::range::RangeTable;
use super::{Env, Resolved, layout};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::Scope;
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, fold, plan};
use crate::spec;

impl Analyzer<'_> {
    /// `range(start, end, step, partitions)`, cut into as many partitions as there are cores unless it is said.
    pub(super) fn range(&self, start: i64, end: i64, step: i64, partitions: Option<usize>) -> SparkResult<Resolved> {
        if step == 0 {
            return Err(SparkError::analysis("INTERNAL_ERROR", &[("message", "step (0) cannot be 0")]));
        }
        let schema = StructType::new(vec![StructField::new("id", DataType::Long, false)]);
        let partitions = partitions.unwrap_or(self.context.config.execution.target_partitions).max(1);
        let provider = RangeTable::new(Arc::new(schema.to_arrow_schema()), (start, end, step), partitions);
        let mut resolved = self.provider("range", Arc::new(provider), &schema, &[])?;
        for attribute in &mut resolved.scope.attributes {
            attribute.nullable = false;
        }
        Ok(resolved)
    }

    /// `range` as it is called in SQL: one to four constants.
    fn range_call(&self, args: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let names: &[&str] = match args.len() {
            1 => &["end"],
            2 => &["start", "end"],
            3 => &["start", "end", "step"],
            4 => &["start", "end", "step", "numSlices"],
            given => return Err(errors::wrong_num_args("range", "[1, 2, 3, 4]", given)),
        };
        let scope = Scope::default();
        let exprs = Exprs::new(self, env, &scope);
        let mut numbers = Vec::with_capacity(args.len());
        for (position, (arg, parameter)) in args.iter().zip(names).enumerate() {
            let typed = exprs.resolve(arg)?;
            if !fold::is_constant(&typed.expr) {
                return Err(SparkError::analysis(
                    "NON_FOLDABLE_ARGUMENT",
                    &[("funcName", "`range`"), ("paramName", &format!("`{parameter}`")), ("paramType", "\"BIGINT\"")],
                ));
            }
            let wrong = |typed: &Typed| {
                let index = ["first", "second", "third", "fourth"].get(position).copied().unwrap_or("next");
                SparkError::analysis(
                    "UNEXPECTED_INPUT_TYPE",
                    &[
                        ("paramIndex", index),
                        ("functionName", "`range`"),
                        ("requiredType", "\"BIGINT\""),
                        ("inputSql", &errors::expression(&typed.name)),
                        ("inputType", &errors::sql_type(&typed.data_type)),
                    ],
                )
            };
            if !(typed.data_type.is_numeric() || typed.data_type.is_string()) {
                return Err(wrong(&typed));
            }
            let cast = self.coerce(typed.clone(), &DataType::Long)?;
            match self.fold(&cast.expr)? {
                ScalarValue::Int64(Some(number)) => numbers.push(number),
                _ => return Err(wrong(&typed)),
            }
        }
        let partitions = numbers.get(3).map(|number| layout::positive(*number)).transpose()?;
        match numbers.as_slice() {
            [_, _, 0, ..] => Err(SparkError::analysis("FAILED_FUNCTION_CALL", &[("funcName", "`range`")])),
            [end] => self.range(0, *end, 1, None),
            [start, end] => self.range(*start, *end, 1, None),
            [start, end, step, ..] => self.range(*start, *end, *step, partitions),
            [] => Err(errors::wrong_num_args("range", "[1, 2, 3, 4]", 0)),
        }
    }

    /// A table function in FROM.
    pub(super) fn table_function(&self, name: &[String], args: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let lower = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        if lower == "range" && name.len() == 1 {
            return self.range_call(args, env);
        }
        if lower == "collations" && args.is_empty() {
            return self.collations();
        }
        if lower == "sql_keywords" && args.is_empty() {
            return self.keywords();
        }
        if super::is_generator(&lower) {
            let scope = Scope::default();
            let exprs = Exprs::new(self, env, &scope);
            let args = exprs.arguments_of(&lower, args).map_err(|e| super::generate::nested(e, &lower))?;
            let generator = super::generator(self, &lower, args)?;
            let plan = super::generate::apply(self, super::leaf::one_row()?, &generator)?;
            let plan = plan::keep(plan, &generator.output)?;
            return Ok(Resolved::new(plan, Scope::new(generator.output)));
        }
        if name.len() == 1 && registry().contains(&lower) {
            return Err(not_a_table_function(name));
        }
        match self.lookup(NameRef::Function { name: name.to_vec(), namespace: env.namespace.clone() })? {
            TableEntry::Function(found) => {
                let found = Arc::clone(found);
                self.table_udf(&found, args, env)
            }
            _ => Err(SparkError::analysis("UNRESOLVABLE_TABLE_VALUED_FUNCTION", &[("name", &errors::quoted(name))])),
        }
    }

    fn table_udf(&self, found: &crate::analyze::SqlFunction, args: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let spec::FunctionBody::Query(query, _) = &found.body else {
            return Err(not_a_table_function(std::slice::from_ref(&found.name)));
        };
        let scope = Scope::default();
        let values = Exprs::new(self, env, &scope).sql_arguments(found, args)?;
        let mut inner = env.for_function(found.namespace.clone());
        for ((name, to, _), value) in found.params.iter().zip(values) {
            let value = self.coerce(value, to)?;
            inner.bindings.push(super::Binding {
                name: name.clone(),
                function: found.name.clone(),
                value,
                depth: inner.outer.len(),
            });
        }
        let depth = self.depth.get();
        if depth >= super::leaf::VIEW_DEPTH {
            return Err(errors::unsupported("recursive SQL functions"));
        }
        self.depth.set(depth + 1);
        let resolved = self.relation(query, &inner);
        self.depth.set(depth);
        let resolved = resolved?;
        let resolved = match &found.returns_table {
            Some(schema) if !schema.fields.is_empty() => self.cast_to(resolved, schema, &found.name)?,
            _ => resolved,
        };
        let alias = found.name.rsplit('.').next().unwrap_or_default().to_string();
        self.aliased(resolved, &[alias], &[])
    }
}

fn not_a_table_function(name: &[String]) -> SparkError {
    SparkError::analysis("NOT_A_TABLE_FUNCTION", &[("functionName", &errors::quoted(name))])
}
