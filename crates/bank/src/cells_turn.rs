//! Transfers between cells: who may ask, and their entries and holds in the ledger.

use cells::{Cells, Command, DeclineReason};
use identity::Authority;
use ledger::AccountKind;
use money::{AccountId, Amount, Timestamp};

use crate::decide::scope;
use crate::{Bank, Event, Refusal};

impl Bank {
    pub(crate) fn decide_cells(
        &self,
        command: &Command,
        authority: &Authority,
        now: Timestamp,
    ) -> Result<Vec<Event>, Refusal> {
        self.check_cells_authority(command, authority)?;
        let account = account_of(command).and_then(|id| self.ledger.account(id));
        let mut decision = self.cells.decide(command, account)?;
        let posted = decision.ledger.as_ref().map(|change| self.ledger.decide(change, now)).transpose();
        let posted = match (posted, command) {
            (Ok(posted), _) => posted,
            // The other cell must hear an answer that is the same for ever, so this too is a decision, not a refusal.
            (Err(_), Command::Receive(transfer)) => {
                decision = Cells::decline(transfer, DeclineReason::Refused);
                None
            }
            (Err(refusal), _) => return Err(refusal.into()),
        };
        let events = decision.events.into_iter().map(Event::Cells);
        Ok(events.chain(posted.map(Event::Ledger)).collect())
    }

    fn check_cells_authority(&self, command: &Command, authority: &Authority) -> Result<(), Refusal> {
        match (command, authority) {
            (Command::OpenCell { .. } | Command::AddPeer { .. }, _) => Ok(authority.operator()?),
            (Command::Send(transfer), _) => {
                // An account that does not exist is nobody's: the ledger refuses it for its absence.
                let of = self.ledger.account(transfer.from).map(ledger::Account::tenant);
                match (scope(authority)?, of) {
                    (Some(tenant), Some(of)) if tenant != of => Err(ledger::Refusal::NotPermitted.into()),
                    _ => Ok(()),
                }
            }
            (Command::Receive(transfer), Authority::Cell(number)) if *number == transfer.from.number() => {
                Ok(())
            }
            (Command::ReportOutcome { .. }, Authority::System) => Ok(()),
            (Command::Receive(_) | Command::ReportOutcome { .. }, _) => Err(Refusal::NotAllowed),
        }
    }

    /// A transfer on its way has exactly its hold, for its amount; no other hold is of cells. A transit account holds what was received
    /// less what was sent.
    pub(crate) fn broken_cells(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let open = self.ledger.holds().filter(|(id, _)| Cells::is_own_number(id.value())).count();
        let needed = self.cells.outgoing().count();
        if open != needed {
            broken
                .push(format!("{open} holds of transfers between cells are open, {needed} are on their way"));
        }
        for (id, outgoing) in self.cells.outgoing() {
            let transfer = &outgoing.transfer;
            let is_held = self
                .ledger
                .hold(outgoing.hold)
                .is_some_and(|hold| hold.account == transfer.from && hold.amount == transfer.amount);
            if !is_held {
                broken.push(format!("{id}: is on its way to cell {} without its hold", transfer.to.cell));
            }
        }
        for (cell, asset, peer) in self.cells.peers() {
            let expected = signed(peer.received.sum, peer.sent.sum);
            let found = self.ledger.account(peer.transit).filter(|account| {
                account.kind() == AccountKind::InTransit && account.asset() == asset && account.is_open()
            });
            let found = found.map(|account| account.balance()).map(|of| (of.is_overdrawn, of.posted));
            if found != Some(expected) {
                let (received, sent) = (peer.received.sum, peer.sent.sum);
                broken.push(format!(
                    "transit with cell {cell}: {found:?}, but {received} were received and {sent} sent"
                ));
            }
        }
        broken
    }
}

/// The account here that a command names.
const fn account_of(command: &Command) -> Option<AccountId> {
    match command {
        Command::Send(transfer) => Some(transfer.from),
        Command::Receive(transfer) => Some(transfer.account),
        Command::OpenCell { .. } | Command::AddPeer { .. } | Command::ReportOutcome { .. } => None,
    }
}

/// Whether more was sent than received, and the difference.
fn signed(received: Amount, sent: Amount) -> (bool, Amount) {
    match received.minus(sent) {
        Ok(net) => (false, net),
        Err(_) => (true, sent.minus(received).unwrap_or(Amount::zero(sent.asset()))),
    }
}
