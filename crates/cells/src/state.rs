//! The state of a cell and what can be read of it.

use std::collections::BTreeMap;
use std::fmt;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use money::{AccountId, Amount, Asset, HoldId, IdMap, Timestamp, TransferId, invariant};
use sha2::{Digest, Sha256};

use crate::{CellNumber, NewTransfer, Outcome};

/// First 128 bits of the SHA-256 of a transfer's encoding: tells a repeat from another transfer with the same id.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Fingerprint(#[n(0)] ByteArray<16>);

impl Fingerprint {
    /// The fingerprint of a transfer.
    #[must_use]
    pub fn of(transfer: &impl Encode<()>) -> Self {
        let mut bytes = Vec::with_capacity(256);
        let written = minicbor::encode(transfer, &mut bytes);
        invariant!(written.is_ok(), "a transfer cannot be encoded");
        let mut half = [0; 16];
        for (slot, byte) in half.iter_mut().zip(Sha256::digest(&bytes)) {
            *slot = byte;
        }
        Self(half.into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How many transfers, and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Flow {
    /// How many.
    #[n(0)]
    pub count: u64,
    /// Their sum.
    #[n(1)]
    pub sum: Amount,
}

impl Flow {
    pub(crate) const fn none(asset: Asset) -> Self {
        Self { count: 0, sum: Amount::zero(asset) }
    }

    pub(crate) fn add(&mut self, amount: Amount) {
        let sum = self.sum.plus(amount);
        invariant!(sum.is_ok(), "{amount} cannot be added to {}", self.sum);
        self.count = self.count.saturating_add(1);
        self.sum = sum.unwrap_or(self.sum);
    }
}

/// What there is with another cell in one asset. The other cell counts the same: where nothing is on its way, its `received` is our
/// `sent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Peer {
    /// The transit account between the two.
    #[n(0)]
    pub transit: AccountId,
    /// What we sent and it received.
    #[n(1)]
    pub sent: Flow,
    /// What it sent and we received.
    #[n(2)]
    pub received: Flow,
}

/// A transfer on its way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Outgoing {
    /// What was asked for.
    #[n(0)]
    pub transfer: NewTransfer,
    /// The hold on its account.
    #[n(1)]
    pub hold: HoldId,
    /// Since when.
    #[n(2)]
    pub since: Timestamp,
}

/// A transfer that has ended, or was answered: kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Known {
    #[n(0)]
    pub(crate) fingerprint: Fingerprint,
    #[n(1)]
    pub(crate) outcome: Outcome,
}

/// The bank as a cell; empty where it is the only one.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub struct Cells {
    #[n(0)]
    pub(crate) number: Option<CellNumber>,
    #[n(1)]
    pub(crate) peers: BTreeMap<(CellNumber, Asset), Peer>,
    #[n(2)]
    pub(crate) outgoing: BTreeMap<TransferId, Outgoing>,
    #[n(3)]
    pub(crate) ended: IdMap<TransferId, Known>,
    #[n(4)]
    pub(crate) incoming: IdMap<(CellNumber, TransferId), Known>,
    /// Counts this machine's own ids.
    #[n(5)]
    pub(crate) next_serial: u64,
}

impl Cells {
    /// Our number; none where the bank is no cell.
    #[must_use]
    pub const fn number(&self) -> Option<CellNumber> {
        self.number
    }

    /// All peers, in the order of cell and asset.
    pub fn peers(&self) -> impl Iterator<Item = (CellNumber, Asset, &Peer)> {
        self.peers.iter().map(|((cell, asset), peer)| (*cell, *asset, peer))
    }

    /// What there is with another cell in an asset.
    #[must_use]
    pub fn peer(&self, cell: CellNumber, asset: Asset) -> Option<&Peer> {
        self.peers.get(&(cell, asset))
    }

    /// Transfers on their way, in the order of their ids.
    pub fn outgoing(&self) -> impl Iterator<Item = (TransferId, &Outgoing)> {
        self.outgoing.iter().map(|(id, outgoing)| (*id, outgoing))
    }

    /// A transfer on its way.
    #[must_use]
    pub fn on_the_way(&self, id: TransferId) -> Option<&Outgoing> {
        self.outgoing.get(&id)
    }

    /// How a transfer of ours ended; none while it is on its way, or where there is none.
    #[must_use]
    pub fn ended(&self, id: TransferId) -> Option<Outcome> {
        self.ended.get(&id).map(|known| known.outcome)
    }

    /// How we answered to a transfer of another cell; none where it has not come.
    #[must_use]
    pub fn answered(&self, from: CellNumber, id: TransferId) -> Option<Outcome> {
        self.incoming.get(&(from, id)).map(|known| known.outcome)
    }

    /// How many transfers are on their way, how many of ours have ended, and how many of other cells were answered.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.outgoing.len(), self.ended.len(), self.incoming.len())
    }
}
