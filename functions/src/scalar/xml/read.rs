//! `from_xml`: elements to values of Spark types, with the partial results of Spark's permissive mode.

use super::{Document, Kind, Names, parse};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::csv::Scalars;
use crate::scalar::datum::Datum;
use crate::scalar::document::{Formats, Options, malformed};
use crate::scalar::variant::{self, Node};
use crate::types::{DataType, StructType};

/// Reads texts as one type.
pub(super) struct Reader<'a> {
    schema: &'a DataType,
    names: Names,
    formats: Formats,
    scalars: Scalars,
    null: Option<String>,
    corrupt: String,
    fail_fast: bool,
    case_sensitive: bool,
}

/// A value, and whether some part of it did not fit.
struct Read {
    value: Datum,
    bad: bool,
}

impl Read {
    fn good(value: Datum) -> Self {
        Self { value, bad: false }
    }
    fn bad() -> Self {
        Self { value: Datum::Null, bad: true }
    }
}

impl<'a> Reader<'a> {
    /// # Errors
    /// Bad options.
    pub(super) fn new(schema: &'a DataType, options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        Ok(Self {
            schema,
            names: Names::new(options)?,
            formats: Formats::reading(options, session)?,
            scalars: Scalars::new(options, session),
            null: options.get("nullValue").map(str::to_owned),
            corrupt: options.corrupt_column().to_owned(),
            fail_fast: options.fail_fast(),
            case_sensitive: session.case_sensitive,
        })
    }

    /// The value of one text.
    ///
    /// # Errors
    /// In `FAILFAST` mode, texts that do not fit.
    pub(super) fn read(&self, text: &str) -> SparkResult<Datum> {
        // Spark reads no further than the end of the root element.
        let document = parse::first(text).map(|(document, _)| document);
        let root = document.as_ref().and_then(|document| Some((document, document.root()?)));
        let read = match (self.schema, root) {
            (DataType::Struct(fields), Some((document, root))) => self.object(document, root, fields)?,
            (DataType::Struct(fields), None) => {
                Read { value: Datum::Row(vec![Datum::Null; fields.fields.len()]), bad: true }
            }
            (_, Some((document, root))) => match self.variant(document, root) {
                Some(node) => Read::good(Datum::Variant(node.encode())),
                None => Read::bad(),
            },
            (_, None) => Read::bad(),
        };
        if read.bad && self.fail_fast {
            return Err(malformed(text));
        }
        let (DataType::Struct(fields), Datum::Row(mut row), true) = (self.schema, read.value.clone(), read.bad) else {
            return Ok(read.value);
        };
        if let Some(slot) = fields.fields.iter().position(|f| f.name == self.corrupt).and_then(|at| row.get_mut(at)) {
            *slot = Datum::Text(text.to_owned());
        }
        Ok(Datum::Row(row))
    }

    fn object(&self, document: &Document, at: usize, fields: &StructType) -> SparkResult<Read> {
        let mut row = vec![Datum::Null; fields.fields.len()];
        let mut bad = false;
        let same = |a: &str, b: &str| a == b || (!self.case_sensitive && a.to_lowercase() == b.to_lowercase());
        let place = |name: &str| fields.fields.iter().position(|field| same(&field.name, name));
        if !self.names.no_attributes {
            for attribute in document.attributes(at) {
                let name = format!("{}{}", self.names.attribute, document.name(*attribute));
                let Some((index, field)) = place(&name).and_then(|i| Some((i, fields.fields.get(i)?))) else {
                    continue;
                };
                let read = self.scalar(&document.text(*attribute), &field.data_type)?;
                bad |= read.bad;
                if let Some(slot) = row.get_mut(index) {
                    *slot = read.value;
                }
            }
        }
        for child in document.elements(at) {
            let Some(index) = place(document.name(child)) else { continue };
            let (Some(field), Some(slot)) = (fields.fields.get(index), row.get_mut(index)) else { continue };
            match &field.data_type {
                DataType::Array { element, .. } => {
                    let read = self.element(document, child, element)?;
                    bad |= read.bad;
                    match slot {
                        Datum::List(items) => items.push(read.value),
                        other => *other = Datum::List(vec![read.value]),
                    }
                }
                to => {
                    let read = self.element(document, child, to)?;
                    bad |= read.bad;
                    *slot = read.value;
                }
            }
        }
        let text = self.trimmed(&document.own_text(at));
        if !text.is_empty()
            && let Some((index, field)) = place(&self.names.value).and_then(|i| Some((i, fields.fields.get(i)?)))
        {
            let read = self.scalar(&text, &field.data_type)?;
            bad |= read.bad;
            if let Some(slot) = row.get_mut(index) {
                *slot = read.value;
            }
        }
        Ok(Read { value: Datum::Row(row), bad })
    }

    fn element(&self, document: &Document, at: usize, to: &DataType) -> SparkResult<Read> {
        match to {
            DataType::Struct(fields) => self.object(document, at, fields),
            DataType::Map { value, .. } => {
                let mut entries = vec![];
                let mut bad = false;
                if !self.names.no_attributes {
                    for attribute in document.attributes(at) {
                        let read = self.scalar(&document.text(*attribute), value)?;
                        bad |= read.bad;
                        let name = format!("{}{}", self.names.attribute, document.name(*attribute));
                        Datum::put(&mut entries, Datum::Text(name), read.value);
                    }
                }
                for child in document.elements(at) {
                    let read = self.element(document, child, value)?;
                    bad |= read.bad;
                    Datum::put(&mut entries, Datum::Text(document.name(child).to_owned()), read.value);
                }
                Ok(Read { value: Datum::Map(entries), bad })
            }
            DataType::Array { element, .. } => {
                let read = self.element(document, at, element)?;
                Ok(Read { value: Datum::List(vec![read.value]), bad: read.bad })
            }
            DataType::Variant => Ok(match self.variant(document, at) {
                Some(node) => Read::good(Datum::Variant(node.encode())),
                None => Read::bad(),
            }),
            to if document.elements(at).next().is_some() => {
                if to.is_string() {
                    return Ok(Read::good(Datum::Text(inside(document, at))));
                }
                Ok(Read::bad())
            }
            to => self.scalar(&self.trimmed(&document.text(at)), to),
        }
    }

    fn trimmed(&self, text: &str) -> String {
        let blank = text.trim().is_empty();
        if self.names.trim || blank { text.trim().to_owned() } else { text.to_owned() }
    }

    fn scalar(&self, text: &str, to: &DataType) -> SparkResult<Read> {
        let text = self.trimmed(text);
        if self.null.as_ref() == Some(&text) || (text.is_empty() && !to.is_string()) {
            return Ok(Read::good(Datum::Null));
        }
        if let (DataType::Boolean, "1" | "0") = (to, text.as_str()) {
            return Ok(Read::good(Datum::Bool(text == "1")));
        }
        Ok(self.scalars.read(&text, to, &self.formats)?.map_or_else(Read::bad, Read::good))
    }

    /// An element as a variant: a scalar, or an object of attributes, elements and text.
    fn variant(&self, document: &Document, at: usize) -> Option<Node> {
        let scalar = |text: &str| {
            if text.is_empty() { Node::Null } else { variant::from_text(text) }
        };
        let text = self.trimmed(&document.own_text(at));
        let mut fields: Vec<(String, Vec<Node>)> = vec![];
        let attributes = if self.names.no_attributes { &[] } else { document.attributes(at) };
        for attribute in attributes {
            let name = format!("{}{}", self.names.attribute, document.name(*attribute));
            fields.push((name, vec![scalar(&self.trimmed(&document.text(*attribute)))]));
        }
        for child in document.elements(at) {
            let value = self.variant(document, child)?;
            match fields.iter_mut().find(|(name, _)| name == document.name(child)) {
                Some((_, values)) => values.push(value),
                None => fields.push((document.name(child).to_owned(), vec![value])),
            }
        }
        if fields.is_empty() {
            return Some(scalar(&text));
        }
        if !text.is_empty() {
            fields.push((self.names.value.clone(), vec![scalar(&text)]));
        }
        let single = |mut values: Vec<Node>| match values.pop() {
            Some(only) if values.is_empty() => only,
            Some(last) => {
                values.push(last);
                Node::Array(values)
            }
            None => Node::Null,
        };
        Node::object(fields.into_iter().map(|(name, values)| (name, single(values))).collect())
    }
}

/// What is inside an element, as XML.
fn inside(document: &Document, at: usize) -> String {
    document.children(at).iter().map(|child| markup(document, *child)).collect()
}

fn markup(document: &Document, at: usize) -> String {
    if document.is(at, Kind::Comment) {
        return String::new();
    }
    if !document.is(at, Kind::Element) {
        return super::write::escape(&document.text(at), false);
    }
    let name = document.name(at);
    let attributes: String = document
        .attributes(at)
        .iter()
        .map(|at| format!(" {}=\"{}\"", document.name(*at), super::write::escape(&document.text(*at), true)))
        .collect();
    format!("<{name}{attributes}>{}</{name}>", inside(document, at))
}
