//! Whether a cluster should be awake.

use super::Seconds;
use super::calendar::Calendar;
use crate::api::cluster::Hibernation;

/// What the decision rests on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen<'a> {
    pub(crate) now: Seconds,
    /// It hibernates, or is going to.
    pub(crate) asleep: bool,
    /// Jobs that wait for it or run on it.
    pub(crate) jobs: usize,
    /// Requests of clients that wait for it.
    pub(crate) held: usize,
    /// Seconds without queries and clients; `None` while the scheduler does not say.
    pub(crate) idle: Option<i64>,
    /// Seconds since it last became awake, or was made.
    pub(crate) awake_for: i64,
    /// The wake annotation now, and when it began to hibernate.
    pub(crate) wake: Option<&'a str>,
    pub(crate) wake_seen: Option<&'a str>,
}

/// What should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Awake,
    /// Because of `suspend`.
    Suspended,
    /// Because of a schedule.
    Scheduled,
    /// Because nothing uses it.
    Idle,
}

impl Wanted {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Awake => "Awake",
            Self::Suspended => "Suspended",
            Self::Scheduled => "Scheduled",
            Self::Idle => "Idle",
        }
    }
}

/// A time of sleep, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    start: Calendar,
    end: Calendar,
}

impl Window {
    /// Parses the schedules of a spec.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn parse_all(spec: &Hibernation) -> Result<Vec<Self>, String> {
        let parse = |sleep: &crate::api::cluster::Sleep| {
            Ok(Self {
                start: Calendar::parse(&sleep.start, &sleep.time_zone)?,
                end: Calendar::parse(&sleep.end, &sleep.time_zone)?,
            })
        };
        spec.schedules.iter().map(parse).collect()
    }

    /// Inside from a begin (inclusive) to the next end (exclusive).
    fn holds(&self, now: Seconds) -> bool {
        match self.start.previous(now, 0) {
            None => false,
            Some(start) => self.end.previous(now, start).is_none(),
        }
    }

    fn next_change(&self, now: Seconds) -> Option<Seconds> {
        [self.start.next(now), self.end.next(now)].into_iter().flatten().min()
    }
}

/// Whether a cluster should be awake. By hand outranks schedules, which outrank jobs, which outrank idleness.
pub(crate) fn wanted(spec: &Hibernation, windows: &[Window], seen: &Seen<'_>) -> Wanted {
    if spec.suspend {
        return Wanted::Suspended;
    }
    if windows.iter().any(|window| window.holds(seen.now)) {
        return Wanted::Scheduled;
    }
    let Some(after) = spec.idle_after_seconds else { return Wanted::Awake };
    if seen.jobs > 0 {
        return Wanted::Awake;
    }
    if seen.asleep {
        return if seen.wake == seen.wake_seen && seen.held == 0 { Wanted::Idle } else { Wanted::Awake };
    }
    // One that has just become awake has not had the time to be used.
    match seen.idle {
        Some(idle) if idle >= after && seen.awake_for >= after => Wanted::Idle,
        _ => Wanted::Awake,
    }
}

/// When the decision may change by itself.
pub(crate) fn next_change(windows: &[Window], now: Seconds) -> Option<Seconds> {
    windows.iter().filter_map(|window| window.next_change(now)).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::Sleep;
    use chrono::DateTime;

    fn at(text: &str) -> Seconds {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    fn nights() -> Hibernation {
        Hibernation {
            schedules: vec![Sleep {
                start: "0 20 * * 1-5".into(),
                end: "0 7 * * 1-5".into(),
                time_zone: "Europe/Moscow".into(),
            }],
            ..Hibernation::default()
        }
    }

    fn asked(spec: &Hibernation, seen: Seen<'_>) -> Wanted {
        wanted(spec, &Window::parse_all(spec).unwrap(), &seen)
    }

    #[test]
    fn nights_and_weekends_are_slept_through_in_the_zone_of_the_schedule() {
        let spec = nights();
        let when = |text: &str| asked(&spec, Seen { now: at(text), jobs: 3, ..Seen::default() });
        assert_eq!(when("2026-11-25T19:59:59+03:00"), Wanted::Awake);
        assert_eq!(when("2026-11-25T20:00:00+03:00"), Wanted::Scheduled);
        assert_eq!(when("2026-11-26T06:59:59+03:00"), Wanted::Scheduled);
        assert_eq!(when("2026-11-26T07:00:00+03:00"), Wanted::Awake);
        // From Friday evening to Monday morning.
        assert_eq!(when("2026-11-29T12:00:00+03:00"), Wanted::Scheduled);
        let windows = Window::parse_all(&spec).unwrap();
        assert_eq!(next_change(&windows, at("2026-11-28T12:00:00+03:00")), Some(at("2026-11-30T07:00:00+03:00")));
    }

    #[test]
    fn by_hand_outranks_everything() {
        let spec = Hibernation { suspend: true, idle_after_seconds: Some(60), ..Hibernation::default() };
        assert_eq!(
            asked(&spec, Seen { jobs: 1, asleep: true, wake: Some("now"), ..Seen::default() }),
            Wanted::Suspended
        );
    }

    #[test]
    fn idleness_counts_only_when_it_is_known_and_lasted_since_waking() {
        let spec = Hibernation { idle_after_seconds: Some(60), ..Hibernation::default() };
        let seen = Seen { idle: Some(60), awake_for: 60, ..Seen::default() };
        assert_eq!(asked(&spec, seen), Wanted::Idle);
        assert_eq!(asked(&spec, Seen { idle: Some(59), ..seen }), Wanted::Awake);
        assert_eq!(asked(&spec, Seen { idle: None, ..seen }), Wanted::Awake);
        assert_eq!(asked(&spec, Seen { awake_for: 10, ..seen }), Wanted::Awake);
        assert_eq!(asked(&spec, Seen { jobs: 1, ..seen }), Wanted::Awake);
        assert_eq!(asked(&Hibernation::default(), seen), Wanted::Awake);
    }

    #[test]
    fn a_job_a_changed_annotation_or_a_client_wakes() {
        let spec = Hibernation { idle_after_seconds: Some(60), ..Hibernation::default() };
        let asleep = Seen { asleep: true, wake: Some("1"), wake_seen: Some("1"), ..Seen::default() };
        assert_eq!(asked(&spec, asleep), Wanted::Idle);
        assert_eq!(asked(&spec, Seen { jobs: 1, ..asleep }), Wanted::Awake);
        assert_eq!(asked(&spec, Seen { wake: Some("2"), ..asleep }), Wanted::Awake);
        assert_eq!(asked(&spec, Seen { held: 1, ..asleep }), Wanted::Awake);
        let by_hand = Hibernation { suspend: true, ..spec };
        assert_eq!(asked(&by_hand, Seen { held: 1, ..asleep }), Wanted::Suspended);
        assert_eq!(
            asked(&nights(), Seen { now: at("2026-11-26T06:00:00+03:00"), held: 1, ..asleep }),
            Wanted::Scheduled
        );
    }
}
