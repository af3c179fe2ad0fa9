//! `format("clickhouse")`, and `format("jdbc")` with a `jdbc:clickhouse:` URL, as a source.

use std::collections::BTreeMap;
use std::sync::Arc;

use firesteel_connectors::clickhouse::options::{Split, is_clickhouse_url};
use firesteel_connectors::clickhouse::{ClickHouseOptions, ClickHouseTable};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;

use super::listing::failed;
use super::{Format, Loaded};
use crate::conf::RuntimeConf;
use crate::source::failure;
use crate::spec::{DataSource, Options};

/// What the session has set for the connector.
const CONF: &str = "spark.clickhouse.";

/// The connector's options, when a format with these options means ClickHouse; those of the session come first.
pub(crate) fn options(format: Format, own: &Options, conf: &RuntimeConf) -> Option<BTreeMap<String, String>> {
    let lower: BTreeMap<String, String> =
        own.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect();
    let by_url = || lower.get("url").is_some_and(|url| is_clickhouse_url(url));
    if format != Format::ClickHouse && !(format == Format::Jdbc && by_url()) {
        return None;
    }
    let session = conf.get_all().into_iter().filter_map(|(key, value)| {
        let name = key.get(..CONF.len()).filter(|start| start.eq_ignore_ascii_case(CONF)).and(key.get(CONF.len()..))?;
        Some((name.to_ascii_lowercase(), value))
    });
    let mut all: BTreeMap<String, String> = session.collect();
    for (key, value) in lower.into_iter().filter(|(key, _)| !key.starts_with("fs.")) {
        all.insert(key.strip_prefix(CONF).map_or(key.clone(), str::to_string), value);
    }
    Some(all)
}

/// Opens a table or query of a server.
pub(super) async fn load(source: &DataSource, options: BTreeMap<String, String>) -> SparkResult<Loaded> {
    if source.schema.is_some() {
        return Err(SparkError::unsupported("a schema given to a ClickHouse source: it has the table's"));
    }
    let mut options = ClickHouseOptions::from_options(&options).map_err(failed)?;
    if !source.predicates.is_empty() {
        options.split = Split::Predicates(source.predicates.clone());
    }
    let table = ClickHouseTable::open(options).await.map_err(failed)?;
    let schema = datafusion::catalog::TableProvider::schema(&table);
    let schema = StructType::from_arrow(&schema).map_err(|error| failure(error.into()))?;
    Ok(Loaded { provider: Arc::new(table), schema, partition_columns: Vec::new() })
}
