//! The options Spark does not have: upserts, how rows reach the table, and Greenplum's distribution.
//!
//! Parses only.

use serde::{Deserialize, Serialize};

use super::parse::list;
use crate::error::{ConnectorError, Result};
use crate::postgres::table::quote;

/// `upsertKeys`: rows whose keys are in the table change it instead of adding to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsert {
    /// The key columns.
    pub keys: Vec<String>,
    /// What happens to a row that is there.
    pub action: UpsertAction,
}

/// What an upsert does with a row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpsertAction {
    /// Sets all written columns.
    Update,
    /// Leaves it as it is.
    Ignore,
}

/// How rows reach the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// Into staging tables, and from there all at once.
    Staged,
    /// Straight into the table, each partition in a transaction of its own.
    Direct,
}

/// How Greenplum spreads the rows of a new table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distribution {
    /// By hash of columns.
    By(Vec<String>),
    /// Anyhow.
    Randomly,
    /// All rows everywhere.
    Replicated,
}

impl Upsert {
    pub(super) fn from_options(
        keys: Vec<String>,
        wanted: Option<bool>,
        action: Option<String>,
    ) -> Result<Option<Self>> {
        let action = match action.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("update") => UpsertAction::Update,
            Some("ignore") => UpsertAction::Ignore,
            Some(_) => return Err(ConnectorError::option("upsertAction", "expected update or ignore")),
        };
        match (keys.is_empty(), wanted) {
            (true, Some(true)) => Err(ConnectorError::MissingOption { key: "upsertKeys".to_owned() }),
            (true, _) | (false, Some(false)) => Ok(None),
            (false, _) => Ok(Some(Self { keys, action })),
        }
    }
}

impl Strategy {
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "staged" => Ok(Self::Staged),
            "direct" => Ok(Self::Direct),
            _ => Err(ConnectorError::option("writeStrategy", "expected staged or direct")),
        }
    }
}

impl Distribution {
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "randomly" | "random" => Ok(Self::Randomly),
            "replicated" => Ok(Self::Replicated),
            _ => match list(Some(text.to_owned())) {
                columns if columns.is_empty() => {
                    Err(ConnectorError::option("distributedBy", "expected columns, RANDOMLY or REPLICATED"))
                }
                columns => Ok(Self::By(columns)),
            },
        }
    }

    /// The clause of CREATE TABLE.
    pub fn sql(&self) -> String {
        match self {
            Self::By(columns) => {
                let columns: Vec<String> = columns.iter().map(|column| quote(column)).collect();
                format!("DISTRIBUTED BY ({})", columns.join(", "))
            }
            Self::Randomly => "DISTRIBUTED RANDOMLY".to_owned(),
            Self::Replicated => "DISTRIBUTED REPLICATED".to_owned(),
        }
    }
}
