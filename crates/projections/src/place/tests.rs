#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

use std::path::PathBuf;

use bank::{BodyHash, Command, Event, JournalEntry};
use identity::{Actor, Locale, Phone};
use journal::{FileJournal, Options};
use ledger::{Batch, BatchOutcome, Change, Entry, Leg, Memo, Row, Sizing, Transfer};
use money::{AccountId, Amount, Asset, CommandId, CustomerId, EntryId, PaymentId, Text};
use node::DurableGroup;
use payments::{AccountNumber, BankNumber, Counterparty, Kind, Payment, PaymentState, Rail};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::project::State;
use crate::schema;

/// Small segments, so that the journal has several.
const SEGMENT_BYTES: u64 = 1 << 16;
const TABLES: [&str; 9] = [
    "profile",
    "customers",
    "accounts",
    "payments",
    "movements",
    "movement_ids",
    "feed",
    "open_rounds",
    "sessions",
];

/// A journal that grows by groups, and a tail that they go into.
struct Bank {
    folder: PathBuf,
    journal: FileJournal,
    tail: Tail,
    entries: u64,
}

impl Bank {
    fn new(name: &str, bytes_max: usize) -> Self {
        let folder = std::env::temp_dir().join(format!("jinku-place-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let options = Options { segment_bytes: SEGMENT_BYTES, ..Options::default() };
        let (journal, _) = FileJournal::open(&folder, &options).unwrap();
        Self { folder, journal, tail: Tail::new(bytes_max), entries: 0 }
    }

    /// Makes groups of so many entries durable and hands them over.
    fn grow(&mut self, groups: &[u64]) {
        for count in groups {
            let entries: Vec<_> = (self.entries..self.entries + count).map(entry).collect();
            self.entries += count;
            let records: Vec<_> = entries.iter().map(JournalEntry::to_bytes).collect();
            let head = self.journal.append(&records).unwrap();
            let bytes = records.iter().map(Vec::len).sum();
            self.tail.push(DurableGroup::new(entries, head, bytes).unwrap());
        }
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Read models in memory.
struct Model {
    connection: Connection,
    state: State,
    place: Place,
}

impl Model {
    fn new(bank: &Bank) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        schema::prepare(&connection).unwrap();
        let place = Place::new(&bank.folder, 0, Hash::default(), Timestamp::from_ms(0));
        Self { connection, state: State::default(), place }
    }

    /// Takes so many steps at most; answers with how many groups came from memory and how many records were read back.
    fn follow(&mut self, tail: &Tail, durable: u64, steps: usize) -> (usize, usize) {
        let mut projecting = Projecting::new(&self.connection, &mut self.state).unwrap();
        let (mut handed, mut read) = (0, 0);
        for _ in 0..steps {
            if self.place.go_on(&mut projecting, tail, durable).unwrap().is_none() {
                break;
            }
            if self.place.reader.is_some() { read += 1 } else { handed += 1 }
        }
        projecting.end().unwrap();
        (handed, read)
    }

    fn rows(&self) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        for table in TABLES {
            let mut statement =
                self.connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let columns = statement.column_count();
            let found = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
            rows.extend(found.unwrap().map(Result::unwrap));
        }
        rows
    }
}

const ALL: usize = usize::MAX;

/// The same as everything read from the journal.
fn check(bank: &Bank, model: &Model) {
    let mut other = Model::new(bank);
    let nothing = Tail::new(0);
    let (handed, read) = other.follow(&nothing, bank.entries, ALL);
    assert_eq!((handed, u64::try_from(read).unwrap()), (0, bank.entries));
    assert_eq!(model.rows(), other.rows());
    assert_eq!(model.state.log.head(), other.state.log.head());
    let ends = |model: &Model| (model.place.seq, model.place.hash, model.place.recorded_at);
    assert_eq!(ends(model), ends(&other));
    assert_eq!(model.place.hash, bank.journal.head().hash);
    assert!(model.state.log.len() > bank.entries, "movements of payments and of rows");
}

fn account(number: u64) -> AccountId {
    AccountId::new(u128::from(number) + 100)
}

/// The entry after so many: two customers with accounts, then payments between them and batches of rows.
fn entry(before: u64) -> JournalEntry {
    let (id, at) = (u128::from(before), Timestamp::from_ms(1_000_000 + before));
    let amount = Amount::new(Asset::CNY, 100 + id);
    let customer = |number: u64| CustomerId::new(u128::from(number) + 10);
    let mut command = Command::Tick;
    let events = match before {
        0 | 1 => vec![
            Event::Identity(identity::Event::Enrolled {
                customer: customer(before),
                name: Text::clip("王小明"),
                phone: Phone::new("+8613800000000").unwrap(),
                locale: Locale::Zh,
            }),
            Event::Payments(payments::Event::AccountOpened {
                customer: customer(before),
                account: account(before),
                number: AccountNumber::new(&format!("62220000000{before}")).unwrap(),
                asset: Asset::CNY,
            }),
            changed(Entry {
                id: EntryId::new(1 << 90 | id),
                legs: vec![
                    Leg::debit(account(7), Amount::new(Asset::CNY, 1 << 40)),
                    Leg::credit(account(before), Amount::new(Asset::CNY, 1 << 40)),
                ],
                effective_at: None,
                reference: None,
                memo: Memo::clip("opening"),
            }),
        ],
        _ if before.is_multiple_of(5) => {
            let (batch, outcome) = rows(id);
            command = Command::LedgerBatch(batch);
            vec![Event::LedgerBatch(outcome)]
        }
        _ => {
            let payment = Payment {
                id: PaymentId::new(id),
                kind: Kind::Transfer,
                customer: Some(customer(0)),
                account: Some(account(0)),
                counterparty: Counterparty {
                    name: Text::clip("王小明"),
                    account: AccountNumber::new("622200000001").unwrap(),
                    bank: BankNumber::new("313100000013").unwrap(),
                },
                amount,
                fee: Amount::zero(Asset::CNY),
                rail: Rail::Internal,
                note: Text::clip("rent"),
                created_at: at,
                state: PaymentState::Done,
                received_as: None,
            };
            let entry = Entry {
                id: EntryId::new(id),
                legs: vec![Leg::debit(account(0), amount), Leg::credit(account(1), amount)],
                effective_at: None,
                reference: Some(before),
                memo: Memo::default(),
            };
            vec![Event::Payments(payments::Event::Created(payment)), changed(entry)]
        }
    };
    let (id, body) = (CommandId::new(id), BodyHash::of(&command));
    JournalEntry { epoch: 1, recorded_at: at, actor: Actor::System, id, body, command, events }
}

fn changed(entry: Entry) -> Event {
    let change = Change { entry: Some(entry), ..Change::default() };
    Event::Ledger(ledger::Event::Changed { change, reverses: None })
}

/// Four transfers, each taken.
fn rows(id: u128) -> (Batch, BatchOutcome) {
    let mut batch = Batch::default();
    for number in 0..4 {
        let command = ledger::Command::Transfer(Transfer {
            id: EntryId::new(1 << 80 | id << 8 | number),
            debit: account(0),
            credit: account(1),
            sizing: Sizing::Exact(Amount::new(Asset::CNY, 1 + number)),
            effective_at: None,
            reference: None,
            memo: Memo::default(),
        });
        batch.push(&Row { is_linked: false, command }).unwrap();
    }
    (batch, BatchOutcome::default())
}

#[test]
fn what_is_handed_over_makes_the_same_rows() {
    let mut bank = Bank::new("same", 1 << 20);
    let mut model = Model::new(&bank);
    bank.grow(&[1, 4, 30, 2]);
    assert_eq!(model.follow(&bank.tail, bank.entries, ALL), (4, 0));
    bank.grow(&[100, 1]);
    assert_eq!(model.follow(&bank.tail, bank.entries, ALL), (2, 0));
    check(&bank, &model);
}

#[test]
fn who_lags_past_the_bound_reads_the_journal_and_comes_back() {
    // Room for a few entries only: a payment has some hundred bytes.
    let mut bank = Bank::new("lag", 4_000);
    let mut model = Model::new(&bank);
    bank.grow(&[2, 3]);
    assert_eq!(model.follow(&bank.tail, bank.entries, ALL), (2, 0));
    bank.grow(&[3; 40]);
    let (handed, read) = model.follow(&bank.tail, bank.entries, ALL);
    assert!(handed > 0 && read > 80, "{handed} groups handed over, {read} records read back");
    bank.grow(&[3, 3]);
    assert_eq!(model.follow(&bank.tail, bank.entries, ALL), (2, 0));
    // Again, now with a journal that is read from the middle, and stopped within a group.
    bank.grow(&[3; 40]);
    assert_eq!(model.follow(&bank.tail, bank.entries, 5), (0, 5));
    bank.grow(&[200, 3]);
    let (handed, read) = model.follow(&bank.tail, bank.entries, ALL);
    assert!(handed > 0 && read > 300, "{handed} groups handed over, {read} records read back");
    check(&bank, &model);
}

#[test]
fn a_start_reads_the_journal_until_it_meets_what_is_handed_over() {
    let mut bank = Bank::new("start", 1 << 20);
    bank.grow(&[2, 20, 7]);
    // Whoever follows from now on has nothing of that in memory.
    bank.tail = Tail::new(1 << 20);
    let mut model = Model::new(&bank);
    assert_eq!(model.follow(&bank.tail, bank.entries, 5), (0, 5));
    bank.grow(&[4, 4]);
    let (handed, read) = model.follow(&bank.tail, bank.entries, ALL);
    assert_eq!((handed, read), (2, 24));
    check(&bank, &model);
}

#[test]
fn a_group_is_taken_from_where_it_was_read_to() {
    let mut bank = Bank::new("within", 1 << 20);
    bank.grow(&[10, 5]);
    let mut model = Model::new(&bank);
    assert_eq!(model.follow(&Tail::new(0), bank.entries, 4), (0, 4));
    assert_eq!(model.follow(&bank.tail, bank.entries, ALL), (2, 0));
    check(&bank, &model);
}

#[test]
fn what_is_not_durable_is_not_taken() {
    let mut bank = Bank::new("durable", 1 << 20);
    bank.grow(&[3, 3]);
    let mut model = Model::new(&bank);
    assert_eq!(model.follow(&bank.tail, 3, ALL), (1, 0));
    assert_eq!(model.place.seq, 3);
    assert_eq!(model.follow(&Tail::new(0), 3, ALL), (0, 0));
    assert_eq!(model.follow(&bank.tail, 6, ALL), (1, 0));
    check(&bank, &model);
}

#[test]
fn a_journal_of_another_chain_is_refused() {
    let mut bank = Bank::new("chain", 1 << 20);
    bank.grow(&[3]);
    let mut model = Model::new(&bank);
    model.follow(&bank.tail, 3, ALL);
    model.place.hash = Hash::new([1; 32]);
    bank.grow(&[1]);
    let mut projecting = Projecting::new(&model.connection, &mut model.state).unwrap();
    let refused = model.place.go_on(&mut projecting, &Tail::new(0), bank.entries);
    assert!(matches!(refused, Err(ProjectionError::Entry { seq: 4, .. })), "{refused:?}");
}
