//! Databases, tables, views and functions that outlive sessions, kept as one small JSON file each in the warehouse.
//!
//! `<warehouse>/_catalog/<database>/{database.json, tables/<t>.json, views/<v>.json, functions/<f>.json}`. New objects are
//! put conditionally and changes replace a whole file, so several processes may share a warehouse. It knows no session.

mod columns;
mod meta;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod text_type;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

pub use meta::{AddedPartition, Column, Database, Function, Kind, Relation, ViewText};
pub use store::Warehouse;

/// The one catalog there is.
pub const CATALOG: &str = "spark_catalog";
/// The database that always exists.
pub const DEFAULT: &str = "default";
/// The database of global temporary views.
pub const GLOBAL_TEMP: &str = "global_temp";

/// A name with its database, both as stored (lower case).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Database.
    pub database: String,
    /// Table, view or function.
    pub name: String,
}

impl TableName {
    /// A name; case is folded as Spark's session catalog does.
    #[must_use]
    pub fn new(database: &str, name: &str) -> Self {
        Self { database: database.to_lowercase(), name: name.to_lowercase() }
    }

    /// Resolves the parts of a name against the current database.
    pub fn resolve(parts: &[String], current: &str) -> SparkResult<Self> {
        match parts {
            [name] => Ok(Self::new(current, name)),
            [database, name] => Ok(Self::new(database, name)),
            [catalog, database, name] if catalog.eq_ignore_ascii_case(CATALOG) => Ok(Self::new(database, name)),
            // Without such a catalog all but the last part are a namespace of this one.
            _ => Err(nested_namespace(parts)),
        }
    }

    /// `` `spark_catalog`.`db`.`t` ``.
    #[must_use]
    pub fn quoted(&self) -> String {
        quote_identifier(&[CATALOG, &self.database, &self.name])
    }

    /// `spark_catalog.db.t`.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{CATALOG}.{}.{}", self.database, self.name)
    }
}

/// The database a one- or two-part name means.
pub fn database_name(parts: &[String]) -> SparkResult<String> {
    match parts {
        [name] => Ok(name.to_lowercase()),
        [catalog, name] if catalog.eq_ignore_ascii_case(CATALOG) => Ok(name.to_lowercase()),
        _ => Err(nested_namespace(parts)),
    }
}

fn nested_namespace(parts: &[String]) -> SparkError {
    SparkError::analysis(
        "REQUIRES_SINGLE_PART_NAMESPACE",
        &[("sessionCatalog", CATALOG), ("identifier", &quote_identifier(parts))],
    )
}

/// No such catalog.
#[must_use]
pub fn unknown_catalog(name: &str) -> SparkError {
    SparkError::analysis(
        "CATALOG_NOT_FOUND",
        &[("catalogName", &quote_identifier(&[name])), ("config", &format!("\"spark.sql.catalog.{name}\""))],
    )
}

/// No such database.
#[must_use]
pub fn unknown_database(name: &str) -> SparkError {
    SparkError::analysis("SCHEMA_NOT_FOUND", &[("schemaName", &quote_identifier(&[CATALOG, name]))])
}

/// No such table or view; the name is shown as written.
#[must_use]
pub fn unknown_table(parts: &[String], current: &str) -> SparkError {
    let path = format!("[`system`.`builtin`, `system`.`session`, {}]", quote_identifier(&[CATALOG, current]));
    SparkError::analysis(
        "TABLE_OR_VIEW_NOT_FOUND",
        &[("relationName", &quote_identifier(parts)), ("searchPath", &path)],
    )
}

/// A table or view of that name exists.
#[must_use]
pub fn table_exists(name: &TableName) -> SparkError {
    SparkError::analysis("TABLE_OR_VIEW_ALREADY_EXISTS", &[("relationName", &name.quoted())])
}

/// Spark's name patterns: `*` is any text, `|` separates alternatives, case is ignored.
#[must_use]
pub fn matches(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern.trim().split('|').any(|part| {
        // Spark takes the rest for a regular expression; one that does not compile matches nothing.
        let regex = format!("(?i)^(?:{})$", part.trim().replace('*', ".*"));
        regex::Regex::new(&regex).is_ok_and(|regex| regex.is_match(name))
    })
}
