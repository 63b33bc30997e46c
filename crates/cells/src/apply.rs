//! Applying events of a cell.

use money::{AccountId, Amount, Timestamp, invariant};

use crate::state::Known;
use crate::{CellNumber, Cells, Event, Fingerprint, Flow, Outcome, Outgoing, Peer};

impl Cells {
    /// Applies one event, recorded at `now`.
    pub fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::CellOpened { number } => self.number = Some(*number),
            Event::PeerAdded { peer, asset, transit } => {
                self.add_peer(*peer, *transit, Flow::none(*asset));
            }
            Event::Sent { transfer, hold } => {
                let outgoing = Outgoing { transfer: transfer.clone(), hold: *hold, since: now };
                let twice = self.outgoing.insert(transfer.id, outgoing).is_some();
                invariant!(!twice, "{} is sent twice", transfer.id);
                self.use_serial();
            }
            Event::Received { transfer, .. } => {
                self.answer(transfer, Outcome::Received);
                if let Some(peer) = self.peer_mut(transfer.from, transfer.amount) {
                    peer.received.add(transfer.amount);
                }
                self.use_serial();
            }
            Event::Declined { transfer, reason } => self.answer(transfer, Outcome::Declined(*reason)),
            Event::Ended { id, outcome, entry } => {
                let Some(Outgoing { transfer, .. }) = self.outgoing.remove(id) else {
                    invariant!(false, "{id} ended but is not on its way");
                    return;
                };
                let known = Known { fingerprint: Fingerprint::of(&transfer), outcome: *outcome };
                self.ended.insert(*id, known);
                if entry.is_none() {
                    return;
                }
                if let Some(peer) = self.peer_mut(transfer.to.cell, transfer.amount) {
                    peer.sent.add(transfer.amount);
                }
                self.use_serial();
            }
        }
    }

    fn add_peer(&mut self, cell: CellNumber, transit: AccountId, none: Flow) {
        let peer = Peer { transit, sent: none, received: none };
        let twice = self.peers.insert((cell, none.sum.asset()), peer).is_some();
        invariant!(!twice, "cell {cell} is added twice");
        self.use_serial();
    }

    fn answer(&mut self, transfer: &crate::Incoming, outcome: Outcome) {
        let known = Known { fingerprint: Fingerprint::of(transfer), outcome };
        let twice = self.incoming.insert((transfer.from, transfer.id), known).is_some();
        invariant!(!twice, "{} of cell {} is answered twice", transfer.id, transfer.from);
    }

    fn peer_mut(&mut self, cell: CellNumber, amount: Amount) -> Option<&mut Peer> {
        let peer = self.peers.get_mut(&(cell, amount.asset()));
        invariant!(peer.is_some(), "{amount} moved between cells without a transit account");
        peer
    }

    const fn use_serial(&mut self) {
        self.next_serial = self.next_serial.saturating_add(1);
    }
}
