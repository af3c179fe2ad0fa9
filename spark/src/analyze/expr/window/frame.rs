//! Frames of windows: Spark's defaults, its texts, and what it refuses.

use std::cmp::Ordering;

use datafusion::logical_expr::{WindowFrame, WindowFrameBound, WindowFrameUnits};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, DayTimeField};
use firesteel_functions::{SparkError, SparkResult};

use super::super::{Exprs, naming};
use crate::analyze::{errors, fold};
use crate::spec::{self, FrameBound, WindowSpec};

/// A frame and its text.
pub(super) struct Frame {
    pub(super) frame: WindowFrame,
    pub(super) text: String,
}

impl Exprs<'_, '_> {
    /// The frame a window says, or its default.
    pub(super) fn frame(&self, spec: &WindowSpec, order: &[&DataType], order_texts: &[String]) -> SparkResult<Frame> {
        let unordered = order.is_empty();
        let key = match order {
            [only] => Some(*only),
            _ => None,
        };
        let unbounded = || WindowFrameBound::Preceding(ScalarValue::UInt64(None));
        let Some(frame) = &spec.frame else {
            return Ok(if unordered {
                let frame = rows(unbounded(), WindowFrameBound::Following(ScalarValue::UInt64(None)));
                Frame { frame, text: "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_string() }
            } else {
                let frame = peers(order, WindowFrameBound::Preceding(ScalarValue::Null), WindowFrameBound::CurrentRow);
                Frame { frame, text: "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string() }
            });
        };
        let (lower, lower_text) = self.bound(&frame.lower, frame.rows, key)?;
        let (upper, upper_text) = self.bound(&frame.upper, frame.rows, key)?;
        let word = if frame.rows { "ROWS" } else { "RANGE" };
        let text = format!("{word} BETWEEN {lower_text} AND {upper_text}");
        let shown = format!("({text})");
        // The frame is judged by itself first, then with the order.
        let last = matches!(frame.lower, FrameBound::UnboundedFollowing);
        if last || matches!(frame.upper, FrameBound::UnboundedPreceding) {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND",
                &[("sqlExpr", &errors::expression(&shown)), ("upper", &upper_text), ("lower", &lower_text)],
            ));
        }
        if is_after(&lower, &upper) {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON",
                &[("sqlExpr", &errors::expression(&shown)), ("comparison", "less than or equal")],
            ));
        }
        if !frame.rows && unordered && !(lower.is_unbounded() && upper.is_unbounded()) {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER",
                &[("sqlExpr", &errors::expression(&format!("({text})")))],
            ));
        }
        let by_value = |bound: &WindowFrameBound| !bound.is_unbounded() && *bound != WindowFrameBound::CurrentRow;
        if !frame.rows && order.len() > 1 && (by_value(&lower) || by_value(&upper)) {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER",
                &[("sqlExpr", &errors::expression(&shown)), ("orderSpec", &order_texts.join(","))],
            ));
        }
        let frame = if frame.rows {
            rows(lower, upper)
        } else if unordered {
            rows(unbounded(), WindowFrameBound::Following(ScalarValue::UInt64(None)))
        } else {
            peers(order, lower, upper)
        };
        Ok(Frame { frame, text })
    }

    fn bound(&self, bound: &FrameBound, rows: bool, key: Option<&DataType>) -> SparkResult<(WindowFrameBound, String)> {
        let unbounded = if rows { ScalarValue::UInt64(None) } else { ScalarValue::Null };
        Ok(match bound {
            FrameBound::UnboundedPreceding => (WindowFrameBound::Preceding(unbounded), naming::bound(bound, None)),
            FrameBound::UnboundedFollowing => (WindowFrameBound::Following(unbounded), naming::bound(bound, None)),
            FrameBound::CurrentRow => (WindowFrameBound::CurrentRow, naming::bound(bound, None)),
            FrameBound::Offset(offset) => {
                let mut typed = self.resolve(offset)?;
                let mut text = naming::bound(bound, Some(&typed.name));
                let countable = match key {
                    _ if rows => typed.data_type.is_integral(),
                    Some(key) => key.is_numeric() || key.is_datetime() || key.is_ansi_interval(),
                    None => true,
                };
                let fits = match key {
                    Some(DataType::Timestamp | DataType::TimestampNtz) => {
                        typed.data_type.is_ansi_interval() || typed.data_type == DataType::CalendarInterval
                    }
                    Some(DataType::Date) => matches!(
                        typed.data_type,
                        DataType::Integer
                            | DataType::YearMonthInterval(..)
                            | DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Day)
                    ),
                    Some(DataType::Binary) => false,
                    _ => true,
                };
                if let (false, false, Some(key)) = (rows, fits, key) {
                    return Err(SparkError::analysis(
                        "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE",
                        &[
                            ("sqlExpr", &errors::expression(&text)),
                            ("orderSpecType", &errors::sql_type(key)),
                            ("valueBoundaryType", &errors::sql_type(&typed.data_type)),
                        ],
                    ));
                }
                if !countable {
                    let wanted = if rows { "\"INT\"" } else { "(\"NUMERIC\" or \"INTERVAL\")" };
                    let found = if rows { &typed.data_type } else { key.unwrap_or(&typed.data_type) };
                    return Err(SparkError::analysis(
                        "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
                        &[
                            ("sqlExpr", &errors::expression(&text)),
                            ("location", "lower"),
                            ("exprType", &errors::sql_type(found)),
                            ("expectedType", wanted),
                        ],
                    ));
                }
                if !rows
                    && let Some(key) = key
                    && key.is_numeric()
                {
                    if *key != typed.data_type {
                        // The cast hides the minus sign from what would print it as PRECEDING.
                        text = format!("{} FOLLOWING", typed.name);
                    }
                    typed = self.analyzer.coerce(typed, key)?;
                }
                if !fold::is_constant(&typed.expr) {
                    return Err(SparkError::analysis("INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND", &[]));
                }
                let value = self.analyzer.fold(&typed.expr)?;
                let value = if rows { value } else { range_offset(value, key) };
                let zero = ScalarValue::new_zero(&value.data_type()).map_err(errors::planning)?;
                if value == zero {
                    return Ok((WindowFrameBound::CurrentRow, text));
                }
                let negative = value.partial_cmp(&zero) == Some(Ordering::Less);
                let magnitude = if negative { value.arithmetic_negate().map_err(errors::planning)? } else { value };
                let magnitude = if rows {
                    magnitude.cast_to(&arrow::datatypes::DataType::UInt64).map_err(errors::planning)?
                } else {
                    magnitude
                };
                (
                    if negative {
                        WindowFrameBound::Preceding(magnitude)
                    } else {
                        WindowFrameBound::Following(magnitude)
                    },
                    text,
                )
            }
        })
    }
}

/// Whether a frame would begin after its end.
fn is_after(lower: &WindowFrameBound, upper: &WindowFrameBound) -> bool {
    use WindowFrameBound::{CurrentRow, Following, Preceding};
    if lower.is_unbounded() || upper.is_unbounded() {
        return false;
    }
    match (lower, upper) {
        (Preceding(lower), Preceding(upper)) => lower.partial_cmp(upper) == Some(Ordering::Less),
        (Following(lower), Following(upper)) => lower.partial_cmp(upper) == Some(Ordering::Greater),
        (Following(_), CurrentRow | Preceding(_)) | (CurrentRow, Preceding(_)) => true,
        _ => false,
    }
}

/// Whether a frame is the whole partition, in rows.
pub(super) fn is_whole(frame: &spec::WindowFrame) -> bool {
    frame.rows
        && matches!(frame.lower, FrameBound::UnboundedPreceding)
        && matches!(frame.upper, FrameBound::UnboundedFollowing)
}

/// An offset that Arrow can add to a key of date or time.
fn range_offset(value: ScalarValue, key: Option<&DataType>) -> ScalarValue {
    let interval = |months: i32, days: i32, nanos: i64| {
        ScalarValue::IntervalMonthDayNano(Some(arrow::datatypes::IntervalMonthDayNano::new(months, days, nanos)))
    };
    match (&value, key) {
        (ScalarValue::Int32(Some(days)), Some(DataType::Date)) => interval(0, *days, 0),
        (ScalarValue::IntervalYearMonth(Some(months)), _) => interval(*months, 0, 0),
        (ScalarValue::DurationMicrosecond(Some(micros)), Some(DataType::Date)) => {
            const DAY: i64 = 86_400_000_000;
            interval(0, i32::try_from(micros / DAY).unwrap_or(i32::MAX), (micros % DAY).saturating_mul(1000))
        }
        (ScalarValue::DurationMicrosecond(Some(micros)), _) => interval(0, 0, micros.saturating_mul(1000)),
        _ => value,
    }
}

/// A frame of rows with the same keys and those before or after. Of nested keys nothing can be taken away, but where nothing
/// is, the values of keys count no more than which rows have the same: DataFusion's groups.
fn peers(order: &[&DataType], lower: WindowFrameBound, upper: WindowFrameBound) -> WindowFrame {
    if !order.iter().any(|key| matches!(key, DataType::Array { .. } | DataType::Struct(_))) {
        return WindowFrame::new_bounds(WindowFrameUnits::Range, lower, upper);
    }
    let counted = |bound| match bound {
        WindowFrameBound::Preceding(_) => WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow => WindowFrameBound::CurrentRow,
        WindowFrameBound::Following(_) => WindowFrameBound::Following(ScalarValue::UInt64(None)),
    };
    WindowFrame::new_bounds(WindowFrameUnits::Groups, counted(lower), counted(upper))
}

pub(super) fn rows(lower: WindowFrameBound, upper: WindowFrameBound) -> WindowFrame {
    WindowFrame::new_bounds(WindowFrameUnits::Rows, lower, upper)
}
