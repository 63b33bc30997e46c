//! What the gateway keeps of clients' orders, in the form in which it is written to `orders.snapshot`.

use std::collections::VecDeque;

use exchange::book::Terms;
use exchange::row::PlaceRow;
use fix::UtcTime;
use fix::venue::{
    ClOrdId, Execution, Fee, Happened, Kind, Lifetime, Lots, OrderNumber, OrderState, OrderView, Position,
    Price, Side, Symbol,
};
use minicbor::{Decode, Encode};
use money::Timestamp;

use super::names::{ClientNumber, Pricing, Stay};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Stand {
    #[n(0)]
    Open,
    #[n(1)]
    Waiting,
    #[n(2)]
    Filled,
    #[n(3)]
    Cancelled,
    #[n(4)]
    Expired,
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Shown {
    #[n(0)]
    pub(super) market: u32,
    #[n(1)]
    pub(super) number: u64,
    /// What the client calls it now.
    #[n(2)]
    pub(super) id: String,
    #[n(3)]
    pub(super) is_bid: bool,
    /// The limit that the client gave.
    #[n(4)]
    pub(super) price: Option<u64>,
    #[n(5)]
    pub(super) stop: Option<u64>,
    /// A market order, or a stop that becomes one.
    #[n(6)]
    pub(super) is_market: bool,
    /// 0 until cancelled, 1 immediate, 2 whole, 3 until the date.
    #[n(7)]
    stay: u8,
    #[n(8)]
    pub(super) until: Option<Timestamp>,
    #[n(9)]
    post_only: bool,
    #[n(10)]
    display: Option<u64>,
    #[n(11)]
    pub(super) quantity: u64,
    #[n(12)]
    pub(super) filled: u64,
    /// Ticks times lots of its fills.
    #[cbor(n(13), with = "money::wide")]
    pub(super) value: u128,
    #[n(14)]
    pub(super) stand: Stand,
    /// Its market is suspended.
    #[n(15)]
    pub(super) is_suspended: bool,
}

impl Shown {
    /// An order as it came in.
    pub(super) fn new(
        market: u32,
        number: u64,
        id: &ClOrdId,
        row: &PlaceRow,
        (pricing, stay): (Pricing, Stay),
    ) -> Self {
        let limit = match (row.terms, pricing) {
            (Terms::Limit(price), Pricing::Limit | Pricing::Protected) => Some(price.ticks()),
            (Terms::Limit(_) | Terms::Budget { .. } | Terms::WholeFor { .. }, _) => None,
        };
        Self {
            market,
            number,
            id: id.as_str().to_owned(),
            is_bid: row.side == exchange::Side::Bid,
            price: limit,
            stop: row.trigger.map(exchange::Price::ticks),
            is_market: pricing != Pricing::Limit,
            stay: match stay {
                Stay::UntilCancelled => 0,
                Stay::Immediate => 1,
                Stay::Whole => 2,
                Stay::UntilDate => 3,
            },
            until: row.until,
            post_only: row.in_force == exchange::book::InForce::PostOnly,
            display: (!row.shown.is_zero()).then(|| row.shown.lots()),
            quantity: row.quantity.lots(),
            filled: 0,
            value: 0,
            stand: Stand::Open,
            is_suspended: false,
        }
    }

    pub(super) const fn is_live(&self) -> bool {
        matches!(self.stand, Stand::Open | Stand::Waiting)
    }

    /// As the gateway tells it; nothing where the client's id is none.
    pub(super) fn view(&self, symbol: &Symbol) -> Option<OrderView> {
        let (price, stop) = (self.price.map(Price::new), self.stop.map(Price::new));
        let kind = match (stop, self.is_market, price) {
            (None, true, protection) => Kind::Market { protection },
            (None, false, price) => Kind::Limit { price: price? },
            (Some(stop), true, protection) => Kind::Stop { stop, protection },
            (Some(stop), false, price) => Kind::StopLimit { stop, price: price? },
        };
        let lifetime = match (self.stay, self.until) {
            (1, _) => Lifetime::ImmediateOrCancel,
            (2, _) => Lifetime::FillOrKill,
            (3, Some(until)) => Lifetime::Until(UtcTime::from_ms(until.ms())),
            _ => Lifetime::UntilCancelled,
        };
        let state = match self.stand {
            Stand::Open | Stand::Waiting if self.is_suspended => OrderState::Suspended,
            Stand::Open => OrderState::Open,
            Stand::Waiting => OrderState::Waiting,
            Stand::Filled => OrderState::Filled,
            Stand::Cancelled => OrderState::Cancelled,
            Stand::Expired => OrderState::Expired,
        };
        Some(OrderView {
            number: OrderNumber::new(self.number),
            id: ClOrdId::new(&self.id)?,
            symbol: symbol.clone(),
            side: if self.is_bid { Side::Buy } else { Side::Sell },
            kind,
            lifetime,
            post_only: self.post_only,
            display: self.display.map(Lots::new),
            quantity: Lots::new(self.quantity),
            filled: Lots::new(self.filled),
            value: self.value,
            state,
        })
    }
}

/// An order of a client's, with all that it was called.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Kept {
    /// Grows in the order of placing.
    #[n(0)]
    pub(super) serial: u64,
    #[n(1)]
    pub(super) client: ClientNumber,
    #[n(2)]
    pub(super) ids: Vec<String>,
    #[n(3)]
    pub(super) shown: Shown,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) enum Fact {
    #[n(0)]
    Placed,
    #[n(1)]
    Filled {
        #[n(0)]
        price: u64,
        #[n(1)]
        quantity: u64,
        #[n(2)]
        maker: bool,
        /// Decimal text; a rebate begins with a minus.
        #[n(3)]
        fee: String,
        #[n(4)]
        currency: String,
    },
    #[n(2)]
    Cancelled {
        #[n(0)]
        request: Option<String>,
        #[n(1)]
        text: String,
    },
    #[n(3)]
    Replaced {
        #[n(0)]
        previous: String,
    },
    #[n(4)]
    Lowered {
        #[n(0)]
        text: String,
    },
    #[n(5)]
    Triggered,
    #[n(6)]
    Suspended,
    #[n(7)]
    Expired,
}

/// One thing that happened, with the order after it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Done {
    #[n(0)]
    pub(super) position: u64,
    #[n(1)]
    pub(super) at: Timestamp,
    #[n(2)]
    pub(super) order: Shown,
    #[n(3)]
    pub(super) fact: Fact,
}

impl Done {
    /// As the gateway tells it.
    pub(super) fn execution(&self, symbol: &Symbol) -> Option<Execution> {
        let happened = match &self.fact {
            Fact::Placed => Happened::Placed,
            Fact::Filled { price, quantity, maker, fee, currency } => Happened::Filled {
                price: Price::new(*price),
                quantity: Lots::new(*quantity),
                maker: *maker,
                fee: Some(Fee { amount: fee.clone(), currency: currency.clone() }),
            },
            Fact::Cancelled { request, text } => {
                Happened::Cancelled { request: request.as_deref().and_then(ClOrdId::new), text: text.clone() }
            }
            Fact::Replaced { previous } => Happened::Replaced { previous: ClOrdId::new(previous)? },
            Fact::Lowered { text } => Happened::Lowered { text: text.clone() },
            Fact::Triggered => Happened::Triggered,
            Fact::Suspended => Happened::Suspended,
            Fact::Expired => Happened::Expired,
        };
        Some(Execution {
            position: Position::new(self.position),
            at: UtcTime::from_ms(self.at.ms()),
            order: self.order.view(symbol)?,
            happened,
        })
    }
}

/// A trade, as everybody sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Traded {
    #[n(0)]
    pub(super) number: u64,
    #[n(1)]
    pub(super) at: Timestamp,
    #[n(2)]
    pub(super) price: u64,
    #[n(3)]
    pub(super) quantity: u64,
}

/// What is to be known of a market.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct OfMarket {
    /// Minor units of quote that a lot costs at one tick.
    #[n(0)]
    pub(super) tick: u64,
    #[n(1)]
    pub(super) quote: money::Asset,
    #[n(2)]
    pub(super) is_suspended: bool,
    /// How many trades there have been.
    #[n(3)]
    pub(super) trades: u64,
    /// The latest, oldest first.
    #[n(4)]
    pub(super) latest: VecDeque<Traded>,
}
