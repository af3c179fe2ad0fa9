//! A value as the SQL text of a literal.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::DataType;

use crate::session::Session;
use crate::spec::{Expr, Origin};

/// The literal that means the value of an expression without columns.
///
/// # Errors
/// `UNSUPPORTED_EXPR_FOR_PARAMETER` for what has no fixed value.
pub(super) async fn render(session: &Arc<Session>, expr: &Expr) -> SparkResult<String> {
    let (data_type, value) = match session.evaluate(expr, None).await {
        Err(error) if error.condition() == "UNSUPPORTED_FEATURE.NOT_IMPLEMENTED" => return Err(refused(expr)),
        outcome => outcome?,
    };
    if value.is_null() {
        return Ok(match &data_type {
            DataType::Null => "NULL".to_string(),
            other => format!("CAST(NULL AS {})", other.sql()),
        });
    }
    if let (DataType::String, ScalarValue::Utf8(Some(text))) = (&data_type, &value) {
        return Ok(quoted(text, session.parse_options().escaped_string_literals));
    }
    if let ScalarValue::Binary(Some(bytes)) = &value {
        return Ok(format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()));
    }
    // Arrays, maps and structs are written as they were given.
    if !data_type.is_atomic() {
        return source(expr).map(|text| format!("({text})")).ok_or_else(|| refused(expr));
    }
    let text = session.evaluate_text(expr).await?.unwrap_or_default();
    Ok(match &data_type {
        DataType::Byte => format!("{text}Y"),
        DataType::Short => format!("{text}S"),
        DataType::Integer | DataType::Boolean => text,
        DataType::Long => format!("{text}L"),
        DataType::Decimal { .. } => format!("{text}BD"),
        DataType::Float if text.parse::<f32>().is_ok_and(f32::is_finite) => format!("{text}F"),
        DataType::Double if text.parse::<f64>().is_ok_and(f64::is_finite) => format!("{text}D"),
        DataType::Date => format!("DATE '{text}'"),
        DataType::Timestamp => format!("TIMESTAMP_LTZ '{text}'"),
        DataType::TimestampNtz => format!("TIMESTAMP_NTZ '{text}'"),
        DataType::Time(_) => format!("TIME '{text}'"),
        DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..) => text,
        other => format!("CAST('{text}' AS {})", other.sql()),
    })
}

/// A value that a parameter cannot have.
pub(super) fn refused(expr: &Expr) -> SparkError {
    let text = source(expr).unwrap_or_default();
    SparkError::analysis("UNSUPPORTED_EXPR_FOR_PARAMETER", &[("invalidExprSql", &format!("\"{text}\""))])
}

fn quoted(text: &str, raw: bool) -> String {
    if raw {
        return format!("'{}'", text.replace('\'', "''"));
    }
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn source(expr: &Expr) -> Option<String> {
    let Some(Origin::Sql { start, stop, text }) = &expr.origin else { return None };
    let (start, stop) = (*start as usize, *stop as usize);
    Some(text.chars().skip(start).take(stop.checked_sub(start)? + 1).collect())
}
