//! JSON trees as text.

use std::fmt::Write;

use super::Json;
use crate::display::java_double;

impl Json {
    /// Compact text. Floating-point numbers are written as Java writes doubles.
    pub(crate) fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Text with two spaces for each level of objects.
    pub(crate) fn pretty(&self) -> String {
        let mut out = String::new();
        self.indented(0, &mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            scalar => scalar.scalar(out),
        }
    }

    fn scalar(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(text) => out.push_str(text),
            Self::Float(text) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => out.push_str(&java_double(value)),
                Ok(value) => quote(&java_double(value), out),
                Err(_) => quote(text, out),
            },
            Self::Text(text) => quote(text, out),
            Self::Array(_) | Self::Object(_) => {}
        }
    }

    fn indented(&self, depth: usize, out: &mut String) {
        match self {
            Self::Array(items) if items.is_empty() => out.push_str("[ ]"),
            Self::Object(fields) if fields.is_empty() => out.push_str("{ }"),
            Self::Array(items) => {
                out.push_str("[ ");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    item.indented(depth, out);
                }
                out.push_str(" ]");
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if index > 0 { ",\n" } else { "\n" });
                    out.push_str(&"  ".repeat(depth + 1));
                    quote(name, out);
                    out.push_str(" : ");
                    value.indented(depth + 1, out);
                }
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
                out.push('}');
            }
            scalar => scalar.scalar(out),
        }
    }
}

/// A string in quotes, escaped as Jackson escapes.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
