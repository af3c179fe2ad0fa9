//! JSON lines as Spark writes them: null fields left out, binary in base64, NaN as text.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::encode::LineFormat;
use super::values::{Cells, Times, printable};
use super::{JsonOptions, unsupported_type};
use crate::error::Result;

pub(super) struct JsonFormat {
    options: JsonOptions,
    names: Vec<String>,
    times: Times,
}

impl JsonFormat {
    pub(super) fn new(options: &JsonOptions, schema: &Schema, zone: &str) -> Result<Self> {
        for field in schema.fields() {
            if !printable(field.data_type(), true) {
                return Err(unsupported_type(field.name(), field.data_type(), "json"));
            }
        }
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { options: options.clone(), names, times: Times::new(&options.times, zone)? })
    }

    fn object<'a>(
        &self,
        fields: impl Iterator<Item = (&'a str, &'a Cells)>,
        row: usize,
        out: &mut String,
    ) -> Result<()> {
        out.push('{');
        let mut first = true;
        for (name, cells) in fields {
            if cells.is_null(row) && self.options.ignore_null_fields {
                continue;
            }
            if !first {
                out.push(',');
            }
            first = false;
            string(name, out);
            out.push(':');
            self.value(cells, row, out)?;
        }
        out.push('}');
        Ok(())
    }

    fn value(&self, cells: &Cells, row: usize, out: &mut String) -> Result<()> {
        if cells.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match cells {
            Cells::Bool(_) | Cells::Int(_) | Cells::Decimal(_, _) => cells.text(row, &self.times, out)?,
            Cells::Float(array) if array.value(row).is_finite() => cells.text(row, &self.times, out)?,
            Cells::Double(array) if array.value(row).is_finite() => cells.text(row, &self.times, out)?,
            Cells::Binary(array) => {
                out.push('"');
                STANDARD.encode_string(array.value(row), out);
                out.push('"');
            }
            Cells::List(list, values) => {
                out.push('[');
                let (start, end) = range(list.value_offsets(), row);
                for item in start..end {
                    if item > start {
                        out.push(',');
                    }
                    self.value(values, item, out)?;
                }
                out.push(']');
            }
            Cells::Map(map, keys, values) => {
                out.push('{');
                let (start, end) = range(map.value_offsets(), row);
                for item in start..end {
                    if item > start {
                        out.push(',');
                    }
                    let mut key = String::new();
                    keys.text(item, &self.times, &mut key)?;
                    string(&key, out);
                    out.push(':');
                    self.value(values, item, out)?;
                }
                out.push('}');
            }
            Cells::Struct(_, fields) => {
                self.object(fields.iter().map(|(name, cells)| (name.as_str(), cells)), row, out)?;
            }
            Cells::Text(array) => string(array.value(row), out),
            _ => {
                let mut text = String::new();
                cells.text(row, &self.times, &mut text)?;
                string(&text, out);
            }
        }
        Ok(())
    }
}

impl LineFormat for JsonFormat {
    fn header(&self) -> Option<String> {
        None
    }

    fn append(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns: Vec<Cells> = batch.columns().iter().map(Cells::new).collect::<Result<_>>()?;
        let mut line = String::new();
        for row in 0..batch.num_rows() {
            line.clear();
            self.object(self.names.iter().map(String::as_str).zip(&columns), row, &mut line)?;
            line.push_str(&self.options.line_sep);
            out.extend_from_slice(line.as_bytes());
        }
        Ok(())
    }
}

fn range(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or_default();
    (at(row), at(row + 1))
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
