//! The one place where analysis talks to the functions crate: casts, implicit coercion, calls of registered functions.
//!
//! It resolves no names.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{AggregateUDF, Expr, ReturnFieldArgs, ScalarUDF};
use datafusion::scalar::ScalarValue;
use firesteel_functions::cast::CastMode;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::typed::Typed;
use super::{Analyzer, coerce, collation, errors, naming};
use crate::spec;

/// A cast to string as Spark prints values.
pub(super) fn cast_to_string(value: ScalarValue, from: &DataType) -> Expr {
    firesteel_functions::cast::cast_expr_from(Expr::Literal(value, None), from, &DataType::String, CastMode::Legacy)
}

impl Analyzer<'_> {
    /// The mode of casts that do not say.
    fn session_mode(&self) -> CastMode {
        if self.context.options.ansi { CastMode::Ansi } else { CastMode::Legacy }
    }

    /// A cast written by the user.
    pub(super) fn cast(&self, value: Typed, to: &DataType, mode: spec::CastMode) -> SparkResult<Typed> {
        // Casts to nested types do not show.
        let nested = matches!(to, DataType::Array { .. } | DataType::Map { .. } | DataType::Struct(_));
        let name = if nested { value.sql() } else { naming::cast(&value.sql(), to, mode != spec::CastMode::Try) };
        let mode = match mode {
            spec::CastMode::Session => self.session_mode(),
            spec::CastMode::Ansi => CastMode::Ansi,
            spec::CastMode::Legacy => CastMode::Legacy,
            spec::CastMode::Try => CastMode::Try,
        };
        self.allow_time(&value.data_type, to)?;
        if !coerce::can_cast(&value.data_type, to, mode == CastMode::Legacy) {
            return Err(coerce::cannot_cast(&name, &value.data_type, to, mode));
        }
        // `CAST(column AS type)` keeps the column's name when it stands alone.
        let kept = value.named.then(|| value.name.clone());
        let nullable = value.nullable
            || coerce::cast_may_null(&value.data_type, to, mode != CastMode::Ansi)
            || mode == CastMode::Try && !firesteel_functions::cast::can_up_cast(&value.data_type, to);
        let same = value.data_type == *to && to.is_integral();
        let mut expr = self.cast_raw(value.expr, &value.data_type, to, mode, false)?;
        if same && matches!(expr, Expr::Literal(..)) {
            // A number that was cast counts with the digits of its type, a literal with its own.
            expr = datafusion::logical_expr::cast(expr, to.to_arrow());
        }
        let mut out = Typed::new(expr, to.clone(), nullable, name);
        out.field_name = kept;
        Ok(out)
    }

    /// A cast that analysis inserts; it does not show in names.
    pub(super) fn coerce(&self, value: Typed, to: &DataType) -> SparkResult<Typed> {
        if value.data_type == *to {
            return Ok(value);
        }
        // A NULL that becomes a `TIME` is a literal, no cast.
        if value.data_type != DataType::Null {
            self.allow_time(&value.data_type, to)?;
        }
        let nullable = value.nullable || coerce::cast_may_null(&value.data_type, to, !self.context.options.ansi);
        let mode = self.session_mode();
        let expr = self.cast_raw(value.expr, &value.data_type, to, mode, true)?;
        Ok(Typed { expr, data_type: to.clone(), nullable, ..value })
    }

    /// The text of a typed literal as its value, or NULL. It may be of a type that casts may not give.
    pub(super) fn read_literal(&self, text: Typed, to: &DataType) -> SparkResult<Expr> {
        self.cast_raw(text.expr, &text.data_type, to, CastMode::Try, false)
    }

    /// Casts to `TIME` need `spark.sql.timeType.enabled`; what has the type already may keep it.
    fn allow_time(&self, from: &DataType, to: &DataType) -> SparkResult<()> {
        match (from, to) {
            (from, DataType::Time(_)) if from != to && !self.context.options.time_type => Err(errors::no_time_type()),
            _ => Ok(()),
        }
    }

    /// A time of day on the day the query started.
    fn time_today(&self, time: Expr, to: &DataType) -> SparkResult<Option<Expr>> {
        let name = if *to == DataType::Timestamp { "make_timestamp_ltz" } else { "make_timestamp_ntz" };
        let Some(make) = firesteel_functions::registry().scalar(name) else { return Ok(None) };
        let now = Expr::Literal(ScalarValue::TimestampMicrosecond(Some(self.context.now), Some("UTC".into())), None);
        let today = self.cast_raw(now, &DataType::Timestamp, &DataType::Date, CastMode::Ansi, true)?;
        Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(make, vec![today, time]))))
    }

    /// `fold`: a literal becomes a literal, for scans to use. What the user cast stays a cast, because literals have
    /// types of their own in decimal arithmetic.
    fn cast_raw(&self, expr: Expr, from: &DataType, to: &DataType, mode: CastMode, fold: bool) -> SparkResult<Expr> {
        if from.to_arrow() == to.to_arrow() && coerce::same_values(from, to) {
            return Ok(expr);
        }
        if let Expr::Literal(value, _) = &expr
            && value.is_null()
        {
            return Ok(Expr::Literal(super::literal::null(to)?, None));
        }
        if matches!((from, to), (DataType::Time(_), DataType::Timestamp | DataType::TimestampNtz))
            && let Some(made) = self.time_today(expr.clone(), to)?
        {
            return Ok(made);
        }
        if coerce::is_plain(from, to) {
            let cast = datafusion::logical_expr::cast(expr, to.to_arrow());
            return Ok(
                if fold
                    && let Expr::Cast(inner) = &cast
                    && matches!(*inner.expr, Expr::Literal(..))
                {
                    self.fold(&cast).map_or(cast, |value| Expr::Literal(value, None))
                } else {
                    cast
                },
            );
        }
        let literal = fold && matches!(expr, Expr::Literal(..));
        let cast = firesteel_functions::cast::cast_expr_from(expr, from, to, mode);
        // A cast of a literal becomes a literal so that scans can use it; a failing one must fail at run time, if ever.
        if literal && let Ok(value) = self.fold(&cast) {
            return Ok(Expr::Literal(value, None));
        }
        Ok(cast)
    }

    /// A value as boolean for a filter, join or `FILTER` clause.
    pub(super) fn condition(&self, value: Typed) -> SparkResult<Expr> {
        match value.data_type {
            DataType::Boolean => Ok(value.expr),
            DataType::Null => Ok(self.coerce(value, &DataType::Boolean)?.expr),
            ref other => Err(errors::filter_not_boolean(&value.name, other)),
        }
    }

    /// A call of a scalar function; `shown` is its text.
    pub(super) fn call_scalar(&self, udf: &Arc<ScalarUDF>, args: Vec<Typed>, shown: String) -> SparkResult<Typed> {
        let args = self.coerce_args(args, &shown, udf.name(), |fields| fields_with_udf(fields, udf.as_ref()))?;
        let fields: Vec<FieldRef> = args.iter().map(Typed::field).collect();
        let constants: Vec<Option<ScalarValue>> = args.iter().map(|a| self.constant_argument(a)).collect();
        let scalars: Vec<Option<&ScalarValue>> = constants.iter().map(Option::as_ref).collect();
        let field = udf
            .return_field_from_args(ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalars })
            .map_err(|e| self.failing_constant(&args).unwrap_or_else(|| call_error(e, &shown, udf.name(), &args)))?;
        let data_type = collation::result_type(udf.name(), &args, DataType::from_arrow(&field)?);
        // Constants that decided the type must stay constants when the plan is typed again.
        let exprs = args
            .into_iter()
            .zip(constants)
            .map(|(arg, constant)| constant.map_or(arg.expr, |value| Expr::Literal(value, None)))
            .collect();
        let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), exprs));
        Ok(Typed::new(expr, data_type, field.is_nullable(), shown))
    }

    /// The error of a constant argument that cannot be computed, which explains better than the call's own.
    fn failing_constant(&self, args: &[Typed]) -> Option<SparkError> {
        args.iter().filter(|arg| super::fold::is_constant(&arg.expr)).find_map(|arg| self.fold(&arg.expr).err())
    }

    fn constant_argument(&self, arg: &Typed) -> Option<ScalarValue> {
        match &arg.expr {
            Expr::Literal(value, _) => Some(value.clone()),
            expr if super::fold::is_constant(expr) => self.fold(expr).ok(),
            _ => None,
        }
    }

    /// Coerces arguments as a function's own rules say.
    pub(super) fn coerce_args(
        &self,
        args: Vec<Typed>,
        shown: &str,
        name: &str,
        rule: impl FnOnce(&[FieldRef]) -> datafusion::error::Result<Vec<FieldRef>>,
    ) -> SparkResult<Vec<Typed>> {
        let fields: Vec<FieldRef> = args.iter().map(Typed::field).collect();
        let wanted = rule(&fields).map_err(|e| call_error(e, shown, name, &args))?;
        if !self.context.options.ansi {
            // Without ANSI no text is read as a boolean, nor counted as bits.
            let boolean = |wanted: &FieldRef| *wanted.data_type() == arrow::datatypes::DataType::Boolean;
            let texts = args.iter().zip(&wanted).enumerate().find(|(_, (arg, wanted))| {
                arg.data_type.is_string() && (boolean(wanted) || matches!(name, "bit_count" | "bitwise_not"))
            });
            if let Some((index, (arg, _))) = texts {
                return Err(errors::unexpected_input(shown, index, "\"BOOLEAN\"", &arg.sql(), &arg.data_type));
            }
        }
        args.into_iter()
            .zip(fields)
            .zip(wanted)
            .map(|((arg, field), wanted)| {
                if field.data_type() == wanted.data_type() {
                    return Ok(arg);
                }
                match DataType::from_arrow(&wanted) {
                    // Carriers that Spark has no name for (views, large strings) are plain Arrow casts.
                    Ok(to) if to.to_arrow() == *wanted.data_type() => self.coerce(arg, &to),
                    _ => {
                        Ok(Typed { expr: datafusion::logical_expr::cast(arg.expr, wanted.data_type().clone()), ..arg })
                    }
                }
            })
            .collect()
    }

    /// A call of an aggregate function.
    pub(super) fn call_aggregate(
        &self,
        udf: &Arc<AggregateUDF>,
        args: Vec<Typed>,
        shown: String,
        modifiers: AggregateModifiers,
    ) -> SparkResult<Typed> {
        let args = self.coerce_args(args, &shown, udf.name(), |fields| fields_with_udf(fields, udf.as_ref()))?;
        let fields: Vec<FieldRef> = args.iter().map(Typed::field).collect();
        let field = udf.return_field(&fields).map_err(|e| call_error(e, &shown, udf.name(), &args))?;
        let mut data_type = collation::result_type(udf.name(), &args, DataType::from_arrow(&field)?);
        if matches!(udf.name(), "percentile_approx" | "approx_percentile" | "sum" | "sum__legacy" | "try_sum") {
            data_type = with_interval_of(data_type, args.first().map(|arg| &arg.data_type));
        }
        // Sketches count what a collation tells apart.
        let counts = matches!(
            udf.name(),
            "hll_sketch_agg" | "theta_sketch_agg" | "tuple_sketch_agg_double" | "tuple_sketch_agg_integer"
        );
        let exprs = args
            .iter()
            .enumerate()
            .map(|(at, a)| match self.constant_argument(a) {
                Some(value) if !(counts && a.data_type.is_collated()) => Ok(Expr::Literal(value, None)),
                _ if counts && at == 0 => collation::keyed(a.expr.clone(), &a.data_type),
                _ => Ok(a.expr.clone()),
            })
            .collect::<SparkResult<Vec<Expr>>>()?;
        let AggregateModifiers { distinct, filter, order_by, null_treatment } = modifiers;
        let function = AggregateFunction::new_udf(
            Arc::clone(udf),
            exprs,
            distinct,
            filter.map(Box::new),
            order_by,
            null_treatment,
        );
        let nullable = udf.is_nullable() && field.is_nullable();
        Ok(Typed::new(Expr::AggregateFunction(function), data_type, nullable, shown))
    }
}

/// The type with the units of an interval that a function takes values from; Arrow knows no units.
fn with_interval_of(result: DataType, from: Option<&DataType>) -> DataType {
    match (result, from) {
        (DataType::DayTimeInterval(..), Some(from @ DataType::DayTimeInterval(..)))
        | (DataType::YearMonthInterval(..), Some(from @ DataType::YearMonthInterval(..))) => from.clone(),
        (DataType::Array { element, contains_null }, from) => {
            DataType::array(with_interval_of(*element, from), contains_null)
        }
        (result, _) => result,
    }
}

/// `DISTINCT`, `FILTER`, `WITHIN GROUP`, `IGNORE NULLS`.
#[derive(Debug, Default)]
pub(super) struct AggregateModifiers {
    /// `DISTINCT`.
    pub distinct: bool,
    /// `FILTER`.
    pub filter: Option<Expr>,
    /// `WITHIN GROUP`.
    pub order_by: Vec<datafusion::logical_expr::SortExpr>,
    /// `IGNORE NULLS`.
    pub null_treatment: Option<datafusion::logical_expr::expr::NullTreatment>,
}

/// Why a function refuses its arguments: its own words when it has some.
pub(super) fn call_error(
    error: datafusion::error::DataFusionError,
    shown: &str,
    name: &str,
    args: &[Typed],
) -> SparkError {
    if let Some(spark) = SparkError::recover(&error) {
        if spark.condition().starts_with("WRONG_NUM_ARGS")
            && let Some((index, parameter)) = missing_parameter(name, args.len())
        {
            return SparkError::analysis(
                "REQUIRED_PARAMETER_NOT_FOUND",
                &[
                    ("routineName", &format!("`{name}`")),
                    ("parameterName", &format!("`{parameter}`")),
                    ("index", &index.to_string()),
                ],
            );
        }
        return about_argument(spark, shown, args);
    }
    let text = error.to_string();
    if text.contains("number of arguments") || text.contains("zero arguments") || text.contains("arguments but") {
        return errors::wrong_num_args(name, "a different number", args.len());
    }
    match args.iter().enumerate().next_back() {
        Some((index, arg)) => errors::unexpected_input(shown, index, &text, &arg.name, &arg.data_type),
        None => errors::planning(error),
    }
}

/// The first parameter that a call with this many arguments lacks, of the functions whose parameters have names.
fn missing_parameter(name: &str, given: usize) -> Option<(usize, &'static str)> {
    let names: &[&'static str] = match name {
        "variant_set" | "try_variant_set" => &["v", "path", "val"],
        "counter_diff" => &["value"],
        "tuple_sketch_agg_double" | "tuple_sketch_agg_integer" => &["key", "summary"],
        "tuple_union_agg_double" | "tuple_union_agg_integer" => &["child"],
        _ if name.starts_with("tuple_union_") => &["first", "second"],
        _ => return None,
    };
    names.get(given).map(|parameter| (given, *parameter))
}

/// A complaint about an argument, in the words of the call. Functions know their arguments by place only.
fn about_argument(error: SparkError, shown: &str, args: &[Typed]) -> SparkError {
    if error.condition() != "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" {
        return error;
    }
    let parameter =
        |key: &str| error.parameters().iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let (Some(place), Some(required)) = (parameter("paramIndex"), parameter("requiredType")) else { return error };
    let index = (0..args.len()).find(|index| errors::ordinal(*index) == place);
    match index.and_then(|index| args.get(index).map(|arg| (index, arg))) {
        Some((index, arg)) => errors::unexpected_input(shown, index, required, &arg.sql(), &arg.data_type),
        None => error,
    }
}
