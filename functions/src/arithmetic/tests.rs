//! Facts from Spark 4.3.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::DFSchema;
use datafusion::prelude::SessionContext;

use super::*;
use crate::display::cast_to_string;
use crate::error::SparkResult;
use crate::time::Zone;

fn evaluate(expr: Expr) -> SparkResult<ArrayRef> {
    let schema = DFSchema::empty();
    let physical = SessionContext::new().create_physical_expr(expr, &schema)?;
    let batch = arrow::array::RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
    Ok(physical.evaluate(&batch)?.into_array(1)?)
}

fn lit(text: &str, data_type: &DataType) -> Expr {
    let array: ArrayRef = Arc::new(arrow::array::StringArray::from(vec![text]));
    let array = crate::cast::cast_array(&array, &DataType::String, data_type, CastMode::Ansi, &Zone::UTC).unwrap();
    Expr::Literal(ScalarValue::try_from_array(&array, 0).unwrap(), None)
}

fn run(op: Op, l: (&str, DataType), r: (&str, DataType), ansi: bool) -> SparkResult<(String, String)> {
    let options = SparkOptions { ansi, ..SparkOptions::default() };
    let mode = session_mode(&options);
    let (expr, data_type) = binary(op, (lit(l.0, &l.1), &l.1), (lit(r.0, &r.1), &r.1), mode, &options)?;
    let array = evaluate(expr)?;
    assert_eq!(array.data_type(), &data_type.to_arrow());
    let shown = match array.is_null(0) {
        true => "NULL".to_owned(),
        false => cast_to_string(&array, &data_type, &Zone::UTC)?.value(0).to_owned(),
    };
    Ok((shown, data_type.simple_string()))
}

fn check(op: Op, l: (&str, DataType), r: (&str, DataType), value: &str, data_type: &str) {
    assert_eq!(run(op, l, r, true).unwrap(), (value.to_owned(), data_type.to_owned()));
}

use DataType::{Date, Decimal, Double, Integer, Long, Short, String as Text, Timestamp};

#[test]
fn decimals_have_sparks_types_and_values() {
    check(Op::Add, ("1.10", Decimal(3, 2)), ("2.2", Decimal(2, 1)), "3.30", "decimal(4,2)");
    check(Op::Multiply, ("1.10", Decimal(3, 2)), ("2.2", Decimal(2, 1)), "2.420", "decimal(6,3)");
    check(Op::Divide, ("1.0", Decimal(2, 1)), ("3", Integer), "0.333333", "decimal(7,6)");
    check(Op::Remainder, ("10.0", Decimal(3, 1)), ("3.3", Decimal(2, 1)), "0.1", "decimal(2,1)");
    check(Op::Subtract, ("1.23", Decimal(3, 2)), ("4", Integer), "-2.77", "decimal(4,2)");
    check(Op::Multiply, ("1", Decimal(38, 10)), ("1", Decimal(38, 10)), "1.000000", "decimal(38,6)");
    check(Op::Divide, ("1", Decimal(38, 18)), ("3", Decimal(38, 18)), "0.333333", "decimal(38,6)");
    let nines = "99999999999999999999999999999999999999";
    let error = run(Op::Add, (nines, Decimal(38, 0)), ("1", Integer), true).unwrap_err();
    assert!(
        error
            .message()
            .trim()
            .starts_with("100000000000000000000000000000000000000 cannot be represented as Decimal(38, 0)")
    );
    assert_eq!(run(Op::Add, (nines, Decimal(38, 0)), ("1", Integer), false).unwrap().0, "NULL");
}

#[test]
fn whole_numbers_overflow_and_divide_as_in_spark() {
    check(Op::Divide, ("1", Integer), ("2", Integer), "0.5", "double");
    check(Op::IntDivide, ("-7", Integer), ("2", Integer), "-3", "bigint");
    check(Op::Remainder, ("-7", Integer), ("3", Integer), "-1", "int");
    check(Op::Pmod, ("-7", Integer), ("3", Integer), "2", "int");
    check(Op::Add, ("1", Text), ("1", Integer), "2", "bigint");
    let error = |op, l, r| run(op, l, r, true).unwrap_err();
    assert_eq!(error(Op::Divide, ("1", Integer), ("0", Integer)).condition(), "DIVIDE_BY_ZERO");
    assert_eq!(error(Op::Divide, ("1", Double), ("0", Integer)).condition(), "DIVIDE_BY_ZERO");
    assert_eq!(error(Op::Divide, ("1", Decimal(2, 1)), ("0", Integer)).condition(), "DIVIDE_BY_ZERO");
    assert_eq!(error(Op::Remainder, ("1", Integer), ("0", Integer)).condition(), "REMAINDER_BY_ZERO");
    assert!(
        error(Op::Add, ("2147483647", Integer), ("1", Integer)).message().starts_with("overflow. Use 'try_add' to")
    );
    assert_eq!(
        error(Op::Add, ("32767", Short), ("1", Short)).message(),
        "32767S + 1S caused overflow. Use `try_add` to ignore overflow problem and return NULL."
    );
    assert_eq!(run(Op::Add, ("2147483647", Integer), ("1", Integer), false).unwrap().0, "-2147483648");
    assert_eq!(run(Op::Divide, ("1", Integer), ("0", Integer), false).unwrap().0, "NULL");
    assert_eq!(run(Op::Add, ("a", Text), ("1", Integer), true).unwrap_err().condition(), "CAST_INVALID_INPUT");
    assert_eq!(run(Op::Add, ("1", Text), ("1", Integer), false).unwrap(), ("2.0".into(), "double".into()));
    assert_eq!(
        negative((lit("-2147483648", &Integer), &Integer), &SparkOptions::default())
            .and_then(|(e, _)| evaluate(e))
            .unwrap_err()
            .condition(),
        "ARITHMETIC_OVERFLOW"
    );
    check(Op::Multiply, ("3", Long), ("4", Integer), "12", "bigint");
}

#[test]
fn dates_and_intervals_meet_on_the_calendar() {
    let month = DataType::YearMonthInterval(crate::types::YearMonthField::Month, crate::types::YearMonthField::Month);
    let day = DataType::DayTimeInterval(crate::types::DayTimeField::Day, crate::types::DayTimeField::Day);
    check(Op::Add, ("2020-01-31", Date), ("1", month), "2020-02-29", "date");
    check(Op::Add, ("2020-01-31", Date), ("1", Integer), "2020-02-01", "date");
    check(Op::Subtract, ("2020-01-02", Date), ("2020-01-01", Date), "INTERVAL '1' DAY", "interval day");
    let spans = ("2020-01-02 00:00:00", Timestamp);
    check(
        Op::Subtract,
        spans,
        ("2020-01-01 00:00:00", Timestamp),
        "INTERVAL '1 00:00:00' DAY TO SECOND",
        "interval day to second",
    );
    check(
        Op::Multiply,
        ("1", day.clone()),
        ("1.5", Decimal(2, 1)),
        "INTERVAL '1 12:00:00' DAY TO SECOND",
        "interval day to second",
    );
    check(
        Op::Divide,
        ("1", day.clone()),
        ("2", Integer),
        "INTERVAL '0 12:00:00' DAY TO SECOND",
        "interval day to second",
    );
    let error = run(Op::Divide, ("1", day), ("0", Integer), true).unwrap_err();
    assert_eq!(error.condition(), "INTERVAL_DIVIDED_BY_ZERO");
}

#[test]
fn floats_compare_as_in_spark() {
    let nan = || Expr::Literal(ScalarValue::Float64(Some(-f64::NAN)), None);
    let zero = |v: f64| Expr::Literal(ScalarValue::Float64(Some(v)), None);
    let holds = |expr| {
        evaluate(expr).unwrap().as_ref() == &arrow::array::BooleanArray::from(vec![true]) as &dyn arrow::array::Array
    };
    let double = arrow::datatypes::DataType::Float64;
    assert!(holds(compare(Operator::Eq, nan(), zero(f64::NAN), &double)));
    assert!(holds(compare(Operator::Gt, nan(), zero(f64::INFINITY), &double)));
    assert!(holds(compare(Operator::Eq, zero(-0.0), zero(0.0), &double)));
}

#[test]
fn tpch_prices_stay_on_plain_operators() {
    let column = || datafusion::prelude::col("x");
    let price = Decimal(15, 2);
    let options = SparkOptions::default();
    let (less, less_type) = subtract((lit("1", &Integer), &Integer), (column(), &price), &options).unwrap();
    let (product, product_type) = multiply((column(), &price), (less, &less_type), &options).unwrap();
    assert_eq!((less_type, product_type), (Decimal(16, 2), Decimal(32, 4)));
    assert!(matches!(product, Expr::BinaryExpr(_)));
}
