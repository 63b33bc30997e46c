//! The book again, so simple that it can be checked by reading: one list of orders, looked through from end to end for everything.
//!
//! It is the reference that the real book has to agree with in every event and in what is left. It decides nothing.

mod commands;

use crate::book::{
    Auction, BookCommand, BookEvent, BookRefusal, EndReason, InForce, NewOrder, QUANTITY_MAX, SEATS_MAX,
    SelfTrade, Standing, Terms, WAITING_MAX,
};
use crate::{OrderId, Price, Quantity, Seat, Side};

pub use commands::{Commands, Step};

#[derive(Debug, Clone, Copy)]
struct Order {
    id: OrderId,
    order: NewOrder,
    price: u64,
    left: u64,
    showing: u64,
    /// Nothing while it comes in.
    standing: Option<Standing>,
    /// When it took its place.
    since: u64,
    entered: u64,
}

/// The reference.
#[derive(Debug, Clone, Default)]
pub struct NaiveBook {
    orders: Vec<Order>,
    generations: Vec<u32>,
    free: Vec<u32>,
    moment: u64,
    last: Option<u64>,
    traded: Vec<u64>,
    is_collecting: bool,
    out: Vec<BookEvent>,
}

impl NaiveBook {
    /// Takes a step; says what [`Book::take`](crate::book::Book::take) would, and what followed.
    pub fn step(&mut self, step: Step) -> (Result<OrderId, BookRefusal>, &[BookEvent]) {
        self.out.clear();
        self.traded.clear();
        let none = Ok(OrderId::from_number(0));
        let result = match step {
            Step::Take(command) => self.take(command),
            Step::EndSeat(seat) => {
                let mut ids: Vec<(u64, OrderId)> =
                    self.of_seat(seat).map(|order| (order.entered, order.id)).collect();
                ids.sort();
                ids.iter().for_each(|(_, id)| self.end(*id, EndReason::Cancelled));
                none
            }
            Step::Collect => {
                self.is_collecting = true;
                none
            }
            Step::Uncross { reference } => {
                if let Some(auction) = self.auction(reference.ticks()) {
                    self.uncross(auction.price.ticks());
                }
                self.is_collecting = false;
                none
            }
        };
        (result, &self.out)
    }

    fn of_seat(&self, seat: Seat) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.order.seat == seat)
    }

    /// The orders that stand somewhere on a side, first come first served: id, limit, trigger, left and showing.
    #[must_use]
    pub fn standing(&self, side: Side, standing: Standing) -> Vec<(OrderId, u64, Option<Price>, u64, u64)> {
        let mut found: Vec<&Order> = self.orders.iter().filter(|order| order.is(side, standing)).collect();
        found.sort_by_key(|order| order.rank());
        found
            .iter()
            .map(|order| (order.id, order.price, order.order.trigger, order.left, order.showing))
            .collect()
    }

    /// The best auction of all prices there are.
    #[must_use]
    pub fn auction(&self, reference: u64) -> Option<Auction> {
        let prices = |side| {
            self.standing(side, Standing::Rests).into_iter().map(|(_, price, _, left, _)| (price, left))
        };
        let (bids, asks): (Vec<_>, Vec<_>) = (prices(Side::Bid).collect(), prices(Side::Ask).collect());
        let range =
            asks.iter().map(|(price, _)| *price).min()?..=bids.iter().map(|(price, _)| *price).max()?;
        let auctions = range.map(|price| {
            let bid: u64 = bids.iter().filter(|(at, _)| *at >= price).map(|(_, left)| *left).sum();
            let ask: u64 = asks.iter().filter(|(at, _)| *at <= price).map(|(_, left)| *left).sum();
            let side = (bid != ask).then_some(if bid > ask { Side::Bid } else { Side::Ask });
            let (volume, surplus) = (Quantity::new(bid.min(ask)), Quantity::new(bid.abs_diff(ask)));
            Auction { price: Price::new(price), volume, surplus, side }
        });
        auctions.max_by_key(|auction| {
            let distance = auction.price.ticks().abs_diff(reference);
            (auction.volume, !auction.surplus.lots(), !distance, auction.price)
        })
    }

    fn at(&mut self, id: OrderId) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id)
    }

    fn get(&self, id: OrderId) -> Option<Order> {
        self.orders.iter().find(|order| order.id == id).copied()
    }

    fn best(&self, side: Side) -> Option<Order> {
        let resting = self.orders.iter().filter(|order| order.is(side, Standing::Rests));
        resting.min_by_key(|order| order.rank()).copied()
    }

    fn crosses(&self, side: Side, limit: u64) -> bool {
        self.best(side.opposite()).is_some_and(|best| Price::new(limit).crosses(side, Price::new(best.price)))
    }

    fn is_reached(&self, side: Side, trigger: Price) -> bool {
        self.last.is_some_and(|last| Price::new(last).crosses(side, trigger))
    }

    fn take(&mut self, command: BookCommand) -> Result<OrderId, BookRefusal> {
        let id = match command {
            BookCommand::Enter(order) => {
                self.check(&order)?;
                self.enter(order)
            }
            BookCommand::Cancel(id) => {
                self.get(id).ok_or(BookRefusal::UnknownOrder { id })?;
                self.end(id, EndReason::Cancelled);
                id
            }
            BookCommand::Reduce(id, by) => {
                self.get(id).ok_or(BookRefusal::UnknownOrder { id })?;
                if by.is_zero() {
                    return Err(BookRefusal::NoQuantity);
                }
                self.lessen(id, by.lots(), EndReason::Cancelled);
                id
            }
            BookCommand::Move(id, price) => self.relocate(id, price)?,
        };
        self.bring_in();
        Ok(id)
    }

    fn waits(&self, order: &NewOrder) -> bool {
        order.trigger.is_some_and(|trigger| self.is_collecting || !self.is_reached(order.side, trigger))
    }

    fn check(&self, order: &NewOrder) -> Result<(), BookRefusal> {
        let NewOrder { quantity, seat, .. } = *order;
        let must_rest = order.in_force == InForce::PostOnly;
        let must_fill = order.in_force == InForce::FillOrKill;
        let (is_limit, is_budget) =
            (matches!(order.terms, Terms::Limit(_)), matches!(order.terms, Terms::Budget { .. }));
        let limit = if let Terms::Limit(price) = order.terms { price.ticks() } else { 0 };
        let waiting = self.orders.iter().filter(|order| order.standing == Some(Standing::Waits)).count();
        let rests = is_limit && (must_rest || order.in_force == InForce::UntilEnded);
        let checks = [
            (quantity.is_zero(), BookRefusal::NoQuantity),
            (quantity.lots() > QUANTITY_MAX, BookRefusal::QuantityBeyondMost { quantity }),
            (!is_limit && must_rest || is_budget && must_fill, BookRefusal::ContraryTerms),
            (seat.number() > SEATS_MAX, BookRefusal::SeatBeyondMost { seat }),
            (self.waits(order) && waiting >= WAITING_MAX, BookRefusal::TooManyWait),
            (!self.waits(order) && self.is_collecting && !rests, BookRefusal::WhileCollecting),
            (
                !self.waits(order) && !self.is_collecting && must_rest && self.crosses(order.side, limit),
                BookRefusal::WouldTrade,
            ),
        ];
        checks.into_iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, refusal)| Err(refusal))
    }

    fn enter(&mut self, order: NewOrder) -> OrderId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.generations.push(0);
            u32::try_from(self.generations.len()).unwrap_or(0)
        });
        let generation = self.generations.get(slot.saturating_sub(1) as usize).copied().unwrap_or(0);
        let id = OrderId::new(generation, slot);
        let price = if let Terms::Limit(price) = order.terms { price.ticks() } else { 0 };
        let (left, entered) = (order.quantity.lots(), self.now());
        self.orders.push(Order { id, order, price, left, showing: 0, standing: None, since: 0, entered });
        self.out.push(BookEvent::Entered { id, order });
        if self.waits(&order) {
            self.place(id, Standing::Waits);
            self.out.push(BookEvent::Waits { id });
        } else {
            self.arrive(id);
        }
        id
    }

    fn now(&mut self) -> u64 {
        self.moment = self.moment.saturating_add(1);
        self.moment
    }

    fn place(&mut self, id: OrderId, standing: Standing) {
        let now = self.now();
        let Some(order) = self.at(id) else { return };
        (order.standing, order.since) = (Some(standing), now);
        if standing == Standing::Rests {
            let shown = order.order.shown.lots();
            order.showing = if shown == 0 { order.left } else { shown.min(order.left) };
        }
    }

    fn relocate(&mut self, id: OrderId, price: Price) -> Result<OrderId, BookRefusal> {
        let order = self.get(id).ok_or(BookRefusal::UnknownOrder { id })?;
        let side = order.order.side;
        if order.standing == Some(Standing::Waits) {
            self.place(id, Standing::Waits);
            self.at(id).into_iter().for_each(|order| order.order.trigger = Some(price));
            self.out.push(BookEvent::Moved { id, price });
            if !self.is_collecting && self.is_reached(side, price) {
                self.trigger(id);
            }
            return Ok(id);
        }
        let must_rest = order.order.in_force == InForce::PostOnly;
        if must_rest && !self.is_collecting && self.crosses(side, price.ticks()) {
            return Err(BookRefusal::WouldTrade);
        }
        self.lift(id, price.ticks());
        self.arrive(id);
        Ok(id)
    }

    fn lift(&mut self, id: OrderId, price: u64) {
        self.at(id).into_iter().for_each(|order| (order.standing, order.price) = (None, price));
        self.out.push(BookEvent::Moved { id, price: Price::new(price) });
    }

    fn trigger(&mut self, id: OrderId) {
        self.at(id).into_iter().for_each(|order| order.standing = None);
        self.out.push(BookEvent::Triggered { id });
        self.arrive(id);
    }

    fn bring_in(&mut self) {
        loop {
            let is_hit = |order: &&Order| {
                let trigger = order.order.trigger.unwrap_or(Price::new(0));
                order.standing == Some(Standing::Waits)
                    && self.traded.iter().any(|price| Price::new(*price).crosses(order.order.side, trigger))
            };
            let next = self.orders.iter().filter(is_hit).min_by_key(|order| (order.order.side, order.rank()));
            let Some(id) = next.map(|order| order.id) else { break };
            self.trigger(id);
        }
    }

    /// What a copy of the book would trade if the order came in now: lots, and ticks × lots.
    fn rehearse(&self, id: OrderId, limit: u64) -> (u64, u128) {
        let mut copy = self.clone();
        copy.out.clear();
        copy.sweep(id, limit, None);
        let filled = copy.out.iter().filter_map(|event| match event {
            BookEvent::Filled { price, quantity, .. } => Some((price.ticks(), quantity.lots())),
            _ => None,
        });
        filled.fold((0, 0), |(lots, sum), (price, quantity)| {
            let cost = u128::from(price).saturating_mul(u128::from(quantity));
            (quantity.saturating_add(lots), cost.saturating_add(sum))
        })
    }

    fn arrive(&mut self, id: OrderId) {
        let Some(order) = self.get(id) else { return };
        let NewOrder { side, terms, in_force, .. } = order.order;
        let matches = !self.is_collecting;
        let any = if side == Side::Bid { u64::MAX } else { 0 };
        let mut rests = false;
        let may_sweep = match terms {
            Terms::Limit(_) => {
                rests = matches!(in_force, InForce::UntilEnded | InForce::PostOnly);
                let is_whole = in_force == InForce::FillOrKill;
                if in_force == InForce::PostOnly && matches && self.crosses(side, order.price) {
                    rests = false;
                }
                matches
                    && (rests || in_force != InForce::PostOnly)
                    && (!is_whole || self.rehearse(id, order.price).0 == order.left)
            }
            Terms::Budget { .. } => true,
            Terms::WholeFor { ticks_lots } => {
                let (lots, sum) = self.rehearse(id, any);
                let sum_allowed = u128::from(ticks_lots);
                lots == order.left && if side == Side::Bid { sum <= sum_allowed } else { sum >= sum_allowed }
            }
        };
        if may_sweep {
            match terms {
                Terms::Limit(_) => self.sweep(id, order.price, None),
                Terms::Budget { ticks_lots, worst } => self.sweep(id, worst.ticks(), Some(ticks_lots)),
                Terms::WholeFor { .. } => self.sweep(id, any, None),
            }
        }
        if self.get(id).is_none() {
            return;
        }
        if rests {
            self.place(id, Standing::Rests);
            self.out.push(BookEvent::Rested { id });
        } else {
            self.end(id, EndReason::NotFilled);
        }
    }

    fn sweep(&mut self, id: OrderId, limit: u64, mut budget: Option<u64>) {
        while let Some(taker) = self.get(id) {
            let side = taker.order.side;
            let Some(maker) = self.best(side.opposite()).filter(|_| self.crosses(side, limit)) else { break };
            let affordable =
                budget.and_then(|sum| sum.checked_div(maker.price)).unwrap_or(taker.left).min(taker.left);
            if affordable == 0 {
                break;
            }
            let is_same = taker.order.group.number() != 0 && taker.order.group == maker.order.group;
            let quantity = affordable.min(if is_same { maker.left } else { maker.showing });
            let kind = taker.order.self_trade;
            if !is_same {
                self.fill(taker, maker, quantity);
            } else if kind == SelfTrade::Decrement {
                self.lessen(maker.id, quantity, EndReason::SelfTrade);
                self.lessen(id, quantity, EndReason::SelfTrade);
            }
            if is_same && matches!(kind, SelfTrade::CancelMaker | SelfTrade::CancelBoth) {
                self.end(maker.id, EndReason::SelfTrade);
            }
            if is_same && matches!(kind, SelfTrade::CancelTaker | SelfTrade::CancelBoth) {
                self.end(id, EndReason::SelfTrade);
            }
            if !is_same || kind == SelfTrade::Decrement {
                budget = budget.map(|sum| sum.saturating_sub(maker.price.saturating_mul(quantity)));
            }
        }
    }

    fn fill(&mut self, taker: Order, maker: Order, quantity: u64) {
        let left = |order: Order| Quantity::new(order.left.saturating_sub(quantity));
        (self.last, _) = (Some(maker.price), self.traded.push(maker.price));
        self.out.push(BookEvent::Filled {
            taker: taker.id,
            maker: maker.id,
            taker_seat: taker.order.seat,
            maker_seat: maker.order.seat,
            side: taker.order.side,
            price: Price::new(maker.price),
            quantity: Quantity::new(quantity),
            taker_left: left(taker),
            maker_left: left(maker),
        });
        for order in [taker, maker] {
            self.at(order.id).into_iter().for_each(|found| {
                found.left = left(order).lots();
                found.showing = order.showing.saturating_sub(quantity);
            });
            self.drop_if_empty(order.id);
        }
        if self.get(maker.id).is_some_and(|maker| maker.showing == 0) {
            self.place(maker.id, Standing::Rests);
            self.out.push(BookEvent::Refreshed { id: maker.id });
        }
    }

    fn uncross(&mut self, price: u64) {
        let at = |order: &Order| Price::new(order.price).crosses(order.order.side, Price::new(price));
        let on = |book: &Self, side| -> Vec<OrderId> {
            let standing = book.standing(side, Standing::Rests).into_iter();
            standing.map(|(id, ..)| id).filter(|id| book.get(*id).is_some_and(|order| at(&order))).collect()
        };
        for bid_id in on(self, Side::Bid) {
            for ask_id in on(self, Side::Ask) {
                let (Some(bid), Some(ask)) = (self.get(bid_id), self.get(ask_id)) else { continue };
                if bid.order.group.number() != 0 && bid.order.group == ask.order.group {
                    continue;
                }
                let quantity = bid.left.min(ask.left);
                let left = |order: Order| Quantity::new(order.left.saturating_sub(quantity));
                (self.last, _) = (Some(price), self.traded.push(price));
                self.out.push(BookEvent::Uncrossed {
                    bid: bid_id,
                    ask: ask_id,
                    bid_seat: bid.order.seat,
                    ask_seat: ask.order.seat,
                    price: Price::new(price),
                    quantity: Quantity::new(quantity),
                    bid_left: left(bid),
                    ask_left: left(ask),
                });
                for order in [bid, ask] {
                    self.at(order.id).into_iter().for_each(|found| {
                        found.left = left(order).lots();
                        let shown = order.order.shown.lots();
                        found.showing = match order.showing.saturating_sub(quantity) {
                            0 if shown != 0 => shown.min(found.left),
                            showing => showing,
                        };
                    });
                    self.drop_if_empty(order.id);
                }
            }
        }
        while let Some(bid) = self.best(Side::Bid).filter(|bid| self.crosses(Side::Bid, bid.price)) {
            self.lift(bid.id, bid.price);
            self.sweep(bid.id, bid.price, None);
            if self.get(bid.id).is_some() {
                self.place(bid.id, Standing::Rests);
                self.out.push(BookEvent::Rested { id: bid.id });
            }
        }
        self.is_collecting = false;
        self.bring_in();
    }

    fn lessen(&mut self, id: OrderId, by: u64, why: EndReason) {
        let Some(order) = self.at(id) else { return };
        if by >= order.left {
            return self.end(id, why);
        }
        order.left = order.left.saturating_sub(by);
        order.showing = order.showing.min(order.left);
        let left = Quantity::new(order.left);
        self.out.push(BookEvent::Reduced { id, by: Quantity::new(by), left });
    }

    fn end(&mut self, id: OrderId, why: EndReason) {
        let Some(order) = self.at(id) else { return };
        let left = Quantity::new(std::mem::take(&mut order.left));
        self.out.push(BookEvent::Ended { id, left, why });
        self.drop_if_empty(id);
    }

    fn drop_if_empty(&mut self, id: OrderId) {
        if self.get(id).is_some_and(|order| order.left == 0) {
            self.orders.retain(|order| order.id != id);
            self.free.push(id.slot());
            let generation = self.generations.get_mut(id.slot().saturating_sub(1) as usize);
            generation.into_iter().for_each(|generation| *generation = generation.saturating_add(1));
        }
    }
}

impl Order {
    fn is(&self, side: Side, standing: Standing) -> bool {
        self.order.side == side && self.standing == Some(standing)
    }

    /// The smaller, the earlier it is served.
    fn rank(&self) -> (u64, u64) {
        let waits = self.standing == Some(Standing::Waits);
        let price = if waits { self.order.trigger.map_or(0, Price::ticks) } else { self.price };
        // The highest bid is first among orders that rest, and last among stops.
        let is_highest_first = (self.order.side == Side::Bid) != waits;
        (if is_highest_first { !price } else { price }, self.since)
    }
}
