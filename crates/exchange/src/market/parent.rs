//! Orders that place others: they stand outside the book and have at most one order in it.

use std::fmt;

use minicbor::{Decode, Encode};
use money::Timestamp;

use crate::command::NewParent;
use crate::{OrderId, Quantity};

/// Fewest pieces of a time-weighted order, and most.
pub(crate) const PIECES: std::ops::RangeInclusive<u32> = 2..=1_000;
/// Shortest distance between two pieces, in milliseconds.
pub(crate) const EVERY_MS_MIN: u64 = 1_000;
/// Longest.
pub(crate) const EVERY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// An order that places others, numbered from 1 in each market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct ParentNumber(#[n(0)] u32);

impl ParentNumber {
    /// The one with this number.
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

impl fmt::Display for ParentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why an order of orders ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ParentEnd {
    /// It was filled.
    #[n(0)]
    Filled,
    /// All its pieces were placed, and something is left.
    #[n(1)]
    Done,
    /// Its owner ended it, or the seat was stopped.
    #[n(2)]
    Cancelled,
    /// A piece was refused: the funds were gone, or the price left the band.
    #[n(3)]
    Refused,
}

/// An order of orders that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Parent {
    /// As it was asked for.
    #[n(0)]
    pub order: NewParent,
    /// What is left of it.
    #[n(1)]
    pub left: Quantity,
    /// Its order in the book.
    #[n(2)]
    pub child: Option<OrderId>,
    /// How many orders it has placed.
    #[n(3)]
    pub placed: u32,
    /// When the next is due.
    #[n(4)]
    pub next: Option<Timestamp>,
    /// When it was taken.
    #[n(5)]
    pub placed_at: Timestamp,
}
