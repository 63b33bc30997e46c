//! The right edge of a log: the roots of its complete trees, largest first. It is a few hundred bytes however large the log is, and it
//! is all that appending and the root need; proofs need the whole [`crate::MerkleLog`].

use thiserror::Error;

use crate::hash::{TreeHash, leaf_hash, node_hash};
use crate::proof::TreeHead;

/// Stored bytes that are not a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{bytes} bytes are not the frontier of a log")]
pub struct FrontierError {
    /// Bytes given.
    pub bytes: usize,
}

/// The right edge of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// The edge of an empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    pub(crate) const fn from_parts(size: u64, peaks: Vec<TreeHash>) -> Self {
        Self { size, peaks }
    }

    /// Appends a leaf and returns its number.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        self.append_hash(leaf_hash(leaf))
    }

    /// Appends a leaf by its hash and returns its number.
    pub fn append_hash(&mut self, hash: TreeHash) -> u64 {
        let index = self.size;
        let mut hash = hash;
        // One complete tree is closed for each one bit at the end of the size.
        for _ in 0..index.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size = index.saturating_add(1);
        index
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        let fold = |right: TreeHash, left: &TreeHash| node_hash(left, &right);
        let root = match self.peaks.split_last() {
            Some((last, before)) => before.iter().rev().fold(*last, fold),
            None => TreeHash::empty_root(),
        };
        TreeHead { size: self.size, root }
    }

    /// The storage form: the size in 8 bytes, big-endian, then 32 bytes for each one bit in it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Reads the storage form.
    ///
    /// # Errors
    /// Another number of bytes than the size in front needs.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let fault = FrontierError { bytes: bytes.len() };
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(fault)?;
        let size = u64::from_be_bytes(*size);
        let (peaks, rest) = rest.as_chunks::<32>();
        let expected = usize::try_from(size.count_ones()).map_err(|_| fault)?;
        if !rest.is_empty() || peaks.len() != expected {
            return Err(fault);
        }
        Ok(Self { size, peaks: peaks.iter().copied().map(TreeHash::new).collect() })
    }
}
