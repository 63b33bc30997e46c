//! What follows from a command: who trades with whom.

use crate::book::order::{Hot, POST_ONLY, Place};
use crate::book::stops::Traded;
use crate::book::{
    Book, BookCommand, BookEvent, BookRefusal, EndReason, InForce, NewOrder, ORDERS_MAX, QUANTITY_MAX,
    SEATS_MAX, SelfTrade, Terms, WAITING_MAX,
};
use crate::{OrderId, Price, Quantity, Seat};

impl Book {
    /// Takes a command: finds out what follows, does it, and adds the events to `out`. Says which order it was about.
    ///
    /// What it traded may reach the triggers of waiting orders. Those come in after it, bids before asks, nearest trigger first, then who
    /// waited longest; what they trade may bring in further ones. An order is triggered once, so there are never more than
    /// [`WAITING_MAX`] in one command.
    ///
    /// # Errors
    /// The book is as before, and `out` too.
    #[inline]
    pub fn take(&mut self, command: BookCommand, out: &mut Vec<BookEvent>) -> Result<OrderId, BookRefusal> {
        self.traded = Traded::NOTHING;
        let id = match command {
            BookCommand::Move(id, price) => self.take_move(id, price, out)?,
            BookCommand::Enter(order) => self.take_enter(&order, out)?,
            BookCommand::Cancel(id) => self.take_cancel(id, out)?,
            BookCommand::Reduce(id, by) => self.take_reduce(id, by, out)?,
        };
        if !self.stops.is_empty() {
            self.bring_in(out);
        }
        Ok(id)
    }

    /// Ends all orders of a seat, oldest first; says how many.
    pub fn end_seat(&mut self, seat: Seat, out: &mut Vec<BookEvent>) -> u32 {
        let list = self.orders.of_seat(seat);
        let mut slot = list.first;
        for _ in 0..list.count {
            let next = self.orders.cold(slot).of_seat.next;
            self.finish(slot, EndReason::Cancelled, out);
            slot = next;
        }
        list.count
    }

    fn take_enter(&mut self, order: &NewOrder, out: &mut Vec<BookEvent>) -> Result<OrderId, BookRefusal> {
        self.check(order)?;
        let id = self.enter(order);
        out.push(BookEvent::Entered { id, order: *order });
        if let Some(trigger) = order.trigger
            && (self.is_collecting || !self.is_reached(order.side, trigger))
        {
            self.wait(id.slot());
            out.push(BookEvent::Waits { id });
            return Ok(id);
        }
        self.arrive(id, !self.is_collecting, out);
        Ok(id)
    }

    /// What is wrong with an order, in this order: quantity, terms, room, phase, then whether a post-only order would trade.
    fn check(&self, order: &NewOrder) -> Result<(), BookRefusal> {
        if order.quantity.is_zero() {
            return Err(BookRefusal::NoQuantity);
        }
        if order.quantity.lots() > QUANTITY_MAX {
            return Err(BookRefusal::QuantityBeyondMost { quantity: order.quantity });
        }
        let rests = match (order.terms, order.in_force) {
            (Terms::Limit(_), InForce::UntilEnded | InForce::PostOnly) => true,
            (Terms::Limit(_), InForce::ImmediateOrCancel | InForce::FillOrKill)
            | (Terms::Budget { .. }, InForce::UntilEnded | InForce::ImmediateOrCancel)
            | (
                Terms::WholeFor { .. },
                InForce::UntilEnded | InForce::ImmediateOrCancel | InForce::FillOrKill,
            ) => false,
            (Terms::Budget { .. }, InForce::FillOrKill | InForce::PostOnly)
            | (Terms::WholeFor { .. }, InForce::PostOnly) => return Err(BookRefusal::ContraryTerms),
        };
        if order.seat.number() > SEATS_MAX {
            return Err(BookRefusal::SeatBeyondMost { seat: order.seat });
        }
        if self.orders.count >= ORDERS_MAX {
            return Err(BookRefusal::Full);
        }
        if let Some(trigger) = order.trigger
            && (self.is_collecting || !self.is_reached(order.side, trigger))
        {
            return if self.stops.len() < WAITING_MAX { Ok(()) } else { Err(BookRefusal::TooManyWait) };
        }
        if self.is_collecting {
            return if rests { Ok(()) } else { Err(BookRefusal::WhileCollecting) };
        }
        if let (Terms::Limit(price), InForce::PostOnly) = (order.terms, order.in_force)
            && self.ladder(order.side.opposite()).is_crossed_by(price.ticks())
        {
            return Err(BookRefusal::WouldTrade);
        }
        Ok(())
    }

    fn take_cancel(&mut self, id: OrderId, out: &mut Vec<BookEvent>) -> Result<OrderId, BookRefusal> {
        self.orders.find(id).ok_or(BookRefusal::UnknownOrder { id })?;
        self.finish(id.slot(), EndReason::Cancelled, out);
        Ok(id)
    }

    fn take_reduce(
        &mut self,
        id: OrderId,
        by: Quantity,
        out: &mut Vec<BookEvent>,
    ) -> Result<OrderId, BookRefusal> {
        let hot = self.orders.find(id).ok_or(BookRefusal::UnknownOrder { id })?;
        if by.is_zero() {
            return Err(BookRefusal::NoQuantity);
        }
        if by.lots() >= hot.left {
            self.finish(id.slot(), EndReason::Cancelled, out);
        } else {
            self.shrink(id.slot(), by.lots(), out);
        }
        Ok(id)
    }

    #[inline]
    fn take_move(
        &mut self,
        id: OrderId,
        price: Price,
        out: &mut Vec<BookEvent>,
    ) -> Result<OrderId, BookRefusal> {
        let hot = self.orders.find(id).ok_or(BookRefusal::UnknownOrder { id })?;
        let side = hot.side;
        if hot.place == Place::Waiting {
            self.relocate(id.slot(), price);
            out.push(BookEvent::Moved { id, price });
            if !self.is_collecting && self.is_reached(side, price) {
                self.bring_in_one(id.slot(), out);
            }
            return Ok(id);
        }
        let crosses = !self.is_collecting && self.ladder(side.opposite()).is_crossed_by(price.ticks());
        if crosses && hot.marks & POST_ONLY != 0 {
            return Err(BookRefusal::WouldTrade);
        }
        self.relocate(id.slot(), price);
        out.push(BookEvent::Moved { id, price });
        if crosses {
            self.arrive(id, true, out);
        } else {
            self.rest(id.slot());
            out.push(BookEvent::Rested { id });
        }
        Ok(id)
    }

    /// Whether the last trade already reached a trigger.
    fn is_reached(&self, side: crate::Side, trigger: Price) -> bool {
        self.last_price.is_some_and(|last| last.crosses(side, trigger))
    }

    /// Brings in the stops that what traded has reached.
    pub(super) fn bring_in(&mut self, out: &mut Vec<BookEvent>) {
        while let Some(slot) = self.stops.next(self.traded) {
            self.bring_in_one(slot, out);
        }
    }

    fn bring_in_one(&mut self, slot: u32, out: &mut Vec<BookEvent>) {
        let id = self.orders.id(slot);
        self.trigger(slot);
        out.push(BookEvent::Triggered { id });
        self.arrive(id, true, out);
    }

    /// An order that has come in, or comes in again, trades where it can (`matches`), and rests or ends.
    pub(super) fn arrive(&mut self, id: OrderId, matches: bool, out: &mut Vec<BookEvent>) {
        let slot = id.slot();
        let Hot { side, left, marks, .. } = *self.orders.hot(slot);
        let opposite = side.opposite();
        match self.terms(slot) {
            Terms::Limit(limit) => {
                let in_force = self.orders.cold(slot).order.in_force;
                if matches && self.ladder(opposite).is_crossed_by(limit.ticks()) {
                    let is_whole = in_force == InForce::FillOrKill;
                    if marks & POST_ONLY != 0 || (is_whole && self.reach(slot, limit.ticks()).0 < left) {
                        return self.finish(slot, EndReason::NotFilled, out);
                    }
                    if self.sweep(id, limit.ticks(), None, out) {
                        return;
                    }
                }
                match in_force {
                    InForce::UntilEnded | InForce::PostOnly => {
                        self.rest(slot);
                        out.push(BookEvent::Rested { id });
                    }
                    InForce::ImmediateOrCancel | InForce::FillOrKill => {
                        self.finish(slot, EndReason::NotFilled, out);
                    }
                }
            }
            Terms::Budget { ticks_lots, worst } => {
                if !self.sweep(id, worst.ticks(), Some(ticks_lots), out) {
                    self.finish(slot, EndReason::NotFilled, out);
                }
            }
            Terms::WholeFor { ticks_lots } => {
                let any = match side {
                    crate::Side::Bid => u64::MAX,
                    crate::Side::Ask => 0,
                };
                let (quantity, sum) = self.reach(slot, any);
                let is_enough = match side {
                    crate::Side::Bid => sum <= u128::from(ticks_lots),
                    crate::Side::Ask => sum >= u128::from(ticks_lots),
                };
                if quantity < left || !is_enough || !self.sweep(id, any, None, out) {
                    self.finish(slot, EndReason::NotFilled, out);
                }
            }
        }
    }

    /// Trades an order that arrives with the best of the other side, as far as its limit and budget go. Says whether it is gone.
    pub(super) fn sweep(
        &mut self,
        id: OrderId,
        limit: u64,
        mut budget: Option<u64>,
        out: &mut Vec<BookEvent>,
    ) -> bool {
        let taker = id.slot();
        let Hot { side, seat, group, self_trade, mut left, .. } = *self.orders.hot(taker);
        let opposite = side.opposite();
        loop {
            let ladder = self.ladder(opposite);
            if !ladder.is_crossed_by(limit) {
                return false;
            }
            let Some((key, maker)) = ladder.front() else { return false };
            let price = ladder.price(key);
            let other = *self.orders.hot(maker);
            let affordable = budget.map_or(left, |sum| left.min(sum.checked_div(price).unwrap_or(left)));
            if affordable == 0 {
                return false;
            }
            if group != 0 && other.group == group {
                let quantity = affordable.min(other.left);
                if self.self_trade(self_trade, taker, maker, quantity, out) {
                    return true;
                }
                if self_trade == SelfTrade::Decrement {
                    left = left.saturating_sub(quantity);
                    budget = budget.map(|sum| sum.saturating_sub(price.saturating_mul(quantity)));
                }
                continue;
            }
            let quantity = affordable.min(self.orders.showing(maker, &other));
            let maker_id = OrderId::new(other.generation, maker);
            let rest = self.fill(taker, maker, Price::new(price), quantity);
            out.push(BookEvent::Filled {
                taker: id,
                maker: maker_id,
                taker_seat: Seat::new(seat),
                maker_seat: Seat::new(other.seat),
                side,
                price: Price::new(price),
                quantity: Quantity::new(quantity),
                taker_left: Quantity::new(rest.taker),
                maker_left: Quantity::new(rest.maker),
            });
            if rest.is_spent {
                self.refresh(maker);
                out.push(BookEvent::Refreshed { id: maker_id });
            }
            left = rest.taker;
            if left == 0 {
                return true;
            }
            budget = budget.map(|sum| sum.saturating_sub(price.saturating_mul(quantity)));
        }
    }

    /// Two orders of one group would trade `quantity`. Says whether the taker is gone.
    fn self_trade(
        &mut self,
        kind: SelfTrade,
        taker: u32,
        maker: u32,
        quantity: u64,
        out: &mut Vec<BookEvent>,
    ) -> bool {
        match kind {
            SelfTrade::CancelTaker => {
                self.finish(taker, EndReason::SelfTrade, out);
                true
            }
            SelfTrade::CancelMaker => {
                self.finish(maker, EndReason::SelfTrade, out);
                false
            }
            SelfTrade::CancelBoth => {
                self.finish(maker, EndReason::SelfTrade, out);
                self.finish(taker, EndReason::SelfTrade, out);
                true
            }
            SelfTrade::Decrement => {
                self.shrink_or_end(maker, quantity, out);
                self.shrink_or_end(taker, quantity, out)
            }
        }
    }

    fn shrink_or_end(&mut self, slot: u32, by: u64, out: &mut Vec<BookEvent>) -> bool {
        let is_all = by >= self.orders.hot(slot).left;
        if is_all {
            self.finish(slot, EndReason::SelfTrade, out);
        } else {
            self.shrink(slot, by, out);
        }
        is_all
    }

    fn shrink(&mut self, slot: u32, by: u64, out: &mut Vec<BookEvent>) {
        let id = self.orders.id(slot);
        let left = self.lessen(slot, by);
        out.push(BookEvent::Reduced { id, by: Quantity::new(by), left: Quantity::new(left) });
    }

    pub(super) fn finish(&mut self, slot: u32, why: EndReason, out: &mut Vec<BookEvent>) {
        let (id, left) = (self.orders.id(slot), self.left(slot));
        self.end(slot);
        out.push(BookEvent::Ended { id, left, why });
    }

    /// How much of what is left of an order would trade within a limit if it had to be all at once, and for how much.
    ///
    /// Orders of its own group give nothing: of a taker that ends them they are passed over, any other taker gets no further than the
    /// first of them.
    fn reach(&self, slot: u32, limit: u64) -> (u64, u128) {
        let Hot { side, left, group, self_trade, .. } = *self.orders.hot(slot);
        let opposite = side.opposite();
        let ladder = self.ladder(opposite);
        let (mut wanted, mut sum) = (left, 0_u128);
        for key in ladder.keys().take_while(|key| *key <= ladder.key(limit)) {
            let (there, is_last) = if group == 0 {
                (ladder.level(key).total, false)
            } else {
                self.reach_at(opposite, key, group, self_trade)
            };
            let taken = there.min(wanted);
            sum = sum.saturating_add(u128::from(ladder.price(key)).saturating_mul(u128::from(taken)));
            wanted = wanted.saturating_sub(taken);
            if wanted == 0 || is_last {
                break;
            }
        }
        (left.saturating_sub(wanted), sum)
    }

    /// What a taker of `group` gets at a key, and whether it ends there.
    fn reach_at(&self, side: crate::Side, key: u64, group: u32, kind: SelfTrade) -> (u64, bool) {
        let (mut there, mut shown) = (0_u64, 0_u64);
        for slot in self.queue(side, key) {
            let hot = self.orders.hot(slot);
            if hot.group != group {
                there = there.saturating_add(hot.left);
                shown = shown.saturating_add(self.orders.showing(slot, hot));
            } else if kind != SelfTrade::CancelMaker {
                // What icebergs before it do not show comes after it.
                return (shown, true);
            }
        }
        (there, false)
    }
}
