//! Orders that wait for a price to trade, by trigger and then by time.

use std::collections::BTreeMap;

use crate::Side;

/// The stops of both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stops {
    /// By trigger, lowest first.
    bids: BTreeMap<(u64, u64), u32>,
    /// By the complement of the trigger, so highest first.
    asks: BTreeMap<(u64, u64), u32>,
    /// How many have waited so far: the next one's place in time.
    pub(super) waited: u64,
}

/// The least and the greatest price that traded since stops were last looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traded {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Traded {
    /// Nothing traded.
    pub(super) const NOTHING: Self = Self { low: u64::MAX, high: 0 };

    #[inline]
    pub(super) fn note(&mut self, price: u64) {
        self.low = self.low.min(price);
        self.high = self.high.max(price);
    }

    const fn is_nothing(self) -> bool {
        self.low > self.high
    }
}

impl Stops {
    const fn key(side: Side, trigger: u64) -> u64 {
        match side {
            Side::Bid => trigger,
            Side::Ask => !trigger,
        }
    }

    const fn side_mut(&mut self, side: Side) -> &mut BTreeMap<(u64, u64), u32> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    /// The stops of a side in the order in which they would come in, with their triggers.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = (u64, u64, u32)> + '_ {
        let stops = match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        };
        stops.iter().map(move |((key, since), slot)| (Self::key(side, *key), *since, *slot))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.bids.len().saturating_add(self.asks.len())
    }

    /// Takes an order up, behind those of the same trigger; says its place in time.
    pub(super) fn push(&mut self, side: Side, trigger: u64, slot: u32) -> u64 {
        let since = self.waited;
        self.waited = since.saturating_add(1);
        self.put(side, trigger, since, slot);
        since
    }

    /// Takes an order up at a place in time that it has already.
    pub(super) fn put(&mut self, side: Side, trigger: u64, since: u64, slot: u32) {
        self.side_mut(side).insert((Self::key(side, trigger), since), slot);
    }

    pub(super) fn remove(&mut self, side: Side, trigger: u64, since: u64) {
        self.side_mut(side).remove(&(Self::key(side, trigger), since));
    }

    /// The next order whose trigger lies within what traded: bids before asks, then by trigger, then by time.
    pub(super) fn next(&self, traded: Traded) -> Option<u32> {
        if traded.is_nothing() {
            return None;
        }
        let first = |stops: &BTreeMap<(u64, u64), u32>, most: u64| {
            stops.first_key_value().filter(|((key, _), _)| *key <= most).map(|(_, slot)| *slot)
        };
        first(&self.bids, traded.high).or_else(|| first(&self.asks, !traded.low))
    }
}
