//! What one customer may pay out.

use minicbor::{Decode, Encode};

use crate::Amount;

/// Limits on outgoing payments in one asset; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Limits {
    /// Up to here no passkey is asked for.
    #[n(0)]
    pub small_amount: Amount,
    /// From here a payment to another bank waits and can be undone.
    #[n(1)]
    pub undo_from: Amount,
    /// How long it waits, in milliseconds.
    #[n(2)]
    pub undo_ms: u64,
    /// Most in one payment.
    #[n(3)]
    pub single: Option<Amount>,
    /// Most in a calendar day.
    #[n(4)]
    pub day: Option<Amount>,
    /// Most in a calendar month.
    #[n(5)]
    pub month: Option<Amount>,
    /// Most in a calendar year.
    #[n(6)]
    pub year: Option<Amount>,
}
