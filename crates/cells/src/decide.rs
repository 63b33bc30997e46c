//! Sending, receiving, and hearing how it ended.

use ledger::{
    Account, AccountKind, Change, Command as LedgerCommand, Entry, HoldEnd, HoldOutcome, Leg, NewHold,
};
use money::{AccountId, Asset, EntryId, HoldId, TransferId};
use thiserror::Error;

use crate::{CellNumber, Cells, Command, DeclineReason, Event, Fingerprint, Incoming, NewTransfer, Outcome};

/// Ids of this machine's accounts, holds and entries: those of payments begin with 10, of settlement with 11 and zeros.
const OWN_RANGE: u128 = 0b101 << 125;

/// A domain "no" of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A transfer of nothing.
    #[error("the amount is zero")]
    ZeroAmount,
    /// The id was used for another transfer.
    #[error("transfer {id} is known with another body")]
    TransferExists {
        /// The transfer.
        id: TransferId,
    },
    /// The bank is no cell yet.
    #[error("the bank is no cell")]
    NotACell,
    /// The bank is a cell with another number.
    #[error("the bank is cell {number}")]
    OtherCell {
        /// Its number.
        number: CellNumber,
    },
    /// The other cell is this one.
    #[error("cell {number} is this one")]
    OwnCell {
        /// Its number.
        number: CellNumber,
    },
    /// The other cell is not known.
    #[error("cell {cell} is unknown")]
    PeerUnknown {
        /// The cell.
        cell: CellNumber,
    },
    /// There is no transit account with the other cell in the asset.
    #[error("there is no transit account with cell {cell} in {asset}")]
    NoTransit {
        /// The cell.
        cell: CellNumber,
        /// The asset.
        asset: Asset,
    },
    /// An account that sends nothing to other cells: one of the bank's own.
    #[error("account {id} sends nothing to other cells")]
    NotForTransfers {
        /// The account.
        id: AccountId,
    },
    /// No transfer of ours has the id.
    #[error("transfer {id} is unknown")]
    TransferUnknown {
        /// The transfer.
        id: TransferId,
    },
    /// The transfer ended in another way: the other cell contradicts itself.
    #[error("transfer {id} has ended in another way")]
    EndedOtherwise {
        /// The transfer.
        id: TransferId,
    },
}

impl Refusal {
    /// Whether the same command can succeed later without being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotACell | Self::PeerUnknown { .. } | Self::NoTransit { .. } => true,
            Self::ZeroAmount
            | Self::TransferExists { .. }
            | Self::OtherCell { .. }
            | Self::OwnCell { .. }
            | Self::NotForTransfers { .. }
            | Self::TransferUnknown { .. }
            | Self::EndedOtherwise { .. } => false,
        }
    }
}

/// What follows from a command: nothing at all where it is a repeat.
#[derive(Debug, Default)]
pub struct Decision {
    /// Facts for this machine.
    pub events: Vec<Event>,
    /// What the ledger has to do with it.
    pub ledger: Option<LedgerCommand>,
}

impl Decision {
    fn of(event: Event, ledger: Option<LedgerCommand>) -> Self {
        Self { events: vec![event], ledger }
    }
}

impl Cells {
    /// Answers a command with a decision, or a refusal. `account` is the account here that the command names, where there is one.
    ///
    /// # Errors
    /// A [`Refusal`], in this order: shape → known id → the cells exist → the account. Funds are the ledger's to refuse.
    pub fn decide(&self, command: &Command, account: Option<&Account>) -> Result<Decision, Refusal> {
        match command {
            Command::OpenCell { number } => self.open(*number),
            Command::AddPeer { peer, asset } => self.add(*peer, *asset),
            Command::Send(transfer) => self.send(transfer, account),
            Command::Receive(transfer) => self.receive(transfer, account),
            Command::ReportOutcome { id, outcome } => self.end(*id, *outcome),
        }
    }

    /// The decision that declines a transfer which [`Cells::decide`] would take: the ledger did not.
    #[must_use]
    pub fn decline(transfer: &Incoming, reason: DeclineReason) -> Decision {
        Decision::of(Event::Declined { transfer: transfer.clone(), reason }, None)
    }

    /// Whether this is a number that this machine gives to its own accounts, holds and entries, which nobody else may use.
    #[must_use]
    pub const fn is_own_number(number: u128) -> bool {
        number >> 64 == OWN_RANGE >> 64
    }

    fn own_number(&self) -> u128 {
        OWN_RANGE | u128::from(self.next_serial)
    }

    fn open(&self, number: CellNumber) -> Result<Decision, Refusal> {
        match self.number {
            None => Ok(Decision::of(Event::CellOpened { number }, None)),
            Some(known) if known == number => Ok(Decision::default()),
            Some(known) => Err(Refusal::OtherCell { number: known }),
        }
    }

    fn add(&self, peer: CellNumber, asset: Asset) -> Result<Decision, Refusal> {
        let own = self.number.ok_or(Refusal::NotACell)?;
        if peer == own {
            return Err(Refusal::OwnCell { number: own });
        }
        if self.peers.contains_key(&(peer, asset)) {
            return Ok(Decision::default());
        }
        let transit = AccountId::new(self.own_number());
        let open = LedgerCommand::open(transit, AccountKind::InTransit, asset);
        Ok(Decision::of(Event::PeerAdded { peer, asset, transit }, Some(open)))
    }

    fn send(&self, transfer: &NewTransfer, account: Option<&Account>) -> Result<Decision, Refusal> {
        let NewTransfer { id, from, to, amount, .. } = transfer;
        if amount.is_zero() {
            return Err(Refusal::ZeroAmount);
        }
        let same = match (self.outgoing.get(id), self.ended.get(id)) {
            (Some(known), _) => Some(known.transfer == *transfer),
            (None, Some(known)) => Some(known.fingerprint == Fingerprint::of(transfer)),
            (None, None) => None,
        };
        match same {
            Some(true) => return Ok(Decision::default()),
            Some(false) => return Err(Refusal::TransferExists { id: *id }),
            None => {}
        }
        let own = self.number.ok_or(Refusal::NotACell)?;
        if to.cell == own {
            return Err(Refusal::OwnCell { number: own });
        }
        self.check_peer(to.cell)?;
        if !self.peers.contains_key(&(to.cell, amount.asset())) {
            return Err(Refusal::NoTransit { cell: to.cell, asset: amount.asset() });
        }
        if account.is_some_and(|account| !is_for_transfers(account)) {
            return Err(Refusal::NotForTransfers { id: *from });
        }
        let hold = HoldId::new(self.own_number());
        // It has no end by itself: only the other cell knows whether the money has arrived.
        let places = vec![NewHold { id: hold, account: *from, amount: *amount, expires_at: None }];
        let change = Change { places, ..Change::default() };
        Ok(Decision::of(
            Event::Sent { transfer: transfer.clone(), hold },
            Some(LedgerCommand::Change(change)),
        ))
    }

    fn receive(&self, transfer: &Incoming, account: Option<&Account>) -> Result<Decision, Refusal> {
        if transfer.amount.is_zero() {
            return Err(Refusal::ZeroAmount);
        }
        match self.incoming.get(&(transfer.from, transfer.id)) {
            Some(known) if known.fingerprint == Fingerprint::of(transfer) => return Ok(Decision::default()),
            Some(_) => return Err(Refusal::TransferExists { id: transfer.id }),
            None => {}
        }
        self.number.ok_or(Refusal::NotACell)?;
        self.check_peer(transfer.from)?;
        let asset = transfer.amount.asset();
        let Some(peer) = self.peers.get(&(transfer.from, asset)) else {
            return Ok(Self::decline(transfer, DeclineReason::NoTransit));
        };
        let reason = match account {
            None => DeclineReason::AccountUnknown,
            Some(account) if !account.is_open() => DeclineReason::AccountClosed,
            Some(account) if !is_for_transfers(account) => DeclineReason::NotForTransfers,
            Some(account) if account.asset() != asset => DeclineReason::OtherAsset,
            Some(_) => {
                let entry = EntryId::new(self.own_number());
                let legs = vec![
                    Leg::debit(peer.transit, transfer.amount),
                    Leg::credit(transfer.account, transfer.amount),
                ];
                let posted = entry_of(entry, legs, &transfer.memo);
                let change = Change { entry: Some(posted), ..Change::default() };
                let event = Event::Received { transfer: transfer.clone(), entry };
                return Ok(Decision::of(event, Some(LedgerCommand::Change(change))));
            }
        };
        Ok(Self::decline(transfer, reason))
    }

    fn end(&self, id: TransferId, outcome: Outcome) -> Result<Decision, Refusal> {
        let Some(outgoing) = self.outgoing.get(&id) else {
            return match self.ended.get(&id) {
                Some(known) if known.outcome == outcome => Ok(Decision::default()),
                Some(_) => Err(Refusal::EndedOtherwise { id }),
                None => Err(Refusal::TransferUnknown { id }),
            };
        };
        let (transfer, hold) = (&outgoing.transfer, outgoing.hold);
        let end = |outcome| vec![HoldEnd { hold, outcome }];
        match outcome {
            Outcome::Declined(_) => {
                let change = Change { ends: end(HoldOutcome::Released), ..Change::default() };
                let event = Event::Ended { id, outcome, entry: None };
                Ok(Decision::of(event, Some(LedgerCommand::Change(change))))
            }
            Outcome::Received => {
                let (cell, asset) = (transfer.to.cell, transfer.amount.asset());
                let peer = self.peers.get(&(cell, asset)).ok_or(Refusal::NoTransit { cell, asset })?;
                let entry = EntryId::new(self.own_number());
                let legs = vec![
                    Leg::debit(transfer.from, transfer.amount),
                    Leg::credit(peer.transit, transfer.amount),
                ];
                let posted = entry_of(entry, legs, &transfer.memo);
                let change =
                    Change { ends: end(HoldOutcome::Settled), entry: Some(posted), ..Change::default() };
                let event = Event::Ended { id, outcome, entry: Some(entry) };
                Ok(Decision::of(event, Some(LedgerCommand::Change(change))))
            }
        }
    }

    fn check_peer(&self, cell: CellNumber) -> Result<(), Refusal> {
        let is_known = self.peers.keys().any(|(known, _)| *known == cell);
        if is_known { Ok(()) } else { Err(Refusal::PeerUnknown { cell }) }
    }
}

/// Accounts of customers and of other banks. The bank's own are moved by entries of staff within one cell.
fn is_for_transfers(account: &Account) -> bool {
    match account.kind() {
        AccountKind::Customer | AccountKind::Vostro => true,
        AccountKind::Nostro
        | AccountKind::Suspense
        | AccountKind::Fee
        | AccountKind::InTransit
        | AccountKind::Reserve
        | AccountKind::Capital => false,
    }
}

fn entry_of(id: EntryId, legs: Vec<Leg>, memo: &ledger::Memo) -> Entry {
    Entry { id, legs, effective_at: None, reference: None, memo: memo.clone() }
}
