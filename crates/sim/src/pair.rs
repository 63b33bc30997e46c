//! Two cells beside the bank of a run: each a node with a disk of its own, with batches of rows from their clients, and transfers between them whose
//! requests and answers get lost while either dies.
//!
//! Its chance is its own, so that a run's other steps are what they were without it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bank::{Command, JournalEntry, Submission};
use cells::{CellNumber, DeclineReason, Incoming, NewTransfer, Outcome, Place};
use identity::Actor;
use journal::JournalError;
use ledger::{AccountKind, Batch, Memo, Row, Sizing, Transfer};
use money::{AccountId, Amount, CommandId, EntryId, Text, Timestamp, TransferId};

use crate::Defect;
use crate::books::{ASSET, signed};
use crate::faults::Faults;
use crate::naive::Naive;
use crate::observer::Observer;
use crate::opening;
use crate::rng::Chance;
use crate::run::relying_party;
use crate::shell::{Reply, Shell};

/// Accounts of customers in each cell, and one number that no account has.
const ACCOUNTS: u64 = 4;
const FIRST_ACCOUNT: u128 = 1 << 64;
/// What each begins with, in hundredths.
const FUNDS: u64 = 50_000;
/// Commands sent again later, at most.
const ANSWERED_MAX: usize = 8;
/// Starts that fail in a row before the disk is left alone.
const STARTS_MAX: u32 = 8;
/// Turns in which everything has to come to rest.
const REST_TURNS_MAX: u32 = 60;

/// One of the two.
struct Cell {
    number: CellNumber,
    shell: Shell,
    observer: Observer,
    /// The rows of every batch, as its client made them.
    asked: BTreeMap<CommandId, Vec<Row>>,
    unsure: Vec<Submission>,
    answered: VecDeque<(Submission, u64)>,
    /// Under [`Defect::ForgetOutgoing`]: what was on its way when the node died.
    forgotten: BTreeSet<TransferId>,
}

/// Both.
pub(crate) struct Pair {
    cells: [Cell; 2],
    /// Whose turn it is to be first.
    turns: u64,
}

fn account(index: u64) -> AccountId {
    AccountId::new(FIRST_ACCOUNT | u128::from(index))
}

fn sum(minor: u64) -> Amount {
    Amount::new(ASSET, u128::from(minor))
}

impl Pair {
    pub(crate) fn new(defect: Option<Defect>, now: Timestamp, chance: &mut Chance) -> Result<Self, String> {
        let mut pair = Self { cells: [Cell::new(1, defect)?, Cell::new(2, defect)?], turns: 0 };
        for cell in &mut pair.cells {
            cell.open(now, chance)?;
        }
        Ok(pair)
    }

    /// Journal records of both.
    pub(crate) fn records(&self) -> u64 {
        self.cells.iter().fold(0, |sum, cell| sum.saturating_add(cell.observer.records()))
    }

    /// One step of both; answers with what happened, in words.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        faults: &Faults,
        chance: &mut Chance,
    ) -> Result<Vec<&'static str>, String> {
        let mut words = Vec::new();
        for cell in &mut self.cells {
            words.extend(cell.step(now, faults, chance)?);
        }
        if chance.percent(60) {
            self.carry(now, Some(faults), chance)?;
        }
        Ok(words)
    }

    /// What is on its way goes to the other cell, and its answers come back; with faults, not all of it.
    fn carry(&mut self, now: Timestamp, faults: Option<&Faults>, chance: &mut Chance) -> Result<(), String> {
        self.turns = self.turns.saturating_add(1);
        let [one, other] = &mut self.cells;
        let (first, second) = if self.turns.is_multiple_of(2) { (one, other) } else { (other, one) };
        first.carry_to(second, now, faults, chance)?;
        second.carry_to(first, now, faults, chance)
    }

    /// All faults end, and everything comes to rest; then both cells' books are what their records amount to, and say the same of each transfer.
    pub(crate) fn rest(&mut self, now: Timestamp, chance: &mut Chance) -> Result<(), String> {
        for cell in &mut self.cells {
            cell.shell.kill();
            cell.restart(false, chance)?;
            cell.ask_unsure(now)?;
        }
        for turn in 0..REST_TURNS_MAX {
            self.carry(now.plus_ms(u64::from(turn).saturating_mul(200)), None, chance)?;
        }
        let mut total = 0_i128;
        for cell in &self.cells {
            if let Some((id, _)) = cell.shell.bank.cells().outgoing().next() {
                return Err(format!("{id} is still on its way from cell {}", cell.number));
            }
            let naive = cell.naive()?;
            naive.compare(cell.shell.bank.ledger())?;
            total = total.saturating_add(naive.total());
            cell.observer.compare(&cell.shell.bank)?;
            cell.observer.audit(&relying_party())?;
        }
        self.agree()?;
        let funds = i128::from(FUNDS.saturating_mul(ACCOUNTS).saturating_mul(2));
        if total == funds {
            Ok(())
        } else {
            Err(format!("the customers of both cells have {total}, not {funds}"))
        }
    }

    /// One cell's transfers ended as the other one answered, and their counts are the same.
    fn agree(&self) -> Result<(), String> {
        let [one, other] = &self.cells;
        for (from, to) in [(one, other), (other, one)] {
            for id in from.sent()? {
                let (ended, answered) =
                    (from.shell.bank.cells().ended(id), to.shell.bank.cells().answered(from.number, id));
                if ended != answered {
                    return Err(format!("{id} ended as {ended:?}, and the other cell answered {answered:?}"));
                }
            }
            let flow = |cell: &Cell, peer: &Cell| cell.shell.bank.cells().peer(peer.number, ASSET).copied();
            let (sent, received) = (flow(from, to), flow(to, from));
            let sent = sent.map(|peer| (peer.sent.count, signed(peer.sent.sum)));
            let received = received.map(|peer| (peer.received.count, signed(peer.received.sum)));
            if sent != received {
                return Err(format!("cell {} sent {sent:?}, the other received {received:?}", from.number));
            }
        }
        Ok(())
    }
}

impl Cell {
    fn new(number: u32, defect: Option<Defect>) -> Result<Self, String> {
        Ok(Self {
            number: CellNumber::new(number),
            shell: Shell::new(relying_party(), defect, None)?,
            observer: Observer::default(),
            asked: BTreeMap::new(),
            unsure: Vec::new(),
            answered: VecDeque::new(),
            forgotten: BTreeSet::new(),
        })
    }

    const fn other(&self) -> CellNumber {
        CellNumber::new(3_u32.saturating_sub(self.number.number()))
    }

    fn give(&mut self, submission: Submission, now: Timestamp) -> Result<Reply, String> {
        let reply = self.shell.commit(now, vec![submission]).pop().unwrap_or(Reply::Dead);
        self.observer.check(&mut self.shell)?;
        Ok(reply)
    }

    fn open(&mut self, now: Timestamp, chance: &mut Chance) -> Result<(), String> {
        let cell = |command| Command::Cells(command);
        let mut commands = opening::commands().map_err(|error| error.to_string())?;
        commands.push(cell(cells::Command::OpenCell { number: self.number }));
        commands.push(cell(cells::Command::AddPeer { peer: self.other(), asset: ASSET }));
        let mut rows = Vec::new();
        for index in 0..ACCOUNTS {
            rows.push(ledger::Command::open(account(index), AccountKind::Customer, ASSET));
            let fund = transfer(chance, opening::books().reserve, account(index), Sizing::Exact(sum(FUNDS)));
            rows.push(ledger::Command::Transfer(fund));
        }
        let rows = rows.into_iter().map(|command| Row { is_linked: false, command }).collect();
        let batch = self.rows(rows, chance)?;
        let commands =
            commands.into_iter().map(|command| staff(CommandId::new(chance.number() | 1), command));
        let commands: Vec<Submission> = commands.chain([batch]).collect();
        for command in commands {
            let reply = self.give(command, now)?;
            if !matches!(reply, Reply::Taken { is_repeat: false, .. }) {
                return Err(format!("cell {} cannot be opened: {reply:?}", self.number));
            }
        }
        Ok(())
    }

    /// Rows as a command of a client, who keeps what it asked for.
    fn rows(&mut self, rows: Vec<Row>, chance: &mut Chance) -> Result<Submission, String> {
        let mut batch = Batch::default();
        for row in &rows {
            batch.push(row).map_err(|error| error.to_string())?;
        }
        let id = CommandId::new(chance.number() | 1);
        self.asked.insert(id, rows);
        Ok(staff(id, Command::LedgerBatch(batch)))
    }

    fn step(
        &mut self,
        now: Timestamp,
        faults: &Faults,
        chance: &mut Chance,
    ) -> Result<Option<&'static str>, String> {
        let mut words = None;
        if !self.shell.is_alive() && chance.percent(50) {
            self.restart(faults.crashes, chance)?;
            words = Some("a cell starts again");
        }
        match chance.below(100) {
            0..=34 => {
                let rows = self.some_rows(now, chance);
                let batch = self.rows(rows, chance)?;
                self.ask(batch, now, faults, chance)?;
            }
            35..=54 => {
                let send = self.some_transfer(chance);
                self.ask(send, now, faults, chance)?;
            }
            55..=64 => self.repeat(now)?,
            65..=72 if faults.crashes => {
                if chance.percent(60) {
                    self.shell.disk.lose_power_after(chance.below(6));
                    words = Some("a cell's power will go");
                } else {
                    self.shell.kill();
                    words = Some("a cell is killed");
                }
            }
            73..=76 if faults.disk => {
                let capacity = chance.percent(50).then_some(0);
                self.shell.disk.set_capacity(capacity);
                words = Some("a cell's disk fills up, or has room");
            }
            77..=80 if self.shell.is_alive() => self.shell.snapshot(),
            _ => {}
        }
        Ok(words)
    }

    /// Asks as a client does: what gets no answer is asked again later, what got one too, now and then.
    fn ask(
        &mut self,
        submission: Submission,
        now: Timestamp,
        faults: &Faults,
        chance: &mut Chance,
    ) -> Result<(), String> {
        match self.give(submission.clone(), now)? {
            Reply::Taken { .. } if faults.lost_replies && chance.percent(20) => self.unsure.push(submission),
            Reply::Taken { seq, .. } => {
                self.answered.push_back((submission, seq));
                if self.answered.len() > ANSWERED_MAX {
                    self.answered.pop_front();
                }
            }
            Reply::Refused(_) => {}
            Reply::NoRoom | Reply::Dead => self.unsure.push(submission),
        }
        Ok(())
    }

    /// What was answered comes again, and is answered the same.
    fn repeat(&mut self, now: Timestamp) -> Result<(), String> {
        self.ask_unsure(now)?;
        let Some((submission, seq)) = self.answered.pop_front() else { return Ok(()) };
        let id = submission.id;
        match self.give(submission, now)? {
            Reply::Taken { seq: again, is_repeat: true } if again == seq => Ok(()),
            Reply::NoRoom | Reply::Dead => Ok(()),
            reply => Err(format!("{id} of a cell came again and was answered {reply:?}, entry {seq} before")),
        }
    }

    fn ask_unsure(&mut self, now: Timestamp) -> Result<(), String> {
        for submission in std::mem::take(&mut self.unsure) {
            match self.give(submission.clone(), now)? {
                Reply::Taken { .. } | Reply::Refused(_) => {}
                Reply::NoRoom | Reply::Dead => self.unsure.push(submission),
            }
        }
        Ok(())
    }

    /// Transfers of every kind, some linked, some dated back, some beyond what is there.
    fn some_rows(&self, now: Timestamp, chance: &mut Chance) -> Vec<Row> {
        let count = chance.between(1, 9);
        let mut rows: Vec<Row> = (0..count)
            .map(|_| {
                let (from, to) = (chance.below(ACCOUNTS), chance.between(1, ACCOUNTS.saturating_sub(1)));
                let to = from.saturating_add(to).checked_rem(ACCOUNTS).unwrap_or(0);
                let most = if chance.percent(25) { FUNDS.saturating_mul(3) } else { FUNDS / 10 };
                let amount = sum(chance.between(1, most));
                let sizing = match chance.below(10) {
                    0..=5 => Sizing::Exact(amount),
                    6..=8 => Sizing::UpTo(amount),
                    _ => Sizing::AllAvailable(ASSET),
                };
                let back = matches!(sizing, Sizing::Exact(_)) && chance.percent(30);
                let row = transfer(chance, account(from), account(to), sizing);
                let effective_at = back.then(|| now.minus_ms(chance.between(1, 600_000)));
                let command = ledger::Command::Transfer(Transfer { effective_at, ..row });
                Row { is_linked: chance.percent(35), command }
            })
            .collect();
        if let Some(last) = rows.last_mut() {
            last.is_linked = false;
        }
        rows
    }

    /// To an account of the other cell, now and then one that is not there.
    fn some_transfer(&self, chance: &mut Chance) -> Submission {
        let transfer = NewTransfer {
            id: TransferId::new(chance.number()),
            from: account(chance.below(ACCOUNTS)),
            to: Place { cell: self.other(), account: account(chance.below(ACCOUNTS.saturating_add(1))) },
            amount: sum(chance.between(1, FUNDS / 8)),
            memo: Memo::clip("between cells"),
        };
        staff(CommandId::new(chance.number() | 1), Command::Cells(cells::Command::Send(transfer)))
    }

    /// The driver: asks the other cell to take what is on its way, and reports its answers here.
    fn carry_to(
        &mut self,
        to: &mut Self,
        now: Timestamp,
        faults: Option<&Faults>,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let network = faults.map(|faults| faults.network);
        let mut fails = |happens: bool, percent: u64| happens && chance.percent(percent);
        let loses = network.is_some_and(|network| network.loses);
        let repeats = network.is_some_and(|network| network.repeats);
        let on_the_way: Vec<(TransferId, NewTransfer)> =
            self.shell.bank.cells().outgoing().map(|(id, out)| (id, out.transfer.clone())).collect();
        for (id, transfer) in on_the_way {
            if !self.shell.is_alive() || self.forgotten.contains(&id) {
                continue;
            }
            let NewTransfer { to: Place { account, .. }, amount, memo, .. } = transfer;
            let incoming = Incoming { from: self.number, id, account, amount, memo };
            let mut outcome = None;
            if !fails(loses, 15) {
                outcome = to.receive(&incoming, now)?;
            }
            if fails(repeats, 15) {
                to.receive(&incoming, now)?;
            }
            if fails(loses, 15) {
                outcome = None;
                if self.shell.has(Defect::ReceiveAsNew) {
                    let id = TransferId::new(id.value().wrapping_add(1));
                    outcome = to.receive(&Incoming { id, ..incoming.clone() }, now)?;
                }
            }
            if outcome.is_none() && self.shell.has(Defect::GiveBackOnSilence) {
                outcome = Some(Outcome::Declined(DeclineReason::Refused));
            }
            let Some(outcome) = outcome else { continue };
            let command = Command::Cells(cells::Command::ReportOutcome { id, outcome });
            let report = Submission { id: CommandId::new(0), actor: Actor::System, command };
            if let Reply::Refused(refusal) = self.give(report, now)? {
                return Err(format!("{id} ended, and cell {} says: {refusal}", self.number));
            }
        }
        Ok(())
    }

    /// Is asked to take a transfer; answers with its answer, where one comes.
    fn receive(&mut self, incoming: &Incoming, now: Timestamp) -> Result<Option<Outcome>, String> {
        let command = Command::Cells(cells::Command::Receive(incoming.clone()));
        let actor = Actor::Cell(incoming.from.number());
        match self.give(Submission { id: CommandId::new(0), actor, command }, now)? {
            Reply::Taken { .. } => Ok(self.shell.bank.cells().answered(incoming.from, incoming.id)),
            Reply::Refused(refusal) => Err(format!("{} is not taken: {refusal}", incoming.id)),
            Reply::NoRoom | Reply::Dead => Ok(None),
        }
    }

    /// Power back, journal opened, state rebuilt; the power may go again meanwhile.
    fn restart(&mut self, crashes: bool, chance: &mut Chance) -> Result<(), String> {
        if self.shell.has(Defect::ForgetOutgoing) {
            self.forgotten = self.shell.bank.cells().outgoing().map(|(id, _)| id).collect();
        }
        self.shell.disk.set_capacity(None);
        for attempt in 0..STARTS_MAX {
            let mode = chance.below(3);
            self.shell.disk.lose_power();
            self.shell.disk.restore_power(|_| match mode {
                0 => false,
                1 => true,
                _ => chance.percent(50),
            });
            if crashes && attempt.saturating_add(1) < STARTS_MAX && chance.percent(25) {
                self.shell.disk.lose_power_after(chance.below(3));
            }
            match self.shell.start() {
                Ok(()) => return self.observer.after_restart(&mut self.shell),
                Err(JournalError::Io(_)) => {}
                Err(error) => return Err(format!("cell {} cannot start again: {error}", self.number)),
            }
        }
        Err(format!("cell {} cannot start again at all", self.number))
    }

    fn entries(&self) -> impl Iterator<Item = Result<JournalEntry, String>> + '_ {
        self.observer.each().map(|bytes| JournalEntry::from_bytes(bytes).map_err(|error| error.to_string()))
    }

    fn naive(&self) -> Result<Naive, String> {
        let mut naive = Naive::default();
        for entry in self.entries() {
            naive.entry(&entry?, &self.asked)?;
        }
        if naive.rows == 0 { Err("no rows were taken".to_owned()) } else { Ok(naive) }
    }

    /// Every transfer that was ever on its way from here.
    fn sent(&self) -> Result<Vec<TransferId>, String> {
        let mut sent = Vec::new();
        for entry in self.entries() {
            if let Command::Cells(cells::Command::Send(transfer)) = entry?.command {
                sent.push(transfer.id);
            }
        }
        Ok(sent)
    }
}

fn staff(id: CommandId, command: Command) -> Submission {
    Submission { id, actor: Actor::Operator(Text::clip("cells")), command }
}

fn transfer(chance: &mut Chance, debit: AccountId, credit: AccountId, sizing: Sizing) -> Transfer {
    Transfer { id: EntryId::new(chance.number() >> 2), debit, credit, sizing, ..Transfer::default() }
}
