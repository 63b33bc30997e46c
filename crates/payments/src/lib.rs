//! Payments: deposits, transfers inside the bank, withdrawals over a rail, their undo windows, routing, fees and use of limits.
//!
//! It owns the state of every payment and no balance: each decision carries the ledger change that goes with it, the effects for
//! the world, what to tally for settlement and what an operator has to look at. The bank routes those, forward only.
//!
//! **Invariants.** A withdrawal's hold lives exactly as long as its money is ours to give back. A message from a rail is taken once
//! per (sender, message id). A payment that has ended never moves again, except that a confirmed one may be returned.
//! What the rail confirms after we gave the money back is not lost: it is booked against suspense, with a case.
//!
//! **Order of refusals** for a payment: shape → known id → account and owner → lock and expiry → route → fee → payee → limits →
//! passkey; funds come last, from the ledger.

mod apply;
mod command;
mod decide;
mod event;
mod inbound;
mod intent;
mod outbound;
mod rail;
mod refusal;
mod state;
mod words;

pub use command::{Answer, Command, EffectResult, MessageKey, RailNotice, Settlement};
pub use decide::{Beneficiary, CaseRequest, Context, Decision, Payer, Tally};
pub use event::{Effect, Event};
pub use intent::Intent;
pub use rail::{FeeRule, Rail, RailRow, RailState, RailStatus, Route};
pub use refusal::Refusal;
pub use state::{Books, DepositOf, Kind, Owner, Payment, PaymentState, Payments, Profile, Usage};
pub use words::{AccountNumber, BankNumber, Counterparty, MessageId, Note, PartyName, WordError};
