//! The hash chain: each record's hash covers the one before it.

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// First bytes under every record hash, so that no other hash of the system can be taken for one.
const RECORD_TAG: &[u8; 16] = b"jinku-record-v1\0";

/// Why a text is not a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not 64 hexadecimal digits")]
pub struct HashError;

/// A hash in the chain. Its text form is 64 hexadecimal digits; the default is all zero, the hash before the first record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash([u8; 32]);

impl Hash {
    /// From the 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the text form, in small or capital letters.
    ///
    /// # Errors
    /// Not 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if !rest.is_empty() || pairs.len() != bytes.len() {
            return Err(HashError);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

fn digit(letter: u8) -> Result<u8, HashError> {
    let value = char::from(letter).to_digit(16).ok_or(HashError)?;
    u8::try_from(value).map_err(|_| HashError)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last record of a journal. The default is the head of an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Number of the last record; the first has 1, and 0 means that there is none.
    pub seq: u64,
    /// Its hash; all zero when there is none.
    pub hash: Hash,
}

impl Head {
    /// The head after one more record.
    pub(crate) fn after(&self, bytes: &[u8]) -> Self {
        let seq = self.seq.saturating_add(1);
        Self { seq, hash: record_hash(&self.hash, seq, bytes) }
    }
}

/// The hash of the record `seq` with the content `bytes` after the hash `prev`.
#[must_use]
pub fn record_hash(prev: &Hash, seq: u64, bytes: &[u8]) -> Hash {
    // A record has at most a mebibyte, so its length fits; a longer one, which no journal holds, still gets a hash.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let hash = Sha256::new()
        .chain_update(RECORD_TAG)
        .chain_update(prev.0)
        .chain_update(seq.to_be_bytes())
        .chain_update(len.to_be_bytes())
        .chain_update(bytes)
        .finalize();
    Hash(hash.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn hex_and_back() {
        let hash = record_hash(&Hash::default(), 1, b"first");
        assert_eq!(Hash::from_hex(&hash.to_string()), Ok(hash));
        assert_eq!(Hash::from_hex(&hash.to_string().to_uppercase()), Ok(hash));
        assert_eq!(Hash::default().to_string(), "0".repeat(64));
        for text in
            ["", "0", &"0".repeat(63), &"0".repeat(65), &"0".repeat(66), &"g".repeat(64), &"+1".repeat(32)]
        {
            assert_eq!(Hash::from_hex(text), Err(HashError), "{text}");
        }
    }

    /// SHA-256 of the bytes as the documentation lists them, computed with coreutils.
    #[test]
    fn known_answer() {
        let hash = record_hash(&Hash::default(), 1, b"abc");
        assert_eq!(hash.to_string(), "933923ae3d75ead1ca3d5fec14c1749e9581b28e65d1aea9b3bf04a05282cce3");
    }

    #[test]
    fn everything_is_covered() {
        let hash = record_hash(&Hash::default(), 1, b"abc");
        assert_ne!(record_hash(&hash, 1, b"abc"), hash);
        assert_ne!(record_hash(&Hash::default(), 2, b"abc"), hash);
        assert_ne!(record_hash(&Hash::default(), 1, b"abcd"), hash);
    }
}
