//! What can be asked of the exchange.

use minicbor::{Decode, Encode};
use money::{AccountId, Asset, Text, Timestamp};

use crate::dealing::PriceRequest;
use crate::market::{ParentNumber, Rules};
use crate::pool::{PoolCommand, PoolNumber, PoolTerms};
use crate::price::{Pair, PriceTerms, Reading};
use crate::quote::{ConvertTerms, OfferId, TermsHash};
use crate::row::OrderBatch;
use crate::{MarketNumber, Price, Quantity, Seat, Side};

/// The name of whoever acts for the bank.
pub type OperatorName = Text<32>;

/// Everything that can change the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Orders, one after another; each stands for itself.
    #[n(0)]
    Orders(#[n(0)] OrderBatch),
    /// Two accounts take a seat in a market.
    #[n(1)]
    TakeSeat {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The account in base.
        #[n(1)]
        base: AccountId,
        /// The account in quote.
        #[n(2)]
        quote: AccountId,
        /// Seats of one group never trade with each other; a group of its own where absent.
        #[n(3)]
        group: Option<u32>,
    },
    /// The kill switch: all orders of the seat end, and it places none until it is freed.
    #[n(2)]
    StopSeat {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The seat.
        #[n(1)]
        seat: Seat,
    },
    /// The seat may place orders again.
    #[n(3)]
    FreeSeat {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The seat.
        #[n(1)]
        seat: Seat,
    },
    /// An order that places others.
    #[n(4)]
    PlaceParent(#[n(0)] NewParent),
    /// It ends, and with it what it has in the book.
    #[n(5)]
    EndParent {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// Which.
        #[n(1)]
        parent: ParentNumber,
    },
    /// A change of the markets that somebody else has to approve.
    #[n(6)]
    Propose(#[n(0)] MarketChange),
    /// It happens.
    #[n(7)]
    Approve {
        /// The proposal.
        #[n(0)]
        proposal: u64,
    },
    /// It does not happen.
    #[n(8)]
    Withdraw {
        /// The proposal.
        #[n(0)]
        proposal: u64,
    },
    /// What a source says that a pair is worth.
    #[n(10)]
    ReadPrice {
        /// The pair.
        #[n(0)]
        pair: Pair,
        /// What it says.
        #[n(1)]
        reading: Reading,
    },
    /// A firm price for one amount.
    #[n(11)]
    RequestQuote(#[n(0)] PriceRequest),
    /// It is taken.
    #[n(12)]
    AcceptQuote {
        /// The offer.
        #[n(0)]
        offer: OfferId,
        /// The hash of the terms that whoever takes it saw.
        #[n(1)]
        terms_hash: TermsHash,
    },
    /// A swap in a pool, or a change of what somebody has in it.
    #[n(13)]
    UsePool {
        /// The pool.
        #[n(0)]
        pool: PoolNumber,
        /// What is asked.
        #[n(1)]
        command: PoolCommand,
        /// The sender's accounts, in the order of the pool's coins.
        #[n(2)]
        accounts: Vec<AccountId>,
        /// The sender's account for shares.
        #[n(3)]
        shares: AccountId,
    },
    /// Trading stops at once; it goes on when somebody proposes it and somebody else approves.
    #[n(9)]
    Suspend {
        /// The market.
        #[n(0)]
        market: MarketNumber,
    },
}

/// An order that places others.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewParent {
    /// The market.
    #[n(0)]
    pub market: MarketNumber,
    /// Whose.
    #[n(1)]
    pub seat: Seat,
    /// Buy or sell.
    #[n(2)]
    pub side: Side,
    /// How much in all.
    #[n(3)]
    pub quantity: Quantity,
    /// How.
    #[n(4)]
    pub plan: Plan,
}

/// How a larger order is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Plan {
    /// One cancels the other: an order at `limit` rests; when the market trades at `trigger` or beyond, on the other side of the price, what is left of it is
    /// placed at `stop_limit` instead.
    #[n(0)]
    OneCancelsOther {
        /// The price of the order that rests.
        #[n(0)]
        limit: Price,
        /// The price that ends it.
        #[n(1)]
        trigger: Price,
        /// The worst price of what follows it.
        #[n(2)]
        stop_limit: Price,
    },
    /// Time-weighted: equal pieces at equal distances, each filled at once as far as it can be at `limit` or better; what a piece left over goes to the ones after it.
    #[n(1)]
    TimeWeighted {
        /// The worst price.
        #[n(0)]
        limit: Price,
        /// How many pieces, at least two.
        #[n(1)]
        pieces: u32,
        /// Milliseconds between two.
        #[n(2)]
        every_ms: u64,
    },
}

/// What two of the bank's people decide together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum MarketChange {
    /// A new market.
    #[n(0)]
    Open {
        /// Its rules.
        #[n(0)]
        rules: Rules,
        /// The price around which the band lies at first.
        #[n(1)]
        reference: Price,
    },
    /// Other rules from a time on.
    #[n(1)]
    SetRules {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// From when on; at once where it has passed.
        #[n(1)]
        from: Timestamp,
        /// The rules.
        #[n(2)]
        rules: Rules,
    },
    /// A suspended market trades again, with an auction first.
    #[n(2)]
    Resume {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// Another price around which the band lies.
        #[n(1)]
        reference: Option<Price>,
    },
    /// How the readings of a pair become a price.
    #[n(3)]
    SetPriceTerms {
        /// The pair.
        #[n(0)]
        pair: Pair,
        /// From when on; at once where it has passed.
        #[n(1)]
        from: Timestamp,
        /// The terms.
        #[n(2)]
        terms: PriceTerms,
    },
    /// How a pair is converted.
    #[n(4)]
    SetConvertTerms {
        /// The pair.
        #[n(0)]
        pair: Pair,
        /// From when on; at once where it has passed.
        #[n(1)]
        from: Timestamp,
        /// The terms.
        #[n(2)]
        terms: ConvertTerms,
    },
    /// The accounts with which the bank converts an asset.
    #[n(5)]
    SetInventory {
        /// The asset.
        #[n(0)]
        asset: Asset,
        /// What it converts with.
        #[n(1)]
        account: AccountId,
        /// Where fees go.
        #[n(2)]
        fees: AccountId,
    },
    /// A new pool.
    #[n(6)]
    OpenPool {
        /// What it is opened with.
        #[n(0)]
        terms: PoolTerms,
        /// Its accounts, in the order of its coins.
        #[n(1)]
        accounts: Vec<AccountId>,
        /// The account that its shares come from.
        #[n(2)]
        shares: AccountId,
    },
}
