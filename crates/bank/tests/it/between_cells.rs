//! The words of a scenario about transfers between cells. The bank of a scenario is one cell; what the other one says are steps.

use bank::{Command, JournalEntry};
use cells::{CellNumber, Command as C, DeclineReason, Event, Incoming, NewTransfer, Outcome, Place};
use identity::Actor;
use money::{AccountId, Asset, EntryId, Text, TransferId};

use crate::bench::{Bench, operator};
use crate::render::{account, amount};
use crate::steps::{Scenario, cny};

fn cell(number: &str) -> CellNumber {
    CellNumber::new(number.parse().unwrap())
}

fn transfer(name: &str) -> TransferId {
    TransferId::new(name.strip_prefix('t').unwrap().parse().unwrap())
}

impl Scenario {
    /// The command of a line that is about cells.
    pub(crate) fn between_cells(&self, parts: &[&str]) -> Option<(Actor, Command)> {
        let (actor, command) = match parts {
            ["operator", "opens", "cell", number] => (operator(), C::OpenCell { number: cell(number) }),
            ["operator", "joins", "cell", number, "in", asset] => {
                let (peer, asset) = (cell(number), Asset::new(asset, 2).unwrap());
                (operator(), C::AddPeer { peer, asset })
            }
            ["operator", "sends", rest @ ..] => (operator(), self.sends(rest)),
            ["tenant", number, "sends", rest @ ..] => {
                (Actor::Tenant(number.parse().unwrap()), self.sends(rest))
            }
            ["cell", number, "sends", sum, "to", account, "as", name, rest @ ..] => {
                let from = match rest {
                    [] => cell(number),
                    ["in", "the", "name", "of", other] => cell(other),
                    other => panic!("a cell does not send {other:?}"),
                };
                let id = transfer(name);
                let (account, amount, memo) = (self.home_or_other(account), cny(sum), Text::clip("rent"));
                let incoming = Incoming { from, id, account, amount, memo };
                (Actor::Cell(number.parse().unwrap()), C::Receive(incoming))
            }
            ["the", "other", "cell", "received", name] => {
                (Actor::System, C::ReportOutcome { id: transfer(name), outcome: Outcome::Received })
            }
            ["the", "other", "cell", "declined", name, code] => {
                let outcome = Outcome::Declined(DeclineReason::from_code(code).unwrap());
                (Actor::System, C::ReportOutcome { id: transfer(name), outcome })
            }
            _ => return None,
        };
        Some((actor, Command::Cells(command)))
    }

    fn sends(&self, rest: &[&str]) -> C {
        let [sum, "from", who, "to", account, "of", "cell", number, "as", name] = rest else {
            panic!("nobody sends {rest:?}")
        };
        C::Send(NewTransfer {
            id: transfer(name),
            from: self.home_or_other(who),
            to: Place { cell: cell(number), account: AccountId::new(account.parse().unwrap()) },
            amount: cny(sum),
            memo: Text::clip("rent"),
        })
    }

    /// The transit account with another cell.
    pub(crate) fn transit(&self, number: u32) -> AccountId {
        self.bench.bank.cells().peer(CellNumber::new(number), Asset::CNY).expect("no such cell").transit
    }

    /// The entry that a transfer of ours ended with.
    pub(crate) fn entry_of_transfer(&self, name: &str) -> EntryId {
        let journal = self.bench.journal.iter().map(|bytes| JournalEntry::from_bytes(bytes).unwrap());
        let ended = journal.flat_map(|entry| entry.events).find_map(|event| match event {
            bank::Event::Cells(Event::Ended { id, entry, .. }) if id == transfer(name) => entry,
            _ => None,
        });
        ended.expect("it has not ended with an entry")
    }

    /// An account here by its name, or any by its number.
    fn home_or_other(&self, name: &str) -> AccountId {
        match name.parse() {
            Ok(number) => AccountId::new(number),
            Err(_) => self.account_of(name),
        }
    }
}

/// What an event says.
pub(crate) fn followed(bench: &Bench, event: &Event) -> String {
    let name = |id: TransferId| format!("t{}", id.value());
    match event {
        Event::CellOpened { number } => format!("the bank is cell {number}"),
        Event::PeerAdded { peer, asset, transit } => {
            format!("cell {peer} is joined in {asset}, over {}", account(bench, *transit))
        }
        Event::Sent { transfer, .. } => {
            let (to, sum) = (transfer.to, amount(transfer.amount));
            let (name, from) = (name(transfer.id), account(bench, transfer.from));
            format!("{name}: {sum} from {from} on the way to {} of cell {}", to.account.value(), to.cell)
        }
        Event::Received { transfer, .. } => {
            format!("{} of cell {}: {} received", name(transfer.id), transfer.from, amount(transfer.amount))
        }
        Event::Declined { transfer, reason } => {
            format!("{} of cell {}: declined for ever, {}", name(transfer.id), transfer.from, reason.code())
        }
        Event::Ended { id, outcome: Outcome::Received, .. } => format!("{}: received there", name(*id)),
        Event::Ended { id, outcome: Outcome::Declined(reason), .. } => {
            format!("{}: declined there, {}", name(*id), reason.code())
        }
    }
}
