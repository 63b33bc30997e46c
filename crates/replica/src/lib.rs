//! The journal that several nodes share, in PostgreSQL.
//!
//! [`PostgresStream`] is a [`journal::Stream`]: rows of records under the primary key (stream, number of the first record), and one row for the
//! stream itself with its head, its epoch and its lead. One statement checks epoch and head, moves the head and inserts the rows; its
//! commit returns when the server's synchronous quorum has it. The tables are in `schema.rs`.
//!
//! **Invariants.** A statement of an earlier epoch changes nothing. A commit that the server confirmed with a warning, or not at all, is
//! reported as in doubt, never as done. A server whose settings would lose what it confirms is not used.
//!
//! What it does not do: it makes no decision about who leads, keeps no copy, encrypts nothing on the way (servers are reached over loopback
//! or a private network), and leaves replication and failover of the database to the operator's own tools.

mod connection;
mod schema;
mod stream;

use std::fmt;
use std::time::Duration;

pub use stream::PostgresStream;

/// How a stream is reached.
#[derive(Clone)]
pub struct Config {
    /// Every server of the database's cluster, as `host:port`. The one that may be written to is found by asking.
    pub servers: Vec<String>,
    /// Name of the database.
    pub database: String,
    /// Role to log in as.
    pub user: String,
    /// Its password, where the server asks for one.
    pub password: Option<String>,
    /// Name of the stream.
    pub stream: String,
    /// Name of this node.
    pub node: String,
    /// A commit must be on another server too before it counts.
    pub quorum: bool,
    /// Make the tables and the stream where they are missing. Not for a node that has a copy already.
    pub may_create: bool,
    /// Longest wait for one answer; after it the server is given up and the next one is asked.
    pub patience: Duration,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Config");
        shown.field("servers", &self.servers).field("database", &self.database).field("user", &self.user);
        shown.field("stream", &self.stream).field("node", &self.node).field("quorum", &self.quorum);
        shown.finish_non_exhaustive()
    }
}
