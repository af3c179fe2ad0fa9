//! Expressions.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{self, CastMode, Expr, ExprKind, Function, Subquery};
use sc::expression::cast::{CastToType, EvalMode};
use sc::expression::sort_order::{NullOrdering, SortDirection};
use sc::expression::{self, ExprType};
use sc::subquery_expression::SubqueryType;

use super::{Decoder, bad_enum, data_type, extension, identifier, invalid, missing, origin, unset};

impl Decoder<'_> {
    pub(super) fn exprs(&self, from: Vec<sc::Expression>) -> SparkResult<Vec<Expr>> {
        from.into_iter().map(|expression| self.expr(expression)).collect()
    }

    /// An expression that must be there.
    pub(super) fn needed(&self, from: Option<sc::Expression>, message: &str, field: &str) -> SparkResult<Expr> {
        self.expr(from.ok_or_else(|| missing(message, field))?)
    }

    pub(super) fn boxed(&self, from: Option<Box<sc::Expression>>, message: &str, field: &str) -> SparkResult<Expr> {
        self.expr(*from.ok_or_else(|| missing(message, field))?)
    }

    pub(super) fn expr(&self, from: sc::Expression) -> SparkResult<Expr> {
        self.deeper(|| {
            let origin = origin(from.common.as_ref().and_then(|common| common.origin.as_ref()));
            let expr = self.expr_type(from.expr_type.ok_or_else(|| unset("Expression", "expr_type"))?)?;
            Ok(if origin.is_some() { expr.at(origin) } else { expr })
        })
    }

    fn expr_type(&self, from: ExprType) -> SparkResult<Expr> {
        Ok(match from {
            ExprType::Literal(literal) => ExprKind::Literal(self.literal(literal)?).into(),
            ExprType::UnresolvedAttribute(attribute) => ExprKind::Attribute {
                name: identifier::attribute(&attribute.unparsed_identifier)?,
                plan_id: attribute.plan_id,
                is_metadata: attribute.is_metadata_column(),
            }
            .into(),
            ExprType::UnresolvedFunction(function) => self.function(function)?,
            ExprType::ExpressionString(text) => self.language.expression(&text.expression)?,
            ExprType::UnresolvedStar(star) => self.star(star)?,
            ExprType::Alias(alias) => self.alias(*alias)?,
            ExprType::Cast(cast) => self.cast(*cast)?,
            ExprType::UnresolvedRegex(regex) => unresolved_regex(regex)?,
            ExprType::SortOrder(order) => ExprKind::SortOrder(self.sort_order(*order)?).into(),
            ExprType::LambdaFunction(lambda) => self.lambda(*lambda)?,
            ExprType::Window(window) => self.window(*window)?,
            ExprType::UnresolvedExtractValue(extract) => ExprKind::ExtractValue {
                child: self.boxed(extract.child, "Expression.UnresolvedExtractValue", "child")?,
                key: self.boxed(extract.extraction, "Expression.UnresolvedExtractValue", "extraction")?,
                dotted: false,
            }
            .into(),
            ExprType::UpdateFields(update) => ExprKind::UpdateFields {
                expr: self.boxed(update.struct_expression, "Expression.UpdateFields", "struct_expression")?,
                field: update.field_name,
                value: update.value_expression.map(|value| self.expr(*value)).transpose()?,
            }
            .into(),
            ExprType::UnresolvedNamedLambdaVariable(variable) => lambda_variable(variable)?,
            ExprType::CommonInlineUserDefinedFunction(function) => self.inline_function(function)?,
            ExprType::CallFunction(call) => {
                let name = self.language.identifier(&call.function_name)?;
                ExprKind::Function(Function::new(name, self.exprs(call.arguments)?)).into()
            }
            ExprType::NamedArgumentExpression(argument) => ExprKind::NamedArgument {
                name: argument.key,
                value: self.boxed(argument.value, "NamedArgumentExpression", "value")?,
            }
            .into(),
            ExprType::SubqueryExpression(subquery) => self.subquery(subquery)?,
            ExprType::MergeAction(_) => return Err(SparkError::unsupported("a merge action outside of MERGE")),
            ExprType::TypedAggregateExpression(_) => {
                return Err(SparkError::unsupported("typed aggregates of the JVM"));
            }
            ExprType::DirectShufflePartitionId(_) => {
                return Err(SparkError::unsupported("a partition id among other keys"));
            }
            ExprType::Extension(any) => return Err(extension(&any)),
        })
    }

    fn function(&self, from: expression::UnresolvedFunction) -> SparkResult<Expr> {
        let name = match from.is_user_defined_function {
            true => self.language.identifier(&from.function_name)?,
            false => vec![from.function_name],
        };
        let mut function = Function::new(name, self.exprs(from.arguments)?);
        function.distinct = from.is_distinct;
        Ok(ExprKind::Function(function).into())
    }

    fn star(&self, star: expression::UnresolvedStar) -> SparkResult<Expr> {
        let target = match star.unparsed_target.as_deref() {
            None | Some("") => vec![],
            Some(_) if star.plan_id.is_some() => {
                return Err(invalid("UNRESOLVED_STAR_WITH_BOTH_TARGET_AND_PLAN_ID", &[]));
            }
            Some(target) => match target.strip_suffix(".*") {
                Some(target) => identifier::attribute(target)?,
                None => return Err(invalid("UNRESOLVED_STAR_TARGET_INVALID", &[("target", target)])),
            },
        };
        Ok(ExprKind::Star { target, plan_id: star.plan_id, except: vec![], replace: vec![] }.into())
    }

    pub(super) fn alias(&self, alias: expression::Alias) -> SparkResult<Expr> {
        if alias.name.is_empty() {
            return Err(missing("Expression.Alias", "name"));
        }
        if alias.name.len() > 1 && alias.metadata.is_some() {
            return Err(invalid("ALIAS_WITH_MULTIPLE_IDENTIFIERS_AND_METADATA", &[]));
        }
        let expr = self.boxed(alias.expr, "Expression.Alias", "expr")?;
        let metadata = alias.metadata.filter(|json| !json.is_empty());
        Ok(ExprKind::Alias { expr, names: alias.name, metadata }.into())
    }

    fn cast(&self, cast: expression::Cast) -> SparkResult<Expr> {
        let mode = match cast.eval_mode() {
            EvalMode::Unspecified => CastMode::Session,
            EvalMode::Legacy => CastMode::Legacy,
            EvalMode::Ansi => CastMode::Ansi,
            EvalMode::Try => CastMode::Try,
        };
        let to = match cast.cast_to_type.ok_or_else(|| unset("Expression.Cast", "cast_to_type"))? {
            CastToType::Type(to) => data_type(&to, self.language)?,
            CastToType::TypeStr(text) => self.language.data_type(&text)?,
        };
        Ok(ExprKind::Cast { expr: self.boxed(cast.expr, "Expression.Cast", "expr")?, to, mode }.into())
    }

    pub(super) fn sort_order(&self, order: expression::SortOrder) -> SparkResult<spec::SortOrder> {
        let ascending = order.direction() != SortDirection::Descending;
        let nulls_first = match order.null_ordering() {
            NullOrdering::SortNullsUnspecified => ascending,
            NullOrdering::SortNullsFirst => true,
            NullOrdering::SortNullsLast => false,
        };
        Ok(spec::SortOrder { expr: self.boxed(order.child, "Expression.SortOrder", "child")?, ascending, nulls_first })
    }

    fn lambda(&self, lambda: expression::LambdaFunction) -> SparkResult<Expr> {
        if lambda.arguments.is_empty() || lambda.arguments.len() > 3 {
            let got = lambda.arguments.len().to_string();
            return Err(invalid("LAMBDA_FUNCTION_ARGUMENT_COUNT_INVALID", &[("got", &got)]));
        }
        let params = lambda.arguments.into_iter().map(variable_name).collect::<SparkResult<_>>()?;
        Ok(ExprKind::Lambda { body: self.boxed(lambda.function, "Expression.LambdaFunction", "function")?, params }
            .into())
    }

    fn subquery(&self, from: sc::SubqueryExpression) -> SparkResult<Expr> {
        let found = self.references.borrow().get(&from.plan_id).cloned();
        let (query, size) = found.ok_or_else(|| invalid("INVALID_WITH_RELATION_REFERENCE", &[]))?;
        self.count(size)?;
        let subquery = match from.subquery_type() {
            SubqueryType::Scalar => Subquery::Scalar(query),
            SubqueryType::Exists => Subquery::Exists(query),
            SubqueryType::In => Subquery::In { values: self.exprs(from.in_subquery_values)?, query },
            SubqueryType::TableArg => match from.table_arg_options {
                None => Subquery::TableArgument(query),
                Some(_) => return Err(SparkError::unsupported("partitioning or ordering of a table argument")),
            },
            SubqueryType::Unknown => return Err(bad_enum("SubqueryExpression", "subquery_type", from.subquery_type)),
        };
        Ok(ExprKind::Subquery(subquery).into())
    }
}

/// `df.colRegex`: a pattern in backticks, or else a plain column.
fn unresolved_regex(regex: expression::UnresolvedRegex) -> SparkResult<Expr> {
    let inner =
        regex.col_name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|text| !text.is_empty());
    Ok(match inner {
        Some(pattern) => ExprKind::Regex { pattern: pattern.to_string(), plan_id: regex.plan_id },
        None => ExprKind::Attribute {
            name: identifier::attribute(&regex.col_name)?,
            plan_id: regex.plan_id,
            is_metadata: false,
        },
    }
    .into())
}

fn variable_name(variable: expression::UnresolvedNamedLambdaVariable) -> SparkResult<String> {
    match variable.name_parts.as_slice() {
        [] => Err(invalid("UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART", &[])),
        parts => Ok(parts.join(".")),
    }
}

/// A lambda variable; further parts are fields of it.
fn lambda_variable(variable: expression::UnresolvedNamedLambdaVariable) -> SparkResult<Expr> {
    let mut parts = variable.name_parts.into_iter();
    let first = parts.next().ok_or_else(|| invalid("UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART", &[]))?;
    Ok(parts.fold(ExprKind::LambdaVariable(first).into(), |child, field| {
        let key = ExprKind::Literal(spec::Literal::String(field)).into();
        ExprKind::ExtractValue { child, key, dotted: true }.into()
    }))
}
