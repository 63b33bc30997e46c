//! Markets: what they are and do, a customer's orders in them, and their data as it changes.
//!
//! What an order may be is the exchange's to say; here texts become ticks and lots, and back. A customer sits in a market with one account in each of its assets;
//! the seat is taken with the first order.

mod ask;
pub(crate) mod change;
pub(crate) mod convert;
pub(crate) mod live;
mod order;
pub(crate) mod place;
pub(crate) mod preview;
pub(crate) mod show;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use bank::Bank;
use exchange::market::{Market, Owner, SeatAccounts, SeatRow};
use exchange::{MarketNumber, OrderId, Seat, Steps, StpGroup};
use money::{AccountId, Asset, CustomerId};

use crate::app::{App, Who};
use crate::{Problem, wire};

/// The market of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfMarket(pub(crate) MarketNumber);

impl<S: Send + Sync> FromRequestParts<S> for OfMarket {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(number) = path.map_err(|_| market_unknown())?;
        market_number(&number).map(Self)
    }
}

/// The market of a path and what stands behind it there.
#[derive(Debug, Clone)]
pub(crate) struct InMarket(pub(crate) MarketNumber, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for InMarket {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((number, rest)) = path.map_err(|_| market_unknown())?;
        Ok(Self(market_number(&number)?, rest))
    }
}

fn refused(refusal: exchange::Refusal) -> Problem {
    bank::Refusal::from(refusal).into()
}

fn market_unknown() -> Problem {
    refused(exchange::Refusal::MarketUnknown { market: MarketNumber::new(0) })
}

/// A market's number, as digits.
pub(crate) fn market_number(text: &str) -> Result<MarketNumber, Problem> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_plain && *number > 0);
    number.map(MarketNumber::new).ok_or_else(market_unknown)
}

/// The market with this number.
pub(crate) fn known(bank: &Bank, number: MarketNumber) -> Result<&Market, Problem> {
    bank.exchange().market(number).ok_or_else(|| refused(exchange::Refusal::MarketUnknown { market: number }))
}

/// How a market writes prices and quantities; that never changes.
pub(crate) fn steps(market: &Market) -> Option<Steps> {
    market.rules_rows().next().map(|row| Steps::of(&row.rules))
}

/// An order's id as it travels: the market and the order's number in it.
pub(crate) fn order_text(market: MarketNumber, id: OrderId) -> String {
    format!("{market}-{id}")
}

/// An order of a market, by its id or by its number there.
pub(crate) fn order_id(market: MarketNumber, text: &str) -> Result<OrderId, Problem> {
    let unknown = || refused(exchange::Refusal::OrderUnknown { id: OrderId::from_number(0) });
    let (of, number) = text.split_once('-').map_or((None, text), |(of, number)| (Some(of), number));
    if of.is_some_and(|of| of != market.to_string()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unknown());
    }
    number.parse().map(OrderId::from_number).map_err(|_| unknown())
}

/// The customer's account in an asset.
pub(crate) fn account_in(bank: &Bank, who: &Who, asset: Asset) -> Option<AccountId> {
    let mut accounts = bank.payments().accounts_of(who.customer).iter().copied();
    accounts.find(|id| bank.payments().owner(*id).is_some_and(|owner| owner.asset == asset))
}

/// The customer's seat in a market, where they have one.
pub(crate) fn seat_of(bank: &Bank, who: &Who, market: &Market) -> Option<(Seat, SeatRow)> {
    let owner = Owner::Customer(who.customer);
    bank.payments().accounts_of(who.customer).iter().find_map(|id| {
        let seat = market.seat_of(bank.ledger().position(*id).ok()?)?;
        market.seat(seat).filter(|row| row.owner == owner).map(|row| (seat, *row))
    })
}

/// The customer's seat in a market.
///
/// # Errors
/// `seat_unknown`.
pub(crate) fn own_seat(bank: &Bank, who: &Who, market: &Market) -> Result<Seat, Problem> {
    let unknown = || refused(exchange::Refusal::SeatUnknown { seat: Seat::new(u32::MAX) });
    seat_of(bank, who, market).map(|(seat, _)| seat).ok_or_else(unknown)
}

/// The seat that the customer has, or would take: with both accounts.
///
/// # Errors
/// `seat_accounts` with the assets that no account is there in.
pub(crate) fn seat_to_be(
    bank: &Bank,
    who: &Who,
    market: &Market,
) -> Result<(Option<Seat>, SeatRow), Problem> {
    if let Some((seat, row)) = seat_of(bank, who, market) {
        return Ok((Some(seat), row));
    }
    let rules = market.rules(who.now);
    let accounts = [rules.base, rules.quote].map(|asset| account_in(bank, who, asset));
    let [Some(base), Some(quote)] = accounts else {
        return Err(no_accounts(&rules.base, &rules.quote, accounts));
    };
    let position = |id| bank.ledger().position(id).map_err(|refusal| refused(refusal.into()));
    let row = SeatRow {
        base,
        quote,
        accounts: SeatAccounts { base: position(base)?, quote: position(quote)? },
        group: StpGroup::NONE,
        open: 0,
        is_stopped: false,
        owner: Owner::Customer(who.customer),
    };
    Ok((None, row))
}

/// The order that a row of the feed is about: its market's number stands above its own.
pub(crate) async fn of_feed(
    app: &App,
    customer: CustomerId,
    subject: u128,
) -> Result<Option<wire::Order>, Problem> {
    let number = MarketNumber::new(u32::try_from(subject >> 64).unwrap_or(0));
    let id = OrderId::from_number(u64::try_from(subject & u128::from(u64::MAX)).unwrap_or(0));
    let Some(row) = app.rows(move |reads| reads.order(customer, number, id)).await? else { return Ok(None) };
    app.look(move |bank| {
        let market = bank.exchange().market(number)?;
        let steps = steps(market)?;
        Some(order::order(&steps, &row, order::reserved(market, &steps, &row)))
    })
    .await
}

fn no_accounts(base: &Asset, quote: &Asset, accounts: [Option<AccountId>; 2]) -> Problem {
    let [in_base, in_quote] = accounts;
    let missing = [(base, in_base), (quote, in_quote)];
    let missing = missing.iter().filter(|(_, account)| account.is_none()).map(|(asset, _)| asset.code());
    let missing: Vec<&str> = missing.collect();
    refused(exchange::Refusal::SeatAccounts).with("missing", missing.join(" "))
}
