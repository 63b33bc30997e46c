//! The book of one market: who wants to buy or sell how much at which price, in which order they came, and who trades with whom.
//!
//! Everything that changes the book is a [`BookEvent`]. [`Book::take`] finds out what follows from a command and applies each event as it finds it;
//! [`Book::apply`] does the same again from the events alone, so that a replay needs no matching and is equal by construction.
//!
//! It knows no money: what an order may cost is checked before it comes here, and posted after.

mod ahead;
mod auction;
pub mod binary;
mod broken;
mod change;
pub mod flow;
mod ladder;
mod matching;
pub mod naive;
mod order;
mod snapshot;
mod stops;
pub mod transcript;
mod view;

use minicbor::{Decode, Encode};

pub use auction::Auction;
pub use change::Book;
pub use view::{DepthLevel, Expected, OrderView, Standing, Wanted};

use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

/// Lots of one order at most. With [`ORDERS_MAX`] it keeps every sum of a book within 64 bits.
pub const QUANTITY_MAX: u64 = 1 << 40;
/// Orders of one book at most.
pub const ORDERS_MAX: u32 = (1 << 24) - 1;
/// Orders that wait for a trigger at most: one command may bring all of them in, and nobody must wait long for that.
pub const WAITING_MAX: usize = 1 << 14;
/// The highest number of a seat: each up to the highest in use has a few bytes.
pub const SEATS_MAX: u32 = (1 << 24) - 1;

/// What happens where two orders of one group would trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SelfTrade {
    /// What is left of the order that comes in ends.
    #[n(0)]
    CancelTaker,
    /// The resting order ends, and the one that comes in goes on.
    #[n(1)]
    CancelMaker,
    /// Both end.
    #[n(2)]
    CancelBoth,
    /// Both become smaller by what they would have traded.
    #[n(3)]
    Decrement,
}

/// How long an order stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum InForce {
    /// Until it is filled or ended. That includes orders with an end date: whoever keeps the time ends them.
    #[n(0)]
    UntilEnded,
    /// What does not fill at once ends.
    #[n(1)]
    ImmediateOrCancel,
    /// All of it at once, or nothing.
    #[n(2)]
    FillOrKill,
    /// Rests, or is refused if any of it would fill at once.
    #[n(3)]
    PostOnly,
}

/// At which prices an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Terms {
    /// At this price or better.
    #[n(0)]
    Limit(#[n(0)] Price),
    /// As much as a sum of ticks × lots buys (bid) or until it brings that sum (ask), each fill at `worst` or better; ends with what is left.
    #[n(1)]
    Budget {
        /// Most that all fills may cost together.
        #[n(0)]
        ticks_lots: u64,
        /// The worst price.
        #[n(1)]
        worst: Price,
    },
    /// All of the quantity at once for at most (bid) or at least (ask) this sum of ticks × lots, or nothing; no price by itself.
    #[n(2)]
    WholeFor {
        /// The sum.
        #[n(0)]
        ticks_lots: u64,
    },
}

/// An order as it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOrder {
    /// Whose.
    pub seat: Seat,
    /// With whom it must not trade.
    pub group: StpGroup,
    /// What happens where it would.
    pub self_trade: SelfTrade,
    /// Buy or sell.
    pub side: Side,
    /// Prices.
    pub terms: Terms,
    /// How long it stays.
    pub in_force: InForce,
    /// How much in all, at least one lot; of a [`Terms::Budget`] the most.
    pub quantity: Quantity,
    /// How much of it the book shows at a time (iceberg); all of it where it is zero.
    pub shown: Quantity,
    /// The order waits, unseen, until a trade at this price or beyond (bid: at or above; ask: at or below) brings it in. Where the last trade
    /// was there already, it comes in at once; while the book collects, it waits in any case.
    pub trigger: Option<Price>,
}

/// What is asked of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookCommand {
    /// A new order.
    Enter(NewOrder),
    /// The order ends.
    Cancel(OrderId),
    /// The order becomes smaller by this much and keeps its place; by all of it or more, it ends.
    Reduce(OrderId, Quantity),
    /// The order gets another price: it loses its place, trades at the new price, and what is left goes to the back of the queue there. Of
    /// an order that waits it is the trigger that moves.
    Move(OrderId, Price),
}

/// Why an order ended with something left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EndReason {
    /// Its owner, or whoever acts for the owner or the market, ended it.
    #[n(0)]
    Cancelled,
    /// Nothing more filled at once, and it must not rest.
    #[n(1)]
    NotFilled,
    /// It would have traded with its own group.
    #[n(2)]
    SelfTrade,
}

/// Why the book does not take a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookRefusal {
    /// No order with this id rests or waits.
    #[error("order {id} is not in the book")]
    UnknownOrder {
        /// Which.
        id: OrderId,
    },
    /// A quantity of nothing.
    #[error("a quantity of nothing")]
    NoQuantity,
    /// More than [`QUANTITY_MAX`].
    #[error("{} lots are more than an order may have", quantity.lots())]
    QuantityBeyondMost {
        /// How much.
        quantity: Quantity,
    },
    /// Terms and time in force contradict each other: a budget that must fill whole, or an order without a price that must rest.
    #[error("these terms and this time in force contradict each other")]
    ContraryTerms,
    /// A seat beyond [`SEATS_MAX`].
    #[error("seat {} is beyond the last one", seat.number())]
    SeatBeyondMost {
        /// Which.
        seat: Seat,
    },
    /// The book has [`ORDERS_MAX`] orders.
    #[error("the book is full")]
    Full,
    /// [`WAITING_MAX`] orders wait already.
    #[error("too many orders wait for a trigger")]
    TooManyWait,
    /// The order must not rest, and while the book collects nothing trades.
    #[error("an order that must not rest, while the book collects orders")]
    WhileCollecting,
    /// The order must not trade when it comes in, and would.
    #[error("the order would trade at once")]
    WouldTrade,
}

impl BookRefusal {
    /// Whether the same command may be taken later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Full | Self::TooManyWait | Self::WhileCollecting | Self::WouldTrade => true,
            Self::UnknownOrder { .. }
            | Self::NoQuantity
            | Self::QuantityBeyondMost { .. }
            | Self::ContraryTerms
            | Self::SeatBeyondMost { .. } => false,
        }
    }
}

/// A change of the book; applying it cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookEvent {
    /// An order took the next free slot. It fills, rests, waits or ends by the events that follow.
    Entered {
        /// Its id.
        id: OrderId,
        /// As it came in.
        order: NewOrder,
    },
    /// It waits for its trigger.
    Waits {
        /// Which.
        id: OrderId,
    },
    /// Its trigger was reached; it comes in now.
    Triggered {
        /// Which.
        id: OrderId,
    },
    /// Two orders traded, at the resting one's price. One of which nothing is left is gone.
    Filled {
        /// The order that came in.
        taker: OrderId,
        /// The order that rested.
        maker: OrderId,
        /// Whose the taker is.
        taker_seat: Seat,
        /// Whose the maker is.
        maker_seat: Seat,
        /// The taker's side.
        side: Side,
        /// The price.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// What is left of the taker.
        taker_left: Quantity,
        /// What is left of the maker, shown and unseen.
        maker_left: Quantity,
    },
    /// Two resting orders traded at the price of an auction. One of which nothing is left is gone.
    Uncrossed {
        /// The buying order.
        bid: OrderId,
        /// The selling order.
        ask: OrderId,
        /// Whose the bid is.
        bid_seat: Seat,
        /// Whose the ask is.
        ask_seat: Seat,
        /// The price.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// What is left of the bid.
        bid_left: Quantity,
        /// What is left of the ask.
        ask_left: Quantity,
    },
    /// What is left rests at the back of its price.
    Rested {
        /// Which.
        id: OrderId,
    },
    /// An iceberg shows its next piece, at the back of its price.
    Refreshed {
        /// Which.
        id: OrderId,
    },
    /// It became smaller and keeps its place.
    Reduced {
        /// Which.
        id: OrderId,
        /// By how much.
        by: Quantity,
        /// What is left.
        left: Quantity,
    },
    /// It left its place for another price; it fills, rests or ends by the events that follow. An order that waits goes on waiting, at
    /// another trigger.
    Moved {
        /// Which.
        id: OrderId,
        /// The new price.
        price: Price,
    },
    /// It is gone with something left.
    Ended {
        /// Which.
        id: OrderId,
        /// What was left.
        left: Quantity,
        /// Why.
        why: EndReason,
    },
}
