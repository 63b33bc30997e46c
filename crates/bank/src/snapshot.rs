//! The state as bytes, and its hash.

use std::fmt;
use std::sync::Arc;

use ledger::{ColdHistory, Forgotten, HistoryFault};
use minicbor::bytes::{ByteArray, ByteSlice, ByteVec};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::Bank;
use crate::command::HashWriter;

/// Version of the snapshot's form; another one is rebuilt from the journal.
const VERSION: u32 = 5;

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
    /// Without history that is kept elsewhere, or with another one.
    #[error(transparent)]
    History(#[from] HistoryFault),
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

    /// The state as bytes: version, hash, state, and the chunks of history that are in memory with the number of the first.
    #[must_use]
    pub fn to_snapshot(&self) -> Vec<u8> {
        let state = minicbor::to_vec(self).unwrap_or_default();
        money::invariant!(!state.is_empty(), "the state cannot be encoded");
        let mut bytes = Vec::new();
        let hash = StateHash(Sha256::digest(&state).0.into());
        let head = minicbor::encode((VERSION, hash), &mut bytes).is_ok();
        let (first, chunks) = self.ledger.hot_chunks();
        let chunks: Vec<&ByteSlice> = chunks.map(Into::into).collect();
        let body = minicbor::encode((ByteVec::from(state), first, chunks), &mut bytes).is_ok();
        money::invariant!(head && body, "the state cannot be encoded");
        bytes
    }

    /// The state in these bytes, its hash checked.
    ///
    /// # Errors
    /// As [`Bank::from_snapshot_with`]; a snapshot that needs history kept elsewhere is incomplete.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        Self::from_snapshot_with(bytes, None)
    }

    /// The state in these bytes, its hash checked, with the history that is kept elsewhere.
    ///
    /// # Errors
    /// Bytes of another form or version, with a hash that does not match, or with history missing.
    pub fn from_snapshot_with(
        bytes: &[u8],
        cold: Option<Arc<dyn ColdHistory>>,
    ) -> Result<Self, SnapshotError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let parts = decoder.array()?;
        let version = decoder.u32()?;
        if version != VERSION || parts != Some(2) {
            return Err(SnapshotError::Version(version));
        }
        let hash: StateHash = decoder.decode()?;
        let (state, first, chunks): (&ByteSlice, u32, Vec<ByteVec>) = decoder.decode()?;
        if decoder.position() != bytes.len() {
            return Err(minicbor::decode::Error::message("bytes follow the state").into());
        }
        // The bytes are hashed as they are: making them again from the state would cost more than reading it.
        if StateHash(Sha256::digest(&**state).0.into()) != hash {
            return Err(SnapshotError::Hash);
        }
        let mut bank: Self = minicbor::decode(state)?;
        bank.ledger.fill_history(first, chunks.into_iter().map(Into::into).collect(), cold)?;
        Ok(bank)
    }

    /// Where chunks of the ledger's history are that memory need not hold.
    pub fn keep_history_in(&mut self, cold: Arc<dyn ColdHistory>) {
        self.ledger.keep_history_in(cold);
    }

    /// Drops all history but the newest `keep` entries, as far as it is kept elsewhere: once, after a start.
    pub fn trim_history(&mut self, keep: u32) -> Forgotten {
        self.ledger.trim_history(keep)
    }

    /// Drops history that is kept elsewhere, so that about the newest `keep` entries stay in memory. Nothing else changes.
    pub fn forget_history(&mut self, keep: u32) -> Forgotten {
        self.ledger.forget_history(keep)
    }
}
