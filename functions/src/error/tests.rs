//! What clients see of an error, and its way through wrappers and text.

use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use super::*;

fn context(sql: &str, part: &str) -> QueryContext {
    let start = sql.find(part).unwrap() as u32;
    QueryContext::Sql { start, stop: start + part.len() as u32 - 1, text: Arc::from(sql) }
}

#[test]
fn a_division_by_zero_reads_as_spark_prints_it() {
    let error = SparkError::divide_by_zero().with_context(context("select 1/0", "1/0"));
    assert_eq!(
        error.full_message(),
        "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If \
         necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22012\n\
         == SQL (line 1, position 8) ==\nselect 1/0\n       ^^^\n"
    );
    assert_eq!(
        error.java_classes()[..2],
        ["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"]
    );
}

#[test]
fn a_subclass_message_follows_the_main_message() {
    let error = SparkError::decimal_out_of_range("12345.678", 5, 2);
    assert!(error.to_string().starts_with(
        "[NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION]  12345.678 cannot be represented as Decimal(5, 2). If necessary"
    ));
    assert_eq!(error.sqlstate(), Some("22003"));
}

#[test]
fn an_error_survives_every_kind_of_wrapping() {
    let error = SparkError::divide_by_zero().with_context(context("select 'a\"\n' + 1/0", "1/0"));
    let wrapped =
        DataFusionError::Context("a".into(), Box::new(DataFusionError::Shared(Arc::new(error.clone().into()))));
    assert_eq!(SparkError::recover(&wrapped), Some(error.clone()));
    let arrow = DataFusionError::from(ArrowError::ExternalError(Box::new(DataFusionError::from(error.clone()))));
    assert_eq!(SparkError::recover(&arrow), Some(error.clone()));
    let arrow = DataFusionError::ArrowError(Box::new(error.clone().into()), None);
    assert_eq!(SparkError::recover(&arrow), Some(error.clone()));
    for text in [format!("job failed: {wrapped}!"), format!("{wrapped:?}"), format!("{:?}", format!("{wrapped:?}"))] {
        assert_eq!(SparkError::recover_text(&text), Some(error.clone()));
    }
    let text = DataFusionError::Execution(format!("task 1 failed: {wrapped}"));
    assert_eq!(from_datafusion(text), error);
    assert!(!error.to_string().contains("spark-error"));
}
