//! Tables. Amounts are decimal text, because they may be wider than SQLite's integers; ids are their 16 bytes.

use rusqlite::Connection;

use crate::ProjectionError;

/// Grows with every change of the tables or of what is put in them; a file of another version is made again.
const VERSION: i64 = 6;

/// Most memory for pages of the writer: the ends of every table and index, which is what it touches, with room to spare.
const CACHE_KIB: i64 = 32 * 1024;
/// Pages of the write-ahead log after which they are moved into the file: the same pages change again and again, so moving them seldom
/// moves each of them less often. Sixteen megabytes of them.
const CHECKPOINT_PAGES: i64 = 4_096;

const TABLES: &str = "
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL, recorded_at INTEGER NOT NULL);
CREATE TABLE profile (id INTEGER PRIMARY KEY CHECK (id = 1), bank TEXT NOT NULL);
CREATE TABLE customers (id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE accounts (
  id BLOB PRIMARY KEY, customer BLOB NOT NULL, number TEXT NOT NULL, asset TEXT NOT NULL, scale INTEGER NOT NULL, balance TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE payments (
  id BLOB PRIMARY KEY, customer BLOB, account BLOB, kind INTEGER NOT NULL, is_open INTEGER NOT NULL, created_at INTEGER NOT NULL,
  name TEXT NOT NULL, number TEXT NOT NULL, bank TEXT NOT NULL, fee TEXT NOT NULL, note TEXT NOT NULL, rail TEXT NOT NULL,
  steps BLOB NOT NULL, leaves BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX payments_of ON payments (customer, created_at);
CREATE TABLE movements (
  leaf INTEGER PRIMARY KEY, id BLOB NOT NULL, seq INTEGER NOT NULL, account BLOB NOT NULL, customer BLOB NOT NULL, payment BLOB,
  kind INTEGER NOT NULL, is_in INTEGER NOT NULL, amount TEXT NOT NULL, fee TEXT NOT NULL, balance TEXT NOT NULL,
  name TEXT NOT NULL, number TEXT NOT NULL, bank TEXT NOT NULL, note TEXT NOT NULL,
  recorded_at INTEGER NOT NULL, effective_at INTEGER NOT NULL, hash BLOB NOT NULL
);
CREATE TABLE movement_ids (id BLOB PRIMARY KEY, leaf INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX movements_of ON movements (account, leaf);
CREATE TABLE feed (customer BLOB NOT NULL, seq INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (customer, seq)) WITHOUT ROWID;
CREATE TABLE open_rounds (rail TEXT NOT NULL, date INTEGER NOT NULL, round INTEGER NOT NULL, payment BLOB NOT NULL, PRIMARY KEY (rail, date, round, payment)) WITHOUT ROWID;
CREATE TABLE sessions (id BLOB PRIMARY KEY, customer BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, note TEXT NOT NULL);
INSERT INTO meta VALUES (1, 0, x'', 0);
";

/// Settings of every connection: readers beside one writer, durable enough for what can be made again.
pub(crate) fn configure(connection: &Connection) -> Result<(), ProjectionError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A negative size counts kibibytes.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Makes the tables in an empty file; answers whether the file can be used as it is.
pub(crate) fn prepare(connection: &Connection) -> Result<bool, ProjectionError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == VERSION {
        return Ok(true);
    }
    if version != 0 {
        return Ok(false);
    }
    connection.execute_batch(TABLES)?;
    connection.execute_batch(crate::markets::TABLES)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(true)
}
