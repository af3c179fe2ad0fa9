//! Literals.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, DayTimeField, YearMonthField};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::Literal;
use sc::expression::literal::specialized_array::ValueType;
use sc::expression::literal::{self, LiteralType};

use super::{Decoder, data_type, invalid, number, unset};

impl Decoder<'_> {
    pub(super) fn literals(&self, from: Vec<sc::expression::Literal>) -> SparkResult<Vec<Literal>> {
        from.into_iter().map(|literal| self.literal(literal)).collect()
    }

    pub(super) fn literal(&self, from: sc::expression::Literal) -> SparkResult<Literal> {
        self.deeper(|| self.literal_kind(from))
    }

    fn literal_kind(&self, from: sc::expression::Literal) -> SparkResult<Literal> {
        let declared = from.data_type.as_ref().map(|declared| data_type(declared, self.language)).transpose()?;
        Ok(match from.literal_type.ok_or_else(|| unset("Expression.Literal", "literal_type"))? {
            LiteralType::Null(null) => Literal::Null(match declared {
                Some(declared) => declared,
                None => data_type(&null, self.language)?,
            }),
            LiteralType::Binary(bytes) => Literal::Binary(bytes.to_vec()),
            LiteralType::Boolean(value) => Literal::Boolean(value),
            LiteralType::Byte(value) => Literal::Byte(narrow(value, "BYTE")?),
            LiteralType::Short(value) => Literal::Short(narrow(value, "SHORT")?),
            LiteralType::Integer(value) => Literal::Integer(value),
            LiteralType::Long(value) => Literal::Long(value),
            LiteralType::Float(value) => Literal::Float(value),
            LiteralType::Double(value) => Literal::Double(value),
            LiteralType::Decimal(decimal) => decimal_literal(&decimal)?,
            LiteralType::String(value) => Literal::String(value),
            LiteralType::Date(days) => Literal::Date(days),
            LiteralType::Timestamp(micros) => Literal::Timestamp(micros),
            LiteralType::TimestampNtz(micros) => Literal::TimestampNtz(micros),
            LiteralType::CalendarInterval(interval) => Literal::CalendarInterval {
                months: interval.months,
                days: interval.days,
                micros: interval.microseconds,
            },
            LiteralType::YearMonthInterval(months) => match declared {
                Some(DataType::YearMonthInterval(start, end)) => Literal::YearMonthInterval(months, start, end),
                _ => Literal::YearMonthInterval(months, YearMonthField::Year, YearMonthField::Month),
            },
            LiteralType::DayTimeInterval(micros) => match declared {
                Some(DataType::DayTimeInterval(start, end)) => Literal::DayTimeInterval(micros, start, end),
                _ => Literal::DayTimeInterval(micros, DayTimeField::Day, DayTimeField::Second),
            },
            LiteralType::Array(array) => self.array(array, declared)?,
            LiteralType::SpecializedArray(array) => specialized(array)?,
            LiteralType::Map(map) => self.map(map, declared)?,
            LiteralType::Struct(fields) => self.structure(fields, declared)?,
            LiteralType::Time(time) => time_literal(&time)?,
            LiteralType::TimestampNtzNanos(_) => return Err(unsupported("TIMESTAMP_NTZ_NANOS")),
            LiteralType::TimestampLtzNanos(_) => return Err(unsupported("TIMESTAMP_LTZ_NANOS")),
        })
    }

    #[expect(deprecated, reason = "older clients send the types beside the elements")]
    fn array(&self, array: literal::Array, declared: Option<DataType>) -> SparkResult<Literal> {
        let elements = self.literals(array.elements)?;
        let element = match (declared, array.element_type) {
            (Some(DataType::Array { element, .. }), _) => *element,
            (_, Some(element)) => data_type(&element, self.language)?,
            _ => first_type(&elements).ok_or_else(|| invalid("ARRAY_LITERAL_MISSING_DATA_TYPE", &[]))?,
        };
        Ok(Literal::Array(element, elements))
    }

    #[expect(deprecated, reason = "older clients send the types beside the elements")]
    fn map(&self, map: literal::Map, declared: Option<DataType>) -> SparkResult<Literal> {
        let (keys, values) = (self.literals(map.keys)?, self.literals(map.values)?);
        let bad = || invalid("MAP_LITERAL_MISSING_DATA_TYPE", &[]);
        if keys.len() != values.len() {
            return Err(invalid("ASSERTION_FAILURE", &[("message", "a map literal needs as many keys as values")]));
        }
        let (key, value) = match (declared, map.key_type, map.value_type) {
            (Some(DataType::Map { key, value, .. }), _, _) => (*key, *value),
            (_, Some(key), Some(value)) => (data_type(&key, self.language)?, data_type(&value, self.language)?),
            _ => (first_type(&keys).ok_or_else(bad)?, first_type(&values).ok_or_else(bad)?),
        };
        Ok(Literal::Map(key, value, keys.into_iter().zip(values).collect()))
    }

    #[expect(deprecated, reason = "older clients send the type beside the elements")]
    fn structure(&self, from: literal::Struct, declared: Option<DataType>) -> SparkResult<Literal> {
        let elements = self.literals(from.elements)?;
        let declared = match (declared, from.struct_type) {
            (Some(declared), _) => declared,
            (None, Some(declared)) => data_type(&declared, self.language)?,
            (None, None) => return Err(invalid("STRUCT_LITERAL_MISSING_DATA_TYPE", &[])),
        };
        match &declared {
            DataType::Struct(fields) if fields.fields.len() == elements.len() => {
                Ok(Literal::Struct(declared, elements))
            }
            _ => Err(invalid("ASSERTION_FAILURE", &[("message", "a struct literal needs a value for every field")])),
        }
    }
}

fn narrow<T: TryFrom<i32>>(value: i32, name: &str) -> SparkResult<T> {
    T::try_from(value)
        .map_err(|_| invalid("ASSERTION_FAILURE", &[("message", &format!("{value} is not a {name} literal"))]))
}

fn decimal_literal(decimal: &literal::Decimal) -> SparkResult<Literal> {
    let bad = || invalid("ASSERTION_FAILURE", &[("message", &format!("'{}' is not a decimal literal", decimal.value))]);
    let (value, precision, scale) = number::decimal(&decimal.value).ok_or_else(bad)?;
    // Python's client always says DECIMAL(10,0), whatever the number is.
    if (decimal.precision, decimal.scale) == (Some(10), Some(0)) {
        return Ok(Literal::Decimal { value, precision, scale });
    }
    let to_scale = decimal.scale.map_or(Ok(scale), i8::try_from).map_err(|_| bad())?;
    let natural = i16::from(precision) - i16::from(scale) + i16::from(to_scale);
    let to_precision = decimal.precision.unwrap_or(i32::from(natural.max(1)));
    let to_precision = u8::try_from(to_precision).ok().filter(|p| (1..=38).contains(p)).ok_or_else(bad)?;
    let value = number::rescale(value, scale, to_precision, to_scale).ok_or_else(bad)?;
    Ok(Literal::Decimal { value, precision: to_precision, scale: to_scale })
}

fn time_literal(time: &literal::Time) -> SparkResult<Literal> {
    let precision = u8::try_from(time.precision.unwrap_or(6)).ok().filter(|precision| *precision <= 6);
    match precision {
        Some(precision) if time.nano % 1000 == 0 => Ok(Literal::Time(time.nano / 1000, precision)),
        _ => Err(unsupported("TIME with nanoseconds")),
    }
}

fn specialized(array: literal::SpecializedArray) -> SparkResult<Literal> {
    Ok(match array.value_type.ok_or_else(|| invalid("ARRAY_LITERAL_NOT_SET", &[]))? {
        ValueType::Bools(v) => Literal::Array(DataType::Boolean, v.values.into_iter().map(Literal::Boolean).collect()),
        ValueType::Ints(v) => Literal::Array(DataType::Integer, v.values.into_iter().map(Literal::Integer).collect()),
        ValueType::Longs(v) => Literal::Array(DataType::Long, v.values.into_iter().map(Literal::Long).collect()),
        ValueType::Floats(v) => Literal::Array(DataType::Float, v.values.into_iter().map(Literal::Float).collect()),
        ValueType::Doubles(v) => Literal::Array(DataType::Double, v.values.into_iter().map(Literal::Double).collect()),
        ValueType::Strings(v) => Literal::Array(DataType::String, v.values.into_iter().map(Literal::String).collect()),
    })
}

fn unsupported(name: &str) -> SparkError {
    invalid("UNSUPPORTED_LITERAL_TYPE", &[("typeInfo", name)])
}

fn first_type(literals: &[Literal]) -> Option<DataType> {
    literals
        .iter()
        .map(literal_type)
        .find(|found| *found != DataType::Null)
        .or_else(|| literals.first().map(literal_type))
}

/// The type of a literal.
pub(crate) fn literal_type(literal: &Literal) -> DataType {
    match literal {
        Literal::Null(data_type) | Literal::Struct(data_type, _) => data_type.clone(),
        Literal::Boolean(_) => DataType::Boolean,
        Literal::Byte(_) => DataType::Byte,
        Literal::Short(_) => DataType::Short,
        Literal::Integer(_) => DataType::Integer,
        Literal::Long(_) => DataType::Long,
        Literal::Float(_) => DataType::Float,
        Literal::Double(_) => DataType::Double,
        Literal::Decimal { precision, scale, .. } => DataType::Decimal(*precision, *scale),
        Literal::String(_) => DataType::String,
        Literal::Binary(_) => DataType::Binary,
        Literal::Date(_) => DataType::Date,
        Literal::Timestamp(_) => DataType::Timestamp,
        Literal::TimestampNtz(_) => DataType::TimestampNtz,
        Literal::Time(_, precision) => DataType::Time(*precision),
        Literal::YearMonthInterval(_, start, end) => DataType::YearMonthInterval(*start, *end),
        Literal::DayTimeInterval(_, start, end) => DataType::DayTimeInterval(*start, *end),
        Literal::CalendarInterval { .. } => DataType::CalendarInterval,
        Literal::Array(element, values) => DataType::Array {
            element: Box::new(element.clone()),
            contains_null: values.iter().any(|value| matches!(value, Literal::Null(_))),
        },
        Literal::Map(key, value, entries) => DataType::Map {
            key: Box::new(key.clone()),
            value: Box::new(value.clone()),
            value_contains_null: entries.iter().any(|(_, value)| matches!(value, Literal::Null(_))),
        },
    }
}
