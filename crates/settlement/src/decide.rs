//! Counting, comparing and booking.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Change, Command as LedgerCommand, Entry, Leg, Memo};
use money::{AccountId, Amount, Asset, CaseId, EntryId};
use thiserror::Error;

use crate::{
    Break, CaseKind, Command, Event, Flow, NetPosition, NewCase, Notice, Page, Round, RoundKey,
    SettlementBook, TotalRow,
};

/// Ids from here on are settlement's own; the range of payments' own ids lies below.
const OWN_RANGE: u128 = 0b11 << 126;

/// A domain "no" of settlement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The round was settled at another net.
    #[error("round {round} of {date} was settled at another net", round = .key.round, date = .key.date)]
    SettledOtherwise {
        /// The round.
        key: RoundKey,
    },
    /// No such case, or it is closed.
    #[error("case {id} is not open")]
    CaseNotOpen {
        /// The case.
        id: CaseId,
    },
    /// The bank keeps no books in the asset.
    #[error("the bank keeps no books in {asset}")]
    NoBooks {
        /// The asset.
        asset: Asset,
    },
}

/// The bank's own accounts that a round's settlement moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementAccounts {
    /// At the central bank.
    pub reserve: AccountId,
    /// In transit on the rail.
    pub transit: AccountId,
}

/// What follows from a command.
#[derive(Debug, Default)]
pub struct Decision {
    /// Facts for this machine.
    pub events: Vec<Event>,
    /// What the ledger has to do.
    pub ledger: Vec<LedgerCommand>,
}

impl SettlementBook {
    /// Answers a command with a decision, or a refusal. `accounts` are the bank's own for the notice's rail and asset.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn decide(
        &self,
        command: &Command,
        accounts: Option<SettlementAccounts>,
    ) -> Result<Decision, Refusal> {
        match command {
            Command::Notice(Notice::Netting { key, sent, received }) => {
                let known = self.rounds.get(key).and_then(|round| round.closed) == Some((*sent, *received));
                let event = Event::RoundClosed { key: key.clone(), sent: *sent, received: *received };
                let events = if known { Vec::new() } else { vec![event] };
                Ok(Decision { events, ledger: Vec::new() })
            }
            Command::Notice(Notice::Settled { key, net }) => self.decide_settled(key, *net, accounts),
            Command::Notice(Notice::Totals { rail, date, rows, page }) => {
                Ok(Decision { events: self.decide_totals(rail, *date, rows, *page), ledger: Vec::new() })
            }
            Command::ResolveCase { case, resolution } => {
                let open = self.cases.get(case).is_some_and(|case| case.resolved.is_none());
                let event = Event::CaseResolved { id: *case, resolution: resolution.clone() };
                if open {
                    Ok(Decision { events: vec![event], ledger: Vec::new() })
                } else {
                    Err(Refusal::CaseNotOpen { id: *case })
                }
            }
        }
    }

    /// Whether this is a number that settlement gives to its own entries, which nobody else may use.
    #[must_use]
    pub const fn is_own_number(number: u128) -> bool {
        number >> 64 == OWN_RANGE >> 64
    }

    /// The events that open cases, numbered on from the state.
    #[must_use]
    pub fn open_cases_for(&self, cases: &[NewCase]) -> Vec<Event> {
        let numbered = (self.next_serial..).zip(cases);
        numbered.map(|(serial, case)| opened(serial, case.clone())).collect()
    }

    fn decide_settled(
        &self,
        key: &RoundKey,
        net: NetPosition,
        accounts: Option<SettlementAccounts>,
    ) -> Result<Decision, Refusal> {
        let (NetPosition::ToPay(amount) | NetPosition::ToReceive(amount)) = net;
        let none = Round {
            sent: Flow::none(amount.asset()),
            received: Flow::none(amount.asset()),
            closed: None,
            settled: None,
        };
        let round = self.rounds.get(key).unwrap_or(&none);
        match round.settled {
            Some(known) if known == net => return Ok(Decision::default()),
            Some(_) => return Err(Refusal::SettledOtherwise { key: key.clone() }),
            None => {}
        }
        let accounts = accounts.ok_or(Refusal::NoBooks { asset: amount.asset() })?;
        let mut decision = Decision::default();
        decision.events.push(Event::RoundSettled { key: key.clone(), net });
        if let Some(difference) = difference(NetPosition::of(round.sent.sum, round.received.sum), net) {
            let case = NewCase { kind: CaseKind::RoundBreak(key.clone()), amount: difference };
            decision.events.push(opened(self.next_serial.saturating_add(1), case));
        }
        if amount.is_zero() {
            return Ok(decision);
        }
        let (debit, credit) = match net {
            NetPosition::ToPay(_) => (accounts.transit, accounts.reserve),
            NetPosition::ToReceive(_) => (accounts.reserve, accounts.transit),
        };
        let entry = Entry {
            id: EntryId::new(OWN_RANGE | u128::from(self.next_serial)),
            legs: vec![Leg::debit(debit, amount), Leg::credit(credit, amount)],
            effective_at: None,
            reference: None,
            memo: Memo::clip(&format!("round {} of {} {}", key.round, key.rail, key.date)),
        };
        decision.ledger.push(LedgerCommand::Change(Change { entry: Some(entry), ..Change::default() }));
        Ok(decision)
    }

    /// A day is compared when every part of its totals is there, in whatever order they come.
    fn decide_totals(
        &self,
        rail: &crate::RailName,
        date: money::Date,
        rows: &[TotalRow],
        page: Page,
    ) -> Vec<Event> {
        let key = (rail.clone(), date);
        let none = BTreeMap::new();
        let kept = self.pages.get(&key).unwrap_or(&none);
        if self.days.contains_key(&key) || kept.contains_key(&page.number) {
            return Vec::new();
        }
        let missing = (1..=page.of).any(|number| number != page.number && !kept.contains_key(&number));
        if missing {
            let (rail, number, rows) = (rail.clone(), page.number, rows.to_vec());
            return vec![Event::TotalsPageKept { rail, date, number, rows }];
        }
        let mut all: Vec<TotalRow> = Vec::new();
        for row in kept.values().flatten().chain(rows) {
            match all.iter_mut().find(|known| known.round == row.round) {
                Some(known) => {
                    known.sent.join(row.sent);
                    known.received.join(row.received);
                }
                None => all.push(*row),
            }
        }
        self.compare(rail, date, &all)
    }

    fn compare(&self, rail: &crate::RailName, date: money::Date, rows: &[TotalRow]) -> Vec<Event> {
        let ours = self.rounds.iter().filter(|(key, _)| key.rail == *rail && key.date == date);
        let ours: Vec<(u32, &Round)> = ours.map(|(key, round)| (key.round, round)).collect();
        let numbers: BTreeSet<u32> =
            ours.iter().map(|(number, _)| *number).chain(rows.iter().map(|row| row.round)).collect();
        let mut breaks = Vec::new();
        for number in &numbers {
            let counted = ours.iter().find(|(ours, _)| ours == number).map(|(_, round)| *round);
            let told = rows.iter().find(|row| row.round == *number);
            let asset = told.map(|row| row.sent.sum.asset()).or(counted.map(|round| round.sent.sum.asset()));
            let none = Flow::none(asset.unwrap_or(Asset::CNY));
            let sides = [
                (false, counted.map_or(none, |c| c.sent), told.map_or(none, |t| t.sent)),
                (true, counted.map_or(none, |c| c.received), told.map_or(none, |t| t.received)),
            ];
            for (is_inbound, counted, told) in sides {
                if counted != told {
                    breaks.push(Break { round: *number, is_inbound, counted, told });
                }
            }
        }
        let mut events: Vec<Event> = Vec::new();
        for (serial, found) in (self.next_serial..).zip(&breaks) {
            let key = RoundKey { rail: rail.clone(), date, round: found.round };
            let larger = found.counted.sum.minus(found.told.sum).or(found.told.sum.minus(found.counted.sum));
            let case = NewCase {
                kind: CaseKind::TotalsBreak(key),
                amount: larger.unwrap_or(Amount::zero(found.told.sum.asset())),
            };
            events.push(opened(serial, case));
        }
        let rounds = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        events.push(Event::DayReconciled { rail: rail.clone(), date, rounds, breaks });
        events
    }
}

fn opened(serial: u64, case: NewCase) -> Event {
    Event::CaseOpened { id: CaseId::new(OWN_RANGE | u128::from(serial)), case }
}

/// How far two nets are apart; none when they are equal.
fn difference(counted: NetPosition, told: NetPosition) -> Option<Amount> {
    use NetPosition::{ToPay, ToReceive};
    let apart = match (counted, told) {
        (ToPay(a), ToPay(b)) | (ToReceive(a), ToReceive(b)) => a.minus(b).or(b.minus(a)),
        (ToPay(a), ToReceive(b)) | (ToReceive(a), ToPay(b)) => a.plus(b),
    };
    apart.ok().filter(|amount| !amount.is_zero())
}
