//! Checking proofs: that a leaf is in a tree, that one tree extends another, and the same for subtrees.
//!
//! One walk serves all four. A proof of the subtree `[start, end)` in a tree lists, from the subtree outwards, what must be hashed
//! beside it; consistency (RFC 6962 §2.1.2) is the subtree that starts at 0, inclusion (§2.1.1) the subtree of one leaf. A subtree is
//! valid when its start is a multiple of its size rounded up to a power of two, as in the IETF's Merkle tree certificates.

use thiserror::Error;

use crate::hash::{TreeHash, node_hash};

/// A leaf and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Its number, from 0.
    pub index: u64,
    /// Its hash.
    pub hash: TreeHash,
}

/// A tree: how many leaves, and its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Its root.
    pub root: TreeHash,
}

/// The tree over the leaves `start` to `end`, without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// First leaf.
    pub start: u64,
    /// The leaf after the last.
    pub end: u64,
    /// Root of these leaves' own tree.
    pub root: TreeHash,
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf or subtree does not lie in the tree.
    #[error("leaves {start} to {end} are not in a tree of {size}")]
    Outside {
        /// First leaf asked about.
        start: u64,
        /// The leaf after the last.
        end: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// An empty tree has nothing to prove.
    #[error("an empty tree proves nothing")]
    Empty,
    /// No tree of this shape has such a subtree.
    #[error("leaves {start} to {end} are not a subtree")]
    NotASubtree {
        /// First leaf.
        start: u64,
        /// The leaf after the last.
        end: u64,
    },
    /// Too few or too many hashes for the place.
    #[error("proof has {given} hashes, not the number its place needs")]
    Length {
        /// Hashes given.
        given: usize,
    },
    /// The hashes lead to another root.
    #[error("proof leads to another root")]
    Root,
}

impl TreeHead {
    /// Checks that `leaf` is in this tree.
    ///
    /// # Errors
    /// The place is outside, or the proof does not lead from the leaf to the root.
    pub fn verify_inclusion(&self, leaf: &Leaf, proof: &[TreeHash]) -> Result<(), ProofError> {
        let end = leaf.index.saturating_add(1);
        if leaf.index >= self.size {
            return Err(ProofError::Outside { start: leaf.index, end, size: self.size });
        }
        verify(&Subtree { start: leaf.index, end, root: leaf.hash }, self, proof)
    }

    /// Checks that this tree begins with all leaves of `older`.
    ///
    /// # Errors
    /// `older` is empty or larger, or the proof does not lead to both roots.
    pub fn verify_extends(&self, older: &Self, proof: &[TreeHash]) -> Result<(), ProofError> {
        if older.size == 0 {
            return Err(ProofError::Empty);
        }
        self.verify_subtree(&Subtree { start: 0, end: older.size, root: older.root }, proof)
    }

    /// Checks that `subtree` is part of this tree. An empty subtree is part of every tree that reaches its place.
    ///
    /// # Errors
    /// The place is outside or not a subtree, or the proof does not lead to both roots.
    pub fn verify_subtree(&self, subtree: &Subtree, proof: &[TreeHash]) -> Result<(), ProofError> {
        let &Subtree { start, end, root } = subtree;
        if start > end || end > self.size {
            return Err(ProofError::Outside { start, end, size: self.size });
        }
        if start == end {
            return match proof {
                [] if root == TreeHash::empty_root() => Ok(()),
                [] => Err(ProofError::Root),
                _ => Err(ProofError::Length { given: proof.len() }),
            };
        }
        subtree.check_shape()?;
        verify(subtree, self, proof)
    }
}

impl Subtree {
    /// Checks that `leaf`, by its number in the whole tree, is in this subtree.
    ///
    /// # Errors
    /// Not a subtree, the leaf is outside, or the proof does not lead from the leaf to the root.
    pub fn verify_inclusion(&self, leaf: &Leaf, proof: &[TreeHash]) -> Result<(), ProofError> {
        let outside = ProofError::Outside {
            start: leaf.index,
            end: leaf.index.saturating_add(1),
            size: self.end.saturating_sub(self.start),
        };
        let size = self.end.checked_sub(self.start).filter(|size| *size > 0).ok_or(outside)?;
        self.check_shape()?;
        let index = leaf.index.checked_sub(self.start).ok_or(outside)?;
        TreeHead { size, root: self.root }.verify_inclusion(&Leaf { index, hash: leaf.hash }, proof)
    }

    fn check_shape(&self) -> Result<(), ProofError> {
        let Self { start, end, .. } = *self;
        let step = end.saturating_sub(start).checked_next_power_of_two();
        let aligned = start == 0 || step.and_then(|step| start.checked_rem(step)) == Some(0);
        if aligned { Ok(()) } else { Err(ProofError::NotASubtree { start, end }) }
    }
}

fn verify(subtree: &Subtree, tree: &TreeHead, proof: &[TreeHash]) -> Result<(), ProofError> {
    let place = Place { start: subtree.start, end: subtree.end, size: tree.size, known: Some(subtree.root) };
    let roots = place.walk(proof).ok_or(ProofError::Length { given: proof.len() })?;
    if roots == (subtree.root, tree.root) { Ok(()) } else { Err(ProofError::Root) }
}

/// The largest power of two below `size`, where a tree of `size` leaves (at least 2) splits.
pub(crate) const fn split(size: u64) -> u64 {
    1_u64 << size.saturating_sub(1).ilog2()
}

/// A subtree's place within a part of the tree that is `size` leaves long.
struct Place {
    start: u64,
    end: u64,
    size: u64,
    /// The subtree's root, where the checker knows it and the proof therefore leaves it out.
    known: Option<TreeHash>,
}

impl Place {
    /// The roots of the subtree and of the part, as the proof has them; nothing when the proof has another length.
    /// Each step halves the part, so it is at most 64 deep.
    fn walk(&self, proof: &[TreeHash]) -> Option<(TreeHash, TreeHash)> {
        let &Self { start, end, size, known } = self;
        if start == 0 && end == size {
            return match (known, proof) {
                (Some(root), []) => Some((root, root)),
                (None, [root]) => Some((*root, *root)),
                _ => None,
            };
        }
        let (beside, inner) = proof.split_last()?;
        let middle = split(size);
        if end <= middle {
            let (sub, part) = Self { size: middle, ..*self }.walk(inner)?;
            return Some((sub, node_hash(&part, beside)));
        }
        let size = size.checked_sub(middle)?;
        let end = end.checked_sub(middle)?;
        if let Some(start) = start.checked_sub(middle) {
            let (sub, part) = Self { start, end, size, known }.walk(inner)?;
            return Some((sub, node_hash(beside, &part)));
        }
        // The subtree reaches over the middle, so it starts at 0 and its left half is `beside` too.
        let (sub, part) = Self { start: 0, end, size, known: None }.walk(inner)?;
        Some((node_hash(beside, &sub), node_hash(beside, &part)))
    }
}
