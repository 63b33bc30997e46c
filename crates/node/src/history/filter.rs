//! Tells at once that an id is not there, for nearly all that are not: a Bloom filter whose bits for one id lie in one line of the cache
//! (Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", 2007).

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// Bits for each entry. With [`PROBES`] bits each about one absent id in a hundred is taken for one that may be there.
const BITS: usize = 12;
/// Bits of a block: a line of the cache.
const BLOCK_BITS: usize = 512;
/// Bits that stand for an id.
const PROBES: u32 = 6;

/// A set of ids that may say "maybe" of one it does not have, and never "no" of one it has.
pub(super) struct Filter {
    blocks: Vec<[u64; 8]>,
    hasher: RandomState,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("blocks", &self.blocks.len()).finish_non_exhaustive()
    }
}

impl Filter {
    /// An empty one with room for so many.
    pub(super) fn for_entries(entries: usize) -> Self {
        let blocks = entries.saturating_mul(BITS).div_ceil(BLOCK_BITS).max(1);
        Self { blocks: vec![[0; 8]; blocks], hasher: RandomState::new() }
    }

    pub(super) fn insert(&mut self, id: u128) {
        let (block, bits) = self.place(id);
        if let Some(block) = self.blocks.get_mut(block) {
            for (word, mask) in bits {
                if let Some(word) = block.get_mut(word) {
                    *word |= mask;
                }
            }
        }
    }

    pub(super) fn may_have(&self, id: u128) -> bool {
        let (block, mut bits) = self.place(id);
        let block = self.blocks.get(block);
        block.is_some_and(|block| {
            bits.all(|(word, mask)| block.get(word).is_some_and(|word| word & mask != 0))
        })
    }

    /// The block of an id, and its bits in it: a word and a bit for each nine bits of the hash.
    fn place(&self, id: u128) -> (usize, impl Iterator<Item = (usize, u64)> + use<>) {
        let hash = self.hasher.hash_one(id);
        let blocks = u64::try_from(self.blocks.len()).unwrap_or(1);
        // A second mixing gives the block, so that it tells nothing of the bits; a product's upper half saves the division.
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let block = usize::try_from(mixed.wrapping_mul(blocks) >> 32).unwrap_or(0);
        let bits = (0..PROBES).map(move |probe| {
            let nine = (hash >> probe.saturating_mul(9)) & 511;
            let word = usize::try_from(nine >> 6).unwrap_or(0);
            (word, 1_u64 << (nine & 63))
        });
        (block, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_says_no_of_what_it_has_and_seldom_maybe_of_what_it_has_not() {
        let mut filter = Filter::for_entries(100_000);
        for id in 0..100_000_u128 {
            filter.insert(id << 70 | id);
        }
        assert!((0..100_000_u128).all(|id| filter.may_have(id << 70 | id)));
        let wrong = (100_000..200_000_u128).filter(|id| filter.may_have(id << 70 | id)).count();
        assert!(wrong < 2_000, "{wrong} of 100,000 absent ids were taken for present");
    }
}
