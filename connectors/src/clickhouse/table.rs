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
        with_setting(format!("MergeTree(){rest}"), "non_replicated_deduplication_window", "10000")
    }

    /// [`Self::plain_engine`] without merges: rows on their way are not worth the server's time, which the INSERTs want.
    /// Also the setting that is to be reset where parts become many.
    pub(crate) fn unmerged_engine(&self) -> (String, Option<&'static str>) {
        let plain = self.plain_engine();
        let setting = (!plain.contains(LARGEST_MERGE)).then_some(LARGEST_MERGE);
        (with_setting(plain, LARGEST_MERGE, "1"), setting)
    }
}

/// The setting of a MergeTree that says up to which size parts are merged.
const LARGEST_MERGE: &str = "max_bytes_to_merge_at_max_space_in_pool";

/// An engine with its clauses and one setting more, unless it has that.
fn with_setting(engine: String, name: &str, value: &str) -> String {
    if engine.contains(name) {
        return engine;
    }
    let settings = if engine.contains(" SETTINGS ") { ", " } else { " SETTINGS " };
    format!("{engine}{settings}{name} = {value}")
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
pub(super) fn closing(text: &str, open: usize) -> usize {
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

    #[test]
    fn merges_wait_unless_the_table_says_how_large_they_are() {
        let mut table = Table {
            database: "d".to_owned(),
            name: "t".to_owned(),
            engine: "MergeTree".to_owned(),
            engine_full: "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 7".to_owned(),
            uuid: String::new(),
            partition_key: String::new(),
            dependants: Vec::new(),
            columns: Vec::new(),
        };
        let (engine, setting) = table.unmerged_engine();
        assert!(engine.ends_with("window = 7, max_bytes_to_merge_at_max_space_in_pool = 1"), "{engine}");
        assert_eq!(setting, Some(LARGEST_MERGE));
        table.engine_full = "MergeTree ORDER BY a SETTINGS max_bytes_to_merge_at_max_space_in_pool = 9".to_owned();
        let (engine, setting) = table.unmerged_engine();
        assert!(engine.contains("pool = 9") && !engine.contains("pool = 1,") && setting.is_none(), "{engine}");
    }
}
