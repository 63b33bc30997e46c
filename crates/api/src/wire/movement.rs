//! Movements and the log they stand in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Amount, Counterparty};

/// Which way the money went, seen from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the account.
    In,
    /// Out of the account.
    Out,
}

/// What kind of movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// From another bank.
    Deposit,
    /// From another account of the bank.
    TransferIn,
    /// To another account of the bank.
    TransferOut,
    /// To another bank.
    Withdrawal,
    /// A fee by itself.
    Fee,
    /// Money that came back, or was taken back.
    Return,
    /// A correction by the bank.
    Adjustment,
    /// A fill on a market.
    Trade,
    /// One asset for another, at a price that the bank offered.
    Convert,
    /// Into a pool or out of it.
    Pool,
}

/// How far the money of a movement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementState {
    /// With the payee, and not yet settled between the banks.
    InTransit,
    /// Settled.
    Settled,
}

/// A movement on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Movement {
    /// Its id.
    pub id: String,
    /// The journal entry that made it.
    #[schema(format = Int64, value_type = i64)]
    pub seq: u64,
    /// The account.
    pub account_id: String,
    /// The payment it belongs to.
    #[schema(required = true)]
    pub payment_id: Option<String>,
    /// What kind.
    pub kind: MovementKind,
    /// Which way.
    pub direction: Direction,
    /// How much, the fee included.
    pub amount: Amount,
    /// The posted balance after it.
    pub balance_after: Amount,
    /// The other side.
    #[schema(required = true)]
    pub counterparty: Option<Counterparty>,
    /// Words of the payer.
    pub note: String,
    /// When it was recorded.
    #[schema(format = DateTime)]
    pub recorded_at: String,
    /// When it counts.
    #[schema(format = DateTime)]
    pub effective_at: String,
    /// How far it is.
    pub state: MovementState,
    /// Whether its receipt can be had.
    pub receipt_ready: bool,
}

/// A page of movements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MovementPage {
    /// Newest first.
    pub items: Vec<Movement>,
    /// Where the next page begins; `null` at the end.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
    /// The journal entry up to which this is true.
    #[schema(format = Int64, value_type = i64)]
    pub seq: u64,
}

/// The public key of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogKey {
    /// Name of the key, which is the log's origin.
    pub name: String,
    /// The key in the form of C2SP signed notes.
    pub vkey: String,
}
