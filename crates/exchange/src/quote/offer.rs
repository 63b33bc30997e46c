//! What a customer asks for, and what the bank offers.

use std::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, CustomerId, Timestamp, invariant};
use sha2::{Digest, Sha256};

use super::Spread;
use crate::Side;
use crate::price::{Pair, Rate};
use crate::route::{Exact, RouteLeg};

money::ids! {
    /// An offer to convert.
    OfferId = "ofr";
}

/// What a customer wants to know the price of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct QuoteRequest {
    /// The id of the offer, made by whoever asks.
    #[n(0)]
    pub id: OfferId,
    /// Whose it is.
    #[n(1)]
    pub owner: CustomerId,
    /// The account that pays.
    #[n(2)]
    pub from: AccountId,
    /// The account that takes.
    #[n(3)]
    pub to: AccountId,
    /// How much of what for what.
    #[n(4)]
    pub exact: Exact,
}

/// A firm price.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Offer {
    /// What was asked.
    #[n(0)]
    pub request: QuoteRequest,
    /// The pair.
    #[n(1)]
    pub pair: Pair,
    /// The customer's side: a bid buys base and pays quote.
    #[n(2)]
    pub side: Side,
    /// What the customer pays in all; where quote is paid, with the fee.
    #[n(3)]
    pub pays: Amount,
    /// What the customer gets in all; where quote is taken, after the fee.
    #[n(4)]
    pub takes: Amount,
    /// The fee in quote; a part of `pays` or taken off before `takes`.
    #[n(5)]
    pub fee: Amount,
    /// The middle that the bank's own price started from.
    #[n(6)]
    pub mid: Rate,
    /// By how much it was moved.
    #[n(7)]
    pub spread: Spread,
    /// Where the bank means to get it; the first leg may be what it has. It binds the bank to nothing but the amounts above.
    #[n(8)]
    pub route: Vec<RouteLeg>,
    /// When it was made.
    #[n(9)]
    pub made_at: Timestamp,
    /// The first moment at which it can no longer be taken.
    #[n(10)]
    pub expires_at: Timestamp,
}

/// SHA-256 of an offer's encoding: whoever accepts names what he saw.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct TermsHash(#[n(0)] ByteArray<32>);

impl TermsHash {
    /// The hash with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TermsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Offer {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> OfferId {
        self.request.id
    }

    /// The hash of everything in it.
    #[must_use]
    pub fn terms_hash(&self) -> TermsHash {
        let mut bytes = Vec::with_capacity(512);
        let written = minicbor::encode(self, &mut bytes);
        invariant!(written.is_ok(), "an offer cannot be encoded");
        TermsHash::new(Sha256::digest(&bytes).into())
    }
}
