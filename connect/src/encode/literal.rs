//! One value of an Arrow array as a literal of the protocol.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes as types;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::DataType;
use firesteel_proto::spark::connect as sc;
use sc::expression::literal::{self, LiteralType};

use super::data_type;

/// The value in a row, `NULL` when there is no such row.
///
/// # Errors
///
/// When the array does not carry the type, and for types without literals.
#[expect(deprecated, reason = "older clients read the types beside the elements")]
pub(crate) fn literal(array: &ArrayRef, row: usize, of: &DataType) -> SparkResult<sc::expression::Literal> {
    if array.len() <= row || array.is_null(row) || *of == DataType::Null {
        return Ok(plain(LiteralType::Null(data_type(of))));
    }
    let mismatch = || SparkError::internal(format!("{} is not carried as {}", of.sql(), array.data_type()));
    macro_rules! value {
        ($arrow:ty) => {
            array.as_primitive_opt::<$arrow>().ok_or_else(mismatch)?.value(row)
        };
    }
    Ok(plain(match of {
        DataType::Boolean => LiteralType::Boolean(array.as_boolean_opt().ok_or_else(mismatch)?.value(row)),
        DataType::Byte => LiteralType::Byte(i32::from(value!(types::Int8Type))),
        DataType::Short => LiteralType::Short(i32::from(value!(types::Int16Type))),
        DataType::Integer => LiteralType::Integer(value!(types::Int32Type)),
        DataType::Long => LiteralType::Long(value!(types::Int64Type)),
        DataType::Float => LiteralType::Float(value!(types::Float32Type)),
        DataType::Double => LiteralType::Double(value!(types::Float64Type)),
        DataType::Decimal(precision, scale) => LiteralType::Decimal(literal::Decimal {
            value: decimal_text(value!(types::Decimal128Type), *scale),
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
        }),
        DataType::String | DataType::Collated(_) | DataType::Char(_) | DataType::Varchar(_) => {
            LiteralType::String(array.as_string_opt::<i32>().ok_or_else(mismatch)?.value(row).to_string())
        }
        DataType::Binary => {
            let bytes = array.as_binary_opt::<i32>().ok_or_else(mismatch)?.value(row);
            LiteralType::Binary(bytes::Bytes::copy_from_slice(bytes))
        }
        DataType::Date => LiteralType::Date(value!(types::Date32Type)),
        DataType::Timestamp => LiteralType::Timestamp(value!(types::TimestampMicrosecondType)),
        DataType::TimestampNtz => LiteralType::TimestampNtz(value!(types::TimestampMicrosecondType)),
        DataType::DayTimeInterval(..) => LiteralType::DayTimeInterval(value!(types::DurationMicrosecondType)),
        DataType::YearMonthInterval(..) => LiteralType::YearMonthInterval(value!(types::IntervalYearMonthType)),
        DataType::Array { element, .. } => {
            let values = array.as_list_opt::<i32>().ok_or_else(mismatch)?.value(row);
            let elements = (0..values.len()).map(|row| literal(&values, row, element)).collect::<SparkResult<_>>()?;
            LiteralType::Array(literal::Array { element_type: Some(data_type(element)), elements })
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct_opt().ok_or_else(mismatch)?.columns();
            let fields = fields.fields.iter().zip(columns);
            let elements = fields.map(|(field, column)| literal(column, row, &field.data_type));
            LiteralType::Struct(literal::Struct {
                struct_type: Some(data_type(of)),
                elements: elements.collect::<SparkResult<_>>()?,
            })
        }
        other => return Err(SparkError::unsupported(format!("observed metrics of type {}", other.sql()))),
    }))
}

fn plain(kind: LiteralType) -> sc::expression::Literal {
    sc::expression::Literal { data_type: None, literal_type: Some(kind) }
}

fn decimal_text(unscaled: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    if scale == 0 {
        return unscaled.to_string();
    }
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if unscaled < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::decimal_text;

    #[test]
    fn decimals_keep_their_scale() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(12340, 3), "12.340");
        assert_eq!(decimal_text(7, 0), "7");
    }
}
