//! Reading a table or query: `COPY (SELECT ..) TO STDOUT` in binary, decoded straight to Arrow, in one or many partitions.
//!
//! What is sent to the server only ever leaves out rows that the query would drop anyway.

mod bounds;
mod decode;
mod describe;
mod filter;
mod kind;
mod provider;
mod scan;
mod snapshot;
mod split;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::options::JdbcOptions;
use super::table::quote;
pub use kind::ReadKind;
pub use provider::PostgresTable;
pub use scan::PostgresScanExec;
pub use snapshot::Snapshot;

/// A column of a scan: what to select and what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadColumn {
    /// Its name.
    pub name: String,
    /// What is selected; the column itself when absent.
    pub expr: Option<String>,
    /// Its form.
    pub kind: ReadKind,
    /// Which comparisons mean the same there and here.
    pub compare: Compare,
    /// Whether it may be null.
    pub nullable: bool,
}

/// Which comparisons of a column mean the same to the server and to Spark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compare {
    /// None, because values are rounded, padded or cast on the way
    Nothing,
    /// Equality as it is, order by bytes only
    Text,
    /// All
    Everything,
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
    /// Conditions that all rows meet.
    pub filters: Vec<String>,
    /// What rows are grouped by; `None` without aggregates.
    pub groups: Option<Vec<String>>,
    /// The order in which a limit takes rows.
    pub order: Vec<String>,
    /// At most so many rows of each partition.
    pub limit: Option<usize>,
    /// The state that all partitions see.
    pub snapshot: Option<String>,
}

impl ReadSpec {
    /// The Arrow schema of the rows.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &ReadColumn| Field::new(&column.name, column.kind.arrow(), column.nullable);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// The statement that streams the rows of the partition that `split` describes.
    pub fn sql(&self, split: Option<&str>) -> String {
        let columns: Vec<String> = self.columns.iter().map(ReadColumn::sql).collect();
        // A count needs rows without columns.
        let list = if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") };
        let filters: Vec<String> =
            self.filters.iter().map(String::as_str).chain(split).map(|filter| format!("({filter})")).collect();
        let mut select = match &self.options.prepare_query {
            Some(prepare) => format!("{prepare} SELECT {list} FROM {}", self.from),
            None => format!("SELECT {list} FROM {}", self.from),
        };
        for (clause, parts, separator) in [
            (" WHERE ", filters.as_slice(), " AND "),
            (" GROUP BY ", self.groups.as_deref().unwrap_or_default(), ", "),
            (" ORDER BY ", self.order.as_slice(), ", "),
        ] {
            if !parts.is_empty() {
                select.push_str(clause);
                select.push_str(&parts.join(separator));
            }
        }
        if let Some(limit) = self.limit {
            select.push_str(&format!(" LIMIT {limit}"));
        }
        format!("COPY ({select}) TO STDOUT (FORMAT BINARY)")
    }
}

impl ReadColumn {
    /// What is selected.
    pub fn sql(&self) -> String {
        self.expr.clone().unwrap_or_else(|| quote(&self.name))
    }
}

#[cfg(test)]
mod tests;
