//! Where the item with an id stands in a list that is kept elsewhere.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Parts of the index. A part grows by itself, so that no single insertion pays for making all of a large index anew.
const PARTS: usize = 64;
/// From 128-bit ids to positions in a list: 8 bytes for each and no copy of the id, which the list itself has.
///
/// It has no order of its own that could be walked, and it is made again from the list when a snapshot is read. The hash is a quick one
/// with a seed of the process, so that nobody outside can choose ids that collide.
#[derive(Clone)]
pub struct PositionIndex {
    parts: Vec<HashTable<Slot>>,
    len: usize,
    hasher: RandomState,
}

/// A position and 32 bits of its id's hash, enough to place it again when its part grows.
#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    position: u32,
}

impl Slot {
    /// The table looks at the highest and the lowest bits, so the 32 are spread over 64.
    fn spread(tag: u32) -> u64 {
        u64::from(tag).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl Default for PositionIndex {
    fn default() -> Self {
        Self { parts: vec![HashTable::new(); PARTS], len: 0, hasher: RandomState::default() }
    }
}

impl fmt::Debug for PositionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PositionIndex").field("len", &self.len()).finish()
    }
}

impl PositionIndex {
    /// The position of `id`; `is_at` tells whether the item at a position has that id.
    #[must_use]
    pub fn find(&self, id: u128, is_at: impl Fn(u32) -> bool) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let (tag, part) = self.place(id);
        let found =
            self.parts.get(part)?.find(Slot::spread(tag), |slot| slot.tag == tag && is_at(slot.position))?;
        Some(found.position)
    }

    /// Remembers that the item with `id`, which is not in the index, stands at `position`.
    pub fn insert(&mut self, id: u128, position: u32) {
        let (tag, part) = self.place(id);
        self.len = self.len.saturating_add(1);
        if let Some(part) = self.parts.get_mut(part) {
            part.insert_unique(Slot::spread(tag), Slot { tag, position }, |slot| Slot::spread(slot.tag));
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tag and part of an id: different bits of one hash.
    fn place(&self, id: u128) -> (u32, usize) {
        let hash = self.hasher.hash_one(id);
        let [a, b, c, d, one, other, ..] = hash.to_be_bytes();
        // The greater of two draws: the parts are of all sizes, so they come to double them one after another and not all at once.
        let part = one.max(other) >> 2;
        (u32::from_be_bytes([a, b, c, d]), usize::from(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let ids: Vec<u128> = (0..50_000_u128).map(|n| n << 64 | 7).collect();
        let mut index = PositionIndex::default();
        for (position, id) in (0..).zip(&ids) {
            index.insert(*id, position);
        }
        let find = |id: u128| {
            index.find(id, |position| ids.get(usize::try_from(position).unwrap_or(usize::MAX)) == Some(&id))
        };
        assert_eq!(index.len(), ids.len());
        for (position, id) in (0..).zip(&ids) {
            assert_eq!(find(*id), Some(position));
            assert_eq!(find(id | 1 << 3), None);
        }
    }
}
