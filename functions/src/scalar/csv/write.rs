//! `to_csv`: a struct as one line.

use super::Dialect;
use crate::display::{decimal_scientific, java_double, java_float};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::datum::Datum;
use crate::scalar::document::{Formats, Options, binary_text};
use crate::scalar::json::written_moment;
use crate::types::{DataType, StructType};

/// Writes structs.
pub(super) struct Writer {
    dialect: Dialect,
    formats: Formats,
    null: String,
    empty: String,
    binary_style: String,
    quote_all: bool,
    escape_quotes: bool,
}

impl Writer {
    /// # Errors
    /// Bad options.
    pub(super) fn new(options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        Ok(Self {
            dialect: Dialect::new(options, true)?,
            formats: Formats::writing(options, session)?,
            binary_style: session.binary_output_style.clone(),
            null: options.get("nullValue").unwrap_or_default().to_owned(),
            empty: options.get("emptyValue").unwrap_or("\"\"").to_owned(),
            quote_all: options.flag("quoteAll", false)?,
            escape_quotes: options.flag("escapeQuotes", true)?,
        })
    }

    /// One line; `None` for a struct whose only field is NULL and has no text.
    ///
    /// # Errors
    /// A bad datetime pattern.
    pub(super) fn line(&self, fields: &StructType, values: &[Datum]) -> SparkResult<Option<String>> {
        let mut out = String::new();
        for (index, (field, value)) in fields.fields.iter().zip(values).enumerate() {
            if index > 0 {
                out.push_str(&self.dialect.separator);
            }
            let text = match value {
                Datum::Null => None,
                value => Some(self.text(value, &field.data_type)?),
            };
            match text {
                None => out.push_str(&self.null),
                Some(text) if self.trimmed(&text).is_empty() => out.push_str(&self.empty),
                Some(text) => self.field(&text, index == 0, &mut out),
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    fn trimmed<'t>(&self, text: &'t str) -> &'t str {
        let text = if self.dialect.trim_start { text.trim_start_matches(|c: char| c <= ' ') } else { text };
        if self.dialect.trim_end { text.trim_end_matches(|c: char| c <= ' ') } else { text }
    }

    fn field(&self, text: &str, first: bool, out: &mut String) {
        let kept = self.trimmed(text);
        let Some(quote) = self.dialect.quote else {
            out.push_str(kept);
            return;
        };
        let comment = self.dialect.comment.unwrap_or('#');
        let needed = self.quote_all
            || text.contains(&self.dialect.separator)
            || text.contains(['\n', '\r'])
            || (self.escape_quotes && text.contains(quote))
            || (first && kept.starts_with(comment));
        if !needed {
            out.push_str(kept);
            return;
        }
        out.push(quote);
        for character in kept.chars() {
            let escape = self.dialect.escape.unwrap_or('\0');
            if (character == quote && self.escape_quotes || character == escape && escape != quote) && escape != '\0' {
                out.push(escape);
            }
            out.push(character);
        }
        out.push(quote);
    }

    /// A value as text; nested values as casts print them, with NULL written as options say.
    fn text(&self, value: &Datum, data_type: &DataType) -> SparkResult<String> {
        Ok(match (data_type, value) {
            (_, Datum::Null) => self.null.clone(),
            (_, Datum::Bool(value)) => value.to_string(),
            (_, Datum::Float(value)) => java_float(*value),
            (_, Datum::Double(value)) => java_double(*value),
            (DataType::Decimal(_, scale), Datum::Decimal(digits)) => decimal_scientific(*digits, *scale),
            (_, Datum::Text(text)) => text.clone(),
            (_, Datum::Bytes(bytes)) => binary_text(bytes, &self.binary_style),
            (DataType::Array { element, .. }, Datum::List(items)) => {
                format!("[{}]", self.items(items.iter().map(|item| (item, element.as_ref())))?)
            }
            (DataType::Map { key, value: to, .. }, Datum::Map(entries)) => {
                let mut out = String::from("{");
                for (index, (name, item)) in entries.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    out.push_str(&self.text(name, key)?);
                    out.push_str(" ->");
                    let text = self.text(item, to)?;
                    if *item != Datum::Null || !text.is_empty() {
                        out.push(' ');
                    }
                    out.push_str(&text);
                }
                out.push('}');
                out
            }
            (DataType::Struct(fields), Datum::Row(values)) => {
                let items = values.iter().zip(fields.fields.iter().map(|field| &field.data_type));
                format!("{{{}}}", self.items(items)?)
            }
            (data_type, value) => match written_moment(value, data_type, &self.formats)? {
                Some(text) => text,
                None => match value {
                    Datum::Int(value) => value.to_string(),
                    _ => String::new(),
                },
            },
        })
    }

    /// Items with a comma between them; a space stands before all but the first, and before NULL if it has a text.
    fn items<'d>(&self, items: impl Iterator<Item = (&'d Datum, &'d DataType)>) -> SparkResult<String> {
        let mut out = String::new();
        for (index, (item, data_type)) in items.enumerate() {
            if index > 0 {
                out.push(',');
            }
            let text = self.text(item, data_type)?;
            let space = if *item == Datum::Null { !text.is_empty() } else { index > 0 };
            if space {
                out.push(' ');
            }
            out.push_str(&text);
        }
        Ok(out)
    }
}
