//! The core's only hash map.

use std::hash::Hash;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A hash map by id whose order is that of insertion, never that of a hash.
///
/// Two replays that make the same changes walk it in the same order, so a snapshot of it is a function of the journal alone.
/// Removal moves the last element into the gap, which is the same on every replay too. The hash is a quick one with a seed of the
/// process, so that nobody outside can choose ids that collide.
#[derive(Debug, Clone)]
pub struct IdMap<K, V> {
    map: IndexMap<K, V, RandomState>,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self { map: IndexMap::default() }
    }
}

impl<K: Hash + Eq, V> IdMap<K, V> {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    /// The value of `key`, to change.
    #[must_use]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    /// Whether there is a value for `key`.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    /// Puts a value in, and gives back the one it replaces.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.map.swap_remove(key)
    }

    /// The value of `key`, made when there is none.
    pub fn entry_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.map.entry(key).or_insert_with(make)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The pair at `position` in that order; positions hold as long as nothing is removed.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<(&K, &V)> {
        self.map.get_index(position)
    }

    /// The position of `key` in that order, for [`IdMap::at`].
    #[must_use]
    pub fn position(&self, key: &K) -> Option<usize> {
        self.map.get_index_of(key)
    }

    /// The value at `position`, to change.
    #[must_use]
    pub fn at_mut(&mut self, position: usize) -> Option<&mut V> {
        self.map.get_index_mut(position).map(|(_, value)| value)
    }

    /// All pairs in a fixed order: the same on every replay.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.map.iter()
    }
}

impl<C, K: Encode<C>, V: Encode<C>> Encode<C> for IdMap<K, V> {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(self.map.len() as u64)?;
        for (key, value) in &self.map {
            key.encode(e, ctx)?;
            value.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C, K: Decode<'b, C> + Hash + Eq, V: Decode<'b, C>> Decode<'b, C> for IdMap<K, V> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let len = d.map()?.ok_or_else(|| decode::Error::message("map of unknown length"))?;
        let mut map = IndexMap::default();
        for _ in 0..len {
            let key = K::decode(d, ctx)?;
            if map.insert(key, V::decode(d, ctx)?).is_some() {
                return Err(decode::Error::message("key twice in a map"));
            }
        }
        Ok(Self { map })
    }
}
