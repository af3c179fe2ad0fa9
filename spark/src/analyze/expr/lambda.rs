//! Higher-order functions: types of lambda parameters come from the arguments, bodies are resolved under them.
//!
//! What each function takes and gives is checked here as Spark does; the functions crate computes.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::logical_expr::expr::{HigherOrderFunction, Lambda, LambdaVariable};
use datafusion::logical_expr::{Expr, HigherOrderReturnFieldArgs, HigherOrderUDF, ValueOrLambda};
use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::errors::At;
use crate::analyze::scope::same;
use crate::analyze::typed::{Typed, arrow_field};
use crate::analyze::{coerce, errors, naming};
use crate::spec::{self, ExprKind, Function};

mod rules;
use rules::{Kind, Parameter};

/// Text of a bound lambda parameter.
const VARIABLE: &str = "namedlambdavariable()";

/// Lambdas in lambdas: each level makes DataFusion ask twice for the type of the one below.
const MOST_LEVELS: usize = 12;

/// A lambda whose parameters and body are resolved.
struct Bound {
    names: Vec<String>,
    body: Typed,
    /// How many parameters it shows, hidden ones included.
    shown: usize,
}

impl Bound {
    fn text(&self) -> String {
        format!("lambdafunction({}, {})", self.body.sql(), vec![VARIABLE; self.shown].join(", "))
    }
}

impl Exprs<'_, '_> {
    /// Fails when a function that takes no lambda is given one.
    pub(super) fn only_higher_order(&self, name: &str, function: &Function) -> SparkResult<()> {
        let has_lambda = function.args.iter().any(|a| matches!(&*a.kind, ExprKind::Lambda { .. }));
        if !has_lambda || registry().lambda(name).is_some() {
            return Ok(());
        }
        let known = registry().contains(name) || super::super::relation::is_generator(name) || rules::is_special(name);
        if !known {
            return Err(self.unknown(&function.name));
        }
        miscounted(name, function.args.len())?;
        let class = format!("org.apache.spark.sql.catalyst.expressions.{}", rules::class_of(name));
        Err(SparkError::analysis("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", &[("class", &class)]))
    }

    /// A call of a higher-order function, or `None` when `name` is none.
    pub(super) fn lambda_call(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        let Some(udf) = registry().lambda(name) else { return Ok(None) };
        let Some((kinds, least)) = rules::signature(name) else { return Ok(None) };
        // With one argument it is a function of values.
        if name == "array_sort" && function.args.len() < 2 && registry().scalar(name).is_some() {
            return Ok(None);
        }
        let given = function.args.len();
        if given < least || given > kinds.len() {
            let expected = match (name, least == kinds.len()) {
                ("array_sort", _) => "[1, 2]".to_string(),
                (_, true) => least.to_string(),
                (_, false) => format!("[{least}, {}]", kinds.len()),
            };
            return Err(errors::wrong_num_args(name, &expected, given));
        }
        self.higher_order(&udf, name, kinds, &function.args).map(Some)
    }

    /// `transform(value, param -> body)` for a value that is resolved already.
    pub(super) fn transformed(&self, value: Typed, param: &str, body: &spec::Expr) -> SparkResult<Typed> {
        let Some(udf) = registry().lambda("transform") else {
            return Err(errors::unsupported("fields of arrays of structs"));
        };
        let Some(parameters) = rules::parameters("transform", std::slice::from_ref(&value), 0) else {
            return Err(errors::unsupported("fields of what is no array of structs"));
        };
        let bound = self.bind(&[param.to_string()], body, &parameters)?;
        let shown = naming::call("transform", &[value.sql(), bound.text()]);
        assemble(&udf, vec![value], vec![bound], shown)
    }

    /// `test` of a value that is computed only once, though the test names it several times.
    pub(super) fn computed_once(
        &self,
        value: Typed,
        test: impl FnOnce(Typed) -> SparkResult<Typed>,
    ) -> SparkResult<Typed> {
        let Some(udf) = registry().lambda("exists") else {
            return Err(errors::unsupported("a value that is not the same each time"));
        };
        let name = format!("value#{}", self.analyzer.fresh());
        let field: FieldRef = Arc::new(arrow_field(&name, &value.data_type, value.nullable));
        let variable = Expr::LambdaVariable(LambdaVariable::new(name.clone(), Some(field)));
        let variable = Typed { expr: variable, ..value.clone() };
        let body = test(variable)?;
        let shown = body.name.clone();
        let list = self.registered("array", vec![value], String::new())?;
        assemble(&udf, vec![list], vec![Bound { names: vec![name], body, shown: 1 }], shown)
    }

    fn higher_order(
        &self,
        udf: &Arc<HigherOrderUDF>,
        name: &str,
        kinds: &[Kind],
        args: &[spec::Expr],
    ) -> SparkResult<Typed> {
        let mut values = Vec::new();
        let mut lambdas = Vec::new();
        for (arg, kind) in args.iter().zip(kinds) {
            match (&*arg.kind, kind) {
                (_, Kind::Lambda) => lambdas.push(arg),
                (ExprKind::Lambda { .. }, _) => {
                    return Err(SparkError::analysis(
                        "INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION",
                        &[],
                    ));
                }
                (ExprKind::NamedArgument { .. }, _) => {
                    return Err(SparkError::analysis(
                        "NAMED_PARAMETERS_NOT_SUPPORTED",
                        &[("functionName", &format!("`{name}`"))],
                    ));
                }
                _ => values.push(self.resolve(arg)?),
            }
        }
        let unbound = || {
            let mut texts: Vec<String> = values.iter().map(Typed::sql).collect();
            texts.extend(lambdas.iter().map(|lambda| rules::unbound_text(lambda)));
            naming::call(name, &texts)
        };
        for (index, (value, kind)) in values.iter().zip(kinds).enumerate() {
            let wanted = match (kind, &value.data_type) {
                (Kind::Array, DataType::Array { .. }) | (Kind::Map, DataType::Map { .. }) => continue,
                (Kind::Any | Kind::Lambda, _) => continue,
                (Kind::Array, _) => "\"ARRAY\"",
                (Kind::Map, _) => "\"MAP\"",
            };
            return Err(errors::unexpected_input(&unbound(), index, wanted, &value.sql(), &value.data_type));
        }
        let values = if name == "map_zip_with" { self.same_keys(values, &lambdas)? } else { values };
        let mut bound = Vec::new();
        for (index, lambda) in lambdas.iter().enumerate() {
            let Some(parameters) = rules::parameters(name, &values, index) else {
                return Err(SparkError::internal("the parameters of a lambda function are not known"));
            };
            bound.push(match &*lambda.kind {
                ExprKind::Lambda { body, params } => self.bind(params, body, &parameters).at(lambda.origin.as_ref())?,
                // A body that asks for no parameter need not be written as a lambda.
                _ => Bound {
                    names: vec![],
                    body: self.resolve(lambda)?,
                    shown: if name == "transform" || name == "filter" { 1 } else { parameters.len() },
                },
            });
        }
        let mut texts: Vec<String> = values.iter().map(Typed::sql).collect();
        texts.extend(bound.iter().map(Bound::text));
        if kinds.len() == 4 && bound.len() == 1 {
            texts.push(format!("lambdafunction({VARIABLE}, {VARIABLE})"));
        }
        let shown = naming::call(name, &texts);
        let bound = self.checked(name, &values, bound, &shown)?;
        let call = assemble(udf, values, bound, shown)?;
        if has_subquery(&call.expr) {
            return Err(SparkError::analysis("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION", &[]));
        }
        Ok(call)
    }

    /// Maps brought to one type of key.
    fn same_keys(&self, values: Vec<Typed>, lambdas: &[&spec::Expr]) -> SparkResult<Vec<Typed>> {
        let ([left, right], Some((DataType::Map { key: l, .. }, DataType::Map { key: r, .. }))) =
            (values.as_slice(), values.first().map(|v| &v.data_type).zip(values.get(1).map(|v| &v.data_type)))
        else {
            return Err(SparkError::internal("map_zip_with has two maps"));
        };
        let common =
            if l == r { Some((**l).clone()) } else { coerce::tightest(l, r).or_else(|| rules::wider_keys(l, r)) };
        let Some(common) = common else {
            let mut texts = vec![left.sql(), right.sql()];
            texts.extend(lambdas.iter().map(|lambda| rules::unbound_text(lambda)));
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES",
                &[
                    ("sqlExpr", &errors::expression(&naming::call("map_zip_with", &texts))),
                    ("functionName", "`map_zip_with`"),
                    ("leftType", &errors::sql_type(l)),
                    ("rightType", &errors::sql_type(r)),
                ],
            ));
        };
        values
            .into_iter()
            .map(|value| match value.data_type.clone() {
                DataType::Map { value: of, value_contains_null, .. } => {
                    let to = DataType::Map { key: Box::new(common.clone()), value: of, value_contains_null };
                    self.analyzer.coerce(value, &to)
                }
                _ => Ok(value),
            })
            .collect()
    }

    /// Resolves a body under its parameters.
    fn bind(&self, params: &[String], body: &spec::Expr, parameters: &[Parameter]) -> SparkResult<Bound> {
        let fits = params.len() == parameters.len()
            || params.len() < parameters.len() && parameters.iter().skip(params.len()).all(|p| p.optional);
        if !fits {
            let wanted = parameters.iter().filter(|p| !p.optional).count();
            return Err(SparkError::analysis(
                "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                &[("expectedNumArgs", &params.len().to_string()), ("actualNumArgs", &wanted.to_string())],
            ));
        }
        for (index, param) in params.iter().enumerate() {
            if params.iter().skip(index + 1).any(|other| same(other, param, self.case_sensitive())) {
                let all: Vec<String> = params.iter().map(|p| format!("`{p}`")).collect();
                return Err(SparkError::analysis(
                    "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES",
                    &[("args", &all.join(", ")), ("caseSensitiveConfig", "\"spark.sql.caseSensitive\"")],
                ));
            }
        }
        if self.lambda_depth.get() == MOST_LEVELS {
            return Err(errors::unsupported(&format!("lambda functions nested more than {MOST_LEVELS} levels deep")));
        }
        let before = self.lambdas.borrow().len();
        let mut names = Vec::new();
        for (param, parameter) in params.iter().zip(parameters) {
            let unique = format!("{param}#{}", self.analyzer.fresh());
            let field: FieldRef = Arc::new(arrow_field(&unique, &parameter.data_type, parameter.nullable));
            let variable = Expr::LambdaVariable(LambdaVariable::new(unique.clone(), Some(field)));
            let mut typed = Typed::new(variable, parameter.data_type.clone(), parameter.nullable, VARIABLE);
            typed.field_name = Some(param.clone());
            typed.named = true;
            self.lambdas.borrow_mut().push((param.clone(), typed));
            names.push(unique);
        }
        self.lambda_depth.update(|depth| depth + 1);
        let body = self.resolve(body);
        self.lambda_depth.update(|depth| depth - 1);
        self.lambdas.borrow_mut().truncate(before);
        Ok(Bound { shown: names.len(), names, body: body? })
    }

    /// Bodies whose types fit the function.
    fn checked(&self, name: &str, values: &[Typed], bound: Vec<Bound>, shown: &str) -> SparkResult<Vec<Bound>> {
        let mut out = Vec::with_capacity(bound.len());
        for (index, mut lambda) in bound.into_iter().enumerate() {
            let found = lambda.body.data_type.clone();
            let refuse = |wanted: &str| {
                let input = lambda.text();
                Err(errors::unexpected_input(shown, values.len() + index, wanted, &input, &found))
            };
            match name {
                "filter" | "exists" | "forall" | "map_filter" => match found {
                    DataType::Boolean => {}
                    DataType::Null => lambda.body = self.analyzer.coerce(lambda.body, &DataType::Boolean)?,
                    _ => return refuse("\"BOOLEAN\""),
                },
                "array_sort" if found != DataType::Integer => {
                    return Err(SparkError::analysis(
                        "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE",
                        &[
                            ("sqlExpr", &errors::expression(shown)),
                            ("functionName", "`lambdafunction`"),
                            ("expectedType", "\"INT\""),
                            ("actualType", &errors::sql_type(&found)),
                        ],
                    ));
                }
                "aggregate" | "reduce" if index == 0 => {
                    let Some(start) = values.get(1) else { return refuse("\"ANY\"") };
                    if !rules::same_structure(&start.data_type, &found) {
                        return refuse(&errors::sql_type(&start.data_type));
                    }
                    lambda.body = self.analyzer.coerce(lambda.body, &start.data_type)?;
                }
                "transform_keys" if rules::contains_map(&found) => {
                    return Err(SparkError::analysis(
                        "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE",
                        &[("sqlExpr", &errors::expression(shown)), ("keyType", &errors::sql_type(&found))],
                    ));
                }
                _ => {}
            }
            out.push(lambda);
        }
        Ok(out)
    }
}

fn assemble(udf: &Arc<HigherOrderUDF>, values: Vec<Typed>, bound: Vec<Bound>, shown: String) -> SparkResult<Typed> {
    let collated = values.iter().chain(bound.iter().map(|b| &b.body)).any(|v| v.data_type.is_collated());
    let mut fields = Vec::new();
    let mut exprs = Vec::new();
    let mut constants: Vec<Option<ScalarValue>> = Vec::new();
    for value in values {
        fields.push(ValueOrLambda::Value(value.field()));
        constants.push(value.constant().cloned());
        exprs.push(value.expr);
    }
    for lambda in bound {
        fields.push(ValueOrLambda::Lambda(lambda.body.field()));
        constants.push(None);
        exprs.push(Expr::Lambda(Lambda::new(lambda.names, lambda.body.expr)));
    }
    let scalars: Vec<Option<&ScalarValue>> = constants.iter().map(Option::as_ref).collect();
    let field = udf
        .return_field_from_args(HigherOrderReturnFieldArgs { arg_fields: &fields, scalar_arguments: &scalars })
        .map_err(errors::planning)?;
    let data_type = DataType::from_arrow(&field)?;
    if collated && !data_type.collations().is_empty() {
        return Err(errors::unsupported("higher-order functions that give collated strings"));
    }
    let call = Expr::HigherOrderFunction(HigherOrderFunction::new(Arc::clone(udf), exprs));
    Ok(Typed::new(call, data_type, field.is_nullable(), shown))
}

fn has_subquery(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expr.exists(|e| Ok(matches!(e, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_)))).unwrap_or(false)
}

/// That a function takes so many arguments is checked before what they are.
fn miscounted(name: &str, given: usize) -> SparkResult<()> {
    let nothing = vec![arrow::datatypes::DataType::Null; given];
    let refused = match (registry().scalar(name), registry().aggregate(name)) {
        (Some(function), _) => function.coerce_types(&nothing).err(),
        (None, Some(function)) => function.coerce_types(&nothing).err(),
        (None, None) => None,
    };
    match refused.map(firesteel_functions::error::from_datafusion) {
        Some(error) if error.condition() == "WRONG_NUM_ARGS.WITHOUT_SUGGESTION" => Err(error),
        _ => Ok(()),
    }
}
