//! What a customer does with orders that are there: end, make smaller, move; stop everything in a market and go on.

use axum::Json;
use axum::extract::State;
use bank::Command;
use exchange::market::ParentNumber;
use exchange::row::{Ask, OrderBatch, OrderRow as Row};
use exchange::{MarketNumber, Seat, Steps};
use identity::Actor;
use money::CommandId;
use projections::MarketQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use super::place::in_steps;
use super::{InMarket, OfMarket, ask, known, order, order_id, own_seat, refused, seat_of, steps};
use crate::Problem;
use crate::app::App;
use crate::extract::{Asked, Body};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::Caller;
use crate::wire::{self, ProblemBody};

/// Rows of a page where the client does not say.
const LIMIT_USUAL: u32 = 50;
/// Most rows of a page.
const LIMIT_MAX: u32 = 200;

/// The customer's seat, and how the market writes prices.
async fn at(app: &App, caller: &Caller, number: MarketNumber) -> Result<(Seat, Steps), Problem> {
    app.ask(caller, move |bank, who| {
        let market = known(bank, number)?;
        let steps = steps(market).ok_or_else(Problem::internal)?;
        Ok((own_seat(bank, who, market)?, steps))
    })
    .await
}

/// The same, where an order is named: whoever has no seat has no such order.
async fn at_order(app: &App, caller: &Caller, number: MarketNumber) -> Result<(Seat, Steps), Problem> {
    at(app, caller, number).await.map_err(|problem| {
        if problem.code() == "seat_unknown" {
            let id = exchange::OrderId::from_number(0);
            refused(exchange::Refusal::OrderUnknown { id })
        } else {
            problem
        }
    })
}

async fn submit(
    app: &App,
    caller: &Caller,
    key: CommandId,
    command: exchange::Command,
) -> Result<u64, Problem> {
    let actor = Actor::Session(caller.session);
    app.submit(key, actor, Command::Exchange(command)).await.map(|taken| taken.seq)
}

async fn row(
    app: &App,
    caller: &Caller,
    key: CommandId,
    market: MarketNumber,
    seat: Seat,
    ask: Ask,
) -> Result<u64, Problem> {
    let batch = OrderBatch::of(&[Row { market, seat, ask }]).map_err(|_| Problem::internal())?;
    match submit(app, caller, key, exchange::Command::Orders(batch)).await {
        Ok(seq) => Ok(seq),
        Err(problem) => Err(in_steps(app, market, problem).await),
    }
}

const ONE: Json<wire::OrdersEnded> = Json(wire::OrdersEnded { ended: 1 });

/// Ends an order.
#[utoipa::path(delete, path = "/api/v1/markets/{number}/orders/{id}", operation_id = "order_cancel",
    params(("number" = u32, Path), ("id" = String, Path)), responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn order_cancel(
    State(app): State<App>,
    caller: Caller,
    InMarket(number, id): InMarket,
    Key(key): Key,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let (seat, _) = at_order(&app, &caller, number).await?;
    let id = order_id(number, &id)?;
    let seq = row(&app, &caller, key, number, seat, Ask::Cancel(id)).await?;
    Ok(Written(seq, ONE))
}

/// Ends all of the customer's orders in a market.
#[utoipa::path(delete, path = "/api/v1/markets/{number}/orders", operation_id = "orders_cancel", params(("number" = u32, Path)), responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn orders_cancel(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Key(key): Key,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let open = app.ask(&caller, move |bank, who| {
        let market = known(bank, number)?;
        let Some((seat, row)) = seat_of(bank, who, market) else { return Ok((None, 0, bank.seq())) };
        let plans = market.parents().filter(|(_, parent)| parent.order.seat == seat).count();
        let plans = u32::try_from(plans).unwrap_or(u32::MAX);
        Ok((Some(seat), row.open.saturating_add(plans), bank.seq()))
    });
    let (Some(seat), ended @ 1.., _) = open.await? else {
        let seq = app.handle().durable().seq;
        return Ok(Written(seq, Json(wire::OrdersEnded { ended: 0 })));
    };
    let seq = row(&app, &caller, key, number, seat, Ask::CancelAll).await?;
    Ok(Written(seq, Json(wire::OrdersEnded { ended })))
}

/// Makes an order smaller; it keeps its place.
#[utoipa::path(post, path = "/api/v1/markets/{number}/orders/{id}/reduce", operation_id = "order_reduce",
    params(("number" = u32, Path), ("id" = String, Path)), request_body = wire::OrderReduce, responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn order_reduce(
    State(app): State<App>,
    caller: Caller,
    InMarket(number, id): InMarket,
    Key(key): Key,
    Body(asked): Body<wire::OrderReduce>,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let (seat, steps) = at_order(&app, &caller, number).await?;
    let (id, by) = (order_id(number, &id)?, ask::quantity(&steps, "by", &asked.by)?);
    let seq = row(&app, &caller, key, number, seat, Ask::Reduce(id, by)).await?;
    Ok(Written(seq, Json(wire::OrdersEnded { ended: 0 })))
}

/// Gives an order another price; it goes to the back of the queue there.
#[utoipa::path(post, path = "/api/v1/markets/{number}/orders/{id}/move", operation_id = "order_move",
    params(("number" = u32, Path), ("id" = String, Path)), request_body = wire::OrderMove, responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn order_move(
    State(app): State<App>,
    caller: Caller,
    InMarket(number, id): InMarket,
    Key(key): Key,
    Body(asked): Body<wire::OrderMove>,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let (seat, steps) = at_order(&app, &caller, number).await?;
    let (id, price) = (order_id(number, &id)?, ask::price(&steps, "price", &asked.price)?);
    let seq = row(&app, &caller, key, number, seat, Ask::Move(id, price)).await?;
    Ok(Written(seq, Json(wire::OrdersEnded { ended: 0 })))
}

/// Ends all of the customer's orders in a market and takes none until they are freed.
#[utoipa::path(post, path = "/api/v1/markets/{number}/stop", operation_id = "seat_stop", params(("number" = u32, Path)), responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn seat_stop(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Key(key): Key,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let (seat, _) = at(&app, &caller, number).await?;
    let open = app.ask(&caller, move |bank, who| {
        Ok(seat_of(bank, who, known(bank, number)?).map_or(0, |(_, row)| row.open))
    });
    let ended = open.await?;
    let command = exchange::Command::StopSeat { market: number, seat };
    let seq = submit(&app, &caller, key, command).await?;
    Ok(Written(seq, Json(wire::OrdersEnded { ended })))
}

/// Takes the customer's orders in a market again.
#[utoipa::path(post, path = "/api/v1/markets/{number}/free", operation_id = "seat_free", params(("number" = u32, Path)), responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn seat_free(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Key(key): Key,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    let (seat, _) = at(&app, &caller, number).await?;
    let command = exchange::Command::FreeSeat { market: number, seat };
    let seq = submit(&app, &caller, key, command).await?;
    Ok(Written(seq, Json(wire::OrdersEnded { ended: 0 })))
}

/// Ends a plan and what it has in the book.
#[utoipa::path(delete, path = "/api/v1/markets/{number}/plans/{plan}", operation_id = "plan_cancel",
    params(("number" = u32, Path), ("plan" = u32, Path)), responses(
    (status = 200, description = "The answer.", body = wire::OrdersEnded),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn plan_cancel(
    State(app): State<App>,
    caller: Caller,
    InMarket(number, plan): InMarket,
    Key(key): Key,
) -> Result<Written<Json<wire::OrdersEnded>>, Problem> {
    app.ask(&caller, move |bank, _| known(bank, number).map(|_| ())).await?;
    let unknown = || refused(exchange::Refusal::ParentUnknown { number: 0 });
    let parent = plan.parse().map(ParentNumber::new).map_err(|_| unknown())?;
    let command = exchange::Command::EndParent { market: number, parent };
    let seq = submit(&app, &caller, key, command).await?;
    Ok(Written(seq, ONE))
}

/// Which orders or fills are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// Only of this market.
    market: Option<u32>,
    /// Only open orders, or only ended ones.
    open: Option<bool>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Most rows, 1 to 200.
    limit: Option<u32>,
}

/// Which fills are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FillsQuery {
    /// Only of this market.
    market: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Most rows, 1 to 200.
    limit: Option<u32>,
}

/// How many rows a page has.
pub(crate) fn limit(asked: Option<u32>, most: u32) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(LIMIT_USUAL);
    if !(1..=most).contains(&limit) {
        return Err(Problem::bad_request(format!("limit: 1 to {most}")));
    }
    usize::try_from(limit).map_err(|_| Problem::internal())
}

/// Where a page begins.
pub(crate) fn cursor(text: Option<&str>) -> Result<Option<u64>, Problem> {
    let bad = || Problem::from(projections::ProjectionError::Cursor);
    text.map(|text| text.strip_prefix('c').and_then(|rank| rank.parse().ok()).ok_or_else(bad)).transpose()
}

/// Where the next page begins, after a row of this rank.
pub(crate) fn next(rank: Option<u64>, rows: usize, limit: usize) -> Option<String> {
    rank.filter(|_| rows >= limit).map(|rank| format!("c{rank}"))
}

/// The customer's orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", operation_id = "orders", params(OrdersQuery), responses(
    (status = 200, description = "The answer.", body = wire::OrderPage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn orders(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<OrdersQuery>,
) -> Result<Json<wire::OrderPage>, Problem> {
    let query = MarketQuery {
        market: asked.market.map(MarketNumber::new),
        is_open: asked.open,
        before: cursor(asked.cursor.as_deref())?,
        limit: limit(asked.limit, LIMIT_MAX)?,
    };
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let rows = app.rows(move |reads| reads.orders(customer, &query)).await?;
    let next = next(rows.last().map(|row| row.rank), rows.len(), query.limit);
    let orders = app.look(move |bank| {
        let shown = rows.iter().filter_map(|row| {
            let market = bank.exchange().market(row.market)?;
            let steps = steps(market)?;
            Some(order::order(&steps, row, order::reserved(market, &steps, row)))
        });
        shown.collect()
    });
    Ok(Json(wire::OrderPage { orders: orders.await?, next }))
}

/// The fills of the customer's orders, newest first.
#[utoipa::path(get, path = "/api/v1/fills", operation_id = "fills", params(FillsQuery), responses(
    (status = 200, description = "The answer.", body = wire::FillPage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn fills(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<FillsQuery>,
) -> Result<Json<wire::FillPage>, Problem> {
    let query = MarketQuery {
        market: asked.market.map(MarketNumber::new),
        is_open: None,
        before: cursor(asked.cursor.as_deref())?,
        limit: limit(asked.limit, LIMIT_MAX)?,
    };
    app.caught_up(&caller).await?;
    let customer = app.ask(&caller, |_, who| Ok(who.customer)).await?;
    let rows = app.rows(move |reads| reads.fills(customer, &query)).await?;
    let next = next(rows.last().map(|row| row.rank), rows.len(), query.limit);
    let fills = app.look(move |bank| {
        let shown = rows.iter().filter_map(|row| {
            let steps = steps(bank.exchange().market(row.market)?)?;
            Some(order::fill(&steps, row))
        });
        shown.collect()
    });
    Ok(Json(wire::FillPage { fills: fills.await?, next }))
}

/// The customer's plans that have not ended.
#[utoipa::path(get, path = "/api/v1/plans", operation_id = "plans", responses(
    (status = 200, description = "The answer.", body = wire::OrderPlanList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn plans(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::OrderPlanList>, Problem> {
    let plans = app.ask(&caller, |bank, who| {
        let mut plans = Vec::new();
        for market in bank.exchange().markets() {
            let Some(((seat, _), steps)) = seat_of(bank, who, market).zip(steps(market)) else { continue };
            let own = market.parents().filter(|(_, parent)| parent.order.seat == seat);
            plans.extend(own.map(|(id, parent)| order::plan(market.number(), &steps, id, parent)));
        }
        Ok(plans)
    });
    Ok(Json(wire::OrderPlanList { plans: plans.await? }))
}
