//! What can be asked of the ledger.

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, EntryId, HoldId, MonitorId, Text, Timestamp};

use crate::{AccountKind, Side, Tenant};

/// Most legs an entry may have: enough for a payment with fees and taxes in several assets, small enough to bound a frame.
pub const LEGS_MAX: usize = 64;

/// Free words of the caller on an entry.
pub type Memo = Text<140>;

/// One leg of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Leg {
    /// The account.
    #[n(0)]
    pub account: AccountId,
    /// Debit or credit.
    #[n(1)]
    pub side: Side,
    /// How much; never zero.
    #[n(2)]
    pub amount: Amount,
}

impl Leg {
    /// A debit leg.
    #[must_use]
    pub const fn debit(account: AccountId, amount: Amount) -> Self {
        Self { account, side: Side::Debit, amount }
    }

    /// A credit leg.
    #[must_use]
    pub const fn credit(account: AccountId, amount: Amount) -> Self {
        Self { account, side: Side::Credit, amount }
    }
}

/// A balanced set of legs, posted at once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Made by whoever asks; never used twice.
    #[n(0)]
    pub id: EntryId,
    /// Two to [`LEGS_MAX`] legs; debits equal credits per asset.
    #[n(1)]
    pub legs: Vec<Leg>,
    /// When it counts (value time); the time of recording when absent. Not after the time of recording.
    #[n(2)]
    pub effective_at: Option<Timestamp>,
    /// The caller's own object, opaque here.
    #[n(3)]
    pub reference: Option<u64>,
    /// Free words.
    #[n(4)]
    pub memo: Memo,
}

/// A hold to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NewHold {
    /// Made by whoever asks; never used twice.
    #[n(0)]
    pub id: HoldId,
    /// The account whose available balance shrinks.
    #[n(1)]
    pub account: AccountId,
    /// How much; never zero.
    #[n(2)]
    pub amount: Amount,
    /// When it is released by itself; never when absent (its owner ends it).
    #[n(3)]
    pub expires_at: Option<Timestamp>,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HoldOutcome {
    /// The money left with an entry of the same change.
    #[n(0)]
    Settled,
    /// The money is available again.
    #[n(1)]
    Released,
}

/// The end of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HoldEnd {
    /// The hold.
    #[n(0)]
    pub hold: HoldId,
    /// How it ends.
    #[n(1)]
    pub outcome: HoldOutcome,
}

/// Ends of holds, an entry and new holds that happen together or not at all; checked as one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Change {
    /// Holds that end first.
    #[n(0)]
    pub ends: Vec<HoldEnd>,
    /// Then the entry.
    #[n(1)]
    pub entry: Option<Entry>,
    /// Then the new holds.
    #[n(2)]
    pub places: Vec<NewHold>,
}

/// How large a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Sizing {
    /// Just this amount, or a refusal.
    #[n(0)]
    Exact(#[n(0)] Amount),
    /// As much of this amount as is available; nothing available is a refusal.
    #[n(1)]
    UpTo(#[n(0)] Amount),
    /// All that is left.
    #[n(2)]
    AllAvailable(#[n(0)] Asset),
}

impl Default for Transfer {
    /// A transfer of nothing, to be filled in.
    fn default() -> Self {
        let nobody = AccountId::new(0);
        Self {
            id: EntryId::new(0),
            debit: nobody,
            credit: nobody,
            sizing: Sizing::Exact(Amount::zero(Asset::CNY)),
            effective_at: None,
            reference: None,
            memo: Memo::default(),
        }
    }
}

/// Money from one account to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Transfer {
    /// Id of the entry.
    #[n(0)]
    pub id: EntryId,
    /// The account debited.
    #[n(1)]
    pub debit: AccountId,
    /// The account credited.
    #[n(2)]
    pub credit: AccountId,
    /// How much.
    #[n(3)]
    pub sizing: Sizing,
    /// When it counts; see [`Entry::effective_at`].
    #[n(4)]
    pub effective_at: Option<Timestamp>,
    /// The caller's own object, opaque here.
    #[n(5)]
    pub reference: Option<u64>,
    /// Free words.
    #[n(6)]
    pub memo: Memo,
}

/// A place in the journal: everything up to it is what a seal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct JournalMark {
    /// Number of the record.
    #[n(0)]
    pub seq: u64,
    /// Its hash in the journal's chain.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// What a monitor waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Threshold {
    /// Less than this is available.
    #[n(0)]
    Below(#[n(0)] Amount),
    /// This or more is available.
    #[n(1)]
    AtLeast(#[n(0)] Amount),
}

impl Command {
    /// Opens an account of the bank's own books.
    #[must_use]
    pub const fn open(id: AccountId, kind: AccountKind, asset: Asset) -> Self {
        Self::OpenAccount { id, kind, asset, tenant: None, opened_at: None }
    }
}

/// A command to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Open an account.
    #[n(0)]
    OpenAccount {
        /// Its id.
        #[n(0)]
        id: AccountId,
        /// Its kind.
        #[n(1)]
        kind: AccountKind,
        /// Its only asset.
        #[n(2)]
        asset: Asset,
        /// Whose it is; the bank's when absent.
        #[n(3)]
        tenant: Option<Tenant>,
        /// Since when it exists, for one that is brought in from other books; the time of recording when absent.
        #[n(4)]
        opened_at: Option<Timestamp>,
    },
    /// Close an account that is empty and has no hold.
    #[n(1)]
    CloseAccount {
        /// The account.
        #[n(0)]
        id: AccountId,
    },
    /// End holds, post an entry, place holds: together.
    #[n(2)]
    Change(#[n(0)] Change),
    /// Post the mirror of an earlier entry.
    #[n(3)]
    Reverse {
        /// Id of the new entry.
        #[n(0)]
        id: EntryId,
        /// The entry to reverse.
        #[n(1)]
        of: EntryId,
        /// Why.
        #[n(2)]
        memo: Memo,
    },
    /// Move money from one account to another, where the amount may follow from what is available.
    #[n(4)]
    Transfer(#[n(0)] Transfer),
    /// Seal every day that ended at `through` or before: no entry may count before that any more.
    #[n(5)]
    Seal {
        /// The end of the last day sealed.
        #[n(0)]
        through: Timestamp,
        /// The journal as it was when the day was closed.
        #[n(1)]
        mark: JournalMark,
    },
    /// Watch an account's available balance.
    #[n(6)]
    SetMonitor {
        /// Its id.
        #[n(0)]
        id: MonitorId,
        /// The account.
        #[n(1)]
        account: AccountId,
        /// What to wait for.
        #[n(2)]
        threshold: Threshold,
    },
    /// Watch no longer.
    #[n(7)]
    RemoveMonitor {
        /// The monitor.
        #[n(0)]
        id: MonitorId,
    },
    /// A notice of a monitor has reached whoever asked for it.
    #[n(8)]
    NoticeDelivered {
        /// The monitor.
        #[n(0)]
        id: MonitorId,
        /// The notice's number.
        #[n(1)]
        number: u64,
    },
}
