//! The forms that must stay readable for ever: journal entries of every kind, and the state they lead to.
//!
//! `UPDATE_EXPECT=1` writes new kinds into the golden file. A line that changes is a broken promise to every journal that exists: give the
//! changed thing a new number instead.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bank::{Bank as State, Command, JournalEntry, Submission};
use identity::Actor;
use jinku::opening::books;
use jinku::serve;
use journal::Reader;
use ledger::{AccountKind, Batch, JournalMark, Row, Sizing, Tenant, Threshold, Transfer};
use money::{AccountId, Amount, Asset, CommandId, EntryId, MonitorId, Text, Timestamp, TransferId};
use node::ManualClock;

use crate::support::{self, Bank};

const DAY_MS: u64 = 86_400_000;

/// Hash of the state after the whole history. It changes with the form of the state: then the version in `bank::snapshot` grows too.
const STATE: &str = "ba52f96f95109f830ee4cd130e42af87a3de02d66ffae7e632cae9affacf87d4";

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/entries.txt"))
}

/// What a value is, without what it holds.
fn kind(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let named = words.take_while(|word| word.starts_with(char::is_uppercase) && *word != "CNY");
    named.take(3).collect::<Vec<_>>().join(".")
}

/// Goes on with books of a tenant: what no customer and no rail leads to.
fn keep_books(bank: &Bank) {
    let now = Timestamp::from_ms(support::NOW.ms() + DAY_MS);
    let node = serve::start_node(&bank.installation, Arc::new(ManualClock::new(now))).unwrap();
    let (till, safe) = (AccountId::new(1 << 84), AccountId::new((1 << 84) | 1));
    let yuan = |minor| Amount::new(Asset::CNY, minor);
    let (staff, tenant) = (Actor::Operator(Text::clip("golden")), Actor::Tenant(7));
    let open = |id| ledger::Command::OpenAccount {
        id,
        kind: AccountKind::Customer,
        asset: Asset::CNY,
        tenant: Some(Tenant::new(7)),
        opened_at: Some(Timestamp::from_ms(support::NOW.ms() - DAY_MS)),
    };
    let transfer = |id: u128, debit, credit, sizing| {
        // The first two are dated back.
        let effective_at = Some(support::NOW).filter(|_| id < 3);
        let (id, memo) = (EntryId::new((1 << 90) | id), Text::clip("书"));
        Transfer { id, debit, credit, sizing, effective_at, reference: Some(7), memo }
    };
    let rows = [
        (false, transfer(1, books().reserve, till, Sizing::Exact(yuan(10_000)))),
        (true, transfer(3, till, safe, Sizing::UpTo(yuan(5_000)))),
        (false, transfer(5, safe, till, Sizing::AllAvailable(Asset::CNY))),
        (false, transfer(7, safe, till, Sizing::Exact(yuan(1)))),
    ];
    let mut batch = Batch::default();
    for (is_linked, transfer) in rows {
        batch.push(&Row { is_linked, command: ledger::Command::Transfer(transfer) }).unwrap();
    }
    let reverse = ledger::Command::Reverse {
        id: EntryId::new((1 << 90) | 9),
        of: EntryId::new((1 << 90) | 1),
        memo: Text::clip("twice"),
    };
    let mut reversal = Batch::default();
    reversal.push(&Row { is_linked: false, command: reverse }).unwrap();
    let (low, high) = (MonitorId::new(1), MonitorId::new(2));
    let watch = |id, threshold| ledger::Command::SetMonitor { id, account: till, threshold };
    let head = node.handle().status().durable;
    let mark = JournalMark { seq: head.seq, hash: *head.hash.as_bytes() };
    let through = Timestamp::from_ms(support::NOW.ms() + DAY_MS / 2);
    let capped = transfer(2, till, safe, Sizing::UpTo(yuan(1_000)));
    let commands = [
        (&tenant, Command::Ledger(open(till))),
        (&staff, Command::Ledger(open(safe))),
        (&staff, Command::LedgerBatch(batch)),
        (&tenant, Command::Ledger(watch(low, Threshold::Below(yuan(9_500))))),
        (&tenant, Command::Ledger(watch(high, Threshold::AtLeast(yuan(20_000))))),
        (&tenant, Command::Ledger(ledger::Command::Transfer(capped))),
        (&staff, Command::Ledger(ledger::Command::NoticeDelivered { id: low, number: 1 })),
        (&tenant, Command::Ledger(ledger::Command::RemoveMonitor { id: high })),
        (&staff, Command::Ledger(ledger::Command::Seal { through, mark })),
        (
            &tenant,
            Command::Ledger(ledger::Command::Transfer(transfer(11, safe, till, Sizing::Exact(yuan(1_000))))),
        ),
        (&staff, Command::LedgerBatch(reversal)),
    ];
    for (number, (actor, command)) in (1..).zip(commands) {
        let submission = Submission { id: CommandId::new((1 << 99) | number), actor: actor.clone(), command };
        node.handle().submit(submission).unwrap();
    }
}

/// Goes on as one of several cells, with both halves of transfers and both ways they end.
fn be_a_cell(bank: &Bank) {
    use cells::{CellNumber, Command as C, DeclineReason, Incoming, NewTransfer, Outcome, Place};
    let now = Timestamp::from_ms(support::NOW.ms() + 2 * DAY_MS);
    let node = serve::start_node(&bank.installation, Arc::new(ManualClock::new(now))).unwrap();
    let (till, other) = (AccountId::new(1 << 84), CellNumber::new(2));
    let (staff, cell) = (Actor::Operator(Text::clip("golden")), Actor::Cell(2));
    let (amount, more) = (Amount::new(Asset::CNY, 100), Amount::new(Asset::CNY, 1_000));
    let id = |number: u128| TransferId::new((1 << 98) | number);
    let send = |number| {
        let (to, memo) = (Place { cell: other, account: till }, Text::clip("跨单元"));
        C::Send(NewTransfer { id: id(number), from: till, to, amount, memo })
    };
    let receive = |number, account| {
        C::Receive(Incoming {
            from: other,
            id: id(number),
            account,
            amount: more,
            memo: Text::clip("跨单元"),
        })
    };
    let declined = Outcome::Declined(DeclineReason::AccountUnknown);
    let commands = [
        (&staff, C::OpenCell { number: CellNumber::new(1) }),
        (&staff, C::AddPeer { peer: other, asset: Asset::CNY }),
        (&cell, receive(1, till)),
        (&cell, receive(2, AccountId::new(1 << 83))),
        (&staff, send(1)),
        (&staff, send(2)),
        (&Actor::System, C::ReportOutcome { id: id(1), outcome: Outcome::Received }),
        (&Actor::System, C::ReportOutcome { id: id(2), outcome: declined }),
        (&staff, send(3)),
    ];
    for (number, (actor, command)) in (1..).zip(commands) {
        let id = CommandId::new((1 << 98) | number);
        let submission = Submission { id, actor: actor.clone(), command: Command::Cells(command) };
        node.handle().submit(submission).unwrap();
    }
}

fn entries(bank: &Bank) -> (BTreeMap<String, String>, String) {
    let mut reader = Reader::open(&bank.folder().join("journal"), 1).unwrap();
    let (mut kinds, mut state) = (BTreeMap::new(), State::default());
    while let Some(record) = reader.next().unwrap() {
        let entry = JournalEntry::from_bytes(&record.bytes).unwrap();
        assert_eq!(entry.to_bytes(), record.bytes);
        state.apply(record.seq, &entry);
        let events: Vec<String> = entry.events.iter().map(kind).collect();
        let name = format!("{}>{}", kind(&entry.command), events.join("+"));
        kinds.entry(name).or_insert_with(|| hex::encode(&record.bytes));
    }
    (kinds, state.state_hash().to_string())
}

#[test]
fn entries_and_state_keep_their_forms() {
    let bank = Bank::with_history("golden");
    keep_books(&bank);
    be_a_cell(&bank);
    let (kinds, state) = entries(&bank);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let lines: String = kinds.iter().map(|(name, bytes)| format!("{name} {bytes}\n")).collect();
        std::fs::create_dir_all(file().parent().unwrap()).unwrap();
        std::fs::write(file(), lines).unwrap();
        println!("state {state}");
    }
    let text = std::fs::read_to_string(file()).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let (name, bytes) = line.split_once(' ').unwrap();
        let bytes = hex::decode(bytes).unwrap();
        let entry = JournalEntry::from_bytes(&bytes).unwrap();
        assert_eq!(entry.to_bytes(), bytes, "{name} is written otherwise than it was");
        assert!(kinds.contains_key(name), "nothing is a {name} any more");
        count += 1;
    }
    assert!(count > 15, "{count} kinds");
    assert_eq!(state, STATE);
}
