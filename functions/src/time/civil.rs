//! Calendar arithmetic over the whole range of Spark's dates, which is wider than chrono's.

/// Days from the first of March of a year far before the first date to 1970-01-01, and the years of that: 400 years repeat.
const BEFORE: u64 = 719_468 + 14_705 * 146_097;
const YEARS_BEFORE: i64 = 14_705 * 400;

/// Year, month (1-12) and day (1-31) of a day number.
///
/// Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms" (2023): years start in
/// March, and every division is a multiplication.
#[must_use]
#[inline]
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let quarters = (BEFORE.wrapping_add_signed(days.into())).wrapping_mul(4) | 3;
    let (century, rest) = (quarters / 146_097, quarters % 146_097);
    let scaled = (rest | 3).wrapping_mul(2_939_745);
    let (year_of_century, rest) = (scaled >> 32, (scaled & 0xffff_ffff) as u32);
    let day_of_year = rest / 2_939_745 / 4;
    let months = day_of_year.wrapping_mul(2_141).wrapping_add(197_913);
    let (month, day) = (months >> 16, (months & 0xffff) / 2_141);
    // January and February belong to the next year.
    let next = day_of_year >= 306;
    let year = (century.wrapping_mul(100).wrapping_add(year_of_century) as i64).wrapping_sub(YEARS_BEFORE);
    let year = year.wrapping_add(next.into());
    (year as i32, if next { month.wrapping_sub(12) } else { month }, day.wrapping_add(1))
}

/// Day number of a date; `None` if there is no such date or it does not fit.
#[must_use]
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * month_index + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// Whether a year has 366 days.
#[must_use]
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month; 0 if the month is not 1 to 12.
#[must_use]
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap_year(year)),
        _ => 0,
    }
}

/// A date plus months, with the day cut to the length of the month; `None` if it does not fit.
#[must_use]
pub fn add_months(days: i32, months: i32) -> Option<i32> {
    let (year, month, day) = civil_from_days(days);
    let total = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = total.rem_euclid(12) as u32 + 1;
    days_from_civil(year, month, day.min(days_in_month(year, month)))
}

/// Day of the week of a day number, Monday is 1 and Sunday is 7.
#[must_use]
pub fn iso_weekday(days: i32) -> u32 {
    (i64::from(days) + 3).rem_euclid(7) as u32 + 1
}

/// Day of the year, from 1.
#[must_use]
pub fn day_of_year(days: i32) -> u32 {
    let (year, _, _) = civil_from_days(days);
    days_from_civil(year, 1, 1).map_or(1, |first| (i64::from(days) - i64::from(first)) as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same from the definition of leap years.
    fn slowly(days: i32) -> (i32, u32, u32) {
        let shifted = i64::from(days) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month as u32, day as u32)
    }

    #[test]
    fn days_of_all_years_have_the_dates_of_the_calendar() {
        for days in (-1_000_000..1_000_000).chain((i32::MIN..=i32::MAX).step_by(997)).chain([i32::MIN, i32::MAX]) {
            assert_eq!(civil_from_days(days), slowly(days), "{days}");
        }
    }
}
