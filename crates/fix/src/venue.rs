//! The seam to whoever matches: what the gateway asks, and what it is told.
//!
//! Prices are whole ticks and quantities whole lots of an [`Instrument`]; decimal text is only on the wire. Orders are named by the client's own ids.
//!
//! **What a venue owes.** A request with an id that the client has used is taken once: the repeat is answered [`Answer::Before`] and does nothing. Executions
//! of a client have positions that grow, and the same position is the same execution for ever. An answer says what is durable, never what is hoped.

mod decimal;

use std::fmt;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::time::UtcTime;

pub use decimal::{Decimal, OffGrid, scaled_quotient};

/// Longest client id of an order, in bytes.
pub const CL_ORD_ID_BYTES_MAX: usize = 36;

/// Who trades: found by the venue when a session logs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The venue's own number for it.
    pub number: u128,
    /// The name of the account that its orders are for.
    pub account: String,
}

/// What a client shows when it logs on. The password has no `Debug`.
pub struct Credentials<'a> {
    /// The session's name (SenderCompID of the client).
    pub session: &'a str,
    /// Username.
    pub username: &'a str,
    /// The token.
    pub password: &'a str,
}

/// A number with its own meaning.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(u64);

            impl $name {
                /// The one with this number.
                #[must_use]
                pub const fn new(number: u64) -> Self {
                    Self(number)
                }

                /// The number.
                #[must_use]
                pub const fn number(self) -> u64 {
                    self.0
                }
            }
        )*
    };
}

numbers! {
    /// A price in ticks of the instrument.
    Price,
    /// A quantity in lots of the instrument.
    Lots,
    /// The venue's id of an order.
    OrderNumber,
    /// Where an execution lies among those of its client: grows, and names it for ever.
    Position,
    /// A trade of an instrument: grows.
    TradeNumber,
}

impl Lots {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// What is left after taking `other` away.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// The client's id of an order or of a request: 1 to 36 printable ASCII characters without spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClOrdId(Arc<str>);

impl ClOrdId {
    /// The id with this text.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let sound = (1..=CL_ORD_ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClOrdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

impl Symbol {
    /// The symbol with this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is traded, and in which steps, which never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its name.
    pub symbol: Symbol,
    /// What prices and fees are counted in.
    pub quote: String,
    /// Smallest step of a price.
    pub tick: Decimal,
    /// Smallest step of a quantity.
    pub lot: Decimal,
    /// Smallest order.
    pub smallest: Lots,
}

/// Buys or sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Buys the base asset.
    Buy,
    /// Sells the base asset.
    Sell,
}

/// How an order meets the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At what the book has, no worse than the protection price; without one, than the venue's own.
    Market {
        /// The worst price.
        protection: Option<Price>,
    },
    /// At this price or better.
    Limit {
        /// The worst price.
        price: Price,
    },
    /// A market order once the stop price trades.
    Stop {
        /// What sets it off.
        stop: Price,
        /// The worst price.
        protection: Option<Price>,
    },
    /// A limit order once the stop price trades.
    StopLimit {
        /// What sets it off.
        stop: Price,
        /// The worst price.
        price: Price,
    },
}

impl Kind {
    /// The limit, if it has one.
    #[must_use]
    pub const fn price(self) -> Option<Price> {
        match self {
            Self::Market { protection } | Self::Stop { protection, .. } => protection,
            Self::Limit { price } | Self::StopLimit { price, .. } => Some(price),
        }
    }

    /// What sets it off, if it waits.
    #[must_use]
    pub const fn stop(self) -> Option<Price> {
        match self {
            Self::Stop { stop, .. } | Self::StopLimit { stop, .. } => Some(stop),
            Self::Market { .. } | Self::Limit { .. } => None,
        }
    }
}

/// How long an order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is filled or cancelled.
    UntilCancelled,
    /// What does not fill at once is cancelled.
    ImmediateOrCancel,
    /// All at once or nothing.
    FillOrKill,
    /// Until this time.
    Until(UtcTime),
}

/// What is cancelled where an order would meet one of its own group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTrade {
    /// The arriving order.
    CancelTaker,
    /// The resting order.
    CancelMaker,
    /// Both.
    CancelBoth,
    /// The smaller one, and as much of the larger.
    Decrement,
}

/// An order to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The client's id of it.
    pub id: ClOrdId,
    /// What is traded.
    pub symbol: Symbol,
    /// The side.
    pub side: Side,
    /// How much.
    pub quantity: Lots,
    /// How it meets the book.
    pub kind: Kind,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Refused rather than filled at once.
    pub post_only: bool,
    /// How much of it is shown at a time; all if absent.
    pub display: Option<Lots>,
    /// What is cancelled where it would meet the client's own; the venue's rule if absent.
    pub self_trade: Option<SelfTrade>,
}

/// Which orders a mass request means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Of this instrument only.
    pub symbol: Option<Symbol>,
    /// Of this side only.
    pub side: Option<Side>,
}

/// What a client asks to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Place an order.
    Place(NewOrder),
    /// Cancel an order.
    Cancel {
        /// The id of this request.
        id: ClOrdId,
        /// The order.
        order: ClOrdId,
    },
    /// Lower an order's quantity; it keeps its place in the queue.
    Reduce {
        /// The id of this request, by which the order is called from then on.
        id: ClOrdId,
        /// The order.
        order: ClOrdId,
        /// The new quantity, of which some may be filled.
        quantity: Lots,
    },
    /// Change an order's price or raise its quantity; it loses its place.
    Move {
        /// The id of this request, by which the order is called from then on.
        id: ClOrdId,
        /// The order.
        order: ClOrdId,
        /// The new price.
        price: Price,
        /// The new quantity, of which some may be filled.
        quantity: Lots,
    },
    /// Cancel many orders.
    CancelAll {
        /// The id of this request.
        id: ClOrdId,
        /// Which.
        scope: Scope,
    },
}

impl Request {
    /// The client's id of the request.
    #[must_use]
    pub const fn id(&self) -> &ClOrdId {
        match self {
            Self::Place(order) => &order.id,
            Self::Cancel { id, .. }
            | Self::Reduce { id, .. }
            | Self::Move { id, .. }
            | Self::CancelAll { id, .. } => id,
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done and durable; what it did is among the executions. `orders`: how many a mass cancel hit.
    Taken {
        /// Orders that a mass cancel hit; 0 for all others.
        orders: u64,
    },
    /// The id was used before, so nothing was done.
    Before,
    /// It was refused and left nothing.
    Refused(Refusal),
    /// Nobody knows. The session ends, and the client sends it again.
    InDoubt,
}

/// A no, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// Why, in words for the client.
    pub text: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// There is no such instrument.
    UnknownSymbol,
    /// The market takes no such orders now.
    MarketClosed,
    /// Limits or funds.
    ExceedsLimit,
    /// There is no such order of this client.
    UnknownOrder,
    /// The order has ended.
    TooLate,
    /// The id names something else already.
    DuplicateId,
    /// An instruction that the venue does not have.
    NotSupported,
    /// Price, quantity or anything else that the text says.
    Other,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// In the book.
    Open,
    /// Waits for its stop price.
    Waiting,
    /// Out of the book while its market is suspended.
    Suspended,
    /// Filled to the last lot.
    Filled,
    /// Cancelled.
    Cancelled,
    /// Its time is over.
    Expired,
}

impl OrderState {
    /// Whether anything can still happen to it.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Waiting | Self::Suspended)
    }
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// The venue's id.
    pub number: OrderNumber,
    /// What the client calls it now.
    pub id: ClOrdId,
    /// What is traded.
    pub symbol: Symbol,
    /// The side.
    pub side: Side,
    /// How it meets the book.
    pub kind: Kind,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Refused rather than filled at once.
    pub post_only: bool,
    /// How much is shown at a time.
    pub display: Option<Lots>,
    /// All of it, filled or not.
    pub quantity: Lots,
    /// What is filled.
    pub filled: Lots,
    /// Ticks times lots, summed over its fills.
    pub value: u128,
    /// Where it stands.
    pub state: OrderState,
}

impl OrderView {
    /// What can still be filled.
    #[must_use]
    pub const fn open(&self) -> Lots {
        if self.state.is_live() { self.quantity.less(self.filled) } else { Lots::ZERO }
    }
}

/// A fee of one fill; a rebate begins with a minus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Decimal text.
    pub amount: String,
    /// Of this asset.
    pub currency: String,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It was placed.
    Placed,
    /// Some of it was filled.
    Filled {
        /// At this price.
        price: Price,
        /// So much.
        quantity: Lots,
        /// It rested and was met.
        maker: bool,
        /// What it cost.
        fee: Option<Fee>,
    },
    /// It was cancelled: by a request, or by the venue, which says why.
    Cancelled {
        /// The request, if there was one.
        request: Option<ClOrdId>,
        /// Why, in words.
        text: String,
    },
    /// Price or quantity were changed by a request, whose id it has now.
    Replaced {
        /// What it was called before.
        previous: ClOrdId,
    },
    /// The venue lowered its quantity, as where it would have met the client's own.
    Lowered {
        /// Why, in words.
        text: String,
    },
    /// Its stop price traded.
    Triggered,
    /// Its market was suspended.
    Suspended,
    /// Its time was over, or what could not be filled at once was dropped.
    Expired,
}

/// One thing that happened to one order of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Where it lies among those of the client.
    pub position: Position,
    /// When.
    pub at: UtcTime,
    /// The order after it.
    pub order: OrderView,
    /// What.
    pub happened: Happened,
}

/// One price of a book with all that is shown there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// All orders at it.
    pub quantity: Lots,
}

/// The two sides of a book, each with its best price first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// Buyers, from the highest price down.
    pub bids: Vec<Level>,
    /// Sellers, from the lowest price up.
    pub asks: Vec<Level>,
}

/// A trade, as everybody sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Its number.
    pub number: TradeNumber,
    /// When.
    pub at: UtcTime,
    /// At this price.
    pub price: Price,
    /// So much.
    pub quantity: Lots,
}

/// What a market does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketState {
    /// Takes orders and does not match.
    PreOpen,
    /// Collects orders for one price.
    Auction,
    /// Matches.
    Continuous,
    /// Stopped for a while.
    Halted,
    /// Takes no orders.
    Closed,
}

/// Why a logon is refused, in words for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LogOnRefused(pub String);

/// Where orders are matched. Calls come from the sessions' threads; all but `submit` only look, and none may wait for long.
pub trait Venue: Send + Sync + 'static {
    /// Who shows these credentials.
    ///
    /// # Errors
    /// Nobody who may trade.
    fn log_on(&self, credentials: &Credentials<'_>) -> Result<Client, LogOnRefused>;

    /// What is traded here.
    fn instruments(&self) -> Vec<Instrument>;

    /// Takes a request in its turn and answers when it is durable or refused, from any thread. Requests of one client are taken in order.
    fn submit(&self, client: &Client, request: Request, reply: Reply);

    /// An order of the client's that it calls, or has called, by this id.
    fn order(&self, client: &Client, id: &ClOrdId) -> Option<OrderView>;

    /// The client's live orders, in the order of placing; at most `most`.
    fn orders(&self, client: &Client, scope: &Scope, most: usize) -> Vec<OrderView>;

    /// What happened to the client's orders after a position, in order; at most `most`. What is no longer kept is left out.
    fn executions(&self, client: &Client, after: Position, most: usize) -> Vec<Execution>;

    /// The position of the client's latest execution; 0 if there is none.
    fn latest(&self, client: &Client) -> Position;

    /// The book of an instrument, at most `depth` prices on each side.
    fn book(&self, symbol: &Symbol, depth: usize) -> Option<Book>;

    /// Trades after a number, in order; the latest `most` where there are more.
    fn trades(&self, symbol: &Symbol, after: TradeNumber, most: usize) -> Vec<Trade>;

    /// What a market does now.
    fn state(&self, symbol: &Symbol) -> Option<MarketState>;

    /// Keeps a waker, to be woken after anything has changed that `executions`, `book`, `trades` or `state` tell, until it says that nobody listens.
    fn wake(&self, waker: Waker);
}

/// Wakes a session. Many wakes before it looks are one.
#[derive(Debug, Clone)]
pub struct Waker(Sender<()>);

impl Waker {
    /// A waker and what it wakes.
    #[must_use]
    pub fn new() -> (Self, crossbeam_channel::Receiver<()>) {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        (Self(sender), receiver)
    }

    /// Wakes; answers whether anybody still listens.
    #[must_use]
    pub fn wake(&self) -> bool {
        !matches!(self.0.try_send(()), Err(crossbeam_channel::TrySendError::Disconnected(())))
    }
}

/// Where the answer to a request goes. Dropped without an answer, the outcome is in doubt.
#[derive(Debug)]
pub struct Reply {
    number: u64,
    to: Option<Sender<(u64, Answer)>>,
}

impl Reply {
    /// A place for the answer to the request with this number of the session's.
    pub(crate) const fn new(number: u64, to: Sender<(u64, Answer)>) -> Self {
        Self { number, to: Some(to) }
    }

    /// Gives the answer.
    pub fn give(mut self, answer: Answer) {
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        if let Some(to) = self.to.take() {
            // A session that has gone asks again when it is back.
            let _ = to.try_send((self.number, answer));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Answer::InDoubt);
    }
}
