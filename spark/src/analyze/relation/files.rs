//! Scans that say of each row which file it is from: the hidden column `_metadata`, and what `input_file_name()` stands for.
//!
//! A scan shows them only when the query asks (`Analyzer::files`), so that no other query carries them along.

use std::sync::Arc;

use datafusion::common::{Column, ScalarValue, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use firesteel_functions::SparkResult;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::Resolved;
use crate::analyze::scope::{Attribute, FILE_NAME, OF_FILE, same};
use crate::analyze::tables::TableData;
use crate::analyze::{Analyzer, errors, plan};
use crate::source::file_columns;

/// Spark's name of the hidden column.
const METADATA: &str = "_metadata";

impl Analyzer<'_> {
    /// A scan of files with the hidden columns, or `None` where there are no files or nobody asks.
    pub(super) fn scan_of_files(&self, name: &str, data: &TableData) -> SparkResult<Option<Resolved>> {
        let Some(shown) = file_columns::showing(data.provider.as_ref()) else {
            // Files of text are read beforehand, and nobody knows any more which row was in which; a view may have no place for it.
            let unknown = data.provider.is::<MemTable>() || data.provider.get_logical_plan().is_some();
            self.files_read.set(self.files_read.get() || unknown);
            return Ok(None);
        };
        self.files_read.set(true);
        if !self.files {
            return Ok(None);
        }
        let columns = data.provider.schema().fields().len();
        let (names, hidden): (Vec<_>, Vec<_>) = {
            let schema = shown.schema();
            let all = schema.fields().iter().skip(columns);
            all.map(|field| (field.name().clone(), DataType::from_arrow(field))).unzip()
        };
        let types = hidden.into_iter().collect::<SparkResult<Vec<_>>>()?;
        let visible = self.provider(name, Arc::clone(&data.provider), &data.schema, &data.qualifier)?;
        let table = TableReference::bare(name.to_string());
        let scan = LogicalPlanBuilder::scan(table.clone(), provider_as_source(shown), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning)?;
        let column = |name: &str| Expr::Column(Column::new(Some(table.clone()), name));
        // The columns of the table are read as they are without the hidden ones.
        let mut exprs: Vec<(Expr, u64)> = visible
            .plan
            .expressions()
            .into_iter()
            .zip(&visible.scope.attributes)
            .map(|(expr, attribute)| (expr.unalias(), attribute.id))
            .collect();
        let (mut fields, mut arguments) = (Vec::new(), Vec::new());
        let mut scope = visible.scope;
        for (full, data_type) in names.iter().zip(types) {
            let Some(field) = full.strip_prefix(file_columns::PREFIX) else {
                scope.hidden.push(self.hidden_column("", &data.qualifier, data_type, FILE_NAME));
                exprs.extend(scope.hidden.last().map(|a| (column(full), a.id)));
                continue;
            };
            fields.push(StructField::new(field, data_type, false));
            arguments.extend([Expr::Literal(ScalarValue::from(field), None), column(full)]);
        }
        let taken = scope.attributes.iter().any(|a| same(&a.name, METADATA, self.context.options.case_sensitive));
        if !taken && !fields.is_empty() {
            let data_type = DataType::Struct(StructType::new(fields));
            scope.hidden.push(self.hidden_column(METADATA, &data.qualifier, data_type, OF_FILE));
            exprs.extend(scope.hidden.last().map(|a| (named_struct().call(arguments), a.id)));
        }
        Ok(Some(Resolved::new(plan::project(scan, exprs)?, scope)))
    }

    fn hidden_column(&self, name: &str, qualifier: &[String], data_type: DataType, mark: &str) -> Attribute {
        Attribute {
            id: self.fresh(),
            name: name.to_owned(),
            qualifier: qualifier.to_vec().into(),
            data_type,
            nullable: false,
            metadata: Some(mark.to_owned()),
        }
    }
}
