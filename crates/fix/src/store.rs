//! What a session keeps between connections: its two next numbers, the latest messages it has sent, and how far executions are reported.
//!
//! **Invariants.** The next number to send never goes back, but by a reset that both sides know of. The next number expected may be lower than the truth
//! after a fault: then the peer is asked to send again, which is harmless. At most [`KEPT_MAX`] messages are kept; older ones become a gap fill.

mod file;

use std::collections::BTreeMap;

use crate::codec::Body;
use crate::time::UtcTime;
use crate::venue::Position;

pub use file::FileStore;

/// Messages that can be sent again as they were: some minutes of a busy client. What an older report said can be asked for by a mass status request.
pub const KEPT_MAX: usize = 10_000;

/// A message that was sent and can be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When it was sent first.
    pub at: UtcTime,
    /// Its type and fields.
    pub body: Body,
}

/// The world failed below a session.
#[derive(Debug, thiserror::Error)]
#[error("store of the session: {0}")]
pub struct StoreFault(#[from] pub std::io::Error);

/// Where a session keeps what must outlive a connection.
pub trait Store: Send {
    /// The number that the next message of ours has.
    fn next_out(&self) -> u64;

    /// The number that the next message of the peer's must have.
    fn next_in(&self) -> u64;

    /// How far executions were reported; none if none ever was.
    fn position(&self) -> Option<Position>;

    /// A message with the next number goes out; `kept` is what it said, if it may be sent again. Called before it is sent.
    ///
    /// # Errors
    /// The world failed.
    fn sent(&mut self, kept: Option<&Sent>) -> Result<(), StoreFault>;

    /// Moves the number that is expected.
    ///
    /// # Errors
    /// The world failed.
    fn expect(&mut self, next_in: u64) -> Result<(), StoreFault>;

    /// Executions up to here were reported.
    ///
    /// # Errors
    /// The world failed.
    fn reported(&mut self, position: Position) -> Result<(), StoreFault>;

    /// Both numbers begin again at 1. The position stays.
    ///
    /// # Errors
    /// The world failed.
    fn reset(&mut self) -> Result<(), StoreFault>;

    /// The first message with this or a later number that is kept.
    fn kept_from(&self, seq: u64) -> Option<(u64, &Sent)>;
}

/// A store in memory: what a file holds once it is read, and enough for a session that ends with its process.
#[derive(Debug)]
pub struct MemoryStore {
    next_out: u64,
    next_in: u64,
    position: Option<Position>,
    kept: BTreeMap<u64, Sent>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self { next_out: 1, next_in: 1, position: None, kept: BTreeMap::new() }
    }
}

impl MemoryStore {
    fn note_sent(&mut self, seq: u64, kept: Option<Sent>) {
        if let Some(sent) = kept {
            self.kept.insert(seq, sent);
            if self.kept.len() > KEPT_MAX {
                self.kept.pop_first();
            }
        }
        self.next_out = seq.saturating_add(1);
    }
}

impl Store for MemoryStore {
    fn next_out(&self) -> u64 {
        self.next_out
    }

    fn next_in(&self) -> u64 {
        self.next_in
    }

    fn position(&self) -> Option<Position> {
        self.position
    }

    fn sent(&mut self, kept: Option<&Sent>) -> Result<(), StoreFault> {
        self.note_sent(self.next_out, kept.cloned());
        Ok(())
    }

    fn expect(&mut self, next_in: u64) -> Result<(), StoreFault> {
        self.next_in = next_in;
        Ok(())
    }

    fn reported(&mut self, position: Position) -> Result<(), StoreFault> {
        self.position = Some(position);
        Ok(())
    }

    fn reset(&mut self) -> Result<(), StoreFault> {
        *self = Self { position: self.position, ..Self::default() };
        Ok(())
    }

    fn kept_from(&self, seq: u64) -> Option<(u64, &Sent)> {
        self.kept.range(seq..).next().map(|(seq, sent)| (*seq, sent))
    }
}

#[cfg(test)]
mod tests;
