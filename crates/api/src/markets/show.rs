//! Assets, markets and what rests in them; trades and candles.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use bank::{Bank, Command};
use exchange::book::DepthLevel;
use exchange::market::{CallReason, Hours, MakerFee, Market, Phase};
use exchange::{MarketNumber, Side, Steps};
use identity::Actor;
use money::{AccountId, Asset, Timestamp};
use projections::{CandleRow, TradeRow, TradeSide};
use serde::Deserialize;
use utoipa::IntoParams;

use super::change::{cursor, limit, next};
use super::{OfMarket, account_in, known, order, seat_of, steps};
use crate::Problem;
use crate::app::{App, Who};
use crate::extract::{Asked, Body};
use crate::guard::Written;
use crate::idempotency::Key;
use crate::session::Caller;
use crate::wire::{self, ProblemBody, instant};

/// Levels of one side where the client does not say.
const LEVELS_USUAL: u32 = 50;
/// Most levels of one side in one answer.
pub(crate) const LEVELS_MAX: u32 = 500;
/// Levels of each side that a checksum covers.
const CHECKED_LEVELS: usize = 25;
/// Most trades in one answer.
const TRADES_MAX: u32 = 500;
/// Most candles in one answer.
const CANDLES_MAX: u64 = 1_500;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The bits of an id that clients may make: the top one is the bank's own.
const CLIENTS: u128 = !(1 << 127);

fn asset(asset: Asset) -> wire::AssetInfo {
    wire::AssetInfo { code: asset.code().to_owned(), scale: asset.scale() }
}

/// The assets that the bank keeps books in.
#[utoipa::path(get, path = "/api/v1/assets", responses(
    (status = 200, description = "The answer.", body = wire::AssetList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn assets(State(app): State<App>, caller: Caller) -> Result<Json<wire::AssetList>, Problem> {
    let items = app.ask(&caller, |bank, who| {
        let offered = bank.payments().all_books().map(|books| {
            let opened = account_in(bank, who, books.asset).is_some();
            let wire::AssetInfo { code, scale } = asset(books.asset);
            (code.clone(), wire::OfferedAsset { code, scale, opened })
        });
        Ok(offered.collect::<BTreeMap<_, _>>().into_values().collect())
    });
    Ok(Json(wire::AssetList { assets: items.await? }))
}

/// Opens an account in another asset; there is one in each.
#[utoipa::path(post, path = "/api/v1/accounts", operation_id = "account_open", request_body = wire::AccountRequest, responses(
    (status = 200, description = "The answer.", body = wire::Account),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn account_open(
    State(app): State<App>,
    caller: Caller,
    Key(key): Key,
    Body(asked): Body<wire::AccountRequest>,
) -> Result<Written<Json<wire::Account>>, Problem> {
    let found = app.ask(&caller, move |bank, _| {
        let books = bank.payments().all_books().find(|books| books.asset.code() == asked.asset);
        books
            .map(|books| books.asset)
            .ok_or_else(|| Problem::unprocessable("asset_unknown", "The bank has no accounts in this asset."))
    });
    let asset = found.await?;
    // The same key gives the same account, also after a restart.
    let account = AccountId::new(key.value() & CLIENTS);
    let command = Command::OpenOwnAccount { account, asset };
    let taken = app.submit(key, Actor::Session(caller.session), command).await?;
    let opened = app.ask(&caller, move |bank, who| {
        let all = crate::accounts::of_customer(bank, who.customer);
        all.into_iter().find(|known| known.id == account.to_string()).ok_or_else(Problem::internal)
    });
    Ok(Written(taken.seq, Json(opened.await?)))
}

/// A day of trades, from its candles.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    first: Option<exchange::Price>,
    high: Option<exchange::Price>,
    low: Option<exchange::Price>,
    lots: u64,
    ticks_lots: u128,
}

impl Day {
    fn of(candles: &[CandleRow]) -> Self {
        Self {
            first: candles.first().map(|candle| candle.open),
            high: candles.iter().map(|candle| candle.high).max(),
            low: candles.iter().map(|candle| candle.low).min(),
            lots: candles.iter().fold(0, |sum, candle| sum.saturating_add(candle.lots)),
            ticks_lots: candles.iter().fold(0, |sum, candle| sum.saturating_add(candle.ticks_lots)),
        }
    }

    fn change_bps(&self, last: Option<exchange::Price>) -> Option<i64> {
        let (first, last) = (i128::from(self.first?.ticks()), i128::from(last?.ticks()));
        let change = last.saturating_sub(first).saturating_mul(10_000).checked_div(first)?;
        i64::try_from(change).ok()
    }
}

async fn days(app: &App, numbers: Vec<MarketNumber>) -> Result<BTreeMap<MarketNumber, Day>, Problem> {
    let now = app.now();
    app.rows(move |reads| {
        let of = |number| {
            let candles = reads.candles(number, 60, now.minus_ms(DAY_MS), now.plus_ms(1))?;
            Ok((number, Day::of(&candles)))
        };
        numbers.into_iter().map(of).collect()
    })
    .await
}

/// All markets.
#[utoipa::path(get, path = "/api/v1/markets", responses(
    (status = 200, description = "The answer.", body = wire::MarketList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn markets(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<wire::MarketList>, Problem> {
    let numbers =
        app.ask(&caller, |bank, _| Ok(bank.exchange().markets().iter().map(Market::number).collect()));
    let days = days(&app, numbers.await?).await?;
    let shown = app.ask(&caller, move |bank, who| {
        let markets = bank.exchange().markets().iter();
        let day = |number| days.get(&number).copied().unwrap_or_default();
        Ok(markets.filter_map(|known| market(bank, who, known, &day(known.number()))).collect())
    });
    Ok(Json(wire::MarketList { markets: shown.await? }))
}

/// One market.
#[utoipa::path(get, path = "/api/v1/markets/{number}", operation_id = "market", params(("number" = u32, Path)), responses(
    (status = 200, description = "The answer.", body = wire::Market),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn market_one(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
) -> Result<Json<wire::Market>, Problem> {
    app.ask(&caller, move |bank, _| known(bank, number).map(|_| ())).await?;
    let day = days(&app, vec![number]).await?.remove(&number).unwrap_or_default();
    let shown = app.ask(&caller, move |bank, who| {
        market(bank, who, known(bank, number)?, &day).ok_or_else(Problem::internal)
    });
    shown.await.map(Json)
}

fn market(bank: &Bank, who: &Who, market: &Market, day: &Day) -> Option<wire::Market> {
    let steps = steps(market)?;
    let rules = market.rules(who.now);
    let (low, high) = rules.band(market.reference());
    let (phase, phase_why) = phase(market.phase());
    let price = |price| steps.price(price);
    let last = market.book().last_price();
    let seat = seat_of(bank, who, market);
    let volume = day.ticks_lots.saturating_mul(u128::from(steps.tick));
    let best = |side| market.book().best(side).map(|level| price(level.price));
    Some(wire::Market {
        number: market.number().number(),
        base: asset(rules.base),
        quote: asset(rules.quote),
        lot: steps.quantity(exchange::Quantity::new(1)),
        tick: price(exchange::Price::new(1)),
        min_notional: order::sum(steps.quote, u128::from(rules.notional_min)),
        quantity_max: steps.quantity(rules.quantity_max),
        fees: wire::MarketFees {
            maker_ppm: match rules.fees.maker {
                MakerFee::Pays(ppm) => i64::from(ppm),
                MakerFee::Gets(ppm) => i64::from(ppm).saturating_neg(),
            },
            taker_ppm: rules.fees.taker_ppm,
        },
        band: wire::PriceBand { low: price(low), high: price(high) },
        phase,
        phase_until: market.phase_due().map(instant),
        phase_why,
        reference: price(market.reference()),
        last: last.map(price),
        change_24h_bps: day.change_bps(last),
        high_24h: day.high.map(price),
        low_24h: day.low.map(price),
        volume_24h_base: steps.quantity(exchange::Quantity::new(day.lots)),
        volume_24h_quote: order::sum(steps.quote, volume),
        best_bid: best(Side::Bid),
        best_ask: best(Side::Ask),
        hours: rules.hours.as_ref().map(hours),
        seat: seat.map(|(seat, _)| seat.number()),
        stopped: seat.is_some_and(|(_, row)| row.is_stopped),
    })
}

/// A market's phase, and what an auction is for.
pub(crate) const fn phase(phase: Phase) -> (wire::MarketPhase, Option<wire::CallReason>) {
    match phase {
        Phase::Closed => (wire::MarketPhase::Closed, None),
        Phase::Open => (wire::MarketPhase::Open, None),
        Phase::Suspended => (wire::MarketPhase::Suspended, None),
        Phase::Call { why, .. } => (
            wire::MarketPhase::Call,
            Some(match why {
                CallReason::Opening => wire::CallReason::Opening,
                CallReason::Closing => wire::CallReason::Closing,
                CallReason::Halt => wire::CallReason::Halt,
                CallReason::Resumption => wire::CallReason::Resumption,
            }),
        ),
    }
}

fn hours(hours: &Hours) -> wire::MarketHours {
    let is_on = |day: &u8| (hours.days >> day.saturating_sub(1)) & 1 == 1;
    wire::MarketHours {
        utc_offset_minutes: hours.utc_offset_minutes,
        days: (1..=7).filter(is_on).collect(),
        call_at: hours.call_at,
        open_at: hours.open_at,
        closing_call_at: hours.closing_call_at,
        close_at: hours.close_at,
        holidays: hours.holidays.iter().map(ToString::to_string).collect(),
    }
}

/// How much of a book is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepthQuery {
    /// Levels of each side, 1 to 500.
    levels: Option<u32>,
}

/// A level as it travels.
pub(crate) fn level(steps: &Steps, level: &DepthLevel) -> wire::Level {
    wire::Level(steps.price(level.price), steps.quantity(level.shown), level.count)
}

/// CRC-32C of the best levels of each side.
pub(crate) fn checksum(bids: &[wire::Level], asks: &[wire::Level]) -> u32 {
    let best = |side: &[wire::Level]| {
        side.iter().take(CHECKED_LEVELS).map(|level| format!("{}:{}|", level.0, level.1)).collect::<String>()
    };
    let text = best(bids) + &best(asks);
    crc32c::crc32c(text.as_bytes())
}

/// What rests in the book of a market, so many levels of each side.
pub(crate) fn depth_of(bank: &Bank, market: &Market, steps: &Steps, levels: usize) -> wire::Depth {
    let side = |side| market.book().depth(side).take(levels).map(|of| level(steps, &of)).collect::<Vec<_>>();
    let (bids, asks) = (side(Side::Bid), side(Side::Ask));
    wire::Depth { sequence: bank.seq(), checksum: checksum(&bids, &asks), bids, asks }
}

/// What rests in a market.
#[utoipa::path(get, path = "/api/v1/markets/{number}/depth", operation_id = "market_depth", params(("number" = u32, Path), DepthQuery), responses(
    (status = 200, description = "The answer.", body = wire::Depth),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn market_depth(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Asked(asked): Asked<DepthQuery>,
) -> Result<Json<wire::Depth>, Problem> {
    let levels = limit(asked.levels.or(Some(LEVELS_USUAL)), LEVELS_MAX)?;
    let depth = app.ask(&caller, move |bank, _| {
        let market = known(bank, number)?;
        let steps = steps(market).ok_or_else(Problem::internal)?;
        Ok(depth_of(bank, market, &steps, levels))
    });
    depth.await.map(Json)
}

/// Which trades are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TradesQuery {
    /// Where the page before ended.
    cursor: Option<String>,
    /// Most rows, 1 to 500.
    limit: Option<u32>,
}

/// A trade as it travels.
pub(crate) fn trade(steps: &Steps, row: &TradeRow) -> wire::Trade {
    wire::Trade {
        number: row.number,
        at: instant(row.at),
        price: steps.price(row.price),
        quantity: steps.quantity(row.quantity),
        taker: match row.taker {
            TradeSide::Taker(Side::Bid) => wire::TakerSide::Buy,
            TradeSide::Taker(Side::Ask) => wire::TakerSide::Sell,
            TradeSide::Auction => wire::TakerSide::Auction,
        },
    }
}

/// The trades of a market, newest first.
#[utoipa::path(get, path = "/api/v1/markets/{number}/trades", operation_id = "market_trades", params(("number" = u32, Path), TradesQuery), responses(
    (status = 200, description = "The answer.", body = wire::TradePage),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn market_trades(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Asked(asked): Asked<TradesQuery>,
) -> Result<Json<wire::TradePage>, Problem> {
    let (before, most) = (cursor(asked.cursor.as_deref())?, limit(asked.limit, TRADES_MAX)?);
    let steps = of_market(&app, &caller, number).await?;
    app.caught_up(&caller).await?;
    let rows = app.rows(move |reads| reads.trades(number, before, most)).await?;
    let next = next(rows.last().map(|row| row.number), rows.len(), most);
    Ok(Json(wire::TradePage { trades: rows.iter().map(|row| trade(&steps, row)).collect(), next }))
}

async fn of_market(app: &App, caller: &Caller, number: MarketNumber) -> Result<Steps, Problem> {
    app.ask(caller, move |bank, _| steps(known(bank, number)?).ok_or_else(Problem::internal)).await
}

/// How long a candle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
pub(crate) enum Interval {
    /// A minute.
    #[serde(rename = "1m")]
    Minute,
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    Quarter,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// Four hours.
    #[serde(rename = "4h")]
    FourHours,
    /// A day of UTC.
    #[serde(rename = "1d")]
    Day,
}

impl Interval {
    const fn minutes(self) -> u64 {
        match self {
            Self::Minute => 1,
            Self::FiveMinutes => 5,
            Self::Quarter => 15,
            Self::Hour => 60,
            Self::FourHours => 240,
            Self::Day => 1_440,
        }
    }
}

/// Which candles are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CandlesQuery {
    /// How long each is.
    #[param(inline)]
    interval: Interval,
    /// From this instant on; 300 candles before `to` where nothing is said.
    from: Option<String>,
    /// Up to this instant; now where nothing is said.
    to: Option<String>,
}

/// A candle as it travels.
pub(crate) fn candle(steps: &Steps, row: &CandleRow) -> wire::Candle {
    let volume = row.ticks_lots.saturating_mul(u128::from(steps.tick));
    wire::Candle {
        start_ms: row.start.ms(),
        open: steps.price(row.open),
        high: steps.price(row.high),
        low: steps.price(row.low),
        close: steps.price(row.close),
        volume_base: steps.quantity(exchange::Quantity::new(row.lots)),
        volume_quote: order::sum(steps.quote, volume),
        trades: row.trades,
    }
}

fn bound(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| {
        let ms = text.parse().ok().map(Timestamp::from_ms);
        ms.or_else(|| wire::parse_instant(text))
    };
    let bad = || {
        Problem::bad_request(format!(
            "{name}: a time such as 2026-03-01T08:00:00Z, or milliseconds since 1970"
        ))
    };
    text.map(|text| read(text).ok_or_else(bad)).transpose()
}

/// The candles of a market, oldest first; a span without a trade has none.
#[utoipa::path(get, path = "/api/v1/markets/{number}/candles", operation_id = "market_candles", params(("number" = u32, Path), CandlesQuery), responses(
    (status = 200, description = "The answer.", body = wire::CandleList),
    (status = "default", description = "A refusal or a fault.", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn market_candles(
    State(app): State<App>,
    caller: Caller,
    OfMarket(number): OfMarket,
    Asked(asked): Asked<CandlesQuery>,
) -> Result<Json<wire::CandleList>, Problem> {
    let minutes = asked.interval.minutes();
    let span_ms = minutes.saturating_mul(60_000);
    let to = bound("to", asked.to.as_deref())?.unwrap_or_else(|| app.now().plus_ms(1));
    let usual = || to.minus_ms(span_ms.saturating_mul(300));
    let from = bound("from", asked.from.as_deref())?.unwrap_or_else(usual);
    if to.since(from) > span_ms.saturating_mul(CANDLES_MAX) {
        let detail = format!("from, to: at most {CANDLES_MAX} candles; ask for longer ones or less of them");
        return Err(Problem::bad_request(detail));
    }
    let steps = of_market(&app, &caller, number).await?;
    app.caught_up(&caller).await?;
    let rows = app.rows(move |reads| reads.candles(number, minutes, from, to)).await?;
    Ok(Json(wire::CandleList { candles: rows.iter().map(|row| candle(&steps, row)).collect() }))
}
