//! Prices outside of books: how many units of one asset a unit of another is worth.
//!
//! Whole units over whole units, not minor units, so that a rate says the same whatever the decimals of the two assets, and 18 decimals of its own, so that a
//! very cheap asset still has digits. Turning amounts into one another is exact up to one rounding, whose direction the name says.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use money::{Amount, Asset};
use ruint::aliases::U512;
use thiserror::Error;

use crate::wide;

/// Decimals of a rate.
const DECIMALS: u32 = 18;
/// Parts per million in a whole.
const MILLION: u128 = 1_000_000;

/// Two assets: what is priced, and what it is priced in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Pair {
    /// What is bought and sold.
    #[n(0)]
    pub base: Asset,
    /// What it is paid with.
    #[n(1)]
    pub quote: Asset,
}

impl Pair {
    /// The asset that is not `asset`; `None` where the pair has not `asset`.
    #[must_use]
    pub fn other(&self, asset: Asset) -> Option<Asset> {
        match asset {
            asset if asset == self.base => Some(self.quote),
            asset if asset == self.quote => Some(self.base),
            _ => None,
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

/// Units of quote for one unit of base, times 10¹⁸. Up to some 3.4 · 10²⁰ units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Rate(#[cbor(n(0), with = "money::wide")] u128);

/// Why a text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a decimal number above zero with at most 18 decimals")]
pub struct RateError;

impl Rate {
    /// One unit for one unit.
    pub const ONE: Self = Self(1_000_000_000_000_000_000);

    /// The rate of so many 10⁻¹⁸ units.
    #[must_use]
    pub const fn from_e18(e18: u128) -> Self {
        Self(e18)
    }

    /// The rate in 10⁻¹⁸ units.
    #[must_use]
    pub const fn e18(self) -> u128 {
        self.0
    }

    /// Whether it is nothing, which no price is.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The rate in the middle of two, rounded down.
    #[must_use]
    pub const fn middle(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }

    /// How far this is from another, in millionths of the other, rounded up; the largest number where that is not to be said.
    #[must_use]
    pub fn distance_ppm(self, from: Self) -> u128 {
        wide::mul_div_ceil(self.0.abs_diff(from.0), MILLION, from.0).unwrap_or(u128::MAX)
    }

    /// How far this is from another, in thousand-millionths of the other, rounded down.
    pub(crate) fn distance_ppb(self, from: Self) -> Option<u128> {
        wide::mul_div_floor(self.0.abs_diff(from.0), 1_000_000_000, from.0)
    }

    /// What `base` is worth in `quote`, rounded down. `None` where it does not fit.
    #[must_use]
    pub fn quote_floor(self, base: Amount, quote: Asset) -> Option<Amount> {
        self.quote_at(base, quote, MILLION, Rounding::Down)
    }

    /// What `quote` buys of `base`, rounded down. `None` where it does not fit, or the rate is zero.
    #[must_use]
    pub fn base_floor(self, quote: Amount, base: Asset) -> Option<Amount> {
        self.base_at(quote, base, MILLION, Rounding::Down)
    }

    /// What `base` is worth in `quote` at `ppm` millionths of this rate, with one rounding.
    pub(crate) fn quote_at(
        self,
        base: Amount,
        quote: Asset,
        ppm: u128,
        rounding: Rounding,
    ) -> Option<Amount> {
        // 10^(18 + decimals of base - decimals of quote): at least 1, at most 10^36.
        let unit = self.unit(base.asset(), quote)?;
        let value = U512::from(wide::product(base.minor(), self.0)).checked_mul(U512::from(ppm))?;
        let by = U512::from(wide::product(unit, MILLION));
        Some(Amount::new(quote, rounding.divide(value, by)?))
    }

    /// What `quote` is worth in `base` at `ppm` millionths of this rate, with one rounding.
    pub(crate) fn base_at(self, quote: Amount, base: Asset, ppm: u128, rounding: Rounding) -> Option<Amount> {
        let unit = self.unit(base, quote.asset())?;
        let value = U512::from(wide::product(quote.minor(), unit)).checked_mul(U512::from(MILLION))?;
        let by = U512::from(wide::product(self.0, ppm));
        Some(Amount::new(base, rounding.divide(value, by)?))
    }

    /// Minor units of base and 10⁻¹⁸ of the rate for one minor unit of quote.
    fn unit(self, base: Asset, quote: Asset) -> Option<u128> {
        let decimals =
            DECIMALS.checked_add(u32::from(base.scale()))?.checked_sub(u32::from(quote.scale()))?;
        10_u128.checked_pow(decimals)
    }
}

/// Which way a division goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

impl Rounding {
    fn divide(self, value: U512, by: U512) -> Option<u128> {
        let (whole, rest) = (value.checked_div(by)?, value.checked_rem(by)?);
        let up = match self {
            Self::Down => false,
            Self::Up => !rest.is_zero(),
        };
        u128::try_from(whole).ok()?.checked_add(u128::from(up))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    /// A plain decimal such as `512345.67`: digits, at most one point, at most 18 decimals, above zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = Asset::new("RATE", 18).map_err(|_| RateError)?;
        let e18 = Amount::parse(unit, text).map_err(|_| RateError)?.minor();
        if e18 == 0 { Err(RateError) } else { Ok(Self(e18)) }
    }
}

impl fmt::Display for Rate {
    /// A plain decimal without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = Self::ONE.0;
        let (whole, rest) = (self.0.checked_div(one).unwrap_or(0), self.0.checked_rem(one).unwrap_or(0));
        let decimals = format!("{rest:018}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{decimals}"),
        }
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use money::{Amount, Asset};

    use super::{Rate, Rounding};

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn a_rate_is_written_as_it_is_read() {
        for text in ["512345.67", "0.000000000000000001", "7", "340282366920938463463.374607431768211455"] {
            assert_eq!(rate(text).to_string(), text);
        }
        for text in
            ["0", "0.0", "-1", "1e5", "", ".5", "1.", "1.0000000000000000001", "340282366920938463464"]
        {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_turn_into_each_other_whatever_their_decimals() {
        let (btc, eth, jpy) =
            (Asset::new("BTC", 8).unwrap(), Asset::new("ETH", 18).unwrap(), Asset::new("JPY", 0).unwrap());
        let check = |text: &str, base: Amount, quote: Amount| {
            assert_eq!(rate(text).quote_floor(base, quote.asset()), Some(quote));
        };
        check("512345.67", Amount::new(btc, 100_000_000), Amount::new(Asset::CNY, 51_234_567));
        check("512345.67", Amount::new(btc, 1), Amount::new(Asset::CNY, 0));
        check("20000.5", Amount::new(eth, 10_u128.pow(27)), Amount::new(Asset::CNY, 2_000_050_000_000_000));
        check("0.05", Amount::new(jpy, 1_000), Amount::new(Asset::CNY, 5_000));
        check("0.00006", Amount::new(jpy, 1), Amount::new(eth, 60_000_000_000_000));
        check("30", Amount::new(eth, 5), Amount::new(eth, 150));
        let back = rate("512345.67").base_floor(Amount::new(Asset::CNY, 51_234_566), btc);
        assert_eq!(back, Some(Amount::new(btc, 99_999_998)));
        let up = rate("512345.67").quote_at(Amount::new(btc, 1), Asset::CNY, 1_001_000, Rounding::Up);
        assert_eq!(up, Some(Amount::new(Asset::CNY, 1)));
        assert_eq!(rate("512345.67").quote_floor(Amount::new(jpy, u128::MAX), eth), None);
    }

    #[test]
    fn distances_are_of_the_other() {
        assert_eq!(rate("70").distance_ppm(rate("100")), 300_000);
        assert_eq!(rate("100.000001").distance_ppm(rate("100")), 1);
        assert_eq!(rate("100").distance_ppm(Rate::from_e18(0)), u128::MAX);
    }
}
