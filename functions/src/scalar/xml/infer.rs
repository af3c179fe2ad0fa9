//! `schema_of_xml`: the type of an element, merged over repeated elements.

use super::{Document, Names, parse};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::document::{Formats, Options};
use crate::scalar::json::merge;
use crate::types::{DataType, StructField, StructType};

/// The type of a text; a text that is no XML is a corrupt record.
///
/// # Errors
/// Bad options.
pub(super) fn schema(text: &str, options: &Options, session: &SparkOptions) -> SparkResult<DataType> {
    let infer = Infer {
        names: Names::new(options)?,
        formats: Formats::reading(options, session)?,
        types: options.flag("inferSchema", true)?,
        decimals: options.flag("prefersDecimal", false)?,
    };
    let document = parse::first(text).map(|(document, _)| document);
    let Some((document, root)) = document.as_ref().and_then(|document| Some((document, document.root()?))) else {
        let corrupt = StructField::new(options.corrupt_column(), DataType::String, true);
        return Ok(DataType::Struct(StructType::new(vec![corrupt])));
    };
    let found = match infer.element(document, root) {
        found @ DataType::Struct(_) => found,
        DataType::Null => DataType::Struct(StructType::default()),
        scalar => DataType::Struct(StructType::new(vec![StructField::new(infer.names.value.clone(), scalar, true)])),
    };
    Ok(canonical(found))
}

struct Infer {
    names: Names,
    formats: Formats,
    types: bool,
    decimals: bool,
}

impl Infer {
    fn element(&self, document: &Document, at: usize) -> DataType {
        let mut fields: Vec<StructField> = vec![];
        let attributes = if self.names.no_attributes { &[] } else { document.attributes(at) };
        for attribute in attributes {
            let name = format!("{}{}", self.names.attribute, document.name(*attribute));
            fields.push(StructField::new(name, self.scalar(&document.text(*attribute)), true));
        }
        for child in document.elements(at) {
            let found = self.element(document, child);
            match fields.iter_mut().find(|field| field.name == document.name(child)) {
                None => fields.push(StructField::new(document.name(child), found, true)),
                // What repeats is an array.
                Some(field) => {
                    let known = std::mem::replace(&mut field.data_type, DataType::Null);
                    field.data_type = match known {
                        DataType::Array { element, .. } => DataType::array(merge(*element, found), true),
                        other => DataType::array(merge(other, found), true),
                    };
                }
            }
        }
        let text = document.own_text(at);
        let text = if self.names.trim || text.trim().is_empty() { text.trim() } else { text.as_str() };
        if fields.is_empty() {
            return self.scalar(text);
        }
        if !text.is_empty() {
            fields.push(StructField::new(self.names.value.clone(), self.scalar(text), true));
        }
        fields.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
        DataType::Struct(StructType::new(fields))
    }

    fn scalar(&self, text: &str) -> DataType {
        let text = if self.names.trim { text.trim() } else { text };
        if text.is_empty() {
            return DataType::Null;
        }
        if !self.types {
            return DataType::String;
        }
        let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
        if text.parse::<i64>().is_ok() {
            return DataType::Long;
        }
        if self.decimals
            && let Some((whole, fraction)) = text.split_once('.').filter(|_| numeric)
        {
            let digits = whole.trim_start_matches(['-', '+', '0']).len() + fraction.len();
            if let (Ok(precision @ ..=38), Ok(scale)) = (u8::try_from(digits.max(1)), i8::try_from(fraction.len())) {
                return DataType::Decimal(precision, scale);
            }
        }
        if matches!(text, "NaN" | "Infinity" | "-Infinity" | "Inf" | "-Inf") || (numeric && text.parse::<f64>().is_ok())
        {
            return DataType::Double;
        }
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return DataType::Boolean;
        }
        if self.formats.read_date(text).is_some() && !text.contains([':', 'T', ' ']) {
            return DataType::Date;
        }
        if self.formats.read_timestamp(text).is_some() {
            return DataType::Timestamp;
        }
        DataType::String
    }
}

/// What is always empty becomes a string.
fn canonical(data_type: DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::String,
        DataType::Array { element, .. } => DataType::array(canonical(*element), true),
        DataType::Struct(fields) => DataType::Struct(StructType::new(
            fields.fields.into_iter().map(|f| StructField::new(f.name, canonical(f.data_type), true)).collect(),
        )),
        other => other,
    }
}
