//! Collations in calls: arguments brought into one collation, functions exchanged for those that know it, `COLLATE` itself.

mod rules;

use datafusion::logical_expr::{Expr, Operator};
use datafusion::scalar::ScalarValue;
use firesteel_functions::collation::{Collation, fold_expr};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use rules::{LIKES, PATTERNS, SEARCHES, UNABLE, meeting, needs_collation};

use super::Exprs;
use super::function::shown_call;
use crate::analyze::collation::{Strength, in_collation, keyed, winner};
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};

impl Exprs<'_, '_> {
    /// Arguments in the collation in which they meet.
    pub(super) fn collated_arguments(&self, name: &str, mut args: Vec<Typed>) -> SparkResult<Vec<Typed>> {
        if args.iter().all(|arg| !arg.data_type.is_collated()) {
            return Ok(args);
        }
        if let Some(places) = meeting(name, args.len()) {
            let values: Vec<&Typed> = places.iter().filter_map(|at| args.get(*at)).collect();
            if let Some(collation) = winner(&values)? {
                if collation.is_indeterminate() && name == "split_part" {
                    return Err(SparkError::analysis("INDETERMINATE_COLLATION", &[]));
                }
                if collation.is_indeterminate() && needs_collation(name) {
                    return Err(indeterminate(name, &args));
                }
                for at in places {
                    if let Some(slot) = args.get_mut(at) {
                        *slot = in_collation(slot.clone(), collation);
                    }
                }
            }
        } else if needs_collation(name)
            && args.iter().any(|arg| arg.data_type.collations().iter().any(|c| c.is_indeterminate()))
        {
            return Err(indeterminate(name, &args));
        }
        check(name, &args)?;
        Ok(adapted(name, args))
    }

    /// A function that knows the collation in place of the one called, or `None` when the plain one will do.
    pub(super) fn collated_call(&self, name: &str, args: &[Typed], shown: &str) -> SparkResult<Option<Typed>> {
        let all = args.iter().flat_map(|arg| arg.data_type.collations());
        let found = all.into_iter().find(|c| !c.is_binary() && !c.is_indeterminate());
        let Some(collation) = found else { return Ok(None) };
        let function = match (name, args.len()) {
            ("array_distinct", 1) => "spark_collated_array_distinct",
            ("array_union", 2) => "spark_collated_array_union",
            ("array_intersect", 2) => "spark_collated_array_intersect",
            ("array_except", 2) => "spark_collated_array_except",
            ("array_remove", 2) => "spark_collated_array_remove",
            ("array_sort", 1) => "spark_collated_array_sort",
            ("sort_array", 1 | 2) => "spark_collated_sort_array",
            ("array_max", 1) => "spark_collated_array_max",
            ("array_min", 1) => "spark_collated_array_min",
            ("greatest", _) => "spark_collated_greatest",
            ("least", _) => "spark_collated_least",
            ("contains", 2) => "spark_collated_contains",
            ("startswith", 2) => "spark_collated_startswith",
            ("endswith", 2) => "spark_collated_endswith",
            ("instr", 2) => "spark_collated_instr",
            ("find_in_set", 2) => "spark_collated_find_in_set",
            ("locate" | "position" | "charindex", 2 | 3) => "spark_collated_locate",
            ("substring_index", 3) => "spark_collated_substring_index",
            ("split_part", 3) => "spark_collated_split_part",
            ("replace", 2 | 3) => "spark_collated_replace",
            ("translate", 3) => "spark_collated_translate",
            ("btrim" | "trim", 2) => "spark_collated_btrim",
            ("ltrim", 2) => "spark_collated_ltrim",
            ("rtrim", 2) => "spark_collated_rtrim",
            ("instr", _) => return Err(errors::unsupported("instr with a position over collated strings")),
            ("upper" | "ucase" | "lower" | "lcase" | "initcap", _) => {
                let name = collation.name();
                let language = name.split('_').next().unwrap_or_default();
                if ["tr", "az", "lt", "el", "nl"].contains(&language) {
                    return Err(errors::unsupported(&format!("{name} text in another case")));
                }
                return Ok(None);
            }
            _ => return Ok(None),
        };
        let mut args = args.to_vec();
        let text = |value: &str| Typed::literal(ScalarValue::Utf8(Some(value.to_string())), DataType::String, "");
        match (name, args.len()) {
            ("trim" | "ltrim" | "rtrim", _) => args.swap(0, 1),
            ("locate" | "position" | "charindex", 2) => {
                args.push(Typed::literal(ScalarValue::Int32(Some(1)), DataType::Integer, "1"));
            }
            ("replace", 2) => args.push(text("")),
            ("sort_array", 1) => {
                args.push(Typed::literal(ScalarValue::Boolean(Some(true)), DataType::Boolean, "true"));
            }
            _ => {}
        }
        args.push(text(&collation.name()));
        self.registered(function, args, shown.to_string()).map(Some)
    }

    /// An aggregate that sees what the collation sees: its name and arguments.
    pub(super) fn collated_aggregate<'n>(
        &self,
        name: &'n str,
        mut args: Vec<Typed>,
        distinct: bool,
    ) -> SparkResult<(&'n str, Vec<Typed>)> {
        if args.iter().all(|arg| !arg.data_type.is_collated()) {
            return Ok((name, args));
        }
        let compared = |arg: &Typed| -> SparkResult<Typed> {
            let expr = keyed(arg.expr.clone(), &arg.data_type)?;
            Ok(Typed { expr, data_type: arg.data_type.without_collations(), ..arg.clone() })
        };
        match (name, distinct) {
            ("count", true) | ("approx_count_distinct", _) => {
                for arg in &mut args {
                    *arg = compared(arg)?;
                }
                Ok((name, args))
            }
            ("min" | "max", _) => {
                let Some(value) = args.first() else { return Ok((name, args)) };
                let key = compared(value)?;
                args.push(key);
                Ok((if name == "min" { "min_by" } else { "max_by" }, args))
            }
            ("min_by" | "max_by", _) => {
                if let Some(order) = args.get_mut(1) {
                    *order = compared(order)?;
                }
                Ok((name, args))
            }
            (_, true) | ("mode" | "histogram_numeric", _) => {
                Err(errors::unsupported(&format!("the aggregate `{name}` of distinct or ordered collated strings")))
            }
            _ => Ok((name, args)),
        }
    }

    /// `expr COLLATE name`.
    pub(super) fn collate(&self, value: Typed, name: &Typed) -> SparkResult<Typed> {
        let name = match (name.constant(), &name.data_type) {
            (Some(ScalarValue::Utf8(Some(name))), text) if text.is_string() => name.clone(),
            _ => {
                let given = errors::sql_type(&name.data_type);
                return Err(SparkError::analysis(
                    "UNEXPECTED_INPUT_TYPE",
                    &[
                        ("paramIndex", "first"),
                        ("functionName", "`collate`"),
                        ("requiredType", "\"STRING\""),
                        ("inputSql", &errors::expression(&name.name)),
                        ("inputType", &given),
                    ],
                ));
            }
        };
        let parts: Vec<String> = name.split('.').map(str::to_string).collect();
        let collation = crate::sql::named_collation(&parts)?;
        let shown = naming::call("collate", &[value.sql(), parts.last().cloned().unwrap_or_default()]);
        if !value.data_type.is_string() && value.data_type != DataType::Null {
            return Err(errors::unexpected_input(&shown, 0, "\"STRING\"", &value.name, &value.data_type));
        }
        let value = self.analyzer.coerce(value, &DataType::String)?;
        let mut out = Typed::new(value.expr, DataType::string_with(collation), value.nullable, shown);
        out.strength = Strength::Explicit;
        Ok(out)
    }

    /// `decode(expr, search, result, ..., default)`: the result of the first search that equals the value, nulls equal.
    pub(super) fn decode_pairs(&self, args: &[Typed]) -> SparkResult<Typed> {
        let texts: Vec<String> = args.iter().map(|arg| arg.sql()).collect();
        let Some((value, rest)) = args.split_first() else {
            return Err(errors::wrong_num_args("decode", "> 1", args.len()));
        };
        let mut branches = Vec::with_capacity(rest.len());
        for pair in rest.chunks(2) {
            match pair {
                [search, result] => {
                    let both = self.collated_arguments("<=>", vec![value.clone(), search.clone()])?;
                    let test = self.operator("<=>", &both)?;
                    branches.extend(test);
                    branches.push(result.clone());
                }
                default => branches.extend(default.iter().cloned()),
            }
        }
        let mut found = self.predicate("when", &branches)?.ok_or_else(|| SparkError::internal("no CASE"))?;
        found.name = naming::call("decode", &texts);
        found.text = None;
        Ok(found)
    }

    /// `collation(expr)`: the full name.
    pub(super) fn collation_of(&self, value: &Typed) -> SparkResult<Typed> {
        let shown = naming::call("collation", &[value.sql()]);
        let collation = match &value.data_type {
            DataType::Null => Collation::BINARY,
            other => match other.collation() {
                Some(collation) => collation,
                None => return Err(errors::unexpected_input(&shown, 0, "\"STRING\"", &value.name, other)),
            },
        };
        let text = format!("SYSTEM.BUILTIN.{}", collation.name());
        Ok(Typed::literal(ScalarValue::Utf8(Some(text)), DataType::String, shown))
    }
}

fn indeterminate(name: &str, args: &[Typed]) -> SparkError {
    SparkError::analysis(
        "INDETERMINATE_COLLATION_IN_EXPRESSION",
        &[("expr", &errors::expression(&call_text(name, args)))],
    )
}

/// The text of a call as errors show it.
fn call_text(name: &str, args: &[Typed]) -> String {
    let texts: Vec<String> = args.iter().map(|arg| arg.sql()).collect();
    let side = match name {
        "trim" | "btrim" | "trim_both" => Some("BOTH"),
        "ltrim" | "trim_leading" => Some("LEADING"),
        "rtrim" | "trim_trailing" => Some("TRAILING"),
        _ => None,
    };
    match (side, texts.as_slice()) {
        (Some(side), [what, value]) if matches!(name, "ltrim" | "rtrim" | "trim") => {
            format!("TRIM({side} {what} FROM {value})")
        }
        (Some(side), [value, what]) => format!("TRIM({side} {what} FROM {value})"),
        _ => naming::operator(name, &texts).unwrap_or_else(|| shown_call(name, args)),
    }
}

/// Collations that a function does not take, and functions that do not take collations here.
fn check(name: &str, args: &[Typed]) -> SparkResult<()> {
    let refused = |fits: &dyn Fn(Collation) -> bool| -> SparkResult<()> {
        let wrong = args.iter().any(|arg| arg.data_type.collation().is_some_and(|c| !fits(c)));
        match args.first() {
            Some(arg) if wrong => {
                let shown = call_text(name, args);
                Err(errors::unexpected_input(&shown, 0, "\"STRING\"", &arg.name, &arg.data_type))
            }
            _ => Ok(()),
        }
    };
    if SEARCHES.contains(&name) {
        refused(&|c| c.is_utf8() || c.is_indeterminate() || !c.ignores_accents() || c.ignores_case())?;
    }
    if LIKES.contains(&name) || PATTERNS.contains(&name) {
        refused(&|c| c.is_utf8() && !c.trims())?;
    }
    if name == "collect_set" {
        let Some(arg) = args.first() else { return Ok(()) };
        let shown = naming::call(name, &[arg.sql()]);
        return Err(SparkError::analysis(
            "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE",
            &[
                ("sqlExpr", &errors::expression(&shown)),
                ("functionName", "`collect_set`"),
                ("dataType", "\"MAP\" or \"COLLATED STRING\""),
            ],
        ));
    }
    let map_of_several = name == "map" && args.len() > 2;
    let key = |arg: &Typed| matches!(&arg.data_type, DataType::Map { key, .. } if key.is_collated());
    let lookup = matches!(name, "element_at" | "try_element_at") && args.first().is_some_and(key);
    let collated_keys = map_of_several && args.iter().step_by(2).any(|arg| arg.data_type.is_collated());
    if UNABLE.contains(&name) || lookup || collated_keys {
        return Err(errors::unsupported(&format!("the function `{name}` over collated strings")));
    }
    Ok(())
}

/// Arguments that make a function see what the collation sees.
fn adapted(name: &str, mut args: Vec<Typed>) -> Vec<Typed> {
    let blind = |arg: &Typed| arg.data_type.collation().is_some_and(Collation::is_lcase);
    if LIKES.contains(&name) && args.iter().any(blind) {
        let last = if matches!(name, "like" | "ilike") { 2 } else { args.len() };
        for arg in args.iter_mut().take(last) {
            arg.expr = folded(arg.expr.clone());
            arg.data_type = arg.data_type.without_collations();
        }
    }
    if PATTERNS.contains(&name)
        && args.first().is_some_and(blind)
        && let Some(pattern) = args.get_mut(1)
    {
        let text = pattern.sql();
        pattern.expr = match &pattern.expr {
            Expr::Literal(ScalarValue::Utf8(Some(pattern)), metadata) => {
                Expr::Literal(ScalarValue::Utf8(Some(format!("(?iu){pattern}"))), metadata.clone())
            }
            other => {
                let prefix = Expr::Literal(ScalarValue::Utf8(Some("(?iu)".to_string())), None);
                super::binary(prefix, Operator::StringConcat, other.clone())
            }
        };
        pattern.text = Some(text);
    }
    if matches!(name, "array_contains" | "array_position" | "arrays_overlap") {
        for arg in &mut args {
            if let Ok(expr) = keyed(arg.expr.clone(), &arg.data_type) {
                arg.expr = expr;
                arg.data_type = arg.data_type.without_collations();
            }
        }
    }
    args
}

fn folded(expr: Expr) -> Expr {
    match &expr {
        Expr::Literal(ScalarValue::Utf8(None), _) => expr,
        Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => {
            let text = firesteel_functions::collation::folded(text);
            Expr::Literal(ScalarValue::Utf8(Some(text)), metadata.clone())
        }
        _ => fold_expr(expr),
    }
}
