//! One value of any Spark type, taken out of an array or put into one. Readers and writers of documents (JSON, CSV,
//! XML, variants) work on values; it knows nothing of their texts.

mod build;
mod read;

pub(crate) use build::build;
pub(crate) use read::read;

use crate::scalar::variant::Variant;

/// A value; its Spark type is known to the caller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    /// NULL.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// Whole numbers, days of dates, microseconds of timestamps and times, months and microseconds of intervals.
    Int(i64),
    /// `FLOAT`.
    Float(f32),
    /// `DOUBLE`.
    Double(f64),
    /// The digits of a `DECIMAL` whose scale the type says.
    Decimal(i128),
    /// Legacy interval: months, days, nanoseconds.
    Interval(i32, i32, i64),
    /// Strings of any kind.
    Text(String),
    /// `BINARY`.
    Bytes(Vec<u8>),
    /// `ARRAY`.
    List(Vec<Datum>),
    /// `MAP`.
    Map(Vec<(Datum, Datum)>),
    /// `STRUCT`, its fields in order.
    Row(Vec<Datum>),
    /// `VARIANT`.
    Variant(Variant),
}

impl Datum {
    /// Puts an entry into a map; a later value of a key replaces an earlier one.
    pub(crate) fn put(entries: &mut Vec<(Datum, Datum)>, key: Datum, value: Datum) {
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
}
