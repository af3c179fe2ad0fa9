//! Arithmetic on dates, times and intervals: which expression Spark makes of an operator, what it calls it and which
//! types it refuses. It computes nothing; numbers alone are not its business.

use firesteel_functions::SparkResult;
use firesteel_functions::arithmetic::Op;
use firesteel_functions::cast::CastMode;
use firesteel_functions::types::{DataType, DayTimeField};

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, errors};
use crate::spec;

use DataType::{
    Byte, CalendarInterval, Date, DayTimeInterval, Integer, Null, Short, String as Text, Time, Timestamp, TimestampNtz,
    YearMonthInterval,
};

const SMALL: &str = "(\"INT\" or \"SMALLINT\" or \"TINYINT\")";
const POINT: &str =
    "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
const NUMBER: &str = "\"NUMERIC\"";

/// Operands that fit the operator, in the order it takes them.
pub(super) struct Step {
    pub(super) left: Typed,
    pub(super) right: Typed,
    /// The text, where it is not that of the operator as written.
    pub(super) shown: Option<String>,
    /// The type the result is cast to in the end.
    pub(super) back: Option<DataType>,
}

fn step(left: &Typed, right: &Typed, shown: String) -> Option<Step> {
    Some(Step { left: left.clone(), right: right.clone(), shown: Some(shown), back: None })
}

fn is_temporal(data_type: &DataType) -> bool {
    is_interval(data_type) || is_moment(data_type) || matches!(data_type, Date | Time(_))
}
fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, YearMonthInterval(..) | DayTimeInterval(..) | CalendarInterval)
}
fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, Timestamp | TimestampNtz)
}
fn is_small(data_type: &DataType) -> bool {
    matches!(data_type, Byte | Short | Integer)
}

fn refuse<T>(shown: &str, at: usize, required: &str, given: &Typed) -> SparkResult<T> {
    Err(errors::unexpected_input(shown, at, required, &given.sql(), &given.data_type))
}

impl Exprs<'_, '_> {
    /// What an operator on dates, times or intervals becomes; `None` where it is treated like any other.
    pub(super) fn temporal(&self, op: Op, l: &Typed, r: &Typed, mode: CastMode) -> SparkResult<Option<Step>> {
        if !is_temporal(&l.data_type) && !is_temporal(&r.data_type) {
            return Ok(None);
        }
        match op {
            Op::Add => self.sum(l, r, mode),
            Op::Subtract => self.difference(l, r, mode),
            Op::Multiply | Op::Divide => self.scaled(op, l, r, mode),
            _ => Ok(None),
        }
    }

    fn sum(&self, l: &Typed, r: &Typed, mode: CastMode) -> SparkResult<Option<Step>> {
        let (left, right) = (l.sql(), r.sql());
        Ok(match (&l.data_type, &r.data_type) {
            (Time(_), DayTimeInterval(..)) => self.time_step(l, r, &format!("{left} + {right}"))?,
            (DayTimeInterval(..), Time(_)) => self.time_step(r, l, &format!("{right} + {left}"))?,
            (Time(_), Text | Null) | (Text | Null, Time(_)) if !self.analyzer.context.options.time_type => {
                return Err(errors::no_time_type());
            }
            (Date, DayTimeInterval(_, DayTimeField::Day)) => {
                step(l, r, format!("date_add({left}, extractansiintervaldays({right}))"))
            }
            (DayTimeInterval(_, DayTimeField::Day), Date) => {
                step(r, l, format!("date_add({right}, extractansiintervaldays({left}))"))
            }
            (Date | Timestamp | TimestampNtz, to) if is_interval(to) => step(l, r, format!("{left} + {right}")),
            (from, Date | Timestamp | TimestampNtz) if is_interval(from) => step(r, l, format!("{right} + {left}")),
            (Date | Timestamp | TimestampNtz, Null) => self.nothing_added(l, r, mode)?,
            (Null, Date | Timestamp | TimestampNtz) => self.nothing_added(r, l, mode)?,
            (Text, DayTimeInterval(..) | CalendarInterval) => self.text_step(l, r, '+', mode)?,
            (DayTimeInterval(..) | CalendarInterval, Text) => self.text_step(r, l, '+', mode)?,
            (Date, small) if is_small(small) => step(l, r, format!("date_add({left}, {right})")),
            (small, Date) if is_small(small) => step(r, l, format!("date_add({right}, {left})")),
            (Text, Date) | (Date, _) => return refuse(&format!("date_add({left}, {right})"), 1, SMALL, r),
            (_, Date) => return refuse(&format!("date_add({right}, {left})"), 1, SMALL, l),
            (DayTimeInterval(..), DayTimeInterval(..) | Null) | (Null, DayTimeInterval(..)) => None,
            (CalendarInterval, CalendarInterval | Null) | (Null, CalendarInterval) => None,
            (_, DayTimeInterval(..) | CalendarInterval) => return refuse(&format!("{left} + {right}"), 0, POINT, l),
            (DayTimeInterval(..) | CalendarInterval, _) => return refuse(&format!("{right} + {left}"), 0, POINT, r),
            _ => None,
        })
    }

    fn difference(&self, l: &Typed, r: &Typed, mode: CastMode) -> SparkResult<Option<Step>> {
        let (left, right) = (l.sql(), r.sql());
        let plain = || format!("({left} - {right})");
        let ansi = self.analyzer.context.options.ansi;
        let pair = |to: DataType| -> SparkResult<Option<Step>> {
            let (l, r) = (self.step_cast(l, &to, mode)?, self.step_cast(r, &to, mode)?);
            Ok(Some(Step { left: l, right: r, shown: None, back: None }))
        };
        match (&l.data_type, &r.data_type) {
            (Time(_), DayTimeInterval(..)) => self.time_step(l, r, &format!("{left} - {right}")),
            (Time(_), Time(_)) => self.time_step(l, r, &plain()),
            (Time(_), Text | Null) | (Text | Null, Time(_)) if ansi && !self.analyzer.context.options.time_type => {
                Err(errors::no_time_type())
            }
            (Time(_), Date) => Err(coerce::cannot_cast(&left, &l.data_type, &Date, CastMode::Legacy)),
            (Date, DayTimeInterval(_, DayTimeField::Day)) => {
                Ok(step(l, r, format!("date_add({left}, (- extractansiintervaldays({right})))")))
            }
            (Date | Timestamp | TimestampNtz, to) if is_interval(to) => Ok(step(l, r, format!("{left} - {right}"))),
            (Text, DayTimeInterval(..) | CalendarInterval) => self.text_step(l, r, '-', mode),
            // Without ANSI a text is no timestamp here.
            (Timestamp | TimestampNtz, Text) if !ansi => refuse(&plain(), 1, POINT, r),
            (Text, Timestamp | TimestampNtz) if !ansi => refuse(&plain(), 0, POINT, l),
            (Timestamp, Timestamp | TimestampNtz | Date | Text | Null)
            | (TimestampNtz | Date | Text | Null, Timestamp) => pair(Timestamp),
            (TimestampNtz, TimestampNtz | Date | Text | Null) | (Date | Text | Null, TimestampNtz) => {
                pair(TimestampNtz)
            }
            (from, _) if is_moment(from) => refuse(&plain(), 1, POINT, r),
            (_, to) if is_moment(to) => refuse(&plain(), 0, POINT, l),
            (Date, Text) if !ansi => refuse(&format!("date_sub({left}, {right})"), 1, SMALL, r),
            (Date, Date | Text | Null) | (Text | Null, Date) => pair(Date),
            (Date, small) if is_small(small) => Ok(step(l, r, format!("date_sub({left}, {right})"))),
            (Date, _) => refuse(&format!("date_sub({left}, {right})"), 1, SMALL, r),
            (_, Date) => refuse(&plain(), 0, "\"DATE\"", l),
            (DayTimeInterval(..), DayTimeInterval(..)) | (Null, DayTimeInterval(..)) => Ok(None),
            (CalendarInterval, CalendarInterval) | (Null, CalendarInterval) => Ok(None),
            (_, DayTimeInterval(..) | CalendarInterval) => refuse(&format!("{left} + (- {right})"), 0, POINT, l),
            _ => Ok(None),
        }
    }

    /// An interval times or divided by a number.
    fn scaled(&self, op: Op, l: &Typed, r: &Typed, mode: CastMode) -> SparkResult<Option<Step>> {
        let rank = |t: &DataType| match t {
            CalendarInterval => 2,
            YearMonthInterval(..) => 1,
            DayTimeInterval(..) => 0,
            _ => -1,
        };
        let swap = op == Op::Multiply && rank(&r.data_type) > rank(&l.data_type);
        let (interval, number) = if swap { (r, l) } else { (l, r) };
        if rank(&interval.data_type) < 0 {
            return Ok(None);
        }
        let shown = format!("({} {} {})", interval.sql(), op.symbol(), number.sql());
        match &number.data_type {
            Text | Null => Ok(step(interval, &self.step_cast(number, &DataType::Double, mode)?, shown)),
            found if found.is_numeric() => Ok(step(interval, number, shown)),
            _ => refuse(&shown, 1, NUMBER, number),
        }
    }

    /// A point in time plus NULL, which Spark takes for an interval.
    fn nothing_added(&self, point: &Typed, null: &Typed, mode: CastMode) -> SparkResult<Option<Step>> {
        let shown = format!("{} + {}", point.sql(), null.sql());
        let to = if point.data_type == Date { Timestamp } else { point.data_type.clone() };
        Ok(step(&self.step_cast(point, &to, mode)?, &self.step_cast(null, &DataType::day_time(), mode)?, shown))
    }

    /// A text that is read as a timestamp, moved, and printed again.
    fn text_step(&self, text: &Typed, interval: &Typed, sign: char, mode: CastMode) -> SparkResult<Option<Step>> {
        let shown = format!("{} {sign} {}", text.sql(), interval.sql());
        let left = self.step_cast(text, &Timestamp, mode)?;
        Ok(Some(Step { left, right: interval.clone(), shown: Some(shown), back: Some(Text) }))
    }

    fn time_step(&self, time: &Typed, other: &Typed, shown: &str) -> SparkResult<Option<Step>> {
        if !self.analyzer.context.options.time_type {
            return Err(errors::no_time_type());
        }
        Ok(step(time, other, shown.to_string()))
    }

    /// An implicit cast of an operand; a try function forgives it too.
    fn step_cast(&self, value: &Typed, to: &DataType, mode: CastMode) -> SparkResult<Typed> {
        match mode {
            CastMode::Try if value.data_type != *to => self.analyzer.cast(value.clone(), to, spec::CastMode::Try),
            _ => self.analyzer.coerce(value.clone(), to),
        }
    }
}
