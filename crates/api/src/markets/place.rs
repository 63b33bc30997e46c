//! Placing an order: the seat first, where there is none yet, then the order, and what filled at once.

use axum::Json;
use axum::extract::State;
use bank::{Bank, Command};
use exchange::market::{Market, ParentNumber, SeatRow};
use exchange::row::{Ask, OrderBatch, OrderRow as Row, PlaceRow};
use exchange::{Event, MarketNumber, NewParent, OrderId, Outcome, Seat, Side, Steps, Trade, TradeParty};
use identity::Actor;
use money::{CommandId, CustomerId, EntryId, Timestamp};
use node::Taken;
use projections::{FillRow, OrderRow, OrderStanding, Role, movement_id};
use sha2::{Digest, Sha256};

use super::ask::{self, Wanted};
use super::{OfMarket, known, order, seat_of, seat_to_be, steps};
use crate::Problem;
use crate::app::{App, Who};
use crate::extract::Body;
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::{Caller, first_128};
use crate::wire::{self, ProblemBody};

/// An order that was read, and who places it where.
struct Ready {
    wanted: Wanted,
    seat: Option<Seat>,
    row: SeatRow,
    steps: Steps,
    customer: CustomerId,
}

fn ready(bank: &Bank, who: &Who, number: MarketNumber, asked: &wire::OrderRequest) -> Result<Ready, Problem> {
    let market = known(bank, number)?;
    let steps = steps(market).ok_or_else(Problem::internal)?;
    let wanted = ask::wanted(asked, &steps, market.rules(who.now), market.reference())?;
    let (seat, row) = seat_to_be(bank, who, market)?;
    Ok(Ready { wanted, seat, row, steps, customer: who.customer })
}

/// The id of a command that has to come before another.
fn before(key: CommandId, what: &str) -> CommandId {
    let mut hasher = Sha256::new();
    hasher.update(key.value().to_be_bytes());
    hasher.update(what);
    CommandId::new(first_128(&hasher.finalize()))
}

/// Places an order, or an order of orders.
#[utoipa::path(post, path = "/api/v1/markets/{number}/orders", operation_id = "order_place", params(("number" = u32, Path)),
    request_body = wire::OrderRequest, responses(
    (status = 200, description = "The answer.", body = wire::OrderPlaced),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn order_place(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Key(key): Key,
    Body(asked): Body<wire::OrderRequest>,
) -> Result<Written<Json<wire::OrderPlaced>>, Problem> {
    let ready = app.ask(&caller, move |bank, who| ready(bank, who, number, &asked)).await?;
    let seat = match ready.seat {
        Some(seat) => seat,
        None => take_seat(&app, &caller, key, number, &ready.row).await?,
    };
    let placed = match ready.wanted {
        Wanted::Row(row) => place_row(&app, &caller, key, number, seat, row, &ready).await,
        Wanted::Plan { plan, whole, .. } => {
            let new = NewParent { market: number, seat, side: whole.side, quantity: whole.quantity, plan };
            place_plan(&app, &caller, key, new, &ready).await
        }
    };
    match placed {
        Ok((seq, placed)) => Ok(Written(seq, Json(placed))),
        Err(problem) => Err(in_steps(&app, number, problem).await),
    }
}

/// Takes the customer's seat; somebody of theirs may have been quicker.
async fn take_seat(
    app: &App,
    caller: &Caller,
    key: CommandId,
    market: MarketNumber,
    row: &SeatRow,
) -> Result<Seat, Problem> {
    let command = exchange::Command::TakeSeat { market, base: row.base, quote: row.quote, group: None };
    let actor = Actor::Session(caller.session);
    let taken = app.submit(before(key, "seat"), actor, Command::Exchange(command)).await;
    let seat = app.ask(caller, move |bank, who| Ok(seat_of(bank, who, known(bank, market)?))).await?;
    match (seat, taken) {
        (Some((seat, _)), _) => Ok(seat),
        (None, Err(problem)) => Err(problem),
        (None, Ok(_)) => Err(Problem::internal()),
    }
}

async fn place_row(
    app: &App,
    caller: &Caller,
    key: CommandId,
    number: MarketNumber,
    seat: Seat,
    place: PlaceRow,
    ready: &Ready,
) -> Result<(u64, wire::OrderPlaced), Problem> {
    let row = Row { market: number, seat, ask: Ask::Place(place) };
    let batch = OrderBatch::of(&[row]).map_err(|_| Problem::internal())?;
    let command = Command::Exchange(exchange::Command::Orders(batch));
    let (customer, steps) = (ready.customer, ready.steps);
    let look = move |bank: &Bank, taken: &Taken| {
        let market = bank.exchange().market(number)?;
        let outcome = &taken.markets.as_ref()?.outcome;
        let id = *outcome.placed.first()?;
        let now = taken.recorded_at;
        Some(placed(market, customer, id, &place, outcome, now))
    };
    let actor = Actor::Session(caller.session);
    let (taken, seen) = app.submit_looking(key, actor, command, look).await?;
    let Some(Seen { row, reserved, fills }) = seen else {
        return Ok((taken.seq, again(app, customer, &steps, taken.seq).await?));
    };
    let order = order::order(&steps, &row, reserved.map(|minor| draws_on(&steps, row.side, minor)));
    let fills = fills.iter().map(|row| order::fill(&steps, row)).collect();
    Ok((taken.seq, wire::OrderPlaced { order: Some(order), fills, plan: None }))
}

fn draws_on(steps: &Steps, side: Side, minor: u128) -> money::Amount {
    let asset = match side {
        Side::Bid => steps.quote,
        Side::Ask => steps.base,
    };
    money::Amount::new(asset, minor)
}

/// What a command that was taken before led to, from the read models.
async fn again(
    app: &App,
    customer: CustomerId,
    steps: &Steps,
    seq: u64,
) -> Result<wire::OrderPlaced, Problem> {
    app.reached(seq).await?;
    let (rows, fills) = app.rows(move |reads| reads.orders_by_entry(customer, seq)).await?;
    let row = rows.first().ok_or_else(Problem::internal)?;
    let fills = fills.iter().map(|row| order::fill(steps, row)).collect();
    Ok(wire::OrderPlaced { order: Some(order::order(steps, row, None)), fills, plan: None })
}

/// What the turn of an order left.
struct Seen {
    row: OrderRow,
    reserved: Option<u128>,
    fills: Vec<FillRow>,
}

fn placed(
    market: &Market,
    customer: CustomerId,
    id: OrderId,
    place: &PlaceRow,
    outcome: &Outcome,
    now: Timestamp,
) -> Seen {
    let number = market.number();
    let fills = fills_of(market, id, outcome, now);
    let claim = market.claim(id);
    if let (Some(view), Some(claim)) = (market.book().order(id), claim) {
        let row = order::in_book(number, customer, &view, claim);
        return Seen { row, reserved: Some(claim.reserved), fills };
    }
    let mut row = OrderRow {
        rank: 0,
        market: number,
        id,
        customer,
        side: place.side,
        terms: place.terms,
        in_force: place.in_force,
        quantity: place.quantity,
        shown: place.shown,
        trigger: place.trigger,
        until: place.until,
        client: place.client,
        parent: None,
        filled: exchange::Quantity::ZERO,
        filled_quote: 0,
        fee: 0,
        left: exchange::Quantity::ZERO,
        standing: OrderStanding::Killed,
        placed_at: now,
        ended_at: Some(now),
    };
    let rules = market.rules(now);
    for fill in &fills {
        let filled = row.filled.lots().saturating_add(fill.quantity.lots());
        row.filled = exchange::Quantity::new(filled);
        row.filled_quote = row.filled_quote.saturating_add(rules.quote_minor(fill.price, fill.quantity));
        row.fee = row.fee.saturating_add(fill.fee);
    }
    if row.filled == row.quantity {
        row.standing = OrderStanding::Filled;
    }
    Seen { row, reserved: None, fills }
}

/// The fills of one order among what a turn led to.
fn fills_of(market: &Market, id: OrderId, outcome: &Outcome, now: Timestamp) -> Vec<FillRow> {
    let rules = market.rules(now);
    let here = |of: &MarketNumber| *of == market.number();
    let count = outcome.trades().filter(|(of, ..)| here(of)).count();
    let first = market.trades_count().saturating_sub(u64::try_from(count).unwrap_or(0)).saturating_add(1);
    let numbered = outcome.trades().filter(|(of, ..)| here(of)).zip(first..);
    let of_order = numbered.filter_map(|((_, trade, sum, entry), number)| {
        let side = side_of(&trade, id)?;
        let quote = rules.quote_minor(trade.price, trade.quantity);
        let party = party(&trade, side);
        let seat = market.seat(party.seat)?;
        Some(FillRow {
            rank: 0,
            market: market.number(),
            order: id,
            trade: number,
            at: now,
            side,
            role: role(&trade, side),
            price: trade.price,
            quantity: trade.quantity,
            fee: fee(side, quote, sum),
            movement_base: movement_of(entry, seat.base),
            movement_quote: movement_of(entry, seat.quote),
        })
    });
    of_order.collect()
}

fn movement_of(entry: EntryId, account: money::AccountId) -> money::MovementId {
    movement_id(entry, account)
}

fn side_of(trade: &Trade, id: OrderId) -> Option<Side> {
    if trade.buyer.order == id { Some(Side::Bid) } else { (trade.seller.order == id).then_some(Side::Ask) }
}

const fn party(trade: &Trade, side: Side) -> &TradeParty {
    match side {
        Side::Bid => &trade.buyer,
        Side::Ask => &trade.seller,
    }
}

fn role(trade: &Trade, side: Side) -> Role {
    match trade.taker {
        None => Role::Auction,
        Some(taker) if taker == side => Role::Taker,
        Some(_) => Role::Maker,
    }
}

/// What one side of a fill paid in fees, less what it got back.
fn fee(side: Side, quote: u128, sum: exchange::FillSum) -> i128 {
    let (more, less) = match side {
        Side::Bid => (sum.pays, quote),
        Side::Ask => (quote, sum.gets),
    };
    let signed = |minor: u128| i128::try_from(minor).unwrap_or(i128::MAX);
    signed(more).saturating_sub(signed(less))
}

async fn place_plan(
    app: &App,
    caller: &Caller,
    key: CommandId,
    new: NewParent,
    ready: &Ready,
) -> Result<(u64, wire::OrderPlaced), Problem> {
    let (number, steps) = (new.market, ready.steps);
    let command = Command::Exchange(exchange::Command::PlaceParent(new));
    let look = move |bank: &Bank, taken: &Taken| {
        let outcome = &taken.markets.as_ref()?.outcome;
        let placed = parent_placed(outcome)?;
        let mut parents = bank.exchange().market(number)?.parents();
        let found = parents.find(|(known, _)| *known == placed);
        found.map(|(_, parent)| order::plan(number, &steps, placed, parent))
    };
    let actor = Actor::Session(caller.session);
    let (taken, plan) = app.submit_looking(key, actor, command, look).await?;
    // A plan that is over with its first order, or a repeat, is seen in the list of orders.
    Ok((taken.seq, wire::OrderPlaced { order: None, fills: Vec::new(), plan }))
}

fn parent_placed(outcome: &Outcome) -> Option<ParentNumber> {
    outcome.events.iter().find_map(|event| match event {
        Event::ParentPlaced { number, .. } => Some(*number),
        _ => None,
    })
}

/// Says a refusal's figures in the market's own steps, as people write them.
pub(crate) async fn in_steps(app: &App, number: MarketNumber, problem: Problem) -> Problem {
    let code = problem.code();
    if !matches!(code, "price_outside_band" | "order_too_small" | "quantity_above") {
        return problem;
    }
    let now = app.now();
    let figures = app.look(move |bank| {
        let market = bank.exchange().market(number)?;
        let (steps, rules) = (steps(market)?, market.rules(now.max(bank.recorded_at())));
        let (low, high) = rules.band(market.reference());
        let least = order::sum(steps.quote, u128::from(rules.notional_min));
        Some((steps.price(low), steps.price(high), least, steps.quantity(rules.quantity_max)))
    });
    match (code, figures.await) {
        ("price_outside_band", Ok(Some((low, high, ..)))) => problem.with("low", low).with("high", high),
        ("order_too_small", Ok(Some((_, _, least, _)))) => problem.with("min", least),
        ("quantity_above", Ok(Some((.., most)))) => problem.with("max", most),
        _ => problem,
    }
}
