//! What orders are counted in, and the numbers that name things of a market.

use std::fmt;

use minicbor::{Decode, Encode};

/// A market, numbered from 1 in the order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct MarketNumber(#[n(0)] u32);

impl MarketNumber {
    /// The market with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for MarketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which side of the book an order is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Side {
    /// Buys base, pays quote.
    #[n(0)]
    Bid,
    /// Sells base, receives quote.
    #[n(1)]
    Ask,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }
}

/// A price in ticks of the market: quote for one unit of base. 0 is a price as any other; markets ask for at least one tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Price(#[n(0)] u64);

impl Price {
    /// So many ticks.
    #[must_use]
    pub const fn new(ticks: u64) -> Self {
        Self(ticks)
    }

    /// The ticks.
    #[must_use]
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Whether an order of `side` at this price trades with one of the other side at `other`.
    #[must_use]
    pub const fn crosses(self, side: Side, other: Self) -> bool {
        match side {
            Side::Bid => self.0 >= other.0,
            Side::Ask => self.0 <= other.0,
        }
    }
}

/// A quantity of base in whole lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Quantity(#[n(0)] u64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many lots.
    #[must_use]
    pub const fn new(lots: u64) -> Self {
        Self(lots)
    }

    /// The lots.
    #[must_use]
    pub const fn lots(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What is left after taking `other` away; nothing if that is more.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// An order of one market: the slot it has in the book, and how often that slot was used before, so that an id names one order for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OrderId(#[n(0)] u64);

impl OrderId {
    /// The order of a slot.
    #[must_use]
    pub const fn new(generation: u32, slot: u32) -> Self {
        Self(((generation as u64) << 32) | slot as u64)
    }

    /// The order with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number, as clients see it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The slot.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    pub const fn slot(self) -> u32 {
        self.0 as u32
    }

    /// How often the slot was used before.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who an order belongs to, in one market: two accounts, numbered in the order in which they took their seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Seat(#[n(0)] u32);

impl Seat {
    /// The seat with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Owners whose orders must not fill against each other. 0 is no group: such orders trade with everybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct StpGroup(#[n(0)] u32);

impl StpGroup {
    /// No group.
    pub const NONE: Self = Self(0);

    /// The group with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}
