//! Markets as customers see them: their orders and fills, and everybody's trades and candles.
//!
//! **Invariants.** Only a customer's orders and fills have rows; trades and candles count everybody's. What a fill moved on a customer's accounts is a movement
//! like any other, with its leaf in the log. Rows follow from the journal alone, so a rebuild gives the same.

mod dealing;
mod put_in;
mod query;
mod state;
mod tables;

pub use dealing::ConversionRow;
pub(crate) use dealing::conversions;
pub(crate) use query::{candles, fills, order, orders, orders_by_entry, orders_in, trades};
pub(crate) use state::Markets;
pub(crate) use tables::TABLES;

use exchange::book::{InForce, Terms};
use exchange::market::ParentNumber;
use exchange::{MarketNumber, OrderId, Price, Quantity, Side};
use money::{CustomerId, MovementId, Timestamp};

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderStanding {
    /// In the book.
    Open,
    /// Waits for its trigger.
    Waiting,
    /// All of it traded.
    Filled,
    /// Ended by its owner or the market.
    Cancelled,
    /// Its time was over.
    Expired,
    /// What could not fill at once, or would have traded with its own group, ended.
    Killed,
}

impl OrderStanding {
    const ALL: [Self; 6] =
        [Self::Open, Self::Waiting, Self::Filled, Self::Cancelled, Self::Expired, Self::Killed];

    pub(crate) fn code(self) -> i64 {
        let position = Self::ALL.iter().position(|standing| *standing == self).unwrap_or(0);
        i64::try_from(position).unwrap_or(0)
    }

    pub(crate) fn from_code(code: i64) -> Self {
        usize::try_from(code).ok().and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Cancelled)
    }

    /// Whether it is over.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        match self {
            Self::Open | Self::Waiting => false,
            Self::Filled | Self::Cancelled | Self::Expired | Self::Killed => true,
        }
    }
}

/// A customer's order, as it is or was last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRow {
    /// Rank among all customers' orders, for paging.
    pub rank: u64,
    /// The market.
    pub market: MarketNumber,
    /// Its id there.
    pub id: OrderId,
    /// Whose.
    pub customer: CustomerId,
    /// Buy or sell.
    pub side: Side,
    /// Prices, as they were last moved.
    pub terms: Terms,
    /// How long it stays.
    pub in_force: InForce,
    /// How much it was when it came in.
    pub quantity: Quantity,
    /// How much it shows at a time; all where it is zero.
    pub shown: Quantity,
    /// What it waits or waited for.
    pub trigger: Option<Price>,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// The owner's own number for it; 0 for none.
    pub client: u64,
    /// The larger order that it is a piece of.
    pub parent: Option<ParentNumber>,
    /// How much has traded.
    pub filled: Quantity,
    /// For how many minor units of quote.
    pub filled_quote: u128,
    /// Fees paid less fees given back, in minor units of quote.
    pub fee: i128,
    /// How much is left of it in the book.
    pub left: Quantity,
    /// Where it is.
    pub standing: OrderStanding,
    /// When it came in.
    pub placed_at: Timestamp,
    /// When it was filled or ended.
    pub ended_at: Option<Timestamp>,
}

/// Which part an order had in a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It rested.
    Maker,
    /// It came in.
    Taker,
    /// An auction matched it.
    Auction,
}

impl Role {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Maker => 0,
            Self::Taker => 1,
            Self::Auction => 2,
        }
    }

    pub(crate) const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Maker,
            1 => Self::Taker,
            _ => Self::Auction,
        }
    }
}

/// A fill of a customer's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillRow {
    /// Rank among all customers' fills, for paging.
    pub rank: u64,
    /// The market.
    pub market: MarketNumber,
    /// The order.
    pub order: OrderId,
    /// Number of the trade in the market.
    pub trade: u64,
    /// When.
    pub at: Timestamp,
    /// Bought or sold.
    pub side: Side,
    /// Which part the order had.
    pub role: Role,
    /// The price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// The fee less what was given back, in minor units of quote.
    pub fee: i128,
    /// The movement of base.
    pub movement_base: MovementId,
    /// The movement of quote.
    pub movement_quote: MovementId,
}

/// Who came to whom in a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeSide {
    /// The order of this side came in.
    Taker(Side),
    /// Both rested, and an auction matched them.
    Auction,
}

impl TradeSide {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Taker(Side::Bid) => 0,
            Self::Taker(Side::Ask) => 1,
            Self::Auction => 2,
        }
    }

    pub(crate) const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Taker(Side::Bid),
            1 => Self::Taker(Side::Ask),
            _ => Self::Auction,
        }
    }
}

/// A trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeRow {
    /// Its number in the market, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// Who came to whom.
    pub taker: TradeSide,
    /// Seat of the buyer.
    pub buyer: u32,
    /// Seat of the seller.
    pub seller: u32,
}

/// The trades of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandleRow {
    /// When the span begins.
    pub start: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest.
    pub high: Price,
    /// Lowest.
    pub low: Price,
    /// Last.
    pub close: Price,
    /// Lots that traded.
    pub lots: u64,
    /// Sum of ticks × lots.
    pub ticks_lots: u128,
    /// In how many trades.
    pub trades: u64,
}

/// Which orders or fills of a customer are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarketQuery {
    /// Only of this market.
    pub market: Option<MarketNumber>,
    /// Only open orders, or only ended ones.
    pub is_open: Option<bool>,
    /// Only those ranked before.
    pub before: Option<u64>,
    /// Most rows.
    pub limit: usize,
}
