//! Calls: finds out what a name means (operator, generator, aggregate, scalar function, SQL function) and applies it.

use datafusion::logical_expr::Expr;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::{Exprs, Generator};
use crate::analyze::errors::At;
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming, plan};
use crate::spec::{self, ExprKind, Function};

const AGGREGATE_ONLY: &[&str] = &["count", "grouping", "grouping_id"];

impl Exprs<'_, '_> {
    /// A call.
    pub(super) fn function(&self, function: &Function, origin: Option<&spec::Origin>) -> SparkResult<Typed> {
        let name = self.function_name(function)?;
        if let ([piped], [arg]) = (name.as_slice(), function.args.as_slice())
            && let Some(clause) = piped.strip_prefix(spec::PIPE_PREFIX)
        {
            return self.piped(clause, arg);
        }
        let Some(lower) = builtin_name(&name) else { return self.user_function(&name, function) };
        if matches!(lower.as_str(), "and" | "or") && function.args.len() == 2 {
            return self.logic_chain(&lower, &function.args);
        }
        if lower == "not"
            && let Some(found) = self.negated_quantifier(function, origin)?
        {
            return Ok(found);
        }
        self.only_higher_order(&lower, function)?;
        if super::super::relation::is_generator(&lower) {
            return self.misplaced_generator(&lower);
        }
        if let Some(found) = self.aggregate(&lower, function)? {
            return Ok(found);
        }
        reject_modifiers(&lower, function)?;
        if let Some(found) = self.lambda_call(&lower, function)? {
            return Ok(found);
        }
        if let Some(found) = self.special(&lower, function)? {
            return Ok(found);
        }
        if let Some(found) = self.document(&lower, function)? {
            return Ok(found);
        }
        let args = self.arguments(&lower, &function.args)?;
        if let Some(found) = self.operator(&lower, &args)? {
            return Ok(found);
        }
        if let Some(found) = self.predicate(&lower, &args)? {
            return Ok(found);
        }
        if let ("like" | "ilike", [value, pattern, escape]) = (lower.as_str(), args.as_slice()) {
            return self.escaped_like(&lower, value, pattern, escape);
        }
        if let ("like" | "ilike", [_, pattern]) = (lower.as_str(), args.as_slice()) {
            super::predicate::check_pattern(pattern)?;
        }
        if let Some(found) = self.moment(&lower, &args)? {
            return Ok(found);
        }
        if let Some(found) = self.tried(&lower, &args)? {
            return Ok(found);
        }
        if let Some(found) = self.nested(&lower, &args)? {
            return Ok(found);
        }
        if let Some(found) = self.decided(&lower, &args)? {
            return Ok(found);
        }
        if registry().scalar(&lower).is_some() {
            let args = self.alike(&lower, args)?;
            let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
            let shown = naming::operator(&lower, &texts).unwrap_or_else(|| shown_call(&lower, &args));
            return self.registered(&lower, args, shown);
        }
        if registry().window(&lower).is_some() {
            check_window_count(&lower, args.len())?;
            return Err(SparkError::analysis(
                "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
                &[(
                    "funcName",
                    &errors::expression(&naming::call(&lower, &args.iter().map(|a| a.sql()).collect::<Vec<_>>())),
                )],
            ));
        }
        // No SQL text can name these.
        if !matches!(origin, Some(spec::Origin::Sql { .. }))
            && let Some(found) = self.internal(&lower, function)?
        {
            return Ok(found);
        }
        self.user_function(&name, function)
    }

    /// An expression of a pipe operator.
    fn piped(&self, clause: &str, expr: &spec::Expr) -> SparkResult<Typed> {
        if matches!(&*expr.kind, ExprKind::Star { .. }) {
            return Err(SparkError::analysis(
                "INVALID_USAGE_OF_STAR_OR_REGEX",
                &[("elem", "'*'"), ("prettyName", "expression `pipeexpression`")],
            ));
        }
        let typed = self.resolve(expr)?;
        let aggregated = plan::contains(&typed.expr, |e| matches!(e, Expr::AggregateFunction(_)));
        let window = plan::contains(&typed.expr, |e| matches!(e, Expr::WindowFunction(_)));
        match clause {
            "AGGREGATE" if aggregated && !window => Ok(typed),
            "AGGREGATE" => Err(SparkError::analysis(
                "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION",
                &[("expr", &typed.name)],
            )),
            _ if aggregated => Err(SparkError::analysis(
                "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION",
                &[("expr", &typed.name), ("clause", clause)],
            )),
            _ => Ok(typed),
        }
    }

    /// `x NOT LIKE ANY (...)`: some pattern does not match, which is not the negation of `x LIKE ANY (...)`.
    /// Both are a `not` around the call; only the former starts where its operand starts.
    fn negated_quantifier(&self, function: &Function, origin: Option<&spec::Origin>) -> SparkResult<Option<Typed>> {
        let [arg] = function.args.as_slice() else { return Ok(None) };
        let ExprKind::Function(inner) = &*arg.kind else { return Ok(None) };
        let name = inner.name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        let same_start = match (origin, &arg.origin) {
            (Some(spec::Origin::Sql { start, .. }), Some(spec::Origin::Sql { start: inner, .. })) => start == inner,
            _ => false,
        };
        if !same_start || !matches!(name.as_str(), "like_any" | "like_all" | "ilike_any" | "ilike_all") {
            return Ok(None);
        }
        let args = self.arguments(&name, &inner.args)?;
        self.predicate(&format!("not_{name}"), &args)
    }

    /// The function's name, with `IDENTIFIER(...)` resolved.
    fn function_name(&self, function: &Function) -> SparkResult<Vec<String>> {
        Ok(function.name.clone())
    }

    /// Arguments, stars expanded and named ones put in place.
    pub(super) fn arguments(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Vec<Typed>> {
        let mut out = Vec::with_capacity(args.len());
        for arg in args {
            match &*arg.kind {
                ExprKind::Star { target, plan_id, except, replace } => {
                    out.extend(self.star(target, *plan_id, except, replace).at(arg.origin.as_ref())?);
                }
                // Functions that name their parameters take them in the order of the registry's signature.
                ExprKind::NamedArgument { value, .. } => out.push(self.resolve(value)?),
                _ => out.push(self.resolve(arg)?),
            }
        }
        if args.iter().any(|a| matches!(&*a.kind, ExprKind::NamedArgument { .. })) {
            out = self.named_arguments(name, args, out)?;
        }
        self.collated_arguments(name, out)
    }

    fn named_arguments(&self, name: &str, args: &[spec::Expr], values: Vec<Typed>) -> SparkResult<Vec<Typed>> {
        let Some(order) = super::special::parameter_names(name) else {
            return Err(SparkError::analysis(
                "NAMED_PARAMETERS_NOT_SUPPORTED",
                &[("functionName", &format!("`{name}`"))],
            ));
        };
        let mut slots: Vec<Option<Typed>> = vec![None; order.len()];
        for (index, (arg, value)) in args.iter().zip(values).enumerate() {
            let position = match &*arg.kind {
                ExprKind::NamedArgument { name: parameter, .. } => {
                    order.iter().position(|p| p.eq_ignore_ascii_case(parameter)).ok_or_else(|| {
                        SparkError::analysis(
                            "UNRECOGNIZED_PARAMETER_NAME",
                            &[
                                ("routineName", &format!("`{name}`")),
                                ("argumentName", &format!("`{parameter}`")),
                                ("proposal", &order.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" ")),
                            ],
                        )
                    })?
                }
                _ => index,
            };
            let Some(slot) = slots.get_mut(position) else {
                return Err(errors::wrong_num_args(name, &order.len().to_string(), args.len()));
            };
            if slot.is_some() {
                return Err(SparkError::analysis(
                    "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
                    &[
                        ("routineName", &format!("`{name}`")),
                        ("parameterName", &format!("`{}`", order.get(position).copied().unwrap_or_default())),
                    ],
                ));
            }
            *slot = Some(value);
        }
        while slots.last().is_some_and(Option::is_none) {
            slots.pop();
        }
        slots
            .into_iter()
            .enumerate()
            .map(|(index, slot)| {
                slot.ok_or_else(|| {
                    SparkError::analysis(
                        "REQUIRED_PARAMETER_NOT_FOUND",
                        &[
                            ("routineName", &format!("`{name}`")),
                            ("parameterName", &format!("`{}`", order.get(index).copied().unwrap_or_default())),
                            ("index", &index.to_string()),
                        ],
                    )
                })
            })
            .collect()
    }

    /// A call of a registered scalar function.
    pub(super) fn registered(&self, name: &str, args: Vec<Typed>, shown: String) -> SparkResult<Typed> {
        if let Some(found) = self.collated_call(name, &args, &shown)? {
            return Ok(found);
        }
        match registry().scalar(name) {
            Some(udf) => self.analyzer.call_scalar(&udf, args, shown),
            None => Err(errors::unsupported(&format!("function {name}"))),
        }
    }

    /// A generator inside a larger expression, or where none may stand.
    fn misplaced_generator(&self, name: &str) -> SparkResult<Typed> {
        if self.generators.is_none() {
            return Err(SparkError::analysis("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", &[("plan", "'Filter'")]));
        }
        Err(SparkError::analysis(
            "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
            &[("expression", &errors::expression(&naming::call(name, &[])))],
        ))
    }

    /// A generator standing alone in a select list, with all its columns.
    pub(in crate::analyze) fn top_generator(&self, expr: &spec::Expr) -> SparkResult<Option<Vec<Typed>>> {
        let (inner, names) = match &*expr.kind {
            ExprKind::Alias { expr, names, .. } => (expr, names.as_slice()),
            _ => (expr, &[][..]),
        };
        let ExprKind::Function(named) = &*inner.kind else { return Ok(None) };
        let mut function = named;
        if let ([piped], [arg]) = (function.name.as_slice(), function.args.as_slice())
            && piped.starts_with(spec::PIPE_PREFIX)
            && let ExprKind::Function(inside) = &*arg.kind
        {
            function = inside;
        }
        let Some(lower) = builtin_name(&function.name) else { return Ok(None) };
        let Some(generators) = self.generators.filter(|_| super::super::relation::is_generator(&lower)) else {
            return Ok(None);
        };
        if lower.starts_with("variant_explode") {
            return Err(SparkError::analysis("NOT_A_SCALAR_FUNCTION", &[("functionName", &format!("`{lower}`"))]))
                .at(inner.origin.as_ref());
        }
        let args = self.arguments(&lower, &function.args)?;
        let mut generator: Generator =
            super::super::relation::generator(self.analyzer, &lower, args).at(inner.origin.as_ref())?;
        if !names.is_empty() {
            if names.len() != generator.output.len() {
                return Err(SparkError::analysis(
                    "UDTF_ALIAS_NUMBER_MISMATCH",
                    &[("aliasesSize", &generator.output.len().to_string()), ("aliasesNames", &names.join(","))],
                ))
                .at(expr.origin.as_ref());
            }
            for (attribute, name) in generator.output.iter_mut().zip(names) {
                attribute.name.clone_from(name);
            }
        }
        let out = generator.output.iter().map(Typed::attribute).collect();
        generators.borrow_mut().push(generator);
        Ok(Some(out))
    }

    fn user_function(&self, name: &[String], function: &Function) -> SparkResult<Typed> {
        let namespace = self.env.namespace.clone();
        let entry = self.analyzer.lookup(NameRef::Function { name: name.to_vec(), namespace: namespace.clone() })?;
        match entry {
            TableEntry::Function(found) => self.sql_function(found, function),
            _ => Err(self.unknown(name)),
        }
    }
}

/// Text of a call, with the name and default arguments Spark shows.
pub(super) fn shown_call(name: &str, args: &[Typed]) -> String {
    let mut texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
    let side = match name {
        "trim" => Some("BOTH"),
        "ltrim" => Some("LEADING"),
        "rtrim" => Some("TRAILING"),
        _ => None,
    };
    if let (Some(side), [what, value]) = (side, texts.as_slice()) {
        return format!("TRIM({side} {what} FROM {value})");
    }
    match (name, texts.as_slice(), args.first().map(|a| &a.data_type)) {
        ("lpad" | "rpad", [_, _], Some(DataType::Binary)) => texts.push("X'00'".to_string()),
        ("assert_true", [condition], _) => {
            let message = format!("'{condition}' is not true!");
            texts.push(message);
        }
        ("log", [_], _) => texts.insert(0, "E()".to_string()),
        ("convert_timezone", [_, _], _) => texts.insert(0, "current_timezone()".to_string()),
        _ => texts.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string)),
    }
    let shown = match name {
        // With a scale they are other expressions, which print their names as they are.
        "ceil" | "ceiling" | "floor" if args.len() == 2 => name.to_string(),
        "dateadd" => "date_add".to_string(),
        _ => registry().canonical_name(name).unwrap_or_else(|| name.to_string()),
    };
    naming::call(&shown, &texts)
}

/// Lower-case name of what may be a built-in function.
pub(super) fn builtin_name(name: &[String]) -> Option<String> {
    match name {
        [one] => Some(one.to_lowercase()),
        [schema, one] if schema.eq_ignore_ascii_case("builtin") => Some(one.to_lowercase()),
        [system, schema, one] if system.eq_ignore_ascii_case("system") && schema.eq_ignore_ascii_case("builtin") => {
            Some(one.to_lowercase())
        }
        _ => None,
    }
}

/// Whether a window function takes this many arguments.
///
/// # Errors
/// `WRONG_NUM_ARGS`.
pub(super) fn check_window_count(name: &str, given: usize) -> SparkResult<()> {
    let (counts, expected) = match name {
        "row_number" | "cume_dist" => (0..=0, "0"),
        "ntile" => (0..=1, "[0, 1]"),
        // The clients' third argument says to ignore nulls.
        "nth_value" => (2..=3, "2"),
        "lag" | "lead" => (1..=3, "[1, 2, 3]"),
        _ => return Ok(()),
    };
    if counts.contains(&given) { Ok(()) } else { Err(errors::wrong_num_args(name, expected, given)) }
}

/// Whether a name is an aggregate function's.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATE_ONLY.contains(&name) || registry().aggregate(name).is_some()
}

fn reject_modifiers(name: &str, function: &Function) -> SparkResult<()> {
    let sub = if function.distinct {
        "DISTINCT"
    } else if function.filter.is_some() {
        "FILTER"
    } else if !function.order_by.is_empty() {
        "WITHIN GROUP (ORDER BY ...)"
    } else {
        return Ok(());
    };
    Err(SparkError::analysis(
        "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
        &[("prettyName", &format!("`{name}`")), ("syntax", if sub == "FILTER" { "FILTER CLAUSE" } else { sub })],
    ))
}
