//! Every "no" of the exchange.

use money::Asset;
use thiserror::Error;

use crate::book::BookRefusal;
use crate::market::Phase;
use crate::pool::{PoolNumber, PoolRefusal};
use crate::price::PriceRefusal;
use crate::quote::QuoteRefusal;
use crate::{MarketNumber, OrderId, Price, Quantity, Seat};

/// A domain "no". It leaves nothing behind. The variants stand in the order in which they are looked for, as far as one command can meet several.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A quantity of nothing, a price of nothing, a piece shown that is larger than the order, or terms that do not go together.
    #[error("the order makes no sense: {why}")]
    Malformed {
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no such market.
    #[error("there is no market {market}")]
    MarketUnknown {
        /// The number.
        market: MarketNumber,
    },
    /// The market does not take this now.
    #[error("market {market} is {phase}")]
    Phase {
        /// The market.
        market: MarketNumber,
        /// Its state.
        phase: Phase,
    },
    /// There is no such seat.
    #[error("there is no seat {}", .seat.number())]
    SeatUnknown {
        /// The number.
        seat: Seat,
    },
    /// The seat is somebody else's.
    #[error("seat {} is not the sender's", .seat.number())]
    SeatForeign {
        /// The number.
        seat: Seat,
    },
    /// The seat was stopped, by its owner or by the bank.
    #[error("seat {} is stopped", .seat.number())]
    SeatStopped {
        /// The number.
        seat: Seat,
    },
    /// An open order of the seat has this number already.
    #[error("order {known} has the number {client} already")]
    ClientNumberUsed {
        /// The number that the owner gave.
        client: u64,
        /// The order that has it.
        known: OrderId,
    },
    /// There is no such order, or there is none any more.
    #[error("order {id} is not in the book")]
    OrderUnknown {
        /// The order.
        id: OrderId,
    },
    /// The order is somebody else's.
    #[error("order {id} is not the sender's")]
    OrderForeign {
        /// The order.
        id: OrderId,
    },
    /// The price is not a whole number of ticks.
    #[error("a price is a multiple of {tick}")]
    Tick {
        /// The step, as people write it.
        tick: String,
    },
    /// The quantity is not a whole number of lots.
    #[error("a quantity is a multiple of {lot}")]
    Lot {
        /// The step, as people write it.
        lot: String,
    },
    /// More than one order may be for.
    #[error("an order is for {} lots at most", .max.lots())]
    QuantityAbove {
        /// The most.
        max: Quantity,
    },
    /// Less than an order must be worth.
    #[error("an order is worth {min} minor units at least, this one {given}")]
    NotionalBelow {
        /// The least.
        min: u64,
        /// What it is worth.
        given: u128,
    },
    /// The price lies outside the band.
    #[error("the price is between {} and {} ticks now", .low.ticks(), .high.ticks())]
    OutsideBand {
        /// The lowest price.
        low: Price,
        /// The highest.
        high: Price,
    },
    /// The seat has as many orders as it may.
    #[error("{max} orders are open, which is all that a seat may have")]
    OrdersFull {
        /// How many.
        max: u32,
    },
    /// Of the ledger: funds, closed accounts.
    #[error(transparent)]
    Funds(#[from] ledger::Refusal),
    /// Of the book.
    #[error(transparent)]
    Book(#[from] BookRefusal),
    /// Rules that no market can have.
    #[error("the rules contradict themselves or leave the bounds of what rules may say")]
    RulesUnsound,
    /// What orders are counted in cannot change, nor where their fees go.
    #[error("assets, lot, tick and the account for fees of a market stay as they are")]
    RulesFixed,
    /// The account is not one that the seat can trade with.
    #[error("an account of a seat is open, in the market's asset, and has no other seat there")]
    SeatAccounts,
    /// There is no such proposal.
    #[error("there is no open proposal {number}")]
    ProposalUnknown {
        /// The number.
        number: u64,
    },
    /// Whoever proposes does not approve.
    #[error("{by} proposed this, so somebody else approves it")]
    OwnProposal {
        /// Who.
        by: String,
    },
    /// Of the prices.
    #[error(transparent)]
    Price(#[from] PriceRefusal),
    /// Of the convert desk.
    #[error(transparent)]
    Quote(#[from] QuoteRefusal),
    /// Of a pool.
    #[error(transparent)]
    Pool(#[from] PoolRefusal),
    /// There is no such pool.
    #[error("there is no pool {pool}")]
    PoolUnknown {
        /// The number.
        pool: PoolNumber,
    },
    /// The accounts are not open, of the right assets and different from each other.
    #[error("the accounts do not fit: each is open, in its asset, and none is named twice")]
    DealingAccounts,
    /// The bank does not convert the asset.
    #[error("the bank has no accounts to convert {asset} with")]
    NoInventory {
        /// The asset.
        asset: Asset,
    },
    /// Too many proposals wait already.
    #[error("{max} proposals wait, which is all that may")]
    ProposalsFull {
        /// How many.
        max: usize,
    },
    /// Only the bank's people do this.
    #[error("only the bank does this")]
    NotForOwners,
    /// There is no such larger order.
    #[error("there is no open order {number} of orders")]
    ParentUnknown {
        /// The number.
        number: u32,
    },
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Phase { .. }
            | Self::SeatStopped { .. }
            | Self::OutsideBand { .. }
            | Self::OrdersFull { .. }
            | Self::ProposalsFull { .. }
            | Self::NoInventory { .. }
            | Self::Price(_)
            | Self::Funds(_)
            | Self::Book(_) => true,
            Self::Malformed { .. }
            | Self::MarketUnknown { .. }
            | Self::SeatUnknown { .. }
            | Self::SeatForeign { .. }
            | Self::ClientNumberUsed { .. }
            | Self::OrderUnknown { .. }
            | Self::OrderForeign { .. }
            | Self::Tick { .. }
            | Self::Lot { .. }
            | Self::QuantityAbove { .. }
            | Self::NotionalBelow { .. }
            | Self::RulesUnsound
            | Self::RulesFixed
            | Self::SeatAccounts
            | Self::ProposalUnknown { .. }
            | Self::OwnProposal { .. }
            | Self::NotForOwners
            | Self::PoolUnknown { .. }
            | Self::DealingAccounts
            | Self::ParentUnknown { .. } => false,
            Self::Quote(refusal) => refusal.is_transient(),
            Self::Pool(refusal) => refusal.is_transient(),
        }
    }

    /// The number that stands for the kind of refusal in the results of rows; never used again for another.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Malformed { .. } => 1,
            Self::MarketUnknown { .. } => 2,
            Self::Phase { .. } => 3,
            Self::SeatUnknown { .. } => 4,
            Self::SeatForeign { .. } => 5,
            Self::SeatStopped { .. } => 6,
            Self::ClientNumberUsed { .. } => 7,
            Self::OrderUnknown { .. } => 8,
            Self::OrderForeign { .. } => 9,
            Self::Tick { .. } => 10,
            Self::Lot { .. } => 11,
            Self::QuantityAbove { .. } => 12,
            Self::NotionalBelow { .. } => 13,
            Self::OutsideBand { .. } => 14,
            Self::OrdersFull { .. } => 15,
            Self::Funds(_) => 16,
            Self::Book(_) => 17,
            Self::RulesUnsound => 18,
            Self::RulesFixed => 19,
            Self::SeatAccounts => 20,
            Self::ProposalUnknown { .. } => 21,
            Self::OwnProposal { .. } => 22,
            Self::ParentUnknown { .. } => 23,
            Self::ProposalsFull { .. } => 24,
            Self::NotForOwners => 25,
            Self::Price(_) => 26,
            Self::Quote(_) => 27,
            Self::Pool(_) => 28,
            Self::PoolUnknown { .. } => 29,
            Self::DealingAccounts => 30,
            Self::NoInventory { .. } => 31,
        }
    }
}
