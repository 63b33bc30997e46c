//! Why there is no price, or a reading counts for nothing.

use money::Timestamp;
use thiserror::Error;

use super::{Pair, Rate, SourceName};

/// A domain "no" of the prices.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PriceRefusal {
    /// The bank has no terms for the pair.
    #[error("{pair} has no price here")]
    PairUnknown {
        /// The pair.
        pair: Pair,
    },
    /// Terms that cannot hold.
    #[error("a pair cannot be priced by these terms: {problem}")]
    Terms {
        /// What is wrong.
        problem: &'static str,
    },
    /// No more pairs.
    #[error("there are too many pairs")]
    TooManyPairs,
    /// No more sources.
    #[error("{pair} has too many sources")]
    TooManySources {
        /// The pair.
        pair: Pair,
    },
    /// Bid not below ask, or nothing.
    #[error("{source_name} says {bid} bid, {ask} ask, which is no book")]
    Crossed {
        /// Who.
        source_name: SourceName,
        /// Bid.
        bid: Rate,
        /// Ask.
        ask: Rate,
    },
    /// Bid and ask so far from each other that their middle is no price.
    #[error("{source_name} is {width_ppm} ppm wide, at most {most_ppm} count")]
    TooWide {
        /// Who.
        source_name: SourceName,
        /// How wide, in millionths.
        width_ppm: u128,
        /// At most.
        most_ppm: u32,
    },
    /// Too old when it came.
    #[error("{source_name} speaks of {at}, which is too long ago")]
    Stale {
        /// Who.
        source_name: SourceName,
        /// When it was.
        at: Timestamp,
    },
    /// Not newer than what the source said last.
    #[error("{source_name} has spoken of {known} already")]
    NotNewer {
        /// Who.
        source_name: SourceName,
        /// The time of its latest reading.
        known: Timestamp,
    },
    /// Too few fresh sources.
    #[error("{pair} has {fresh} fresh sources and needs {needed}")]
    NoPrice {
        /// The pair.
        pair: Pair,
        /// Fresh ones.
        fresh: u32,
        /// Needed.
        needed: u32,
    },
    /// Enough fresh sources, but too many of them have jumped and nobody confirms it yet.
    #[error("{source_name} says {rate} for {pair} after {last}, held back until {until}")]
    Held {
        /// The pair.
        pair: Pair,
        /// Who jumped, the first by name.
        source_name: SourceName,
        /// To which price.
        rate: Rate,
        /// The last accepted price.
        last: Rate,
        /// When it is believed if it stays and nobody else confirms it.
        until: Timestamp,
    },
}

impl PriceRefusal {
    /// Whether the same question, or the same reading, can have another answer later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NoPrice { .. } | Self::Held { .. } | Self::PairUnknown { .. } => true,
            Self::Terms { .. }
            | Self::TooManyPairs
            | Self::TooManySources { .. }
            | Self::Crossed { .. }
            | Self::TooWide { .. }
            | Self::Stale { .. }
            | Self::NotNewer { .. } => false,
        }
    }
}
