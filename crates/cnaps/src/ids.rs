//! Identifiers and money as they stand in messages.

use std::fmt;

use jiff::civil::Date;

/// Why a text is not the identifier or amount it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}")]
pub struct IdError {
    /// What was expected.
    pub what: &'static str,
    /// The text found, shortened.
    pub text: String,
}

fn refuse(what: &'static str, text: &str) -> IdError {
    IdError { what, text: text.chars().take(40).collect() }
}

fn all_digits(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| b.is_ascii_digit())
}

/// Number of a bank (or of the centre) in the payment system: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankNumber(String);

impl BankNumber {
    /// Reads 12 digits.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if all_digits(text, 12) { Ok(Self(text.to_owned())) } else { Err(refuse("a bank number", text)) }
    }

    /// The 12 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BankNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Identifier of a message: bank number, day and sequence; with the sender it identifies a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    bank: BankNumber,
    date: Date,
    sequence: u32,
}

impl MessageId {
    /// Largest sequence of a day: eight digits.
    pub const SEQUENCE_MAX: u32 = 99_999_999;

    /// An identifier from its parts.
    ///
    /// # Errors
    /// A sequence of more than eight digits, or a year that four digits cannot write.
    pub fn new(bank: BankNumber, date: Date, sequence: u32) -> Result<Self, IdError> {
        if sequence > Self::SEQUENCE_MAX || date.year() < 1 {
            return Err(refuse("a message sequence of a day", &format!("{date} {sequence}")));
        }
        Ok(Self { bank, date, sequence })
    }

    /// Reads 28 digits: bank, `yyyymmdd`, sequence.
    ///
    /// # Errors
    /// Anything else, and a day that does not exist.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let parts = || {
            let (bank, rest) = text.split_at_checked(12)?;
            let (date, sequence) = rest.split_at_checked(8)?;
            let sequence = all_digits(sequence, 8).then(|| sequence.parse().ok())??;
            Self::new(BankNumber::parse(bank).ok()?, compact_date(date)?, sequence).ok()
        };
        parts().ok_or_else(|| refuse("a message id", text))
    }

    /// The bank that made it.
    #[must_use]
    pub fn bank(&self) -> &BankNumber {
        &self.bank
    }

    /// The day it was made for.
    #[must_use]
    pub fn date(&self) -> Date {
        self.date
    }

    /// Its number within the day.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The 20 characters the frame header has room for: system-wide unique together with the sender, which the
    /// header names beside it. Day, sequence and four zeros.
    #[must_use]
    pub fn transport_id(&self) -> String {
        format!("{}{:08}0000", write_compact_date(self.date), self.sequence)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:08}", self.bank, write_compact_date(self.date), self.sequence)
    }
}

/// Reads `yyyymmdd`.
pub(crate) fn compact_date(text: &str) -> Option<Date> {
    if !all_digits(text, 8) {
        return None;
    }
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    let year: i16 = year.parse().ok().filter(|y| *y > 0)?;
    Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
}

pub(crate) fn write_compact_date(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// An amount of money in a message: hundredths of the currency's unit. The rail allows two decimals at most.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// Hundredths.
    pub minor_units: u128,
    /// Three letters.
    pub currency: String,
}

impl Money {
    /// Largest amount the message forms can carry: 18 digits.
    pub const MINOR_UNITS_MAX: u128 = 999_999_999_999_999_999;

    /// An amount in yuan.
    #[must_use]
    pub fn cny(minor_units: u128) -> Self {
        Self { minor_units, currency: "CNY".to_owned() }
    }

    /// Reads digits with at most two after the point.
    ///
    /// # Errors
    /// A sign, an exponent, more than two decimals, more than 18 digits, or a currency that is not three letters.
    pub fn parse(text: &str, currency: &str) -> Result<Self, IdError> {
        let parts = || {
            let (units, cents) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |t: &str, max: usize| {
                !t.is_empty() && t.len() <= max && t.bytes().all(|b| b.is_ascii_digit())
            };
            if !digits(units, 18) || !digits(cents, 2) {
                return None;
            }
            let scale = if cents.len() == 1 { 10 } else { 1 };
            let cents = cents.parse::<u128>().ok()?.checked_mul(scale)?;
            let minor_units = units.parse::<u128>().ok()?.checked_mul(100)?.checked_add(cents)?;
            (minor_units <= Self::MINOR_UNITS_MAX).then_some(minor_units)
        };
        let letters = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
        match parts().filter(|_| letters) {
            Some(minor_units) => Ok(Self { minor_units, currency: currency.to_owned() }),
            None => Err(refuse("an amount", &format!("{currency} {text}"))),
        }
    }

    /// The decimal text, always with two decimals.
    #[must_use]
    pub fn decimal(&self) -> String {
        let (units, cents) = (self.minor_units.div_euclid(100), self.minor_units.rem_euclid(100));
        format!("{units}.{cents:02}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.currency, self.decimal())
    }
}
