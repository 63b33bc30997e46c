//! What is asked of the desk, what it needs to know for it, and what follows.

use minicbor::{Decode, Encode};
use money::{Amount, CustomerId, Timestamp};

use super::{ConvertTerms, Offer, OfferId, TermsHash};
use crate::price::{Mid, Pair};
use crate::route::Venue;

/// What the bank has to give and to price with, at the moment of an offer.
#[derive(Debug, Clone)]
pub struct Stock<'a> {
    /// The middle of the pair.
    pub mid: Mid,
    /// What the bank has in base, by its ledger account.
    pub base: Amount,
    /// What the bank has in quote, by its ledger account.
    pub quote: Amount,
    /// Other places where the amount could trade, in the direction of the request; their fees are in them. None for the bank's own price alone.
    pub venues: Vec<Venue<'a>>,
}

/// Taking an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Accept {
    /// Which.
    #[n(0)]
    pub id: OfferId,
    /// Who takes it.
    #[n(1)]
    pub owner: CustomerId,
    /// The hash of the terms that he saw.
    #[n(2)]
    pub terms_hash: TermsHash,
}

/// What follows for the desk. Applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum QuoteChange {
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
        terms: ConvertTerms,
    },
    /// An offer is open.
    #[n(1)]
    Offered(#[n(0)] Offer),
    /// An offer was taken: its `pays` and `takes` change hands now.
    #[n(2)]
    Accepted {
        /// Which.
        #[n(0)]
        id: OfferId,
        /// When.
        #[n(1)]
        at: Timestamp,
    },
    /// The time of these offers is over.
    #[n(3)]
    Expired {
        /// Which, in the order of their ends.
        #[n(0)]
        ids: Vec<OfferId>,
    },
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum OfferEnd {
    /// It was taken.
    #[n(0)]
    Accepted,
    /// Its time was over.
    #[n(1)]
    Expired,
}

/// An offer that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct EndedOffer {
    /// Whose it was.
    #[n(0)]
    pub owner: CustomerId,
    /// How it ended.
    #[n(1)]
    pub how: OfferEnd,
    /// When it was taken, or until when it was open.
    #[n(2)]
    pub at: Timestamp,
    /// Counts the ends.
    #[n(3)]
    pub(super) serial: u64,
}
