//! One scheme for every id: 128 bits, shown as a kind prefix and 26 characters of Crockford's base 32.
//!
//! Clients make ids (most significant bits first a millisecond time, the rest random, as in ULID), so a repeated request
//! carries the same id. The core compares ids and never makes one out of nothing; it derives (see `derive`).

use thiserror::Error;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TEXT_LEN: usize = 26;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// The kind prefix is another one.
    #[error("id does not begin with \"{expected}_\"")]
    Prefix {
        /// The prefix this kind of id has.
        expected: &'static str,
    },
    /// The part behind the prefix is not 26 characters of Crockford's base 32 below 2^128.
    #[error("id is not 26 base-32 characters")]
    Digits,
}

/// Formatting and parsing of the 128 bits behind an id.
#[derive(Debug)]
pub struct IdText;

impl IdText {
    /// The 26 characters for `value`.
    #[must_use]
    pub fn encode(value: u128) -> String {
        let mut text = String::with_capacity(TEXT_LEN);
        for position in (0..TEXT_LEN).rev() {
            let shift = u32::try_from(position).unwrap_or(0).saturating_mul(5);
            let digit = usize::try_from((value >> shift) & 31).unwrap_or(0);
            text.push(ALPHABET.get(digit).copied().map_or('0', char::from));
        }
        text
    }

    /// The value of 26 characters.
    ///
    /// # Errors
    /// [`IdError::Digits`] when the text is anything else.
    pub fn decode(text: &str) -> Result<u128, IdError> {
        if text.len() != TEXT_LEN {
            return Err(IdError::Digits);
        }
        let mut value: u128 = 0;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == byte).ok_or(IdError::Digits)?;
            let digit = u128::try_from(digit).map_err(|_| IdError::Digits)?;
            value = value.checked_mul(32).and_then(|v| v.checked_add(digit)).ok_or(IdError::Digits)?;
        }
        Ok(value)
    }
}

/// Declares id types with their prefixes.
#[macro_export]
macro_rules! ids {
    ($( $(#[$doc:meta])* $name:ident = $prefix:literal; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// The prefix of this kind in text.
            pub const PREFIX: &'static str = $prefix;

            /// The id with these 128 bits.
            #[must_use]
            pub const fn new(value: u128) -> Self {
                Self(value)
            }

            /// The 128 bits.
            #[must_use]
            pub const fn value(self) -> u128 {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}_{}", $prefix, $crate::IdText::encode(self.0))
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                let digits = text
                    .strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .ok_or($crate::IdError::Prefix { expected: $prefix })?;
                $crate::IdText::decode(digits).map(Self)
            }
        }

        impl<C> $crate::__minicbor::Encode<C> for $name {
            fn encode<W: $crate::__minicbor::encode::Write>(
                &self,
                e: &mut $crate::__minicbor::Encoder<W>,
                _: &mut C,
            ) -> ::std::result::Result<(), $crate::__minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0.to_be_bytes())?;
                Ok(())
            }
        }

        impl<'b, C> $crate::__minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut $crate::__minicbor::Decoder<'b>,
                _: &mut C,
            ) -> ::std::result::Result<Self, $crate::__minicbor::decode::Error> {
                let bytes: [u8; 16] = d
                    .bytes()?
                    .try_into()
                    .map_err(|_| $crate::__minicbor::decode::Error::message("id is not 16 bytes"))?;
                Ok(Self(u128::from_be_bytes(bytes)))
            }
        }
    )* };
}
