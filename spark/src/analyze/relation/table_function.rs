//! Table functions in FROM: `range`, generators, and SQL functions that return tables.

use std::sync::Arc;

use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::{LogicalPlan, Union};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult, registry};

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::Scope;
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, fold, plan};
use crate::spec;

/// With more partitions than this, a range is not cut.
const MOST_SLICES: usize = 1024;

impl Analyzer<'_> {
    /// `spark.range(start, end, step, partitions)`: functions of the task see these partitions.
    pub(super) fn partitioned_range(
        &self,
        (start, end, step): (i64, i64, i64),
        partitions: Option<usize>,
    ) -> SparkResult<Resolved> {
        let slices = match partitions {
            Some(partitions @ 2..=MOST_SLICES) if step != 0 => slices(start, end, step, partitions),
            _ => return self.range(start, end, step),
        };
        let mut whole = self.range(start, end, step)?;
        let mut branches = Vec::with_capacity(slices.len());
        for (from, to) in slices {
            let slice = self.range(from, to, step)?;
            let columns = slice.scope.attributes.iter().zip(&whole.scope.attributes);
            let columns = columns.map(|(own, shared)| (own.expr(), shared.id)).collect();
            branches.push(Arc::new(plan::project(slice.plan, columns)?));
        }
        whole.plan = LogicalPlan::Union(Union::try_new(branches).map_err(errors::planning)?);
        Ok(whole)
    }

    /// `range(start, end, step)`.
    pub(super) fn range(&self, start: i64, end: i64, step: i64) -> SparkResult<Resolved> {
        if step == 0 {
            return Err(SparkError::analysis("INTERNAL_ERROR", &[("message", "step (0) cannot be 0")]));
        }
        let schema = StructType::new(vec![StructField::new("id", DataType::Long, false)]);
        let series = GenSeriesArgs::Int64Args { start, end, step, include_end: false, name: "range" };
        let provider = Arc::new(GenerateSeriesTable::new(Arc::new(schema.to_arrow_schema()), series));
        let mut resolved = self.provider("range", provider, &schema, &[])?;
        for attribute in &mut resolved.scope.attributes {
            attribute.nullable = false;
        }
        Ok(resolved)
    }

    /// `range` as it is called in SQL: one to four constants, of which the last, the number of partitions, says nothing.
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
        match numbers.as_slice() {
            [_, _, 0, ..] => Err(SparkError::analysis("FAILED_FUNCTION_CALL", &[("funcName", "`range`")])),
            [end] => self.range(0, *end, 1),
            [start, end] => self.range(*start, *end, 1),
            [start, end, step, ..] => self.range(*start, *end, *step),
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

/// Start and end of each of the equal parts of a range, as Spark cuts it.
fn slices(start: i64, end: i64, step: i64, partitions: usize) -> Vec<(i64, i64)> {
    let (first, step, width) = (i128::from(start), i128::from(step), i128::from(end) - i128::from(start));
    let rows = if width.signum() == step.signum() { (width.abs() + step.abs() - 1) / step.abs() } else { 0 };
    let partitions = partitions as i128;
    let clamped = |at: i128| i64::try_from(at).unwrap_or(if at < 0 { i64::MIN } else { i64::MAX });
    let bound = |slice: i128| clamped(first + slice * rows / partitions * step);
    (0..partitions).map(|slice| (bound(slice), bound(slice + 1))).collect()
}

fn not_a_table_function(name: &[String]) -> SparkError {
    SparkError::analysis("NOT_A_TABLE_FUNCTION", &[("functionName", &errors::quoted(name))])
}
