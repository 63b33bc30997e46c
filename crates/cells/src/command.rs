//! What can be asked of a cell.

use std::fmt;

use ledger::Memo;
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, TransferId};

/// Number of a cell, the same for every cell that speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CellNumber(#[n(0)] u32);

impl CellNumber {
    /// The cell with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CellNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An account and the cell that is its home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Place {
    /// The cell.
    #[n(0)]
    pub cell: CellNumber,
    /// The account in it.
    #[n(1)]
    pub account: AccountId,
}

/// A transfer as the sending cell is asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewTransfer {
    /// Made by whoever asks; never used twice.
    #[n(0)]
    pub id: TransferId,
    /// The account here.
    #[n(1)]
    pub from: AccountId,
    /// Where the money goes.
    #[n(2)]
    pub to: Place,
    /// How much; never zero.
    #[n(3)]
    pub amount: Amount,
    /// Free words, on the entries of both cells.
    #[n(4)]
    pub memo: Memo,
}

/// A transfer as it is handed to the receiving cell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Incoming {
    /// The sending cell.
    #[n(0)]
    pub from: CellNumber,
    /// The transfer's id there.
    #[n(1)]
    pub id: TransferId,
    /// The account here.
    #[n(2)]
    pub account: AccountId,
    /// How much.
    #[n(3)]
    pub amount: Amount,
    /// Free words.
    #[n(4)]
    pub memo: Memo,
}

/// Why a cell does not take a transfer. Its answer is the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum DeclineReason {
    /// There is no such account.
    #[n(0)]
    AccountUnknown,
    /// The account is closed.
    #[n(1)]
    AccountClosed,
    /// The account holds another asset.
    #[n(2)]
    OtherAsset,
    /// The account is one of the bank's own that takes no transfers.
    #[n(3)]
    NotForTransfers,
    /// The two cells keep no transit account in the asset.
    #[n(4)]
    NoTransit,
    /// The ledger refuses the entry for another reason, such as a sum out of bounds.
    #[n(5)]
    Refused,
}

impl DeclineReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AccountUnknown,
        Self::AccountClosed,
        Self::OtherAsset,
        Self::NotForTransfers,
        Self::NoTransit,
        Self::Refused,
    ];

    /// The word that stands for it between cells and before people.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccountUnknown => "account_unknown",
            Self::AccountClosed => "account_closed",
            Self::OtherAsset => "other_asset",
            Self::NotForTransfers => "not_for_transfers",
            Self::NoTransit => "no_transit",
            Self::Refused => "refused",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// How a transfer ended in the receiving cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// The account was credited.
    #[n(0)]
    Received,
    /// It was not, and never will be by this transfer.
    #[n(1)]
    Declined(#[n(0)] DeclineReason),
}

/// A command to a cell.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Make the bank a cell with this number. Once.
    #[n(0)]
    OpenCell {
        /// Its number.
        #[n(0)]
        number: CellNumber,
    },
    /// Open the transit account with another cell in one asset.
    #[n(1)]
    AddPeer {
        /// The other cell.
        #[n(0)]
        peer: CellNumber,
        /// The asset.
        #[n(1)]
        asset: Asset,
    },
    /// Send money to an account of another cell.
    #[n(2)]
    Send(#[n(0)] NewTransfer),
    /// Take money that another cell sends, or decline it.
    #[n(3)]
    Receive(#[n(0)] Incoming),
    /// The other cell has answered.
    #[n(4)]
    ReportOutcome {
        /// Which transfer.
        #[n(0)]
        id: TransferId,
        /// How it ended there.
        #[n(1)]
        outcome: Outcome,
    },
}
