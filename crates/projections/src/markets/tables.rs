//! Tables of markets. Numbers of 64 bits are kept as SQLite's integers with the same bits, wider ones as decimal text.

/// What is made in an empty file.
pub(crate) const TABLES: &str = "
CREATE TABLE markets (
  number INTEGER PRIMARY KEY, base TEXT NOT NULL, base_scale INTEGER NOT NULL, quote TEXT NOT NULL, quote_scale INTEGER NOT NULL,
  lot INTEGER NOT NULL, tick INTEGER NOT NULL, trades INTEGER NOT NULL
);
CREATE TABLE market_seats (
  market INTEGER NOT NULL, seat INTEGER NOT NULL, customer BLOB NOT NULL, base BLOB NOT NULL, quote BLOB NOT NULL, PRIMARY KEY (market, seat)
) WITHOUT ROWID;
CREATE TABLE orders (
  rank INTEGER PRIMARY KEY, market INTEGER NOT NULL, id INTEGER NOT NULL, customer BLOB NOT NULL, seq INTEGER NOT NULL, side INTEGER NOT NULL,
  terms INTEGER NOT NULL, price INTEGER NOT NULL, sum INTEGER NOT NULL, in_force INTEGER NOT NULL, quantity INTEGER NOT NULL, shown INTEGER NOT NULL,
  trigger_at INTEGER, until INTEGER, client INTEGER NOT NULL, parent INTEGER, filled INTEGER NOT NULL, filled_quote TEXT NOT NULL, fee TEXT NOT NULL,
  left_over INTEGER NOT NULL, standing INTEGER NOT NULL, placed_at INTEGER NOT NULL, ended_at INTEGER
);
CREATE INDEX orders_of ON orders (customer, rank);
CREATE INDEX orders_open ON orders (customer, rank) WHERE standing < 2;
CREATE TABLE fills (
  rank INTEGER PRIMARY KEY, market INTEGER NOT NULL, id INTEGER NOT NULL, customer BLOB NOT NULL, seq INTEGER NOT NULL, trade INTEGER NOT NULL,
  at INTEGER NOT NULL, side INTEGER NOT NULL, role INTEGER NOT NULL, price INTEGER NOT NULL, quantity INTEGER NOT NULL, fee TEXT NOT NULL,
  movement_base BLOB NOT NULL, movement_quote BLOB NOT NULL
);
CREATE INDEX fills_of ON fills (customer, rank);
CREATE TABLE offers (id BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE conversions (
  rank INTEGER PRIMARY KEY, id BLOB NOT NULL, customer BLOB NOT NULL, at INTEGER NOT NULL, entry BLOB NOT NULL, bytes BLOB NOT NULL
);
CREATE INDEX conversions_of ON conversions (customer, rank);
CREATE TABLE trades (
  market INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, price INTEGER NOT NULL, quantity INTEGER NOT NULL, taker INTEGER NOT NULL,
  buyer INTEGER NOT NULL, seller INTEGER NOT NULL, PRIMARY KEY (market, number)
) WITHOUT ROWID;
CREATE TABLE candles (
  market INTEGER NOT NULL, start INTEGER NOT NULL, open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, close INTEGER NOT NULL,
  lots INTEGER NOT NULL, ticks_lots TEXT NOT NULL, trades INTEGER NOT NULL, PRIMARY KEY (market, start)
) WITHOUT ROWID;
";

/// The integer with the same bits.
pub(crate) const fn packed(value: u64) -> i64 {
    value.cast_signed()
}

/// The number with the same bits.
pub(crate) const fn unpacked(value: i64) -> u64 {
    value.cast_unsigned()
}
