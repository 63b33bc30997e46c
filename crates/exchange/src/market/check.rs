//! What a row asks for, checked in the order in which `Refusal` lists its kinds. Nothing is changed here.

use ledger::Position;
use money::Timestamp;

use super::{Bound, Claim, Funds, Market, Owner, Phase, SeatRow};
use crate::book::{BookCommand, InForce, NewOrder, Standing, Terms};
use crate::command::{NewParent, Plan};
use crate::event::Label;
use crate::row::{Ask, PlaceRow};
use crate::{OrderId, Price, Quantity, Refusal, Seat, Side};

/// A row that was found good, as far as the market can see; the funds and the book have the last word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    pub(crate) command: BookCommand,
    pub(crate) label: Label,
    /// What has to be set aside beyond what is set aside now.
    pub(crate) needs: Option<(Position, u128)>,
    /// Where fills of a new order are paid to, which must be open.
    pub(crate) paid_to: Option<Position>,
}

impl Checked {
    const fn bare(command: BookCommand) -> Self {
        Self { command, label: Label { client: 0, until: None, parent: None }, needs: None, paid_to: None }
    }
}

impl Market {
    /// Checks what a seat asks for; `by` is whose orders these are; the market itself where it is absent.
    pub(crate) fn check(
        &self,
        seat: Seat,
        ask: &Ask,
        now: Timestamp,
        by: Option<Owner>,
    ) -> Result<Checked, Refusal> {
        let row = self.seat(seat).ok_or(Refusal::SeatUnknown { seat });
        match ask {
            Ask::Place(place) => {
                check_shape(place)?;
                self.check_open_for(place)?;
                let row = row?;
                if by.is_some_and(|by| by != row.owner) {
                    return Err(Refusal::SeatForeign { seat });
                }
                self.check_place(seat, row, place, now)
            }
            Ask::Cancel(id) => {
                self.own_order(*id, seat, row?, by)?;
                Ok(Checked::bare(BookCommand::Cancel(*id)))
            }
            Ask::Reduce(id, lots) => {
                if lots.is_zero() {
                    return Err(Refusal::Malformed { why: "it becomes smaller by nothing" });
                }
                self.own_order(*id, seat, row?, by)?;
                Ok(Checked::bare(BookCommand::Reduce(*id, *lots)))
            }
            Ask::Move(id, price) => {
                if price.ticks() == 0 {
                    return Err(Refusal::Malformed { why: "a price of nothing" });
                }
                if !matches!(self.phase, Phase::Open | Phase::Call { .. }) {
                    return Err(Refusal::Phase { market: self.number, phase: self.phase });
                }
                self.check_move(*id, *price, seat, row?, now, by)
            }
            // Each of its orders is ended by itself.
            Ask::CancelAll => Err(Refusal::Malformed { why: "all orders of a seat are not one order" }),
        }
    }

    /// What a new order would have set aside if it came in now, and on which account: the checks that it will meet, short of the book's own. `row` is the
    /// seat, or what it would be where it is not taken yet.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn try_out(
        &self,
        seat: Seat,
        row: &SeatRow,
        place: &PlaceRow,
        now: Timestamp,
    ) -> Result<Option<(Position, u128)>, Refusal> {
        check_shape(place)?;
        self.check_open_for(place)?;
        self.check_place(seat, row, place, now).map(|checked| checked.needs)
    }

    fn check_open_for(&self, place: &PlaceRow) -> Result<(), Refusal> {
        let waits = place.trigger.is_some();
        let rests = matches!(place.in_force, InForce::UntilEnded | InForce::PostOnly)
            && matches!(place.terms, Terms::Limit(_));
        match self.phase {
            Phase::Open => Ok(()),
            // What must fill at once has nothing to fill against while orders are collected.
            Phase::Call { .. } if rests || waits => Ok(()),
            Phase::Call { .. } | Phase::Closed | Phase::Suspended => {
                Err(Refusal::Phase { market: self.number, phase: self.phase })
            }
        }
    }

    fn check_place(
        &self,
        seat: Seat,
        row: &SeatRow,
        place: &PlaceRow,
        now: Timestamp,
    ) -> Result<Checked, Refusal> {
        if row.is_stopped {
            return Err(Refusal::SeatStopped { seat });
        }
        if place.client != 0
            && let Some(known) = self.order_of_client(seat, place.client)
        {
            return Err(Refusal::ClientNumberUsed { client: place.client, known });
        }
        if place.until.is_some_and(|until| until <= now) {
            return Err(Refusal::Malformed { why: "it ends before it begins" });
        }
        let rules = self.rules(now);
        if place.quantity > rules.quantity_max {
            return Err(Refusal::QuantityAbove { max: rules.quantity_max });
        }
        let order = NewOrder {
            seat,
            group: row.group,
            self_trade: place.self_trade,
            side: place.side,
            terms: place.terms,
            in_force: place.in_force,
            quantity: place.quantity,
            shown: place.shown,
            trigger: place.trigger,
        };
        let bound = Bound::of(&order, rules);
        let worth = match bound {
            Bound::Price(price) => rules.quote_minor(price, place.quantity),
            Bound::Sum(sum) => sum,
        };
        self.check_worth(worth, now)?;
        let around = place.trigger.unwrap_or(self.reference);
        if let Terms::Limit(price) | Terms::Budget { worst: price, .. } = place.terms {
            self.check_band(price, around, now)?;
        }
        if row.open >= rules.open_orders_max {
            return Err(Refusal::OrdersFull { max: rules.open_orders_max });
        }
        let claim = Claim::new(OrderId::from_number(0), &order, rules, now);
        Ok(Checked {
            command: BookCommand::Enter(order),
            label: Label { client: place.client, until: place.until, parent: None },
            needs: Some((row.accounts.drawn_on(place.side), claim.reserved)),
            paid_to: Some(row.accounts.drawn_on(place.side.opposite())),
        })
    }

    /// Whether an order of orders could place its first order now.
    pub(crate) fn check_first_child(
        &self,
        parent: &NewParent,
        now: Timestamp,
        funds: &impl Funds,
    ) -> Result<(), Refusal> {
        let (price, quantity) = match parent.plan {
            Plan::OneCancelsOther { limit, .. } => (limit, parent.quantity),
            Plan::TimeWeighted { limit, pieces, .. } => {
                (limit, Quantity::new(parent.quantity.lots().div_ceil(u64::from(pieces.max(1)))))
            }
        };
        let place = PlaceRow::limit(parent.side, price, quantity);
        let checked = self.check(parent.seat, &Ask::Place(place), now, None)?;
        match checked.needs {
            Some((account, minor)) => Ok(funds.can_reserve(account, minor)?),
            None => Ok(()),
        }
    }

    fn check_move(
        &self,
        id: OrderId,
        price: Price,
        seat: Seat,
        row: &SeatRow,
        now: Timestamp,
        by: Option<Owner>,
    ) -> Result<Checked, Refusal> {
        let claim = self.own_order(id, seat, row, by)?;
        if row.is_stopped {
            return Err(Refusal::SeatStopped { seat });
        }
        // The book moves the trigger of an order that waits, while what is set aside follows from its limit.
        if self.book.order(id).is_some_and(|order| order.standing == Standing::Waits) {
            return Err(Refusal::Malformed { why: "what waits for its trigger is ended and placed anew" });
        }
        self.check_worth(self.rules(now).quote_minor(price, claim.left), now)?;
        self.check_band(price, self.reference, now)?;
        let moved = Claim { bound: Bound::Price(price), ..*claim };
        let needs = match claim.side {
            Side::Ask => None,
            Side::Bid => {
                let more = moved.need(self.rules(now)).checked_sub(claim.reserved).filter(|more| *more > 0);
                more.map(|more| (row.accounts.quote, more))
            }
        };
        Ok(Checked { needs, ..Checked::bare(BookCommand::Move(id, price)) })
    }

    fn check_worth(&self, worth: u128, now: Timestamp) -> Result<(), Refusal> {
        let min = self.rules(now).notional_min;
        if worth < u128::from(min) {
            return Err(Refusal::NotionalBelow { min, given: worth });
        }
        Ok(())
    }

    fn check_band(&self, price: Price, around: Price, now: Timestamp) -> Result<(), Refusal> {
        let (low, high) = self.rules(now).band(around);
        if (low..=high).contains(&price) { Ok(()) } else { Err(Refusal::OutsideBand { low, high }) }
    }

    /// An order that is in the book and the sender's.
    fn own_order(
        &self,
        id: OrderId,
        seat: Seat,
        row: &SeatRow,
        by: Option<Owner>,
    ) -> Result<&Claim, Refusal> {
        if by.is_some_and(|by| by != row.owner) {
            return Err(Refusal::SeatForeign { seat });
        }
        let claim = self.claim(id).ok_or(Refusal::OrderUnknown { id })?;
        if claim.seat == seat { Ok(claim) } else { Err(Refusal::OrderForeign { id }) }
    }
}

fn check_shape(place: &PlaceRow) -> Result<(), Refusal> {
    let malformed = |why| Err(Refusal::Malformed { why });
    if place.quantity.is_zero() {
        return malformed("a quantity of nothing");
    }
    if place.shown > place.quantity {
        return malformed("more is shown than there is");
    }
    if place.trigger.is_some_and(|trigger| trigger.ticks() == 0) {
        return malformed("a trigger of nothing");
    }
    let (is_limit, bound) = match place.terms {
        Terms::Limit(price) => (true, price.ticks()),
        Terms::Budget { ticks_lots, worst } => (false, ticks_lots.min(worst.ticks())),
        Terms::WholeFor { ticks_lots } => (false, ticks_lots),
    };
    if bound == 0 {
        return malformed("a price of nothing");
    }
    if matches!(place.terms, Terms::Budget { .. }) && place.side == Side::Ask {
        return malformed("a budget buys, it does not sell");
    }
    let rests = matches!(place.in_force, InForce::UntilEnded | InForce::PostOnly);
    if !is_limit && (rests || place.trigger.is_some()) {
        return malformed("without a price of its own it fills at once or not at all");
    }
    if place.shown != Quantity::ZERO && !rests {
        return malformed("what fills at once shows nothing");
    }
    if place.until.is_some() && !rests {
        return malformed("what fills at once has no end date");
    }
    Ok(())
}
