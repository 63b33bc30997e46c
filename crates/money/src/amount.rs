//! Amounts of money: integer minor units of one asset.

use std::fmt;

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use thiserror::Error;

use crate::{Asset, Bps};

/// Why an amount cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Two amounts of different assets were put together.
    #[error("cannot combine {left} with {right}")]
    AssetMismatch {
        /// Asset of the left amount.
        left: Asset,
        /// Asset of the right amount.
        right: Asset,
    },
    /// The result does not fit 128 bits.
    #[error("amount is too large")]
    Overflow,
    /// The result would be below zero.
    #[error("amount would be below zero")]
    BelowZero,
    /// The text is not a plain decimal number.
    #[error("\"{text}\" is not a decimal amount")]
    NotDecimal {
        /// The text, shortened.
        text: String,
    },
    /// The text has more decimals than the asset.
    #[error("{asset} has {scale} decimals, the amount has {given}")]
    TooManyDecimals {
        /// The asset.
        asset: Asset,
        /// Decimals the asset has.
        scale: u8,
        /// Decimals given.
        given: usize,
    },
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
}

/// A non-negative amount in minor units (fen, cent, satoshi, wei) of one asset.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    minor: u128,
    asset: Asset,
}

impl Amount {
    /// `minor` minor units of `asset`.
    #[must_use]
    pub const fn new(asset: Asset, minor: u128) -> Self {
        Self { minor, asset }
    }

    /// Nothing of `asset`.
    #[must_use]
    pub const fn zero(asset: Asset) -> Self {
        Self { minor: 0, asset }
    }

    /// The minor units.
    #[must_use]
    pub const fn minor(&self) -> u128 {
        self.minor
    }

    /// The asset.
    #[must_use]
    pub const fn asset(&self) -> Asset {
        self.asset
    }

    /// Whether there is nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// Different assets, or above 2^128.
    pub fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.same_asset(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(AmountError::Overflow)?;
        Ok(Self { minor, asset: self.asset })
    }

    /// The difference.
    ///
    /// # Errors
    /// Different assets, or below zero.
    pub fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.same_asset(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(AmountError::BelowZero)?;
        Ok(Self { minor, asset: self.asset })
    }

    /// Whether this is more than `other`.
    ///
    /// # Errors
    /// Different assets.
    pub fn exceeds(self, other: Self) -> Result<bool, AmountError> {
        self.same_asset(other)?;
        Ok(self.minor > other.minor)
    }

    /// This amount divided by `divisor`, towards zero; the remainder comes along and must be posted somewhere.
    ///
    /// # Errors
    /// Division by zero.
    pub fn div_floor(self, divisor: u128) -> Result<(Self, Self), AmountError> {
        let quotient = self.minor.checked_div(divisor).ok_or(AmountError::DivisionByZero)?;
        let remainder = self.minor.checked_rem(divisor).ok_or(AmountError::DivisionByZero)?;
        Ok((Self { minor: quotient, ..self }, Self { minor: remainder, ..self }))
    }

    /// The share of this amount that `rate` names, rounded up: fees.
    ///
    /// # Errors
    /// Above 2^128 on the way.
    pub fn share_ceil(self, rate: Bps) -> Result<Self, AmountError> {
        let scaled = self.minor.checked_mul(u128::from(rate.value())).ok_or(AmountError::Overflow)?;
        Ok(Self { minor: scaled.div_ceil(Bps::WHOLE), ..self })
    }

    /// The share of this amount that `rate` names, rounded down: what the bank pays.
    ///
    /// # Errors
    /// Above 2^128 on the way.
    pub fn share_floor(self, rate: Bps) -> Result<Self, AmountError> {
        let scaled = self.minor.checked_mul(u128::from(rate.value())).ok_or(AmountError::Overflow)?;
        let minor = scaled.checked_div(Bps::WHOLE).ok_or(AmountError::DivisionByZero)?;
        Ok(Self { minor, ..self })
    }

    /// Parses a plain decimal such as `1234.5`: digits, at most one point, at most the asset's decimals.
    ///
    /// # Errors
    /// Signs, exponents, separators, empty text, too many decimals, too large.
    pub fn parse(asset: Asset, text: &str) -> Result<Self, AmountError> {
        let not_decimal = || AmountError::NotDecimal { text: text.chars().take(32).collect() };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(fraction)
            || (text.contains('.') && fraction.is_empty())
        {
            return Err(not_decimal());
        }
        let scale = usize::from(asset.scale());
        if fraction.len() > scale {
            return Err(AmountError::TooManyDecimals { asset, scale: asset.scale(), given: fraction.len() });
        }
        let mut minor: u128 = 0;
        let padding = std::iter::repeat_n(b'0', scale.saturating_sub(fraction.len()));
        for byte in whole.bytes().chain(fraction.bytes()).chain(padding) {
            let digit = u128::from(byte.saturating_sub(b'0'));
            minor = minor.checked_mul(10).and_then(|m| m.checked_add(digit)).ok_or(AmountError::Overflow)?;
        }
        Ok(Self { minor, asset })
    }

    /// The amount as a plain decimal with exactly the asset's decimals, without the code: `1234.50`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let scale = usize::from(self.asset.scale());
        let digits = format!("{:0>width$}", self.minor, width = scale.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
        if scale == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
    }

    fn same_asset(self, other: Self) -> Result<(), AmountError> {
        if self.asset == other.asset {
            Ok(())
        } else {
            Err(AmountError::AssetMismatch { left: self.asset, right: other.asset })
        }
    }
}

/// Splits `total` into parts proportional to `weights`; the parts add up to exactly `total`.
///
/// Each part is rounded down and the minor units left over go one each to the first parts, so that nobody chooses who gains.
///
/// # Errors
/// No weights or all zero, or too large on the way.
pub fn split_exact(total: Amount, weights: &[u64]) -> Result<Vec<Amount>, AmountError> {
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    let mut parts = Vec::with_capacity(weights.len());
    let mut left = total.minor;
    for weight in weights {
        let scaled = total.minor.checked_mul(u128::from(*weight)).ok_or(AmountError::Overflow)?;
        let minor = scaled.checked_div(sum).ok_or(AmountError::DivisionByZero)?;
        left = left.checked_sub(minor).ok_or(AmountError::BelowZero)?;
        parts.push(Amount { minor, ..total });
    }
    if parts.is_empty() {
        return Err(AmountError::DivisionByZero);
    }
    for part in &mut parts {
        if left == 0 {
            break;
        }
        part.minor = part.minor.checked_add(1).ok_or(AmountError::Overflow)?;
        left = left.saturating_sub(1);
    }
    Ok(parts)
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.asset)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Encode<C> for Amount {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?;
        match u64::try_from(self.minor) {
            Ok(small) => e.u64(small)?,
            Err(_) => e.bytes(&self.minor.to_be_bytes())?,
        };
        self.asset.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("amount is not a pair"));
        }
        let minor = match d.datatype()? {
            Type::Bytes => {
                let bytes: [u8; 16] =
                    d.bytes()?.try_into().map_err(|_| decode::Error::message("amount is not 16 bytes"))?;
                u128::from_be_bytes(bytes)
            }
            _ => u128::from(d.u64()?),
        };
        Ok(Self { minor, asset: Asset::decode(d, ctx)? })
    }
}

#[cfg(test)]
mod tests;
