//! Base32 (RFC 4648 §6) without padding, the form in which people copy a seed by hand.

use thiserror::Error;

use crate::secret::Secret;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Why a text is not base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Base32Error {
    /// A character outside the alphabet. The text is a secret and not repeated here.
    #[error("base32 text has a foreign character at {0}")]
    Character(usize),
    /// A length that no number of bytes gives, or bits left over that are not zero.
    #[error("base32 text is cut or has bits left over")]
    Incomplete,
}

/// Bytes as base32 without padding.
#[must_use]
pub fn base32_encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let count = chunk.len().saturating_mul(8);
        let digits = count.div_ceil(5);
        // The last digit is filled with zero bits from below.
        let bits = bits << digits.saturating_mul(5).saturating_sub(count);
        for at in (0..digits).rev() {
            let digit = usize::try_from((bits >> at.saturating_mul(5)) & 31).unwrap_or_default();
            text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// Bytes of a base32 text; small letters and spaces between groups are allowed, since people type it.
///
/// # Errors
/// A foreign character, or a length or last digit that no encoder writes.
pub fn base32_decode(text: &str) -> Result<Secret<Vec<u8>>, Base32Error> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| *byte != b' ') {
        let digit = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter.saturating_sub(b'A'),
            number @ b'2'..=b'7' => number.saturating_sub(b'2').saturating_add(26),
            _ => return Err(Base32Error::Character(at)),
        };
        bits = (bits << 5) | u32::from(digit);
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
            bits &= (1_u32 << count).saturating_sub(1);
        }
    }
    let bytes = Secret::new(bytes);
    if count >= 5 || bits != 0 { Err(Base32Error::Incomplete) } else { Ok(bytes) }
}
