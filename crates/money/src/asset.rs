//! An asset: its code and its scale.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use thiserror::Error;

/// Longest code, in characters.
const CODE_LEN_MAX: usize = 8;
/// Largest scale: 18 decimals, as Ether has.
const SCALE_MAX: u8 = 18;

/// Why a code and scale are not an asset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssetError {
    /// The code is empty, too long, or has characters other than A-Z and 0-9.
    #[error("asset code must be 1 to 8 of A-Z and 0-9")]
    Code,
    /// The scale is above 18.
    #[error("asset scale {scale} is above 18")]
    Scale {
        /// The scale asked for.
        scale: u8,
    },
}

/// What an amount counts: a code (`CNY`, `BTC`) and how many decimals its minor unit has.
///
/// Two assets with the same code and different scales are different assets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset {
    code: [u8; CODE_LEN_MAX],
    scale: u8,
}

impl Asset {
    /// Renminbi yuan, two decimals (ISO 4217).
    pub const CNY: Self = Self { code: *b"CNY\0\0\0\0\0", scale: 2 };
    /// United States dollar, two decimals (ISO 4217).
    pub const USD: Self = Self { code: *b"USD\0\0\0\0\0", scale: 2 };

    /// An asset with this code and scale.
    ///
    /// # Errors
    /// [`AssetError`] when the code is not 1 to 8 of A-Z and 0-9, or the scale is above 18.
    pub fn new(code: &str, scale: u8) -> Result<Self, AssetError> {
        let valid = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if code.is_empty() || code.len() > CODE_LEN_MAX || !valid {
            return Err(AssetError::Code);
        }
        if scale > SCALE_MAX {
            return Err(AssetError::Scale { scale });
        }
        let mut bytes = [0; CODE_LEN_MAX];
        for (slot, byte) in bytes.iter_mut().zip(code.bytes()) {
            *slot = byte;
        }
        Ok(Self { code: bytes, scale })
    }

    /// The code, for example `CNY`.
    #[must_use]
    pub fn code(&self) -> &str {
        let used = self.code.iter().position(|b| *b == 0).unwrap_or(CODE_LEN_MAX);
        self.code.get(..used).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or("?")
    }

    /// Decimals of the minor unit: 2 for yuan and fen.
    #[must_use]
    pub const fn scale(&self) -> u8 {
        self.scale
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.code(), self.scale)
    }
}

impl FromStr for Asset {
    type Err = AssetError;

    /// The assets this bank knows by code alone.
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match code {
            "CNY" => Ok(Self::CNY),
            "USD" => Ok(Self::USD),
            _ => Err(AssetError::Code),
        }
    }
}

impl<C> Encode<C> for Asset {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.str(self.code())?.u8(self.scale)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Asset {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("asset is not a pair"));
        }
        let code = d.str()?;
        let scale = d.u8()?;
        Self::new(code, scale).map_err(|error| decode::Error::message(error.to_string()))
    }
}
