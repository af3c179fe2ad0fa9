//! `format("jdbc")` and `format("postgres")` as a source: a table or query of a PostgreSQL server.

use std::sync::Arc;

use firesteel_connectors::postgres::{JdbcOptions, PostgresTable};
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::StructType;

use super::listing::failed;
use super::{Environment, Loaded, ReadOptions, as_nullable};
use crate::source::failure;
use crate::spec::DataSource;

/// Opens a table of a database.
pub(super) async fn load(source: &DataSource, options: &ReadOptions, env: &Environment<'_>) -> SparkResult<Loaded> {
    if source.schema.is_some() {
        return Err(SparkError::analysis("_LEGACY_ERROR_TEMP_1134", &[("className", "jdbc")]).with_message(
            "The user-specified schema doesn't match what `jdbc` reads: it takes the schema of the table.",
        ));
    }
    let mut all = options.all().clone();
    all.retain(|key, _| !key.starts_with("fs."));
    if env.conf.effects().spark("", "").timestamp_type_ntz {
        all.entry("prefertimestampntz".to_string()).or_insert_with(|| "true".to_string());
    }
    let options = JdbcOptions::from_options(&all).map_err(failed)?;
    let custom = match &options.custom_schema {
        Some(text) => custom_types(text)?,
        None => Vec::new(),
    };
    let table = PostgresTable::open(options, &source.predicates, &custom).await.map_err(failed)?;
    let schema = datafusion::catalog::TableProvider::schema(&table);
    let schema = as_nullable(&StructType::from_arrow(&schema).map_err(|error| failure(error.into()))?);
    Ok(Loaded { provider: Arc::new(table), schema, partition_columns: Vec::new() })
}

/// The types `customSchema` asks for, by column.
fn custom_types(text: &str) -> SparkResult<Vec<(String, arrow::datatypes::DataType)>> {
    let schema = crate::sql::parse_table_schema(text)?;
    let plain = |field: &firesteel_functions::types::StructField| {
        let data_type = crate::catalog::text_type::plain(&field.data_type);
        (field.name.clone(), data_type.to_arrow())
    };
    Ok(schema.fields.iter().map(plain).collect())
}
