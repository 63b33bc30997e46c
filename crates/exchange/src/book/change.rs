//! The book's state, and the few ways in which it changes: one for each kind of event.
//!
//! Matching calls these and writes down the event; [`Book::apply`] calls them for an event that was written down. Nothing else changes a book.

use crate::book::ladder::Ladder;
use crate::book::order::{Hot, ICEBERG, NIL, Orders, Place};
use crate::book::stops::{Stops, Traded};
use crate::book::{BookEvent, NewOrder, Terms};
use crate::{OrderId, Price, Quantity, Side};

/// The orders of one market. See the [module](crate::book).
#[derive(Debug, Clone)]
pub struct Book {
    pub(super) orders: Orders,
    /// Bids, then asks.
    pub(super) ladders: [Ladder; 2],
    pub(super) stops: Stops,
    pub(super) band_from: Price,
    pub(super) last_price: Option<Price>,
    pub(super) is_collecting: bool,
    /// Which prices traded since stops were brought in; of no meaning between commands.
    pub(super) traded: Traded,
}

/// What a fill left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    pub(super) taker: u64,
    pub(super) maker: u64,
    /// The maker shows nothing and has something left.
    pub(super) is_spent: bool,
}

impl Book {
    /// An empty book. Prices from about `band_from` on, 2^18 of them, are found quickest.
    #[must_use]
    pub fn new(band_from: Price) -> Self {
        Self {
            orders: Orders::new(),
            ladders: [Ladder::new(Side::Bid, band_from), Ladder::new(Side::Ask, band_from)],
            stops: Stops::default(),
            band_from,
            last_price: None,
            is_collecting: false,
            traded: Traded::NOTHING,
        }
    }

    /// An empty book whose band has `price` in its middle.
    #[must_use]
    pub fn around(price: Price) -> Self {
        Self::new(Price::new(price.ticks().saturating_sub(super::ladder::BAND >> 1)))
    }

    /// Begins or ends a call phase: while it collects, orders rest without matching, even crossed.
    ///
    /// Whoever ends the phase calls [`Book::uncross`] first, since nothing else looks at orders that are crossed already.
    pub const fn set_collecting(&mut self, is_collecting: bool) {
        self.is_collecting = is_collecting;
    }

    /// Does what an event says happened. Events of another book, or in another order, stop the core.
    pub fn apply(&mut self, event: &BookEvent) {
        match *event {
            BookEvent::Entered { id, ref order } => {
                let given = self.enter(order);
                money::invariant!(given == id, "order {id} entered, the book gave it {given}");
            }
            BookEvent::Waits { id } => self.wait(self.known(id)),
            BookEvent::Triggered { id } => self.trigger(self.known(id)),
            BookEvent::Filled { taker, maker, price, quantity, .. } => {
                self.fill(self.known(taker), self.known(maker), price, quantity.lots());
            }
            BookEvent::Uncrossed { bid, ask, price, quantity, .. } => {
                self.uncross_fill(self.known(bid), self.known(ask), price, quantity.lots());
            }
            BookEvent::Rested { id } => self.rest(self.known(id)),
            BookEvent::Refreshed { id } => self.refresh(self.known(id)),
            BookEvent::Reduced { id, by, .. } => {
                self.lessen(self.known(id), by.lots());
            }
            BookEvent::Moved { id, price } => self.relocate(self.known(id), price),
            BookEvent::Ended { id, .. } => self.end(self.known(id)),
        }
    }

    /// The slot of an order that must be there.
    fn known(&self, id: OrderId) -> u32 {
        money::invariant!(self.orders.find(id).is_some(), "order {id} is not in the book");
        id.slot()
    }

    #[inline]
    pub(super) fn ladder(&self, side: Side) -> &Ladder {
        let [bids, asks] = &self.ladders;
        match side {
            Side::Bid => bids,
            Side::Ask => asks,
        }
    }

    /// The queue links beside a side, which change together.
    #[inline]
    pub(super) fn queues(&mut self, side: Side) -> (&mut Ladder, &mut [super::order::Link]) {
        let [bids, asks] = &mut self.ladders;
        let ladder = match side {
            Side::Bid => bids,
            Side::Ask => asks,
        };
        (ladder, &mut self.orders.links)
    }

    #[inline]
    pub(super) fn enter(&mut self, order: &NewOrder) -> OrderId {
        self.orders.enter(order)
    }

    /// Puts an order that has come in at the back of its price.
    #[inline]
    pub(super) fn rest(&mut self, slot: u32) {
        let hot = self.orders.hot_mut(slot);
        hot.place = Place::Resting;
        let Hot { side, price, left, marks, .. } = *hot;
        let showing = if marks & ICEBERG == 0 { left } else { self.show_next(slot, left) };
        let (ladder, links) = self.queues(side);
        ladder.push_back(links, slot, price, showing, left);
    }

    /// What an iceberg shows next.
    fn show_next(&mut self, slot: u32, left: u64) -> u64 {
        let cold = self.orders.cold_mut(slot);
        cold.showing = cold.order.shown.lots().min(left);
        cold.showing
    }

    /// Puts an order that has come in among the stops.
    pub(super) fn wait(&mut self, slot: u32) {
        let hot = self.orders.hot_mut(slot);
        hot.place = Place::Waiting;
        let side = hot.side;
        let trigger = self.trigger_of(slot);
        self.orders.cold_mut(slot).waits_since = self.stops.push(side, trigger, slot);
    }

    pub(super) fn trigger_of(&self, slot: u32) -> u64 {
        self.orders.cold(slot).order.trigger.map_or(0, Price::ticks)
    }

    /// Takes a waiting order out of the stops; it arrives.
    pub(super) fn trigger(&mut self, slot: u32) {
        let side = self.orders.hot(slot).side;
        let (trigger, since) = (self.trigger_of(slot), self.orders.cold(slot).waits_since);
        self.stops.remove(side, trigger, since);
        self.orders.hot_mut(slot).place = Place::Arriving;
    }

    /// Trades between an order that arrives and the one at the front.
    #[inline]
    pub(super) fn fill(&mut self, taker: u32, maker: u32, price: Price, quantity: u64) -> Rest {
        let taken = self.lower(taker, quantity);
        if taken == 0 {
            self.orders.release(taker);
        }
        let made = self.lower(maker, quantity);
        let Hot { side, marks, price: at, .. } = *self.orders.hot(maker);
        let mut is_spent = false;
        if marks & ICEBERG != 0 {
            let cold = self.orders.cold_mut(maker);
            cold.showing = cold.showing.saturating_sub(quantity);
            is_spent = cold.showing == 0 && made != 0;
        }
        let (ladder, links) = self.queues(side);
        if made == 0 {
            ladder.remove(links, maker, at, quantity, quantity);
            self.orders.release(maker);
        } else {
            ladder.lessen(at, quantity, quantity);
        }
        self.last_price = Some(price);
        self.traded.note(price.ticks());
        Rest { taker: taken, maker: made, is_spent }
    }

    /// Takes what traded off an order; says what is left.
    #[inline]
    fn lower(&mut self, slot: u32, quantity: u64) -> u64 {
        let cold = self.orders.cold_mut(slot);
        cold.filled = cold.filled.saturating_add(quantity);
        let hot = self.orders.hot_mut(slot);
        hot.left = hot.left.saturating_sub(quantity);
        hot.left
    }

    /// Trades between two resting orders. What an iceberg shows is filled up again where it stands: an auction takes all of it into account.
    pub(super) fn uncross_fill(&mut self, bid: u32, ask: u32, price: Price, quantity: u64) -> (u64, u64) {
        let left = (self.uncross_one(bid, quantity), self.uncross_one(ask, quantity));
        self.last_price = Some(price);
        self.traded.note(price.ticks());
        left
    }

    fn uncross_one(&mut self, slot: u32, quantity: u64) -> u64 {
        let before = self.orders.showing(slot, self.orders.hot(slot));
        let left = self.lower(slot, quantity);
        let Hot { side, price, marks, .. } = *self.orders.hot(slot);
        let showing = if marks & ICEBERG == 0 {
            left
        } else if before > quantity {
            let cold = self.orders.cold_mut(slot);
            cold.showing = before.saturating_sub(quantity);
            cold.showing
        } else {
            self.show_next(slot, left)
        };
        let (ladder, links) = self.queues(side);
        if left == 0 {
            ladder.remove(links, slot, price, before, quantity);
            self.orders.release(slot);
        } else {
            ladder.lessen(price, before, quantity);
            ladder.lessen(price, 0_u64.wrapping_sub(showing), 0);
        }
        left
    }

    /// An iceberg shows its next piece at the back of its price.
    pub(super) fn refresh(&mut self, slot: u32) {
        let Hot { side, price, left, .. } = *self.orders.hot(slot);
        let before = self.orders.cold(slot).showing;
        let showing = self.show_next(slot, left);
        let (ladder, links) = self.queues(side);
        ladder.remove(links, slot, price, before, left);
        ladder.push_back(links, slot, price, showing, left);
    }

    /// Makes an order smaller where it is; of an iceberg what is unseen goes first. Says what is left.
    pub(super) fn lessen(&mut self, slot: u32, by: u64) -> u64 {
        let before = self.orders.showing(slot, self.orders.hot(slot));
        let hot = self.orders.hot_mut(slot);
        hot.left = hot.left.saturating_sub(by);
        let Hot { side, price, left, place, marks, .. } = *hot;
        let showing = before.min(left);
        if marks & ICEBERG != 0 {
            self.orders.cold_mut(slot).showing = showing;
        }
        if place == Place::Resting {
            let (ladder, _) = self.queues(side);
            ladder.lessen(price, before.saturating_sub(showing), by);
        }
        left
    }

    /// Gives an order another price: a resting one leaves its place and arrives, a waiting one gets another trigger and waits on.
    #[inline]
    pub(super) fn relocate(&mut self, slot: u32, price: Price) {
        if self.orders.hot(slot).place == Place::Waiting {
            self.trigger(slot);
            self.orders.cold_mut(slot).order.trigger = Some(price);
            self.wait(slot);
            return;
        }
        self.leave(slot);
        let hot = self.orders.hot_mut(slot);
        hot.price = price.ticks();
        hot.place = Place::Arriving;
    }

    /// Takes a resting order out of its queue.
    #[inline]
    fn leave(&mut self, slot: u32) {
        let hot = self.orders.hot(slot);
        let showing = self.orders.showing(slot, hot);
        let Hot { side, price, left, .. } = *hot;
        let (ladder, links) = self.queues(side);
        ladder.remove(links, slot, price, showing, left);
    }

    /// Takes an order away, wherever it is.
    #[inline]
    pub(super) fn end(&mut self, slot: u32) {
        match self.orders.hot(slot).place {
            Place::Resting => self.leave(slot),
            Place::Waiting => self.trigger(slot),
            Place::Arriving | Place::Free => {}
        }
        self.orders.release(slot);
    }

    /// What an order trades at.
    #[inline]
    pub(super) fn terms(&self, slot: u32) -> Terms {
        match self.orders.cold(slot).order.terms {
            Terms::Limit(_) => Terms::Limit(Price::new(self.orders.hot(slot).price)),
            terms @ (Terms::Budget { .. } | Terms::WholeFor { .. }) => terms,
        }
    }

    /// The orders of a side's queue at a key, first come first.
    pub(super) fn queue(&self, side: Side, key: u64) -> impl Iterator<Item = u32> + '_ {
        let next = |slot: u32| (slot != NIL).then_some(slot);
        std::iter::successors(next(self.ladder(side).level(key).head), move |slot| {
            next(self.orders.links.get(*slot as usize).map_or(NIL, |link| link.next))
        })
    }

    /// What is left of an order.
    #[inline]
    pub(super) fn left(&self, slot: u32) -> Quantity {
        Quantity::new(self.orders.hot(slot).left)
    }
}
