//! The ledger: accounts, balanced entries, holds, and balances as of any time on two axes. The only owner of balances.
//!
//! It is a pure state machine: [`Ledger::decide`] reads and answers with events or a [`Refusal`]; [`Ledger::apply`] writes and
//! cannot fail. It knows no customers, rails or payments: a caller ties an entry to its own object by a reference and a memo.
//!
//! **Invariants.** Debits equal credits per asset in every entry and so over all accounts. An account of a guarded kind never has
//! `posted < held`, so `available = posted − held` is never below zero. Every hold ends exactly once, settled or released. An
//! entry is never changed: it is reversed by a new one. The same id with the same body is recognised, with another it is refused.
//!
//! **Order of refusals** (part of the interface): shape of the change (legs, assets, sizes, times) → known ids → accounts exist and
//! are open → assets match → holds exist → funds.

mod apply;
mod as_of;
mod batch;
mod books;
mod chart;
mod command;
mod decide;
mod event;
mod history;
mod monitor;
mod refusal;
mod reserve;
mod row;
mod state;
mod tenant;

pub use as_of::{AsOf, Axis};
pub use batch::{BatchOutcome, Found, RowFound, RowRefused, Step};
pub use chart::{AccountKind, Side};
pub use command::{
    Change, Command, Entry, HoldEnd, HoldOutcome, JournalMark, LEGS_MAX, Leg, Memo, NewHold, Sizing,
    Threshold, Transfer,
};
pub use decide::RECHECK_MAX;
pub use event::Event;
pub use history::chunk::{ColdHistory, HistoryChunk, HistoryFault};
pub use history::{CHUNK_ENTRIES, Forgotten};
pub use monitor::{MONITORS_MAX, Monitor, Notice};
pub use refusal::{Reason, Refusal};
pub use reserve::{Position, Trade, TradeLeg};
pub use row::{Batch, ROW_BYTES_MAX, Row, RowError};
pub use state::{Account, Balance, Hold, Ledger, PostedEntry, Seal};
pub use tenant::Tenant;

#[cfg(test)]
mod tests;
