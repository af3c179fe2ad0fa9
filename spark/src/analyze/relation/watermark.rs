//! `df.withWatermark()`. Rows that do not stream are never late: the column and the delay are checked, and that is all.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::Analyzer;
use crate::analyze::errors;
use crate::analyze::expr::Exprs;
use crate::analyze::scope::Scope;
use crate::spec::{self, Relation};

/// Days Spark counts for a month of a delay.
const MONTH: i64 = 31;
const DAY_MILLIS: i64 = 86_400_000;

impl Analyzer<'_> {
    /// The same rows, where the column of the event time and the delay, an interval, are what they must be.
    pub(super) fn watermark(
        &self,
        input: &Relation,
        column: &str,
        delay: &spec::Expr,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let ids = self.named_columns(&resolved.scope, &[column.to_string()])?;
        let none = Scope::default();
        let delay = Exprs::new(self, env, &none).resolve(delay)?;
        let millis = match self.fold(&delay.expr)? {
            ScalarValue::IntervalMonthDayNano(Some(delay)) => {
                let days = i64::from(delay.months) * MONTH + i64::from(delay.days);
                days * DAY_MILLIS + delay.nanoseconds / 1_000_000
            }
            _ => return Err(SparkError::internal("the delay of a watermark is no interval")),
        };
        if millis < 0 {
            return Err(errors::requirement(&format!("delay threshold ({}) should not be negative.", delay.name)));
        }
        for attribute in resolved.scope.attributes.iter().filter(|attribute| ids.contains(&attribute.id)) {
            if !is_event_time(&attribute.data_type) {
                return Err(SparkError::analysis(
                    "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
                    &[
                        ("eventName", &errors::expression(column)),
                        ("eventType", &errors::sql_type(&attribute.data_type)),
                    ],
                ));
            }
        }
        Ok(Resolved::new(resolved.plan, resolved.scope))
    }
}

/// A timestamp, or a window of time.
fn is_event_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp | DataType::TimestampNtz => true,
        DataType::Struct(fields) => match fields.fields.as_slice() {
            [start, end] => start.name == "start" && end.name == "end" && is_event_time(&end.data_type),
            _ => false,
        },
        _ => false,
    }
}
