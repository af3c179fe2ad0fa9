//! Records of text files read one by one by `from_json` and `from_csv`, which know Spark's modes: what does not fit is kept
//! in a column of its own (PERMISSIVE), dropped (DROPMALFORMED) or an error (FAILFAST).
//!
//! Lines come from the CSV reader with bytes that text does not have as its separator and quote. It knows no session.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::common::config::CsvOptions;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions::expr_fn::{btrim, starts_with};
use datafusion::logical_expr::expr_fn::ident;
use datafusion::logical_expr::{LogicalPlanBuilder, lit};
use firesteel_functions::error::{SparkError, SparkResult, sql_type};
use firesteel_functions::types::{DataType, StructField, StructType};

use super::listing::Listing;
use super::scan::{FilesTable, by_store};
use super::{Loaded, ReadOptions};
use crate::catalog::text_type;
use crate::source::failure;

/// Neither can be in text that means anything: the record separator and the byte zero.
const SEPARATOR: u8 = 0x1e;
const QUOTE: u8 = 0;
const LINE: &str = "#line";
const RECORD: &str = "#record";
/// Where bad records go when the user has no column for them.
const HIDDEN: &str = "#corrupt";

/// What happens to bad records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Permissive,
    Drop,
    FailFast,
}

impl Mode {
    /// The mode of a read; words that are none mean PERMISSIVE, as in Spark.
    pub(super) fn of(options: &ReadOptions) -> Self {
        match options.get("mode").unwrap_or_default().to_ascii_uppercase().as_str() {
            "FAILFAST" => Self::FailFast,
            "DROPMALFORMED" => Self::Drop,
            _ => Self::Permissive,
        }
    }
}

/// The name of the column that takes bad records.
pub(super) fn corrupt_column(options: &ReadOptions, conf: &crate::conf::RuntimeConf) -> String {
    let own = options.get("columnNameOfCorruptRecord").map(str::to_string);
    own.or_else(|| conf.get_option("spark.sql.columnNameOfCorruptRecord"))
        .unwrap_or_else(|| "_corrupt_record".to_string())
}

/// How lines become records.
pub(super) struct Records {
    /// `spark_from_json` or `spark_from_csv`.
    pub(super) function: &'static str,
    /// Whether the first line of a file is none.
    pub(super) header: bool,
    /// What a line begins with that is none.
    pub(super) comment: Option<u8>,
    pub(super) mode: Mode,
    /// The column that takes bad records, if there is such a column.
    pub(super) corrupt: String,
    pub(super) codec: FileCompressionType,
    /// Whether a text may hold several records, as an array of JSON does.
    pub(super) several: bool,
}

/// The options of a read as functions take them: a JSON object of texts.
pub(super) fn said(options: &ReadOptions) -> SparkResult<String> {
    text(&own(options))
}

fn own(options: &ReadOptions) -> BTreeMap<String, String> {
    let mut said = options.all().clone();
    said.retain(|key, _| !key.starts_with("fs.") && key != "path" && key != "mode");
    said
}

fn text(said: &BTreeMap<String, String>) -> SparkResult<String> {
    serde_json::to_string(said).map_err(|error| SparkError::internal(error.to_string()))
}

impl Records {
    /// Reads the columns `data`.
    pub(super) fn load(self, listing: Listing, data: Vec<StructField>, options: &ReadOptions) -> SparkResult<Loaded> {
        if options.flag("multiLine", false)? {
            return Err(SparkError::unsupported("option `multiLine` with bad records kept or dropped"));
        }
        let lines = Arc::new(self.lines(listing.clone()));
        self.of_texts(lines, LINE, &listing, data, options)
    }

    /// Reads the columns `data` from a table of texts in column `text`, which has the partition columns too.
    pub(super) fn of_texts(
        self,
        texts: Arc<dyn TableProvider>,
        text_column: &str,
        listing: &Listing,
        data: Vec<StructField>,
        options: &ReadOptions,
    ) -> SparkResult<Loaded> {
        let partition_columns = listing.partition_names();
        let partition_fields = listing.partition_fields()?;
        let mut read: Vec<StructField> = Vec::with_capacity(data.len() + 1);
        for field in &data {
            if field.name == self.corrupt && !field.data_type.is_string() {
                return Err(SparkError::analysis(
                    "INVALID_CORRUPT_RECORD_TYPE",
                    &[("columnName", &format!("`{}`", field.name)), ("actualType", &sql_type(&field.data_type))],
                ));
            }
            let data_type = text_type::plain(&field.data_type);
            read.push(StructField::new(&field.name, data_type, true));
        }
        let mut said = own(options);
        let kept = data.iter().any(|field| field.name == self.corrupt);
        let corrupt = if kept { self.corrupt.as_str() } else { HIDDEN };
        said.insert("columnnameofcorruptrecord".to_string(), corrupt.to_string());
        match self.mode {
            Mode::Drop if !kept => read.push(StructField::new(HIDDEN, DataType::String, true)),
            Mode::FailFast => drop(said.insert("mode".to_string(), "FAILFAST".to_string())),
            _ => {}
        }
        said.insert("firesteel.records".to_string(), self.several.to_string());
        let said = text(&said)?;
        let reader = firesteel_functions::registry()
            .scalar(self.function)
            .ok_or_else(|| SparkError::internal(format!("{} is not known", self.function)))?;
        let record = match (DataType::Struct(StructType::new(read)), self.several) {
            (record, true) => DataType::array(record, true),
            (record, false) => record,
        };
        let record = reader.call(vec![ident(text_column), lit(record.json()), lit(said)]);

        let plan = LogicalPlanBuilder::scan("lines", provider_as_source(texts), None);
        let mut plan = plan.map_err(failure)?;
        plan = plan.filter(btrim(vec![ident(text_column)]).not_eq(lit(""))).map_err(failure)?;
        if let Some(comment) = self.comment {
            let prefix = char::from(comment).to_string();
            plan = plan
                .filter(datafusion::logical_expr::not(starts_with(ident(text_column), lit(prefix))))
                .map_err(failure)?;
        }
        let mut columns = vec![record.alias(RECORD)];
        columns.extend(partition_columns.iter().map(ident));
        plan = plan.project(columns).map_err(failure)?;
        if self.several {
            plan = plan.unnest_column(Column::new_unqualified(RECORD)).map_err(failure)?;
        }
        if self.mode == Mode::Drop {
            plan = plan.filter(get_field(ident(RECORD), corrupt).is_null()).map_err(failure)?;
        }
        let mut columns: Vec<_> =
            data.iter().map(|field| get_field(ident(RECORD), field.name.as_str()).alias(&field.name)).collect();
        columns.extend(partition_columns.iter().map(ident));
        let plan = plan.project(columns).and_then(LogicalPlanBuilder::build).map_err(failure)?;
        let mut fields = data;
        fields.extend(partition_fields);
        Ok(Loaded {
            provider: Arc::new(ViewTable::new(plan, None)),
            schema: StructType::new(fields),
            partition_columns,
        })
    }

    fn lines(&self, listing: Listing) -> FilesTable {
        let mut layout = CsvOptions::default().with_has_header(self.header).with_delimiter(SEPARATOR).with_quote(QUOTE);
        layout.newlines_in_values = Some(false);
        let schema = Schema::new(vec![Field::new(LINE, ArrowType::Utf8, true)]);
        let sets = by_store(listing.files, &Arc::new(schema.clone()));
        let format = CsvFormat::default().with_options(layout).with_file_compression_type(self.codec);
        FilesTable::new(Arc::new(format), &schema, listing.partitions, sets, false)
    }
}
