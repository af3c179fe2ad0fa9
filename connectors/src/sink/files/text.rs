//! Text files: the values of one string column, one a line. Null is an empty line.

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};

use super::encode::LineFormat;
use super::{TextOptions, unsupported_type};
use crate::error::{ConnectorError, Result};

pub(super) struct TextFormat {
    line_sep: String,
}

impl TextFormat {
    pub(super) fn new(options: &TextOptions, schema: &Schema) -> Result<Self> {
        match schema.fields().iter().map(AsRef::as_ref).collect::<Vec<_>>().as_slice() {
            [field] if matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
                Ok(Self { line_sep: options.line_sep.clone() })
            }
            [field] => Err(unsupported_type(field.name(), field.data_type(), "text")),
            fields => {
                Err(ConnectorError::Unsupported { feature: format!("text data source with {} columns", fields.len()) })
            }
        }
    }
}

impl LineFormat for TextFormat {
    fn header(&self) -> Option<String> {
        None
    }

    fn append(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let cast = arrow::compute::cast(batch.column(0), &DataType::Utf8)
            .map_err(|error| ConnectorError::Engine(error.into()))?;
        let Some(strings) = cast.as_any().downcast_ref::<StringArray>() else {
            return Err(ConnectorError::Protocol("text column is not a string".to_owned()));
        };
        for row in 0..strings.len() {
            if strings.is_valid(row) {
                out.extend_from_slice(strings.value(row).as_bytes());
            }
            out.extend_from_slice(self.line_sep.as_bytes());
        }
        Ok(())
    }
}
