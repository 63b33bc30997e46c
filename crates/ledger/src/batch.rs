//! Taking a batch: its rows one after another, each on the books as the rows before it left them.
//!
//! A row stands for itself: one that is refused leaves nothing, and the next takes its turn. Rows linked in a chain are checked together first, on books that
//! are thrown away, and then applied all or none.

use minicbor::{Decode, Encode};
use money::{AccountId, EntryId, Timestamp, invariant};

use crate::books::{Books, ChainBooks};
use crate::decide::{Effects, check_change, check_close, check_open, size};
use crate::row::WrittenRow;
use crate::{Account, Batch, Change, Command, Entry, Ledger, Leg, Memo, Refusal, Row, Sizing, Transfer};

/// Rows that are looked at together before they are taken one by one: few enough that what they need stays in the nearest cache.
const AHEAD: usize = 32;

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
    Amount(#[cbor(n(0), with = "money::wide")] u128),
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
    Open(AccountId, Box<Account>),
    Close(AccountId),
    /// The change is the row's own, or in the scratch space.
    Change {
        reverses: Option<EntryId>,
        found: Option<Box<Found>>,
    },
}

/// A row of a chain found good, with its change and what that does.
type GoodRow = (Good, Change, Effects);

impl Ledger {
    /// Takes a batch: decides and applies row after row. `may` says whether a row's ids and accounts are the sender's to use. Answers with the outcome, which
    /// [`Ledger::apply_batch`] needs to do the same again, and the refusal behind each refused row.
    pub fn take_batch(
        &mut self,
        batch: &Batch,
        now: Timestamp,
        may: impl Fn(&Self, &Command) -> bool,
    ) -> (BatchOutcome, Vec<Refusal>) {
        let mut turn = BatchTurn { now, outcome: BatchOutcome::default(), refusals: Vec::new() };
        let mut space = Space::default();
        let mut chain: Vec<Row> = Vec::new();
        let mut numbers = 0_u32..;
        let mut written = batch.written();
        let mut ahead: Vec<WrittenRow<'_>> = Vec::with_capacity(AHEAD);
        loop {
            ahead.clear();
            ahead.extend(written.by_ref().take(AHEAD));
            if ahead.is_empty() {
                break;
            }
            self.warm(&ahead);
            for (row, number) in ahead.iter().zip(numbers.by_ref()) {
                let read = row.read_into(&mut space.command);
                invariant!(read.is_ok(), "a row of a batch cannot be read");
                if row.is_linked() || !chain.is_empty() {
                    chain.push(Row { is_linked: row.is_linked(), command: space.command.clone() });
                    if !row.is_linked() {
                        self.take_chain(&chain, number, &may, &mut turn);
                        chain.clear();
                    }
                } else {
                    self.take_row(number, &may, &mut space, &mut turn);
                }
            }
        }
        (turn.outcome, turn.refusals)
    }

    /// Looks up what the rows will need, all at once: the processor waits for memory once and not row by row.
    fn warm(&self, rows: &[WrittenRow<'_>]) {
        // One kind of look-up after the other: short loops let the processor have many of them under way.
        let ids = rows.iter().filter_map(|row| row.entry_id());
        let known = ids.filter(|id| self.history.contains(*id)).count();
        let accounts = rows.iter().flat_map(|row| row.accounts());
        let open =
            accounts.filter(|id| Books::account(self, *id).is_some_and(|(_, account)| account.is_open()));
        let found = known.wrapping_add(open.count());
        std::hint::black_box(found);
    }

    fn take_row(
        &mut self,
        number: u32,
        may: &impl Fn(&Self, &Command) -> bool,
        space: &mut Space,
        turn: &mut BatchTurn,
    ) {
        let checked = if may(self, &space.command) {
            check(self, &space.command, turn.now, &mut space.change, &mut space.effects)
        } else {
            Err(Refusal::NotPermitted)
        };
        match checked {
            Ok(good) => {
                let good = turn.note(number, good);
                self.enact(&space.command, good, &space.change, &space.effects, turn.now);
            }
            Err(refusal) => turn.refuse(number, refusal),
        }
    }

    /// Takes a chain whose last row has the number `last`.
    fn take_chain(
        &mut self,
        chain: &[Row],
        last: u32,
        may: &impl Fn(&Self, &Command) -> bool,
        turn: &mut BatchTurn,
    ) {
        let first = last.saturating_add(1).saturating_sub(u32::try_from(chain.len()).unwrap_or(0));
        match self.check_chain(chain, turn.now, may) {
            Ok(rows) => {
                for ((number, row), (good, change, effects)) in (first..).zip(chain).zip(rows) {
                    let good = turn.note(number, good);
                    self.enact(&row.command, good, &change, &effects, turn.now);
                }
            }
            Err((broken, refusal)) => {
                for (index, number) in (0..chain.len()).zip(first..) {
                    let of_chain = if index == broken { refusal.clone() } else { Refusal::ChainBroken };
                    turn.refuse(number, of_chain);
                }
            }
        }
    }

    /// Checks all rows of a chain; answers with what each does, or the first row that is refused.
    fn check_chain(
        &self,
        chain: &[Row],
        now: Timestamp,
        may: &impl Fn(&Self, &Command) -> bool,
    ) -> Result<Vec<GoodRow>, (usize, Refusal)> {
        let mut books = ChainBooks::new(self);
        let mut rows = Vec::with_capacity(chain.len());
        for (index, row) in chain.iter().enumerate() {
            if !may(self, &row.command) {
                return Err((index, Refusal::NotPermitted));
            }
            let (mut scratch, mut effects) = (Change::default(), Effects::new());
            let good = check(&books, &row.command, now, &mut scratch, &mut effects);
            let good = good.map_err(|refusal| (index, refusal))?;
            match &good {
                Good::Open(id, account) => books.open(*id, account.as_ref().clone()),
                Good::Close(id) => books.close(*id, now),
                Good::Change { reverses, .. } => {
                    let change = if let Command::Change(change) = &row.command { change } else { &scratch };
                    books.absorb(change, &effects, *reverses, now);
                }
            }
            rows.push((good, scratch, effects));
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

    fn enact(&mut self, command: &Command, good: Good, scratch: &Change, effects: &Effects, now: Timestamp) {
        match good {
            Good::Open(id, account) => self.open(id, *account),
            Good::Close(id) => self.close(id, now),
            Good::Change { reverses, .. } => {
                let change = if let Command::Change(change) = command { change } else { scratch };
                self.enact_change(change, effects, reverses, now);
            }
        }
    }
}

/// Memory that the rows of a batch use one after another.
struct Space {
    command: Command,
    change: Change,
    effects: Effects,
}

impl Default for Space {
    fn default() -> Self {
        let command = Command::Transfer(Transfer::default());
        Self { command, change: Change::default(), effects: Effects::new() }
    }
}

/// What has become of a batch so far.
struct BatchTurn {
    now: Timestamp,
    outcome: BatchOutcome,
    refusals: Vec<Refusal>,
}

impl BatchTurn {
    /// Notes what was found out about a row.
    fn note(&mut self, row: u32, mut good: Good) -> Good {
        if let Good::Change { found, .. } = &mut good
            && let Some(what) = found.take()
        {
            self.outcome.found.push(RowFound { row, what: *what });
        }
        good
    }

    fn refuse(&mut self, row: u32, refusal: Refusal) {
        self.outcome.refused.push(RowRefused { row, code: refusal.code() });
        self.refusals.push(refusal);
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
        let mut command = Command::Transfer(Transfer::default());
        for (number, row) in (0_u32..).zip(self.written()) {
            let found = found.next_if(|found| found.row == number).map(|found| &found.what);
            if refused.next_if_eq(&number).is_some() {
                continue;
            }
            let read = row.read_into(&mut command);
            invariant!(read.is_ok(), "a row of a batch cannot be read");
            match &command {
                Command::OpenAccount { .. } => show(Step::Opened(&command)),
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
    command: &Command,
    now: Timestamp,
    scratch: &mut Change,
    effects: &mut Effects,
) -> Result<Good, Refusal> {
    match command {
        Command::OpenAccount { id, opened_at, .. } => {
            check_open(books, *id, *opened_at, now)?;
            let account = account_of(command, now).ok_or(Refusal::EmptyChange)?;
            Ok(Good::Open(account.0, Box::new(account.1)))
        }
        Command::CloseAccount { id } => {
            check_close(books, *id)?;
            Ok(Good::Close(*id))
        }
        Command::Change(change) => {
            check_change(books, change, now, effects)?;
            Ok(Good::Change { reverses: None, found: None })
        }
        Command::Transfer(transfer) => {
            let amount = size(books, transfer)?.minor();
            let is_given = matches!(transfer.sizing, Sizing::Exact(_));
            let found = if is_given { None } else { Some(Box::new(Found::Amount(amount))) };
            transfer.write(found.as_deref(), scratch);
            check_change(books, scratch, now, effects)?;
            Ok(Good::Change { reverses: None, found })
        }
        Command::Reverse { id, of, memo } => {
            *scratch = books.mirror_of(*id, *of, memo)?;
            check_change(books, scratch, now, effects)?;
            let found = scratch.entry.clone().map(|entry| Box::new(Found::Mirror(entry)));
            Ok(Good::Change { reverses: Some(*of), found })
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
