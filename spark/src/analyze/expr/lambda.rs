//! Higher-order functions: types of lambda parameters come from the function, bodies are resolved under them.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::type_coercion::functions::value_fields_with_higher_order_udf_and_lambdas;
use datafusion::logical_expr::{
    Expr, HigherOrderReturnFieldArgs, HigherOrderUDF, LambdaParametersProgress, ValueOrLambda,
};
use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{self, ExprKind, Function};

/// A lambda argument on its way: parameter names and, once its parameters have types, its body.
struct Pending<'e> {
    body: &'e spec::Expr,
    params: &'e [String],
    resolved: Option<(Vec<String>, Typed)>,
}

impl Exprs<'_, '_> {
    /// A call of a higher-order function, or `None` when `name` is none.
    pub(super) fn lambda_call(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        let has_lambda = function.args.iter().any(|a| matches!(&*a.kind, ExprKind::Lambda { .. }));
        let Some(udf) = registry().lambda(name) else {
            return if has_lambda { Err(self.unknown(&function.name)) } else { Ok(None) };
        };
        if !has_lambda && registry().scalar(name).is_some() {
            return Ok(None);
        }
        self.higher_order(&udf, name, &function.args).map(Some)
    }

    /// `transform(value, param -> body)` for a value that is resolved already.
    pub(super) fn transformed(&self, value: Typed, param: &str, body: &spec::Expr) -> SparkResult<Typed> {
        let Some(udf) = registry().lambda("transform") else {
            return Err(errors::unsupported("fields of arrays of structs"));
        };
        let params = [param.to_string()];
        self.apply_lambdas(
            &udf,
            "transform",
            vec![ValueOrLambda::Value(value), ValueOrLambda::Lambda(Pending { body, params: &params, resolved: None })],
        )
    }

    fn higher_order(&self, udf: &Arc<HigherOrderUDF>, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let mut parts: Vec<ValueOrLambda<Typed, Pending<'_>>> = Vec::with_capacity(args.len());
        for arg in args {
            parts.push(match &*arg.kind {
                ExprKind::Lambda { body, params } => ValueOrLambda::Lambda(Pending { body, params, resolved: None }),
                _ => ValueOrLambda::Value(self.resolve(arg)?),
            });
        }
        self.apply_lambdas(udf, name, parts)
    }

    fn apply_lambdas(
        &self,
        udf: &Arc<HigherOrderUDF>,
        name: &str,
        mut parts: Vec<ValueOrLambda<Typed, Pending<'_>>>,
    ) -> SparkResult<Typed> {
        for step in 0..4 {
            let fields: Vec<ValueOrLambda<FieldRef, Option<FieldRef>>> = parts
                .iter()
                .map(|p| match p {
                    ValueOrLambda::Value(v) => ValueOrLambda::Value(v.field()),
                    ValueOrLambda::Lambda(l) => {
                        ValueOrLambda::Lambda(l.resolved.as_ref().map(|(_, body)| body.field()))
                    }
                })
                .collect();
            let progress = udf.lambda_parameters(step, &fields).map_err(errors::planning)?;
            let (parameters, complete) = match progress {
                LambdaParametersProgress::Partial(parameters) => (parameters, false),
                LambdaParametersProgress::Complete(parameters) => (parameters.into_iter().map(Some).collect(), true),
            };
            let lambdas = parts.iter_mut().filter_map(|p| match p {
                ValueOrLambda::Lambda(lambda) => Some(lambda),
                ValueOrLambda::Value(_) => None,
            });
            for (lambda, fields) in lambdas.zip(parameters) {
                if let Some(fields) = fields {
                    self.lambda_body(name, lambda, &fields)?;
                }
            }
            if complete {
                return self.assemble(udf, name, parts);
            }
        }
        Err(SparkError::internal("the parameters of a lambda function were never known"))
    }

    fn lambda_body(&self, function: &str, lambda: &mut Pending<'_>, fields: &[FieldRef]) -> SparkResult<()> {
        if lambda.params.len() > fields.len() {
            return Err(SparkError::analysis(
                "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                &[
                    ("expectedNumArgs", &lambda.params.len().to_string()),
                    ("actualNumArgs", &fields.len().to_string()),
                    ("functionName", &format!("`{function}`")),
                ],
            ));
        }
        let before = self.lambdas.borrow().len();
        let mut names = Vec::new();
        for (param, field) in lambda.params.iter().zip(fields) {
            let unique = format!("{param}#{}", self.analyzer.fresh());
            let field = Arc::new(field.as_ref().clone().with_name(unique.clone()));
            let variable = Expr::LambdaVariable(LambdaVariable::new(unique.clone(), Some(Arc::clone(&field))));
            let mut typed =
                Typed::new(variable, DataType::from_arrow(&field)?, field.is_nullable(), "namedlambdavariable()");
            typed.field_name = Some(param.clone());
            self.lambdas.borrow_mut().push((param.clone(), typed));
            names.push(unique);
        }
        let body = self.resolve(lambda.body);
        self.lambdas.borrow_mut().truncate(before);
        lambda.resolved = Some((names, body?));
        Ok(())
    }

    fn assemble(
        &self,
        udf: &Arc<HigherOrderUDF>,
        name: &str,
        parts: Vec<ValueOrLambda<Typed, Pending<'_>>>,
    ) -> SparkResult<Typed> {
        let mut texts = Vec::with_capacity(parts.len());
        let mut fields = Vec::with_capacity(parts.len());
        for part in &parts {
            match part {
                ValueOrLambda::Value(value) => {
                    texts.push(value.name.clone());
                    fields.push(ValueOrLambda::Value(value.field()));
                }
                ValueOrLambda::Lambda(lambda) => {
                    let Some((names, body)) = &lambda.resolved else {
                        return Err(SparkError::internal("a lambda function has no body"));
                    };
                    let variables = vec!["namedlambdavariable()"; names.len()].join(", ");
                    texts.push(format!("lambdafunction({}, {variables})", body.name));
                    fields.push(ValueOrLambda::Lambda(body.field()));
                }
            }
        }
        let shown = naming::call(name, &texts);
        let wanted = value_fields_with_higher_order_udf_and_lambdas(&fields, udf).map_err(errors::planning)?;
        let mut exprs = Vec::with_capacity(parts.len());
        let mut finals = Vec::with_capacity(parts.len());
        let mut constants: Vec<Option<ScalarValue>> = Vec::with_capacity(parts.len());
        for (part, wanted) in parts.into_iter().zip(wanted) {
            match (part, wanted) {
                (ValueOrLambda::Value(value), ValueOrLambda::Value(field)) => {
                    let value = match DataType::from_arrow(&field) {
                        Ok(to) if value.data_type.to_arrow() != *field.data_type() => {
                            self.analyzer.coerce(value, &to)?
                        }
                        _ => value,
                    };
                    finals.push(ValueOrLambda::Value(value.field()));
                    constants.push(value.constant().cloned());
                    exprs.push(value.expr);
                }
                (ValueOrLambda::Lambda(Pending { resolved: Some((names, body)), .. }), _) => {
                    finals.push(ValueOrLambda::Lambda(body.field()));
                    constants.push(None);
                    exprs.push(Expr::Lambda(Lambda::new(names, body.expr)));
                }
                _ => return Err(SparkError::internal("a lambda function is in the wrong place")),
            }
        }
        let scalars: Vec<Option<&ScalarValue>> = constants.iter().map(Option::as_ref).collect();
        let field = udf
            .return_field_from_args(HigherOrderReturnFieldArgs { arg_fields: &finals, scalar_arguments: &scalars })
            .map_err(errors::planning)?;
        let data_type = DataType::from_arrow(&field)?;
        let call = Expr::HigherOrderFunction(HigherOrderFunction::new(Arc::clone(udf), exprs));
        Ok(Typed::new(call, data_type, field.is_nullable(), shown))
    }
}
