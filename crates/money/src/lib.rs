//! The vocabulary of the bank: amounts, assets, typed ids, rates, rounding and time.
//!
//! Everything here is a value. Nothing reads a clock, allocates ids or knows what an account is; this crate depends on
//! no other crate of the workspace and every other crate may depend on it.
//!
//! **Invariants.** An [`Amount`] is never negative and never mixes assets. A division names its rounding. An id of one kind
//! cannot be used where another kind is expected. A value that was decoded has passed the same checks as one that was parsed.

mod amount;
mod asset;
mod id;
mod id_map;
mod limits;
mod position_index;
mod rate;
mod text;
mod time;
pub mod wide;

pub use amount::{Amount, AmountError, split_exact};
pub use asset::{Asset, AssetError};
pub use id::{IdError, IdText};
pub use id_map::IdMap;
pub use limits::Limits;
pub use position_index::PositionIndex;
pub use rate::Bps;
pub use text::{Text, TextError};
pub use time::{Date, DateError, Timestamp};

#[doc(hidden)]
pub use minicbor as __minicbor;

/// Halts the core when a condition that can only be false through a bug is false.
///
/// An input can never trigger it; wrong money must not go on. The message names what broke.
#[macro_export]
macro_rules! invariant {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            $crate::broken(format_args!($($message)+));
        }
    };
}

/// Stops the core on an impossible state; use through [`invariant!`].
#[expect(clippy::panic, reason = "an impossible state must stop the core, never continue with wrong money")]
pub fn broken(what: std::fmt::Arguments<'_>) -> ! {
    panic!("invariant broken: {what}")
}

ids! {
    /// A customer of the bank.
    CustomerId = "cus";
    /// A ledger account.
    AccountId = "acc";
    /// A ledger entry (a balanced set of postings).
    EntryId = "ent";
    /// A hold on an account's available balance.
    HoldId = "hld";
    /// A watch over an account's available balance.
    MonitorId = "mon";
    /// A payment: transfer, withdrawal or deposit.
    PaymentId = "pay";
    /// A device bound to a customer.
    DeviceId = "dev";
    /// A session of a customer on a device.
    SessionId = "ses";
    /// A saved payee of a customer.
    PayeeId = "pye";
    /// A case an operator has to look at.
    CaseId = "cas";
    /// A transfer between two cells.
    TransferId = "trf";
    /// The client's id of a command; the idempotency key.
    CommandId = "cmd";
    /// A movement on a customer's account: one entry seen from one account.
    MovementId = "mov";
    /// An effect the world must perform; stable over repeats.
    EffectId = "eff";
}
