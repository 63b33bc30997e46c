//! What happened in the ledger.

use minicbor::{Decode, Encode};
use money::{AccountId, Asset, EntryId};

use crate::{AccountKind, Change};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// An account was opened.
    #[n(0)]
    AccountOpened {
        /// Its id.
        #[n(0)]
        id: AccountId,
        /// Its kind.
        #[n(1)]
        kind: AccountKind,
        /// Its asset.
        #[n(2)]
        asset: Asset,
    },
    /// An account was closed.
    #[n(1)]
    AccountClosed {
        /// The account.
        #[n(0)]
        id: AccountId,
    },
    /// Holds ended, an entry was posted, holds were placed.
    #[n(2)]
    Changed {
        /// All of it.
        #[n(0)]
        change: Change,
        /// The entry that this one reverses.
        #[n(1)]
        reverses: Option<EntryId>,
    },
}
