//! Lexical forms of the XML Schema primitives that ISO 20022 uses: exact decimals, dates that exist, base64.
//!
//! Nothing here rounds or uses floating point: a decimal keeps its digits.

use std::cmp::Ordering;

/// An exact decimal: digits without leading zeros before and trailing zeros after the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    integer: String,
    fraction: String,
}

impl Decimal {
    /// Reads `[+-]?digits[.digits]`; `None` where the text is not a decimal.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if integer.is_empty() && fraction.is_empty() || !digits(integer) || !digits(fraction) {
            return None;
        }
        let integer = integer.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let zero = integer.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, integer, fraction })
    }

    pub(crate) fn total_digits(&self) -> u64 {
        let fraction =
            if self.integer.is_empty() { self.fraction.trim_start_matches('0') } else { &self.fraction };
        count(&self.integer).saturating_add(count(fraction)).max(1)
    }

    pub(crate) fn fraction_digits(&self) -> u64 {
        count(&self.fraction)
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.fraction.is_empty()
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        // Without leading zeros the longer integer part is the larger; fractions compare as text.
        self.integer
            .len()
            .cmp(&other.integer.len())
            .then_with(|| self.integer.cmp(&other.integer))
            .then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_magnitude(other),
            (true, true) => other.cmp_magnitude(self),
        }
    }
}

fn count(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `true`, `false`, `1` or `0`.
pub(crate) fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false" | "1" | "0")
}

/// `[-]yyyy-mm-dd[zone]`, a day that exists.
pub(crate) fn is_date(text: &str) -> bool {
    date_part(text).is_some_and(is_zone)
}

/// `[-]yyyy-mm-ddThh:mm:ss[.f][zone]`.
pub(crate) fn is_date_time(text: &str) -> bool {
    date_part(text).and_then(|rest| rest.strip_prefix('T')).is_some_and(is_time)
}

/// `hh:mm:ss[.f][zone]`; 24:00:00 is the end of the day.
pub(crate) fn is_time(text: &str) -> bool {
    time_part(text).is_some_and(is_zone)
}

/// `[-]yyyy[zone]`.
pub(crate) fn is_year(text: &str) -> bool {
    year(text).is_some_and(|(_, rest)| is_zone(rest))
}

/// `[-]yyyy-mm[zone]`.
pub(crate) fn is_year_month(text: &str) -> bool {
    year_month(text).is_some_and(|(_, _, rest)| is_zone(rest))
}

/// Reads a year; the second part is what follows it.
fn year(text: &str) -> Option<(u32, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let len = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    // Four digits at least, more only without a leading zero, and there is no year 0 in XSD 1.0. The bound keeps
    // the number in range.
    if !(4..=9).contains(&len) || (len > 4 && unsigned.starts_with('0')) {
        return None;
    }
    let (number, rest) = unsigned.split_at_checked(len)?;
    let number: u32 = number.parse().ok()?;
    (number > 0).then_some((number, rest))
}

fn year_month(text: &str) -> Option<(u32, u32, &str)> {
    let (year, rest) = year(text)?;
    let (month, rest) = two(rest.strip_prefix('-')?)?;
    (1..=12).contains(&month).then_some((year, month, rest))
}

fn date_part(text: &str) -> Option<&str> {
    let (year, month, rest) = year_month(text)?;
    let (day, rest) = two(rest.strip_prefix('-')?)?;
    (1..=days_in(year, month)).contains(&day).then_some(rest)
}

fn time_part(text: &str) -> Option<&str> {
    let (hour, rest) = two(text)?;
    let (minute, rest) = two(rest.strip_prefix(':')?)?;
    let (second, rest) = two(rest.strip_prefix(':')?)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let len = rest.bytes().take_while(u8::is_ascii_digit).count();
            if len == 0 {
                return None;
            }
            rest.split_at_checked(len)?
        }
        None => ("", rest),
    };
    let end_of_day = hour == 24 && minute == 0 && second == 0 && fraction.bytes().all(|b| b == b'0');
    ((hour < 24 && minute < 60 && second < 60) || end_of_day).then_some(rest)
}

fn is_zone(text: &str) -> bool {
    if text.is_empty() || text == "Z" {
        return true;
    }
    let Some(rest) = text.strip_prefix(['+', '-']) else { return false };
    let Some((hour, rest)) = two(rest) else { return false };
    let Some((minute, rest)) = rest.strip_prefix(':').and_then(two) else { return false };
    rest.is_empty() && minute < 60 && (hour < 14 || (hour == 14 && minute == 0))
}

/// Reads exactly two digits.
fn two(text: &str) -> Option<(u32, &str)> {
    let (head, rest) = text.split_at_checked(2)?;
    if digits(head) { Some((head.parse().ok()?, rest)) } else { None }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Octets of a base64 text, or `None` where it is not canonical base64. Blanks between characters are allowed.
pub(crate) fn base64_octets(text: &str) -> Option<u64> {
    let compact: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
    let body_len = compact.iter().take_while(|b| **b != b'=').count();
    let (body, padding) = compact.split_at_checked(body_len)?;
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    if !compact.len().is_multiple_of(4) || !body.iter().all(alphabet) || !padding.iter().all(|b| *b == b'=') {
        return None;
    }
    let last_ok = match (padding.len(), body.last()) {
        (0, _) => true,
        // The unused low bits of the last character must be zero.
        (1, Some(b)) => b"AEIMQUYcgkosw048".contains(b),
        (2, Some(b)) => b"AQgw".contains(b),
        _ => false,
    };
    let groups = u64::try_from(compact.len()).ok()?.checked_div(4)?;
    last_ok.then(|| groups.saturating_mul(3).saturating_sub(u64::try_from(padding.len()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(f: fn(&str) -> bool, yes: &[&str], no: &[&str]) {
        for v in yes {
            assert!(f(v), "{v} should be accepted");
        }
        for v in no {
            assert!(!f(v), "{v} should be refused");
        }
    }

    #[test]
    fn only_days_that_exist() {
        check(
            is_date,
            &["2024-02-29", "2000-02-29", "2023-12-31Z", "2023-01-01+08:00", "12023-01-01"],
            &[
                "2023-02-29",
                "1900-02-29",
                "2023-13-01",
                "2023-00-01",
                "2023-04-31",
                "0000-01-01",
                "23-01-01",
                "2023-1-1",
                "2023-01-01T",
                "02023-01-01",
                "2023-01-01+15:00",
                "",
            ],
        );
        check(
            is_date_time,
            &["2023-01-01T00:00:00", "2023-01-01T24:00:00Z", "2023-01-01T23:59:59.999+14:00"],
            &[
                "2023-01-01",
                "2023-01-01T24:00:01",
                "2023-01-01T25:00:00",
                "2023-01-01T00:60:00",
                "2023-01-01T00:00:60",
                "2023-01-01T00:00:00.",
                "2023-01-01T00:00",
                "2023-01-01 00:00:00",
            ],
        );
        check(is_year, &["2023", "2023Z"], &["0000", "223", "2023-"]);
        check(is_year_month, &["2023-12"], &["2023-13", "2023"]);
    }

    #[test]
    fn decimals_keep_their_digits() {
        let d = |t: &str| Decimal::parse(t);
        assert!(d("").is_none() && d(".").is_none() && d("1e3").is_none() && d("1,0").is_none());
        assert!(d("--1").is_none() && d("INF").is_none() && d(" 1").is_none());
        assert_eq!(d("+001.50"), d("1.5"));
        assert_eq!(d("-0"), d("0"));
        assert!(d("9") < d("10") && d("-10") < d("-9") && d("0.05") < d("0.5") && d("-1") < d("0"));
        let digits = |t: &str| d(t).map(|d| (d.total_digits(), d.fraction_digits()));
        assert_eq!(digits("00123.4500"), Some((5, 2)));
        assert_eq!(digits("0.001"), Some((1, 3)));
        assert_eq!(digits("0"), Some((1, 0)));
    }

    #[test]
    fn base64_must_be_canonical() {
        assert_eq!(base64_octets("QUJD"), Some(3));
        assert_eq!(base64_octets("QUI="), Some(2));
        assert_eq!(base64_octets("QQ=="), Some(1));
        assert_eq!(base64_octets(""), Some(0));
        for bad in ["QQ=", "QQ", "QR==", "Q===", "QQ==QQ==", "Q*==", "===="] {
            assert_eq!(base64_octets(bad), None, "{bad}");
        }
    }
}
