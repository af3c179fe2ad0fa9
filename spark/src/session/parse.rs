//! SQL text to plans, with the options of a session.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::error::SparkResult;
use firesteel_functions::types::DataType;

use super::substitute::substitute;
use super::{Parameters, Session};
use crate::analyze::ParseHooks;
use crate::conf::RuntimeConf;
use crate::spec::{Expr, ExprKind, Literal, Plan};
use crate::sql::{self, IdentifierSource, ParseOptions};

impl Session {
    /// Parses a statement.
    pub fn parse(&self, text: &str) -> SparkResult<Plan> {
        sql::parse_statement(text, &self.parse_options())
    }

    /// Parses an expression.
    pub fn parse_expression(&self, text: &str) -> SparkResult<Expr> {
        sql::parse_expression(text, &self.parse_options())
    }

    /// How this session parses.
    #[must_use]
    pub fn parse_options(&self) -> ParseOptions {
        let conf = self.conf();
        ParseOptions {
            double_quoted_identifiers: conf.is_true("spark.sql.ansi.doubleQuotedIdentifiers"),
            escaped_string_literals: conf.is_true("spark.sql.parser.escapedStringLiterals"),
            quoted_regex_column_names: conf.is_true("spark.sql.parser.quotedRegexColumnNames"),
            timestamp_ntz: conf
                .get_option("spark.sql.timestampType")
                .is_some_and(|value| value.eq_ignore_ascii_case("TIMESTAMP_NTZ")),
            legacy_interval: conf.is_true("spark.sql.legacy.interval.enabled"),
            exponent_literal_as_decimal: conf.is_true("spark.sql.legacy.exponentLiteralAsDecimal.enabled"),
            setops_from_left: conf.is_true("spark.sql.legacy.setopsPrecedence.enabled"),
            identifiers: Some(Arc::new(self.identifiers(&Parameters::default()))),
        }
    }
}

impl Session {
    /// What `IDENTIFIER(...)` and `${...}` may refer to now.
    pub(super) fn identifiers(&self, parameters: &Parameters) -> Identifiers {
        let state = self.state().read();
        let locals = crate::script::locals();
        let texts = state.variables.iter().chain(&locals).filter_map(|(name, variable)| match &variable.value {
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => Some((name.clone(), text.clone())),
            _ => None,
        });
        Identifiers {
            variables: texts.collect(),
            named: parameters.named.clone(),
            positional: parameters.positional.clone(),
            settings: Some(Arc::new(self.conf().copy())),
        }
    }
}

/// Text variables and parameters that `IDENTIFIER(...)` may name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identifiers {
    pub(crate) variables: std::collections::BTreeMap<String, String>,
    pub(crate) named: Vec<(String, Expr)>,
    pub(crate) positional: Vec<Expr>,
    /// The session's settings.
    pub(crate) settings: Option<Arc<RuntimeConf>>,
}

impl IdentifierSource for Identifiers {
    fn identifier(&self, expr: &Expr) -> SparkResult<Option<String>> {
        // A number is part of a name, but none by itself.
        let number = matches!(expr.kind.as_ref(), ExprKind::Literal(Literal::Integer(_)));
        Ok(if number { None } else { self.text(expr) })
    }

    fn substitute(&self, text: &str) -> Option<String> {
        substitute(text, self.settings.as_deref()?)
    }
}

impl Identifiers {
    fn text(&self, expr: &Expr) -> Option<String> {
        match expr.kind.as_ref() {
            ExprKind::Literal(Literal::String(text)) => Some(text.clone()),
            ExprKind::Literal(Literal::Integer(number)) => Some(number.to_string()),
            ExprKind::Attribute { name, .. } => self.variables.get(&name.last()?.to_lowercase()).cloned(),
            ExprKind::NamedParameter(name) => {
                let (_, value) = self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
                self.text(value)
            }
            ExprKind::PositionalParameter(index) => self.text(self.positional.get(*index)?),
            ExprKind::Alias { expr, .. } => self.text(expr),
            ExprKind::Function(function) => {
                let args: Option<Vec<String>> = function.args.iter().map(|arg| self.text(arg)).collect();
                let args = args?;
                match function.name.last()?.to_lowercase().as_str() {
                    "||" | "concat" => Some(args.concat()),
                    "lower" | "lcase" => Some(args.first()?.to_lowercase()),
                    "upper" | "ucase" => Some(args.first()?.to_uppercase()),
                    "coalesce" => args.first().cloned(),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The parser as analysis sees it.
#[derive(Debug)]
pub(crate) struct Hooks(pub(crate) ParseOptions);

impl ParseHooks for Hooks {
    fn statement(&self, text: &str) -> SparkResult<Plan> {
        sql::parse_statement(text, &self.0)
    }
    fn expression(&self, text: &str) -> SparkResult<Expr> {
        sql::parse_expression(text, &self.0)
    }
    fn data_type(&self, text: &str) -> SparkResult<DataType> {
        sql::parse_data_type(text)
    }
}
