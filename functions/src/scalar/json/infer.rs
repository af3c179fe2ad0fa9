//! `schema_of_json`: the type of a JSON value, merged over the items of arrays.

use super::Json;
use crate::error::SparkResult;
use crate::options::SparkOptions;
use crate::scalar::document::{Formats, Options};
use crate::types::{DataType, StructField, StructType};

/// What inference does with scalars.
pub(super) struct Infer {
    strings: bool,
    prefers_decimal: bool,
    timestamps: bool,
    drop_nulls: bool,
    formats: Formats,
}

impl Infer {
    /// # Errors
    /// Bad options.
    pub(super) fn new(options: &Options, session: &SparkOptions) -> SparkResult<Self> {
        Ok(Self {
            strings: options.flag("primitivesAsString", false)?,
            prefers_decimal: options.flag("prefersDecimal", false)?,
            timestamps: options.flag("inferTimestamp", false)?,
            drop_nulls: options.flag("dropFieldIfAllNull", false)?,
            formats: Formats::reading(options, session)?,
        })
    }

    /// The type; what is only null becomes a string.
    pub(super) fn schema(&self, value: &Json) -> DataType {
        let empty = || DataType::Struct(StructType::default());
        match self.field(value) {
            found @ DataType::Struct(_) => self.canonical(&found).unwrap_or_else(empty),
            DataType::Array { element, .. } if matches!(*element, DataType::Struct(_)) => {
                DataType::array(self.canonical(&element).unwrap_or_else(empty), true)
            }
            found => self.canonical(&found).unwrap_or(DataType::String),
        }
    }

    /// The columns of a record, nulls still without a type; none for what is no record.
    pub(super) fn record(&self, value: &Json) -> DataType {
        match self.field(value) {
            found @ DataType::Struct(_) => found,
            DataType::Array { element, .. } if matches!(*element, DataType::Struct(_)) => *element,
            _ => DataType::Struct(StructType::default()),
        }
    }

    /// The columns of several records together.
    ///
    /// # Errors
    /// A text that is none of [`Infer::record`]'s.
    fn records<'a>(&self, found: impl IntoIterator<Item = &'a str>) -> SparkResult<StructType> {
        let mut all = DataType::Struct(StructType::default());
        for record in found {
            all = merge(all, DataType::from_json(record)?);
        }
        Ok(self.columns(&all))
    }

    /// The columns of merged records.
    pub(super) fn columns(&self, merged: &DataType) -> StructType {
        match self.canonical(merged) {
            Some(DataType::Struct(fields)) => fields,
            _ => StructType::default(),
        }
    }

    fn field(&self, value: &Json) -> DataType {
        match value {
            Json::Null => DataType::Null,
            Json::Text(text) if text.is_empty() => DataType::Null,
            Json::Text(text) => self.text(text),
            Json::Object(fields) => {
                let mut out: Vec<StructField> = vec![];
                for (name, value) in fields {
                    let data_type = self.field(value);
                    out.push(StructField::new(name.clone(), data_type, true));
                }
                out.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
                DataType::Struct(StructType::new(out))
            }
            Json::Array(items) => {
                let element = items.iter().fold(DataType::Null, |to, item| merge(to, self.field(item)));
                DataType::array(element, true)
            }
            _ if self.strings => DataType::String,
            Json::Bool(_) => DataType::Boolean,
            Json::Int(text) => match text.parse::<i64>() {
                Ok(_) => DataType::Long,
                Err(_) => decimal(text).unwrap_or(DataType::Double),
            },
            Json::Float(text) if self.prefers_decimal => decimal(text).unwrap_or(DataType::Double),
            Json::Float(_) => DataType::Double,
        }
    }

    fn text(&self, text: &str) -> DataType {
        if self.prefers_decimal
            && let Some(found) = decimal(text)
        {
            return found;
        }
        if self.timestamps {
            if self.formats.read_ntz(text).is_some() && !self.formats.has_timestamp_pattern() {
                return DataType::Timestamp;
            }
            if self.formats.read_timestamp(text).is_some() {
                return DataType::Timestamp;
            }
        }
        DataType::String
    }

    /// Nulls become strings; `None` for what is dropped.
    fn canonical(&self, data_type: &DataType) -> Option<DataType> {
        match data_type {
            DataType::Null if self.drop_nulls => None,
            DataType::Null => Some(DataType::String),
            DataType::Array { element, .. } => Some(DataType::array(self.canonical(element)?, true)),
            DataType::Struct(fields) => {
                let kept = fields.fields.iter().filter(|field| !field.name.is_empty());
                let kept: Vec<StructField> = kept
                    .filter_map(|f| Some(StructField::new(f.name.clone(), self.canonical(&f.data_type)?, true)))
                    .collect();
                // A struct without fields says nothing.
                (!kept.is_empty()).then(|| DataType::Struct(StructType::new(kept)))
            }
            other => Some(other.clone()),
        }
    }
}

/// The columns of JSON records, from what `spark_json_record` says of each of them.
///
/// # Errors
/// Bad options, or text that the function did not make.
pub fn record_schema<'a>(
    found: impl IntoIterator<Item = &'a str>,
    options: &str,
    session: &SparkOptions,
) -> SparkResult<StructType> {
    Infer::new(&Options::parse(Some(options)), session)?.records(found)
}

fn decimal(text: &str) -> Option<DataType> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let digits = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = format!("{whole}{fraction}").trim_start_matches('0').len().max(1) as i64;
    let scale = fraction.len() as i64 - exponent;
    let precision = significant.max(scale);
    if precision > 38 || scale < 0 {
        return None;
    }
    Some(DataType::Decimal(u8::try_from(precision).ok()?, i8::try_from(scale).ok()?))
}

/// The type that holds both; strings hold everything.
pub(crate) fn merge(a: DataType, b: DataType) -> DataType {
    use DataType as T;
    match (a, b) {
        (a, b) if a == b => a,
        (T::Null, other) | (other, T::Null) => other,
        (T::Long, T::Double) | (T::Double, T::Long) => T::Double,
        (T::Double, T::Decimal(..)) | (T::Decimal(..), T::Double) => T::Double,
        (T::Long, T::Decimal(p, s)) | (T::Decimal(p, s), T::Long) => wide((p, s), (20, 0)),
        (T::Decimal(p, s), T::Decimal(q, t)) => wide((p, s), (q, t)),
        (T::TimestampNtz, T::Timestamp) | (T::Timestamp, T::TimestampNtz) => T::Timestamp,
        (T::Array { element: a, .. }, T::Array { element: b, .. }) => T::array(merge(*a, *b), true),
        (T::Struct(a), T::Struct(b)) => {
            let mut fields = a.fields;
            for field in b.fields {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => known.data_type = merge(known.data_type.clone(), field.data_type),
                    None => fields.push(field),
                }
            }
            fields.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
            T::Struct(StructType::new(fields))
        }
        _ => T::String,
    }
}

fn wide(a: (u8, i8), b: (u8, i8)) -> DataType {
    let scale = a.1.max(b.1);
    let whole = (i16::from(a.0) - i16::from(a.1)).max(i16::from(b.0) - i16::from(b.1));
    match u8::try_from(whole + i16::from(scale)) {
        Ok(precision) if precision <= 38 => DataType::Decimal(precision, scale),
        _ => DataType::Double,
    }
}
