//! Amounts of messages as integer minor units, with the scale that ISO 4217 gives each currency.

use std::fmt;

/// Currencies with their number of minor-unit digits (ISO 4217, active codes that the rails meet). A code outside the
/// table is refused: guessing a scale would move the decimal point of somebody's money.
const SCALES: [(&str, u32); 44] = [
    ("AED", 2),
    ("AUD", 2),
    ("BHD", 3),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CLP", 0),
    ("CNY", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EGP", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 2),
    ("IDR", 2),
    ("ILS", 2),
    ("INR", 2),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KES", 2),
    ("KRW", 0),
    ("KWD", 3),
    ("KZT", 2),
    ("MOP", 2),
    ("MXN", 2),
    ("MYR", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("OMR", 3),
    ("PHP", 2),
    ("PLN", 2),
    ("QAR", 2),
    ("RON", 2),
    ("RUB", 2),
    ("SAR", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TRY", 2),
    ("TWD", 2),
    ("USD", 2),
    ("VND", 0),
];

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The currency has no known scale.
    #[error("currency {0:?} not known")]
    UnknownCurrency(String),
    /// More digits after the point than the currency has.
    #[error("{found} decimals, {currency} has {scale}")]
    TooManyDecimals {
        /// Currency.
        currency: String,
        /// Its digits.
        scale: u32,
        /// Digits found, trailing zeros included.
        found: usize,
    },
    /// Not an unsigned decimal number, or too large.
    #[error("not an amount")]
    NotAnAmount,
}

/// A currency whose scale is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    scale: u32,
}

impl Currency {
    /// Looks a code up.
    ///
    /// # Errors
    /// A code that is not in the table.
    pub fn parse(code: &str) -> Result<Self, AmountError> {
        let found = SCALES.iter().find(|(known, _)| *known == code);
        found
            .map(|(code, scale)| Self { code, scale: *scale })
            .ok_or_else(|| AmountError::UnknownCurrency(code.chars().take(8).collect()))
    }

    /// The three letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Digits of the minor unit.
    #[must_use]
    pub fn scale(self) -> u32 {
        self.scale
    }
}

/// An amount: integer minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Minor units.
    pub minor_units: u128,
    /// Currency.
    pub currency: Currency,
}

impl Amount {
    /// Reads digits with at most as many decimals as the currency has. Zero is an amount; whether it makes sense is
    /// the caller's question.
    ///
    /// # Errors
    /// A sign, an unknown currency, too many decimals, or more than 18 digits.
    pub fn parse(text: &str, currency: &str) -> Result<Self, AmountError> {
        let currency = Currency::parse(currency)?;
        let (units, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        let all_digits = units.len().saturating_add(fraction.len());
        if !(1..=18).contains(&all_digits) || !digits(units) || !digits(fraction) {
            return Err(AmountError::NotAnAmount);
        }
        let scale = usize::try_from(currency.scale).unwrap_or(0);
        if fraction.len() > scale {
            let (currency, scale) = (currency.code.to_owned(), currency.scale);
            return Err(AmountError::TooManyDecimals { currency, scale, found: fraction.len() });
        }
        let minor_units = format!("{units}{fraction:0<scale$}").parse();
        minor_units.map(|minor_units| Self { minor_units, currency }).map_err(|_| AmountError::NotAnAmount)
    }

    /// The decimal text with all digits of the currency.
    #[must_use]
    pub fn decimal(&self) -> String {
        let scale = usize::try_from(self.currency.scale).unwrap_or(0);
        let width = scale.saturating_add(1);
        let digits = format!("{:0>width$}", self.minor_units);
        match digits.split_at_checked(digits.len().saturating_sub(scale)) {
            Some((units, fraction)) if scale > 0 => format!("{units}.{fraction}"),
            _ => digits,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.code, self.decimal())
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, AmountError};

    #[test]
    fn amounts_are_exact_in_every_scale() {
        let check = |text: &str, currency: &str, minor: u128, back: &str| {
            let amount = Amount::parse(text, currency);
            assert_eq!(amount.as_ref().map(|a| a.minor_units), Ok(minor), "{text} {currency}");
            assert_eq!(amount.map(|a| a.decimal()), Ok(back.to_owned()));
        };
        check("8.88", "CNY", 888, "8.88");
        check("0.05", "CNY", 5, "0.05");
        check("8", "CNY", 800, "8.00");
        check(".5", "EUR", 50, "0.50");
        check("8.", "EUR", 800, "8.00");
        check("500", "JPY", 500, "500");
        check("0", "JPY", 0, "0");
        check("1.234", "KWD", 1234, "1.234");
        check("9999999999999999.99", "USD", 999_999_999_999_999_999, "9999999999999999.99");
        for bad in ["", ".", "-1", "+1", "1e3", "1,0", " 1", "1.2.3", "1234567890123456789"] {
            assert_eq!(Amount::parse(bad, "CNY"), Err(AmountError::NotAnAmount), "{bad}");
        }
        assert!(matches!(Amount::parse("1.000", "CNY"), Err(AmountError::TooManyDecimals { found: 3, .. })));
        assert!(matches!(Amount::parse("1.0", "JPY"), Err(AmountError::TooManyDecimals { scale: 0, .. })));
        assert!(matches!(Amount::parse("1", "XAU"), Err(AmountError::UnknownCurrency(_))));
    }
}
