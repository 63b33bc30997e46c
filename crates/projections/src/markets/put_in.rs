//! What happened on the markets, as rows: orders and fills of customers with their movements, trades and candles of everybody.

use exchange::book::{BookEvent, EndReason, NewOrder, Terms};
use exchange::market::{Owner, Rules};
use exchange::{Event, FillSum, MarketNumber, OrderId, Outcome, Price, Quantity, Side, Steps, Trade};
use money::{AccountId, Amount, Asset, EntryId, Timestamp};
use rusqlite::params;

use super::query::side_code;
use super::state::SeatOf;
use super::tables::packed;
use super::{OrderRow, OrderStanding, Role, TradeSide};
use crate::ProjectionError;
use crate::feed::FeedKind;
use crate::movements::{Direction, MovementKind, MovementRow, Party};
use crate::project::{Projecting, movement_id};
use crate::turn::Turn;

/// A trade on its way into the tables.
struct Made<'a> {
    market: MarketNumber,
    number: u64,
    trade: &'a Trade,
    sum: FillSum,
    entry: EntryId,
    quote: u128,
    steps: Steps,
}

/// One account's part of it.
pub(super) struct Part {
    pub(super) account: AccountId,
    pub(super) direction: Direction,
    pub(super) asset: Asset,
    pub(super) minor: u128,
    pub(super) fee: u128,
}

/// The half of a feed's subject that names the market.
const MARKET_AT: u32 = 64;

impl Projecting<'_> {
    /// Puts in what a command or the time led to.
    pub(crate) fn exchange(&mut self, turn: &mut Turn<'_>, outcome: &Outcome) -> Result<(), ProjectionError> {
        let mut sums = outcome.fills.iter();
        for event in &outcome.events {
            match event {
                Event::Book { market, events } => {
                    for event in events {
                        self.book_event(turn, *market, event)?;
                        let Some(trade) = Trade::of(event) else { continue };
                        let seq = turn.seq;
                        let missing =
                            || ProjectionError::Entry { seq, problem: "a fill without a sum".to_owned() };
                        let sum = *sums.next().ok_or_else(missing)?;
                        self.trade(turn, *market, &trade, sum)?;
                    }
                    self.state.markets.relieve(self.connection)?;
                }
                Event::Labelled { market, label } => {
                    if let Some(known) = self.state.markets.known(*market) {
                        known.label = *label;
                    }
                }
                Event::MarketOpened { market, rules, .. } => self.open_market(*market, rules)?,
                Event::SeatTaken { market, seat, base, quote, owner: Owner::Customer(customer), .. } => {
                    let of = SeatOf { customer: *customer, base: *base, quote: *quote };
                    self.state.markets.take_seat(*market, *seat, of);
                    let sql = "INSERT INTO market_seats VALUES (?1, ?2, ?3, ?4, ?5)";
                    self.connection.prepare_cached(sql)?.execute((
                        market.number(),
                        seat.number(),
                        customer.value().to_be_bytes(),
                        base.value().to_be_bytes(),
                        quote.value().to_be_bytes(),
                    ))?;
                }
                Event::Quote(change) => self.quote(change, turn.seq)?,
                Event::Converted { offer, at, entry } => self.converted(turn, *offer, *at, *entry)?,
                Event::PoolMoved(moved) => self.pool_moved(turn, moved)?,
                Event::SeatTaken { owner: Owner::Bank | Owner::Tenant(_), .. }
                | Event::RulesSet { .. }
                | Event::PhaseChanged { .. }
                | Event::ReferenceSet { .. }
                | Event::SeatStopped { .. }
                | Event::ParentPlaced { .. }
                | Event::ParentWorked { .. }
                | Event::ParentEnded { .. }
                | Event::Proposed { .. }
                | Event::Decided { .. }
                | Event::Price(_)
                | Event::InventorySet { .. }
                | Event::PoolOpened { .. } => {}
            }
        }
        Ok(())
    }

    fn open_market(&mut self, market: MarketNumber, rules: &Rules) -> Result<(), ProjectionError> {
        let steps = Steps::of(rules);
        self.state.markets.open_market(market, steps, 0);
        let sql = "INSERT INTO markets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)";
        self.connection.prepare_cached(sql)?.execute(params![
            market.number(),
            steps.base.code(),
            steps.base.scale(),
            steps.quote.code(),
            steps.quote.scale(),
            packed(steps.lot),
            packed(steps.tick),
        ])?;
        Ok(())
    }

    /// What an event of a book does to customers' orders.
    fn book_event(
        &mut self,
        turn: &mut Turn<'_>,
        market: MarketNumber,
        event: &BookEvent,
    ) -> Result<(), ProjectionError> {
        let now = turn.now;
        match *event {
            BookEvent::Entered { id, ref order } => self.entered(turn, market, id, order),
            BookEvent::Waits { id } => {
                self.changed(turn, market, id, |row| row.standing = OrderStanding::Waiting);
            }
            BookEvent::Triggered { id } => {
                self.changed(turn, market, id, |row| row.standing = OrderStanding::Open);
            }
            BookEvent::Reduced { id, left, .. } => self.changed(turn, market, id, |row| {
                row.left = left;
                if left.is_zero() {
                    row.end(OrderStanding::Cancelled, now);
                }
            }),
            BookEvent::Moved { id, price } => self.changed(turn, market, id, |row| row.moved(price)),
            BookEvent::Ended { id, why, .. } => self.changed(turn, market, id, |row| {
                let is_over = row.until.is_some_and(|until| until <= now);
                row.end(
                    match why {
                        EndReason::Cancelled if is_over => OrderStanding::Expired,
                        EndReason::Cancelled => OrderStanding::Cancelled,
                        EndReason::NotFilled | EndReason::SelfTrade => OrderStanding::Killed,
                    },
                    now,
                );
            }),
            // Trades are put in with what they moved.
            BookEvent::Filled { .. }
            | BookEvent::Uncrossed { .. }
            | BookEvent::Rested { .. }
            | BookEvent::Refreshed { .. } => {}
        }
        Ok(())
    }

    fn entered(&mut self, turn: &mut Turn<'_>, market: MarketNumber, id: OrderId, order: &NewOrder) {
        let label = self.state.markets.known(market).map(|known| std::mem::take(&mut known.label));
        let label = label.unwrap_or_default();
        let Some(seat) = self.state.markets.seat(market, order.seat) else { return };
        let row = OrderRow {
            rank: 0,
            market,
            id,
            customer: seat.customer,
            side: order.side,
            terms: order.terms,
            in_force: order.in_force,
            quantity: order.quantity,
            shown: order.shown,
            trigger: order.trigger,
            until: label.until,
            client: label.client,
            parent: label.parent,
            filled: Quantity::ZERO,
            filled_quote: 0,
            fee: 0,
            left: order.quantity,
            standing: OrderStanding::Open,
            placed_at: turn.now,
            ended_at: None,
        };
        self.state.markets.enter(turn.seq, row);
        tell(turn, seat.customer, market, id);
    }

    fn changed(
        &mut self,
        turn: &mut Turn<'_>,
        market: MarketNumber,
        id: OrderId,
        change: impl FnOnce(&mut OrderRow),
    ) {
        if let Some(customer) = self.state.markets.change(market, id, change) {
            tell(turn, customer, market, id);
        }
    }

    fn trade(
        &mut self,
        turn: &mut Turn<'_>,
        market: MarketNumber,
        trade: &Trade,
        sum: FillSum,
    ) -> Result<(), ProjectionError> {
        let (price, quantity) = (trade.price, trade.quantity);
        let Some(known) = self.state.markets.known(market) else { return Ok(()) };
        let steps = known.steps;
        let number = known.trade(market, turn.now, price, quantity, self.connection)?;
        let sql = "INSERT INTO trades VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.connection.prepare_cached(sql)?.execute(params![
            market.number(),
            packed(number),
            packed(turn.now.ms()),
            packed(price.ticks()),
            packed(quantity.lots()),
            trade.taker.map_or(TradeSide::Auction, TradeSide::Taker).code(),
            trade.buyer.seat.number(),
            trade.seller.seat.number(),
        ])?;
        let ticks_lots = u128::from(price.ticks()).saturating_mul(u128::from(quantity.lots()));
        let quote = ticks_lots.saturating_mul(u128::from(steps.tick));
        let entry = exchange::entry_id(sum.serial);
        let made = Made { market, number, trade, sum, entry, quote, steps };
        self.fill(turn, &made, Side::Bid)?;
        self.fill(turn, &made, Side::Ask)
    }

    /// One side's part in a trade, where it is a customer's.
    fn fill(&mut self, turn: &mut Turn<'_>, made: &Made<'_>, side: Side) -> Result<(), ProjectionError> {
        let party = match side {
            Side::Bid => made.trade.buyer,
            Side::Ask => made.trade.seller,
        };
        let Some(seat) = self.state.markets.seat(made.market, party.seat) else { return Ok(()) };
        let (now, quantity, quote) = (turn.now, made.trade.quantity, made.quote);
        let fee = match side {
            Side::Bid => difference(made.sum.pays, quote),
            Side::Ask => difference(quote, made.sum.gets),
        };
        self.changed(turn, made.market, party.order, |row| {
            row.filled = Quantity::new(row.filled.lots().saturating_add(quantity.lots()));
            row.filled_quote = row.filled_quote.saturating_add(quote);
            row.fee = row.fee.saturating_add(fee);
            row.left = party.left;
            if party.left.is_zero() {
                row.end(OrderStanding::Filled, now);
            }
        });
        let (base_way, quote_way, moved) = match side {
            Side::Bid => (Direction::In, Direction::Out, made.sum.pays),
            Side::Ask => (Direction::Out, Direction::In, made.sum.gets),
        };
        let lots = u128::from(quantity.lots()).saturating_mul(u128::from(made.steps.lot));
        let base =
            Part { account: seat.base, direction: base_way, asset: made.steps.base, minor: lots, fee: 0 };
        let paid = u128::try_from(fee).unwrap_or(0);
        let quote = Part {
            account: seat.quote,
            direction: quote_way,
            asset: made.steps.quote,
            minor: moved,
            fee: paid,
        };
        let note = note(side, made);
        self.part(turn, made.entry, &base, MovementKind::Trade, &note)?;
        self.part(turn, made.entry, &quote, MovementKind::Trade, &note)?;
        let role = match made.trade.taker {
            None => Role::Auction,
            Some(taker) if taker == side => Role::Taker,
            Some(_) => Role::Maker,
        };
        self.state.markets.fills = self.state.markets.fills.saturating_add(1);
        let sql = "INSERT INTO fills VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        self.connection.prepare_cached(sql)?.execute(params![
            packed(self.state.markets.fills),
            made.market.number(),
            packed(party.order.number()),
            seat.customer.value().to_be_bytes(),
            packed(turn.seq),
            packed(made.number),
            packed(now.ms()),
            side_code(side),
            role.code(),
            packed(made.trade.price.ticks()),
            packed(quantity.lots()),
            fee.to_string(),
            movement_id(made.entry, seat.base).value().to_be_bytes(),
            movement_id(made.entry, seat.quote).value().to_be_bytes(),
        ])?;
        Ok(())
    }

    /// The movement on one account.
    pub(super) fn part(
        &mut self,
        turn: &mut Turn<'_>,
        entry: EntryId,
        part: &Part,
        kind: MovementKind,
        note: &str,
    ) -> Result<(), ProjectionError> {
        let seq = turn.seq;
        let fault =
            |problem: money::AmountError| ProjectionError::Entry { seq, problem: problem.to_string() };
        let Some(owned) = self.state.owners.account(part.account) else { return Ok(()) };
        let amount = Amount::new(part.asset, part.minor);
        let balance = match part.direction {
            Direction::In => owned.balance.plus(amount),
            Direction::Out => owned.balance.minus(amount),
        };
        let row = MovementRow {
            id: movement_id(entry, part.account),
            leaf: self.state.log.len(),
            seq,
            account: part.account,
            account_number: owned.number.as_ref().to_owned(),
            customer: owned.customer,
            payment: None,
            kind,
            direction: part.direction,
            amount,
            fee: Amount::new(part.asset, part.fee),
            balance_after: balance.map_err(fault)?,
            counterparty: Party::default(),
            note: note.to_owned(),
            recorded_at: turn.now,
            effective_at: turn.now,
        };
        self.write_movement(turn, &row)
    }
}

impl OrderRow {
    const fn end(&mut self, standing: OrderStanding, at: Timestamp) {
        self.standing = standing;
        self.left = Quantity::ZERO;
        self.ended_at = Some(at);
    }

    /// An order that waits gets another trigger, one that rests another price.
    fn moved(&mut self, price: Price) {
        if self.standing == OrderStanding::Waiting {
            self.trigger = Some(price);
        } else {
            self.terms = Terms::Limit(price);
        }
    }
}

fn tell(turn: &mut Turn<'_>, customer: money::CustomerId, market: MarketNumber, id: OrderId) {
    let subject = (u128::from(market.number()) << MARKET_AT) | u128::from(id.number());
    turn.news.tell(customer, FeedKind::Order, subject);
    // What is set aside for orders is not available.
    turn.news.accounts(customer);
}

fn difference(more: u128, less: u128) -> i128 {
    let signed = |minor: u128| i128::try_from(minor).unwrap_or(i128::MAX);
    signed(more).saturating_sub(signed(less))
}

/// What the bank states about a fill, in words of no language: `BUY 0.004 BTC @ 68250 CNY`.
fn note(side: Side, made: &Made<'_>) -> String {
    let word = match side {
        Side::Bid => "BUY",
        Side::Ask => "SELL",
    };
    let Made { trade, steps, .. } = made;
    let (quantity, price) = (steps.quantity(trade.quantity), steps.price(trade.price));
    format!("{word} {quantity} {} @ {price} {}", steps.base, steps.quote)
}
