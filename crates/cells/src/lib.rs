//! Cells: a bank in several streams, and money between two of them.
//!
//! A cell is one stream (one journal) and its state; an account has its home in one cell. Between cells money moves by a transfer in two steps,
//! whose halves are commands in both streams: the sending cell places a hold and keeps the transfer as outstanding; the receiving cell credits
//! the account, or declines for ever; the sending cell hears which, and settles or releases its hold. On both sides the other leg is on
//! a transit account between the two cells, so each cell's books balance at every moment.
//!
//! **Invariants.** A transfer that is outstanding has its hold open. An id is received once: a repeat is answered as before, with another body
//! it is refused. What was declined is never received later, so the sender may take its money back. A hold ends only by the other cell's
//! answer, never by time. The balance of a transit account is what was received less what was sent.
//!
//! It does not ask the other cell: the shell does, at least once, for as long as the transfer is outstanding. It knows no customers and no rails.

mod apply;
mod command;
mod decide;
mod event;
mod state;

pub use command::{CellNumber, Command, DeclineReason, Incoming, NewTransfer, Outcome, Place};
pub use decide::{Decision, Refusal};
pub use event::Event;
pub use state::{Cells, Fingerprint, Flow, Outgoing, Peer};

#[cfg(test)]
mod tests;
