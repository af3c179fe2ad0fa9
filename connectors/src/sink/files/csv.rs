//! CSV as Spark writes it: quotes only where needed, null and the empty string kept apart.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::encode::LineFormat;
use super::values::{Cells, Times, printable};
use super::{CsvOptions, unsupported_type};
use crate::error::{ConnectorError, Result};

pub(super) struct CsvFormat {
    options: CsvOptions,
    names: Vec<String>,
    times: Times,
}

impl CsvFormat {
    pub(super) fn new(options: &CsvOptions, schema: &Schema, zone: &str) -> Result<Self> {
        if options.sep.is_empty() {
            return Err(ConnectorError::option("sep", "must not be empty"));
        }
        for field in schema.fields() {
            if !printable(field.data_type(), false) {
                return Err(unsupported_type(field.name(), field.data_type(), "csv"));
            }
        }
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { options: options.clone(), names, times: Times::new(&options.times, zone)? })
    }

    fn put(&self, value: &str, out: &mut String) {
        let options = &self.options;
        if value.is_empty() {
            return out.push_str(&options.empty_value);
        }
        let blank = |c: char| c <= ' ';
        let mut value = value;
        if options.ignore_leading_white_space {
            value = value.trim_start_matches(blank);
        }
        if options.ignore_trailing_white_space {
            value = value.trim_end_matches(blank);
        }
        let Some(quote) = options.quote else { return out.push_str(value) };
        let needed = options.quote_all
            || value.contains(&options.sep)
            || value.contains(['\n', '\r'])
            || value.contains(&options.line_sep)
            || (options.escape_quotes && value.contains(quote));
        if !needed {
            return out.push_str(value);
        }
        out.push(quote);
        for c in value.chars() {
            if c == quote || c == options.escape {
                out.push(options.escape);
            }
            out.push(c);
        }
        out.push(quote);
    }
}

impl LineFormat for CsvFormat {
    fn header(&self) -> Option<String> {
        if !self.options.header {
            return None;
        }
        let mut line = String::new();
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                line.push_str(&self.options.sep);
            }
            self.put(name, &mut line);
        }
        line.push_str(&self.options.line_sep);
        Some(line)
    }

    fn append(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns: Vec<Cells> = batch.columns().iter().map(Cells::new).collect::<Result<_>>()?;
        let (mut line, mut value) = (String::new(), String::new());
        for row in 0..batch.num_rows() {
            line.clear();
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    line.push_str(&self.options.sep);
                }
                if column.is_null(row) {
                    line.push_str(&self.options.null_value);
                    continue;
                }
                value.clear();
                column.text(row, &self.times, &mut value)?;
                self.put(&value, &mut line);
            }
            line.push_str(&self.options.line_sep);
            out.extend_from_slice(line.as_bytes());
        }
        Ok(())
    }
}
