//! `from_csv`: fields to values of Spark types.

use super::Dialect;
use super::line::split;
use crate::cast::{CastMode, cast_array, parse_decimal};
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::datum::{self, Datum};
use crate::scalar::document::{Formats, Options, binary_from_text, malformed};
use crate::scalar::json::moment;
use crate::scalar::variant;
use crate::types::{DataType, StructType};

/// Reads lines as one struct type.
pub(super) struct Reader<'a> {
    fields: &'a StructType,
    dialect: Dialect,
    formats: Formats,
    scalars: Scalars,
    corrupt: Option<usize>,
    fail_fast: bool,
}

/// How texts of scalars are read, in CSV and in XML.
#[derive(Debug, Clone)]
pub(crate) struct Scalars {
    /// Text of NULL.
    pub(crate) null: String,
    /// Text of not a number.
    pub(crate) nan: String,
    /// Text of infinity.
    pub(crate) positive: String,
    /// Text of minus infinity.
    pub(crate) negative: String,
    /// How bytes are written.
    pub(crate) binary_style: String,
}

impl Scalars {
    /// What options and the session say.
    pub(crate) fn new(options: &Options, session: &SparkOptions) -> Self {
        let text = |name: &str, default: &str| options.get(name).unwrap_or(default).to_owned();
        Self {
            null: text("nullValue", ""),
            nan: text("nanValue", "NaN"),
            positive: text("positiveInf", "Inf"),
            negative: text("negativeInf", "-Inf"),
            binary_style: session.binary_output_style.clone(),
        }
    }

    /// A text as a scalar; `None` if it does not fit.
    ///
    /// # Errors
    /// A cast that cannot be made.
    pub(crate) fn read(&self, text: &str, to: &DataType, formats: &Formats) -> SparkResult<Option<Datum>> {
        use DataType as T;
        let special = |text: &str| match text {
            text if text == self.nan => Some(f64::NAN),
            text if text == self.positive => Some(f64::INFINITY),
            text if text == self.negative => Some(f64::NEG_INFINITY),
            _ => None,
        };
        // Java reads these too, with a type suffix or as words.
        let double = |text: &str| {
            let text = text.trim();
            let body = text
                .strip_suffix(['d', 'D', 'f', 'F'])
                .filter(|b| b.ends_with(|c: char| c.is_ascii_digit() || c == '.'));
            let body = body.unwrap_or(text);
            let plain = body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
            match text {
                "NaN" => Some(f64::NAN),
                "Infinity" | "+Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ if plain => body.parse().ok(),
                _ => None,
            }
        };
        Ok(match to {
            T::String | T::Collated(_) | T::Char(_) | T::Varchar(_) => Some(Datum::Text(text.to_owned())),
            T::Byte => text.parse::<i8>().ok().map(|v| Datum::Int(v.into())),
            T::Short => text.parse::<i16>().ok().map(|v| Datum::Int(v.into())),
            T::Integer => text.parse::<i32>().ok().map(|v| Datum::Int(v.into())),
            T::Long => text.parse::<i64>().ok().map(Datum::Int),
            T::Float => match special(text) {
                Some(value) => Some(Datum::Float(value as f32)),
                None => {
                    double(text).and(text.trim().trim_end_matches(['d', 'D', 'f', 'F']).parse().ok()).map(Datum::Float)
                }
            },
            T::Double => special(text).or_else(|| double(text)).map(Datum::Double),
            T::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" => Some(Datum::Bool(true)),
                "false" => Some(Datum::Bool(false)),
                _ => None,
            },
            T::Decimal(precision, scale) => {
                parse_decimal(&text.replace(',', ""), *precision, *scale).map(Datum::Decimal)
            }
            T::Binary => binary_from_text(text, &self.binary_style).map(Datum::Bytes),
            T::Variant => Some(Datum::Variant(variant::from_text(text).encode())),
            T::YearMonthInterval(..) | T::DayTimeInterval(..) | T::CalendarInterval => {
                let array = datum::build(&T::String, vec![Datum::Text(text.to_owned())])?;
                let array = cast_array(&array, &T::String, to, CastMode::Try, formats.zone())?;
                Some(datum::read(to, array.as_ref(), 0)?).filter(|value| !matches!(value, Datum::Null))
            }
            to => moment(text, to, formats),
        })
    }
}

impl<'a> Reader<'a> {
    /// # Errors
    /// Bad options.
    pub(super) fn new(fields: &'a StructType, options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        Ok(Self {
            fields,
            dialect: Dialect::new(options, false)?,
            formats: Formats::reading(options, session)?,
            scalars: Scalars::new(options, session),
            corrupt: fields.fields.iter().position(|field| field.name == options.corrupt_column()),
            fail_fast: options.fail_fast(),
        })
    }

    /// The row of one line.
    ///
    /// # Errors
    /// In `FAILFAST` mode, lines that do not fit.
    pub(super) fn read(&self, line: &str) -> SparkResult<Datum> {
        let mut row = vec![Datum::Null; self.fields.fields.len()];
        let wanted = self.fields.fields.len() - usize::from(self.corrupt.is_some());
        let mut bad = true;
        if let Some(tokens) = split(line, &self.dialect) {
            bad = tokens.len() != wanted;
            let columns = self.fields.fields.iter().enumerate().filter(|(index, _)| Some(*index) != self.corrupt);
            for ((index, field), token) in columns.zip(tokens) {
                let Some(token) = token.filter(|token| *token != self.scalars.null) else { continue };
                match (self.scalars.read(&token, &field.data_type, &self.formats)?, row.get_mut(index)) {
                    (Some(value), Some(slot)) => *slot = value,
                    _ => bad = true,
                }
            }
        }
        if bad && self.fail_fast {
            return Err(malformed(line));
        }
        if let Some(slot) = self.corrupt.filter(|_| bad).and_then(|at| row.get_mut(at)) {
            *slot = Datum::Text(line.to_owned());
        }
        Ok(Datum::Row(row))
    }
}
