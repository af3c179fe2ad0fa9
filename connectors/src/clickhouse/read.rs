//! Reading a table or query: schema from the server, rows as Arrow, split by the table's partitions.
//!
//! Filters are sent where ClickHouse means the same by them, and checked again above the scan. Carries its connection
//! settings, so its plan must not be printed in full.

mod filter;
mod scan;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use super::http::{Client, Failure, number, text};
use super::kind::Kind;
use super::options::{ClickHouseOptions, Split};
use super::table::{literal, qualified, quote};
use crate::conditions;
use crate::error::{ConnectorError, Result};
pub use scan::ClickHouseScanExec;

/// A column of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadColumn {
    name: String,
    kind: Kind,
}

/// All that a scan needs in any process; its text form holds the password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadSpec {
    options: ClickHouseOptions,
    /// What stands after FROM.
    from: String,
    /// The columns, in order; none for counting rows.
    columns: Vec<ReadColumn>,
    /// Conditions that hold for all rows wanted.
    filters: Vec<String>,
    /// At most so many rows of a partition.
    limit: Option<usize>,
}

/// A table or query as DataFusion sees it.
#[derive(Debug)]
pub struct ClickHouseTable {
    spec: ReadSpec,
    schema: SchemaRef,
}

impl ClickHouseTable {
    /// Asks the server for the columns of the table or query.
    ///
    /// # Errors
    /// Connection errors, `TableNotFound`, `Unsupported` for a column whose type cannot be read.
    pub async fn open(options: ClickHouseOptions) -> Result<Self> {
        let client = Client::new(&options.target)?;
        let from = match (&options.table, &options.query) {
            (Some((database, table)), _) => qualified(database, table),
            (None, Some(query)) => format!("({})", query.trim().trim_end_matches(';')),
            (None, None) => return Err(ConnectorError::MissingOption { key: "table".to_owned() }),
        };
        let described = client.rows(&format!("DESCRIBE (SELECT * FROM {from})")).await;
        let described = described.map_err(|failure| match failure {
            Failure::Refused { code: 60, .. } => ConnectorError::TableNotFound { table: from.clone() },
            failure => client.error(failure),
        })?;
        let mut columns = Vec::with_capacity(described.len());
        for row in &described {
            let (name, sql_type) = (text(row.first()), text(row.get(1)));
            let kind = Kind::parse(&sql_type);
            if kind.arrow(options.fixed_string_as_text).is_none() {
                let feature = format!(
                    "reading column {name} of ClickHouse type {sql_type}; leave it out or convert it with the option query"
                );
                return Err(ConnectorError::Unsupported { feature });
            }
            columns.push(ReadColumn { name, kind });
        }
        let spec = ReadSpec { options, from, columns, filters: Vec::new(), limit: None };
        let schema = spec.schema();
        Ok(Self { spec, schema })
    }

    /// The conditions of at most `most` partitions, of which every row meets exactly one.
    async fn partitions(&self, most: usize) -> Result<Vec<Option<String>>> {
        let options = &self.spec.options;
        match &options.split {
            Split::One => Ok(vec![None]),
            Split::Predicates(all) => Ok(all.iter().map(|text| Some(format!("({text})"))).collect()),
            Split::Bounds(column, lower, upper, count) => Ok(strides(&quote(column), *lower, *upper, *count)),
            Split::Partitions => {
                let Some((database, table)) = &options.table else { return Ok(vec![None]) };
                let client = Client::new(&options.target)?;
                let sql = format!(
                    "SELECT partition_id, sum(bytes_on_disk) FROM system.parts WHERE database = {} AND table = {} \
                     AND active GROUP BY 1 ORDER BY 2 DESC, 1",
                    literal(database),
                    literal(table)
                );
                let rows = client.rows(&sql).await.map_err(|failure| client.error(failure))?;
                let sizes = rows.iter().map(|row| (text(row.first()), number(row.get(1)).unwrap_or(0))).collect();
                Ok(groups(sizes, most))
            }
        }
    }
}

/// Partitions of a table in at most `most` groups of about one size, largest first. The first group is all that is in no
/// other, so that a partition made meanwhile is in exactly one.
fn groups(sizes: Vec<(String, u64)>, most: usize) -> Vec<Option<String>> {
    let count = most.min(sizes.len()).max(1);
    let mut groups: Vec<(u64, Vec<String>)> = vec![(0, Vec::new()); count];
    for (partition, bytes) in sizes {
        if let Some(group) = groups.iter_mut().min_by_key(|(size, _)| *size) {
            group.0 += bytes.max(1);
            group.1.push(literal(&partition));
        }
    }
    let others: Vec<String> = groups.iter().skip(1).flat_map(|(_, names)| names.clone()).collect();
    if others.is_empty() {
        return vec![None];
    }
    let mut conditions = vec![Some(format!("_partition_id NOT IN ({})", others.join(", ")))];
    let rest = groups.iter().skip(1);
    conditions.extend(rest.map(|(_, names)| Some(format!("_partition_id IN ({})", names.join(", ")))));
    conditions
}

/// Spark's strides: the first partition is open below and has the nulls, the last is open above.
fn strides(column: &str, lower: i64, upper: i64, count: usize) -> Vec<Option<String>> {
    let width = i128::from(upper) - i128::from(lower);
    let count = i128::try_from(count).unwrap_or(1).min(width.max(1));
    if count <= 1 {
        return vec![None];
    }
    let bound = |index: i128| i128::from(lower) + width * index / count;
    (0..count)
        .map(|index| {
            let (from, to) = (bound(index), bound(index + 1));
            Some(match index {
                0 => format!("({column} < {to} OR {column} IS NULL)"),
                last if last == count - 1 => format!("{column} >= {from}"),
                _ => format!("({column} >= {from} AND {column} < {to})"),
            })
        })
        .collect()
}

#[async_trait]
impl TableProvider for ClickHouseTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> datafusion::error::Result<Vec<TableProviderFilterPushDown>> {
        let push = self.spec.options.push_down;
        let of = |filter: &&Expr| match filter::sql(filter, &self.spec.columns).filter(|_| push) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(of).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let columns = match projection {
            Some(projection) => projection.iter().filter_map(|index| self.spec.columns.get(*index).cloned()).collect(),
            None => self.spec.columns.clone(),
        };
        let filters = filters.iter().filter_map(|filter| filter::sql(filter, &self.spec.columns)).collect();
        let partitions = self.partitions(state.config().target_partitions()).await?;
        let spec = ReadSpec { columns, filters, limit, ..self.spec.clone() };
        Ok(Arc::new(ClickHouseScanExec::new(spec, conditions::input(&partitions)?)))
    }
}

impl ReadSpec {
    /// The Arrow schema of the rows.
    fn schema(&self) -> SchemaRef {
        let text = self.options.fixed_string_as_text;
        let field =
            |column: &ReadColumn| Some(Field::new(&column.name, column.kind.arrow(text)?, column.kind.nullable()));
        Arc::new(Schema::new(self.columns.iter().filter_map(field).collect::<Vec<_>>()))
    }

    /// The statement that streams the partition that `own` describes.
    fn sql(&self, own: Option<&str>) -> String {
        let text = self.options.fixed_string_as_text;
        let select = |column: &ReadColumn| {
            let name = quote(&column.name);
            match column.kind.wire(text) {
                Some(wire) => format!("CAST({name} AS {wire}) AS {name}"),
                None => name,
            }
        };
        let columns: Vec<String> = self.columns.iter().map(select).collect();
        // A count needs rows without columns.
        let list = if columns.is_empty() { "toInt8(0) AS one".to_owned() } else { columns.join(", ") };
        let conditions: Vec<&str> = own.into_iter().chain(self.filters.iter().map(String::as_str)).collect();
        // Conditions are about the columns as they are, which the names in the list above would hide.
        let hide = "SETTINGS prefer_column_name_to_alias = 1";
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let limit = self.limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        format!("SELECT {list} FROM {}{filter}{limit} {hide} FORMAT ArrowStream", self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_group() {
        let sizes = vec![("a".to_owned(), 9), ("b".to_owned(), 5), ("c".to_owned(), 4), ("d".to_owned(), 1)];
        let groups = groups(sizes, 2);
        assert_eq!(
            groups,
            [Some("_partition_id NOT IN ('b', 'c')".to_owned()), Some("_partition_id IN ('b', 'c')".to_owned()),]
        );
        assert_eq!(super::groups(Vec::new(), 8), [None]);
    }

    #[test]
    fn strides_cover_all_numbers() {
        assert_eq!(
            strides("`a`", 0, 10, 3),
            [
                Some("(`a` < 3 OR `a` IS NULL)".to_owned()),
                Some("(`a` >= 3 AND `a` < 6)".to_owned()),
                Some("`a` >= 6".to_owned()),
            ]
        );
        assert_eq!(strides("`a`", i64::MIN, i64::MAX, 2).len(), 2);
        assert_eq!(strides("`a`", 5, 5, 4), [None]);
    }
}
