//! What has to be known of markets while the journal is followed, in memory: their steps, customers' seats and open orders, and the candle that grows.
//!
//! It is filled from the tables when they are opened; orders and candles that changed are written back once for each transaction.

use std::collections::{BTreeMap, HashMap};

use exchange::market::ParentNumber;
use exchange::{Label, MarketNumber, OrderId, Price, Quantity, Seat, Steps};
use foldhash::fast::RandomState;
use money::{AccountId, Asset, CustomerId, Timestamp};
use rusqlite::{Connection, params};

use super::query::{CANDLE, ORDER, candle_in, order_in};
use super::tables::{packed, unpacked};
use super::{CandleRow, OrderRow};
use crate::ProjectionError;
use crate::movements::id_of;

type Map<K, V> = HashMap<K, V, RandomState>;

/// From so many orders on that changed they are written within a transaction, so that what waits stays small.
const TOUCHED_MAX: usize = 16_384;
/// How long a candle is.
pub(crate) const CANDLE_MS: u64 = 60_000;

/// A market.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) steps: Steps,
    /// How many trades there have been.
    pub(crate) trades: u64,
    /// What is to be known of the order that comes in next.
    pub(crate) label: Label,
    candle: Option<CandleRow>,
    is_changed: bool,
}

/// A customer's seat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeatOf {
    pub(crate) customer: CustomerId,
    pub(crate) base: AccountId,
    pub(crate) quote: AccountId,
}

/// An order with the journal entry that placed it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) seq: u64,
    pub(crate) row: OrderRow,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Markets {
    known: BTreeMap<MarketNumber, Known>,
    seats: Map<(u32, Seat), SeatOf>,
    open: Map<(u32, OrderId), Placed>,
    touched: BTreeMap<u64, Placed>,
    orders: u64,
    pub(crate) fills: u64,
}

impl Markets {
    /// Reads the tables.
    pub(crate) fn load(connection: &Connection) -> Result<Self, ProjectionError> {
        let mut markets = Self::default();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(unpacked);
        markets.orders = count("SELECT COALESCE(MAX(rank), 0) FROM orders")?;
        markets.fills = count("SELECT COALESCE(MAX(rank), 0) FROM fills")?;
        let sql = "SELECT number, base, base_scale, quote, quote_scale, lot, tick, trades FROM markets";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let asset = |code: usize, scale: usize| -> rusqlite::Result<Asset> {
                let asset = Asset::new(&row.get::<_, String>(code)?, row.get(scale)?);
                asset.map_err(|_| rusqlite::Error::InvalidQuery)
            };
            let (lot, tick) = (unpacked(row.get(5)?), unpacked(row.get(6)?));
            let steps = Steps::new(asset(1, 2)?, asset(3, 4)?, lot, tick);
            markets.open_market(MarketNumber::new(row.get(0)?), steps, unpacked(row.get(7)?));
        }
        let mut statement =
            connection.prepare("SELECT market, seat, customer, base, quote FROM market_seats")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seat = SeatOf {
                customer: CustomerId::new(id_of(row.get(2)?)),
                base: AccountId::new(id_of(row.get(3)?)),
                quote: AccountId::new(id_of(row.get(4)?)),
            };
            markets.seats.insert((row.get(0)?, Seat::new(row.get(1)?)), seat);
        }
        let mut statement =
            connection.prepare(&format!("SELECT {ORDER}, seq FROM orders WHERE standing < 2"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let placed = Placed { seq: unpacked(row.get("seq")?), row: order_in(row)? };
            markets.open.insert((placed.row.market.number(), placed.row.id), placed);
        }
        for (number, known) in &mut markets.known {
            let sql = format!("SELECT {CANDLE} FROM candles WHERE market = ?1 ORDER BY start DESC LIMIT 1");
            let mut statement = connection.prepare_cached(&sql)?;
            known.candle = statement.query_map([number.number()], candle_in)?.next().transpose()?;
        }
        Ok(markets)
    }

    pub(crate) fn open_market(&mut self, number: MarketNumber, steps: Steps, trades: u64) {
        let label = Label::default();
        self.known.insert(number, Known { steps, trades, label, candle: None, is_changed: false });
    }

    pub(crate) fn known(&mut self, number: MarketNumber) -> Option<&mut Known> {
        self.known.get_mut(&number)
    }

    pub(crate) fn take_seat(&mut self, market: MarketNumber, seat: Seat, of: SeatOf) {
        self.seats.insert((market.number(), seat), of);
    }

    pub(crate) fn seat(&self, market: MarketNumber, seat: Seat) -> Option<SeatOf> {
        self.seats.get(&(market.number(), seat)).copied()
    }

    /// Keeps a new order of a customer.
    pub(crate) fn enter(&mut self, seq: u64, mut row: OrderRow) {
        self.orders = self.orders.saturating_add(1);
        row.rank = self.orders;
        let placed = Placed { seq, row };
        self.open.insert((row.market.number(), row.id), placed);
        self.touched.insert(row.rank, placed);
    }

    /// Changes an open order of a customer; answers with whose it is.
    pub(crate) fn change(
        &mut self,
        market: MarketNumber,
        id: OrderId,
        change: impl FnOnce(&mut OrderRow),
    ) -> Option<CustomerId> {
        let placed = self.open.get_mut(&(market.number(), id))?;
        change(&mut placed.row);
        let placed = *placed;
        self.touched.insert(placed.row.rank, placed);
        if placed.row.standing.has_ended() {
            self.open.remove(&(market.number(), id));
        }
        Some(placed.row.customer)
    }

    /// Writes what changed, where that is much already.
    pub(crate) fn relieve(&mut self, connection: &Connection) -> Result<(), ProjectionError> {
        if self.touched.len() >= TOUCHED_MAX { self.write_orders(connection) } else { Ok(()) }
    }

    /// Writes what changed since the last time.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), ProjectionError> {
        self.write_orders(connection)?;
        for (number, known) in &mut self.known {
            if !std::mem::replace(&mut known.is_changed, false) {
                continue;
            }
            known.write_candle(*number, connection)?;
            let sql = "UPDATE markets SET trades = ?2 WHERE number = ?1";
            connection.prepare_cached(sql)?.execute((number.number(), packed(known.trades)))?;
        }
        Ok(())
    }

    fn write_orders(&mut self, connection: &Connection) -> Result<(), ProjectionError> {
        let sql = "INSERT OR REPLACE INTO orders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";
        let mut statement = connection.prepare_cached(sql)?;
        for Placed { seq, row } in std::mem::take(&mut self.touched).into_values() {
            let (terms, price, sum) = super::query::packed_terms(&row.terms);
            statement.execute(params![
                packed(row.rank),
                row.market.number(),
                packed(row.id.number()),
                row.customer.value().to_be_bytes(),
                packed(seq),
                super::query::side_code(row.side),
                terms,
                packed(price),
                packed(sum),
                super::query::in_force_code(row.in_force),
                packed(row.quantity.lots()),
                packed(row.shown.lots()),
                row.trigger.map(|price| packed(price.ticks())),
                row.until.map(|at| packed(at.ms())),
                packed(row.client),
                row.parent.map(ParentNumber::number),
                packed(row.filled.lots()),
                row.filled_quote.to_string(),
                row.fee.to_string(),
                packed(row.left.lots()),
                row.standing.code(),
                packed(row.placed_at.ms()),
                row.ended_at.map(|at| packed(at.ms())),
            ])?;
        }
        Ok(())
    }
}

impl Known {
    /// Counts a trade; answers with its number.
    pub(crate) fn trade(
        &mut self,
        market: MarketNumber,
        at: Timestamp,
        price: Price,
        quantity: Quantity,
        connection: &Connection,
    ) -> Result<u64, ProjectionError> {
        self.trades = self.trades.saturating_add(1);
        let into = at.ms().checked_rem(CANDLE_MS).unwrap_or(0);
        let start = at.minus_ms(into);
        if self.candle.is_some_and(|candle| candle.start != start) {
            self.write_candle(market, connection)?;
            self.candle = None;
        }
        self.is_changed = true;
        let candle = self.candle.get_or_insert(CandleRow {
            start,
            open: price,
            high: price,
            low: price,
            close: price,
            lots: 0,
            ticks_lots: 0,
            trades: 0,
        });
        let ticks_lots = u128::from(price.ticks()).saturating_mul(u128::from(quantity.lots()));
        candle.high = candle.high.max(price);
        candle.low = candle.low.min(price);
        candle.close = price;
        candle.lots = candle.lots.saturating_add(quantity.lots());
        candle.ticks_lots = candle.ticks_lots.saturating_add(ticks_lots);
        candle.trades = candle.trades.saturating_add(1);
        Ok(self.trades)
    }

    fn write_candle(&self, market: MarketNumber, connection: &Connection) -> Result<(), ProjectionError> {
        let Some(candle) = &self.candle else { return Ok(()) };
        let sql = "INSERT OR REPLACE INTO candles VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        connection.prepare_cached(sql)?.execute(params![
            market.number(),
            packed(candle.start.ms()),
            packed(candle.open.ticks()),
            packed(candle.high.ticks()),
            packed(candle.low.ticks()),
            packed(candle.close.ticks()),
            packed(candle.lots),
            candle.ticks_lots.to_string(),
            packed(candle.trades),
        ])?;
        Ok(())
    }
}
