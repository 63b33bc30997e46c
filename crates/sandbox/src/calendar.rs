//! Business days, operating hours and China's time: pure functions over the dated tables.

use cnaps::CentreState;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{Offset, offset};
use jiff::{SignedDuration, Timestamp};

use crate::config::{Calendar, Hours, Rail, WorldConfig};

/// China keeps one time, eight hours ahead of UTC, all year.
const CHINA: Offset = offset(8);

/// China's date and time at an instant.
pub(crate) fn local(at: Timestamp) -> DateTime {
    CHINA.to_datetime(at)
}

/// An instant some milliseconds later.
pub(crate) fn after(at: Timestamp, ms: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// An instant some milliseconds earlier.
pub(crate) fn before(at: Timestamp, ms: u64) -> Timestamp {
    let span = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// An instant in whole milliseconds, so that texts are short and a log gives the same instant back.
pub(crate) fn whole_ms(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn is_business_day(calendar: &Calendar, day: Date) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    if weekend { calendar.working_days.contains(&day) } else { !calendar.holidays.contains(&day) }
}

fn tomorrow(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// Days searched for a business day: longer than any row of holidays.
const DAYS_SEARCHED: u32 = 60;

/// The first business day after a day.
pub(crate) fn next_business_day(calendar: &Calendar, day: Date) -> Date {
    let mut next = tomorrow(day);
    for _ in 0..DAYS_SEARCHED {
        if is_business_day(calendar, next) {
            return next;
        }
        next = tomorrow(next);
    }
    next
}

/// The last business day before a day.
pub(crate) fn previous_business_day(calendar: &Calendar, day: Date) -> Date {
    let mut previous = day.yesterday().unwrap_or(day);
    for _ in 0..DAYS_SEARCHED {
        if is_business_day(calendar, previous) {
            return previous;
        }
        previous = previous.yesterday().unwrap_or(previous);
    }
    previous
}

/// What the table says of a system: its state and its business date.
pub(crate) fn by_table(config: &WorldConfig, rail: Rail, at: Timestamp) -> (CentreState, Date) {
    let now = local(at);
    let (day, time) = (now.date(), now.time());
    let rows = config.hours.iter().filter(|row| row.rail == rail && row.from <= day);
    let hours = rows.max_by_key(|row| row.from).map(|row| &row.hours);
    let ends = match hours {
        Some(Hours::RoundTheClock { day_switch }) => Some(*day_switch),
        Some(Hours::Daily { clearing_until, .. }) => Some(*clearing_until),
        None => None,
    };
    let today = is_business_day(&config.calendar, day) && ends.is_none_or(|ends| time < ends);
    let date = if today { day } else { next_business_day(&config.calendar, day) };
    let state = match hours {
        Some(Hours::RoundTheClock { .. }) => CentreState::Open,
        Some(Hours::Daily { opens_previous_day, closes, .. }) => {
            if date == day {
                if time < *closes { CentreState::Open } else { CentreState::Clearing }
            } else if date == tomorrow(day) && time >= *opens_previous_day {
                CentreState::Open
            } else {
                CentreState::Closed
            }
        }
        None => CentreState::Closed,
    };
    (state, date)
}

#[cfg(test)]
mod tests;
