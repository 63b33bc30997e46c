//! Settlement: rounds of the clearing rails, their money at the central bank, totals at the end of the day, and cases for operators.
//!
//! Every confirmed payment is counted once (a tally). A rail's notices are compared with the count; what differs becomes a case and is
//! never adjusted away. The centre's settlement is a fact and is booked as it was told.
//!
//! **Invariants.** A round settles once. A day is reconciled by comparing every round that either side knows, once all
//! parts of its totals have come. A case stays open until
//! an operator says what was done.

mod apply;
mod command;
mod decide;
mod event;
mod state;

pub use command::{CaseKind, Command, Flow, NetPosition, NewCase, Notice, Page, RailName, TotalRow};
pub use decide::{Decision, Refusal, SettlementAccounts};
pub use event::{Break, Event};
pub use state::{Case, DayResult, Round, RoundKey, SettlementBook};
