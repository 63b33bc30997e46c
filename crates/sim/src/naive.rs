//! The books of a cell as a list of movements: what batches and transfers between cells must come to, computed as simply as can be.
//!
//! It reads the journal's outcomes beside the rows that clients handed in (not those that the shell passed on), and knows of the ledger only its rules in words.

use std::collections::BTreeMap;

use bank::{Event, JournalEntry};
use cells::Outcome;
use ledger::{BatchOutcome, Found, Ledger, Row, Sizing, Transfer};
use money::{AccountId, CommandId, Timestamp, TransferId};

use crate::books::signed;

/// Refused for lack of funds, and for another row of the chain.
const NO_FUNDS: u16 = 18;
const CHAIN_BROKEN: u16 = 31;

/// An account as its movements.
#[derive(Debug, Clone, Default)]
struct Account {
    /// Time of effect and amount.
    moves: Vec<(Timestamp, i128)>,
    held: i128,
}

impl Account {
    fn available(&self) -> i128 {
        self.at(Timestamp::from_ms(u64::MAX)).saturating_sub(self.held)
    }

    /// By value time up to and including `at`.
    fn at(&self, at: Timestamp) -> i128 {
        let until = self.moves.iter().filter(|(when, _)| *when <= at);
        until.fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }
}

/// The accounts of customers.
#[derive(Debug, Default)]
pub(crate) struct Naive {
    accounts: BTreeMap<AccountId, Account>,
    sent: BTreeMap<TransferId, (AccountId, i128)>,
    /// Rows that were looked at.
    pub(crate) rows: u64,
}

impl Naive {
    /// Takes an entry of the journal; `asked` are the rows that clients handed in.
    pub(crate) fn entry(
        &mut self,
        entry: &JournalEntry,
        asked: &BTreeMap<CommandId, Vec<Row>>,
    ) -> Result<(), String> {
        for event in &entry.events {
            match event {
                Event::LedgerBatch(outcome) => {
                    let rows = asked.get(&entry.id).ok_or("rows that nobody handed in")?;
                    self.batch(rows, outcome, entry.recorded_at)?;
                }
                Event::Cells(event) => self.transfer(event, entry.recorded_at)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn transfer(&mut self, event: &cells::Event, now: Timestamp) -> Result<(), String> {
        match event {
            cells::Event::Sent { transfer, .. } => {
                let amount = signed(transfer.amount);
                let from = self.accounts.entry(transfer.from).or_default();
                if from.available() < amount {
                    return Err(format!("{} is sent and was not there", transfer.id));
                }
                from.held = from.held.saturating_add(amount);
                self.sent.insert(transfer.id, (transfer.from, amount));
            }
            cells::Event::Received { transfer, .. } => {
                self.post(transfer.account, now, signed(transfer.amount));
            }
            cells::Event::Ended { id, outcome, .. } => {
                let (from, amount) = self.sent.remove(id).ok_or("an end of what was not on its way")?;
                let account = self.accounts.entry(from).or_default();
                account.held = account.held.saturating_sub(amount);
                if *outcome == Outcome::Received {
                    self.post(from, now, 0_i128.saturating_sub(amount));
                }
            }
            cells::Event::Declined { .. }
            | cells::Event::CellOpened { .. }
            | cells::Event::PeerAdded { .. } => {}
        }
        Ok(())
    }

    fn post(&mut self, account: AccountId, at: Timestamp, amount: i128) {
        if let Some(known) = self.accounts.get_mut(&account) {
            known.moves.push((at, amount));
        }
    }

    fn batch(&mut self, rows: &[Row], outcome: &BatchOutcome, now: Timestamp) -> Result<(), String> {
        let mut rest = rows;
        let mut first = 0_u32;
        while !rest.is_empty() {
            let linked = rest.iter().take_while(|row| row.is_linked).count();
            let (chain, later) = rest.split_at(linked.saturating_add(1).min(rest.len()));
            self.chain(first, chain, outcome, now)?;
            first = first.saturating_add(u32::try_from(chain.len()).unwrap_or(u32::MAX));
            rest = later;
        }
        Ok(())
    }

    fn chain(
        &mut self,
        first: u32,
        chain: &[Row],
        outcome: &BatchOutcome,
        now: Timestamp,
    ) -> Result<(), String> {
        let refused =
            |row: u32| outcome.refused.iter().find(|refused| refused.row == row).map(|found| found.code);
        let refusals: Vec<_> = (first..).zip(chain).map(|(row, _)| refused(row)).collect();
        let taken = refusals.iter().filter(|refused| refused.is_none()).count();
        if taken != 0 && taken != chain.len() {
            return Err(format!("of a chain of {} rows {taken} were taken", chain.len()));
        }
        for ((row, asked), refused) in (first..).zip(chain).zip(refusals) {
            self.rows = self.rows.saturating_add(1);
            match (&asked.command, refused) {
                (ledger::Command::OpenAccount { id, kind: ledger::AccountKind::Customer, .. }, None) => {
                    self.accounts.insert(*id, Account::default());
                }
                (ledger::Command::Transfer(transfer), None) => {
                    let found = outcome.found.iter().find(|found| found.row == row).map(|found| &found.what);
                    self.taken(transfer, found, now)?;
                }
                (ledger::Command::Transfer(transfer), Some(NO_FUNDS)) if chain.len() == 1 => {
                    self.refused(transfer)?;
                }
                (_, Some(CHAIN_BROKEN)) if chain.len() == 1 => {
                    return Err("a row without a chain was refused for its chain".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is there to take from an account; nothing bounds the bank's own.
    fn available(&self, account: AccountId) -> Option<i128> {
        self.accounts.get(&account).map(Account::available)
    }

    fn taken(&mut self, transfer: &Transfer, found: Option<&Found>, now: Timestamp) -> Result<(), String> {
        let available = self.available(transfer.debit);
        let moved = match (&transfer.sizing, found) {
            (Sizing::Exact(amount), None) => signed(*amount),
            (Sizing::UpTo(_) | Sizing::AllAvailable(_), Some(Found::Amount(minor))) => {
                i128::try_from(*minor).unwrap_or(i128::MAX)
            }
            (sizing, found) => return Err(format!("{sizing:?} came to {found:?}")),
        };
        let expected = match (&transfer.sizing, available) {
            (Sizing::UpTo(cap), Some(available)) => signed(*cap).min(available),
            (Sizing::AllAvailable(_), Some(available)) => available,
            (Sizing::Exact(_) | Sizing::UpTo(_) | Sizing::AllAvailable(_), _) => moved,
        };
        if moved != expected || available.is_some_and(|available| moved > available) {
            return Err(format!(
                "{} moved {moved}, and {available:?} was there: {expected} expected",
                transfer.id
            ));
        }
        let at = transfer.effective_at.unwrap_or(now);
        self.post(transfer.credit, at, moved);
        self.post(transfer.debit, at, 0_i128.saturating_sub(moved));
        let Some(debited) = self.accounts.get(&transfer.debit) else { return Ok(()) };
        let later = debited.moves.iter().map(|(when, _)| *when).filter(|when| *when >= at);
        if let Some(when) = later.into_iter().find(|when| debited.at(*when) < 0) {
            return Err(format!("{} leaves {} below zero at {when}", transfer.id, transfer.debit));
        }
        Ok(())
    }

    /// An undated row that was refused for lack of funds did lack them.
    fn refused(&self, transfer: &Transfer) -> Result<(), String> {
        let Some(available) = self.available(transfer.debit) else { return Ok(()) };
        let is_covered = match transfer.sizing {
            Sizing::Exact(amount) => transfer.effective_at.is_none() && signed(amount) <= available,
            Sizing::UpTo(_) | Sizing::AllAvailable(_) => available > 0,
        };
        if is_covered {
            return Err(format!("{} was refused for lack of funds, and {available} was there", transfer.id));
        }
        Ok(())
    }

    /// The ledger has the same, now and by value time.
    pub(crate) fn compare(&self, ledger: &Ledger) -> Result<(), String> {
        for (id, account) in &self.accounts {
            let found = ledger.account(*id).map(ledger::Account::balance);
            let found = found.map(|of| (signed(of.posted), signed(of.held)));
            let expected = (account.at(Timestamp::from_ms(u64::MAX)), account.held);
            if found != Some(expected) {
                return Err(format!(
                    "{id} has {found:?} posted and held, its movements come to {expected:?}"
                ));
            }
            for (at, _) in &account.moves {
                let found = ledger.balance_effective(*id, *at).map(|of| signed(of.posted));
                if found != Some(account.at(*at)) {
                    return Err(format!(
                        "{id} had {found:?} by {at}, its movements come to {}",
                        account.at(*at)
                    ));
                }
            }
        }
        Ok(())
    }

    /// All that customers have.
    pub(crate) fn total(&self) -> i128 {
        let all = Timestamp::from_ms(u64::MAX);
        self.accounts.values().fold(0, |sum, account| sum.saturating_add(account.at(all)))
    }
}
