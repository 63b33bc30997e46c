//! Why there is no offer, or it cannot be taken.

use money::{Amount, Asset, Timestamp};
use thiserror::Error;

use super::OfferId;
use crate::price::PriceRefusal;

/// A domain "no" of the convert desk.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuoteRefusal {
    /// Terms that cannot hold.
    #[error("a pair cannot be converted by these terms: {problem}")]
    Terms {
        /// What is wrong.
        problem: &'static str,
    },
    /// Nothing is paid or taken.
    #[error("the amount is zero")]
    ZeroAmount,
    /// An offer with this id was made before.
    #[error("offer {id} is known")]
    OfferExists {
        /// The offer.
        id: OfferId,
    },
    /// The bank does not convert one into the other.
    #[error("{pays} is not converted into {takes}")]
    NotConverted {
        /// What would be paid.
        pays: Asset,
        /// What would be taken.
        takes: Asset,
    },
    /// The customer has as many open offers as he may.
    #[error("{open} offers are open, at most {most} may be")]
    TooManyOpen {
        /// How many.
        open: usize,
        /// How many may be.
        most: usize,
    },
    /// All customers together have as many open offers as the bank keeps.
    #[error("the desk has as many open offers as it keeps")]
    DeskFull,
    /// There is no price.
    #[error(transparent)]
    Price(#[from] PriceRefusal),
    /// Below the least that is converted.
    #[error("{size} is below the least of {least}")]
    TooSmall {
        /// What it is worth.
        size: Amount,
        /// The least.
        least: Amount,
    },
    /// Above the most that is converted at once.
    #[error("{size} is above the most of {most}")]
    TooLarge {
        /// What it is worth.
        size: Amount,
        /// The most.
        most: Amount,
    },
    /// The price moves too much.
    #[error("the spread would be {spread_ppm} ppm, at most {most_ppm} are offered")]
    SpreadTooWide {
        /// The spread in millionths.
        spread_ppm: u32,
        /// The widest.
        most_ppm: u32,
    },
    /// The bank has not enough of it.
    #[error("the bank has {has} to give, {needed} are needed")]
    StockShort {
        /// What it has beyond what is promised.
        has: Amount,
        /// What is needed.
        needed: Amount,
    },
    /// The numbers do not fit, or nothing is left after rounding.
    #[error("the amount is beyond what can be priced")]
    OutOfRange,
    /// No offer has the id, or it ended long ago.
    #[error("offer {id} is unknown")]
    OfferUnknown {
        /// The offer.
        id: OfferId,
    },
    /// It was made for somebody else.
    #[error("offer {id} was made for another customer")]
    ForeignOffer {
        /// The offer.
        id: OfferId,
    },
    /// It has been accepted already.
    #[error("offer {id} was taken at {at}")]
    OfferUsed {
        /// The offer.
        id: OfferId,
        /// When.
        at: Timestamp,
    },
    /// Its time is over.
    #[error("offer {id} was open until {at}")]
    OfferExpired {
        /// The offer.
        id: OfferId,
        /// Until when.
        at: Timestamp,
    },
    /// The terms that are accepted are not those that were offered.
    #[error("offer {id} has other terms")]
    OfferAltered {
        /// The offer.
        id: OfferId,
    },
}

impl QuoteRefusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Price(price) => price.is_transient(),
            Self::TooManyOpen { .. }
            | Self::DeskFull
            | Self::SpreadTooWide { .. }
            | Self::StockShort { .. } => true,
            Self::Terms { .. }
            | Self::ZeroAmount
            | Self::OfferExists { .. }
            | Self::NotConverted { .. }
            | Self::TooSmall { .. }
            | Self::TooLarge { .. }
            | Self::OutOfRange
            | Self::OfferUnknown { .. }
            | Self::ForeignOffer { .. }
            | Self::OfferUsed { .. }
            | Self::OfferExpired { .. }
            | Self::OfferAltered { .. } => false,
        }
    }
}
