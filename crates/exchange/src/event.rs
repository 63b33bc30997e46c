//! What happened on the markets.

use minicbor::{Decode, Encode};
use money::{AccountId, Asset, EntryId, Timestamp};

use crate::book::BookEvent;
use crate::command::{MarketChange, NewParent, OperatorName};
use crate::market::{Owner, ParentEnd, ParentNumber, Phase, Rules};
use crate::pool::{PoolChange, PoolNumber, PoolTerms};
use crate::price::PriceChange;
use crate::quote::{OfferId, QuoteChange};
use crate::{MarketNumber, OrderId, Price, Seat, StpGroup};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// What happened in a market's book.
    #[n(0)]
    Book {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// In order.
        #[cbor(n(1), with = "crate::book::binary")]
        events: Vec<BookEvent>,
    },
    /// What is to be known of the order that comes in next.
    #[n(1)]
    Labelled {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The label.
        #[n(1)]
        label: Label,
    },
    /// A market was opened.
    #[n(2)]
    MarketOpened {
        /// Its number.
        #[n(0)]
        market: MarketNumber,
        /// Its rules.
        #[n(1)]
        rules: Rules,
        /// Its first reference price.
        #[n(2)]
        reference: Price,
    },
    /// Its rules change.
    #[n(3)]
    RulesSet {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// From when on.
        #[n(1)]
        from: Timestamp,
        /// The rules.
        #[n(2)]
        rules: Rules,
    },
    /// Its state changed.
    #[n(4)]
    PhaseChanged {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The state.
        #[n(1)]
        phase: Phase,
    },
    /// Its reference price changed.
    #[n(5)]
    ReferenceSet {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The price.
        #[n(1)]
        price: Price,
    },
    /// Two accounts took a seat.
    #[n(6)]
    SeatTaken {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The seat.
        #[n(1)]
        seat: Seat,
        /// The account in base.
        #[n(2)]
        base: AccountId,
        /// The account in quote.
        #[n(3)]
        quote: AccountId,
        /// With whom it never trades.
        #[n(4)]
        group: StpGroup,
        /// Whose it is.
        #[n(5)]
        owner: Owner,
    },
    /// A seat was stopped or freed.
    #[n(7)]
    SeatStopped {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// The seat.
        #[n(1)]
        seat: Seat,
        /// Whether it is stopped now.
        #[n(2)]
        is_stopped: bool,
    },
    /// An order that places others was taken.
    #[n(8)]
    ParentPlaced {
        /// Its number.
        #[n(0)]
        number: ParentNumber,
        /// What it is.
        #[n(1)]
        parent: NewParent,
    },
    /// It has placed a piece, or tried to; the next is due at `next`.
    #[n(9)]
    ParentWorked {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// Which.
        #[n(1)]
        number: ParentNumber,
        /// When the next piece is due.
        #[n(2)]
        next: Option<Timestamp>,
    },
    /// It has ended.
    #[n(10)]
    ParentEnded {
        /// The market.
        #[n(0)]
        market: MarketNumber,
        /// Which.
        #[n(1)]
        number: ParentNumber,
        /// Why.
        #[n(2)]
        why: ParentEnd,
    },
    /// Somebody proposed a change of the markets.
    #[n(11)]
    Proposed {
        /// Its number.
        #[n(0)]
        number: u64,
        /// Who.
        #[n(1)]
        by: OperatorName,
        /// What.
        #[n(2)]
        change: MarketChange,
    },
    /// A proposal was approved or withdrawn.
    #[n(12)]
    Decided {
        /// Its number.
        #[n(0)]
        number: u64,
        /// Who did.
        #[n(1)]
        by: OperatorName,
        /// Whether it happens.
        #[n(2)]
        is_approved: bool,
    },
    /// Of the prices.
    #[n(13)]
    Price(#[n(0)] PriceChange),
    /// Of the convert desk, but for offers that were taken.
    #[n(14)]
    Quote(#[n(0)] QuoteChange),
    /// An offer was taken: its amounts changed hands.
    #[n(15)]
    Converted {
        /// The offer.
        #[n(0)]
        offer: OfferId,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// The entry that moved them.
        #[n(2)]
        entry: EntryId,
    },
    /// The bank converts an asset with these accounts.
    #[n(16)]
    InventorySet {
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
    /// A pool was opened.
    #[n(17)]
    PoolOpened {
        /// Its number.
        #[n(0)]
        number: PoolNumber,
        /// What it was opened with.
        #[n(1)]
        terms: PoolTerms,
        /// Its accounts, in the order of its coins.
        #[n(2)]
        accounts: Vec<AccountId>,
        /// The account that its shares come from.
        #[n(3)]
        shares: AccountId,
    },
    /// Something went into a pool and out of it.
    #[n(18)]
    PoolMoved(#[n(0)] PoolMove),
}

/// What went into a pool and out of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PoolMove {
    /// The pool.
    #[n(0)]
    pub pool: PoolNumber,
    /// What moved.
    #[n(1)]
    pub change: PoolChange,
    /// The accounts of whoever moved it, in the order of the pool's coins.
    #[n(2)]
    pub accounts: Vec<AccountId>,
    /// Their account for shares.
    #[n(3)]
    pub shares: AccountId,
    /// The entry of the ledger.
    #[n(4)]
    pub entry: EntryId,
}

/// What is to be known of an order that the book does not keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Label {
    /// The owner's own number for it; 0 for none.
    #[n(0)]
    pub client: u64,
    /// When it ends by itself.
    #[n(1)]
    pub until: Option<Timestamp>,
    /// The larger order that it is a piece of.
    #[n(2)]
    pub parent: Option<ParentNumber>,
}

/// A row that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RowRefused {
    /// Which, from 0.
    #[n(0)]
    pub row: u32,
    /// Why: [`crate::Refusal::code`].
    #[n(1)]
    pub code: u16,
}

/// What became of a command, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Outcome {
    /// What happened, in order.
    #[n(0)]
    pub events: Vec<Event>,
    /// Of a batch, the rows that were refused, in order.
    #[n(1)]
    pub refused: Vec<RowRefused>,
    /// Of a batch, the ids of the orders that its other rows placed, in order.
    #[n(2)]
    pub placed: Vec<OrderId>,
    /// What each fill among the events moved, in order. It follows from the state and the events; whoever reads the journal without the state finds it here.
    #[n(3)]
    pub fills: Vec<FillSum>,
}

/// What a fill moved in quote, in minor units. The difference is fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FillSum {
    /// What the buyer paid.
    #[cbor(n(0), with = "money::wide")]
    pub pays: u128,
    /// What the seller got.
    #[cbor(n(1), with = "money::wide")]
    pub gets: u128,
    /// The serial number of its entry of the ledger, see [`crate::entry_id`].
    #[n(2)]
    pub serial: u64,
}
