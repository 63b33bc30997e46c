//! Why the ledger says no.

use money::{AccountId, Amount, Asset, EntryId, HoldId, MonitorId, Timestamp};
use thiserror::Error;

use crate::monitor::MONITORS_MAX;
use crate::{LEGS_MAX, RECHECK_MAX};

/// A domain "no" of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A change that changes nothing.
    #[error("the change is empty")]
    EmptyChange,
    /// An entry has fewer than two or more than [`LEGS_MAX`] legs.
    #[error("an entry has 2 to {max} legs, not {count}", max = LEGS_MAX)]
    LegCount {
        /// Legs given.
        count: usize,
    },
    /// A leg or hold of nothing.
    #[error("amount is zero")]
    ZeroAmount,
    /// Debits and credits of an asset differ.
    #[error("debits {debits} do not equal credits {credits}")]
    Unbalanced {
        /// Sum of debits.
        debits: Amount,
        /// Sum of credits.
        credits: Amount,
    },
    /// Effective after it is recorded.
    #[error("effective time {effective_at} is after recording at {recorded_at}")]
    EffectiveInFuture {
        /// Asked for.
        effective_at: Timestamp,
        /// Time of recording.
        recorded_at: Timestamp,
    },
    /// The day it would count in is sealed.
    #[error("effective time {effective_at} is in a day sealed through {through}")]
    DaySealed {
        /// Asked for.
        effective_at: Timestamp,
        /// The earliest time that is still open.
        through: Timestamp,
    },
    /// The entry's id is taken.
    #[error("entry {id} exists with {}", if *.same_body { "the same body" } else { "another body" })]
    EntryExists {
        /// The id.
        id: EntryId,
        /// Whether the body is the same, so that nothing is missing.
        same_body: bool,
    },
    /// The hold's id is taken.
    #[error("hold {id} exists")]
    HoldExists {
        /// The id.
        id: HoldId,
    },
    /// The account's id is taken.
    #[error("account {id} exists")]
    AccountExists {
        /// The id.
        id: AccountId,
    },
    /// No such account.
    #[error("account {id} is unknown")]
    AccountUnknown {
        /// The id.
        id: AccountId,
    },
    /// The account is closed.
    #[error("account {id} is closed")]
    AccountClosed {
        /// The id.
        id: AccountId,
    },
    /// The account still holds something.
    #[error("account {id} still has {posted} posted and {held} held")]
    AccountNotEmpty {
        /// The id.
        id: AccountId,
        /// Posted.
        posted: Amount,
        /// Held.
        held: Amount,
    },
    /// The amount's asset is not the account's.
    #[error("account {id} holds {expected}, not {given}")]
    AssetMismatch {
        /// The account.
        id: AccountId,
        /// Its asset.
        expected: Asset,
        /// The asset given.
        given: Asset,
    },
    /// No open hold with this id.
    #[error("hold {id} is not open")]
    HoldNotOpen {
        /// The id.
        id: HoldId,
    },
    /// No such entry to reverse.
    #[error("entry {id} is unknown")]
    EntryUnknown {
        /// The id.
        id: EntryId,
    },
    /// The entry was reversed before.
    #[error("entry {id} was reversed by {by}")]
    AlreadyReversed {
        /// The id.
        id: EntryId,
        /// The reversal.
        by: EntryId,
    },
    /// Not enough available.
    #[error("account {id} has {available} available, {needed} is needed")]
    InsufficientFunds {
        /// The account.
        id: AccountId,
        /// Available after the holds that end with the change.
        available: Amount,
        /// What the change takes out.
        needed: Amount,
    },
    /// Enough now, but an entry dated back would leave less than nothing at a later time.
    #[error("account {id} had {posted} at {at}, {needed} is needed from {effective_at} on")]
    LaterBalance {
        /// The account.
        id: AccountId,
        /// When the entry would count.
        effective_at: Timestamp,
        /// The time at which the balance would break.
        at: Timestamp,
        /// The balance at that time, by value time.
        posted: Amount,
        /// What the entry takes out.
        needed: Amount,
    },
    /// An entry dated back over more postings than are checked at once.
    #[error("account {id} has more than {max} postings after {effective_at}", max = RECHECK_MAX)]
    TooFarBack {
        /// The account.
        id: AccountId,
        /// When the entry would count.
        effective_at: Timestamp,
    },
    /// A capped transfer finds nothing to take.
    #[error("account {id} has nothing available")]
    NothingAvailable {
        /// The account.
        id: AccountId,
    },
    /// A capped transfer between accounts neither of which can run dry.
    #[error("neither account bounds the transfer")]
    NothingBounds,
    /// A sum above 2^128.
    #[error("amount is too large")]
    Overflow,
    /// An account that is brought in cannot have been opened later than now.
    #[error("opening at {opened_at} is after recording at {recorded_at}")]
    OpenedInFuture {
        /// Asked for.
        opened_at: Timestamp,
        /// Time of recording.
        recorded_at: Timestamp,
    },
    /// A day that is not over, or was sealed before.
    #[error("sealing through {through} is not between the last seal {last} and now, {recorded_at}")]
    SealOutOfOrder {
        /// Asked for.
        through: Timestamp,
        /// The last seal.
        last: Timestamp,
        /// Time of recording.
        recorded_at: Timestamp,
    },
    /// The monitor's id is taken.
    #[error("monitor {id} exists")]
    MonitorExists {
        /// The id.
        id: MonitorId,
    },
    /// No such monitor.
    #[error("monitor {id} is unknown")]
    MonitorUnknown {
        /// The id.
        id: MonitorId,
    },
    /// An account has as many monitors as it may.
    #[error("account {id} has {max} monitors already", max = MONITORS_MAX)]
    MonitorsFull {
        /// The account.
        id: AccountId,
    },
    /// No such notice waits: it was delivered, or a newer one took its place.
    #[error("notice {number} of monitor {id} does not wait")]
    NoticeUnknown {
        /// The monitor.
        id: MonitorId,
        /// The notice.
        number: u64,
    },
    /// Ids or accounts that are not this sender's to use.
    #[error("an id or account is not this sender's")]
    NotPermitted,
    /// Another row of the same chain was refused.
    #[error("another row of its chain was refused")]
    ChainBroken,
}

/// What is fixed about a reason, for bulk answers, the journal, and the table in the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Its number, which is never reused.
    pub code: u16,
    /// The name that goes with the number, for people and programs alike.
    pub name: &'static str,
    /// Whether the same command can succeed later without being changed.
    pub is_transient: bool,
}

const fn reason(code: u16, name: &'static str, is_transient: bool) -> Reason {
    Reason { code, name, is_transient }
}

impl Reason {
    /// All reasons, by number.
    pub const ALL: [Self; 31] = [
        reason(1, "empty_change", false),
        reason(2, "leg_count", false),
        reason(3, "zero_amount", false),
        reason(4, "unbalanced", false),
        reason(5, "effective_in_future", false),
        reason(6, "day_sealed", false),
        reason(7, "entry_exists", false),
        reason(8, "entry_exists_with_another_body", false),
        reason(9, "hold_exists", false),
        reason(10, "account_exists", false),
        reason(11, "account_unknown", false),
        reason(12, "account_closed", false),
        reason(13, "account_not_empty", true),
        reason(14, "asset_mismatch", false),
        reason(15, "hold_not_open", false),
        reason(16, "entry_unknown", false),
        reason(17, "already_reversed", false),
        reason(18, "insufficient_funds", true),
        reason(19, "later_balance", true),
        reason(20, "too_far_back", false),
        reason(21, "nothing_available", true),
        reason(22, "nothing_bounds", false),
        reason(23, "overflow", false),
        reason(24, "opened_in_future", false),
        reason(25, "seal_out_of_order", false),
        reason(26, "monitor_exists", false),
        reason(27, "monitor_unknown", false),
        reason(28, "monitors_full", false),
        reason(29, "notice_unknown", false),
        reason(30, "not_permitted", false),
        reason(31, "chain_broken", true),
    ];

    /// The reason with this number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<&'static Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?)
    }
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.reason().is_transient
    }

    /// The name that goes with the number.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.reason().name
    }

    fn reason(&self) -> &'static Reason {
        match Reason::from_code(self.code()) {
            Some(reason) => reason,
            None => money::broken(format_args!("the refusal {} has no reason", self.code())),
        }
    }

    /// A number for bulk answers and the journal: [`Reason::code`].
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::EmptyChange => 1,
            Self::LegCount { .. } => 2,
            Self::ZeroAmount => 3,
            Self::Unbalanced { .. } => 4,
            Self::EffectiveInFuture { .. } => 5,
            Self::DaySealed { .. } => 6,
            Self::EntryExists { same_body: true, .. } => 7,
            Self::EntryExists { same_body: false, .. } => 8,
            Self::HoldExists { .. } => 9,
            Self::AccountExists { .. } => 10,
            Self::AccountUnknown { .. } => 11,
            Self::AccountClosed { .. } => 12,
            Self::AccountNotEmpty { .. } => 13,
            Self::AssetMismatch { .. } => 14,
            Self::HoldNotOpen { .. } => 15,
            Self::EntryUnknown { .. } => 16,
            Self::AlreadyReversed { .. } => 17,
            Self::InsufficientFunds { .. } => 18,
            Self::LaterBalance { .. } => 19,
            Self::TooFarBack { .. } => 20,
            Self::NothingAvailable { .. } => 21,
            Self::NothingBounds => 22,
            Self::Overflow => 23,
            Self::OpenedInFuture { .. } => 24,
            Self::SealOutOfOrder { .. } => 25,
            Self::MonitorExists { .. } => 26,
            Self::MonitorUnknown { .. } => 27,
            Self::MonitorsFull { .. } => 28,
            Self::NoticeUnknown { .. } => 29,
            Self::NotPermitted => 30,
            Self::ChainBroken => 31,
        }
    }
}
