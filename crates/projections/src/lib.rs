//! Read models: what screens ask for, in SQLite, made from the journal alone.
//!
//! A projector follows the journal behind the writer, most of the time by what the node hands over in memory, and turns each entry into
//! rows: movements with their leaves in the Merkle log, steps of payments, a feed of changes for each customer. The file can be deleted
//! at any time; it is made again from the journal, to the same rows and the same tree. [`ReadModel::status`] says how far behind it is, and [`ReadModel::wait_for`] lets a
//! client read its own write.
//!
//! **Invariants.** Rows of an entry come all or not at all, with the entry's number. A leaf's number is its movement's rank in the journal.
//! A signed checkpoint covers only entries that are durable. Nothing here is ever asked by a decision.

mod checkpoints;
mod error;
mod feed;
mod ids;
mod markets;
mod movements;
mod owners;
mod payments;
mod place;
mod project;
mod projector;
mod schema;
mod standing;
mod turn;

pub use error::ProjectionError;
pub use feed::{FeedKind, FeedRow};
pub use markets::{
    CandleRow, ConversionRow, FillRow, MarketQuery, OrderRow, OrderStanding, Role, TradeRow, TradeSide,
};
pub use movements::{Direction, MovementKind, MovementQuery, MovementRow, Page, Party};
pub use payments::{PaymentRow, StepKind, StepRow};
pub use project::movement_id;
pub use projector::{Config, Projections, ReadModel, Status, rebuild_log, rebuild_log_from};
pub use standing::standing;
