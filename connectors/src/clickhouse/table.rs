//! A table as the server describes it, and how names and texts are quoted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{Client, Failure, number, text};
use super::kind::Kind;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type's name.
    pub(crate) sql_type: String,
    pub(crate) kind: Kind,
    /// Computed by the server and never written.
    pub(crate) generated: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) database: String,
    pub(crate) name: String,
    pub(crate) engine: String,
    /// Engine with arguments and all clauses after it.
    pub(crate) engine_full: String,
    pub(crate) uuid: String,
    pub(crate) partition_key: String,
    /// Materialized views that read it.
    pub(crate) dependants: Vec<String>,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    /// Asks the server; `None` when there is no such table.
    pub(super) async fn find(client: &Client, database: &str, name: &str) -> Result<Option<Self>, Failure> {
        let (database_text, name_text) = (literal(database), literal(name));
        let sql = format!(
            "SELECT engine, engine_full, toString(uuid), partition_key, dependencies_table FROM system.tables \
             WHERE database = {database_text} AND name = {name_text}"
        );
        let rows = client.rows(&sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let sql = format!(
            "SELECT name, type, default_kind FROM system.columns WHERE database = {database_text} \
             AND table = {name_text} ORDER BY position"
        );
        let columns = client.rows(&sql).await?.iter().map(|row| Column::of(row)).collect();
        let dependants = match row.get(4) {
            Some(Value::Array(names)) => names.iter().map(|name| text(Some(name))).collect(),
            _ => Vec::new(),
        };
        Ok(Some(Self {
            database: database.to_owned(),
            name: name.to_owned(),
            engine: text(row.first()),
            engine_full: text(row.get(1)),
            uuid: text(row.get(2)),
            partition_key: text(row.get(3)),
            dependants,
            columns,
        }))
    }

    /// Database and table, quoted.
    pub(crate) fn sql(&self) -> String {
        qualified(&self.database, &self.name)
    }

    pub(crate) fn is_merge_tree(&self) -> bool {
        self.engine.ends_with("MergeTree")
    }

    /// The engine and clauses of a plain MergeTree with the same keys, for rows on their way to the table.
    pub(crate) fn plain_engine(&self) -> String {
        let rest = match self.engine_full.find('(').filter(|at| self.engine_full.get(..*at) == Some(&self.engine)) {
            Some(at) => self.engine_full.get(closing(&self.engine_full, at)..).unwrap_or_default(),
            None => self.engine_full.strip_prefix(&self.engine).unwrap_or_default(),
        };
        let window = "non_replicated_deduplication_window";
        if rest.contains(window) {
            return format!("MergeTree(){rest}");
        }
        let settings = if rest.contains(" SETTINGS ") { ", " } else { " SETTINGS " };
        format!("MergeTree(){rest}{settings}{window} = 10000")
    }
}

impl Column {
    fn of(row: &[Value]) -> Self {
        let sql_type = text(row.get(1));
        let kind = Kind::parse(&sql_type);
        let generated = matches!(text(row.get(2)).as_str(), "MATERIALIZED" | "ALIAS");
        Self { name: text(row.first()), sql_type, kind, generated }
    }
}

/// One past the bracket that closes the one at `open`.
fn closing(text: &str, open: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (at, c) in text.char_indices().filter(|(at, _)| *at >= open) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// The number of rows a query counts.
pub(super) async fn count(client: &Client, sql: &str) -> Result<u64, Failure> {
    let rows = client.rows(sql).await?;
    number(rows.first().and_then(|row| row.first()))
        .ok_or_else(|| Failure::Lost("a count that is no number".to_owned()))
}

/// Database and table, quoted.
pub(crate) fn qualified(database: &str, table: &str) -> String {
    format!("{}.{}", quote(database), quote(table))
}

/// Quotes an identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// Quotes a text.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\0', "\\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staging_keeps_keys_and_drops_what_the_engine_does() {
        let mut table = Table {
            database: "d".to_owned(),
            name: "t".to_owned(),
            engine: "ReplicatedReplacingMergeTree".to_owned(),
            engine_full: "ReplicatedReplacingMergeTree('/a(b', '{replica}', v) PARTITION BY toYYYYMM(d) ORDER BY (a, b) SETTINGS x = 1".to_owned(),
            uuid: String::new(),
            partition_key: "toYYYYMM(d)".to_owned(),
            dependants: Vec::new(),
            columns: Vec::new(),
        };
        assert_eq!(
            table.plain_engine(),
            "MergeTree() PARTITION BY toYYYYMM(d) ORDER BY (a, b) SETTINGS x = 1, non_replicated_deduplication_window = 10000"
        );
        table.engine = "MergeTree".to_owned();
        table.engine_full = "MergeTree ORDER BY intHash32(a)".to_owned();
        assert_eq!(
            table.plain_engine(),
            "MergeTree() ORDER BY intHash32(a) SETTINGS non_replicated_deduplication_window = 10000"
        );
    }
}
