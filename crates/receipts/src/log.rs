//! The append-only tree in memory: every complete node is kept, 64 bytes per leaf, so that a proof for any leaf in any earlier tree reads
//! a number of hashes that grows with the logarithm of the tree.

use thiserror::Error;

use crate::frontier::Frontier;
use crate::hash::{TreeHash, leaf_hash, node_hash};
use crate::proof::{TreeHead, split};

/// A question about leaves the log does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("leaves {start} to {end} of a tree of {size} are not in a log of {len}")]
pub struct RangeError {
    /// First leaf asked about.
    pub start: u64,
    /// The leaf after the last.
    pub end: u64,
    /// Size of the tree asked about.
    pub size: u64,
    /// Leaves in the log.
    pub len: u64,
}

/// The log. `levels[0]` are the leaves' hashes; `levels[n][i]` is the root of the complete tree of 2ⁿ leaves from leaf `i`·2ⁿ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MerkleLog {
    levels: Vec<Vec<TreeHash>>,
}

impl MerkleLog {
    /// An empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Appends a leaf and returns its number.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        self.append_hash(leaf_hash(leaf))
    }

    /// Appends a leaf by its hash and returns its number.
    pub fn append_hash(&mut self, hash: TreeHash) -> u64 {
        let index = self.len();
        let mut hash = hash;
        let mut height = 0_usize;
        loop {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let Some(level) = self.levels.get_mut(height) else { return index };
            level.push(hash);
            let [.., left, right] = level.as_slice() else { return index };
            if !level.len().is_multiple_of(2) {
                return index;
            }
            hash = node_hash(left, right);
            height = height.saturating_add(1);
        }
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        let count = self.levels.first().map_or(0, Vec::len);
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Whether there is no leaf yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// The hash of a leaf.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<TreeHash> {
        self.node(0, index)
    }

    /// Size and root of the whole log.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        let size = self.len();
        // The log's own size is always within the log.
        let root = self.root_of(0, size).unwrap_or_else(TreeHash::empty_root);
        TreeHead { size, root }
    }

    /// Size and root of the tree when it had `size` leaves.
    ///
    /// # Errors
    /// The log has fewer leaves.
    pub fn head_at(&self, size: u64) -> Result<TreeHead, RangeError> {
        let fault = RangeError { start: 0, end: size, size, len: self.len() };
        if size == 0 {
            return Ok(TreeHead { size, root: TreeHash::empty_root() });
        }
        let root = self.root_of(0, size).ok_or(fault)?;
        Ok(TreeHead { size, root })
    }

    /// Proof that the leaf is in the tree of `size` leaves, for [`TreeHead::verify_inclusion`].
    ///
    /// # Errors
    /// The leaf is not in that tree, or the log has fewer leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<TreeHash>, RangeError> {
        self.subtree_proof(index, index.saturating_add(1), size)
    }

    /// Proof that the tree of `size` leaves extends the one of `older_size`, for [`TreeHead::verify_extends`].
    ///
    /// # Errors
    /// The older tree is empty or larger, or the log has fewer leaves.
    pub fn consistency_proof(&self, older_size: u64, size: u64) -> Result<Vec<TreeHash>, RangeError> {
        self.subtree_proof(0, older_size, size)
    }

    /// Proof that the subtree of the leaves `start` to `end` is in the tree of `size`, for [`TreeHead::verify_subtree`].
    ///
    /// # Errors
    /// Not a subtree with leaves in that tree, or the log has fewer leaves.
    pub fn subtree_proof(&self, start: u64, end: u64, size: u64) -> Result<Vec<TreeHash>, RangeError> {
        let len = self.len();
        let fault = RangeError { start, end, size, len };
        let count = end.checked_sub(start).filter(|count| *count > 0).ok_or(fault)?;
        let step = count.checked_next_power_of_two();
        let aligned = start == 0 || step.and_then(|step| start.checked_rem(step)) == Some(0);
        if !aligned || end > size || size > len {
            return Err(fault);
        }
        let mut proof = Vec::new();
        let part = Part { first: 0, size, start, end, known: true };
        self.prove(&part, &mut proof).ok_or(fault)?;
        Ok(proof)
    }

    /// The right edge of the log, enough to append to it elsewhere.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        let size = self.len();
        let mut peaks = Vec::new();
        let mut first = 0_u64;
        for height in (0..u64::BITS).rev() {
            if size >> height & 1 == 1 {
                peaks.extend(self.node(height, first >> height));
                first = first.saturating_add(1 << height);
            }
        }
        Frontier::from_parts(size, peaks)
    }

    /// The mirror of the walk that checks a proof: hashes from the subtree outwards.
    fn prove(&self, part: &Part, proof: &mut Vec<TreeHash>) -> Option<()> {
        let &Part { first, size, start, end, known } = part;
        if start == 0 && end == size {
            if !known {
                proof.push(self.root_of(first, size)?);
            }
            return Some(());
        }
        let middle = split(size);
        let (right, right_size) = (first.checked_add(middle)?, size.checked_sub(middle)?);
        let beside = if end <= middle {
            self.prove(&Part { size: middle, ..*part }, proof)?;
            self.root_of(right, right_size)?
        } else {
            let end = end.checked_sub(middle)?;
            let (start, known) = start.checked_sub(middle).map_or((0, false), |start| (start, known));
            self.prove(&Part { first: right, size: right_size, start, end, known }, proof)?;
            self.root_of(first, middle)?
        };
        proof.push(beside);
        Some(())
    }

    /// The root of `size` leaves from `first`, which is where a subtree of that size can start.
    fn root_of(&self, first: u64, size: u64) -> Option<TreeHash> {
        if size.is_power_of_two() {
            let height = size.trailing_zeros();
            return self.node(height, first >> height);
        }
        if size == 0 {
            return None;
        }
        let middle = split(size);
        let left = self.root_of(first, middle)?;
        let right = self.root_of(first.checked_add(middle)?, size.checked_sub(middle)?)?;
        Some(node_hash(&left, &right))
    }

    fn node(&self, height: u32, index: u64) -> Option<TreeHash> {
        let level = self.levels.get(usize::try_from(height).ok()?)?;
        level.get(usize::try_from(index).ok()?).copied()
    }
}

impl FromIterator<TreeHash> for MerkleLog {
    /// A log of leaves that are stored elsewhere, in their order.
    fn from_iter<I: IntoIterator<Item = TreeHash>>(leaves: I) -> Self {
        let mut log = Self::new();
        for leaf in leaves {
            log.append_hash(leaf);
        }
        log
    }
}

/// A part of the tree, and a subtree's place within it.
struct Part {
    first: u64,
    size: u64,
    start: u64,
    end: u64,
    known: bool,
}
