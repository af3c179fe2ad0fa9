//! Columns that say of each row which file it is from, after those of a table over files (Spark's `_metadata`).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::{ViewTable, provider_as_source, source_as_provider};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::ident;

use super::scan::FilesTable;

/// What the names of the fields of `_metadata` begin with.
pub(crate) const PREFIX: &str = "_metadata.";
/// What `input_file_name()` says.
const INPUT_FILE_NAME: &str = "_input_file_name";

/// The table with such columns after its own; `None` for what is no table over files.
pub(crate) fn showing(table: &dyn TableProvider) -> Option<Arc<dyn TableProvider>> {
    if let Some(table) = table.downcast_ref::<FilesTable>() {
        return Some(Arc::new(table.with_partitions(fields(), values)));
    }
    // Text is read as a table of its own and made into values above it. It only says the name: DataFusion moves the fields
    // of a struct down into that projection and then finds two columns of one name.
    let plan = named(table.get_logical_plan()?.as_ref())?;
    Some(Arc::new(ViewTable::new(plan, None)))
}

/// A plan over files of text with their names as one column more.
fn named(plan: &LogicalPlan) -> Option<LogicalPlan> {
    let built = match plan {
        LogicalPlan::TableScan(scan) => {
            let table = source_as_provider(&scan.source).ok()?;
            let table = table.downcast_ref::<FilesTable>()?;
            let last = |store: &ObjectStoreUrl, file: &PartitionedFile| values(store, file).pop().into_iter().collect();
            let table = table.with_partitions(fields().pop().into_iter().collect(), last);
            LogicalPlanBuilder::scan(scan.table_name.clone(), provider_as_source(Arc::new(table)), None)
        }
        LogicalPlan::Projection(projection) => {
            let all = projection.expr.iter().cloned().chain([ident(INPUT_FILE_NAME)]);
            LogicalPlanBuilder::from(named(&projection.input)?).project(all)
        }
        // A text may hold several records.
        LogicalPlan::Unnest(unnest) => LogicalPlanBuilder::from(named(&unnest.input)?)
            .unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone()),
        LogicalPlan::Filter(filter) => LogicalPlanBuilder::from(named(&filter.input)?).filter(filter.predicate.clone()),
        _ => return None,
    };
    built.and_then(LogicalPlanBuilder::build).ok()
}

fn fields() -> Vec<FieldRef> {
    let field = |name: &str, data_type| Arc::new(Field::new(format!("{PREFIX}{name}"), data_type, false));
    vec![
        field("file_path", DataType::Utf8),
        field("file_name", DataType::Utf8),
        field("file_size", DataType::Int64),
        field("file_block_start", DataType::Int64),
        field("file_block_length", DataType::Int64),
        field("file_modification_time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        Arc::new(Field::new(INPUT_FILE_NAME, DataType::Utf8, false)),
    ]
}

/// A file is one block: how it is cut for reading is nobody's business.
fn values(store: &ObjectStoreUrl, file: &PartitionedFile) -> Vec<ScalarValue> {
    let meta = &file.object_meta;
    let size = ScalarValue::Int64(i64::try_from(meta.size).ok());
    let (path, name) = urls(store.as_str(), meta.location.as_ref());
    let last = path.rsplit('/').next().unwrap_or_default().to_owned();
    vec![
        ScalarValue::Utf8(Some(path)),
        ScalarValue::Utf8(Some(last)),
        size.clone(),
        ScalarValue::Int64(Some(0)),
        size,
        ScalarValue::TimestampMicrosecond(Some(meta.last_modified.timestamp_micros()), Some("UTC".into())),
        ScalarValue::Utf8(Some(name)),
    ]
}

/// A file's URL as `_metadata.file_path` has it and as `input_file_name()` does: Spark writes local ones in two ways.
fn urls(store: &str, location: &str) -> (String, String) {
    let encoded = encoded(location);
    match store.strip_prefix("file://") {
        Some(_) => (format!("file:/{encoded}"), format!("file:///{encoded}")),
        None => {
            let url = format!("{}/{encoded}", store.trim_end_matches('/'));
            (url.clone(), url)
        }
    }
}

/// A path as `java.net.URI` writes it.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            ' '
            | '"'
            | '<'
            | '>'
            | '\\'
            | '^'
            | '`'
            | '{'
            | '|'
            | '}'
            | '%'
            | '#'
            | '?'
            | '['
            | ']'
            | '\0'..='\x1f'
            | '\x7f' => {
                let byte = u32::from(c);
                out.push_str(&format!("%{byte:02X}"));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::urls;

    #[test]
    fn urls_are_sparks() {
        let (path, name) = urls("file:///", "data/a b/p=1/x.parquet");
        assert_eq!(path, "file:/data/a%20b/p=1/x.parquet");
        assert_eq!(name, "file:///data/a%20b/p=1/x.parquet");
        assert_eq!(urls("s3://bucket/", "k/x.json").0, "s3://bucket/k/x.json");
    }
}
