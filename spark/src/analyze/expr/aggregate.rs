//! Aggregate functions with their modifiers, and `grouping`.

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::NullTreatment;
use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use super::function::is_aggregate;
use crate::analyze::functions::AggregateModifiers;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{self, ExprKind, Function, Literal};

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
        outcome.map(Some)
    }

    fn aggregate_call(&self, name: &str, function: &Function) -> SparkResult<Typed> {
        let filter = function.filter.as_ref().map(|f| self.resolve(f)).transpose()?;
        let filter_text = filter.as_ref().map(|f| f.name.clone());
        let filter = filter.map(|f| self.analyzer.condition(f)).transpose()?;
        let mut args = if name == "count" { self.count_arguments(&function.args)? } else { self.arguments(name, &function.args)? };
        let mut null_treatment = function.ignore_nulls.map(treatment);
        if matches!(name, "first" | "last" | "first_value" | "last_value" | "any_value") && args.len() == 2 {
            // first(x, true) is first(x) IGNORE NULLS.
            if let Some(ScalarValue::Boolean(Some(ignore))) = args.get(1).and_then(Typed::constant) {
                null_treatment = Some(treatment(*ignore));
                args.truncate(1);
            }
        }
        let order = self.sort_keys(&function.order_by)?;
        let texts: Vec<String> = args.iter().map(|a| a.name.clone()).collect();
        let shown_name = registry().canonical_name(name).unwrap_or_else(|| name.to_string());
        let mut all = texts.clone();
        all.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string));
        let mut shown = naming::aggregate(&shown_name, &all, function.distinct, None);
        if !order.is_empty() {
            let keys: Vec<String> = order.iter().map(|(_, text, _)| text.clone()).collect();
            shown = format!("{shown} WITHIN GROUP (ORDER BY {})", keys.join(", "));
        }
        if null_treatment == Some(NullTreatment::IgnoreNulls) {
            shown = format!("{shown} ignore nulls");
        }
        if let Some(text) = filter_text {
            shown = format!("{shown} FILTER (WHERE {text})");
        }
        let modifiers = AggregateModifiers {
            distinct: function.distinct,
            filter,
            order_by: order.into_iter().map(|(sort, ..)| sort).collect(),
            null_treatment,
        };
        if name == "count" {
            return self.count(args, shown, modifiers);
        }
        let Some(udf) = registry().aggregate_for(name, self.analyzer.context.options.ansi) else {
            return Err(errors::unsupported(&format!("aggregate function {name}")));
        };
        self.analyzer.call_aggregate(&udf, args, shown, modifiers)
    }

    /// `count(*)` is `count(1)`; `count(t.*)` counts rows without nulls.
    fn count_arguments(&self, args: &[spec::Expr]) -> SparkResult<Vec<Typed>> {
        if let [only] = args
            && matches!(&*only.kind, ExprKind::Star { target, .. } if target.is_empty())
        {
            return Ok(vec![self.analyzer.literal(&Literal::Integer(1))?]);
        }
        self.arguments("count", args)
    }

    fn count(&self, mut args: Vec<Typed>, shown: String, mut modifiers: AggregateModifiers) -> SparkResult<Typed> {
        if args.is_empty() {
            return Err(errors::wrong_num_args("count", "> 0", 0));
        }
        let several = args.len() > 1;
        if several && !modifiers.distinct {
            // A row counts when none of the values is null.
            let tests: Vec<Expr> = args.iter().filter(|a| a.nullable).map(|a| Expr::IsNotNull(Box::new(a.expr.clone()))).collect();
            args = vec![self.analyzer.literal(&Literal::Integer(1))?];
            if !tests.is_empty() {
                let mut all = tests;
                all.extend(modifiers.filter.take());
                modifiers.filter = Some(super::operator::balanced(all, datafusion::logical_expr::Operator::And));
            }
        } else if several {
            let tests: Vec<Expr> = args.iter().filter(|a| a.nullable).map(|a| Expr::IsNotNull(Box::new(a.expr.clone()))).collect();
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
        let function =
            datafusion::logical_expr::expr::AggregateFunction::new_udf(count_udaf(), exprs, distinct, filter.map(Box::new), vec![], None);
        Ok(Typed::new(Expr::AggregateFunction(function), DataType::Long, false, shown))
    }

    /// `grouping(column)` and `grouping_id(columns)`, computed from the grouping sets' id.
    fn grouping_call(&self, name: &str, function: &Function) -> SparkResult<Typed> {
        let Some(grouping) = self.grouping else {
            return Err(SparkError::analysis("UNSUPPORTED_GROUPING_EXPRESSION", &[]));
        };
        let args = self.arguments(name, &function.args)?;
        let texts: Vec<String> = args.iter().map(|a| a.name.clone()).collect();
        let shown = naming::call(name, &texts);
        let find = |arg: &Typed| {
            grouping.iter().position(|g| g.expr == arg.expr).ok_or_else(|| {
                SparkError::analysis("GROUPING_COLUMN_MISMATCH", &[
                    ("grouping", &errors::expression(&arg.name)),
                    ("groupingColumns", &grouping.iter().map(|g| g.name.clone()).collect::<Vec<_>>().join(",")),
                ])
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

fn treatment(ignore: bool) -> NullTreatment {
    if ignore { NullTreatment::IgnoreNulls } else { NullTreatment::RespectNulls }
}
