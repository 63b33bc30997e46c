//! How the bank is.

use serde::Serialize;
use utoipa::ToSchema;

use super::Rail;

/// Whether a rail takes payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RailState {
    /// Yes.
    Open,
    /// Outside its hours.
    Closed,
    /// Not reachable.
    Down,
}

/// How a rail is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RailHealth {
    /// Which.
    pub rail: Rail,
    /// Whether it takes payments.
    pub state: RailState,
    /// Its business date.
    pub business_date: String,
}

/// How the bank is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `behind` (screens are late) or `halted` (nothing is taken).
    pub status: String,
    /// Last entry applied.
    #[schema(format = Int64, value_type = i64)]
    pub seq: u64,
    /// Last entry durable.
    #[schema(format = Int64, value_type = i64)]
    pub durable_seq: u64,
    /// Last entry in the read models.
    #[schema(format = Int64, value_type = i64)]
    pub projection_seq: u64,
    /// How far the read models are behind.
    #[schema(format = Int64, value_type = i64)]
    pub projection_lag_ms: u64,
    /// When the last entry was recorded.
    #[schema(format = DateTime)]
    pub recorded_at: String,
    /// The rails.
    pub rails: Vec<RailHealth>,
}
