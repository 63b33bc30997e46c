//! What can be asked of the ledger.

use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, EntryId, HoldId, Text, Timestamp};

use crate::{AccountKind, Side};

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
}
