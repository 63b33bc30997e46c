//! Orders, fills and plans, as they travel.

use std::cmp::Ordering;

use exchange::book::{InForce, OrderView, Standing, Terms};
use exchange::market::{Claim, Market, Parent, ParentNumber};
use exchange::{MarketNumber, Plan, Side, Steps};
use money::{Amount, Asset, CustomerId};
use projections::{FillRow, OrderRow, OrderStanding, Role};

use super::order_text;
use crate::wire::{self, instant};

/// Minor units of an asset, as text.
pub(crate) fn sum(asset: Asset, minor: u128) -> String {
    Amount::new(asset, minor).decimal()
}

/// Minor units of an asset that may be below zero, as text.
pub(crate) fn signed_sum(asset: Asset, minor: i128) -> String {
    let text = sum(asset, minor.unsigned_abs());
    if minor.cmp(&0) == Ordering::Less { format!("-{text}") } else { text }
}

/// Buy or sell, as it travels.
pub(crate) const fn side(side: Side) -> wire::OrderSide {
    match side {
        Side::Bid => wire::OrderSide::Buy,
        Side::Ask => wire::OrderSide::Sell,
    }
}

/// An order that is in the book, as a row.
pub(crate) fn in_book(
    market: MarketNumber,
    customer: CustomerId,
    view: &OrderView,
    claim: &Claim,
) -> OrderRow {
    OrderRow {
        rank: 0,
        market,
        id: view.id,
        customer,
        side: view.side,
        terms: view.terms,
        in_force: view.in_force,
        quantity: view.quantity,
        shown: view.shown,
        trigger: view.trigger,
        until: claim.until,
        client: claim.client,
        parent: claim.parent,
        filled: view.filled,
        filled_quote: claim.filled_quote,
        fee: i128::try_from(claim.fee_paid).unwrap_or(i128::MAX),
        left: view.left,
        standing: match view.standing {
            Standing::Rests => OrderStanding::Open,
            Standing::Waits => OrderStanding::Waiting,
        },
        placed_at: claim.entered_at,
        ended_at: None,
    }
}

/// What is set aside for an order in the book.
pub(crate) fn reserved(market: &Market, steps: &Steps, row: &OrderRow) -> Option<Amount> {
    let claim = market.claim(row.id)?;
    let asset = match row.side {
        Side::Bid => steps.quote,
        Side::Ask => steps.base,
    };
    Some(Amount::new(asset, claim.reserved))
}

const fn kind(row: &OrderRow) -> wire::OrderType {
    match (row.terms, row.trigger, row.in_force) {
        (Terms::Budget { .. } | Terms::WholeFor { .. }, ..) => wire::OrderType::Budget,
        (Terms::Limit(_), Some(_), InForce::ImmediateOrCancel) => wire::OrderType::Stop,
        (Terms::Limit(_), Some(_), _) => wire::OrderType::StopLimit,
        (Terms::Limit(_), None, InForce::ImmediateOrCancel) => wire::OrderType::Market,
        (Terms::Limit(_), None, _) => wire::OrderType::Limit,
    }
}

/// An order.
pub(crate) fn order(steps: &Steps, row: &OrderRow, reserved: Option<Amount>) -> wire::Order {
    let is_budget = matches!(kind(row), wire::OrderType::Budget);
    let price = match row.terms {
        Terms::Limit(price) | Terms::Budget { worst: price, .. } => Some(steps.price(price)),
        Terms::WholeFor { .. } => None,
    };
    wire::Order {
        id: order_text(row.market, row.id),
        market: row.market.number(),
        side: side(row.side),
        kind: kind(row),
        price,
        trigger: row.trigger.map(|price| steps.price(price)),
        quantity: steps.quantity(if is_budget { row.filled } else { row.quantity }),
        filled: steps.quantity(row.filled),
        left: steps.quantity(row.left),
        average: steps.average(row.filled, row.filled_quote),
        fee_paid: signed_sum(steps.quote, row.fee),
        reserved: reserved.map(Into::into),
        in_force: match (row.in_force, row.until) {
            (InForce::UntilEnded, Some(_)) => wire::InForce::Gtd,
            (InForce::UntilEnded, None) => wire::InForce::Gtc,
            (InForce::ImmediateOrCancel, _) => wire::InForce::Ioc,
            (InForce::FillOrKill, _) => wire::InForce::Fok,
            (InForce::PostOnly, _) => wire::InForce::PostOnly,
        },
        until: row.until.map(instant),
        shown: (!row.shown.is_zero()).then(|| steps.quantity(row.shown)),
        state: match row.standing {
            OrderStanding::Open => wire::OrderState::Open,
            OrderStanding::Waiting => wire::OrderState::Waiting,
            OrderStanding::Filled => wire::OrderState::Filled,
            OrderStanding::Cancelled => wire::OrderState::Cancelled,
            OrderStanding::Expired => wire::OrderState::Expired,
            OrderStanding::Killed => wire::OrderState::Killed,
        },
        placed_at: instant(row.placed_at),
        ended_at: row.ended_at.map(instant),
        plan: row.parent.map(ParentNumber::number),
        client: (row.client != 0).then_some(row.client),
    }
}

/// A fill.
pub(crate) fn fill(steps: &Steps, row: &FillRow) -> wire::Fill {
    wire::Fill {
        trade: row.trade,
        order: order_text(row.market, row.order),
        market: row.market.number(),
        at: instant(row.at),
        side: side(row.side),
        role: match row.role {
            Role::Maker => wire::FillRole::Maker,
            Role::Taker => wire::FillRole::Taker,
            Role::Auction => wire::FillRole::Auction,
        },
        price: steps.price(row.price),
        quantity: steps.quantity(row.quantity),
        fee: signed_sum(steps.quote, row.fee),
        movements: vec![row.movement_base.to_string(), row.movement_quote.to_string()],
    }
}

/// A plan.
pub(crate) fn plan(
    market: MarketNumber,
    steps: &Steps,
    number: ParentNumber,
    parent: &Parent,
) -> wire::OrderPlan {
    let (kind, limit, stop, pieces) = match parent.order.plan {
        Plan::OneCancelsOther { limit, trigger, stop_limit } => {
            (wire::OrderType::Oco, limit, Some((trigger, stop_limit)), None)
        }
        Plan::TimeWeighted { limit, pieces, .. } => (wire::OrderType::Twap, limit, None, Some(pieces)),
    };
    wire::OrderPlan {
        number: number.number(),
        market: market.number(),
        side: side(parent.order.side),
        kind,
        quantity: steps.quantity(parent.order.quantity),
        left: steps.quantity(parent.left),
        price: steps.price(limit),
        stop_trigger: stop.map(|(trigger, _)| steps.price(trigger)),
        stop_limit: stop.map(|(_, limit)| steps.price(limit)),
        pieces,
        placed: parent.placed,
        order: parent.child.map(|id| order_text(market, id)),
        next_at: parent.next.map(instant),
        placed_at: instant(parent.placed_at),
    }
}
