//! `from_json`: JSON values to values of a Spark type, with the partial results of Spark's permissive mode.

use super::Json;
use super::parse::{Grammar, parse};
use crate::cast::parse_decimal;
use crate::error::{ErrorKind, SparkError, SparkResult, sql_type};
use crate::options::SparkOptions;
use crate::scalar::datum::Datum;
use crate::scalar::document::{Formats, Options, malformed};
use crate::scalar::{base64, variant};
use crate::time::interval;
use crate::types::DataType;

/// The option, which no user writes, that says that texts are records of files: a schema of an array of structs, of which a
/// text holds one or more.
const RECORDS: &str = "firesteel.records";

/// Why a value does not fit its type.
pub(super) enum Fail {
    /// It does not.
    Bad(Option<Cause>),
    /// Some part of it does not; the value without that part.
    Partial(Datum, Option<Cause>),
}

/// What `FAILFAST` says beyond the record.
pub(super) enum Cause {
    /// An array where a struct is expected.
    Array,
    /// A string that is no number: its text and the type.
    Text(String, DataType),
}

/// The grammar without options.
pub(super) fn default_grammar() -> Grammar {
    Grammar { single_quotes: true, control_characters: true, ..Grammar::default() }
}

/// The grammar that options allow.
///
/// # Errors
/// A switch that is neither true nor false.
pub(super) fn grammar(options: &Options) -> SparkResult<Grammar> {
    Ok(Grammar {
        single_quotes: options.flag("allowSingleQuotes", true)?,
        unquoted_names: options.flag("allowUnquotedFieldNames", false)?,
        leading_zeros: options.flag("allowNumericLeadingZeros", false)?,
        comments: options.flag("allowComments", false)?,
        not_numbers: options.flag("allowNonNumericNumbers", true)?,
        any_escape: options.flag("allowBackslashEscapingAnyCharacter", false)?,
        control_characters: options.flag("allowUnquotedControlChars", false)?,
    })
}

/// Reads texts as one type.
pub(super) struct Reader<'a> {
    schema: &'a DataType,
    grammar: Grammar,
    formats: Formats,
    fail_fast: bool,
    /// Whether the texts are those of files, where a bad one is a record too.
    records: bool,
    corrupt: Option<usize>,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// Bad options.
    pub(super) fn new(schema: &'a DataType, options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        let records = options.flag(RECORDS, false)?;
        let record = match schema {
            DataType::Array { element, .. } if records => element,
            schema => schema,
        };
        let corrupt = match record {
            DataType::Struct(fields) => fields.fields.iter().position(|f| f.name == options.corrupt_column()),
            _ => None,
        };
        Ok(Self {
            schema,
            grammar: grammar(options)?,
            formats: Formats::reading(options, session)?,
            fail_fast: options.fail_fast(),
            records,
            corrupt,
        })
    }

    /// The value of one text; NULL for a text without any value.
    ///
    /// # Errors
    /// In `FAILFAST` mode, texts that do not fit.
    pub(super) fn read(&self, text: &str) -> SparkResult<Datum> {
        let read = match parse(text, self.grammar) {
            Ok(None) => return Ok(Datum::Null),
            Ok(Some(value)) => self.root(&value),
            Err(()) => Err(Fail::Bad(None)),
        };
        let (value, cause) = match read {
            Ok(value) => return Ok(value),
            Err(Fail::Bad(cause)) => (self.nothing(), cause),
            Err(Fail::Partial(value, cause)) => (value, cause),
        };
        if self.fail_fast {
            return Err(failed(text, cause));
        }
        Ok(self.marked(value, text))
    }

    /// A bad record with its text where the schema has a place for it.
    fn marked(&self, value: Datum, text: &str) -> Datum {
        match (value, self.corrupt) {
            (Datum::Row(mut row), Some(at)) => {
                if let Some(field) = row.get_mut(at) {
                    *field = Datum::Text(text.to_owned());
                }
                Datum::Row(row)
            }
            (Datum::List(rows), Some(_)) if self.records => {
                Datum::List(rows.into_iter().map(|row| self.marked(row, text)).collect())
            }
            (value, _) => value,
        }
    }

    fn nothing(&self) -> Datum {
        match self.schema {
            DataType::Struct(fields) => Datum::Row(vec![Datum::Null; fields.fields.len()]),
            DataType::Array { element, .. } if self.records => match &**element {
                DataType::Struct(fields) => Datum::List(vec![Datum::Row(vec![Datum::Null; fields.fields.len()])]),
                _ => Datum::Null,
            },
            _ => Datum::Null,
        }
    }

    fn root(&self, value: &Json) -> Result<Datum, Fail> {
        match (self.schema, value) {
            (DataType::Variant, value) => self.convert(value, self.schema),
            (DataType::Struct(_), Json::Array(_)) => Err(Fail::Bad(Some(Cause::Array))),
            (DataType::Array { element, .. }, Json::Object(_)) if matches!(**element, DataType::Struct(_)) => {
                match self.convert(value, element) {
                    Ok(row) => Ok(Datum::List(vec![row])),
                    Err(Fail::Partial(row, cause)) => Err(Fail::Partial(Datum::List(vec![row]), cause)),
                    Err(bad) => Err(bad),
                }
            }
            (_, Json::Null) => Err(Fail::Bad(None)),
            (schema, value) => self.convert(value, schema),
        }
    }

    fn convert(&self, value: &Json, to: &DataType) -> Result<Datum, Fail> {
        use DataType as T;
        let found = match (to, value) {
            (T::Variant, value) => variant::from_json(value).map(|node| Datum::Variant(node.encode())),
            (_, Json::Null) => return Ok(Datum::Null),
            (T::Struct(fields), Json::Object(given)) => return self.object(fields, given),
            (T::Array { element, .. }, Json::Array(items)) => return self.array(element, items),
            (T::Map { value: to, .. }, Json::Object(given)) => return self.map(to, given),
            (T::String | T::Collated(_) | T::Char(_) | T::Varchar(_), Json::Text(text)) => {
                Some(Datum::Text(text.clone()))
            }
            (T::String | T::Collated(_) | T::Char(_) | T::Varchar(_), value) => Some(Datum::Text(value.compact())),
            (T::Boolean, Json::Bool(value)) => Some(Datum::Bool(*value)),
            (T::Byte, Json::Int(text)) => text.parse::<i8>().ok().map(|v| Datum::Int(v.into())),
            (T::Short, Json::Int(text)) => text.parse::<i16>().ok().map(|v| Datum::Int(v.into())),
            (T::Integer, Json::Int(text)) => text.parse::<i32>().ok().map(|v| Datum::Int(v.into())),
            (T::Long, Json::Int(text)) => text.parse::<i64>().ok().map(Datum::Int),
            (T::Timestamp, Json::Int(text)) => {
                text.parse::<i64>().ok().and_then(|v| v.checked_mul(1_000_000)).map(Datum::Int)
            }
            (T::Float, Json::Int(text) | Json::Float(text)) => text.parse().ok().map(Datum::Float),
            (T::Double, Json::Int(text) | Json::Float(text)) => text.parse().ok().map(Datum::Double),
            (T::Float | T::Double, Json::Text(text)) => {
                let number = self.special_number(text);
                let Some(number) = number else {
                    let cause = (!text.is_empty()).then(|| Cause::Text(text.clone(), to.clone()));
                    return Err(Fail::Bad(cause));
                };
                Some(if matches!(to, T::Float) { Datum::Float(number as f32) } else { Datum::Double(number) })
            }
            (T::Decimal(precision, scale), Json::Int(text) | Json::Float(text)) => {
                parse_decimal(text, *precision, *scale).map(Datum::Decimal)
            }
            (T::Decimal(precision, scale), Json::Text(text)) if !text.is_empty() => {
                parse_decimal(&text.replace(',', ""), *precision, *scale).map(Datum::Decimal)
            }
            (T::Binary, Json::Text(text)) => base64::decode(text).map(Datum::Bytes),
            (to, Json::Text(text)) => moment(text, to, &self.formats),
            _ => None,
        };
        found.ok_or(Fail::Bad(None))
    }

    fn special_number(&self, text: &str) -> Option<f64> {
        match text {
            _ if !self.grammar.not_numbers => None,
            "NaN" => Some(f64::NAN),
            "+INF" | "+Infinity" | "Infinity" => Some(f64::INFINITY),
            "-INF" | "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }

    fn object(&self, fields: &crate::types::StructType, given: &[(String, Json)]) -> Result<Datum, Fail> {
        let mut row = vec![Datum::Null; fields.fields.len()];
        let mut failed = None;
        for (name, value) in given {
            let Some(at) = fields.fields.iter().position(|field| field.name == *name) else { continue };
            let (Some(field), Some(slot)) = (fields.fields.get(at), row.get_mut(at)) else { continue };
            match self.convert(value, &field.data_type) {
                Ok(value) => *slot = value,
                Err(Fail::Partial(value, cause)) => {
                    *slot = value;
                    failed.get_or_insert(cause);
                }
                Err(Fail::Bad(cause)) => {
                    failed.get_or_insert(cause);
                }
            }
        }
        finish(Datum::Row(row), failed)
    }

    fn array(&self, element: &DataType, items: &[Json]) -> Result<Datum, Fail> {
        let mut list = Vec::with_capacity(items.len());
        let mut failed = None;
        for item in items {
            match self.convert(item, element) {
                Ok(value) => list.push(value),
                Err(Fail::Partial(value, cause)) => {
                    list.push(value);
                    failed.get_or_insert(cause);
                }
                Err(bad) => return Err(bad),
            }
        }
        finish(Datum::List(list), failed)
    }

    fn map(&self, to: &DataType, given: &[(String, Json)]) -> Result<Datum, Fail> {
        let mut entries = Vec::with_capacity(given.len());
        let mut failed = None;
        for (name, value) in given {
            let key = Datum::Text(name.clone());
            match self.convert(value, to) {
                Ok(value) => Datum::put(&mut entries, key, value),
                Err(Fail::Partial(value, cause)) => {
                    Datum::put(&mut entries, key, value);
                    failed.get_or_insert(cause);
                }
                Err(bad) => return Err(bad),
            }
        }
        finish(Datum::Map(entries), failed)
    }
}

fn finish(value: Datum, failed: Option<Option<Cause>>) -> Result<Datum, Fail> {
    match failed {
        None => Ok(value),
        Some(cause) => Err(Fail::Partial(value, cause)),
    }
}

/// Dates, times and intervals from text.
pub(crate) fn moment(text: &str, to: &DataType, formats: &Formats) -> Option<Datum> {
    match to {
        DataType::Date => formats.read_date(text).map(Datum::Int),
        DataType::Timestamp => formats.read_timestamp(text).map(Datum::Int),
        DataType::TimestampNtz => formats.read_ntz(text).map(Datum::Int),
        DataType::Time(_) => formats.read_time(text).map(Datum::Int),
        DataType::YearMonthInterval(start, end) => {
            interval::parse_year_month(text, *start, *end).map(|months| Datum::Int(months.into()))
        }
        DataType::DayTimeInterval(start, end) => interval::parse_day_time(text, *start, *end).map(Datum::Int),
        DataType::CalendarInterval => {
            let value = interval::parse_calendar(text)?;
            Some(Datum::Interval(value.months, value.days, value.micros.checked_mul(1000)?))
        }
        _ => None,
    }
}

fn failed(record: &str, cause: Option<Cause>) -> SparkError {
    match cause {
        None => malformed(record),
        Some(Cause::Array) => SparkError::new(
            ErrorKind::Execution,
            "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS",
            &[("badRecord", record), ("failFastMode", "FAILFAST")],
        ),
        Some(Cause::Text(text, to)) => SparkError::new(
            ErrorKind::Execution,
            "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_STRING_AS_DATATYPE",
            &[
                ("badRecord", record),
                ("failFastMode", "FAILFAST"),
                ("fieldName", "`field`"),
                ("fieldValue", &format!("'{text}'")),
                ("inputType", "\"STRING\""),
                ("targetType", &sql_type(&to)),
            ],
        ),
    }
}
