//! What an asset is worth: readings of several sources become one price, or a refusal that says why there is none.
//!
//! A [`Reading`] is what one source says of one pair. [`Prices::decide`] answers it with what follows, [`Prices::apply`] takes that up, and [`Prices::mid`] gives the
//! price at a time: the median of the sources that are fresh and plausible. A source is *fresh* as long as its reading is younger than the terms allow; it is
//! *plausible* while it is within a jump of the last accepted price. One that is further away is held back until another source agrees with it or until it has
//! stayed there for long enough, so that neither a slip of one source nor a crash that is real makes a wrong price.
//!
//! **Invariants.** A price is never made of fewer sources than the terms ask for, and never of a stale, crossed or too wide reading. The same readings at the same
//! times give the same price.
//!
//! It asks nobody: the shell connects to the sources and brings their readings as commands. It knows no customers and no spreads.

mod feed;
mod refusal;
mod volatility;

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use money::{Text, Timestamp};

use crate::Dated;
pub use crate::rate::{Pair, Rate, RateError};
pub use feed::{Accepted, Feed, Seen};
pub use refusal::PriceRefusal;
pub use volatility::{Volatility, moves_ppm};

/// The name of a source of prices, such as `sandbox-a`.
pub type SourceName = Text<32>;

/// Most pairs with prices.
pub const PAIRS_MAX: usize = 1_024;
/// Most sources of one pair.
pub const SOURCES_MAX: usize = 16;

/// What one source says of one pair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reading {
    /// Who says it.
    #[n(0)]
    pub source: SourceName,
    /// The best price at which somebody buys base there.
    #[n(1)]
    pub bid: Rate,
    /// The best price at which somebody sells it.
    #[n(2)]
    pub ask: Rate,
    /// When, by the source's clock.
    #[n(3)]
    pub at: Timestamp,
}

impl Reading {
    /// The middle of bid and ask, rounded down.
    #[must_use]
    pub const fn mid(&self) -> Rate {
        self.bid.middle(self.ask)
    }
}

/// How the readings of a pair become a price.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PriceTerms {
    /// Age from which on a reading counts no longer, in milliseconds; above 0.
    #[n(0)]
    pub stale_ms: u64,
    /// Fewest sources that make a price; 1 to [`SOURCES_MAX`].
    #[n(1)]
    pub sources_min: u32,
    /// Distance from the last accepted price beyond which a reading is held back, in millionths; also how near two such readings must be to each other to
    /// confirm one another. Above 0.
    #[n(2)]
    pub jump_ppm: u32,
    /// How long a source alone must stay beyond it to be believed, in milliseconds.
    #[n(3)]
    pub confirm_ms: u64,
    /// Widest distance from bid to ask of a reading that counts, in millionths of the bid.
    #[n(4)]
    pub width_max_ppm: u32,
    /// In which time the weight of an old return halves in the volatility, in milliseconds; above 0.
    #[n(5)]
    pub half_life_ms: u64,
    /// The least volatility, in thousand-millionths of the price in the root of a second.
    #[n(6)]
    pub volatility_min_ppb: u64,
}

/// A price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Mid {
    /// Units of quote for one unit of base.
    #[n(0)]
    pub rate: Rate,
    /// The age of the oldest reading in it: when that was.
    #[n(1)]
    pub at: Timestamp,
    /// How many sources it is the median of.
    #[n(2)]
    pub sources: u32,
    /// How much it moves: the root of the weighted mean of squared returns for one second, in thousand-millionths. Over t seconds it moves by as much times the
    /// root of t, in the ordinary course.
    #[n(3)]
    pub volatility_ppb: u64,
}

/// What follows for the prices. Applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PriceChange {
    /// A pair has terms from a time on.
    #[n(0)]
    TermsSet {
        /// The pair.
        #[n(0)]
        pair: Pair,
        /// From when on.
        #[n(1)]
        from: Timestamp,
        /// The terms.
        #[n(2)]
        terms: PriceTerms,
    },
    /// A source was read.
    #[n(1)]
    Read {
        /// The pair.
        #[n(0)]
        pair: Pair,
        /// Which source.
        #[n(1)]
        source: SourceName,
        /// What is known of it now.
        #[n(2)]
        seen: Seen,
        /// The price that was accepted with it; absent where there is none, see [`Prices::mid`].
        #[n(3)]
        accepted: Option<Accepted>,
    },
}

/// The prices of all pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Prices {
    #[n(0)]
    feeds: BTreeMap<Pair, Feed>,
}

impl Prices {
    /// No pairs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers the wish to price a pair by these terms from a time on.
    ///
    /// # Errors
    /// [`PriceRefusal::Terms`], [`PriceRefusal::TooManyPairs`].
    pub fn decide_terms(
        &self,
        pair: Pair,
        from: Timestamp,
        terms: PriceTerms,
    ) -> Result<PriceChange, PriceRefusal> {
        check(pair, &terms).map_err(|problem| PriceRefusal::Terms { problem })?;
        if !self.feeds.contains_key(&pair) && self.feeds.len() >= PAIRS_MAX {
            return Err(PriceRefusal::TooManyPairs);
        }
        Ok(PriceChange::TermsSet { pair, from, terms })
    }

    /// Answers a reading. That it is taken up does not mean that there is a price, see [`Prices::mid`].
    ///
    /// # Errors
    /// A reading that counts for nothing, in this order: unknown pair → crossed or zero → too wide → stale → not newer than what is known of the source →
    /// too many sources. It leaves nothing.
    pub fn decide(&self, pair: Pair, reading: &Reading, now: Timestamp) -> Result<PriceChange, PriceRefusal> {
        let feed = self.feeds.get(&pair).ok_or(PriceRefusal::PairUnknown { pair })?;
        let (seen, accepted) = feed.read(pair, reading, now)?;
        Ok(PriceChange::Read { pair, source: reading.source.clone(), seen, accepted })
    }

    /// Takes up a change.
    pub fn apply(&mut self, change: &PriceChange) {
        match change {
            PriceChange::TermsSet { pair, from, terms } => match self.feeds.get_mut(pair) {
                Some(feed) => feed.set_terms(*from, terms.clone()),
                None => {
                    self.feeds.insert(*pair, Feed::empty(Dated::new(*from, terms.clone())));
                }
            },
            PriceChange::Read { pair, source, seen, accepted } => {
                if let Some(feed) = self.feeds.get_mut(pair) {
                    feed.take_up(source, *seen, *accepted);
                }
            }
        }
    }

    /// The price of a pair at a time.
    ///
    /// # Errors
    /// [`PriceRefusal::PairUnknown`]; [`PriceRefusal::Held`] where enough sources are fresh but one too many is held back; [`PriceRefusal::NoPrice`].
    pub fn mid(&self, pair: Pair, now: Timestamp) -> Result<Mid, PriceRefusal> {
        self.feeds.get(&pair).ok_or(PriceRefusal::PairUnknown { pair })?.mid(pair, now)
    }

    /// The pairs and what is known of them, in the order of the pairs.
    pub fn feeds(&self) -> impl Iterator<Item = (&Pair, &Feed)> {
        self.feeds.iter()
    }

    /// What is known of a pair.
    #[must_use]
    pub fn feed(&self, pair: Pair) -> Option<&Feed> {
        self.feeds.get(&pair)
    }
}

fn check(pair: Pair, terms: &PriceTerms) -> Result<(), &'static str> {
    if pair.base == pair.quote {
        return Err("a pair has two assets");
    }
    if terms.stale_ms == 0 || terms.half_life_ms == 0 || terms.jump_ppm == 0 {
        return Err("stale_ms, half_life_ms and jump_ppm must be above 0");
    }
    let sources = usize::try_from(terms.sources_min).unwrap_or(usize::MAX);
    if !(1..=SOURCES_MAX).contains(&sources) {
        return Err("sources_min is not between 1 and 16");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
