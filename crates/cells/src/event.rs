//! What happened in a cell.

use minicbor::{Decode, Encode};
use money::{AccountId, Asset, EntryId, HoldId, TransferId};

use crate::{CellNumber, DeclineReason, Incoming, NewTransfer, Outcome};

/// A fact; applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// The bank is a cell.
    #[n(0)]
    CellOpened {
        /// Its number.
        #[n(0)]
        number: CellNumber,
    },
    /// Another cell can be sent to and received from in an asset.
    #[n(1)]
    PeerAdded {
        /// The other cell.
        #[n(0)]
        peer: CellNumber,
        /// The asset.
        #[n(1)]
        asset: Asset,
        /// The transit account.
        #[n(2)]
        transit: AccountId,
    },
    /// A transfer is on its way.
    #[n(2)]
    Sent {
        /// Which.
        #[n(0)]
        transfer: NewTransfer,
        /// The hold on its account.
        #[n(1)]
        hold: HoldId,
    },
    /// A transfer of another cell was taken.
    #[n(3)]
    Received {
        /// Which.
        #[n(0)]
        transfer: Incoming,
        /// The entry that credits the account.
        #[n(1)]
        entry: EntryId,
    },
    /// A transfer of another cell was declined for ever.
    #[n(4)]
    Declined {
        /// Which.
        #[n(0)]
        transfer: Incoming,
        /// Why.
        #[n(1)]
        reason: DeclineReason,
    },
    /// A transfer is on its way no longer.
    #[n(5)]
    Ended {
        /// Which.
        #[n(0)]
        id: TransferId,
        /// How.
        #[n(1)]
        outcome: Outcome,
        /// The entry that debits the account, where it was received.
        #[n(2)]
        entry: Option<EntryId>,
    },
}
