//! The prices of one side, best first, and the queue at each.
//!
//! A price is looked up by its *key*, which is smaller the better the price is: the ticks of an ask, their complement for a bid. So both sides are one
//! code. Keys within the band are found by their place: a bit in a bitmap of three levels, and a queue in a chunk of 64 that is made when its first
//! price is used. Keys outside are in an ordered map. Where the band lies changes the speed, never the result.
//!
//! **Invariants.** A bit is set where a queue has orders. `best` is the least key that has any. A queue's sums are those of its orders, since both
//! change here together.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::book::order::{Link, NIL};
use crate::{Price, Side};

/// Prices in the band.
pub(super) const BAND: u64 = 1 << 18;
/// Queues of a chunk, and bits of a word.
const WORD: usize = 64;
/// Words of the lowest bitmap.
const LEAVES: usize = 1 << 12;

/// The queue at one price, first come first, with its sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) count: u32,
    /// What is shown.
    pub(super) shown: u64,
    /// What is there, shown or not.
    pub(super) total: u64,
}

impl Level {
    #[inline]
    fn push_back(&mut self, links: &mut [Link], slot: u32, shown: u64, total: u64) {
        let tail = self.tail;
        self.tail = slot;
        self.count = self.count.wrapping_add(1);
        self.shown = self.shown.wrapping_add(shown);
        self.total = self.total.wrapping_add(total);
        if tail == NIL {
            self.head = slot;
        } else if let Some(link) = links.get_mut(tail as usize) {
            link.next = slot;
        }
        if let Some(link) = links.get_mut(slot as usize) {
            *link = Link { prev: tail, next: NIL };
        }
    }

    #[inline]
    fn remove(&mut self, links: &mut [Link], slot: u32, shown: u64, total: u64) {
        let Link { prev, next } = links.get(slot as usize).copied().unwrap_or_default();
        self.count = self.count.wrapping_sub(1);
        self.shown = self.shown.wrapping_sub(shown);
        self.total = self.total.wrapping_sub(total);
        if prev == NIL {
            self.head = next;
        } else if let Some(link) = links.get_mut(prev as usize) {
            link.next = next;
        }
        if next == NIL {
            self.tail = prev;
        } else if let Some(link) = links.get_mut(next as usize) {
            link.prev = prev;
        }
    }
}

/// 64 neighbouring prices of the band.
#[derive(Debug, Clone, Copy, Default)]
struct Leaf {
    /// Which have orders.
    bits: u64,
    /// Where their queues are, counted from 1; 0 before the first.
    chunk: u32,
}

/// One side of a book.
#[derive(Debug, Clone)]
pub(super) struct Ladder {
    /// Flips the bits of a bid's price.
    flip: u64,
    /// The first key of the band, a multiple of [`WORD`].
    first: u64,
    /// The least key with orders, where `prices` is not 0.
    best: u64,
    /// Prices with orders.
    prices: u32,
    top: u64,
    middle: [u64; WORD],
    leaves: Vec<Leaf>,
    chunks: Vec<[Level; WORD]>,
    far: BTreeMap<u64, Level>,
}

#[cold]
#[inline(never)]
fn lost(key: u64) -> ! {
    money::broken(format_args!("an order book has no queue at key {key}"))
}

#[inline]
const fn bit(place: u64) -> u64 {
    1_u64.wrapping_shl((place & 63) as u32)
}

/// The bits above a place.
#[inline]
const fn above(place: u64) -> u64 {
    (u64::MAX << 1).wrapping_shl((place & 63) as u32)
}

impl Ladder {
    /// An empty side, its band beginning at `from` or a little below.
    pub(super) fn new(side: Side, from: Price) -> Self {
        let from = from.ticks().min(u64::MAX.wrapping_sub(BAND)) & !63;
        let (flip, first) = match side {
            Side::Bid => (u64::MAX, !from.wrapping_add(BAND.wrapping_sub(1))),
            Side::Ask => (0, from),
        };
        Self {
            flip,
            first,
            best: 0,
            prices: 0,
            top: 0,
            middle: [0; WORD],
            leaves: vec![Leaf::default(); LEAVES],
            // Address space only: memory comes with the first use of each chunk.
            chunks: Vec::with_capacity(LEAVES),
            far: BTreeMap::new(),
        }
    }

    /// The key of a price.
    #[inline]
    pub(super) const fn key(&self, price: u64) -> u64 {
        price ^ self.flip
    }

    /// The price of a key.
    #[inline]
    pub(super) const fn price(&self, key: u64) -> u64 {
        key ^ self.flip
    }

    /// How many prices have orders.
    pub(super) const fn prices(&self) -> u32 {
        self.prices
    }

    /// Bytes that the lists have room for, without what is far.
    pub(super) fn room_bytes(&self) -> usize {
        let leaves = self.leaves.capacity().saturating_mul(size_of::<Leaf>());
        self.chunks.capacity().saturating_mul(size_of::<[Level; WORD]>()).saturating_add(leaves)
    }

    /// The best key.
    #[inline]
    pub(super) const fn best(&self) -> Option<u64> {
        if self.prices == 0 { None } else { Some(self.best) }
    }

    /// Whether an order of the other side with this limit would trade.
    #[inline]
    pub(super) const fn is_crossed_by(&self, limit: u64) -> bool {
        self.prices != 0 && self.best <= self.key(limit)
    }

    /// The best key and the first order there.
    #[inline]
    pub(super) fn front(&self) -> Option<(u64, u32)> {
        let key = self.best()?;
        Some((key, self.level(key).head))
    }

    /// The queue at a key that has orders.
    #[inline]
    pub(super) fn level(&self, key: u64) -> &Level {
        let place = key.wrapping_sub(self.first);
        let found = if place < BAND { self.near(place) } else { self.far.get(&key) };
        found.unwrap_or_else(|| lost(key))
    }

    #[inline]
    fn near(&self, place: u64) -> Option<&Level> {
        let leaf = self.leaves.get((place >> 6) as usize)?;
        self.chunks.get(leaf.chunk.wrapping_sub(1) as usize)?.get((place & 63) as usize)
    }

    /// The last order at a price of the band; 0 for none, or outside of it.
    #[inline]
    pub(super) fn tail(&self, price: u64) -> u32 {
        let place = self.key(price).wrapping_sub(self.first);
        if place < BAND { self.near(place).map_or(0, |level| level.tail) } else { 0 }
    }

    /// Puts an order at the back of its price.
    #[inline]
    pub(super) fn push_back(&mut self, links: &mut [Link], slot: u32, price: u64, shown: u64, total: u64) {
        let key = self.key(price);
        let place = key.wrapping_sub(self.first);
        let is_new = if place < BAND {
            let Some(leaf) = self.leaves.get_mut((place >> 6) as usize) else { lost(key) };
            if leaf.chunk == 0 {
                self.chunks.push([Level::default(); WORD]);
                leaf.chunk = self.chunks.len() as u32;
            }
            let Some(chunk) = self.chunks.get_mut(leaf.chunk.wrapping_sub(1) as usize) else { lost(key) };
            let Some(level) = chunk.get_mut((place & 63) as usize) else { lost(key) };
            level.push_back(links, slot, shown, total);
            let is_new = level.count == 1;
            if is_new {
                leaf.bits |= bit(place);
                if let Some(word) = self.middle.get_mut((place >> 12) as usize) {
                    *word |= bit(place >> 6);
                }
                self.top |= bit(place >> 12);
            }
            is_new
        } else {
            let level = self.far.entry(key).or_default();
            level.push_back(links, slot, shown, total);
            level.count == 1
        };
        if is_new {
            if self.prices == 0 || key < self.best {
                self.best = key;
            }
            self.prices = self.prices.wrapping_add(1);
        }
    }

    /// Takes an order out of its price.
    #[inline]
    pub(super) fn remove(&mut self, links: &mut [Link], slot: u32, price: u64, shown: u64, total: u64) {
        let key = self.key(price);
        let place = key.wrapping_sub(self.first);
        let is_empty = if place < BAND {
            let Some(leaf) = self.leaves.get_mut((place >> 6) as usize) else { lost(key) };
            let Some(chunk) = self.chunks.get_mut(leaf.chunk.wrapping_sub(1) as usize) else { lost(key) };
            let Some(level) = chunk.get_mut((place & 63) as usize) else { lost(key) };
            level.remove(links, slot, shown, total);
            let is_empty = level.count == 0;
            if is_empty {
                leaf.bits &= !bit(place);
                if leaf.bits == 0
                    && let Some(word) = self.middle.get_mut((place >> 12) as usize)
                {
                    *word &= !bit(place >> 6);
                    if *word == 0 {
                        self.top &= !bit(place >> 12);
                    }
                }
            }
            is_empty
        } else {
            let Some(level) = self.far.get_mut(&key) else { lost(key) };
            level.remove(links, slot, shown, total);
            let is_empty = level.count == 0;
            if is_empty {
                self.far.remove(&key);
            }
            is_empty
        };
        if is_empty {
            self.prices = self.prices.wrapping_sub(1);
            if key == self.best && self.prices != 0 {
                self.best = self.after(key).unwrap_or(0);
            }
        }
    }

    /// Makes what is shown and what is there smaller at a price, and says which order is first there.
    #[inline]
    pub(super) fn lessen(&mut self, price: u64, shown: u64, total: u64) {
        let key = self.key(price);
        let place = key.wrapping_sub(self.first);
        let level = if place < BAND {
            let leaf = self.leaves.get((place >> 6) as usize);
            leaf.and_then(|leaf| self.chunks.get_mut(leaf.chunk.wrapping_sub(1) as usize))
                .and_then(|chunk| chunk.get_mut((place & 63) as usize))
        } else {
            self.far.get_mut(&key)
        };
        let Some(level) = level else { lost(key) };
        level.shown = level.shown.wrapping_sub(shown);
        level.total = level.total.wrapping_sub(total);
    }

    /// The next worse key that has orders.
    pub(super) fn after(&self, key: u64) -> Option<u64> {
        let near = match key.checked_sub(self.first) {
            None => self.near_from(0),
            Some(place) if place < BAND => self.near_after(place),
            Some(_) => None,
        }
        .map(|place| place.wrapping_add(self.first));
        if self.far.is_empty() {
            return near;
        }
        let far = self.far.range((Bound::Excluded(key), Bound::Unbounded)).next().map(|(key, _)| *key);
        match (near, far) {
            (Some(near), Some(far)) => Some(near.min(far)),
            (near, far) => near.or(far),
        }
    }

    /// The first place of the band at or after one that begins a leaf.
    fn near_from(&self, place: u64) -> Option<u64> {
        let bits = self.leaves.get((place >> 6) as usize)?.bits;
        if bits & bit(place) != 0 { Some(place) } else { self.near_after(place) }
    }

    /// The first place of the band after one.
    #[inline]
    fn near_after(&self, place: u64) -> Option<u64> {
        let leaf = place >> 6;
        let bits = self.leaves.get(leaf as usize)?.bits & above(place);
        if bits != 0 {
            return Some((leaf << 6) | u64::from(bits.trailing_zeros()));
        }
        let word = leaf >> 6;
        let mut leaves = self.middle.get(word as usize)? & above(leaf);
        let mut found = word;
        if leaves == 0 {
            let words = self.top & above(word);
            if words == 0 {
                return None;
            }
            found = u64::from(words.trailing_zeros());
            leaves = *self.middle.get(found as usize)?;
        }
        let leaf = (found << 6) | u64::from(leaves.trailing_zeros());
        let bits = self.leaves.get(leaf as usize)?.bits;
        Some((leaf << 6) | u64::from(bits.trailing_zeros()))
    }

    /// The keys with orders, best first.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::successors(self.best(), |key| self.after(*key))
    }

    /// Looks for bits that do not say which queues have orders.
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let (mut top, mut prices) = (0_u64, self.far.len());
        for (word, leaves) in (0_u64..).zip(&self.middle) {
            let mut expected = 0_u64;
            for leaf in 0..64_u64 {
                let place = (word << 6) | leaf;
                let Some(found) = self.leaves.get(place as usize) else { continue };
                let chunk = self.chunks.get(found.chunk.wrapping_sub(1) as usize);
                let bits = chunk.map_or(0, |chunk| {
                    (0_u64..).zip(chunk).fold(
                        0,
                        |bits, (at, level)| {
                            if level.count == 0 { bits } else { bits | bit(at) }
                        },
                    )
                });
                if bits != found.bits {
                    faults.push(format!("bits of leaf {place}"));
                }
                if bits != 0 {
                    expected |= bit(leaf);
                }
                prices = prices.saturating_add(bits.count_ones() as usize);
            }
            if expected != *leaves {
                faults.push(format!("bits of word {word}"));
            }
            if expected != 0 {
                top |= bit(word);
            }
        }
        if top != self.top {
            faults.push("bits of the top".to_owned());
        }
        if prices != self.prices as usize {
            faults.push(format!("{prices} prices have queues, {} counted", self.prices));
        }
        let far = self.far.keys().next().copied();
        let near = self.near_from(0).map(|place| place.wrapping_add(self.first));
        let least = match (near, far) {
            (Some(near), Some(far)) => Some(near.min(far)),
            (near, far) => near.or(far),
        };
        if least != self.best() {
            faults.push(format!("best is {least:?}, kept is {:?}", self.best()));
        }
    }
}
