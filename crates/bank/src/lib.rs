//! The bank: the machines composed into one state machine with one way in and one way out.
//!
//! A [`Submission`] is checked for its signatures outside the core ([`admit`]), then [`Bank::decide`] reads the state and answers with
//! the events of every machine concerned, or a [`Refusal`]; [`Bank::apply`] writes and cannot fail. What the journal keeps of
//! it is a [`JournalEntry`]: the command and its outcome.
//!
//! **The pipeline**, forward only: idempotency → authority (`identity`) → the owning machine → effects → settlement's count and
//! cases → ledger. Earlier answers travel on as values; no machine knows another.
//!
//! **Invariants.** Nothing here reads a clock, a file or a random source. A refused command changes nothing. Every effect stays in the
//! state until its result is reported. Replaying the journal gives the same state, byte for byte ([`Bank::state_hash`]).

mod admit;
mod apply;
mod cells_turn;
mod command;
mod compose;
mod decide;
mod event;
mod exchange_turn;
mod invariants;
mod recent;
mod refusal;
mod snapshot;
mod state;
mod take;

pub use admit::{Admitted, RelyingParty, admit};
pub use command::{BodyHash, Command, Submission};
pub use event::{Event, JournalEntry};
pub use exchange::Taken as MarketsTaken;
pub use ledger::{CHUNK_ENTRIES, ColdHistory, Forgotten, HistoryChunk};
pub use recent::{RECENT_COMMANDS_MAX, Seen};
pub use refusal::Refusal;
pub use snapshot::{SnapshotError, StateHash};
pub use state::{Bank, Outstanding};
pub use take::{RowsTaken, Turn};

#[cfg(test)]
mod tests;
