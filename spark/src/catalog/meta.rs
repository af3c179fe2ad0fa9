//! What is stored about databases, tables, views and functions.
//!
//! These are the files' formats: fields may be added with a default, never renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Database {
    /// Name.
    pub name: String,
    /// `COMMENT`.
    #[serde(default)]
    pub comment: String,
    /// Where managed tables go.
    pub location: String,
    /// `DBPROPERTIES`.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Its files are the warehouse's.
    Managed,
    /// Its files are the user's.
    External,
    /// A view.
    View,
}

impl Kind {
    /// Spark's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Managed => "MANAGED",
            Self::External => "EXTERNAL",
            Self::View => "VIEW",
        }
    }
}

/// A column with what the schema alone does not say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type as Spark's JSON.
    pub data_type: serde_json::Value,
    /// Whether it may be null.
    pub nullable: bool,
    /// `COMMENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `DEFAULT`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A partition added by `ALTER TABLE ... ADD PARTITION`, with files or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedPartition {
    /// Values as text, in the order of the partition columns.
    pub values: Vec<Option<String>>,
    /// A folder of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// A table or view.
#[derive(Clone, Serialize, Deserialize)]
pub struct Relation {
    /// Database.
    pub database: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: Kind,
    /// Data source; empty for a view.
    #[serde(default)]
    pub provider: String,
    /// Columns; partition columns last.
    pub columns: Vec<Column>,
    /// Names of the partition columns.
    #[serde(default)]
    pub partitioned_by: Vec<String>,
    /// Partitions that were added by name. Others are found in the folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<AddedPartition>,
    /// `CLUSTERED BY`: buckets, columns, sort columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<(u32, Vec<String>, Vec<String>)>,
    /// `CLUSTER BY`.
    #[serde(default)]
    pub cluster_by: Vec<String>,
    /// Where its files are.
    #[serde(default)]
    pub location: String,
    /// `OPTIONS`. May hold secrets.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// `TBLPROPERTIES`. May hold secrets.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// `COMMENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(default)]
    pub created: i64,
    /// The query of a view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewText>,
}

/// A view's query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ViewText {
    /// As written.
    pub text: String,
    /// The database its names are looked up in.
    pub database: String,
    /// Whether column names were given.
    pub named_columns: bool,
    /// `BINDING`, `COMPENSATION`, ...
    pub schema_mode: String,
    /// Names of the query's columns, by which they are found again; by position when empty.
    #[serde(default)]
    pub query_columns: Vec<String>,
    /// Settings that change what the text means.
    #[serde(default)]
    pub conf: BTreeMap<String, String>,
}

impl std::fmt::Debug for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relation")
            .field("database", &self.database)
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// A SQL function: all as text, parsed when it is used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    /// Database; empty for a temporary one.
    #[serde(default)]
    pub database: String,
    /// Name.
    pub name: String,
    /// Parameters.
    pub params: Vec<Column>,
    /// Scalar return type as Spark's JSON.
    #[serde(default)]
    pub returns: Option<serde_json::Value>,
    /// Columns of a table function.
    #[serde(default)]
    pub returns_table: Option<Vec<Column>>,
    /// The body.
    pub body: String,
    /// Whether the body is a query.
    pub is_query: bool,
    /// `COMMENT`.
    #[serde(default)]
    pub comment: Option<String>,
    /// A class of a JVM, which this engine cannot load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// `DETERMINISTIC`.
    #[serde(default)]
    pub deterministic: Option<bool>,
    /// The database its names are looked up in.
    #[serde(default)]
    pub namespace: String,
}
