//! `to_xml`: a struct as an indented element.

use super::Names;
use crate::display::{decimal_text, java_double, java_float};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::datum::Datum;
use crate::scalar::document::{Formats, Options, binary_text};
use crate::scalar::json::{Json, written_moment};
use crate::scalar::variant;
use crate::types::{DataType, StructType};

/// Writes values.
pub(super) struct Writer {
    names: Names,
    formats: Formats,
    binary_style: String,
    root: String,
    item: String,
    null: Option<String>,
    indent: String,
}

impl Writer {
    /// # Errors
    /// Bad options.
    pub(super) fn new(options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        Ok(Self {
            names: Names::new(options)?,
            formats: Formats::writing(options, session)?,
            binary_style: session.binary_output_style.clone(),
            root: options.get("rowTag").unwrap_or("ROW").to_owned(),
            item: options.get("arrayElementName").unwrap_or("item").to_owned(),
            null: options.get("nullValue").map(str::to_owned),
            indent: options.get("indent").unwrap_or("    ").to_owned(),
        })
    }

    /// One document.
    ///
    /// # Errors
    /// A bad datetime pattern; a broken variant.
    pub(super) fn document(&self, value: &Datum, data_type: &DataType) -> SparkResult<String> {
        let mut out = vec![];
        self.child(&self.root, value, data_type, &mut out)?;
        let mut text = String::new();
        for (index, part) in out.iter().enumerate() {
            if index > 0 && !self.indent.is_empty() {
                text.push('\n');
            }
            part.write(0, &self.indent, &mut text);
        }
        Ok(text)
    }

    fn child(&self, name: &str, value: &Datum, data_type: &DataType, out: &mut Vec<Part>) -> SparkResult<()> {
        match (data_type, value) {
            (_, Datum::Null) => {
                if let Some(null) = &self.null {
                    out.push(Part::text(name, null.clone()));
                }
            }
            (DataType::Array { element, .. }, Datum::List(items)) => {
                for item in items {
                    match (element.as_ref(), item) {
                        (DataType::Array { .. }, Datum::List(_)) => {
                            let mut part = Part::new(name);
                            self.child(&self.item, item, element, &mut part.children)?;
                            out.push(part);
                        }
                        _ => self.child(name, item, element, out)?,
                    }
                }
            }
            (DataType::Struct(fields), Datum::Row(values)) => out.push(self.object(name, fields, values)?),
            (DataType::Map { value: to, .. }, Datum::Map(entries)) => {
                let mut part = Part::new(name);
                for (key, value) in entries {
                    let Datum::Text(key) = key else { continue };
                    self.field(key, value, to, &mut part)?;
                }
                out.push(part);
            }
            (DataType::Variant, Datum::Variant(value)) => {
                let json = variant::decode(value)?.to_json(self.formats.zone());
                self.json(name, &json, out);
            }
            (data_type, value) => out.push(Part::text(name, self.scalar(value, data_type)?)),
        }
        Ok(())
    }

    fn object(&self, name: &str, fields: &StructType, values: &[Datum]) -> SparkResult<Part> {
        let mut part = Part::new(name);
        for (field, value) in fields.fields.iter().zip(values) {
            self.field(&field.name, value, &field.data_type, &mut part)?;
        }
        Ok(part)
    }

    /// A field becomes an attribute, the text, or child elements.
    fn field(&self, name: &str, value: &Datum, data_type: &DataType, part: &mut Part) -> SparkResult<()> {
        let attribute = name.strip_prefix(self.names.attribute.as_str()).filter(|rest| !rest.is_empty());
        let null = || self.null.clone();
        if name == self.names.value {
            let text = if *value == Datum::Null { null() } else { Some(self.scalar(value, data_type)?) };
            part.text.push_str(&text.unwrap_or_default());
            return Ok(());
        }
        if let Some(attribute) = attribute.filter(|_| !self.names.attribute.is_empty()) {
            let text = if *value == Datum::Null { null() } else { Some(self.scalar(value, data_type)?) };
            part.attributes.extend(text.map(|text| (attribute.to_owned(), text)));
            return Ok(());
        }
        self.child(name, value, data_type, &mut part.children)
    }

    fn json(&self, name: &str, value: &Json, out: &mut Vec<Part>) {
        match value {
            Json::Null => out.extend(self.null.clone().map(|null| Part::text(name, null))),
            Json::Array(items) => items.iter().for_each(|item| self.json(name, item, out)),
            Json::Object(fields) => {
                let mut part = Part::new(name);
                for (key, item) in fields {
                    let attribute = key.strip_prefix(self.names.attribute.as_str()).filter(|rest| !rest.is_empty());
                    match (attribute, item) {
                        _ if *key == self.names.value => part.text.push_str(&plain(item)),
                        (Some(_), Json::Null) => {}
                        (Some(attribute), item) => part.attributes.push((attribute.to_owned(), plain(item))),
                        (None, item) => self.json(key, item, &mut part.children),
                    }
                }
                out.push(part);
            }
            scalar => out.push(Part::text(name, plain(scalar))),
        }
    }

    fn scalar(&self, value: &Datum, data_type: &DataType) -> SparkResult<String> {
        Ok(match (data_type, value) {
            (_, Datum::Bool(value)) => value.to_string(),
            (_, Datum::Float(value)) => java_float(*value),
            (_, Datum::Double(value)) => java_double(*value),
            (DataType::Decimal(_, scale), Datum::Decimal(digits)) => decimal_text(*digits, *scale),
            (_, Datum::Text(text)) => text.clone(),
            (_, Datum::Bytes(bytes)) => binary_text(bytes, &self.binary_style),
            (data_type, value) => match written_moment(value, data_type, &self.formats)? {
                Some(text) => text,
                None => match value {
                    Datum::Int(value) => value.to_string(),
                    _ => String::new(),
                },
            },
        })
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Text(text) => text.clone(),
        other => other.compact(),
    }
}

/// An element to be written.
struct Part {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Part>,
}

impl Part {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: vec![], text: String::new(), children: vec![] }
    }

    fn text(name: &str, text: String) -> Self {
        Self { text, ..Self::new(name) }
    }

    fn write(&self, depth: usize, indent: &str, out: &mut String) {
        let line = |out: &mut String, depth: usize| {
            if !indent.is_empty() {
                out.push('\n');
                out.push_str(&indent.repeat(depth));
            }
        };
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escape(value, true)));
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&escape(&self.text, false));
        for child in &self.children {
            line(out, depth + 1);
            child.write(depth + 1, indent, out);
        }
        if !self.children.is_empty() {
            line(out, depth);
        }
        out.push_str(&format!("</{}>", self.name));
    }
}

/// A text with the characters replaced that mean something in XML.
pub(super) fn escape(text: &str, attribute: bool) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    if attribute { text.replace('"', "&quot;") } else { text }
}
