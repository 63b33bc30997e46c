//! Instants and calendar dates as plain numbers. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use thiserror::Error;

const MS_PER_DAY: u64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] u64);

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// The instant `ms` later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `ms` earlier, not before the epoch.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this, 0 when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar date `offset_minutes` east of Greenwich.
    #[must_use]
    pub fn date_at(self, offset_minutes: i32) -> Date {
        let shifted = i128::from(self.0).saturating_add(i128::from(offset_minutes).saturating_mul(60_000));
        let days = shifted.div_euclid(i128::from(MS_PER_DAY));
        Date(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Milliseconds since midnight `offset_minutes` east of Greenwich.
    #[must_use]
    pub fn time_of_day_ms(self, offset_minutes: i32) -> u64 {
        let shifted = i128::from(self.0).saturating_add(i128::from(offset_minutes).saturating_mul(60_000));
        u64::try_from(shifted.rem_euclid(i128::from(MS_PER_DAY))).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.time_of_day_ms(0);
        let part = |divisor: u64, modulus: u64| {
            of_day.checked_div(divisor).and_then(|v| v.checked_rem(modulus)).unwrap_or(0)
        };
        let (hour, minute, second, ms) =
            (part(3_600_000, 24), part(60_000, 60), part(1000, 60), part(1, 1000));
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z", self.date_at(0))
    }
}

/// Why a text is not a date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a date of the form YYYY-MM-DD between 1970 and 9999")]
pub struct DateError;

/// A calendar date (proleptic Gregorian): days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Date(#[n(0)] i32);

impl Date {
    /// The date `days` after 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The date `days` later (earlier when negative).
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The date of a civil year, month and day.
    ///
    /// # Errors
    /// A day that does not exist, or a year outside 1970 to 9999.
    pub fn from_civil(year: i32, month: u8, day: u8) -> Result<Self, DateError> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return Err(DateError);
        }
        let date = Self(days_from_civil(year, i32::from(month), i32::from(day)));
        if date.civil() == (year, month, day) { Ok(date) } else { Err(DateError) }
    }

    /// Year, month (1 to 12) and day (1 to 31).
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "bounded: an i32 of days widened to i64")]
    pub fn civil(self) -> (i32, u8, u8) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (i32::try_from(year).unwrap_or(0), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
    }

    /// Day of the week, 1 for Monday to 7 for Sunday (ISO 8601).
    #[must_use]
    pub fn weekday(self) -> u8 {
        let since_monday = i64::from(self.0).saturating_add(3).rem_euclid(7);
        u8::try_from(since_monday.saturating_add(1)).unwrap_or(1)
    }

    /// Midnight at the start of this date, `offset_minutes` east of Greenwich.
    #[must_use]
    pub fn midnight_at(self, offset_minutes: i32) -> Timestamp {
        let ms = i128::from(self.0).saturating_mul(i128::from(MS_PER_DAY));
        let ms = ms.saturating_sub(i128::from(offset_minutes).saturating_mul(60_000));
        Timestamp(u64::try_from(ms).unwrap_or(0))
    }
}

/// Days since 1970-01-01 of a civil date, by whole 400-year eras.
#[expect(clippy::arithmetic_side_effects, reason = "bounded: years 1970 to 9999")]
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut next = |len: usize| -> Result<u16, DateError> {
            let part = parts.next().ok_or(DateError)?;
            let digits = part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse().map_err(|_| DateError) } else { Err(DateError) }
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        if parts.next().is_some() {
            return Err(DateError);
        }
        let small = |value: u16| u8::try_from(value).map_err(|_| DateError);
        Self::from_civil(i32::from(year), small(month)?, small(day)?)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
    use super::*;

    #[test]
    fn dates_are_calendar_dates() {
        for days in 0..40_000 {
            let date = Date::from_days(days);
            assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
        }
        assert_eq!(Date::from_civil(2026, 11, 24).unwrap().weekday(), 2);
        for text in ["2026-02-29", "2026-13-01", "1969-12-31", "2026-1-1", "2026-01-01-01", "２０２６-01-01"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_instant_has_a_local_date() {
        let late =
            Timestamp::from_ms(Date::from_civil(2026, 11, 24).unwrap().midnight_at(0).ms() + 17 * 3_600_000);
        assert_eq!(late.to_string(), "2026-11-24T17:00:00.000Z");
        assert_eq!(late.date_at(480).to_string(), "2026-11-25");
        assert_eq!(late.time_of_day_ms(480), 3_600_000);
    }
}
