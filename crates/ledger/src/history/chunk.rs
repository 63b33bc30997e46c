//! A chunk of history, and where chunks are that memory does not hold.

use std::fmt;
use std::sync::{Arc, OnceLock};

use money::EntryId;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Bytes, CHUNK_ENTRIES, id_of};

/// Bytes that a full chunk of transfers takes.
const CHUNK_BYTES: usize = 4096 * 58;

/// Why a history cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryFault {
    /// Bytes that are no entry.
    #[error("an entry of history cannot be read at byte {byte} of its chunk")]
    Entry {
        /// Where.
        byte: usize,
    },
    /// Another number of chunks than the history says.
    #[error("history has another number of chunks")]
    Chunks,
    /// A chunk that is absent, or not the one that the history says.
    #[error("chunk {chunk} of history is missing or another one")]
    Missing {
        /// Its number.
        chunk: u32,
    },
}

/// Full chunks of history that are kept outside memory, the oldest ones. What it says must be what was put in: the ledger stops where it cannot be read.
pub trait ColdHistory: fmt::Debug + Send + Sync {
    /// How many chunks it has, counted from the first.
    fn chunks(&self) -> u32;

    /// The digest of a chunk it has.
    fn digest(&self, number: u32) -> Option<[u8; 32]>;

    /// A chunk it has.
    ///
    /// # Errors
    /// It cannot be read, or is not what was put in.
    fn chunk(&self, number: u32) -> Result<Arc<HistoryChunk>, String>;

    /// The position of the entry with this id.
    ///
    /// # Errors
    /// It cannot be read.
    fn find(&self, id: EntryId) -> Result<Option<u32>, String>;
}

/// [`CHUNK_ENTRIES`] entries, or fewer at the end.
#[derive(Debug, Clone, Default)]
pub struct HistoryChunk {
    pub(super) bytes: Vec<u8>,
    /// Where each entry begins.
    pub(super) starts: Vec<u32>,
    digest: OnceLock<[u8; 32]>,
}

impl HistoryChunk {
    pub(super) fn with_room() -> Self {
        let starts = Vec::with_capacity(usize::try_from(CHUNK_ENTRIES).unwrap_or(0));
        Self { bytes: Vec::with_capacity(CHUNK_BYTES), starts, digest: OnceLock::new() }
    }

    /// The chunk in these bytes, whose first entry stands at the position `first`.
    ///
    /// # Errors
    /// Bytes that are not entries, or too many of them.
    pub fn parse(bytes: Vec<u8>, first: u32) -> Result<Self, HistoryFault> {
        let mut starts = Vec::new();
        let mut rest = Bytes(&bytes);
        let mut position = first;
        while !rest.0.is_empty() {
            let byte = bytes.len().saturating_sub(rest.0.len());
            let entry = rest.entry().ok_or(HistoryFault::Entry { byte })?;
            // Every leg names an earlier entry, so that no walk goes round.
            if entry.legs().any(|leg| leg.previous > position) || starts.len() >= 4096 {
                return Err(HistoryFault::Entry { byte });
            }
            starts.push(u32::try_from(byte).unwrap_or(u32::MAX));
            position = position.saturating_add(1);
        }
        Ok(Self { bytes, starts, digest: OnceLock::new() })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Whether it takes no more: only then is it ever kept elsewhere.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= CHUNK_ENTRIES
    }

    /// SHA-256 of its bytes, worked out once. Asked of full chunks only, which do not change any more.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(&self.bytes).into())
    }

    /// Ids of its entries, in order.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> + '_ {
        let count = self.len();
        (0..count).filter_map(|index| self.entry_bytes(index).and_then(id_of))
    }

    pub(super) fn entry_bytes(&self, index: u32) -> Option<&[u8]> {
        let start = self.starts.get(usize::try_from(index).ok()?)?;
        self.bytes.get(usize::try_from(*start).ok()?..)
    }
}
