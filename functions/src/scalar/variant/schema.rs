//! `schema_of_variant`: the type of a variant, with `VARIANT` where values disagree.

use super::Node;
use crate::error::quote_if_needed;

/// A type of `schema_of_variant`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schema {
    /// Only nulls.
    Void,
    /// A type by its SQL name.
    Named(&'static str),
    /// `DECIMAL(p,s)`.
    Decimal(u32, u32),
    /// `ARRAY<...>`.
    Array(Box<Schema>),
    /// `OBJECT<...>`, fields by name.
    Object(Vec<(String, Schema)>),
    /// Values disagree.
    Variant,
}

/// The schema of one value.
pub(super) fn of(node: &Node) -> Schema {
    match node {
        Node::Null => Schema::Void,
        Node::Bool(_) => Schema::Named("BOOLEAN"),
        Node::Long(_) => Schema::Named("BIGINT"),
        Node::Double(_) => Schema::Named("DOUBLE"),
        Node::Float(_) => Schema::Named("FLOAT"),
        Node::Date(_) => Schema::Named("DATE"),
        Node::Timestamp(_) => Schema::Named("TIMESTAMP"),
        Node::TimestampNtz(_) => Schema::Named("TIMESTAMP_NTZ"),
        Node::Binary(_) => Schema::Named("BINARY"),
        Node::Text(_) => Schema::Named("STRING"),
        Node::Uuid(_) => Schema::Named("UUID"),
        Node::Decimal(digits, scale) => {
            let (mut digits, mut scale) = (*digits, u32::from(*scale));
            while scale > 0 && digits % 10 == 0 {
                digits /= 10;
                scale -= 1;
            }
            let length = digits.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
            Schema::Decimal(length.max(scale), scale)
        }
        Node::Array(items) => {
            Schema::Array(Box::new(items.iter().fold(Schema::Void, |schema, item| merge(schema, of(item)))))
        }
        Node::Object(fields) => Schema::Object(fields.iter().map(|(name, value)| (name.clone(), of(value))).collect()),
    }
}

/// The schema of both.
pub(super) fn merge(a: Schema, b: Schema) -> Schema {
    use Schema as S;
    match (a, b) {
        (a, b) if a == b => a,
        (S::Void, other) | (other, S::Void) => other,
        (S::Named("BIGINT"), S::Decimal(p, s)) | (S::Decimal(p, s), S::Named("BIGINT")) => wide((p, s), (20, 0)),
        (S::Decimal(p, s), S::Decimal(q, t)) => wide((p, s), (q, t)),
        (S::Named(a), S::Named(b)) => named(a, b),
        (S::Named("DOUBLE" | "FLOAT"), S::Decimal(..)) | (S::Decimal(..), S::Named("DOUBLE" | "FLOAT")) => {
            S::Named("DOUBLE")
        }
        (S::Array(a), S::Array(b)) => S::Array(Box::new(merge(*a, *b))),
        (S::Object(mut fields), S::Object(others)) => {
            for (name, schema) in others {
                match fields.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = merge(known.clone(), schema),
                    None => fields.push((name, schema)),
                }
            }
            fields.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            S::Object(fields)
        }
        _ => S::Variant,
    }
}

fn named(a: &str, b: &str) -> Schema {
    match (a, b) {
        ("BIGINT", "DOUBLE") | ("DOUBLE", "BIGINT") | ("FLOAT", "DOUBLE") | ("DOUBLE", "FLOAT") => {
            Schema::Named("DOUBLE")
        }
        ("BIGINT", "FLOAT") | ("FLOAT", "BIGINT") => Schema::Named("FLOAT"),
        ("DATE" | "TIMESTAMP_NTZ", "TIMESTAMP") | ("TIMESTAMP", "DATE" | "TIMESTAMP_NTZ") => Schema::Named("TIMESTAMP"),
        ("DATE", "TIMESTAMP_NTZ") | ("TIMESTAMP_NTZ", "DATE") => Schema::Named("TIMESTAMP_NTZ"),
        _ => Schema::Variant,
    }
}

fn wide(a: (u32, u32), b: (u32, u32)) -> Schema {
    let scale = a.1.max(b.1);
    let precision = (a.0 - a.1.min(a.0)).max(b.0 - b.1.min(b.0)) + scale;
    if precision > 38 { Schema::Named("DOUBLE") } else { Schema::Decimal(precision, scale) }
}

impl std::fmt::Display for Schema {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Void => out.write_str("VOID"),
            Self::Named(name) => out.write_str(name),
            Self::Decimal(precision, scale) => write!(out, "DECIMAL({precision},{scale})"),
            Self::Array(element) => write!(out, "ARRAY<{element}>"),
            Self::Variant => out.write_str("VARIANT"),
            Self::Object(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, schema)| format!("{}: {schema}", quote_if_needed(name))).collect();
                write!(out, "OBJECT<{}>", fields.join(", "))
            }
        }
    }
}
