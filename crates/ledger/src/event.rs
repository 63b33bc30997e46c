//! What happened in the ledger.

use minicbor::{Decode, Encode};
use money::{AccountId, Asset, EntryId, MonitorId, Timestamp};

use crate::{AccountKind, Change, JournalMark, Tenant, Threshold};

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
        /// Whose it is; the bank's when absent.
        #[n(3)]
        tenant: Option<Tenant>,
        /// Since when it exists; the time of recording when absent.
        #[n(4)]
        opened_at: Option<Timestamp>,
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
    /// Days were sealed.
    #[n(3)]
    Sealed {
        /// The end of the last of them.
        #[n(0)]
        through: Timestamp,
        /// The journal as it was.
        #[n(1)]
        mark: JournalMark,
    },
    /// An account is watched.
    #[n(4)]
    MonitorSet {
        /// The monitor.
        #[n(0)]
        id: MonitorId,
        /// The account.
        #[n(1)]
        account: AccountId,
        /// What it waits for.
        #[n(2)]
        threshold: Threshold,
    },
    /// A monitor is gone.
    #[n(5)]
    MonitorRemoved {
        /// Which.
        #[n(0)]
        id: MonitorId,
    },
    /// A monitor's notice was delivered.
    #[n(6)]
    NoticeDelivered {
        /// The monitor.
        #[n(0)]
        id: MonitorId,
        /// The notice's number.
        #[n(1)]
        number: u64,
    },
}
