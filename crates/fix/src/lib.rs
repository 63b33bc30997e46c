//! FIX 4.4: order entry and market data for clients that speak it, over any venue.
//!
//! Four layers, each of which knows only those above it in this list. [`codec`]: messages as bytes. [`session`]: numbers, gaps, heartbeats, as a state
//! machine without input and output. [`desk`]: what the messages of orders and market data mean to a [`venue::Venue`]. [`server`]: sockets, threads and
//! timers around the three.
//!
//! **Invariants.** No order is lost or placed twice: a message counts as received once the venue has answered for it, what comes again is known by its
//! ClOrdID. An execution is reported at least once, a repeat under the same ExecID. Whoever reads slowly is given the latest book, never a longer queue.
//! An order's instruction that is not served is refused, never passed over.
//!
//! It knows no market, account or money of the bank; it encrypts nothing, so it listens where only those can reach it who may.

pub mod codec;
pub mod desk;
pub mod dictionary;
pub mod server;
pub mod session;
pub mod store;
mod time;
pub mod venue;

pub use time::UtcTime;
