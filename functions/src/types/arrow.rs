//! Spark types to Arrow types and back. What Arrow cannot say is kept in field metadata under [`TYPE_KEY`].

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};

use super::{DataType, DayTimeField, StructField, StructType, YearMonthField};
use crate::error::{SparkError, SparkResult};

/// Field metadata key that holds the Spark type where the Arrow type alone is ambiguous, for example `char(5)`.
pub const TYPE_KEY: &str = "spark.type";
/// Field metadata key that holds Spark's own column metadata as JSON.
pub const COLUMN_METADATA_KEY: &str = "spark.metadata";

/// The Arrow type of an instant.
#[must_use]
pub fn utc() -> Arrow {
    Arrow::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The last unit a day-time type prints.
#[must_use]
pub fn interval_end_of(data_type: &DataType) -> Option<DayTimeField> {
    match data_type {
        DataType::DayTimeInterval(_, end) => Some(*end),
        _ => None,
    }
}

impl DataType {
    /// The Arrow type that carries this type.
    #[must_use]
    pub fn to_arrow(&self) -> Arrow {
        match self {
            Self::Null => Arrow::Null,
            Self::Boolean => Arrow::Boolean,
            Self::Byte => Arrow::Int8,
            Self::Short => Arrow::Int16,
            Self::Integer => Arrow::Int32,
            Self::Long => Arrow::Int64,
            Self::Float => Arrow::Float32,
            Self::Double => Arrow::Float64,
            Self::Decimal(precision, scale) => Arrow::Decimal128(*precision, *scale),
            Self::String | Self::Collated(_) | Self::Char(_) | Self::Varchar(_) => Arrow::Utf8,
            Self::Binary => Arrow::Binary,
            Self::Date => Arrow::Date32,
            Self::Timestamp => utc(),
            Self::TimestampNtz => Arrow::Timestamp(TimeUnit::Microsecond, None),
            Self::Time(_) => Arrow::Time64(TimeUnit::Microsecond),
            Self::YearMonthInterval(..) => Arrow::Interval(IntervalUnit::YearMonth),
            Self::DayTimeInterval(..) => Arrow::Duration(TimeUnit::Microsecond),
            Self::CalendarInterval => Arrow::Interval(IntervalUnit::MonthDayNano),
            Self::Array { element, contains_null } => {
                Arrow::List(Arc::new(element.to_arrow_field("element", *contains_null)))
            }
            Self::Map { key, value, value_contains_null } => {
                let entries = Fields::from(vec![
                    key.to_arrow_field("key", false),
                    value.to_arrow_field("value", *value_contains_null),
                ]);
                Arrow::Map(Arc::new(Field::new("entries", Arrow::Struct(entries), false)), false)
            }
            Self::Struct(fields) => {
                Arrow::Struct(fields.fields.iter().map(|field| Arc::new(field.to_arrow())).collect())
            }
            Self::Geometry(_) | Self::Geography(_) => {
                // Marked inside, because metadata of the value's own field does not survive every expression.
                let mark = HashMap::from([(TYPE_KEY.to_owned(), self.simple_string())]);
                Arrow::Struct(Fields::from(vec![
                    Field::new("srid", Arrow::Int32, false).with_metadata(mark),
                    Field::new("wkb", Arrow::Binary, true),
                ]))
            }
            Self::Variant => Arrow::Struct(Fields::from(vec![
                Field::new("value", Arrow::Binary, false),
                // The mark Spark Connect uses; being part of the type, it also travels between processes.
                Field::new("metadata", Arrow::Binary, false).with_metadata(variant_mark()),
            ])),
        }
    }

    /// An Arrow field of this type, with the metadata that [`DataType::from_arrow`] needs to read the type back.
    #[must_use]
    pub fn to_arrow_field(&self, name: &str, nullable: bool) -> Field {
        let field = Field::new(name, self.to_arrow(), nullable);
        match self.arrow_is_ambiguous() {
            true => field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), self.simple_string())])),
            false => field,
        }
    }

    fn arrow_is_ambiguous(&self) -> bool {
        match self {
            Self::Char(_) | Self::Varchar(_) => true,
            Self::Time(precision) => *precision != 6,
            Self::YearMonthInterval(start, end) => (*start, *end) != (YearMonthField::Year, YearMonthField::Month),
            Self::DayTimeInterval(start, end) => (*start, *end) != (DayTimeField::Day, DayTimeField::Second),
            _ => false,
        }
    }

    /// The Spark type of an Arrow field, also of fields that other software wrote.
    ///
    /// # Errors
    /// Arrow types that Spark has no type for.
    pub fn from_arrow(field: &Field) -> SparkResult<Self> {
        if let Some(declared) = field.metadata().get(TYPE_KEY).and_then(|text| Self::from_name(text)) {
            // Metadata of a renamed or computed column may linger; it counts only where it agrees with the data.
            if declared.to_arrow() == *field.data_type() {
                return Ok(declared);
            }
        }
        Self::from_arrow_type(field.data_type())
    }

    /// The Spark type of an Arrow type without metadata.
    ///
    /// # Errors
    /// Arrow types that Spark has no type for.
    pub fn from_arrow_type(arrow: &Arrow) -> SparkResult<Self> {
        Ok(match arrow {
            Arrow::Null => Self::Null,
            Arrow::Boolean => Self::Boolean,
            Arrow::Int8 => Self::Byte,
            Arrow::Int16 | Arrow::UInt8 => Self::Short,
            Arrow::Int32 | Arrow::UInt16 => Self::Integer,
            Arrow::Int64 | Arrow::UInt32 => Self::Long,
            Arrow::UInt64 => Self::Decimal(20, 0),
            Arrow::Float16 | Arrow::Float32 => Self::Float,
            Arrow::Float64 => Self::Double,
            Arrow::Decimal32(precision, scale)
            | Arrow::Decimal64(precision, scale)
            | Arrow::Decimal128(precision, scale) => Self::Decimal(*precision, *scale),
            Arrow::Decimal256(precision, scale) if *precision <= 38 => Self::Decimal(*precision, *scale),
            Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => Self::String,
            Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => Self::Binary,
            Arrow::Date32 | Arrow::Date64 => Self::Date,
            Arrow::Timestamp(_, Some(_)) => Self::Timestamp,
            Arrow::Timestamp(_, None) => Self::TimestampNtz,
            Arrow::Time32(_) | Arrow::Time64(_) => Self::Time(6),
            Arrow::Interval(IntervalUnit::YearMonth) => Self::year_month(),
            Arrow::Interval(IntervalUnit::DayTime) | Arrow::Duration(_) => Self::day_time(),
            Arrow::Interval(IntervalUnit::MonthDayNano) => Self::CalendarInterval,
            Arrow::List(field)
            | Arrow::LargeList(field)
            | Arrow::FixedSizeList(field, _)
            | Arrow::ListView(field)
            | Arrow::LargeListView(field) => Self::array(Self::from_arrow(field)?, field.is_nullable()),
            Arrow::Map(entries, _) => match entries.data_type() {
                Arrow::Struct(fields) => match fields.as_ref() {
                    [key, value] => Self::map(Self::from_arrow(key)?, Self::from_arrow(value)?, value.is_nullable()),
                    _ => return Err(unknown(arrow)),
                },
                _ => return Err(unknown(arrow)),
            },
            Arrow::Struct(fields) if is_variant(fields) => Self::Variant,
            Arrow::Struct(fields) if spatial(fields).is_some() => return spatial(fields).ok_or_else(|| unknown(arrow)),
            Arrow::Struct(fields) => Self::Struct(StructType::from_fields(fields)?),
            Arrow::Dictionary(_, values) => Self::from_arrow_type(values)?,
            Arrow::RunEndEncoded(_, values) => Self::from_arrow(values)?,
            Arrow::Decimal256(..) | Arrow::Union(..) => return Err(unknown(arrow)),
        })
    }
}

fn variant_mark() -> HashMap<String, String> {
    HashMap::from([("variant".to_owned(), "true".to_owned())])
}

fn is_variant(fields: &[FieldRef]) -> bool {
    let named = |name: &str| fields.iter().find(|field| field.name() == name);
    fields.len() == 2
        && named("value").is_some()
        && named("metadata").is_some_and(|field| field.metadata().get("variant").is_some_and(|mark| mark == "true"))
}

fn spatial(fields: &Fields) -> Option<DataType> {
    let marked = fields.first().filter(|_| fields.len() == 2)?.metadata().get(TYPE_KEY)?;
    DataType::from_name(marked).filter(DataType::is_spatial)
}

fn unknown(arrow: &Arrow) -> SparkError {
    SparkError::analysis("UNSUPPORTED_ARROWTYPE", &[("typeName", &arrow.to_string())])
}

impl StructField {
    /// The Arrow field of this field.
    #[must_use]
    pub fn to_arrow(&self) -> Field {
        let mut field = self.data_type.to_arrow_field(&self.name, self.nullable);
        if let Some(metadata) = &self.metadata {
            let mut all = field.metadata().clone();
            all.insert(COLUMN_METADATA_KEY.to_owned(), metadata.clone());
            field.set_metadata(all);
        }
        field
    }

    /// The Spark field of an Arrow field.
    ///
    /// # Errors
    /// Arrow types that Spark has no type for.
    pub fn from_arrow(field: &Field) -> SparkResult<Self> {
        Ok(Self {
            name: field.name().clone(),
            data_type: DataType::from_arrow(field)?,
            nullable: field.is_nullable(),
            metadata: field.metadata().get(COLUMN_METADATA_KEY).cloned(),
        })
    }
}

impl StructType {
    /// The Arrow schema of these columns.
    #[must_use]
    pub fn to_arrow_schema(&self) -> Schema {
        Schema::new(self.fields.iter().map(StructField::to_arrow).collect::<Vec<_>>())
    }

    /// The Spark columns of an Arrow schema.
    ///
    /// # Errors
    /// Arrow types that Spark has no type for.
    pub fn from_arrow(schema: &Schema) -> SparkResult<Self> {
        Self::from_fields(schema.fields())
    }

    /// The Spark columns of Arrow fields.
    ///
    /// # Errors
    /// Arrow types that Spark has no type for.
    pub fn from_fields(fields: &[FieldRef]) -> SparkResult<Self> {
        let fields = fields.iter().map(|field| StructField::from_arrow(field)).collect::<SparkResult<_>>()?;
        Ok(Self { fields })
    }
}
