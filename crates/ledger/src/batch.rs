//! Taking a batch: its rows one after another, each on the books as the rows before it left them.
//!
//! A row stands for itself: one that is refused leaves nothing, and the next takes its turn. Rows linked in a chain are checked together first, on books that
//! are thrown away, and then applied all or none.

use minicbor::{Decode, Encode};
use money::{AccountId, EntryId, Timestamp, invariant};

use crate::books::{Books, ChainBooks};
use crate::decide::{Effects, check_change, check_close, check_open, size};
use crate::{Account, Batch, Change, Command, Entry, Ledger, Leg, Memo, Refusal, Row, Sizing, Transfer};

/// A row that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RowRefused {
    /// Which, from 0.
    #[n(0)]
    pub row: u32,
    /// Why: [`Refusal::code`].
    #[n(1)]
    pub code: u16,
}

/// What was found out about a row that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RowFound {
    /// Which, from 0.
    #[n(0)]
    pub row: u32,
    /// What.
    #[n(1)]
    pub what: Found,
}

/// What does not stand in a row itself but in the books.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Found {
    /// How much a transfer moved that did not name its amount, in minor units.
    #[n(0)]
    Amount(#[cbor(n(0), with = "crate::wide")] u128),
    /// The entry that reverses another.
    #[n(1)]
    Mirror(#[n(0)] Entry),
}

impl Found {
    fn mirror(&self) -> Option<Entry> {
        match self {
            Self::Mirror(entry) => Some(entry.clone()),
            Self::Amount(_) => None,
        }
    }
}

/// What became of a batch: everything that does not follow from its rows alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct BatchOutcome {
    /// Rows that were refused, in order; all others were taken.
    #[n(0)]
    pub refused: Vec<RowRefused>,
    /// What was found out about others, in order of rows.
    #[n(1)]
    pub found: Vec<RowFound>,
}

/// A row found good.
enum Good {
    Open(AccountId, Account),
    Close(AccountId),
    /// The change is the row's own, or in the scratch space.
    Change {
        reverses: Option<EntryId>,
        found: Option<Found>,
        effects: Effects,
    },
}

impl Ledger {
    /// Takes a batch: decides and applies row after row. `may` says whether a row's ids and accounts are the sender's to use. Answers with the outcome, which
    /// [`Ledger::apply_batch`] needs to do the same again, and the refusal behind each refused row.
    pub fn take_batch(
        &mut self,
        batch: &Batch,
        now: Timestamp,
        may: impl Fn(&Self, &Command) -> bool,
    ) -> (BatchOutcome, Vec<Refusal>) {
        let mut outcome = BatchOutcome::default();
        let mut refusals = Vec::new();
        let mut scratch = Change::default();
        let mut chain: Vec<Row> = Vec::new();
        for (number, row) in (0_u32..).zip(batch.rows()) {
            if row.is_linked || !chain.is_empty() {
                let goes_on = row.is_linked;
                chain.push(row);
                if !goes_on {
                    let first =
                        number.saturating_add(1).saturating_sub(u32::try_from(chain.len()).unwrap_or(0));
                    self.take_chain(&chain, first, now, &may, &mut outcome, &mut refusals);
                    chain.clear();
                }
                continue;
            }
            let checked = if may(self, &row.command) {
                check(self, self, &row.command, now, &mut scratch)
            } else {
                Err(Refusal::NotPermitted)
            };
            match checked {
                Ok(mut good) => {
                    if let Good::Change { found, .. } = &mut good
                        && let Some(what) = found.take()
                    {
                        outcome.found.push(RowFound { row: number, what });
                    }
                    self.enact(&row.command, good, &scratch, now);
                }
                Err(refusal) => {
                    outcome.refused.push(RowRefused { row: number, code: refusal.code() });
                    refusals.push(refusal);
                }
            }
        }
        (outcome, refusals)
    }

    fn take_chain(
        &mut self,
        chain: &[Row],
        first: u32,
        now: Timestamp,
        may: &impl Fn(&Self, &Command) -> bool,
        outcome: &mut BatchOutcome,
        refusals: &mut Vec<Refusal>,
    ) {
        match self.check_chain(chain, now, may) {
            Ok(good) => {
                for ((number, row), (mut good, scratch)) in (first..).zip(chain).zip(good) {
                    if let Good::Change { found, .. } = &mut good
                        && let Some(what) = found.take()
                    {
                        outcome.found.push(RowFound { row: number, what });
                    }
                    self.enact(&row.command, good, &scratch, now);
                }
            }
            Err((broken, refusal)) => {
                for (index, number) in (0..chain.len()).zip(first..) {
                    let refusal = if index == broken { refusal.clone() } else { Refusal::ChainBroken };
                    outcome.refused.push(RowRefused { row: number, code: refusal.code() });
                    refusals.push(refusal);
                }
            }
        }
    }

    /// Checks all rows of a chain; answers with each row and its change, or the first row that is refused.
    fn check_chain(
        &self,
        chain: &[Row],
        now: Timestamp,
        may: &impl Fn(&Self, &Command) -> bool,
    ) -> Result<Vec<(Good, Change)>, (usize, Refusal)> {
        let mut books = ChainBooks::new(self);
        let mut rows = Vec::with_capacity(chain.len());
        for (index, row) in chain.iter().enumerate() {
            if !may(self, &row.command) {
                return Err((index, Refusal::NotPermitted));
            }
            let mut scratch = Change::default();
            let good = check(&books, self, &row.command, now, &mut scratch);
            let good = good.map_err(|refusal| (index, refusal))?;
            match &good {
                Good::Open(id, account) => books.open(*id, account.clone()),
                Good::Close(id) => books.close(*id, now),
                Good::Change { effects, .. } => {
                    let change = if let Command::Change(change) = &row.command { change } else { &scratch };
                    books.absorb(change, effects, now);
                }
            }
            rows.push((good, scratch));
        }
        Ok(rows)
    }

    /// Applies a batch whose outcome is known, when the journal is replayed.
    pub fn apply_batch(&mut self, batch: &Batch, outcome: &BatchOutcome, now: Timestamp) {
        batch.replay(outcome, |step| match step {
            Step::Opened(command) => match account_of(command, now) {
                Some((id, account)) => self.open(id, account),
                None => invariant!(false, "an account was opened by something else"),
            },
            Step::Closed(id) => self.close(id, now),
            Step::Changed { change, reverses } => self.apply_change(change, reverses, now),
        });
    }

    fn enact(&mut self, command: &Command, good: Good, scratch: &Change, now: Timestamp) {
        match (good, command) {
            (Good::Open(id, account), _) => self.open(id, account),
            (Good::Close(id), _) => self.close(id, now),
            (Good::Change { reverses, .. }, Command::Change(change)) => {
                self.apply_change(change, reverses, now)
            }
            (Good::Change { reverses, .. }, _) => self.apply_change(scratch, reverses, now),
        }
    }
}

/// What a row of a batch that was taken did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Opened the account of this command.
    Opened(&'a Command),
    /// Closed an account.
    Closed(AccountId),
    /// Changed the books.
    Changed {
        /// All of it.
        change: &'a Change,
        /// The entry that this one reverses.
        reverses: Option<EntryId>,
    },
}

impl Batch {
    /// Shows what each row did that was taken, in order.
    pub fn replay(&self, outcome: &BatchOutcome, mut show: impl FnMut(Step<'_>)) {
        let mut refused = outcome.refused.iter().map(|refused| refused.row).peekable();
        let mut found = outcome.found.iter().peekable();
        let mut scratch = Change::default();
        for (number, row) in (0_u32..).zip(self.rows()) {
            let found = found.next_if(|found| found.row == number).map(|found| &found.what);
            if refused.next_if_eq(&number).is_some() {
                continue;
            }
            match &row.command {
                Command::OpenAccount { .. } => show(Step::Opened(&row.command)),
                Command::CloseAccount { id } => show(Step::Closed(*id)),
                Command::Change(change) => show(Step::Changed { change, reverses: None }),
                Command::Transfer(transfer) => {
                    transfer.write(found, &mut scratch);
                    show(Step::Changed { change: &scratch, reverses: None });
                }
                Command::Reverse { of, .. } => {
                    scratch = Change { entry: found.and_then(Found::mirror), ..Change::default() };
                    show(Step::Changed { change: &scratch, reverses: Some(*of) });
                }
                Command::Seal { .. }
                | Command::SetMonitor { .. }
                | Command::RemoveMonitor { .. }
                | Command::NoticeDelivered { .. } => invariant!(false, "a batch has no such row"),
            }
        }
    }
}

/// Checks a row; a transfer's or reversal's change is left in `scratch`.
fn check(
    books: &impl Books,
    ledger: &Ledger,
    command: &Command,
    now: Timestamp,
    scratch: &mut Change,
) -> Result<Good, Refusal> {
    match command {
        Command::OpenAccount { id, opened_at, .. } => {
            check_open(books, *id, *opened_at, now)?;
            account_of(command, now).map(|(id, account)| Good::Open(id, account)).ok_or(Refusal::EmptyChange)
        }
        Command::CloseAccount { id } => {
            check_close(books, *id)?;
            Ok(Good::Close(*id))
        }
        Command::Change(change) => {
            let effects = check_change(books, change, now)?;
            Ok(Good::Change { reverses: None, found: None, effects })
        }
        Command::Transfer(transfer) => {
            let amount = size(books, transfer)?.minor();
            let found = (!matches!(transfer.sizing, Sizing::Exact(_))).then_some(Found::Amount(amount));
            transfer.write(found.as_ref(), scratch);
            let effects = check_change(books, scratch, now)?;
            Ok(Good::Change { reverses: None, found, effects })
        }
        Command::Reverse { id, of, memo } => {
            *scratch = ledger.mirror(*id, *of, memo)?;
            let effects = check_change(books, scratch, now)?;
            let found = scratch.entry.clone().map(Found::Mirror);
            Ok(Good::Change { reverses: Some(*of), found, effects })
        }
        // A batch has no such rows.
        Command::Seal { .. }
        | Command::SetMonitor { .. }
        | Command::RemoveMonitor { .. }
        | Command::NoticeDelivered { .. } => Err(Refusal::EmptyChange),
    }
}

fn account_of(command: &Command, now: Timestamp) -> Option<(AccountId, Account)> {
    match command {
        Command::OpenAccount { id, kind, asset, tenant, opened_at } => {
            let account = Account::new(*kind, *asset, tenant.unwrap_or_default(), opened_at.unwrap_or(now));
            Some((*id, account))
        }
        _ => None,
    }
}

impl Transfer {
    /// Writes the transfer's change over `scratch`, whose memory is used again. `found` is the amount where the transfer does not say it.
    fn write(&self, found: Option<&Found>, scratch: &mut Change) {
        let (asset, asked) = match self.sizing {
            Sizing::Exact(amount) | Sizing::UpTo(amount) => (amount.asset(), amount.minor()),
            Sizing::AllAvailable(asset) => (asset, 0),
        };
        let minor = if let Some(Found::Amount(minor)) = found { *minor } else { asked };
        let amount = money::Amount::new(asset, minor);
        scratch.ends.clear();
        scratch.places.clear();
        let mut legs = scratch.entry.take().map(|entry| entry.legs).unwrap_or_default();
        legs.clear();
        legs.extend([Leg::debit(self.debit, amount), Leg::credit(self.credit, amount)]);
        let memo = if self.memo.is_empty() { Memo::default() } else { self.memo.clone() };
        scratch.entry = Some(Entry {
            id: self.id,
            legs,
            effective_at: self.effective_at,
            reference: self.reference,
            memo,
        });
    }
}
