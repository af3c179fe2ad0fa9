//! Taking options out of what was given, and reading their values.
//!
//! What is left when all known ones are taken goes to the connection.

use std::collections::BTreeMap;

use super::Isolation;
use crate::error::{ConnectorError, Result};
use crate::postgres::url::Target;

/// The options not yet taken, by lower-case name.
pub(super) struct Taken(BTreeMap<String, String>);

impl Taken {
    pub(super) fn new(options: &BTreeMap<String, String>) -> Self {
        Self(options.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect())
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.0.remove(&key.to_ascii_lowercase())
    }

    /// The first of several names that is there; all are taken.
    pub(super) fn first(&mut self, keys: &[&str]) -> Option<String> {
        keys.iter().map(|key| self.text(key)).fold(None, Option::or)
    }

    pub(super) fn rest(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// `url`, or `host`, `port` and `database`.
pub(super) fn target(taken: &mut Taken) -> Result<Target> {
    let (host, port, database) = (taken.text("host"), taken.text("port"), taken.text("database"));
    match (taken.text("url"), host) {
        (Some(url), None) => Target::parse(&url),
        (Some(_), Some(_)) => Err(ConnectorError::option("host", "not together with url")),
        (None, None) => Err(ConnectorError::MissingOption { key: "url".to_owned() }),
        (None, Some(host)) => {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let mut target = Target::parse(&format!("jdbc:postgresql://{host}{port}/"))?;
            target.database = database.unwrap_or_default();
            Ok(target)
        }
    }
}

/// `partitionColumn` with its bounds, by Spark's rules.
pub(super) fn bounds(
    taken: &mut Taken,
    query: bool,
    partitions: Option<usize>,
) -> Result<Option<(String, String, String)>> {
    let given = (taken.text("partitionColumn"), taken.text("lowerBound"), taken.text("upperBound"));
    match given {
        (None, None, None) => Ok(None),
        (Some(_), Some(_), Some(_)) if query => {
            Err(ConnectorError::option("partitionColumn", "not together with query: use dbtable with a subquery"))
        }
        (Some(_), Some(_), Some(_)) if partitions.is_none() => {
            Err(ConnectorError::option("numPartitions", "required with partitionColumn, lowerBound and upperBound"))
        }
        (Some(column), Some(lower), Some(upper)) => Ok(Some((column, lower, upper))),
        _ => Err(ConnectorError::option(
            "partitionColumn",
            "partitionColumn, lowerBound, upperBound and numPartitions go together",
        )),
    }
}

pub(super) fn isolation(value: Option<String>) -> Result<Isolation> {
    Ok(match value.as_deref().unwrap_or("READ_UNCOMMITTED") {
        "NONE" | "READ_UNCOMMITTED" | "READ_COMMITTED" => Isolation::ReadCommitted,
        "REPEATABLE_READ" => Isolation::RepeatableRead,
        "SERIALIZABLE" => Isolation::Serializable,
        _ => {
            let reason = "expected NONE, READ_UNCOMMITTED, READ_COMMITTED, REPEATABLE_READ or SERIALIZABLE";
            return Err(ConnectorError::option("isolationLevel", reason));
        }
    })
}

/// Whether text may go into text columns only.
pub(super) fn string_type(value: Option<String>, target: &Target) -> Result<bool> {
    match value.or_else(|| target.string_type.clone()).as_deref() {
        None | Some("unspecified") => Ok(false),
        Some("varchar") => Ok(true),
        Some(_) => Err(ConnectorError::option("stringtype", "expected unspecified or varchar")),
    }
}

/// Options of Spark's that cannot be honoured here are refused unless they ask for nothing.
pub(super) fn refuse(taken: &mut Taken) -> Result<()> {
    if let Some(driver) = taken.text("driver")
        && !driver.to_ascii_lowercase().contains("postgresql")
    {
        return Err(ConnectorError::option("driver", format!("{driver} is no PostgreSQL driver")));
    }
    if taken.text("connectionProvider").is_some_and(|name| !matches!(name.as_str(), "" | "basic")) {
        return Err(ConnectorError::Unsupported { feature: "jdbc option connectionProvider".to_owned() });
    }
    if boolean(taken.text("refreshKrb5Config"), "refreshKrb5Config")? == Some(true) {
        return Err(ConnectorError::Unsupported { feature: "jdbc option refreshKrb5Config".to_owned() });
    }
    for key in ["keytab", "principal", "hint", "path"] {
        if taken.text(key).is_some_and(|value| !value.is_empty()) {
            return Err(ConnectorError::Unsupported { feature: format!("jdbc option {key}") });
        }
    }
    Ok(())
}

pub(super) fn number<T: std::str::FromStr>(value: Option<String>, key: &str) -> Result<Option<T>> {
    let parse = |text: String| text.trim().parse().map_err(|_| ConnectorError::option(key, "expected a whole number"));
    value.map(parse).transpose()
}

pub(super) fn boolean(value: Option<String>, key: &str) -> Result<Option<bool>> {
    let parse = |text: String| match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConnectorError::option(key, "expected true or false")),
    };
    value.map(parse).transpose()
}

/// Names between commas.
pub(super) fn list(value: Option<String>) -> Vec<String> {
    let text = value.unwrap_or_default();
    text.split(',')
        .map(|name| name.trim().trim_matches(['`', '"']).to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}
