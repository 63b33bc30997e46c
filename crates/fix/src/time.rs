//! Points in time as FIX writes them: `YYYYMMDD-HH:MM:SS` with or without milliseconds, always UTC.
//!
//! No clock is read here.

use std::fmt;

const MS_PER_DAY: u64 = 86_400_000;
/// The last day that is read or written: 31 December 9999.
const DAYS_MAX: u64 = 2_932_896;

/// Milliseconds since the beginning of 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(u64);

impl UtcTime {
    /// So many milliseconds after the beginning of 1970.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// The milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// How much later than `earlier`, in milliseconds; 0 if it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Reads `YYYYMMDD-HH:MM:SS` or `YYYYMMDD-HH:MM:SS.sss`; digits beyond milliseconds are cut. A leap second is the second before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('-')?;
        let days = days(date)?;
        let (clock, fraction) = time.split_once('.').map_or((time, None), |(clock, f)| (clock, Some(f)));
        if clock.len() != 8 {
            return None;
        }
        let mut parts = clock.split(':').map(|part| if part.len() == 2 { digits(part) } else { None });
        let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 60 {
            return None;
        }
        let ms = match fraction {
            None => 0,
            Some(f) if (3..=12).contains(&f.len()) && digits(f).is_some() => digits(f.get(..3)?)?,
            Some(_) => return None,
        };
        let seconds = hours
            .saturating_mul(3_600)
            .saturating_add(minutes.saturating_mul(60))
            .saturating_add(seconds.min(59));
        let ms = seconds.saturating_mul(1_000).saturating_add(ms);
        Some(Self(days.saturating_mul(MS_PER_DAY).saturating_add(ms)))
    }

    /// The end of the day `YYYYMMDD`: its last millisecond.
    #[must_use]
    pub fn end_of_day(text: &str) -> Option<Self> {
        let next = days(text)?.saturating_add(1).saturating_mul(MS_PER_DAY);
        Some(Self(next.saturating_sub(1)))
    }

    /// The date as `YYYYMMDD`.
    #[must_use]
    pub fn date_text(self) -> String {
        let (year, month, day) = civil(self.0.checked_div(MS_PER_DAY).unwrap_or_default().min(DAYS_MAX));
        format!("{year:04}{month:02}{day:02}")
    }

    /// The time of day as `HH:MM:SS.sss`.
    #[must_use]
    pub fn clock_text(self) -> String {
        let ms = self.0.checked_rem(MS_PER_DAY).unwrap_or_default();
        let part =
            |unit: u64, of: u64| ms.checked_div(unit).and_then(|n| n.checked_rem(of)).unwrap_or_default();
        format!(
            "{:02}:{:02}:{:02}.{:03}",
            part(3_600_000, 24),
            part(60_000, 60),
            part(1_000, 60),
            part(1, 1_000)
        )
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.date_text(), self.clock_text())
    }
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days since 1970 of a date `YYYYMMDD`.
fn days(text: &str) -> Option<u64> {
    if text.len() != 8 {
        return None;
    }
    let (year, month, day) = (digits(text.get(..4)?)?, digits(text.get(4..6)?)?, digits(text.get(6..)?)?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let days = days_before(year, month)?.checked_add(day.checked_sub(1)?)?;
    // A day that the month does not have comes back as another.
    (civil(days) == (year, month, day)).then_some(days)
}

/// Days from 1970 to the first of a month, in the proleptic Gregorian calendar: years begin in March, so that the leap day is the last.
fn days_before(year: u64, month: u64) -> Option<u64> {
    let shifted_year = if month <= 2 { year.checked_sub(1)? } else { year };
    let from_march = month.checked_add(9)?.checked_rem(12)?;
    let of_months = from_march.checked_mul(153)?.checked_add(2)?.checked_div(5)?;
    let leap_days = shifted_year
        .checked_div(4)?
        .checked_sub(shifted_year.checked_div(100)?)?
        .checked_add(shifted_year.checked_div(400)?)?;
    // 719,468 days lie between 1 March of year 0 and 1 January 1970.
    shifted_year.checked_mul(365)?.checked_add(leap_days)?.checked_add(of_months)?.checked_sub(719_468)
}

/// Year, month and day of a day since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.min(DAYS_MAX);
    // The year is found by an estimate that is never too late, then moved on by a few.
    let mut year = days.checked_div(366).unwrap_or_default().saturating_add(1970);
    while days_before(year.saturating_add(1), 1).is_some_and(|first| first <= days) {
        year = year.saturating_add(1);
    }
    let mut month = 12;
    while month > 1 && days_before(year, month).is_none_or(|first| first > days) {
        month = month.saturating_sub(1_u64);
    }
    let first = days_before(year, month).unwrap_or_default();
    (year, month, days.saturating_sub(first).saturating_add(1))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::arithmetic_side_effects,
        reason = "a test stops at the first surprise"
    )]

    use super::UtcTime;

    fn check(text: &str, expect: Option<u64>) {
        assert_eq!(UtcTime::parse(text).map(UtcTime::ms), expect, "{text}");
    }

    #[test]
    fn times_are_read() {
        check("19700101-00:00:00", Some(0));
        check("20240229-12:34:56.789", Some(1_709_210_096_789));
        check("20240229-12:34:56.789123456", Some(1_709_210_096_789));
        check("20000301-00:00:00", Some(951_868_800_000));
        check("20161231-23:59:60", Some(1_483_228_799_000));
        for wrong in [
            "20230229-00:00:00",
            "20240101 00:00:00",
            "20240101-24:00:00",
            "20240101-0:00:000",
            "20240101-00:00:00.1",
            "2024010-00:00:000",
            "20241301-00:00:00",
            "19690101-00:00:00",
            "",
            "20240101-00:00:00.",
            "2024é101-00:00:00",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for ms in [0, 1, 951_782_400_000, 951_868_799_999, 1_709_210_096_789, 253_402_300_799_999] {
            let time = UtcTime::from_ms(ms);
            assert_eq!(UtcTime::parse(&time.to_string()), Some(time));
        }
        assert_eq!(UtcTime::from_ms(1_709_210_096_789).to_string(), "20240229-12:34:56.789");
        assert_eq!(UtcTime::end_of_day("20240229").map(|t| t.to_string()).unwrap(), "20240229-23:59:59.999");
    }
}
