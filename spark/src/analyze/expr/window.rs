//! Window functions: Spark's default frames, named windows, checks.

mod frame;

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{Expr, SortExpr, WindowFrameBound, WindowFunctionDefinition, WindowUDF};
use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use frame::{Frame, is_whole, rows};

use super::function::builtin_name;
use super::{Exprs, naming};
use crate::analyze::functions::call_error;
use crate::analyze::typed::Typed;
use crate::analyze::{collation, errors, fold};
use crate::spec::{self, ExprKind, FrameBound, Function, WindowRef, WindowSpec};

/// Functions that always look at the whole partition up to the row, whatever frame is said.
const RANKS: &[&str] = &["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "counter_diff"];

impl Exprs<'_, '_> {
    /// `function OVER window`.
    pub(super) fn window(&self, function: &spec::Expr, window: &WindowRef) -> SparkResult<Typed> {
        let spec = self.window_spec(window)?;
        let ExprKind::Function(call) = &*function.kind else {
            return Err(SparkError::analysis("UNSUPPORTED_EXPR_FOR_WINDOW", &[("sqlExpr", "\"expression\"")]));
        };
        let Some(name) = builtin_name(&call.name) else { return Err(self.unknown(&call.name)) };
        let nested = self.in_window.replace(true);
        let outcome = self.window_parts(&name, call, &spec);
        self.in_window.set(nested);
        outcome
    }

    fn window_parts(&self, name: &str, call: &Function, spec: &WindowSpec) -> SparkResult<Typed> {
        let partition_by = self.resolve_all(&spec.partition_by)?;
        let order_by = self.sort_keys(&spec.order_by)?;
        let partition_texts: Vec<String> = partition_by.iter().map(|p| p.sql()).collect();
        let order_texts: Vec<String> = order_by.iter().map(|(_, text, _)| text.clone()).collect();
        let sort = order_by.iter().map(|(sort, _, data_type)| comparable(sort.clone(), data_type)).collect::<Vec<_>>();
        let inner = self.window_function(name, call)?;
        let needs_order =
            inner.window_only && !matches!(name, "first_value" | "last_value" | "first" | "last" | "any_value");
        if needs_order && sort.is_empty() {
            return Err(SparkError::analysis(
                "WINDOW_FUNCTION_FRAME_NOT_ORDERED",
                &[("wf_name", name), ("wf_expr", &inner.shown)],
            ));
        }
        let gathers = matches!(name, "percentile_cont" | "percentile_disc" | "median")
            || matches!(name, "listagg" | "string_agg") && !call.order_by.is_empty();
        if gathers && (!sort.is_empty() || spec.frame.as_ref().is_some_and(|f| !is_whole(f))) {
            return Err(SparkError::analysis(
                "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC",
                &[("aggFunc", &errors::expression(&inner.shown))],
            ));
        }
        let frame = if RANKS.contains(&name) {
            if spec.frame.as_ref().is_some_and(|frame| !is_running(name, frame)) {
                return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1036", &[]));
            }
            Frame {
                frame: rows(WindowFrameBound::Preceding(ScalarValue::UInt64(None)), WindowFrameBound::CurrentRow),
                text: match name {
                    "cume_dist" => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string(),
                    _ => "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string(),
                },
            }
        } else if matches!(name, "lag" | "lead") {
            if spec.frame.as_ref().is_some_and(|frame| !is_at_offset(name, inner.offset.as_deref(), frame)) {
                let message = format!("Cannot specify window frame for {name} function.");
                return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1035", &[]).with_message(message));
            }
            let text = match (&inner.offset, name) {
                (Some(offset), "lead") => format!("ROWS BETWEEN {offset} FOLLOWING AND {offset} FOLLOWING"),
                (Some(offset), _) => {
                    format!("ROWS BETWEEN {} FOLLOWING AND {} FOLLOWING", negated(offset), negated(offset))
                }
                (None, _) => String::new(),
            };
            Frame {
                frame: rows(WindowFrameBound::Preceding(ScalarValue::UInt64(None)), WindowFrameBound::CurrentRow),
                text,
            }
        } else {
            let order: Vec<&DataType> = order_by.iter().map(|(.., data_type)| data_type).collect();
            self.frame(spec, &order, &order_texts)?
        };
        let text = naming::window(&inner.shown, &partition_texts, &order_texts, &frame.text);
        let params = WindowFunctionParams {
            args: inner.args,
            partition_by: partition_by
                .into_iter()
                .map(|p| collation::keyed(p.expr, &p.data_type))
                .collect::<SparkResult<_>>()?,
            order_by: sort,
            window_frame: frame.frame,
            filter: inner.filter.map(Box::new),
            null_treatment: inner.null_treatment,
            distinct: inner.distinct,
        };
        if params.distinct {
            return Err(SparkError::analysis(
                "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
                &[("windowExpr", &errors::expression(&text))],
            ));
        }
        let expr = Expr::WindowFunction(Box::new(WindowFunction { fun: inner.fun, params }));
        let expr = if inner.cast { datafusion::logical_expr::cast(expr, inner.data_type.to_arrow()) } else { expr };
        Ok(Typed::new(expr, inner.data_type, inner.nullable, text))
    }

    /// The definition of a window: named ones and what they are based on.
    fn window_spec(&self, window: &WindowRef) -> SparkResult<WindowSpec> {
        let find = |name: &str| {
            self.windows.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, spec)| spec.clone()).ok_or_else(
                || {
                    SparkError::analysis(
                        "MISSING_WINDOW_SPECIFICATION",
                        &[("windowName", name), ("docroot", "https://spark.apache.org/docs/latest")],
                    )
                },
            )
        };
        let mut spec = match window {
            WindowRef::Named(name) => find(name)?,
            WindowRef::Spec(spec) => spec.clone(),
        };
        let mut steps = 0;
        while let Some(base) = spec.base.take() {
            let base = find(&base)?;
            if spec.partition_by.is_empty() {
                spec.partition_by = base.partition_by;
            }
            if spec.order_by.is_empty() {
                spec.order_by = base.order_by;
            }
            if spec.frame.is_none() {
                spec.frame = base.frame;
            }
            spec.base = base.base;
            steps += 1;
            if steps > 100 {
                return Err(errors::unsupported("a window that is based on itself"));
            }
        }
        Ok(spec)
    }

    fn window_function(&self, name: &str, call: &Function) -> SparkResult<Inner> {
        if let Some(udf) = registry().window(name) {
            return self.window_only(name, &udf, call);
        }
        let typed = match self.aggregate(name, call)? {
            Some(typed) => typed,
            None if registry().contains(name) => {
                return Err(SparkError::analysis(
                    "UNSUPPORTED_EXPR_FOR_WINDOW",
                    &[("sqlExpr", &errors::expression(&format!("{name}()")))],
                ));
            }
            None => return Err(self.unknown(&call.name)),
        };
        let Expr::AggregateFunction(function) = typed.expr else {
            return Err(SparkError::analysis(
                "UNSUPPORTED_EXPR_FOR_WINDOW",
                &[("sqlExpr", &errors::expression(&typed.name))],
            ));
        };
        Ok(Inner {
            fun: WindowFunctionDefinition::AggregateUDF(function.func),
            args: function.params.args,
            filter: function.params.filter.map(|f| *f),
            null_treatment: function.params.null_treatment,
            distinct: function.params.distinct,
            shown: typed.name,
            data_type: typed.data_type,
            nullable: typed.nullable,
            window_only: false,
            cast: false,
            offset: None,
        })
    }

    fn window_only(&self, name: &str, udf: &Arc<WindowUDF>, call: &Function) -> SparkResult<Inner> {
        let mut args = self.arguments(name, &call.args)?;
        super::function::check_window_count(name, args.len())?;
        let mut ignored = call.ignore_nulls;
        // Clients send IGNORE NULLS as one more argument.
        if name == "nth_value"
            && let [_, _, ignore] = args.as_slice()
            && let Some(ScalarValue::Boolean(Some(ignore))) = ignore.constant()
        {
            ignored = Some(*ignore);
            args.truncate(2);
        }
        if matches!(name, "first" | "first_value" | "last" | "last_value" | "any_value")
            && let [_, ignore] = args.as_slice()
            && let Some(ScalarValue::Boolean(Some(ignore))) = ignore.constant()
        {
            ignored = Some(*ignore);
            args.truncate(1);
        }
        let mut texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        texts.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string));
        let offset = texts.get(1).cloned();
        // The words IGNORE NULLS make a function of its own name of it.
        let said = match (name, call.ignore_nulls) {
            ("first_value", Some(true)) => "first",
            ("last_value", Some(true)) => "last",
            _ => name,
        };
        let mut shown = naming::call(said, &texts);
        match (name, args.as_slice()) {
            ("nth_value", [_, offset, ..]) => self.counting(offset, "offset", i64::MAX, &shown)?,
            ("ntile", [buckets, ..]) => self.counting(buckets, "buckets", i64::from(i32::MAX), &shown)?,
            _ => {}
        }
        if matches!(name, "rank" | "dense_rank" | "percent_rank" | "cume_dist" | "row_number") {
            args.clear();
            shown = match name {
                "row_number" | "cume_dist" => naming::call(name, &[]),
                ranked => naming::call(&ranked.to_uppercase(), &[]),
            };
        }
        if matches!(name, "lag" | "lead") && args.len() == 3 {
            let to = args.first().map_or(DataType::Null, |a| a.data_type.clone());
            if let Some(default) = args.pop() {
                args.push(self.analyzer.coerce(default, &to)?);
            }
        }
        let args = self.analyzer.coerce_args(args, &shown, name, |fields| fields_with_udf(fields, udf.as_ref()))?;
        let fields: Vec<FieldRef> = args.iter().map(Typed::field).collect();
        let field_args = datafusion::logical_expr::function::WindowUDFFieldArgs::new(&fields, name);
        let field = udf.field(field_args).map_err(|e| call_error(e, &shown, name, &args))?;
        let found = DataType::from_arrow(&field).map(|found| collation::result_type(name, &args, found));
        // Ranks are counted in 64 bits below, in 32 by Spark.
        let data_type = match name {
            "row_number" | "rank" | "dense_rank" | "ntile" => DataType::Integer,
            _ => found?,
        };
        let nullable = match name {
            "row_number" | "rank" | "dense_rank" | "ntile" | "percent_rank" | "cume_dist" => false,
            "lag" | "lead" => args.first().is_none_or(|a| a.nullable) || args.get(2).is_none_or(|d| d.nullable),
            _ => field.is_nullable(),
        };
        let cast = data_type.to_arrow() != *field.data_type();
        Ok(Inner {
            fun: WindowFunctionDefinition::WindowUDF(Arc::clone(udf)),
            args: args.into_iter().map(|a| a.expr).collect(),
            filter: None,
            null_treatment: ignored.map(|i| if i { NullTreatment::IgnoreNulls } else { NullTreatment::RespectNulls }),
            distinct: call.distinct,
            shown,
            data_type,
            nullable,
            window_only: true,
            cast,
            offset,
        })
    }
}

impl Exprs<'_, '_> {
    /// Refuses an argument that is no constant from 1 to `most`.
    fn counting(&self, arg: &Typed, name: &str, most: i64, shown: &str) -> SparkResult<()> {
        if !fold::is_constant(&arg.expr) {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                &[
                    ("sqlExpr", &errors::expression(shown)),
                    ("inputName", &format!("`{name}`")),
                    ("inputType", "\"INT\""),
                    ("inputExpr", &errors::expression(&arg.sql())),
                ],
            ));
        }
        let value = match self.analyzer.fold(&arg.expr)? {
            ScalarValue::Int32(Some(value)) => i64::from(value),
            ScalarValue::Int64(Some(value)) => value,
            _ => return Ok(()),
        };
        if (1..=most).contains(&value) {
            return Ok(());
        }
        let long = if most == i64::MAX { "L" } else { "" };
        Err(SparkError::analysis(
            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
            &[
                ("sqlExpr", &errors::expression(shown)),
                ("exprName", name),
                ("valueRange", &format!("(0, {most}]")),
                ("currentValue", &format!("{value}{long}")),
            ],
        ))
    }
}

/// A sort key that frames can be made by: there are none of bytes, whose hexadecimal texts sort as they do.
fn comparable(key: SortExpr, data_type: &DataType) -> SortExpr {
    match registry().scalar("hex") {
        Some(hex) if *data_type == DataType::Binary => SortExpr { expr: hex.call(vec![key.expr]), ..key },
        _ => key,
    }
}

/// A function on its way into a window.
struct Inner {
    fun: WindowFunctionDefinition,
    args: Vec<Expr>,
    filter: Option<Expr>,
    null_treatment: Option<NullTreatment>,
    distinct: bool,
    shown: String,
    data_type: DataType,
    nullable: bool,
    /// Not an aggregate.
    window_only: bool,
    /// The result is cast to `data_type`.
    cast: bool,
    /// Text of the offset of `lag` and `lead`.
    offset: Option<String>,
}

/// Whether a frame is the partition up to the row, as the function called `name` must have it.
fn is_running(name: &str, frame: &spec::WindowFrame) -> bool {
    // `cume_dist` counts values, the others rows.
    frame.rows == (name != "cume_dist")
        && matches!(frame.lower, FrameBound::UnboundedPreceding)
        && matches!(frame.upper, FrameBound::CurrentRow)
}

/// Whether a frame is the one row that `lag` or `lead` looks at. SQL's `1 PRECEDING` is a computed end, which is not compared,
/// so only clients can say this of `lag`, as in Spark.
fn is_at_offset(name: &str, offset: Option<&str>, frame: &spec::WindowFrame) -> bool {
    let end = |bound: &FrameBound| match bound {
        FrameBound::Offset(end) => match &*end.kind {
            ExprKind::Literal(spec::Literal::Integer(rows)) => Some(i64::from(*rows)),
            ExprKind::Literal(spec::Literal::Long(rows)) => Some(*rows),
            _ => None,
        },
        _ => None,
    };
    let wanted = offset.and_then(|offset| offset.parse::<i64>().ok());
    let wanted = if name == "lag" { wanted.map(i64::wrapping_neg) } else { wanted };
    frame.rows && wanted.is_some() && end(&frame.lower) == wanted && end(&frame.upper) == wanted
}

fn negated(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(positive) => positive.to_string(),
        None if text == "0" => "0".to_string(),
        None => format!("-{text}"),
    }
}
