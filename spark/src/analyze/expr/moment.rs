//! Calls of functions of dates, times and number formats whose meaning or text depends on the arguments.
//!
//! It decides what is called and how it is shown; it computes nothing.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, DayTimeField, YearMonthField};
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use super::function::shown_call;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::CastMode;

const OF_TIME: &[&str] = &[
    "make_time",
    "to_time",
    "try_to_time",
    "time_diff",
    "time_trunc",
    "time_to_seconds",
    "time_to_millis",
    "time_to_micros",
    "time_from_seconds",
    "time_from_millis",
    "time_from_micros",
];

impl Exprs<'_, '_> {
    /// A call that needs to be looked at, or `None`.
    pub(super) fn moment(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let texts: Vec<String> = args.iter().map(|arg| arg.sql()).collect();
        let call = |shown: &str| naming::call(shown, &texts);
        let time = |arg: &Typed| matches!(arg.data_type, DataType::Time(_));
        Ok(Some(match (name, args) {
            (name, _) if OF_TIME.contains(&name) => {
                let shown = if name == "try_to_time" { format!("{name}({})", call("to_time")) } else { call(name) };
                if !self.analyzer.context.options.time_type {
                    // A wrong number of arguments is found first.
                    self.count_of_time(name, args.len())?;
                    return Err(errors::no_time_type());
                }
                self.registered(name, args.to_vec(), shown)?
            }
            ("hour" | "minute" | "second", [value]) if time(value) => {
                self.of_time(&format!("spark_time_{name}"), value, call(name))?
            }
            ("to_char" | "to_varchar", [value, _]) => match value.data_type {
                DataType::Date | DataType::Timestamp | DataType::TimestampNtz => {
                    self.registered("date_format", args.to_vec(), call("date_format"))?
                }
                DataType::Binary => self.binary_text(name, args)?,
                _ => self.registered("to_char", args.to_vec(), call("to_char"))?,
            },
            ("make_timestamp_ltz" | "try_make_timestamp_ltz", [_, _] | [_, _, _]) => {
                self.registered(name, args.to_vec(), call("make_timestamp"))?
            }
            ("try_make_timestamp_ntz", [_, _]) => {
                self.registered(name, args.to_vec(), format!("{name}({})", call("make_timestamp_ntz")))?
            }
            ("try_make_timestamp", [_, _, _, _, _, _, _]) => {
                let shown = naming::call(name, texts.get(..6).unwrap_or(&texts));
                self.registered(name, args.to_vec(), shown)?
            }
            ("make_timestamp" | "try_make_timestamp", args) if matches!(args.len(), 0 | 4 | 5 | 8..) => {
                return Err(errors::wrong_num_args(name, "[1, 2, 3, 6, 7]", args.len()));
            }
            ("convert_timezone", [target, time]) => {
                let shown = format!("convert_timezone(current_timezone(), {}, {})", target.sql(), time.sql());
                self.registered(name, args.to_vec(), shown)?
            }
            ("dateadd", [_, _]) => self.registered("date_add", args.to_vec(), call("date_add"))?,
            ("to_timestamp" | "try_to_timestamp", [value]) if value.data_type.is_numeric() || time(value) => {
                let mode = if name == "to_timestamp" { CastMode::Session } else { CastMode::Try };
                self.analyzer.cast(value.clone(), &DataType::Timestamp, mode)?.named_as(call(name))
            }
            ("date_trunc", [unit, value]) if time(value) => {
                let value = self.analyzer.coerce(value.clone(), &DataType::Timestamp)?;
                self.registered(name, vec![unit.clone(), value], call(name))?
            }
            ("time_bucket", [_, value] | [_, value, _]) => self.bucket(args, value)?,
            ("sign" | "signum", [value]) if value.data_type.is_ansi_interval() => {
                let count = self.analyzer.coerce(value.clone(), &DataType::Long)?;
                self.registered(name, vec![count], shown_call(name, args))?
            }
            ("timestamp_nanos", [_]) => return Err(no_nanoseconds("timestamp_ltz_nanos")),
            ("current_time" | "localtime", [precision]) => self.current_time(Some(precision))?,
            _ => return Ok(None),
        }))
    }

    fn count_of_time(&self, name: &str, given: usize) -> SparkResult<()> {
        let (least, most, words) = match name {
            "make_time" | "time_diff" => (3, 3, "3"),
            "to_time" | "try_to_time" => (1, 2, "[1, 2]"),
            "time_trunc" => (2, 2, "2"),
            _ => (1, 1, "1"),
        };
        if (least..=most).contains(&given) { Ok(()) } else { Err(errors::wrong_num_args(name, words, given)) }
    }

    fn of_time(&self, function: &str, value: &Typed, shown: String) -> SparkResult<Typed> {
        if !self.analyzer.context.options.time_type {
            return Err(errors::no_time_type());
        }
        self.registered(function, vec![value.clone()], shown)
    }

    /// `to_char(binary, format)`.
    fn binary_text(&self, name: &str, args: &[Typed]) -> SparkResult<Typed> {
        let [value, format] = args else { return Err(errors::wrong_num_args(name, "2", args.len())) };
        let Some(ScalarValue::Utf8(Some(text))) = format.constant() else {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                &[
                    ("sqlExpr", &errors::expression(&naming::call(name, &[value.sql(), format.sql()]))),
                    ("inputName", "`format`"),
                    ("inputType", "\"STRING\""),
                    ("inputExpr", &errors::expression(&format.sql())),
                ],
            ));
        };
        let text = text.to_lowercase();
        let shown =
            |function: &str, texts: &[String]| naming::call(if name == "to_varchar" { name } else { function }, texts);
        match text.as_str() {
            "base64" | "hex" => {
                let shown = shown(&text, &[value.sql()]);
                self.registered(&text, vec![value.clone()], shown)
            }
            "utf-8" => {
                let shown = shown("decode", &[value.sql(), format.sql()]);
                self.registered("decode", args.to_vec(), shown)
            }
            _ => Err(SparkError::analysis(
                "INVALID_PARAMETER_VALUE.BINARY_FORMAT",
                &[
                    ("functionName", &format!("`{name}`")),
                    ("parameter", "`format`"),
                    ("invalidFormat", &format!("'{text}'")),
                ],
            )),
        }
    }

    /// `time_bucket`: the origin is shown though it was not written; the size must be a positive constant.
    fn bucket(&self, args: &[Typed], value: &Typed) -> SparkResult<Typed> {
        let mut texts: Vec<String> = args.iter().map(|arg| arg.sql()).collect();
        if args.len() == 2 {
            let kind = if value.data_type == DataType::TimestampNtz { "TIMESTAMP_NTZ" } else { "TIMESTAMP" };
            texts.push(format!("{kind} '1970-01-01 00:00:00'"));
        }
        let shown = naming::call("time_bucket", &texts);
        if matches!(value.data_type, DataType::Date | DataType::Time(_)) {
            let wanted = "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"";
            return Err(errors::unexpected_input(&shown, 1, wanted, &value.sql(), &value.data_type));
        }
        let size = args.first().and_then(|size| size.constant());
        let positive = match size {
            Some(ScalarValue::DurationMicrosecond(Some(size))) => *size > 0,
            Some(ScalarValue::IntervalYearMonth(Some(size))) => *size > 0,
            _ => true,
        };
        if !positive {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                &[
                    ("sqlExpr", &errors::expression(&shown)),
                    ("exprName", "`bucketSize`"),
                    ("valueRange", "(0, inf)"),
                    ("currentValue", &args.first().map_or_else(String::new, |size| size.sql())),
                ],
            ));
        }
        self.registered("time_bucket", args.to_vec(), shown)
    }

    /// The time of day at which the query started.
    pub(super) fn current_time(&self, precision: Option<&Typed>) -> SparkResult<Typed> {
        let precision = match precision {
            None => 6,
            Some(value) => {
                let coerced = self.analyzer.coerce(value.clone(), &DataType::Integer)?;
                match self.analyzer.fold(&coerced.expr) {
                    Ok(ScalarValue::Int32(Some(digits))) if (0..=6).contains(&digits) => digits as u8,
                    Ok(ScalarValue::Int32(Some(digits))) if (7..=9).contains(&digits) => {
                        return Err(errors::unsupported("TIME with more than six digits after the point"));
                    }
                    _ => {
                        return Err(SparkError::analysis(
                            "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                            &[
                                ("sqlExpr", &errors::expression(&naming::call("current_time", &[value.sql()]))),
                                ("exprName", "`precision`"),
                                ("valueRange", "[0, 9]"),
                                ("currentValue", &value.sql()),
                            ],
                        ));
                    }
                }
            }
        };
        let now = ScalarValue::TimestampMicrosecond(Some(self.analyzer.context.now), Some("UTC".into()));
        let now = Typed::literal(now, DataType::Timestamp, "now");
        let local = self.analyzer.coerce(now, &DataType::TimestampNtz)?;
        let ScalarValue::TimestampMicrosecond(Some(local), _) = self.analyzer.fold(&local.expr)? else {
            return Err(SparkError::internal("the current time is no timestamp"));
        };
        let unit = 10_i64.pow(6 - u32::from(precision));
        let micros = local.rem_euclid(86_400_000_000);
        let value = ScalarValue::Time64Microsecond(Some(micros - micros % unit));
        let shown = format!("current_time({precision})");
        Ok(Typed::new(Expr::Literal(value, None), DataType::Time(precision), false, shown))
    }

    /// The function that takes a part out of a time or an interval; `None` for other types, an error for no such part.
    pub(super) fn part_of(&self, field: &str, source: &Typed, shown: &str) -> SparkResult<Option<Typed>> {
        use DataType::{CalendarInterval, DayTimeInterval, Time, YearMonthInterval};
        let months = |wanted: YearMonthField| match &source.data_type {
            YearMonthInterval(start, end) => *start <= wanted && wanted <= *end,
            other => *other == CalendarInterval,
        };
        let days = |wanted: DayTimeField| match &source.data_type {
            DayTimeInterval(start, end) => *start <= wanted && wanted <= *end,
            other => *other == CalendarInterval,
        };
        if !matches!(source.data_type, Time(_) | YearMonthInterval(..) | DayTimeInterval(..) | CalendarInterval) {
            return Ok(None);
        }
        let time = matches!(source.data_type, Time(_));
        let found = match field.to_uppercase().as_str() {
            "YEAR" | "Y" | "YEARS" | "YR" | "YRS" if months(YearMonthField::Year) => "spark_interval_years",
            "MONTH" | "MON" | "MONS" | "MONTHS" if months(YearMonthField::Month) => "spark_interval_months",
            "DAY" | "D" | "DAYS" if days(DayTimeField::Day) => "spark_interval_days",
            "HOUR" | "H" | "HOURS" | "HR" | "HRS" if time => "spark_time_hour",
            "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" if time => "spark_time_minute",
            "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" if time => "spark_time_extract_second",
            "HOUR" | "H" | "HOURS" | "HR" | "HRS" if days(DayTimeField::Hour) => "spark_interval_hours",
            "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" if days(DayTimeField::Minute) => "spark_interval_minutes",
            "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" if days(DayTimeField::Second) => "spark_interval_seconds",
            _ => {
                return Err(SparkError::analysis(
                    "INVALID_EXTRACT_FIELD",
                    &[("field", &format!("`{field}`")), ("expr", &errors::expression(&source.sql()))],
                ));
            }
        };
        match time {
            true => self.of_time(found, source, shown.to_string()).map(Some),
            false => self.registered(found, vec![source.clone()], shown.to_string()).map(Some),
        }
    }
}

/// Timestamps finer than a microsecond do not reach clients.
fn no_nanoseconds(kind: &str) -> SparkError {
    let text = format!("data type {kind}");
    SparkError::analysis("UNSUPPORTED_OPERATION", &[("operation", &text)]).with_message(text.clone())
}
