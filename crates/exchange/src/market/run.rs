//! A market's turn: rows, and what falls due.

use money::{Timestamp, invariant};

use super::apply::Serials;
use super::check::Checked;
use super::{CallReason, Funds, Market, Owner, ParentEnd, ParentNumber, Phase, Session};
use crate::book::{BookCommand, BookEvent, InForce};
use crate::command::Plan;
use crate::event::Event;
use crate::row::{Ask, PlaceRow};
use crate::{OrderId, Price, Quantity, Refusal, Seat};

/// Most orders that one tick ends or places, so that a tick stays short; the rest follow with the next.
const DUE_MAX: usize = 256;

/// What a turn needs besides the market.
pub(crate) struct Turn<'a, F> {
    pub(crate) now: Timestamp,
    pub(crate) serials: Serials<'a>,
    pub(crate) funds: &'a mut F,
    /// What happened, in order.
    pub(crate) events: &'a mut Vec<Event>,
    /// Room for the events of one command of the book.
    pub(crate) scratch: &'a mut Vec<BookEvent>,
}

impl<F> Turn<'_, F> {
    fn say(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl Market {
    /// Takes one row of a seat; answers with the id of the order, where it is about one.
    pub(crate) fn take<F: Funds>(
        &mut self,
        seat: Seat,
        ask: &Ask,
        by: Owner,
        turn: &mut Turn<'_, F>,
    ) -> Result<Option<OrderId>, Refusal> {
        self.move_reference(turn);
        if matches!(ask, Ask::CancelAll) {
            let row = self.seat(seat).ok_or(Refusal::SeatUnknown { seat })?;
            if row.owner != by {
                return Err(Refusal::SeatForeign { seat });
            }
            self.cancel_all(seat, turn);
            return Ok(None);
        }
        let checked = self.check(seat, ask, turn.now, Some(by))?;
        let id = self.run(&checked, turn)?;
        self.follow_up(turn);
        Ok(Some(id))
    }

    /// Hands a checked command to the book, and settles what follows.
    fn run<F: Funds>(&mut self, checked: &Checked, turn: &mut Turn<'_, F>) -> Result<OrderId, Refusal> {
        if let Some((account, minor)) = checked.needs {
            turn.funds.can_reserve(account, minor)?;
        }
        if let Some(account) = checked.paid_to {
            turn.funds.can_reserve(account, 0)?;
        }
        turn.scratch.clear();
        let id = self.book.take(checked.command, turn.scratch)?;
        if checked.label != crate::event::Label::default() {
            self.label = checked.label;
            turn.say(Event::Labelled { market: self.number, label: checked.label });
        }
        self.settle_all(turn);
        Ok(id)
    }

    /// Settles the events that the book just gave, and writes them down.
    fn settle_all<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        for event in turn.scratch.iter() {
            self.settle(event, turn.now, &mut turn.serials, turn.funds);
        }
        if let Some(Event::Book { market, events }) = turn.events.last_mut()
            && *market == self.number
        {
            events.extend_from_slice(turn.scratch);
        } else if !turn.scratch.is_empty() {
            turn.events.push(Event::Book { market: self.number, events: turn.scratch.clone() });
        }
    }

    /// A reference price that has stood long enough gives way to the last price.
    fn move_reference<F>(&mut self, turn: &mut Turn<'_, F>) {
        let stands_until = self.reference_since.plus_ms(self.rules(turn.now).reference_ms);
        if !matches!(self.phase, Phase::Open) || turn.now < stands_until {
            return;
        }
        if let Some(price) = self.book.last_price() {
            self.set_reference(price, turn.now);
            turn.say(Event::ReferenceSet { market: self.number, price });
        }
    }

    /// What a new last price leads to: orders of orders, and a halt.
    fn follow_up<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        loop {
            self.end_parents(turn);
            if !matches!(self.phase, Phase::Open) {
                return;
            }
            if self.halt(turn) {
                return;
            }
            let Some(number) = self.triggered_parent() else { return };
            self.trigger_parent(number, turn);
        }
    }

    /// Stops continuous trading where the price moved too far.
    fn halt<F>(&mut self, turn: &mut Turn<'_, F>) -> bool {
        let Some(last) = self.book.last_price() else { return false };
        let rules = self.rules(turn.now);
        let (low, high) = rules.halt_band(self.reference);
        if (low..=high).contains(&last) {
            return false;
        }
        let until = turn.now.plus_ms(rules.call_ms);
        self.enter_phase(Phase::Call { until, why: CallReason::Halt }, turn);
        true
    }

    pub(crate) fn enter_phase<F>(&mut self, phase: Phase, turn: &mut Turn<'_, F>) {
        self.set_phase(phase, turn.now);
        turn.say(Event::PhaseChanged { market: self.number, phase });
    }

    /// Ends all orders of a seat, oldest first, and its orders of orders.
    pub(crate) fn cancel_all<F: Funds>(&mut self, seat: Seat, turn: &mut Turn<'_, F>) {
        let parents: Vec<ParentNumber> = self
            .parents
            .iter()
            .filter(|(_, parent)| parent.order.seat == seat)
            .map(|(number, _)| *number)
            .collect();
        for number in parents {
            self.finish_parent(number, ParentEnd::Cancelled, turn);
        }
        turn.scratch.clear();
        self.book.end_seat(seat, turn.scratch);
        self.settle_all(turn);
    }

    fn cancel<F: Funds>(&mut self, id: OrderId, turn: &mut Turn<'_, F>) {
        turn.scratch.clear();
        let cancelled = self.book.take(BookCommand::Cancel(id), turn.scratch);
        invariant!(cancelled.is_ok(), "order {id} cannot be ended");
        self.settle_all(turn);
    }

    /// What falls due by `now`: end dates, pieces of larger orders, the market's hours.
    pub(crate) fn tick<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        let due = self.expiries.iter().take_while(|(at, _)| *at <= turn.now).take(DUE_MAX);
        let due: Vec<OrderId> = due.map(|(_, id)| *id).collect();
        for id in due {
            self.cancel(id, turn);
        }
        self.end_parents(turn);
        let pieces = self.pieces.iter().take_while(|(at, _)| *at <= turn.now).take(DUE_MAX);
        let pieces: Vec<ParentNumber> = pieces.map(|(_, number)| *number).collect();
        for number in pieces {
            self.place_piece(number, turn);
            self.follow_up(turn);
        }
        if self.phase_due.is_some_and(|due| due <= turn.now) {
            self.change_phase(turn);
        }
    }

    /// Brings the phase to what the hours and the time say, with an auction where orders were collected.
    fn change_phase<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        let hours = self.rules(turn.now).hours.as_ref().map(|hours| hours.at(turn.now));
        let (session, until) = hours.unwrap_or((Session::Open, Timestamp::from_ms(u64::MAX)));
        let phase = match session {
            Session::Closed => Phase::Closed,
            Session::Open => Phase::Open,
            Session::OpeningCall => Phase::Call { until, why: CallReason::Opening },
            Session::ClosingCall => Phase::Call { until, why: CallReason::Closing },
        };
        if phase == self.phase {
            // Only the time of the next look has passed.
            self.set_phase(phase, turn.now);
            turn.say(Event::PhaseChanged { market: self.number, phase });
            return;
        }
        if matches!(self.phase, Phase::Call { .. }) {
            self.auction(turn);
        }
        self.enter_phase(phase, turn);
        self.follow_up(turn);
    }

    /// Matches what was collected at one price, which becomes the reference price.
    fn auction<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        let Some(auction) = self.book.auction_price(self.reference) else { return };
        turn.scratch.clear();
        self.book.uncross(auction.price, turn.scratch);
        self.settle_all(turn);
        self.set_reference(auction.price, turn.now);
        turn.say(Event::ReferenceSet { market: self.number, price: auction.price });
    }

    /// Takes a new order of orders; it places its first order at once.
    pub(crate) fn start_parent<F: Funds>(&mut self, number: ParentNumber, turn: &mut Turn<'_, F>) {
        let Some(parent) = self.parents.get(&number) else { return };
        match parent.order.plan {
            Plan::OneCancelsOther { limit, .. } => {
                let place = PlaceRow::limit(parent.order.side, limit, parent.order.quantity);
                self.place_child(number, &place, turn);
            }
            Plan::TimeWeighted { .. } => self.place_piece(number, turn),
        }
        self.follow_up(turn);
    }

    /// An order of orders that the last price triggers.
    fn triggered_parent(&self) -> Option<ParentNumber> {
        let last: Price = self.book.last_price()?;
        let rising = self.rising.first().filter(|(trigger, _)| *trigger <= last);
        let falling = self.falling.last().filter(|(trigger, _)| *trigger >= last);
        rising.or(falling).map(|(_, number)| *number)
    }

    /// The first order of a pair gives way to the second.
    fn trigger_parent<F: Funds>(&mut self, number: ParentNumber, turn: &mut Turn<'_, F>) {
        self.parent_worked(number, None);
        turn.say(Event::ParentWorked { market: self.number, number, next: None });
        let Some(parent) = self.parents.get(&number) else { return };
        let Plan::OneCancelsOther { stop_limit, .. } = parent.order.plan else { return };
        let (side, left, child) = (parent.order.side, parent.left, parent.child);
        if let Some(child) = child {
            self.cancel(child, turn);
        }
        self.place_child(number, &PlaceRow::limit(side, stop_limit, left), turn);
    }

    /// Places the next piece of a time-weighted order.
    fn place_piece<F: Funds>(&mut self, number: ParentNumber, turn: &mut Turn<'_, F>) {
        let Some(parent) = self.parents.get(&number) else { return };
        let Plan::TimeWeighted { limit, pieces, every_ms } = parent.order.plan else { return };
        let begun =
            parent.next.map_or(0, |due| due.since(parent.placed_at).checked_div(every_ms).unwrap_or(0));
        let begun = u32::try_from(begun).unwrap_or(u32::MAX);
        let to_come = pieces.saturating_sub(begun).max(1);
        let quantity = Quantity::new(parent.left.lots().div_ceil(u64::from(to_come)));
        let next = parent.next.map(|due| due.plus_ms(every_ms)).filter(|_| to_come > 1);
        let place = PlaceRow {
            in_force: InForce::ImmediateOrCancel,
            ..PlaceRow::limit(parent.order.side, limit, quantity)
        };
        self.parent_worked(number, next);
        turn.say(Event::ParentWorked { market: self.number, number, next });
        // Where the market takes no such order now, the piece goes to the ones after it.
        if matches!(self.phase, Phase::Open) {
            self.place_child(number, &place, turn);
        }
        let is_over = self.parents.get(&number).is_some_and(|parent| parent.next.is_none());
        if is_over {
            let is_filled = self.parents.get(&number).is_some_and(|parent| parent.left.is_zero());
            let why = if is_filled { ParentEnd::Filled } else { ParentEnd::Done };
            self.finish_parent(number, why, turn);
        }
    }

    /// Places an order for another; where that is refused, the other ends.
    fn place_child<F: Funds>(&mut self, number: ParentNumber, place: &PlaceRow, turn: &mut Turn<'_, F>) {
        let Some(seat) = self.parents.get(&number).map(|parent| parent.order.seat) else { return };
        let placed = self.check(seat, &Ask::Place(*place), turn.now, None).and_then(|mut checked| {
            checked.label.parent = Some(number);
            self.run(&checked, turn)
        });
        if placed.is_err() {
            self.finish_parent(number, ParentEnd::Refused, turn);
        }
    }

    /// Ends an order of orders, and what it has in the book.
    pub(crate) fn finish_parent<F: Funds>(
        &mut self,
        number: ParentNumber,
        why: ParentEnd,
        turn: &mut Turn<'_, F>,
    ) {
        let child = self.parents.get(&number).and_then(|parent| parent.child);
        if let Some(child) = child {
            self.cancel(child, turn);
        }
        self.end_parent(number);
        turn.say(Event::ParentEnded { market: self.number, number, why });
    }

    /// Ends the orders of orders that have nothing left, or whose order somebody ended.
    fn end_parents<F: Funds>(&mut self, turn: &mut Turn<'_, F>) {
        if self.parents.is_empty() {
            return;
        }
        let over = |(number, parent): (&ParentNumber, &super::Parent)| {
            let waits = parent.child.is_some() || parent.next.is_some();
            if parent.left.is_zero() {
                Some((*number, ParentEnd::Filled))
            } else if waits {
                None
            } else {
                Some((*number, ParentEnd::Cancelled))
            }
        };
        let over: Vec<(ParentNumber, ParentEnd)> = self.parents.iter().filter_map(over).collect();
        for (number, why) in over {
            self.finish_parent(number, why, turn);
        }
    }
}
