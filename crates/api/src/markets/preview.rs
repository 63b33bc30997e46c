//! What would become of an order if it came in now. Nothing is placed, and no seat is taken.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use bank::Bank;
use exchange::book::{BookRefusal, Expected, InForce, Terms, Wanted as Upto};
use exchange::market::{Fees, MakerFee, Market, PPM_WHOLE, Rules};
use exchange::row::PlaceRow;
use exchange::{MarketNumber, Quantity, Seat, Side, Steps};
use money::Amount;

use super::ask::{self, Wanted};
use super::{OfMarket, known, order, refused, seat_to_be, steps};
use crate::Problem;
use crate::app::{App, Who};
use crate::extract::Body;
use crate::session::Caller;
use crate::wire::{self, ProblemBody};

/// Looks at what an order would do.
#[utoipa::path(post, path = "/api/v1/markets/{number}/orders/preview", operation_id = "order_preview", params(("number" = u32, Path)),
    request_body = wire::OrderRequest, responses(
    (status = 200, description = "The answer.", body = wire::OrderPreview),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn order_preview(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Body(asked): Body<wire::OrderRequest>,
) -> Result<Json<wire::OrderPreview>, Problem> {
    app.ask(&caller, move |bank, who| look(bank, who, number, &asked)).await.map(Json)
}

fn look(
    bank: &Bank,
    who: &Who,
    number: MarketNumber,
    asked: &wire::OrderRequest,
) -> Result<wire::OrderPreview, Problem> {
    let market = known(bank, number)?;
    let steps = steps(market).ok_or_else(Problem::internal)?;
    let rules = market.rules(who.now);
    let (whole, first) = match ask::wanted(asked, &steps, rules, market.reference())? {
        Wanted::Row(row) => (row, row),
        Wanted::Plan { whole, first, .. } => (whole, first),
    };
    let expected = expected(market, &first);
    let outcome = try_out(bank, who, market, &first, expected.quantity, &steps);
    let (reserved, refusal) = match outcome {
        Ok(amount) => (amount.map(Into::into), None),
        Err(problem) => (None, Some(told(&problem, market, &steps, rules))),
    };
    let cost = expected.ticks_lots.saturating_mul(u128::from(rules.tick));
    let rests = rests(&whole, &expected);
    let sum = |minor| order::sum(steps.quote, minor);
    Ok(wire::OrderPreview {
        fills_now: wire::FillsNow {
            quantity: steps.quantity(expected.quantity),
            average: steps.average(expected.quantity, cost),
            worst: expected.worst.map(|price| steps.price(price)),
            cost: sum(cost),
        },
        rests: wire::RestsThen {
            quantity: steps.quantity(rests),
            price: match whole.terms {
                Terms::Limit(price) if !rests.is_zero() => Some(steps.price(price)),
                Terms::Limit(_) | Terms::Budget { .. } | Terms::WholeFor { .. } => None,
            },
        },
        fee_max: sum(part(most(&whole, rules, cost, rests), rules.fees.most_ppm())),
        fee_expected: sum(part(cost, rules.fees.taker_ppm).saturating_add(resting(&whole, rules, rests))),
        reserved,
        refusal,
    })
}

/// What the book as it is would give the order at once: nothing while orders are collected or the order waits, and all or nothing where it asks so.
fn expected(market: &Market, place: &PlaceRow) -> Expected {
    let (upto, limit) = match place.terms {
        Terms::Limit(price) => (Upto::Quantity(place.quantity), Some(price)),
        Terms::Budget { ticks_lots, worst } => (Upto::Budget(ticks_lots), Some(worst)),
        Terms::WholeFor { ticks_lots } => (Upto::Budget(ticks_lots), None),
    };
    let nothing = Expected { quantity: Quantity::ZERO, ticks_lots: 0, worst: None };
    if market.book().is_collecting() || place.trigger.is_some() {
        return nothing;
    }
    let expected = market.book().expected_fill(place.side, upto, limit);
    if place.in_force == InForce::FillOrKill && expected.quantity < place.quantity {
        return nothing;
    }
    expected
}

fn rests(place: &PlaceRow, expected: &Expected) -> Quantity {
    match place.in_force {
        InForce::UntilEnded | InForce::PostOnly => place.quantity.less(expected.quantity),
        InForce::ImmediateOrCancel | InForce::FillOrKill => Quantity::ZERO,
    }
}

/// Most that the order can be worth in quote.
fn most(place: &PlaceRow, rules: &Rules, cost: u128, rests: Quantity) -> u128 {
    match (place.side, place.terms) {
        // A buyer pays the limit at most; a seller may get more than it, and has got what fills now.
        (Side::Bid, Terms::Limit(price)) => rules.quote_minor(price, place.quantity),
        (Side::Ask, Terms::Limit(price)) => cost.saturating_add(rules.quote_minor(price, rests)),
        (_, Terms::Budget { ticks_lots, .. } | Terms::WholeFor { ticks_lots }) => {
            u128::from(ticks_lots).saturating_mul(u128::from(rules.tick))
        }
    }
}

fn part(quote: u128, ppm: u32) -> u128 {
    quote.saturating_mul(u128::from(ppm)).div_ceil(PPM_WHOLE)
}

/// What the part that rests pays once it fills.
fn resting(place: &PlaceRow, rules: &Rules, rests: Quantity) -> u128 {
    match (rules.fees, place.terms) {
        (Fees { maker: MakerFee::Pays(ppm), .. }, Terms::Limit(price)) => {
            part(rules.quote_minor(price, rests), ppm)
        }
        _ => 0,
    }
}

/// The checks that the order will meet; answers with what would be set aside.
fn try_out(
    bank: &Bank,
    who: &Who,
    market: &Market,
    place: &PlaceRow,
    fills: Quantity,
    steps: &Steps,
) -> Result<Option<Amount>, Problem> {
    let (seat, row) = seat_to_be(bank, who, market)?;
    let seat = seat.unwrap_or(Seat::new(u32::MAX));
    let needs = market.try_out(seat, &row, place, who.now).map_err(refused)?;
    if let Some((account, minor)) = needs {
        bank.ledger().can_reserve(account, minor).map_err(|refusal| refused(refusal.into()))?;
    }
    if place.in_force == InForce::PostOnly && !fills.is_zero() {
        return Err(refused(BookRefusal::WouldTrade.into()));
    }
    let asset = match place.side {
        Side::Bid => steps.quote,
        Side::Ask => steps.base,
    };
    Ok(needs.map(|(_, minor)| Amount::new(asset, minor)))
}

fn told(problem: &Problem, market: &Market, steps: &Steps, rules: &Rules) -> wire::OrderRefusal {
    let mut params: BTreeMap<String, String> = problem.params().clone();
    let mut say = |name: &str, text: String| {
        params.insert(name.to_owned(), text);
    };
    match problem.code() {
        "price_outside_band" => {
            let (low, high) = rules.band(market.reference());
            say("low", steps.price(low));
            say("high", steps.price(high));
        }
        "order_too_small" => say("min", order::sum(steps.quote, u128::from(rules.notional_min))),
        "quantity_above" => say("max", steps.quantity(rules.quantity_max)),
        _ => {}
    }
    wire::OrderRefusal { code: problem.code().to_owned(), detail: problem.detail().to_owned(), params }
}
