//! Cron expressions in a time zone.
//!
//! A schedule with fixed hours names local times: one that a change of the clock skips happens at the first instant after the
//! gap, one that it repeats happens once. A schedule whose hour field is `*` or `*/n` names distances, so it also
//! happens in the repeated hour. Both are what Vixie cron does.

use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds as SecondsField, Year};

use super::Seconds;

/// How far a change of the clock is looked for, minute by minute.
const NEAR_MINUTES: i64 = 180;
/// Spans in which the last occurrence is looked for, in seconds.
const SPANS: [i64; 6] = [3600, 86_400, 8 * 86_400, 32 * 86_400, 367 * 86_400, 5 * 366 * 86_400];

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    cron: Cron,
    zone: Tz,
    by_distance: bool,
}

impl Calendar {
    /// Parses five fields and an IANA name.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn parse(expression: &str, zone: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(SecondsField::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|error| format!("bad schedule '{expression}': {error}"))?;
        let tz = zone
            .parse()
            .map_err(|_| format!("unknown time zone '{zone}': give an IANA name, such as Europe/Berlin"))?;
        let by_distance = expression.split_whitespace().nth(1).is_some_and(|hour| hour.starts_with('*'));
        let calendar = Self { cron, zone: tz, by_distance };
        match calendar.next(0) {
            Some(_) => Ok(calendar),
            None => Err(format!("bad schedule '{expression}': it never happens")),
        }
    }

    /// The first occurrence after an instant.
    pub(crate) fn next(&self, after: Seconds) -> Option<Seconds> {
        if self.by_distance
            && let Some(near) = self.near(after)
        {
            return Some(near);
        }
        let start = self.local(after)?;
        // Local times may map to an instant at or before `after` where the clock was set back, so go on until one does not;
        // and one skipped by a gap just before `after` may map to an instant after it.
        let mut naive = start.checked_sub_signed(Duration::hours(3))?;
        loop {
            let found = self.cron.find_next_occurrence(&Utc.from_utc_datetime(&naive), false).ok()?;
            naive = found.naive_utc();
            if let Some(instant) = self.instant(naive)
                && instant > after
            {
                return Some(instant);
            }
        }
    }

    /// The last occurrence at or before an instant and after another.
    pub(crate) fn previous(&self, at: Seconds, after: Seconds) -> Option<Seconds> {
        for span in SPANS {
            let from = (at - span).max(after);
            let mut last = None;
            let mut next = self.next(from);
            while let Some(instant) = next.filter(|instant| *instant <= at) {
                last = Some(instant);
                next = self.next(instant);
            }
            if last.is_some() || from == after {
                return last;
            }
        }
        None
    }

    /// How many occurrences there are after one instant and at or before another, counted up to a limit.
    pub(crate) fn count(&self, after: Seconds, until: Seconds, limit: usize) -> usize {
        std::iter::successors(self.next(after), |instant| self.next(*instant))
            .take_while(|instant| *instant <= until)
            .take(limit)
            .count()
    }

    /// The first of the next minutes that matches by its local time.
    fn near(&self, after: Seconds) -> Option<Seconds> {
        let first = after - after.rem_euclid(60) + 60;
        (0..NEAR_MINUTES).map(|minute| first + minute * 60).find(|instant| {
            self.local(*instant)
                .is_some_and(|naive| self.cron.is_time_matching(&Utc.from_utc_datetime(&naive)).unwrap_or(false))
        })
    }

    fn local(&self, instant: Seconds) -> Option<NaiveDateTime> {
        let utc = DateTime::from_timestamp(instant, 0)?;
        let offset = self.zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
        utc.naive_utc().checked_add_signed(Duration::seconds(offset.local_minus_utc().into()))
    }

    /// When a local time is: the first of two, or the end of the gap it is in.
    fn instant(&self, naive: NaiveDateTime) -> Option<Seconds> {
        match self.zone.from_local_datetime(&naive) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.timestamp()),
            LocalResult::None => (1..=24 * 60).find_map(|minute| {
                let later = naive.with_second(0)?.checked_add_signed(Duration::minutes(minute))?;
                self.zone.from_local_datetime(&later).earliest().map(|time| time.timestamp())
            }),
        }
    }
}

#[cfg(test)]
mod tests;
