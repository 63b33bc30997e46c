//! The exchange: order books between two assets, pools, and firm quotes to convert one asset into another.
//!
//! A *market* is a book of orders in whole lots of its base asset at prices in whole ticks of its quote asset. One lot at one tick is a whole number of
//! minor units of the quote asset, so that what a fill costs needs no rounding. Fees do, and say which way.
//!
//! **Invariants.** A book at rest is never crossed. At one price, who came first is filled first. What is reserved on the ledger for an order is what it
//! can still need. An order never fills against an order of its own group. Base and quote that change hands are posted as balanced entries of the ledger.
//!
//! It keeps no balance and knows no customers: an order belongs to a *seat*, which names two accounts of the ledger.

pub mod book;
mod command;
mod dated;
mod dealing;
mod event;
mod exchange;
pub mod market;
mod on_ledger;
pub mod pool;
pub mod price;
pub mod quote;
mod rate;
mod refusal;
pub mod route;
pub mod row;
mod steps;
mod trade;
mod units;
mod wide;

pub use command::{Command, MarketChange, NewParent, OperatorName, Plan};
pub use dated::{Dated, DatedRow};
pub use dealing::{Dealing, Inventory, PoolRow, PriceRequest};
pub use event::{Event, FillSum, Label, Outcome, PoolMove, RowRefused};
pub use exchange::{Caller, Exchange, Proposal, Taken};
pub use on_ledger::OnLedger;
pub use refusal::Refusal;
pub use steps::{StepError, Steps};
pub use trade::{Trade, TradeParty};
pub use units::{MarketNumber, OrderId, Price, Quantity, Seat, Side, StpGroup};

/// The ids that the exchange gives to the ledger's entries begin with these bits; a serial number follows.
const OWN_RANGE: u128 = 0b111 << 125;

/// The id of the entry with this serial number.
#[must_use]
pub const fn entry_id(serial: u64) -> money::EntryId {
    money::EntryId::new(OWN_RANGE | serial as u128)
}
