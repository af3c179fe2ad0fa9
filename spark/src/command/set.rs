//! `SET`, `RESET` and `SET TIME ZONE`.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};

use super::{Rows, text};
use crate::conf::redact;
use crate::session::Session;
use crate::spec::{ExprKind, Literal, SetCommand, TimeZoneSetting};

const ZONE: &str = "spark.sql.session.timeZone";

/// `SET` in its forms.
pub(super) fn run(session: &Arc<Session>, set: SetCommand) -> SparkResult<Rows> {
    let conf = session.conf();
    let pairs = match set {
        SetCommand::All => conf.get_all().into_iter().map(|(key, value)| (key.clone(), redact(&key, &value))).collect(),
        SetCommand::AllVerbose => {
            let rows = conf.known().into_iter().map(|(key, value)| {
                let value = redact(&key, &value);
                vec![key.into(), value.into(), "".into(), "".into()]
            });
            let columns =
                [text("key", false), text("value", false), text("meaning", false), text("Since version", false)];
            return Rows::new(&columns, rows.collect());
        }
        SetCommand::Get(key) => {
            let key = current_name(&key);
            let value = conf.get_option(&key).unwrap_or_else(|| "<undefined>".to_string());
            vec![(key.clone(), redact(&key, &value))]
        }
        SetCommand::Put(key, value) => {
            let key = current_name(&key);
            if let Ok(name) = crate::sql::parse_multipart_identifier(&key)
                && super::variable::exists(session, &name)
            {
                let shown = firesteel_functions::error::quote_identifier(&name);
                return Err(SparkError::unsupported_feature("SET_VARIABLE_USING_SET", &[("variableName", &shown)]));
            }
            conf.set(&key, &value)?;
            let shown = redact(&key, &value);
            vec![(key, shown)]
        }
    };
    answer(pairs)
}

fn answer(pairs: Vec<(String, String)>) -> SparkResult<Rows> {
    let rows = pairs.into_iter().map(|(key, value)| vec![key.into(), value.into()]).collect();
    Rows::new(&[text("key", false), text("value", false)], rows)
}

/// Hadoop's old name of the number of partitions still works.
fn current_name(key: &str) -> String {
    match key.trim() {
        "mapred.reduce.tasks" | "mapreduce.job.reduces" => "spark.sql.shuffle.partitions".to_string(),
        key => key.to_string(),
    }
}

/// `RESET`.
pub(super) fn reset(session: &Arc<Session>, key: Option<String>) -> SparkResult<Rows> {
    match key {
        None => session.conf().reset(),
        Some(key) => session.conf().unset(&key)?,
    }
    Ok(Rows::none())
}

/// `SET TIME ZONE`.
pub(super) async fn time_zone(session: &Arc<Session>, zone: TimeZoneSetting) -> SparkResult<Rows> {
    let zone = match zone {
        TimeZoneSetting::Local => "UTC".to_string(),
        TimeZoneSetting::Zone(zone) => zone,
        TimeZoneSetting::Interval(expr) => {
            let micros = match expr.kind.as_ref() {
                ExprKind::Literal(Literal::DayTimeInterval(micros, ..)) => *micros,
                ExprKind::Literal(Literal::CalendarInterval { months: 0, days: 0, micros }) => *micros,
                _ => match session.evaluate(&expr, None).await?.1 {
                    datafusion::common::ScalarValue::DurationMicrosecond(Some(micros)) => micros,
                    _ => return Err(out_of_range()),
                },
            };
            let seconds = micros / 1_000_000;
            if seconds.abs() > 18 * 3600 || micros % 1_000_000 != 0 {
                return Err(out_of_range());
            }
            let sign = if seconds < 0 { '-' } else { '+' };
            let seconds = seconds.abs();
            let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if rest == 0 {
                format!("{sign}{hours:02}:{minutes:02}")
            } else {
                format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
            }
        }
    };
    session.conf().set(ZONE, &zone)?;
    answer(vec![(ZONE.to_string(), zone)])
}

fn out_of_range() -> SparkError {
    SparkError::parse("INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", &[("input", "")])
}
