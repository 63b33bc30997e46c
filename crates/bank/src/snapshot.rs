//! The state as bytes, and its hash.

use std::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::Bank;
use crate::command::HashWriter;

/// Version of the snapshot's form; another one is rebuilt from the journal.
const VERSION: u32 = 4;

/// SHA-256 of the state's encoding.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct StateHash(#[n(0)] ByteArray<32>);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are not a snapshot. The journal has everything, so a bad snapshot is passed over, not mended.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Not the form of a snapshot.
    #[error("not a snapshot: {0}")]
    Form(#[from] minicbor::decode::Error),
    /// Of another version.
    #[error("snapshot of version {0}")]
    Version(u32),
    /// The hash inside is not that of the state inside.
    #[error("the snapshot's hash does not match its state")]
    Hash,
}

impl Bank {
    /// The hash of the whole state: equal hashes, equal banks.
    #[must_use]
    pub fn state_hash(&self) -> StateHash {
        let mut hasher = HashWriter::new();
        let written = minicbor::encode(self, &mut hasher);
        money::invariant!(written.is_ok(), "the state cannot be encoded");
        StateHash(hasher.finish().into())
    }

    /// The state as bytes: version, hash, state.
    #[must_use]
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut bytes);
        let head = encoder.array(3).and_then(|e| e.u32(VERSION)).and_then(|e| e.bytes(&[0; 32])).is_ok();
        let start = bytes.len();
        let written = minicbor::encode(self, &mut bytes).is_ok();
        money::invariant!(head && written, "the state cannot be encoded");
        // The hash takes its place once the state is written.
        let hash = Sha256::digest(bytes.get(start..).unwrap_or_default());
        let place = bytes.get_mut(start.saturating_sub(hash.len())..start).unwrap_or_default();
        for (slot, byte) in place.iter_mut().zip(hash) {
            *slot = byte;
        }
        bytes
    }

    /// The state in these bytes, its hash checked.
    ///
    /// # Errors
    /// Bytes of another form or version, or with a hash that does not match.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let _ = decoder.array()?;
        let version = decoder.u32()?;
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let hash: StateHash = decoder.decode()?;
        // The bytes are hashed as they are: making them again from the state would cost more than reading it.
        let state = bytes.get(decoder.position()..).unwrap_or_default();
        if StateHash(Sha256::digest(state).0.into()) != hash {
            return Err(SnapshotError::Hash);
        }
        let bank: Self = decoder.decode()?;
        if decoder.position() == bytes.len() {
            Ok(bank)
        } else {
            Err(minicbor::decode::Error::message("bytes follow the state").into())
        }
    }
}
