//! What can be seen of a book.

use crate::book::order::{Hot, Place};
use crate::book::{Book, Terms};
use crate::{OrderId, Price, Quantity, Seat, Side, StpGroup};

use super::{InForce, SelfTrade};

/// A price and what rests there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthLevel {
    /// The price.
    pub price: Price,
    /// What is shown.
    pub shown: Quantity,
    /// How many orders.
    pub count: u32,
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In the queue of its price.
    Rests,
    /// Among the stops.
    Waits,
}

/// An order as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Whose.
    pub seat: Seat,
    /// With whom it must not trade.
    pub group: StpGroup,
    /// What happens where it would.
    pub self_trade: SelfTrade,
    /// Buy or sell.
    pub side: Side,
    /// Prices, a limit as it was last moved.
    pub terms: Terms,
    /// How long it stays.
    pub in_force: InForce,
    /// How much it was when it came in.
    pub quantity: Quantity,
    /// How much has traded.
    pub filled: Quantity,
    /// How much is left.
    pub left: Quantity,
    /// How much of that the book shows.
    pub showing: Quantity,
    /// How much it shows at a time, as it came in.
    pub shown: Quantity,
    /// The trigger it waits or waited for, as it was last moved.
    pub trigger: Option<Price>,
    /// Where it is.
    pub standing: Standing,
}

/// What an order would get from the book as it is, were nobody's group in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// How much would trade.
    pub quantity: Quantity,
    /// Sum of ticks × lots.
    pub ticks_lots: u128,
    /// The last and worst price; nothing where nothing would trade.
    pub worst: Option<Price>,
}

/// Up to what one wants to trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This much.
    Quantity(Quantity),
    /// As much as this sum of ticks × lots allows.
    Budget(u64),
}

impl Book {
    /// The best price of a side.
    #[inline]
    #[must_use]
    pub fn best(&self, side: Side) -> Option<DepthLevel> {
        self.ladder(side).best().map(|key| self.depth_level(side, key))
    }

    fn depth_level(&self, side: Side, key: u64) -> DepthLevel {
        let ladder = self.ladder(side);
        let level = ladder.level(key);
        DepthLevel {
            price: Price::new(ladder.price(key)),
            shown: Quantity::new(level.shown),
            count: level.count,
        }
    }

    /// The prices of a side, best first; take as many as are wanted.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = DepthLevel> + '_ {
        self.ladder(side).keys().map(move |key| self.depth_level(side, key))
    }

    /// How many prices a side has.
    #[must_use]
    pub fn prices(&self, side: Side) -> u32 {
        self.ladder(side).prices()
    }

    /// The order with this id, while it rests or waits.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<OrderView> {
        self.orders.find(id).map(|hot| self.order_view(id, hot))
    }

    fn order_view(&self, id: OrderId, hot: &Hot) -> OrderView {
        let cold = self.orders.cold(id.slot());
        OrderView {
            id,
            seat: Seat::new(hot.seat),
            group: StpGroup::new(hot.group),
            self_trade: hot.self_trade,
            side: hot.side,
            terms: self.terms(id.slot()),
            in_force: cold.order.in_force,
            quantity: cold.order.quantity,
            filled: Quantity::new(cold.filled),
            left: Quantity::new(hot.left),
            showing: match hot.place {
                Place::Resting => Quantity::new(self.orders.showing(id.slot(), hot)),
                Place::Waiting | Place::Arriving | Place::Free => Quantity::ZERO,
            },
            shown: cold.order.shown,
            trigger: cold.order.trigger,
            standing: match hot.place {
                Place::Waiting => Standing::Waits,
                Place::Resting | Place::Arriving | Place::Free => Standing::Rests,
            },
        }
    }

    fn view_of(&self, slot: u32) -> OrderView {
        let hot = self.orders.hot(slot);
        self.order_view(OrderId::new(hot.generation, slot), hot)
    }

    /// The orders that rest on a side, in the order in which they would trade.
    pub fn resting(&self, side: Side) -> impl Iterator<Item = OrderView> + '_ {
        self.ladder(side).keys().flat_map(move |key| self.queue(side, key)).map(|slot| self.view_of(slot))
    }

    /// The orders that wait on a side, in the order in which they would come in.
    pub fn waiting(&self, side: Side) -> impl Iterator<Item = OrderView> + '_ {
        self.stops.of(side).map(|(_, _, slot)| self.view_of(slot))
    }

    /// The orders of a seat, oldest first.
    pub fn orders_of(&self, seat: Seat) -> impl Iterator<Item = OrderView> + '_ {
        let list = self.orders.of_seat(seat);
        let next = |slot: u32| (slot != super::order::NIL).then_some(slot);
        std::iter::successors(next(list.first), move |slot| next(self.orders.cold(*slot).of_seat.next))
            .map(|slot| self.view_of(slot))
    }

    /// How many orders a seat has.
    #[must_use]
    pub fn count_of(&self, seat: Seat) -> u32 {
        self.orders.of_seat(seat).count
    }

    /// How many orders rest or wait.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.orders.count
    }

    /// How many orders wait.
    #[must_use]
    pub fn count_waiting(&self) -> usize {
        self.stops.len()
    }

    /// Bytes that the book's lists have room for. While this stays, and nothing waits or rests outside the band, no command asked for memory.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        let [bids, asks] = &self.ladders;
        self.orders.room_bytes().saturating_add(bids.room_bytes()).saturating_add(asks.room_bytes())
    }

    /// The price of the last trade.
    #[must_use]
    pub const fn last_price(&self) -> Option<Price> {
        self.last_price
    }

    /// Where the band of prices begins that are found quickest, as it was given.
    #[must_use]
    pub const fn band_from(&self) -> Price {
        self.band_from
    }

    /// Whether orders rest without matching.
    #[must_use]
    pub const fn is_collecting(&self) -> bool {
        self.is_collecting
    }

    /// What an order of `side` would get now, each fill at `limit` or better.
    #[must_use]
    pub fn expected_fill(&self, side: Side, wanted: Wanted, limit: Option<Price>) -> Expected {
        let ladder = self.ladder(side.opposite());
        let most = limit.map_or(u64::MAX, |limit| ladder.key(limit.ticks()));
        let mut expected = Expected { quantity: Quantity::ZERO, ticks_lots: 0, worst: None };
        let mut wanted = wanted;
        for key in ladder.keys().take_while(|key| *key <= most) {
            let price = ladder.price(key);
            let there = ladder.level(key).total;
            let taken = match wanted {
                Wanted::Quantity(quantity) => there.min(quantity.lots()),
                Wanted::Budget(sum) => there.min(sum.checked_div(price).unwrap_or(there)),
            };
            if taken == 0 {
                break;
            }
            wanted = match wanted {
                Wanted::Quantity(quantity) => Wanted::Quantity(quantity.less(Quantity::new(taken))),
                Wanted::Budget(sum) => Wanted::Budget(sum.saturating_sub(price.saturating_mul(taken))),
            };
            expected = Expected {
                quantity: Quantity::new(expected.quantity.lots().saturating_add(taken)),
                ticks_lots: expected
                    .ticks_lots
                    .saturating_add(u128::from(price).saturating_mul(u128::from(taken))),
                worst: Some(Price::new(price)),
            };
        }
        expected
    }
}
