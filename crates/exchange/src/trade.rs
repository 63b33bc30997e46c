//! Trades among the events of a book, whoever came to whom.

use money::EntryId;

use crate::book::BookEvent;
use crate::event::{Event, FillSum, Outcome};
use crate::{MarketNumber, OrderId, Price, Quantity, Seat, Side};

/// One side of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeParty {
    /// Its order.
    pub order: OrderId,
    /// Whose that is.
    pub seat: Seat,
    /// What is left of it.
    pub left: Quantity,
}

/// Two orders traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// The side that came in; nothing in an auction.
    pub taker: Option<Side>,
    /// Who bought.
    pub buyer: TradeParty,
    /// Who sold.
    pub seller: TradeParty,
}

impl Trade {
    /// The trade that an event says, if it says one.
    #[must_use]
    pub const fn of(event: &BookEvent) -> Option<Self> {
        match *event {
            BookEvent::Filled {
                taker,
                maker,
                taker_seat,
                maker_seat,
                side,
                price,
                quantity,
                taker_left,
                maker_left,
            } => {
                let taker = TradeParty { order: taker, seat: taker_seat, left: taker_left };
                let maker = TradeParty { order: maker, seat: maker_seat, left: maker_left };
                let (buyer, seller) = match side {
                    Side::Bid => (taker, maker),
                    Side::Ask => (maker, taker),
                };
                Some(Self { price, quantity, taker: Some(side), buyer, seller })
            }
            BookEvent::Uncrossed { bid, ask, bid_seat, ask_seat, price, quantity, bid_left, ask_left } => {
                let buyer = TradeParty { order: bid, seat: bid_seat, left: bid_left };
                let seller = TradeParty { order: ask, seat: ask_seat, left: ask_left };
                Some(Self { price, quantity, taker: None, buyer, seller })
            }
            BookEvent::Entered { .. }
            | BookEvent::Waits { .. }
            | BookEvent::Triggered { .. }
            | BookEvent::Rested { .. }
            | BookEvent::Refreshed { .. }
            | BookEvent::Reduced { .. }
            | BookEvent::Moved { .. }
            | BookEvent::Ended { .. } => None,
        }
    }
}

impl Outcome {
    /// The trades among the events, in order: the market, the trade, what it moved, and the ledger's entry of it.
    pub fn trades(&self) -> impl Iterator<Item = (MarketNumber, Trade, FillSum, EntryId)> + '_ {
        let of_book = self.events.iter().flat_map(|event| match event {
            Event::Book { market, events } => {
                events.iter().filter_map(Trade::of).map(|trade| (*market, trade)).collect()
            }
            _ => Vec::new(),
        });
        let sums = self.fills.iter().map(|sum| (*sum, crate::entry_id(sum.serial)));
        of_book.zip(sums).map(|((market, trade), (sum, entry))| (market, trade, sum, entry))
    }
}
