//! Facts from Spark 4.3.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StringArray};
use arrow::datatypes::{DataType as Arrow, Float64Type};
use datafusion::scalar::ScalarValue;

use super::*;
use crate::error::ErrorKind;
use crate::types::{StructField, StructType};

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Casts one text to a type, then that value to another type, and shows it.
fn chain(value: &str, types: &[DataType], mode: CastMode) -> SparkResult<Option<String>> {
    let zone = Zone::parse("America/Los_Angeles")?;
    let mut array = text(&[Some(value)]);
    let mut from = &DataType::String;
    for to in types {
        array = cast_array(&array, from, to, mode, &zone)?;
        assert_eq!(array.data_type(), &to.to_arrow());
        from = to;
    }
    let shown = crate::display::cast_to_string(&array, from, &zone)?;
    Ok((!array.is_null(0)).then(|| shown.value(0).to_owned()))
}

fn ansi(value: &str, types: &[DataType]) -> String {
    chain(value, types, CastMode::Ansi).unwrap().unwrap()
}

#[test]
fn strings_become_values() {
    use DataType as T;
    assert_eq!(ansi(" 12 ", &[T::Integer]), "12");
    assert_eq!(ansi("1.005", &[T::Decimal(10, 2)]), "1.01");
    assert_eq!(ansi("-1.5e2", &[T::Decimal(10, 1)]), "-150.0");
    assert_eq!(ansi("1d", &[T::Double]), "1.0");
    assert_eq!(ansi("-inf", &[T::Double]), "-Infinity");
    assert_eq!(ansi("yes", &[T::Boolean]), "true");
    assert_eq!(ansi("2020-1-1", &[T::Date]), "2020-01-01");
    assert_eq!(ansi("2020", &[T::Date]), "2020-01-01");
    assert_eq!(ansi("2020-01-01T00:00:00", &[T::Timestamp]), "2020-01-01 00:00:00");
    assert_eq!(ansi("2020-01-01 00:00:00Z", &[T::Timestamp]), "2019-12-31 16:00:00");
    assert_eq!(ansi("2020-01-01 00:00:00+05:00", &[T::Timestamp]), "2019-12-31 11:00:00");
    assert_eq!(ansi("2020-01-01 00:00:00Z", &[T::TimestampNtz]), "2020-01-01 00:00:00");
    assert_eq!(ansi("2020-01-01 00:00:00.1200", &[T::Timestamp, T::TimestampNtz]), "2020-01-01 00:00:00.12");
    assert_eq!(ansi("1-2", &[T::year_month()]), "INTERVAL '1-2' YEAR TO MONTH");
    assert_eq!(ansi("1 02:03:04.5", &[T::day_time()]), "INTERVAL '1 02:03:04.5' DAY TO SECOND");
    assert_eq!(ansi("ab", &[T::Char(4)]), "ab  ");
}

#[test]
fn values_become_other_values() {
    use DataType as T;
    assert_eq!(ansi("2.5", &[T::Decimal(2, 1), T::Integer]), "2");
    assert_eq!(ansi("-2.5", &[T::Decimal(2, 1), T::Integer]), "-2");
    assert_eq!(ansi("1.5", &[T::Double, T::Timestamp, T::Double]), "1.5");
    assert_eq!(ansi("1969-12-31 23:59:59.5Z", &[T::Timestamp, T::Long]), "-1");
    assert_eq!(ansi("2020-01-01", &[T::Date, T::Timestamp]), "2020-01-01 00:00:00");
    assert_eq!(ansi("1.1", &[T::Float, T::Decimal(20, 10)]), "1.1000000238");
    assert_eq!(ansi("1e7", &[T::Double]), "1.0E7");
    assert_eq!(chain("300", &[T::Integer, T::Byte], CastMode::Legacy).unwrap().as_deref(), Some("44"));
    assert_eq!(chain("1e20", &[T::Double, T::Integer], CastMode::Legacy).unwrap().as_deref(), Some("2147483647"));
    assert_eq!(chain("1.5", &[T::Integer], CastMode::Legacy).unwrap().as_deref(), Some("1"));
    assert_eq!(chain("x", &[T::Integer], CastMode::Try).unwrap(), None);
}

#[test]
fn failures_carry_sparks_condition_and_class() {
    use DataType as T;
    let error = |value: &str, types: &[DataType]| chain(value, types, CastMode::Ansi).unwrap_err();
    let abc = error("abc", &[T::Integer]);
    assert_eq!((abc.condition(), abc.kind()), ("CAST_INVALID_INPUT", ErrorKind::NumberFormat));
    assert!(abc.message().starts_with("The value 'abc' of the type \"STRING\" cannot be cast to \"INT\" because"));
    assert_eq!(error("1.5", &[T::Integer]).condition(), "CAST_INVALID_INPUT");
    assert_eq!(error("2020-13-01", &[T::Date]).kind(), ErrorKind::DateTime);
    assert_eq!(error("2020-01-01 25:00:00", &[T::Timestamp]).kind(), ErrorKind::DateTime);
    assert_eq!(error("x", &[T::Boolean]).kind(), ErrorKind::Runtime);
    let overflow = error("300", &[T::Integer, T::Byte]);
    assert!(overflow.message().starts_with("The value 300 of the type \"INT\" cannot be cast to \"TINYINT\""));
    assert!(error("1e20", &[T::Double, T::Integer]).message().starts_with("The value 1.0E20D of the type \"DOUBLE\""));
    let decimal = error("12345.678", &[T::Decimal(8, 3), T::Decimal(5, 2)]);
    assert!(decimal.message().trim().starts_with("12345.678 cannot be represented as Decimal(5, 2)."));
    assert_eq!(error("abc", &[T::Varchar(2)]).condition(), "EXCEED_LIMIT_LENGTH");
}

#[test]
fn nested_values_print_as_spark_prints_them() {
    let list = ScalarValue::List(ScalarValue::new_list_nullable(
        &[ScalarValue::Int32(Some(1)), ScalarValue::Int32(None), ScalarValue::Int32(Some(3))],
        &arrow::datatypes::DataType::Int32,
    ));
    let array = list.to_array().unwrap();
    let from = DataType::array(DataType::Integer, true);
    let to = DataType::array(DataType::String, true);
    let zone = Zone::UTC;
    assert_eq!(crate::display::cast_to_string(&array, &from, &zone).unwrap().value(0), "[1, null, 3]");
    assert_eq!(crate::display::show_string(&array, &from, &zone).unwrap().value(0), "[1, NULL, 3]");
    let cast = cast_array(&array, &from, &to, CastMode::Ansi, &zone).unwrap();
    assert_eq!(cast.data_type(), &to.to_arrow());
    assert_eq!(crate::display::show_string(&cast, &to, &zone).unwrap().value(0), "[1, NULL, 3]");
}

#[test]
fn rules_follow_spark() {
    use DataType as T;
    assert!(!can_cast(&T::Date, &T::Integer, CastMode::Ansi));
    assert!(can_cast(&T::Date, &T::Integer, CastMode::Legacy));
    assert!(can_up_cast(&T::Integer, &T::Decimal(10, 0)) && !can_up_cast(&T::Long, &T::Integer));
    assert!(can_store_assign(&T::Long, &T::Integer, "ANSI") && !can_store_assign(&T::String, &T::Integer, "ANSI"));
    let strukt = |t: T| T::Struct(StructType::new(vec![StructField::new("a", t, true)]));
    assert!(can_cast(&strukt(T::Integer), &strukt(T::String), CastMode::Ansi));
}

#[test]
fn ambiguous_types_travel_in_the_plan() {
    let from = DataType::DayTimeInterval(crate::types::DayTimeField::Day, crate::types::DayTimeField::Hour);
    let value = ScalarValue::DurationMicrosecond(Some(26 * 3_600_000_000));
    let expr = cast_expr_from(Expr::Literal(value, None), &from, &DataType::String, CastMode::Ansi);
    let state = datafusion::prelude::SessionContext::new();
    let schema = datafusion::common::DFSchema::empty();
    let physical = state.create_physical_expr(expr, &schema).unwrap();
    let batch = arrow::array::RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
    let result = physical.evaluate(&batch).unwrap().into_array(1).unwrap();
    assert_eq!(strings(&result).unwrap().value(0), "INTERVAL '1 02' DAY TO HOUR");
}

#[test]
fn doubles_fit_whole_numbers_up_to_the_last_fraction() {
    for (to, low, high) in [
        (DataType::Byte, -128.0, 128.0),
        (DataType::Short, -32_768.0, 32_768.0),
        (DataType::Integer, -2_147_483_648.0, 2_147_483_648.0_f64),
    ] {
        let near = |bound: f64| [bound, bound.next_up(), bound.next_down(), bound + 0.5, bound - 0.5];
        let bounds = [low, high, low - 1.0, high - 1.0, 0.0, f64::MAX, f64::MIN, f64::INFINITY, f64::NAN];
        for value in bounds.into_iter().flat_map(near) {
            let array: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(1e300), Some(1.5), None, Some(value)]));
            let array = array.slice(2, 3);
            let run = |mode| cast_array(&array, &DataType::Double, &to, mode, &Zone::UTC);
            let fits = value.ceil() >= low && value.floor() < high;
            assert_eq!(run(CastMode::Ansi).is_ok(), fits, "{value}");
            let found = arrow::compute::cast(&run(CastMode::Try).unwrap(), &Arrow::Float64).unwrap();
            let wanted = Float64Array::from(vec![Some(1.0), None, fits.then(|| value.trunc() + 0.0)]);
            assert_eq!(found.as_primitive::<Float64Type>(), &wanted, "{value}");
        }
    }
}
