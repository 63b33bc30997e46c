//! Who has what on the floor, kept from the records alone and as simply as can be: no orders' needs, no matching, fees by their definition.
//!
//! What clients and operators asked for comes from themselves, not from what the shell passed on.

use std::collections::{BTreeMap, BTreeSet};

use bank::{Event, JournalEntry};
use exchange::book::BookEvent;
use exchange::market::{CallReason, Fees, MakerFee, Phase};
use exchange::quote::{Offer, OfferId, QuoteChange};
use exchange::row::{Ask, OrderRow};
use exchange::{OrderId, Outcome, Price, Quantity, Seat, Side};
use money::{AccountId, CommandId, Timestamp};

use super::{BTC_FEES, DESK_BTC, DESK_CNY, FEES, LOT, SOURCES_MIN, STALE_MS, btc};
use crate::books::signed;

/// What was asked of the floor, as whoever asked knows it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) rows: BTreeMap<CommandId, Vec<OrderRow>>,
    pub(super) suspensions: BTreeSet<CommandId>,
    /// The accounts and the group of each seat, in the order in which they were taken.
    pub(super) seats: Vec<(AccountId, AccountId, Option<u32>)>,
    /// Readings that were taken: when, of which source, and of which time they are.
    pub(super) readings: Vec<(Timestamp, usize, Timestamp)>,
}

struct Order {
    seat: Seat,
    side: Side,
    left: Quantity,
    fees: Fees,
    /// In millionths of a minor unit.
    owed: i128,
    paid: i128,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Maker,
    Taker,
    Auction,
}

/// The account of it.
pub(super) struct Account<'a> {
    asked: &'a Asked,
    has: BTreeMap<AccountId, i128>,
    orders: BTreeMap<OrderId, Order>,
    cancelled: BTreeSet<OrderId>,
    offers: BTreeMap<OfferId, Offer>,
    fees: Fees,
    is_suspended: bool,
    pub(super) fills: u64,
    pub(super) converted: u64,
}

impl<'a> Account<'a> {
    pub(super) const fn new(asked: &'a Asked, has: BTreeMap<AccountId, i128>, fees: Fees) -> Self {
        Self {
            asked,
            has,
            orders: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            offers: BTreeMap::new(),
            fees,
            is_suspended: false,
            fills: 0,
            converted: 0,
        }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (AccountId, i128)> {
        self.has.iter().map(|(account, has)| (*account, *has))
    }

    fn give(&mut self, account: AccountId, minor: i128) {
        let has = self.has.entry(account).or_default();
        *has = has.saturating_add(minor);
    }

    /// Takes up an entry of the journal.
    pub(super) fn entry(&mut self, entry: &JournalEntry) -> Result<(), String> {
        for event in &entry.events {
            if let Event::Exchange(outcome) = event {
                self.outcome(outcome, entry.recorded_at)?;
                self.answers(entry.id, outcome)?;
            }
        }
        self.is_suspended |= self.asked.suspensions.contains(&entry.id);
        Ok(())
    }

    /// Each row was placed, refused or done.
    fn answers(&mut self, id: CommandId, outcome: &Outcome) -> Result<(), String> {
        let Some(rows) = self.asked.rows.get(&id) else { return Ok(()) };
        let refused: BTreeSet<u32> = outcome.refused.iter().map(|refused| refused.row).collect();
        let taken = (0_u32..).zip(rows).filter(|(row, _)| !refused.contains(row)).map(|(_, row)| row);
        let mut placed = 0_usize;
        for row in taken {
            match row.ask {
                Ask::Place(_) => placed = placed.saturating_add(1),
                Ask::Cancel(order) => drop(self.cancelled.insert(order)),
                Ask::Reduce(..) | Ask::Move(..) | Ask::CancelAll => {}
            }
        }
        if placed == outcome.placed.len() {
            Ok(())
        } else {
            Err(format!("{placed} orders were to be placed by {id}, {} were", outcome.placed.len()))
        }
    }

    fn outcome(&mut self, outcome: &Outcome, now: Timestamp) -> Result<(), String> {
        for event in &outcome.events {
            match event {
                exchange::Event::Book { events, .. } => {
                    events.iter().try_for_each(|event| self.book(event))?;
                }
                exchange::Event::RulesSet { rules, .. } => self.fees = rules.fees,
                exchange::Event::PhaseChanged {
                    phase: Phase::Call { why: CallReason::Resumption, .. },
                    ..
                } => self.is_suspended = false,
                exchange::Event::Quote(QuoteChange::Offered(offer)) => {
                    self.offers.insert(offer.id(), offer.clone());
                    self.is_fresh(now)?;
                }
                exchange::Event::Quote(QuoteChange::Expired { ids }) => {
                    ids.iter().for_each(|id| drop(self.offers.remove(id)));
                }
                exchange::Event::Converted { offer, .. } => {
                    let offer = self.offers.remove(offer).ok_or("an offer is taken that is not open")?;
                    self.convert(&offer);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Enough sources had said something lately.
    fn is_fresh(&self, now: Timestamp) -> Result<(), String> {
        let mut latest: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for (taken, source, of) in self.asked.readings.iter().filter(|(taken, ..)| *taken <= now) {
            let _ = taken;
            let known = latest.entry(*source).or_default();
            *known = (*known).max(*of);
        }
        let fresh = latest.values().filter(|of| now.since(**of) < STALE_MS).count();
        if fresh >= SOURCES_MIN {
            Ok(())
        } else {
            Err(format!("a price was made of {fresh} fresh sources at {now}"))
        }
    }

    fn convert(&mut self, offer: &Offer) {
        self.converted = self.converted.saturating_add(1);
        let desk = |asset| AccountId::new(if asset == btc() { DESK_BTC } else { DESK_CNY });
        let (pays, takes, fee) = (signed(offer.pays), signed(offer.takes), signed(offer.fee));
        self.give(offer.request.from, pays.saturating_neg());
        self.give(offer.request.to, takes);
        self.give(desk(offer.pays.asset()), pays);
        self.give(desk(offer.takes.asset()), takes.saturating_neg());
        self.give(desk(offer.pair.quote), fee.saturating_neg());
        let fees = if offer.pair.quote == btc() { BTC_FEES } else { FEES };
        self.give(AccountId::new(fees), fee);
    }

    fn book(&mut self, event: &BookEvent) -> Result<(), String> {
        match *event {
            BookEvent::Entered { id, order } => {
                let (seat, side, left) = (order.seat, order.side, order.quantity);
                let order = Order { seat, side, left, fees: self.fees, owed: 0, paid: 0 };
                self.orders.insert(id, order);
            }
            BookEvent::Filled { taker, maker, price, quantity, taker_left, maker_left, .. } => {
                self.pair(taker, maker)?;
                self.fill(taker, Part::Taker, price, quantity, taker_left)?;
                self.fill(maker, Part::Maker, price, quantity, maker_left)?;
            }
            BookEvent::Uncrossed { bid, ask, price, quantity, bid_left, ask_left, .. } => {
                self.pair(bid, ask)?;
                self.fill(bid, Part::Auction, price, quantity, bid_left)?;
                self.fill(ask, Part::Auction, price, quantity, ask_left)?;
            }
            BookEvent::Reduced { id, left, .. } => {
                if let Some(order) = self.orders.get_mut(&id) {
                    order.left = left;
                }
            }
            BookEvent::Ended { id, .. } => drop(self.orders.remove(&id)),
            BookEvent::Waits { .. }
            | BookEvent::Triggered { .. }
            | BookEvent::Rested { .. }
            | BookEvent::Refreshed { .. }
            | BookEvent::Moved { .. } => {}
        }
        Ok(())
    }

    fn asked_seat(&self, seat: Seat) -> Option<(AccountId, AccountId, Option<u32>)> {
        self.asked.seats.get(usize::try_from(seat.number()).ok()?).copied()
    }

    /// Two orders trade: neither was cancelled, the market is not suspended, and they are not of one group.
    fn pair(&mut self, one: OrderId, other: OrderId) -> Result<(), String> {
        self.fills = self.fills.saturating_add(1);
        if self.is_suspended {
            return Err(format!("{one} and {other} trade while the market is suspended"));
        }
        if let Some(id) = [one, other].into_iter().find(|id| self.cancelled.contains(id)) {
            return Err(format!("order {id} was cancelled and trades"));
        }
        let seat =
            |id| self.orders.get(&id).map(|order| order.seat).ok_or("an order trades that is not there");
        let (one, other) = (seat(one)?, seat(other)?);
        let group = |seat| self.asked_seat(seat).and_then(|(.., group)| group);
        if one == other || (group(one).is_some() && group(one) == group(other)) {
            return Err(format!("seats {} and {} are of one group and trade", one.number(), other.number()));
        }
        Ok(())
    }

    fn fill(
        &mut self,
        id: OrderId,
        part: Part,
        price: Price,
        lots: Quantity,
        left: Quantity,
    ) -> Result<(), String> {
        let quote = i128::from(price.ticks()).saturating_mul(i128::from(lots.lots()));
        let base = i128::from(lots.lots()).saturating_mul(i128::from(LOT));
        let order = self.orders.get_mut(&id).ok_or("an order trades that is not there")?;
        order.left = order.left.less(lots);
        if order.left != left {
            return Err(format!("order {id} has {:?} left, not {left:?}", order.left));
        }
        let (ppm, rebate_ppm) = match (part, order.fees.maker) {
            (Part::Taker, _) => (order.fees.taker_ppm, 0),
            (_, MakerFee::Pays(ppm)) => (ppm, 0),
            (Part::Maker, MakerFee::Gets(ppm)) => (0, ppm),
            (Part::Auction, MakerFee::Gets(_)) => (0, 0),
        };
        order.owed = order.owed.saturating_add(quote.saturating_mul(i128::from(ppm)));
        let due = order.owed.saturating_add(999_999).checked_div(1_000_000).unwrap_or(0);
        let fee = due.saturating_sub(order.paid);
        order.paid = due;
        let rebate = quote.saturating_mul(i128::from(rebate_ppm)).checked_div(1_000_000).unwrap_or(0);
        let (side, seat) = (order.side, order.seat);
        if left.is_zero() {
            self.orders.remove(&id);
        }
        let (base_account, quote_account, _) = self.asked_seat(seat).ok_or("nobody took the seat")?;
        let (base, quote) = match side {
            Side::Bid => (base, quote.saturating_neg()),
            Side::Ask => (base.saturating_neg(), quote),
        };
        self.give(base_account, base);
        self.give(quote_account, quote.saturating_sub(fee).saturating_add(rebate));
        self.give(AccountId::new(FEES), fee.saturating_sub(rebate));
        Ok(())
    }
}
