//! Typed literals, which need the session's time zone, and constants evaluated for commands.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::relation::Env;
use crate::analyze::scope::Scope;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, fold};
use crate::spec::{self, CastMode};

impl Exprs<'_, '_> {
    /// `DATE '...'`, `TIMESTAMP '...'`, ...
    pub(super) fn typed_literal(&self, type_name: &str, text: &str) -> SparkResult<Typed> {
        let analyzer = self.analyzer;
        let ntz = analyzer.context.options.timestamp_type_ntz;
        let data_type = match type_name {
            "DATE" => DataType::Date,
            "TIMESTAMP_NTZ" => DataType::TimestampNtz,
            "TIMESTAMP_LTZ" => DataType::Timestamp,
            // With TIMESTAMP_NTZ as the default type, a text with a zone is still an instant.
            "TIMESTAMP" if ntz && !has_zone(text) => DataType::TimestampNtz,
            "TIMESTAMP" => DataType::Timestamp,
            "TIME" => DataType::Time(6),
            "X" | "BINARY" => return hex_literal(analyzer, text),
            other => {
                return Err(SparkError::parse(
                    "UNSUPPORTED_TYPED_LITERAL",
                    &[
                        ("unsupportedType", &format!("\"{other}\"")),
                        (
                            "supportedTypes",
                            "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", \"TIME\"",
                        ),
                    ],
                ));
            }
        };
        if let Some(value) = self.special_moment(text, &data_type)? {
            let shown = analyzer.literal_text(&value, &data_type)?;
            return Ok(Typed::literal(value, data_type, shown));
        }
        let string = Typed::literal(ScalarValue::Utf8(Some(text.to_string())), DataType::String, text);
        let value = analyzer.fold(&analyzer.read_literal(string, &data_type)?)?;
        if value.is_null() {
            return Err(SparkError::parse(
                "INVALID_TYPED_LITERAL",
                &[("valueType", &format!("\"{type_name}\"")), ("value", &format!("'{text}'"))],
            ));
        }
        let shown = analyzer.literal_text(&value, &data_type)?;
        let shown = if analyzer.context.nanos { with_nanos(shown, text) } else { shown };
        Ok(Typed::literal(value, data_type, shown))
    }
}

/// The text of a timestamp literal with the digits after its sixth: types with nanoseconds show them all.
fn with_nanos(shown: String, text: &str) -> String {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(9).collect();
    let digits = digits.trim_end_matches('0');
    let Some((kind, moment)) = shown.split_once(' ').filter(|_| digits.len() > 6) else { return shown };
    let kind = if kind == "TIMESTAMP" { "TIMESTAMP_LTZ" } else { kind };
    let whole = moment.trim_end_matches('\'');
    let seconds = whole.split_once('.').map_or(whole, |(seconds, _)| seconds);
    format!("{kind} {seconds}.{digits}'")
}

impl Exprs<'_, '_> {
    /// What a cast of a constant text to a date or timestamp gives where the text is one of those words.
    pub(super) fn constant_moment(&self, value: &Typed, to: &DataType) -> SparkResult<Option<ScalarValue>> {
        let wanted = matches!(to, DataType::Date | DataType::Timestamp | DataType::TimestampNtz);
        if !wanted || value.data_type != DataType::String || !fold::is_constant(&value.expr) {
            return Ok(None);
        }
        match self.analyzer.fold(&value.expr) {
            Ok(ScalarValue::Utf8(Some(text))) => self.special_moment(&text, to),
            _ => Ok(None),
        }
    }

    /// `'now'`, `'today'`, `'epoch'`, ... in the session's time zone.
    fn special_moment(&self, text: &str, data_type: &DataType) -> SparkResult<Option<ScalarValue>> {
        const DAY: i64 = 1;
        // A zone may follow; it must exist, but the day is the session's.
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (word, zone) = text.split_at(end);
        let zone = zone.trim();
        if !zone.is_empty()
            && (word.eq_ignore_ascii_case("now") || firesteel_functions::time::Zone::lookup(zone).is_none())
        {
            return Ok(None);
        }
        let days = match word.to_lowercase().as_str() {
            "epoch" => None,
            "now" | "today" => Some(0),
            "yesterday" => Some(-DAY),
            "tomorrow" => Some(DAY),
            _ => return Ok(None),
        };
        let analyzer = self.analyzer;
        let instant = |micros| {
            Typed::literal(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())), DataType::Timestamp, "")
        };
        let Some(days) = days else {
            return Ok(match data_type {
                DataType::Date => Some(ScalarValue::Date32(Some(0))),
                DataType::TimestampNtz => Some(ScalarValue::TimestampMicrosecond(Some(0), None)),
                DataType::Timestamp => Some(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into()))),
                _ => None,
            });
        };
        let now = instant(analyzer.context.now);
        let whole =
            matches!(data_type, DataType::Timestamp | DataType::TimestampNtz) && word.eq_ignore_ascii_case("now");
        if whole {
            return Ok(Some(analyzer.fold(&analyzer.cast(now, data_type, CastMode::Session)?.expr)?));
        }
        if matches!(data_type, DataType::Time(_)) {
            return Ok(None);
        }
        let today = analyzer.fold(&analyzer.cast(now, &DataType::Date, CastMode::Session)?.expr)?;
        let ScalarValue::Date32(Some(today)) = today else { return Ok(None) };
        let day = i32::try_from(i64::from(today) + days).unwrap_or(today);
        let day = Typed::literal(ScalarValue::Date32(Some(day)), DataType::Date, "");
        Ok(Some(analyzer.fold(&analyzer.cast(day, data_type, CastMode::Session)?.expr)?))
    }
}

fn has_zone(text: &str) -> bool {
    let time = text.split_once([' ', 'T']).map_or("", |(_, time)| time);
    time.contains(['+', '-']) || time.chars().any(|c| c.is_ascii_alphabetic())
}

fn hex_literal(analyzer: &Analyzer<'_>, text: &str) -> SparkResult<Typed> {
    let padded = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_string() };
    let digits: Option<Vec<u8>> = padded
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
        .collect();
    let Some(bytes) = digits else {
        return Err(SparkError::parse(
            "INVALID_TYPED_LITERAL",
            &[("valueType", "\"X\""), ("value", &format!("'{text}'"))],
        ));
    };
    analyzer.literal(&spec::Literal::Binary(bytes))
}

impl Analyzer<'_> {
    /// Resolves an expression without columns and evaluates it.
    pub(in crate::analyze) fn evaluate_constant(
        &self,
        expr: &spec::Expr,
        to: Option<&DataType>,
    ) -> SparkResult<(DataType, ScalarValue)> {
        let env = Env::root(self);
        let scope = Scope::default();
        let mut typed = Exprs::new(self, &env, &scope).resolve(expr)?;
        if let Some(to) = to {
            typed = self.coerce(typed, to)?;
        }
        if !fold::is_constant(&typed.expr) && !typed.expr.is_volatile() {
            return Err(errors::unsupported("a subquery where a constant is needed"));
        }
        let value = self.fold(&typed.expr)?;
        Ok((typed.data_type, value))
    }

    /// An integer that must be constant: `LIMIT`, ordinal arguments.
    pub(in crate::analyze) fn constant_integer(&self, clause: &str, expr: &spec::Expr, env: &Env) -> SparkResult<i64> {
        let scope = Scope::default();
        let typed = Exprs::new(self, env, &scope).resolve(expr)?;
        let shown = errors::expression(&typed.name);
        if !fold::is_constant(&typed.expr) {
            return Err(SparkError::analysis(
                "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE",
                &[("name", clause), ("expr", &shown)],
            ));
        }
        if !matches!(typed.data_type, DataType::Integer | DataType::Byte | DataType::Short | DataType::Long) {
            return Err(SparkError::analysis(
                "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE",
                &[("name", clause), ("expr", &shown), ("dataType", &errors::sql_type(&typed.data_type))],
            ));
        }
        let value = match self.fold(&typed.expr)? {
            ScalarValue::Int8(Some(v)) => i64::from(v),
            ScalarValue::Int16(Some(v)) => i64::from(v),
            ScalarValue::Int32(Some(v)) => i64::from(v),
            ScalarValue::Int64(Some(v)) => v,
            _ => {
                return Err(SparkError::analysis(
                    "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL",
                    &[("name", clause), ("expr", &shown)],
                ));
            }
        };
        if value < 0 {
            return Err(SparkError::analysis(
                "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
                &[("name", clause), ("expr", &shown), ("v", &value.to_string())],
            ));
        }
        Ok(value)
    }
}
