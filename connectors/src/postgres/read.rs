//! Reading a table or query as one stream: `COPY (SELECT ..) TO STDOUT` in binary, decoded straight to Arrow.
//!
//! One partition; filters stay above the scan. Carries its connection settings, so its plan must not be printed in full.

mod decode;
mod scan;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{Kind, Type};

use super::connect::{connect, database_error};
use super::options::JdbcOptions;
use super::table::quote;
use crate::error::{ConnectorError, Result};
pub use scan::PostgresScanExec;

/// A column of a scan: what to select and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadColumn {
    /// Its name.
    pub name: String,
    /// Its form.
    pub kind: ReadKind,
}

/// How a column arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadKind {
    /// `bool`
    Bool,
    /// `int2`
    Int2,
    /// `int4`
    Int4,
    /// `int8`
    Int8,
    /// `float4`
    Float4,
    /// `float8`
    Float8,
    /// `numeric` as a decimal of this precision and scale
    Numeric(u8, i8),
    /// Text, or anything selected as text
    Text,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `timestamp`, read as an instant in UTC
    TimestampUtc,
    /// `timestamp`, read as it stands
    TimestampNtz,
    /// `timestamptz`
    TimestampTz,
    /// A type with no form of its own, selected as text
    CastText,
}

/// All that a scan needs in any process; its text form holds the password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadSpec {
    /// Connection and options.
    pub options: JdbcOptions,
    /// What stands after FROM.
    pub from: String,
    /// The columns, in order; none for counting rows.
    pub columns: Vec<ReadColumn>,
    /// At most so many rows.
    pub limit: Option<usize>,
}

/// A table or query as DataFusion sees it.
#[derive(Debug)]
pub struct PostgresTable {
    spec: ReadSpec,
    schema: SchemaRef,
}

impl PostgresTable {
    /// Asks the server for the columns of `dbtable` or `query`.
    ///
    /// # Errors
    /// Connection errors, `TableNotFound`, `Unsupported` for options whose effect is missing.
    pub async fn open(options: JdbcOptions) -> Result<Self> {
        if options.custom_schema.is_some() {
            return Err(ConnectorError::Unsupported { feature: "jdbc option customSchema".to_owned() });
        }
        // Bounds only say how Spark would split the read: the rows are the same without.
        let from = match (&options.table, &options.query) {
            (Some(table), _) => table.clone(),
            (None, Some(query)) => format!("({query}) AS spark_gen"),
            (None, None) => return Err(ConnectorError::MissingOption { key: "dbtable".to_owned() }),
        };
        let connection = connect(&options.target, "firesteel read").await?;
        let sql = format!("SELECT * FROM {from} LIMIT 0");
        let statement =
            connection.client().prepare(&sql).await.map_err(database_error).map_err(|error| match error {
                ConnectorError::Database { sqlstate, .. } if sqlstate == "42P01" => {
                    ConnectorError::TableNotFound { table: from.clone() }
                }
                error => error,
            })?;
        let columns = statement
            .columns()
            .iter()
            .map(|column| ReadColumn {
                name: column.name().to_owned(),
                kind: ReadKind::of(column.type_(), column.type_modifier(), options.prefer_timestamp_ntz),
            })
            .collect();
        let spec = ReadSpec { options, from, columns, limit: None };
        let schema = spec.schema();
        Ok(Self { spec, schema })
    }
}

#[async_trait]
impl TableProvider for PostgresTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(projection) => projection.iter().filter_map(|index| self.spec.columns.get(*index).cloned()).collect(),
            None => self.spec.columns.clone(),
        };
        Ok(Arc::new(PostgresScanExec::new(ReadSpec { columns, limit, ..self.spec.clone() })))
    }
}

impl ReadSpec {
    /// The Arrow schema of the rows.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &ReadColumn| Field::new(&column.name, column.kind.arrow(), true);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// The statement that streams the rows.
    pub fn sql(&self) -> String {
        let select = |column: &ReadColumn| match column.kind {
            ReadKind::CastText => format!("{}::text", quote(&column.name)),
            _ => quote(&column.name),
        };
        let columns: Vec<String> = self.columns.iter().map(select).collect();
        // A count needs rows without columns.
        let list = if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") };
        let limit = self.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        format!("COPY (SELECT {list} FROM {}{limit}) TO STDOUT (FORMAT BINARY)", self.from)
    }
}

impl ReadKind {
    fn of(sql_type: &Type, modifier: i32, prefer_ntz: bool) -> Self {
        if !matches!(sql_type.kind(), Kind::Simple) {
            return Self::CastText;
        }
        match *sql_type {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => numeric(modifier),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::JSON | Type::NAME => Self::Text,
            Type::BYTEA => Self::Bytea,
            Type::DATE => Self::Date,
            Type::TIMESTAMP if prefer_ntz => Self::TimestampNtz,
            Type::TIMESTAMP => Self::TimestampUtc,
            Type::TIMESTAMPTZ => Self::TimestampTz,
            _ => Self::CastText,
        }
    }

    /// The Arrow type of the decoded column.
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int2 => DataType::Int16,
            Self::Int4 => DataType::Int32,
            Self::Int8 => DataType::Int64,
            Self::Float4 => DataType::Float32,
            Self::Float8 => DataType::Float64,
            Self::Numeric(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Text | Self::CastText => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampUtc | Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// Spark's type for `numeric(p, s)`; without modifiers `Decimal(38, 18)`.
fn numeric(modifier: i32) -> ReadKind {
    let Ok(packed) = u32::try_from(modifier - 4) else { return ReadKind::Numeric(38, 18) };
    let precision = packed >> 16;
    // Eleven bits, signed.
    let scale = i64::from(packed & 0x7ff);
    let scale = if scale >= 1024 { scale - 2048 } else { scale };
    // A negative scale means more whole digits than the precision says.
    let precision = if scale < 0 { i64::from(precision) - scale } else { i64::from(precision).max(scale) };
    let precision = u8::try_from(precision.clamp(1, 38)).unwrap_or(38);
    ReadKind::Numeric(precision, i8::try_from(scale.clamp(0, 38)).unwrap_or(18))
}

#[cfg(test)]
mod tests;
