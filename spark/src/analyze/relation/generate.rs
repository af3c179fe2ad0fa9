//! Table-generating functions: `explode` and its family, `inline`, `stack`, `json_tuple`, and `LATERAL VIEW`.
//!
//! All become an unnested array of rows; the outer forms unnest one null row instead of none.

use std::sync::Arc;

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF};
use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::errors::At;
use crate::analyze::expr::{Exprs, Generator};
use crate::analyze::scope::{Attribute, column, column_name};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{self, ExprKind, Relation};

mod stack;

use stack::{stack, stacked};

/// Whether a lower-case name is a generator's.
pub(in crate::analyze) fn is_generator(name: &str) -> bool {
    matches!(base_name(name), "explode" | "posexplode" | "inline" | "stack" | "json_tuple" | "variant_explode")
}

fn base_name(name: &str) -> &str {
    name.strip_suffix("_outer").unwrap_or(name)
}

/// A generator over its arguments, with output columns of their own.
pub(in crate::analyze) fn generator(analyzer: &Analyzer<'_>, name: &str, args: Vec<Typed>) -> SparkResult<Generator> {
    let base = base_name(name).to_string();
    let outer = name.ends_with("_outer");
    let mut args = args;
    if base == "variant_explode" {
        return variant_rows(analyzer, name, args);
    }
    let columns: Vec<(String, DataType, bool)> = match base.as_str() {
        "explode" | "posexplode" => {
            let [arg] = args.as_slice() else { return Err(errors::wrong_num_args(name, "1", args.len())) };
            let mut columns = match &arg.data_type {
                DataType::Array { element, contains_null } => {
                    vec![("col".to_string(), (**element).clone(), *contains_null)]
                }
                DataType::Map { key, value, value_contains_null } => {
                    vec![
                        ("key".to_string(), (**key).clone(), false),
                        ("value".to_string(), (**value).clone(), *value_contains_null),
                    ]
                }
                other => {
                    return Err(errors::unexpected_input(
                        &format!("{name}({})", arg.name),
                        0,
                        "(\"ARRAY\" or \"MAP\")",
                        &arg.name,
                        other,
                    ));
                }
            };
            if base == "posexplode" {
                columns.insert(0, ("pos".to_string(), DataType::Integer, false));
            }
            columns
        }
        "inline" => {
            let [arg] = args.as_slice() else { return Err(errors::wrong_num_args(name, "1", args.len())) };
            match &arg.data_type {
                DataType::Array { element, contains_null } if matches!(**element, DataType::Struct(_)) => {
                    match &**element {
                        DataType::Struct(s) => s
                            .fields
                            .iter()
                            .map(|f| (f.name.clone(), f.data_type.clone(), f.nullable || *contains_null))
                            .collect(),
                        _ => vec![],
                    }
                }
                other => {
                    return Err(errors::unexpected_input(
                        &format!("{name}({})", arg.name),
                        0,
                        "\"ARRAY<STRUCT>\"",
                        &arg.name,
                        other,
                    ));
                }
            }
        }
        "stack" => stack(analyzer, &mut args)?,
        _ => {
            if args.len() < 2 {
                return Err(errors::wrong_num_args(name, "> 1", args.len()));
            }
            if args.iter().any(|arg| !arg.data_type.is_string()) {
                let shown = crate::analyze::naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
                return Err(SparkError::analysis(
                    "DATATYPE_MISMATCH.NON_STRING_TYPE",
                    &[("sqlExpr", &errors::expression(&shown)), ("funcName", "`json_tuple`")],
                ));
            }
            if args.iter().any(|arg| !arg.data_type.is_string()) {
                let texts: Vec<String> = args.iter().map(Typed::sql).collect();
                return Err(SparkError::analysis(
                    "DATATYPE_MISMATCH.NON_STRING_TYPE",
                    &[
                        ("sqlExpr", &errors::expression(&crate::analyze::naming::call(name, &texts))),
                        ("funcName", &format!("`{name}`")),
                    ],
                ));
            }
            (0..args.len() - 1).map(|i| (format!("c{i}"), DataType::String, true)).collect()
        }
    };
    let output = columns
        .into_iter()
        .map(|(name, data_type, nullable)| Attribute {
            id: analyzer.fresh(),
            name,
            qualifier: Arc::new([]),
            data_type,
            nullable: nullable || outer,
            metadata: None,
        })
        .collect();
    Ok(Generator { name: base, outer, args, output })
}

/// `variant_explode(v)`: an `inline` of the rows a variant has.
fn variant_rows(analyzer: &Analyzer<'_>, name: &str, args: Vec<Typed>) -> SparkResult<Generator> {
    let given = args.len();
    let Ok([arg]) = <[Typed; 1]>::try_from(args) else { return Err(errors::wrong_num_args(name, "1", given)) };
    let shown = crate::analyze::naming::call(name, &[arg.sql()]);
    if !matches!(arg.data_type, DataType::Variant | DataType::Null) {
        return Err(errors::unexpected_input(&shown, 0, "\"VARIANT\"", &arg.name, &arg.data_type));
    }
    let Some(udf) = registry().scalar("spark_variant_rows") else {
        return Err(errors::unsupported("function variant_explode"));
    };
    let rows = analyzer.call_scalar(&udf, vec![arg], shown)?;
    let inline = if name.ends_with("_outer") { "inline_outer" } else { "inline" };
    generator(analyzer, inline, vec![rows])
}

/// Adds a generator's columns to a plan, one output row for each row it makes.
pub(super) fn apply(analyzer: &Analyzer<'_>, input: LogicalPlan, generator: &Generator) -> SparkResult<LogicalPlan> {
    let kept: Vec<(Expr, u64)> = input
        .schema()
        .fields()
        .iter()
        .filter_map(|f| f.name().strip_prefix('#').and_then(|n| n.parse().ok()))
        .map(|id| (Expr::Column(column(id)), id))
        .collect();
    if generator.name == "json_tuple" {
        return json_tuple(input, generator, kept);
    }
    let first = generator.args.first().ok_or_else(|| SparkError::internal("a generator needs an argument"))?;
    let (rows, element) = match generator.name.as_str() {
        "stack" => stacked(generator)?,
        _ => match &first.data_type {
            DataType::Map { key, value, value_contains_null } => {
                let entry = DataType::Struct(StructType::new(vec![
                    StructField::new("key", (**key).clone(), false),
                    StructField::new("value", (**value).clone(), *value_contains_null),
                ]));
                (map_entries(first)?, entry)
            }
            DataType::Array { element, .. } => (first.expr.clone(), (**element).clone()),
            _ => return Err(SparkError::internal("a generator needs an array or map")),
        },
    };
    let rows_id = analyzer.fresh();
    let mut exprs = kept.clone();
    exprs.push((rows, rows_id));
    let input = plan::project(input, exprs)?;
    let mut unnested = vec![column(rows_id)];
    let mut exprs = kept.clone();
    exprs.push((Expr::Column(column(rows_id)), rows_id));
    let position = generator.name == "posexplode";
    let pos_id = analyzer.fresh();
    let input = if position {
        let length =
            call(datafusion::functions_nested::length::array_length_udf(), vec![Expr::Column(column(rows_id))]);
        let length = datafusion::logical_expr::cast(length, arrow::datatypes::DataType::Int64);
        let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
        exprs.push((call(datafusion::functions_nested::range::range_udf(), vec![zero, length]), pos_id));
        unnested.push(column(pos_id));
        plan::project(input, exprs)?
    } else {
        input
    };
    let handling = if generator.outer { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
    let options = UnnestOptions { null_handling: handling, ..UnnestOptions::new() };
    let plan = LogicalPlanBuilder::from(input)
        .unnest_columns_with_options(unnested, options)
        .and_then(LogicalPlanBuilder::build)
        .map_err(errors::planning)?;
    let row = Expr::Column(Column::new_unqualified(column_name(rows_id)));
    let mut out = kept;
    let mut targets = generator.output.iter();
    if position && let Some(target) = targets.next() {
        let pos = datafusion::logical_expr::cast(Expr::Column(column(pos_id)), arrow::datatypes::DataType::Int32);
        out.push((pos, target.id));
    }
    let fields = match (&element, generator.name.as_str()) {
        (DataType::Struct(s), "inline" | "stack") => Some(s.fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>()),
        (DataType::Struct(_), _) if matches!(first.data_type, DataType::Map { .. }) => {
            Some(vec!["key".to_string(), "value".to_string()])
        }
        _ => None,
    };
    match fields {
        None => out.extend(targets.next().map(|t| (row, t.id))),
        Some(fields) => {
            for (field, target) in fields.into_iter().zip(targets) {
                let key = Expr::Literal(ScalarValue::Utf8(Some(field)), None);
                out.push((call(datafusion::functions::core::get_field(), vec![row.clone(), key]), target.id));
            }
        }
    }
    plan::project(plan, out)
}

fn call(udf: Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, args))
}

/// A map's entries; the registered function keeps the nullability of values.
fn map_entries(map: &Typed) -> SparkResult<Expr> {
    match registry().scalar("map_entries") {
        Some(udf) => Ok(call(udf, vec![map.expr.clone()])),
        None => Err(errors::unsupported("function map_entries")),
    }
}

fn json_tuple(input: LogicalPlan, generator: &Generator, mut out: Vec<(Expr, u64)>) -> SparkResult<LogicalPlan> {
    let Some(udf) = registry().scalar("spark_json_field") else {
        return Err(errors::unsupported("function json_tuple"));
    };
    let Some((json, keys)) = generator.args.split_first() else {
        return Err(errors::wrong_num_args("json_tuple", "> 1", 0));
    };
    for (key, target) in keys.iter().zip(&generator.output) {
        out.push((call(Arc::clone(&udf), vec![json.expr.clone(), key.expr.clone()]), target.id));
    }
    plan::project(input, out)
}

/// A generator in the arguments of another one.
pub(super) fn nested(error: SparkError, name: &str) -> SparkError {
    if error.condition() != "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT" {
        return error;
    }
    let text = errors::expression(&crate::analyze::naming::call(name, &[]));
    SparkError::analysis("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", &[("expression", &text)])
}

impl Analyzer<'_> {
    /// `LATERAL VIEW [OUTER] generator alias AS columns`.
    pub(super) fn lateral_view(
        &self,
        input: &Relation,
        call: &spec::Expr,
        outer: bool,
        alias: Option<&str>,
        columns: &[String],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        self.generated(resolved, call, outer, alias, columns, env)
    }

    /// The same over a resolved input.
    pub(super) fn generated(
        &self,
        resolved: Resolved,
        call: &spec::Expr,
        outer: bool,
        alias: Option<&str>,
        columns: &[String],
        env: &Env,
    ) -> SparkResult<Resolved> {
        let ExprKind::Function(function) = &*call.kind else {
            return Err(SparkError::analysis(
                "UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                &[("functionName", "`expression`"), ("classCanonicalName", "")],
            ));
        };
        let name = function.name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        if !is_generator(&name) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_GENERATOR.NOT_GENERATOR",
                &[("functionName", &format!("`{name}`")), ("classCanonicalName", "")],
            ))
            .at(call.origin.as_ref());
        }
        let args =
            Exprs::new(self, env, &resolved.scope).arguments_of(&name, &function.args).map_err(|e| nested(e, &name))?;
        let mut made = generator(self, &name, args).at(call.origin.as_ref())?;
        made.outer |= outer;
        if !columns.is_empty() && columns.len() != made.output.len() {
            return Err(SparkError::analysis(
                "UDTF_ALIAS_NUMBER_MISMATCH",
                &[("aliasesSize", &made.output.len().to_string()), ("aliasesNames", &columns.join(","))],
            ));
        }
        let qualifier: Arc<[String]> = alias.map(str::to_string).into_iter().collect();
        for (index, attribute) in made.output.iter_mut().enumerate() {
            attribute.qualifier = Arc::clone(&qualifier);
            attribute.nullable |= outer;
            if let Some(name) = columns.get(index) {
                attribute.name.clone_from(name);
            }
        }
        let plan = apply(self, resolved.plan, &made)?;
        let mut scope = resolved.scope;
        scope.attributes.extend(made.output);
        Ok(Resolved::new(plan, scope))
    }
}
