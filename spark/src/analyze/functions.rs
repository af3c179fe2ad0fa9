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
use super::{Analyzer, coerce, errors, naming};
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
        let name = naming::cast(&value.sql(), to, mode != spec::CastMode::Try);
        let mode = match mode {
            spec::CastMode::Session => self.session_mode(),
            spec::CastMode::Ansi => CastMode::Ansi,
            spec::CastMode::Legacy => CastMode::Legacy,
            spec::CastMode::Try => CastMode::Try,
        };
        if !coerce::can_cast(&value.data_type, to, mode == CastMode::Legacy) {
            let ansi = mode != CastMode::Legacy && coerce::can_cast(&value.data_type, to, true);
            return Err(coerce::cannot_cast(&name, &value.data_type, to, ansi));
        }
        // `CAST(column AS type)` keeps the column's name when it stands alone.
        let kept = value.named.then(|| value.name.clone());
        let nullable = value.nullable || coerce::cast_may_null(&value.data_type, to, mode != CastMode::Ansi);
        let expr = self.cast_raw(value.expr, &value.data_type, to, mode, false)?;
        let mut out = Typed::new(expr, to.clone(), nullable, name);
        out.field_name = kept;
        Ok(out)
    }

    /// A cast that analysis inserts; it does not show in names.
    pub(super) fn coerce(&self, value: Typed, to: &DataType) -> SparkResult<Typed> {
        if value.data_type == *to {
            return Ok(value);
        }
        let nullable = value.nullable || coerce::cast_may_null(&value.data_type, to, !self.context.options.ansi);
        let mode = self.session_mode();
        let expr = self.cast_raw(value.expr, &value.data_type, to, mode, true)?;
        Ok(Typed { expr, data_type: to.clone(), nullable, ..value })
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
            .map_err(|e| call_error(e, &shown, udf.name(), &args))?;
        let data_type = DataType::from_arrow(&field)?;
        // Constants that decided the type must stay constants when the plan is typed again.
        let exprs = args
            .into_iter()
            .zip(constants)
            .map(|(arg, constant)| constant.map_or(arg.expr, |value| Expr::Literal(value, None)))
            .collect();
        let expr = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), exprs));
        Ok(Typed::new(expr, data_type, field.is_nullable(), shown))
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
        let data_type = DataType::from_arrow(&field)?;
        let exprs = args
            .iter()
            .map(|a| self.constant_argument(a).map_or_else(|| a.expr.clone(), |v| Expr::Literal(v, None)))
            .collect();
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
        return spark;
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
