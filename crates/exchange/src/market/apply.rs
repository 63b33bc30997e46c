//! What a market's events change: claims, seats, phases, and the money behind them.

use ledger::{Position, Side as Leg, TradeLeg};
use money::{EntryId, Timestamp, invariant};
use smallvec::SmallVec;

use super::claim::{FillCost, Part};
use super::{
    Bound, Claim, Funds, Market, Movement, Parent, ParentNumber, Phase, Rules, SeatAccounts, SeatRow,
};
use crate::book::{BookEvent, NewOrder};
use crate::command::{NewParent, Plan};
use crate::event::{FillSum, Label};
use crate::{OrderId, Price, Quantity, Seat, Side};

/// Numbers for the entries of trades, and what each moved.
#[derive(Debug)]
pub(crate) struct Serials<'a> {
    pub(crate) last: &'a mut u64,
    pub(crate) fills: &'a mut Vec<FillSum>,
}

impl Serials<'_> {
    fn next(&mut self, pays: u128, gets: u128) -> EntryId {
        *self.last = self.last.saturating_add(1);
        self.fills.push(FillSum { pays, gets, serial: *self.last });
        crate::entry_id(*self.last)
    }
}

/// One side of a fill: its claim after it, and what it costs.
struct Filled {
    seat: Seat,
    side: Side,
    cost: FillCost,
}

impl Market {
    /// Does again what is in an event of the book.
    pub(crate) fn replay(
        &mut self,
        event: &BookEvent,
        now: Timestamp,
        serials: &mut Serials<'_>,
        funds: &mut impl Funds,
    ) {
        self.book.apply(event);
        self.settle(event, now, serials, funds);
    }

    /// What an event of the book does to claims and money.
    pub(crate) fn settle(
        &mut self,
        event: &BookEvent,
        now: Timestamp,
        serials: &mut Serials<'_>,
        funds: &mut impl Funds,
    ) {
        match *event {
            BookEvent::Entered { id, order } => self.enter(id, &order, now, funds),
            BookEvent::Filled { taker, maker, price, quantity, taker_left, maker_left, side, .. } => {
                let taker = self.fill(taker, Part::Taker, price, quantity, taker_left, now);
                let maker = self.fill(maker, Part::Maker, price, quantity, maker_left, now);
                let (buyer, seller) = match side {
                    Side::Bid => (taker, maker),
                    Side::Ask => (maker, taker),
                };
                self.post(buyer, seller, quantity, now, serials, funds);
            }
            // Both rested, and neither took from the other.
            BookEvent::Uncrossed { bid, ask, price, quantity, bid_left, ask_left, .. } => {
                let buyer = self.fill(bid, Part::Auction, price, quantity, bid_left, now);
                let seller = self.fill(ask, Part::Auction, price, quantity, ask_left, now);
                self.post(buyer, seller, quantity, now, serials, funds);
            }
            BookEvent::Reduced { id, left, .. } => {
                self.shrink(id, left, now, funds);
                if left.is_zero() {
                    self.forget(id);
                }
            }
            BookEvent::Ended { id, .. } => {
                self.shrink(id, Quantity::ZERO, now, funds);
                self.forget(id);
            }
            BookEvent::Moved { id, price } => self.reprice(id, price, now, funds),
            BookEvent::Waits { .. }
            | BookEvent::Triggered { .. }
            | BookEvent::Rested { .. }
            | BookEvent::Refreshed { .. } => {}
        }
    }

    fn enter(&mut self, id: OrderId, order: &NewOrder, now: Timestamp, funds: &mut impl Funds) {
        let label = std::mem::take(&mut self.label);
        let Label { client, until, parent } = label;
        let claim = Claim { client, until, parent, ..Claim::new(id, order, self.rules(now), now) };
        if let Some(account) = self.account_of(order.seat, order.side) {
            funds.carry_out(&Movement::Reserve { account, minor: claim.reserved });
        }
        if client != 0 {
            self.clients.insert((order.seat, client), id);
        }
        if let Some(until) = until {
            self.expiries.insert((until, id));
        }
        if let Some(parent) = parent.and_then(|number| self.parents.get_mut(&number)) {
            parent.child = Some(id);
            parent.placed = parent.placed.saturating_add(1);
        }
        if let Some(seat) = self.seat_mut(order.seat) {
            seat.open = seat.open.saturating_add(1);
        }
        let slot = usize::try_from(id.slot()).unwrap_or(usize::MAX);
        if slot >= self.claims.len() {
            self.claims.resize(slot.saturating_add(1), None);
        }
        if let Some(place) = self.claims.get_mut(slot) {
            invariant!(place.is_none(), "order {id} takes a place that is taken");
            *place = Some(claim);
        }
    }

    fn fill(
        &mut self,
        id: OrderId,
        part: Part,
        price: Price,
        quantity: Quantity,
        left: Quantity,
        now: Timestamp,
    ) -> Option<Filled> {
        let rules = self.rules.at(now);
        let slot = usize::try_from(id.slot()).ok()?;
        let claim = self.claims.get_mut(slot)?.as_mut().filter(|claim| claim.id == id)?;
        let cost = claim.fill(part, price, quantity, left, rules);
        let filled = Filled { seat: claim.seat, side: claim.side, cost };
        if let Some(parent) = claim.parent.and_then(|number| self.parents.get_mut(&number)) {
            parent.left = parent.left.less(quantity);
        }
        if left.is_zero() {
            self.forget(id);
        }
        Some(filled)
    }

    /// Posts what a fill moves: quote from buyer to seller, base from seller to buyer, and fees.
    fn post(
        &mut self,
        buyer: Option<Filled>,
        seller: Option<Filled>,
        quantity: Quantity,
        now: Timestamp,
        serials: &mut Serials<'_>,
        funds: &mut impl Funds,
    ) {
        invariant!(
            buyer.as_ref().is_some_and(|of| of.side == Side::Bid)
                && seller.as_ref().is_some_and(|of| of.side == Side::Ask),
            "a trade of market {} has no buyer or no seller",
            self.number
        );
        let (Some(buyer), Some(seller)) = (buyer, seller) else { return };
        let base = self.rules(now).base_minor(quantity);
        let accounts = (self.accounts_of(buyer.seat), self.accounts_of(seller.seat));
        let (Some(to), Some(from)) = accounts else { return };
        let mut legs: SmallVec<[TradeLeg; 5]> = SmallVec::new();
        let mut leg = |account: Position, side: Leg, minor: u128, frees: u128| {
            if minor > 0 || frees > 0 {
                legs.push(TradeLeg { account, side, minor, frees });
            }
        };
        // What is given back of a fee is credited to whoever gets it; the rest of their fill nets with it.
        let quote = buyer.cost.quote;
        let pays = quote.saturating_add(buyer.cost.fee).saturating_sub(buyer.cost.rebate);
        let gets = quote.saturating_add(seller.cost.rebate).saturating_sub(seller.cost.fee);
        leg(to.quote, Leg::Debit, pays, buyer.cost.frees);
        leg(from.quote, Leg::Credit, gets, 0);
        leg(from.base, Leg::Debit, base, seller.cost.frees);
        leg(to.base, Leg::Credit, base, 0);
        match pays.cmp(&gets) {
            std::cmp::Ordering::Greater => {
                leg(self.fee_account, Leg::Credit, pays.saturating_sub(gets), 0);
            }
            std::cmp::Ordering::Less => leg(self.fee_account, Leg::Debit, gets.saturating_sub(pays), 0),
            std::cmp::Ordering::Equal => {}
        }
        self.trades = self.trades.saturating_add(1);
        let number = self.trades & u64::from(u32::MAX);
        let reference = (u64::from(self.number.number()) << 32) | number;
        let id = serials.next(pays, gets);
        funds.carry_out(&Movement::Trade { id, legs, reference });
    }

    fn shrink(&mut self, id: OrderId, left: Quantity, now: Timestamp, funds: &mut impl Funds) {
        let rules = self.rules.at(now);
        let slot = usize::try_from(id.slot()).unwrap_or(usize::MAX);
        let claim = self.claims.get_mut(slot).and_then(Option::as_mut).filter(|claim| claim.id == id);
        let Some(claim) = claim else {
            invariant!(false, "order {id} has no claim");
            return;
        };
        let minor = claim.shrink(left, rules);
        let (seat, side) = (claim.seat, claim.side);
        if minor > 0
            && let Some(account) = self.account_of(seat, side)
        {
            funds.carry_out(&Movement::Unreserve { account, minor });
        }
    }

    fn reprice(&mut self, id: OrderId, price: Price, now: Timestamp, funds: &mut impl Funds) {
        let rules = self.rules.at(now);
        let slot = usize::try_from(id.slot()).unwrap_or(usize::MAX);
        let claim = self.claims.get_mut(slot).and_then(Option::as_mut).filter(|claim| claim.id == id);
        let Some(claim) = claim else { return };
        claim.bound = Bound::Price(price);
        let (before, need) = (claim.reserved, claim.need(rules));
        claim.reserved = need;
        let (seat, side) = (claim.seat, claim.side);
        let Some(account) = self.account_of(seat, side) else { return };
        match need.cmp(&before) {
            std::cmp::Ordering::Greater => {
                let minor = need.saturating_sub(before);
                funds.carry_out(&Movement::Reserve { account, minor });
            }
            std::cmp::Ordering::Less => {
                let minor = before.saturating_sub(need);
                funds.carry_out(&Movement::Unreserve { account, minor });
            }
            std::cmp::Ordering::Equal => {}
        }
    }

    /// Lets go of an order that is not in the book any more.
    fn forget(&mut self, id: OrderId) {
        let slot = usize::try_from(id.slot()).unwrap_or(usize::MAX);
        let Some(claim) = self.claims.get_mut(slot).and_then(Option::take) else { return };
        if claim.client != 0 {
            self.clients.remove(&(claim.seat, claim.client));
        }
        if let Some(until) = claim.until {
            self.expiries.remove(&(until, id));
        }
        if let Some(parent) = claim.parent.and_then(|number| self.parents.get_mut(&number)) {
            parent.child = None;
        }
        if let Some(seat) = self.seat_mut(claim.seat) {
            seat.open = seat.open.saturating_sub(1);
        }
    }

    fn seat_mut(&mut self, seat: Seat) -> Option<&mut SeatRow> {
        self.seats.get_mut(usize::try_from(seat.number()).ok()?)
    }

    fn accounts_of(&self, seat: Seat) -> Option<SeatAccounts> {
        self.seat(seat).map(|row| row.accounts)
    }

    fn account_of(&self, seat: Seat, side: Side) -> Option<Position> {
        self.accounts_of(seat).map(|accounts| accounts.drawn_on(side))
    }

    pub(crate) fn take_seat(&mut self, seat: Seat, row: SeatRow) {
        self.seat_of.insert(row.accounts.base, seat);
        self.seat_of.insert(row.accounts.quote, seat);
        self.seats.push(row);
    }

    pub(crate) fn set_stopped(&mut self, seat: Seat, is_stopped: bool) {
        if let Some(row) = self.seat_mut(seat) {
            row.is_stopped = is_stopped;
        }
    }

    pub(crate) fn set_rules(&mut self, from: Timestamp, rules: &Rules, now: Timestamp) {
        let row = super::RulesRow { from, rules: rules.clone() };
        self.rules.later.push(row);
        self.rules.later.sort_by_key(|row| row.from);
        self.phase_due = self.next_phase_at(now);
    }

    pub(crate) fn set_phase(&mut self, phase: Phase, now: Timestamp) {
        // A market that is suspended while it collects may be crossed; it goes on with an auction.
        self.book.set_collecting(matches!(phase, Phase::Call { .. } | Phase::Suspended));
        self.phase = phase;
        self.phase_due = self.next_phase_at(now);
    }

    pub(crate) const fn set_reference(&mut self, price: Price, now: Timestamp) {
        self.reference = price;
        self.reference_since = now;
    }

    /// When the phase is to be looked at again.
    fn next_phase_at(&self, now: Timestamp) -> Option<Timestamp> {
        let by_hours = self.rules(now).hours.as_ref().map(|hours| hours.at(now).1);
        let new_rules = self.rules.later.iter().map(|row| row.from).find(|from| *from > now);
        let scheduled = [by_hours, new_rules].into_iter().flatten().min();
        match self.phase {
            Phase::Suspended => None,
            Phase::Call { until, .. } => Some(until),
            Phase::Open | Phase::Closed => scheduled,
        }
    }

    pub(crate) fn place_parent(&mut self, number: ParentNumber, order: &NewParent, now: Timestamp) {
        let next = match order.plan {
            Plan::OneCancelsOther { trigger, .. } => {
                let watch = match order.side {
                    Side::Bid => &mut self.rising,
                    Side::Ask => &mut self.falling,
                };
                watch.insert((trigger, number));
                None
            }
            Plan::TimeWeighted { .. } => Some(now),
        };
        if let Some(next) = next {
            self.pieces.insert((next, number));
        }
        let parent = Parent {
            order: order.clone(),
            left: order.quantity,
            child: None,
            placed: 0,
            next,
            placed_at: now,
        };
        self.parents.insert(number, parent);
        self.parents_count = self.parents_count.max(number.number());
    }

    pub(crate) fn parent_worked(&mut self, number: ParentNumber, next: Option<Timestamp>) {
        let Some(parent) = self.parents.get_mut(&number) else { return };
        if let Some(due) = parent.next {
            self.pieces.remove(&(due, number));
        }
        parent.next = next;
        if let Some(next) = next {
            self.pieces.insert((next, number));
        }
        if let Plan::OneCancelsOther { trigger, .. } = parent.order.plan
            && parent.placed > 0
        {
            self.rising.remove(&(trigger, number));
            self.falling.remove(&(trigger, number));
        }
    }

    pub(crate) fn end_parent(&mut self, number: ParentNumber) {
        let Some(parent) = self.parents.remove(&number) else { return };
        if let Some(due) = parent.next {
            self.pieces.remove(&(due, number));
        }
        if let Plan::OneCancelsOther { trigger, .. } = parent.order.plan {
            self.rising.remove(&(trigger, number));
            self.falling.remove(&(trigger, number));
        }
    }
}
