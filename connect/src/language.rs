//! The SQL parser as the protocol needs it: small texts inside messages. Parsing itself lives in `spark`.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::DataType;
use firesteel_spark::spec;
use firesteel_spark::sql;

/// Parses texts with a session's options.
#[derive(Debug, Clone, Default)]
pub(crate) struct Language {
    options: sql::ParseOptions,
}

impl Language {
    /// A parser with these options.
    pub(crate) fn new(options: sql::ParseOptions) -> Self {
        Self { options }
    }

    /// An expression as in `selectExpr`.
    pub(crate) fn expression(&self, text: &str) -> SparkResult<spec::Expr> {
        sql::parse_expression(text, &self.options)
    }

    /// A type, `array<int>`.
    pub(crate) fn data_type(&self, text: &str) -> SparkResult<DataType> {
        sql::parse_data_type(text)
    }

    /// What Spark's clients call a DDL string: columns, a type, or the inside of a struct.
    pub(crate) fn data_type_or_schema(&self, text: &str) -> SparkResult<DataType> {
        match sql::parse_table_schema(text) {
            Ok(schema) => Ok(DataType::Struct(schema)),
            Err(error) => {
                self.data_type(text).or_else(|_| self.data_type(&format!("struct<{}>", text.trim()))).map_err(|_| error)
            }
        }
    }

    /// A table or function name.
    pub(crate) fn identifier(&self, text: &str) -> SparkResult<Vec<String>> {
        sql::parse_multipart_identifier(text)
    }

    /// A statement.
    pub(crate) fn statement(&self, text: &str) -> SparkResult<spec::Plan> {
        sql::parse_statement(text, &self.options)
    }
}
