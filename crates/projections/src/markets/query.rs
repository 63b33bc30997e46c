//! Reading the rows of markets.

use exchange::book::{InForce, Terms};
use exchange::market::ParentNumber;
use exchange::{MarketNumber, OrderId, Price, Quantity, Side};
use money::{CustomerId, MovementId, Timestamp};
use rusqlite::{Connection, Row};

use super::tables::{packed, unpacked};
use super::{CandleRow, FillRow, MarketQuery, OrderRow, OrderStanding, Role, TradeRow, TradeSide};
use crate::ProjectionError;
use crate::movements::id_of;

/// The columns of an order, as [`order_in`] reads them.
pub(super) const ORDER: &str = "rank, market, id, customer, side, terms, price, sum, in_force, quantity, shown, trigger_at, until, client, parent,
  filled, filled_quote, fee, left_over, standing, placed_at, ended_at";
const FILL: &str =
    "rank, market, id, trade, at, side, role, price, quantity, fee, movement_base, movement_quote";
/// The columns of a candle, as [`candle_in`] reads them.
pub(super) const CANDLE: &str = "start, open, high, low, close, lots, ticks_lots, trades";

pub(super) const fn side_code(side: Side) -> i64 {
    match side {
        Side::Bid => 0,
        Side::Ask => 1,
    }
}

const fn side_from(code: i64) -> Side {
    if code == 0 { Side::Bid } else { Side::Ask }
}

pub(super) const fn in_force_code(in_force: InForce) -> i64 {
    match in_force {
        InForce::UntilEnded => 0,
        InForce::ImmediateOrCancel => 1,
        InForce::FillOrKill => 2,
        InForce::PostOnly => 3,
    }
}

const fn in_force_from(code: i64) -> InForce {
    match code {
        0 => InForce::UntilEnded,
        1 => InForce::ImmediateOrCancel,
        2 => InForce::FillOrKill,
        _ => InForce::PostOnly,
    }
}

/// Which terms, with their price and their sum.
pub(super) const fn packed_terms(terms: &Terms) -> (i64, u64, u64) {
    match *terms {
        Terms::Limit(price) => (0, price.ticks(), 0),
        Terms::Budget { ticks_lots, worst } => (1, worst.ticks(), ticks_lots),
        Terms::WholeFor { ticks_lots } => (2, 0, ticks_lots),
    }
}

const fn terms_from(code: i64, price: u64, ticks_lots: u64) -> Terms {
    match code {
        0 => Terms::Limit(Price::new(price)),
        1 => Terms::Budget { ticks_lots, worst: Price::new(price) },
        _ => Terms::WholeFor { ticks_lots },
    }
}

fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get(at).map(unpacked)
}

fn maybe(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(unpacked))
}

fn wide<T: std::str::FromStr>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    row.get::<_, String>(at)?.parse().map_err(|_| rusqlite::Error::InvalidQuery)
}

pub(super) fn order_in(row: &Row<'_>) -> rusqlite::Result<OrderRow> {
    Ok(OrderRow {
        rank: number(row, 0)?,
        market: MarketNumber::new(row.get(1)?),
        id: OrderId::from_number(number(row, 2)?),
        customer: CustomerId::new(id_of(row.get(3)?)),
        side: side_from(row.get(4)?),
        terms: terms_from(row.get(5)?, number(row, 6)?, number(row, 7)?),
        in_force: in_force_from(row.get(8)?),
        quantity: Quantity::new(number(row, 9)?),
        shown: Quantity::new(number(row, 10)?),
        trigger: maybe(row, 11)?.map(Price::new),
        until: maybe(row, 12)?.map(Timestamp::from_ms),
        client: number(row, 13)?,
        parent: row.get::<_, Option<u32>>(14)?.map(ParentNumber::new),
        filled: Quantity::new(number(row, 15)?),
        filled_quote: wide(row, 16)?,
        fee: wide(row, 17)?,
        left: Quantity::new(number(row, 18)?),
        standing: OrderStanding::from_code(row.get(19)?),
        placed_at: Timestamp::from_ms(number(row, 20)?),
        ended_at: maybe(row, 21)?.map(Timestamp::from_ms),
    })
}

fn fill_in(row: &Row<'_>) -> rusqlite::Result<FillRow> {
    Ok(FillRow {
        rank: number(row, 0)?,
        market: MarketNumber::new(row.get(1)?),
        order: OrderId::from_number(number(row, 2)?),
        trade: number(row, 3)?,
        at: Timestamp::from_ms(number(row, 4)?),
        side: side_from(row.get(5)?),
        role: Role::from_code(row.get(6)?),
        price: Price::new(number(row, 7)?),
        quantity: Quantity::new(number(row, 8)?),
        fee: wide(row, 9)?,
        movement_base: MovementId::new(id_of(row.get(10)?)),
        movement_quote: MovementId::new(id_of(row.get(11)?)),
    })
}

pub(super) fn candle_in(row: &Row<'_>) -> rusqlite::Result<CandleRow> {
    let price = |at| number(row, at).map(Price::new);
    Ok(CandleRow {
        start: Timestamp::from_ms(number(row, 0)?),
        open: price(1)?,
        high: price(2)?,
        low: price(3)?,
        close: price(4)?,
        lots: number(row, 5)?,
        ticks_lots: wide(row, 6)?,
        trades: number(row, 7)?,
    })
}

fn bound(before: Option<u64>) -> i64 {
    before.map_or(i64::MAX, |rank| i64::try_from(rank).unwrap_or(i64::MAX))
}

fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A customer's orders, newest first.
pub(crate) fn orders(
    connection: &Connection,
    customer: CustomerId,
    query: &MarketQuery,
) -> Result<Vec<OrderRow>, ProjectionError> {
    let which = match query.is_open {
        Some(true) => "standing < 2",
        Some(false) => "standing >= 2",
        None => "TRUE",
    };
    let sql = format!(
        "SELECT {ORDER} FROM orders WHERE customer = ?1 AND rank < ?2 AND {which} AND (?3 IS NULL OR market = ?3)
         ORDER BY rank DESC LIMIT ?4"
    );
    let market = query.market.map(MarketNumber::number);
    let values = (customer.value().to_be_bytes(), bound(query.before), market, most(query.limit));
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map(values, order_in)?.collect::<Result<_, _>>()?)
}

/// The customer's orders that a journal entry placed, and their fills in it.
pub(crate) fn orders_by_entry(
    connection: &Connection,
    customer: CustomerId,
    seq: u64,
) -> Result<(Vec<OrderRow>, Vec<FillRow>), ProjectionError> {
    let key = (customer.value().to_be_bytes(), packed(seq));
    let sql = format!("SELECT {ORDER} FROM orders WHERE customer = ?1 AND seq = ?2 ORDER BY rank");
    let orders: Vec<OrderRow> =
        connection.prepare_cached(&sql)?.query_map(key, order_in)?.collect::<Result<_, _>>()?;
    let sql = format!("SELECT {FILL} FROM fills WHERE customer = ?1 AND seq = ?2 ORDER BY rank");
    let mut fills: Vec<FillRow> =
        connection.prepare_cached(&sql)?.query_map(key, fill_in)?.collect::<Result<_, _>>()?;
    fills.retain(|fill| orders.iter().any(|order| (order.market, order.id) == (fill.market, fill.order)));
    Ok((orders, fills))
}

/// The newest orders of all customers in a market, newest first.
pub(crate) fn orders_in(
    connection: &Connection,
    market: MarketNumber,
    limit: usize,
) -> Result<Vec<OrderRow>, ProjectionError> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE market = ?1 ORDER BY rank DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map((market.number(), most(limit)), order_in)?.collect::<Result<_, _>>()?)
}

/// One order of a customer.
pub(crate) fn order(
    connection: &Connection,
    customer: CustomerId,
    market: MarketNumber,
    id: OrderId,
) -> Result<Option<OrderRow>, ProjectionError> {
    let sql = format!("SELECT {ORDER} FROM orders WHERE customer = ?1 AND market = ?2 AND id = ?3");
    let key = (customer.value().to_be_bytes(), market.number(), packed(id.number()));
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map(key, order_in)?.next().transpose()?)
}

/// A customer's fills, newest first.
pub(crate) fn fills(
    connection: &Connection,
    customer: CustomerId,
    query: &MarketQuery,
) -> Result<Vec<FillRow>, ProjectionError> {
    let sql = format!(
        "SELECT {FILL} FROM fills WHERE customer = ?1 AND rank < ?2 AND (?3 IS NULL OR market = ?3) ORDER BY rank DESC LIMIT ?4"
    );
    let market = query.market.map(MarketNumber::number);
    let values = (customer.value().to_be_bytes(), bound(query.before), market, most(query.limit));
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_map(values, fill_in)?.collect::<Result<_, _>>()?)
}

/// The trades of a market before a number, newest first.
pub(crate) fn trades(
    connection: &Connection,
    market: MarketNumber,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<TradeRow>, ProjectionError> {
    let sql = "SELECT number, at, price, quantity, taker, buyer, seller FROM trades
               WHERE market = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let values = (market.number(), bound(before), most(limit));
    let rows = statement.query_map(values, |row| {
        Ok(TradeRow {
            number: number(row, 0)?,
            at: Timestamp::from_ms(number(row, 1)?),
            price: Price::new(number(row, 2)?),
            quantity: Quantity::new(number(row, 3)?),
            taker: TradeSide::from_code(row.get(4)?),
            buyer: row.get(5)?,
            seller: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The candles of so many minutes that begin in a span of time, oldest first: made of those of a minute.
pub(crate) fn candles(
    connection: &Connection,
    market: MarketNumber,
    minutes: u64,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<CandleRow>, ProjectionError> {
    let span_ms = minutes.max(1).saturating_mul(super::state::CANDLE_MS);
    let start_of = |at: Timestamp| at.minus_ms(at.ms().checked_rem(span_ms).unwrap_or(0));
    let sql = format!(
        "SELECT {CANDLE} FROM candles WHERE market = ?1 AND start >= ?2 AND start < ?3 ORDER BY start"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let span = (market.number(), packed(start_of(from).ms()), packed(until.ms()));
    let mut candles: Vec<CandleRow> = Vec::new();
    for minute in statement.query_map(span, candle_in)? {
        let minute = minute?;
        let start = start_of(minute.start);
        match candles.last_mut().filter(|candle| candle.start == start) {
            Some(candle) => {
                candle.high = candle.high.max(minute.high);
                candle.low = candle.low.min(minute.low);
                candle.close = minute.close;
                candle.lots = candle.lots.saturating_add(minute.lots);
                candle.ticks_lots = candle.ticks_lots.saturating_add(minute.ticks_lots);
                candle.trades = candle.trades.saturating_add(minute.trades);
            }
            None => candles.push(CandleRow { start, ..minute }),
        }
    }
    Ok(candles)
}
