//! Aggregate functions with their modifiers, and `grouping`.
//! It is long because all aggregates take one path from a call to its expression.

mod settings;

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::NullTreatment;
use datafusion::scalar::ScalarValue;
use firesteel_functions::arithmetic::{holds_float, normalize_float};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};
use firesteel_functions::{approx_count_distinct_precision, registry};

use super::function::is_aggregate;
use super::{Exprs, unmarked};
use crate::analyze::functions::AggregateModifiers;
use crate::analyze::typed::Typed;
use crate::analyze::{collation, errors, naming, plan};
use crate::spec::{ExprKind, Function, Literal, SortOrder};

impl Exprs<'_, '_> {
    /// An aggregate call, or `None` when `name` is no aggregate.
    pub(super) fn aggregate(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        if !is_aggregate(name) {
            return Ok(None);
        }
        if matches!(name, "grouping" | "grouping_id") {
            return self.grouping_call(name, function).map(Some);
        }
        if self.in_aggregate.get() && !self.in_window.get() {
            return Err(SparkError::analysis("NESTED_AGGREGATE_FUNCTION", &[]));
        }
        let nested = self.in_aggregate.replace(!self.in_window.get());
        let outcome = self.aggregate_call(name, function);
        self.in_aggregate.set(nested);
        self.of_outer_query(outcome?).map(Some)
    }

    fn aggregate_call(&self, name: &str, function: &Function) -> SparkResult<Typed> {
        if let ("mode", [value, deterministic]) = (name, function.args.as_slice())
            && let Some(ScalarValue::Boolean(Some(deterministic))) = self.resolve(deterministic)?.constant()
        {
            // mode(x, true) is mode() WITHIN GROUP (ORDER BY x).
            let mut function = Function { args: vec![], ..function.clone() };
            match deterministic {
                true => function.order_by.push(SortOrder { expr: value.clone(), ascending: true, nulls_first: true }),
                false => function.args.push(value.clone()),
            }
            return self.aggregate_call(name, &function);
        }
        if !function.order_by.is_empty()
            && !matches!(name, "listagg" | "string_agg" | "mode" | "percentile_cont" | "percentile_disc")
        {
            return Err(SparkError::analysis(
                "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                &[("prettyName", &format!("`{name}`")), ("syntax", "WITHIN GROUP (ORDER BY ...)")],
            ));
        }
        let filter = function.filter.as_ref().map(|f| self.aggregate_filter(f)).transpose()?;
        let filter_text = filter.as_ref().map(|f| f.name.clone());
        let filter = filter.map(|f| self.analyzer.condition(f)).transpose()?;
        let mut args =
            if name == "count" { self.count_arguments(function)? } else { self.arguments(name, &function.args)? };
        if !self.in_window.get()
            && let Some(found) = args.iter().find(|arg| arg.expr.is_volatile())
        {
            let shown = naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
            return Err(SparkError::analysis(
                "AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION",
                &[("sqlExpr", &errors::expression(&shown)), ("expr", &errors::expression(&found.name))],
            ));
        }
        let mut null_treatment = function.ignore_nulls.map(treatment);
        if matches!(name, "first" | "last" | "first_value" | "last_value" | "any_value") && args.len() == 2 {
            // first(x, true) is first(x) IGNORE NULLS.
            null_treatment = Some(treatment(settings::ignores_nulls(name, &args)?));
            args.truncate(1);
        }
        let mut order = self.sort_keys(&function.order_by)?;
        if matches!(name, "percentile_cont" | "percentile_disc" | "mode")
            && let Some(found) = self.inverse_distribution(name, function, &args, &mut order)?
        {
            args = found.0;
            let (shown, reverse) = (found.1, found.2);
            let shown = filter_text.as_ref().map_or_else(|| shown.clone(), |f| format!("{shown} FILTER (WHERE {f})"));
            // What counts rows from the other end is a function of its own.
            let name = match (name, reverse) {
                ("mode", true) => "spark_mode_descending",
                ("percentile_disc", true) => "spark_percentile_disc_descending",
                _ => name,
            };
            let modifiers = AggregateModifiers { filter, ..AggregateModifiers::default() };
            let Some(udf) = registry().aggregate_for(name, self.analyzer.context.options.ansi) else {
                return Err(errors::unsupported(&format!("aggregate function {name}")));
            };
            return self.analyzer.call_aggregate(&udf, args, shown, modifiers);
        }
        self.check_settings(name, &args)?;
        let mut name = name;
        let mut deterministic = None;
        if let ("mode", [_, flag]) = (name, args.as_slice())
            && let Some(ScalarValue::Boolean(Some(flag))) = flag.constant()
        {
            deterministic = Some(*flag);
            args.truncate(1);
        }
        let mut deviation = DEVIATION;
        if let ("approx_count_distinct", [_, given]) = (name, args.as_slice()) {
            deviation = deviation_of(given);
            args.truncate(1);
        }
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        let shown_name = match name {
            "array_agg" => "collect_list".to_string(),
            _ => registry().canonical_name(name).unwrap_or_else(|| name.to_string()),
        };
        if matches!(name, "max" | "min")
            && let Some(found) = args.iter().find(|arg| !errors::is_orderable(&arg.data_type))
        {
            return Err(errors::wrong_comparison(name, &naming::call(name, &texts), &found.data_type));
        }
        let mut all = texts.clone();
        all.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string));
        let mut shown = naming::aggregate(&shown_name, &all, function.distinct, None);
        if deterministic == Some(true) {
            shown = format!("mode() WITHIN GROUP (ORDER BY {} DESC)", texts.join(", "));
        } else if name == "mode" {
            name = "spark_mode_any";
        }
        if !order.is_empty() {
            let keys: Vec<String> = order.iter().map(|(_, text, _)| text.clone()).collect();
            shown = format!("{shown} WITHIN GROUP (ORDER BY {})", keys.join(", "));
        }
        if let Some(text) = filter_text {
            shown = format!("{shown} FILTER (WHERE {text})");
        }
        if !order.is_empty() {
            if function.distinct
                && let (Some(value), [(key, text, _), ..]) = (args.first(), order.as_slice())
                && (order.len() > 1 || !collation::compares(&key.expr, value)?)
            {
                return Err(SparkError::analysis(
                    "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
                    &[("funcName", &format!("`{name}`")), ("funcArg", &value.sql()), ("orderingExpr", text)],
                ));
            }
            // Keys travel as arguments: partial states keep them, and rows are put in order at the end.
            name = "spark_listagg_sorted";
            let text = |text: Option<String>| Typed::literal(ScalarValue::Utf8(text), DataType::String, "");
            if args.len() < 2 {
                let none = text(None);
                args.push(match args.first() {
                    Some(value) if value.data_type == DataType::Binary => {
                        Typed::literal(ScalarValue::Binary(None), DataType::Binary, "")
                    }
                    _ => none,
                });
            }
            let letters = order.iter().map(|(sort, ..)| {
                [if sort.asc { 'a' } else { 'd' }, if sort.nulls_first { 'f' } else { 'l' }].iter().collect::<String>()
            });
            args.push(text(Some(letters.collect())));
            args.extend(order.into_iter().map(|(sort, _, data_type)| Typed::new(sort.expr, data_type, true, "")));
        }
        let modifiers = AggregateModifiers { distinct: function.distinct, filter, order_by: vec![], null_treatment };
        let (name, mut args) = self.collated_aggregate(name, args, function.distinct)?;
        if function.distinct || name == "collect_set" {
            // What is told apart has one zero and one NaN.
            for arg in args.iter_mut().filter(|arg| holds_float(&arg.data_type.to_arrow())) {
                arg.expr = normalize_float(arg.expr.clone());
            }
        }
        let args = if name == "approx_count_distinct" { self.countable(args, deviation)? } else { args };
        if name == "count" {
            return self.count(args, shown, modifiers);
        }
        let Some(udf) = registry().aggregate_for(name, self.analyzer.context.options.ansi) else {
            return Err(errors::unsupported(&format!("aggregate function {name}")));
        };
        self.analyzer.call_aggregate(&udf, args, shown, modifiers)
    }

    /// The arguments of `approx_count_distinct` as its sketch takes them: Spark's hash, null where the value is, and the
    /// precision that a deviation asks for.
    fn countable(&self, args: Vec<Typed>, deviation: f64) -> SparkResult<Vec<Typed>> {
        let precision = ScalarValue::Int32(Some(approx_count_distinct_precision(deviation)?.into()));
        let Some(mut value) = args.into_iter().next() else { return Ok(vec![]) };
        if holds_float(&value.data_type.to_arrow()) {
            value.expr = normalize_float(value.expr);
        }
        let test = Expr::IsNotNull(Box::new(value.expr.clone()));
        let hash = self.registered("xxhash64", vec![value], String::new())?;
        let known = datafusion::logical_expr::when(test, hash.expr).end().map_err(errors::planning)?;
        let precision = Typed::new(Expr::Literal(precision, None), DataType::Integer, false, "");
        Ok(vec![Typed::new(known, DataType::Long, true, ""), precision])
    }

    /// `percentile_cont(p) WITHIN GROUP (ORDER BY v)` takes the value first; descending order mirrors the percentage.
    fn inverse_distribution(
        &self,
        name: &str,
        function: &Function,
        args: &[Typed],
        order: &mut Vec<(datafusion::logical_expr::SortExpr, String, DataType)>,
    ) -> SparkResult<Option<(Vec<Typed>, String, bool)>> {
        let Some(key) = function.order_by.first() else {
            return match name {
                "mode" => Ok(None),
                _ => Err(SparkError::analysis(
                    "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING",
                    &[("funcName", &format!("`{name}`"))],
                )),
            };
        };
        if function.distinct {
            return Err(SparkError::analysis(
                "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED",
                &[("funcName", &format!("`{name}`"))],
            ));
        }
        if order.len() != 1 {
            return Err(SparkError::analysis(
                "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS",
                &[("funcName", &format!("`{name}`")), ("expectedNum", "1"), ("actualNum", &order.len().to_string())],
            ));
        }
        order.clear();
        let value = self.resolve(&key.expr)?;
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        // Spark shows a mode with the direction it looks in, which is the opposite of the one written.
        let direction = if key.ascending == (name != "mode") { "" } else { " DESC" };
        let shown = format!("{} WITHIN GROUP (ORDER BY {}{direction})", naming::call(name, &texts), value.sql());
        let mut out = vec![value];
        for arg in args {
            if !crate::analyze::fold::is_constant(&arg.expr) {
                return Err(SparkError::analysis(
                    "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                    &[
                        ("sqlExpr", &errors::expression(&shown)),
                        ("inputName", "`percentage`"),
                        ("inputType", "\"DOUBLE\""),
                        ("inputExpr", &errors::expression(&arg.sql())),
                    ],
                ));
            }
            if key.ascending || name == "percentile_disc" {
                out.push(arg.clone());
                continue;
            }
            let one = self.analyzer.literal(&Literal::Double(1.0))?;
            let mirrored =
                self.arithmetic("-", one, self.analyzer.coerce(arg.clone(), &DataType::Double)?, String::new())?;
            let folded = self.analyzer.fold(&mirrored.expr)?;
            out.push(Typed::literal(folded, DataType::Double, ""));
        }
        Ok(Some((out, shown, !key.ascending)))
    }

    /// `FILTER (WHERE ...)`: a deterministic condition over the input.
    fn aggregate_filter(&self, filter: &crate::spec::Expr) -> SparkResult<Typed> {
        let nested = self.in_aggregate.replace(false);
        let outcome = self.resolve(filter);
        self.in_aggregate.set(nested);
        let typed = outcome?;
        let text = errors::expression(&typed.name);
        let mut found = None;
        for (fits, reason, key) in [
            (is_aggregate_call as fn(&Expr) -> bool, "CONTAINS_AGGREGATE", "aggExpr"),
            (is_window_call, "CONTAINS_WINDOW_FUNCTION", "windowExpr"),
        ] {
            if plan::contains(&typed.expr, fits) {
                found.get_or_insert((reason, key));
            }
        }
        if let Some((reason, key)) = found {
            return Err(SparkError::analysis(
                &format!("INVALID_AGGREGATE_FILTER.{reason}"),
                &[("filterExpr", &text), (key, &text)],
            ));
        }
        if typed.expr.is_volatile() {
            return Err(SparkError::analysis("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC", &[("filterExpr", &text)]));
        }
        if !matches!(typed.data_type, DataType::Boolean | DataType::Null) {
            return Err(SparkError::analysis("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", &[("filterExpr", &text)]));
        }
        Ok(typed)
    }

    /// `count(*)` is `count(1)`; `count(t.*)` must be written out.
    fn count_arguments(&self, function: &Function) -> SparkResult<Vec<Typed>> {
        let args = &function.args;
        if let ([only], false) = (args.as_slice(), function.distinct)
            && matches!(&*only.kind, ExprKind::Star { target, .. } if target.is_empty())
        {
            return Ok(vec![self.analyzer.literal(&Literal::Integer(1))?]);
        }
        if let [only] = args.as_slice()
            && let ExprKind::Star { target, .. } = &*only.kind
            && !target.is_empty()
            && !self.analyzer.context.count_of_table
        {
            return Err(SparkError::analysis(
                "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT",
                &[("tableName", &errors::quoted(target))],
            ));
        }
        self.arguments("count", args)
    }

    fn count(&self, mut args: Vec<Typed>, shown: String, mut modifiers: AggregateModifiers) -> SparkResult<Typed> {
        if args.is_empty() && self.analyzer.context.count_of_nothing {
            // Nothing is never not null.
            let expr = Expr::Literal(ScalarValue::Int64(None), None);
            args.push(Typed::new(expr, DataType::Long, true, ""));
        }
        if args.is_empty() {
            return Err(SparkError::analysis(
                "WRONG_NUM_ARGS.WITH_SUGGESTION",
                &[
                    ("functionName", "`count`"),
                    ("expectedNum", " >= 1"),
                    ("actualNum", "0"),
                    ("legacyNum", "0"),
                    ("legacyConfKey", "\"spark.sql.legacy.allowParameterlessCount\""),
                    ("legacyConfValue", "\"true\""),
                ],
            ));
        }
        let several = args.len() > 1;
        if several && !modifiers.distinct {
            // A row counts when none of the values is null.
            let tests: Vec<Expr> =
                args.iter().filter(|a| a.nullable).map(|a| Expr::IsNotNull(Box::new(a.expr.clone()))).collect();
            args = vec![self.analyzer.literal(&Literal::Integer(1))?];
            if !tests.is_empty() {
                let mut all = tests;
                all.extend(modifiers.filter.take());
                modifiers.filter = Some(super::operator::balanced(all, datafusion::logical_expr::Operator::And));
            }
        } else if several {
            let tests: Vec<Expr> =
                args.iter().filter(|a| a.nullable).map(|a| Expr::IsNotNull(Box::new(a.expr.clone()))).collect();
            let row = self.row(args)?;
            args = vec![row];
            if !tests.is_empty() {
                let mut all = tests;
                all.extend(modifiers.filter.take());
                modifiers.filter = Some(super::operator::balanced(all, datafusion::logical_expr::Operator::And));
            }
        }
        let AggregateModifiers { distinct, filter, .. } = modifiers;
        let exprs: Vec<Expr> = args
            .into_iter()
            .map(|a| match a.expr {
                Expr::Literal(value, _) if !value.is_null() => Expr::Literal(ScalarValue::Int64(Some(1)), None),
                expr => expr,
            })
            .collect();
        let function = datafusion::logical_expr::expr::AggregateFunction::new_udf(
            count_udaf(),
            exprs,
            distinct,
            filter.map(Box::new),
            vec![],
            None,
        );
        Ok(Typed::new(Expr::AggregateFunction(function), DataType::Long, false, shown))
    }

    /// `grouping(column)` and `grouping_id(columns)`, computed from the grouping sets' id.
    pub(super) fn grouping_call(&self, name: &str, function: &Function) -> SparkResult<Typed> {
        let Some(grouping) = self.grouping else {
            return Err(SparkError::analysis("UNSUPPORTED_GROUPING_EXPRESSION", &[]));
        };
        let mut args = self.arguments(name, &function.args)?;
        for arg in &mut args {
            arg.expr = unmarked(arg.expr.clone())?;
        }
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        let shown = naming::call(name, &texts);
        let wanted = texts.join(",");
        let find = |arg: &Typed| {
            grouping.iter().position(|g| g.expr == arg.expr).ok_or_else(|| {
                if name == "grouping_id" {
                    let all = grouping.iter().map(|g| g.name.clone()).collect::<Vec<_>>().join(",");
                    return SparkError::analysis(
                        "GROUPING_ID_COLUMN_MISMATCH",
                        &[("groupingIdColumn", &wanted), ("groupByColumns", &all)],
                    );
                }
                SparkError::analysis(
                    "GROUPING_COLUMN_MISMATCH",
                    &[
                        ("grouping", &errors::expression(&arg.name)),
                        ("groupingColumns", &grouping.iter().map(|g| g.name.clone()).collect::<Vec<_>>().join(",")),
                    ],
                )
            })
        };
        let positions = if name == "grouping_id" && args.is_empty() {
            (0..grouping.len()).collect()
        } else {
            args.iter().map(find).collect::<SparkResult<Vec<_>>>()?
        };
        let columns: Vec<Expr> = positions.iter().filter_map(|p| grouping.get(*p)).map(|g| g.expr.clone()).collect();
        let function = datafusion::logical_expr::expr::AggregateFunction::new_udf(
            datafusion::functions_aggregate::grouping::grouping_udaf(),
            columns,
            false,
            None,
            vec![],
            None,
        );
        let data_type = if name == "grouping" { DataType::Byte } else { DataType::Long };
        let call = datafusion::logical_expr::cast(Expr::AggregateFunction(function), data_type.to_arrow());
        Ok(Typed::new(call, data_type, false, shown))
    }
}

/// Spark's relative standard deviation of `approx_count_distinct` where none is said.
const DEVIATION: f64 = 0.05;

/// A deviation that is said; what is no constant number is none that is allowed.
fn deviation_of(given: &Typed) -> f64 {
    match given.constant() {
        Some(ScalarValue::Float64(Some(given))) => *given,
        Some(ScalarValue::Decimal128(Some(value), _, scale)) => *value as f64 / 10_f64.powi(i32::from(*scale)),
        _ => f64::NAN,
    }
}

fn is_aggregate_call(expr: &Expr) -> bool {
    matches!(expr, Expr::AggregateFunction(_))
}

fn is_window_call(expr: &Expr) -> bool {
    matches!(expr, Expr::WindowFunction(_))
}

fn treatment(ignore: bool) -> NullTreatment {
    if ignore { NullTreatment::IgnoreNulls } else { NullTreatment::RespectNulls }
}
