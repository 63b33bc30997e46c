//! Journals and snapshots of every released format are kept here as they were written, and replay for ever.
//!
//! Each folder of `tests/golden/kept/` is a small bank: its segments (`journal.runs`: the bytes, without their zeros), a snapshot from the middle
//! of its life as the file was, its configuration, its signed checkpoint, and `books.txt`: what its books said when it was written. The
//! form of the state may change with the program; what the books say may not. A folder is never changed: a new format adds one.
//!
//! `KEEP_GOLDEN=name` makes the folder `name` from a bank with a month of history and every kind of change of the ledger.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bank::{Bank as State, JournalEntry, Submission};
use identity::Actor;
use jinku::audit::audit;
use jinku::config::Installation;
use jinku::opening::books;
use jinku::process::Scratch;
use jinku::serve;
use journal::Reader;
use ledger::{
    AccountKind, Balance, Batch, Change, Entry, HoldEnd, HoldOutcome, JournalMark, Leg, NewHold, Row, Sizing,
    Tenant, Threshold, Transfer,
};
use money::{AccountId, Amount, Asset, CommandId, EntryId, HoldId, MonitorId, Text, Timestamp};
use node::{Handle, ManualClock};

use crate::support::{self, Bank};

/// A key of a bank that exists in this test only; its checkpoint is signed with it.
const LOG_SEED: &str = "6a696e6b752d6b6570742d676f6c64656e2d6c6f672d736565642d3030303031";
const DAY_MS: u64 = 86_400_000;
/// Runs of zeros shorter than this are written out.
const ZEROS_MIN: usize = 8;

fn kept() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/kept"))
}

/// Bytes without their zeros: again and again number of zeros (4), number of bytes (4), bytes.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let zeros = bytes[at..].iter().take_while(|byte| **byte == 0).count();
        let start = at + zeros;
        let mut end = start;
        while end < bytes.len() {
            let gap = bytes[end..].iter().take_while(|byte| **byte == 0).count();
            if gap >= ZEROS_MIN || end + gap == bytes.len() {
                break;
            }
            end += gap + 1;
        }
        out.extend(u32::try_from(zeros).unwrap().to_be_bytes());
        out.extend(u32::try_from(end - start).unwrap().to_be_bytes());
        out.extend(&bytes[start..end]);
        at = end;
    }
    out
}

fn unpack(mut packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while !packed.is_empty() {
        let number =
            |at: usize| usize::try_from(u32::from_be_bytes(packed[at..at + 4].try_into().unwrap())).unwrap();
        let (zeros, bytes) = (number(0), number(4));
        out.resize(out.len() + zeros, 0);
        out.extend(&packed[8..8 + bytes]);
        packed = &packed[8 + bytes..];
    }
    out
}

/// All segments of a folder in one file: name (28), bytes of what is packed (4), packed.
fn pack_journal(folder: &Path) -> Vec<u8> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".seg"))
        .collect();
    names.sort();
    let mut out = Vec::new();
    for name in names {
        let packed = pack(&fs::read(folder.join(&name)).unwrap());
        out.extend(format!("{name:>40}").bytes());
        out.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
        out.extend(packed);
    }
    out
}

fn unpack_journal(mut packed: &[u8], folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    while !packed.is_empty() {
        let name = std::str::from_utf8(&packed[..40]).unwrap().trim();
        let len = usize::try_from(u32::from_be_bytes(packed[40..44].try_into().unwrap())).unwrap();
        fs::write(folder.join(name), unpack(&packed[44..44 + len])).unwrap();
        packed = &packed[44 + len..];
    }
}

#[test]
fn packing_gives_the_same_bytes_back() {
    for bytes in [
        vec![],
        vec![0; 100],
        vec![1; 9],
        [vec![0; 9], vec![7], vec![0; 3], vec![8], vec![0; 8], vec![9], vec![0; 20]].concat(),
    ] {
        assert_eq!(unpack(&pack(&bytes)), bytes);
    }
}

/// What the books say, in words that do not depend on any encoding of the state.
fn what_the_books_say(folder: &Path, state: &State) -> String {
    let mut reader = Reader::open(&folder.join("journal"), 1).unwrap();
    let mut times = Vec::new();
    let mut head = None;
    while let Some(record) = reader.next().unwrap() {
        times.push(JournalEntry::from_bytes(&record.bytes).unwrap().recorded_at);
        head = Some((record.seq, record.hash));
    }
    let (seq, hash) = head.unwrap();
    let mut out = format!("head {seq} {hash}\n");
    let say = |balance: &Balance| {
        let sign = if balance.is_overdrawn { "-" } else { "" };
        format!("{sign}{}", balance.posted)
    };
    let ledger = state.ledger();
    let marks: Vec<Timestamp> = [1, 2, 3].map(|quarter| times[times.len() * quarter / 4]).to_vec();
    let mut accounts: Vec<_> = ledger.accounts().map(|(id, account)| (id.value(), account)).collect();
    accounts.sort_by_key(|(id, _)| *id);
    for (id, account) in accounts {
        let id = AccountId::new(id);
        let balance = account.balance();
        let past: Vec<String> = marks
            .iter()
            .flat_map(|at| [ledger.balance_recorded(id, *at), ledger.balance_effective(id, *at)])
            .map(|balance| say(&balance.unwrap()))
            .collect();
        let (kind, open) = (account.kind(), if account.is_open() { "open" } else { "closed" });
        let (posted, held, available) = (say(&balance), balance.held, balance.available);
        writeln!(
            out,
            "{id} {kind:?} {open}: {posted}, held {held}, available {available}; before: {}",
            past.join(", ")
        )
        .unwrap();
    }
    for (asset, debits, credits) in ledger.trial_balance() {
        writeln!(out, "{asset}: debits {debits}, credits {credits}").unwrap();
    }
    let mut holds: Vec<String> =
        ledger.holds().map(|(id, hold)| format!("{id} {} {}", hold.account, hold.amount)).collect();
    holds.sort();
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    for payment in state.payments().payments() {
        let words = format!("{:?}", payment.state);
        let name = words.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        *states.entry(name).or_default() += 1;
    }
    let (accounts, entries, open_holds) = ledger.counts();
    writeln!(out, "{accounts} accounts, {entries} entries, {open_holds} holds {}", holds.join(" ")).unwrap();
    writeln!(out, "payments {states:?}, accounts of customers {}", state.payments().accounts_count())
        .unwrap();
    let (cases, rounds, days) = (
        state.settlement().open_cases().count(),
        state.settlement().rounds().count(),
        state.settlement().days().count(),
    );
    writeln!(
        out,
        "{cases} cases, {rounds} rounds, {days} days, {} effects outstanding",
        state.outstanding().count()
    )
    .unwrap();
    writeln!(out, "identity {:?}", state.identity().counts()).unwrap();
    out
}

/// Puts a kept bank into a folder as it was, with or without its snapshot.
fn lay_out(kept: &Path, folder: &Path, with_snapshot: bool) -> Installation {
    fs::create_dir_all(folder.join("keys")).unwrap();
    fs::copy(kept.join("bank.json"), folder.join("bank.json")).unwrap();
    let seed = folder.join("keys/log.seed");
    fs::write(&seed, format!("{LOG_SEED}\n")).unwrap();
    fs::set_permissions(&seed, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::copy(kept.join("checkpoint.note"), folder.join("checkpoint.note")).unwrap();
    unpack_journal(&fs::read(kept.join("journal.runs")).unwrap(), &folder.join("journal"));
    let snapshots = folder.join("snapshots");
    fs::create_dir_all(&snapshots).unwrap();
    for file in fs::read_dir(kept).unwrap() {
        let path = file.unwrap().path();
        if with_snapshot && path.extension().is_some_and(|end| end == "snapshot") {
            fs::copy(&path, snapshots.join(path.file_name().unwrap())).unwrap();
        }
    }
    Installation::open(folder).unwrap()
}

fn banks() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(kept()).unwrap().map(|file| file.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty(), "no bank is kept");
    found
}

fn expected(kept: &Path) -> String {
    fs::read_to_string(kept.join("books.txt")).unwrap()
}

#[test]
fn every_kept_journal_replays_to_the_same_books() {
    for kept in banks() {
        let scratch = Scratch::new(None, "kept-replay").unwrap();
        let installation = lay_out(&kept, &scratch.path().join("bank"), false);
        let recovered = node::recover(&installation.folder).unwrap();
        assert_eq!(recovered.from_snapshot, 0);
        assert_eq!(recovered.bank.broken_invariants(), Vec::<String>::new(), "{}", kept.display());
        assert_eq!(
            what_the_books_say(&installation.folder, &recovered.bank),
            expected(&kept),
            "{}",
            kept.display()
        );
    }
}

/// The format may have moved on; then the snapshot is passed over. What must not be is that it is read as something else.
#[test]
fn every_kept_snapshot_is_read_or_passed_over() {
    for kept in banks() {
        let scratch = Scratch::new(None, "kept-snapshot").unwrap();
        let installation = lay_out(&kept, &scratch.path().join("bank"), true);
        let recovered = node::recover(&installation.folder).unwrap();
        let name = format!("state-{:020}.snapshot", recovered.from_snapshot);
        assert!(recovered.from_snapshot == 0 || kept.join(name).is_file(), "{}", kept.display());
        assert_eq!(
            what_the_books_say(&installation.folder, &recovered.bank),
            expected(&kept),
            "{}",
            kept.display()
        );
        let whole = lay_out(&kept, &scratch.path().join("whole"), false);
        let whole = node::recover(&whole.folder).unwrap().bank;
        assert_eq!(recovered.bank.state_hash(), whole.state_hash(), "{}", kept.display());
    }
}

/// The same commands decide as they did, every signature holds, and the checkpoint that the bank signed then fits.
#[test]
fn every_kept_bank_passes_an_audit() {
    for kept in banks() {
        let scratch = Scratch::new(None, "kept-audit").unwrap();
        let installation = lay_out(&kept, &scratch.path().join("bank"), true);
        let findings = audit(&installation.folder).unwrap();
        assert_eq!(findings.failed, Vec::<String>::new(), "{}", kept.display());
        assert!(findings.passed.iter().any(|line| line.contains("checkpoint")), "{:?}", findings.passed);
    }
}

/// It goes on from where the old program stopped.
#[test]
fn every_kept_bank_starts_and_takes_commands() {
    for kept in banks() {
        let scratch = Scratch::new(None, "kept-start").unwrap();
        let installation = lay_out(&kept, &scratch.path().join("bank"), true);
        let before = node::recover(&installation.folder).unwrap().bank.seq();
        {
            let node = serve::start_node(&installation, Arc::new(ManualClock::new(support::NOW))).unwrap();
            give(&node.handle(), 9_000, open(9_000, AccountKind::Customer));
        }
        let after = node::recover(&installation.folder).unwrap().bank;
        assert!(after.seq() > before && after.ledger().account(account(9_000)).is_some());
        assert_eq!(audit(&installation.folder).unwrap().failed, Vec::<String>::new(), "{}", kept.display());
    }
}

fn account(number: u128) -> AccountId {
    AccountId::new((1 << 80) | number)
}

fn open(number: u128, kind: AccountKind) -> ledger::Command {
    ledger::Command::open(account(number), kind, Asset::CNY)
}

fn give(handle: &Handle, number: u128, command: ledger::Command) {
    let actor = Actor::Operator(Text::clip("golden"));
    let id = CommandId::new((1 << 81) | number);
    handle.submit(Submission { id, actor, command: bank::Command::Ledger(command) }).unwrap();
}

fn fen(minor: u128) -> Amount {
    Amount::new(Asset::CNY, minor)
}

fn entry(number: u128, legs: Vec<Leg>, effective_at: Option<Timestamp>) -> Option<Entry> {
    let id = EntryId::new((1 << 82) | number);
    Some(Entry { id, legs, effective_at, reference: Some(7), memo: Text::clip("kept") })
}

fn hold(number: u128) -> HoldId {
    HoldId::new((1 << 83) | number)
}

/// Every kind of change of the ledger.
fn every_change(handle: &Handle, clock: &ManualClock) {
    let change = |change: Change| ledger::Command::Change(change);
    let pay = |from, to, minor| vec![Leg::debit(from, fen(minor)), Leg::credit(to, fen(minor))];
    let (a, b) = (account(1), account(2));
    for (number, kind) in [
        (1, AccountKind::Customer),
        (2, AccountKind::Customer),
        (3, AccountKind::Nostro),
        (4, AccountKind::Vostro),
        (5, AccountKind::Customer),
    ] {
        give(handle, number, open(number, kind));
    }
    let funding = entry(1, pay(books().reserve, a, 100_000), Some(support::NOW.minus_ms(20 * DAY_MS)));
    give(handle, 10, change(Change { entry: funding, ..Change::default() }));
    let backdated = entry(2, pay(a, b, 2_500), Some(support::NOW.minus_ms(10 * DAY_MS)));
    give(handle, 11, change(Change { entry: backdated, ..Change::default() }));
    let mut legs = pay(a, b, 300);
    legs.extend(pay(books().reserve, account(4), 777));
    legs.extend(pay(account(3), account(4), 223));
    give(handle, 12, change(Change { entry: entry(3, legs, None), ..Change::default() }));
    let places = (1..=4).map(|number| NewHold {
        id: hold(number),
        account: a,
        amount: fen(1_000 * number),
        expires_at: (number == 3).then_some(support::NOW.plus_ms(60_000)),
    });
    give(handle, 13, change(Change { places: places.collect(), ..Change::default() }));
    let settle = HoldEnd { hold: hold(1), outcome: HoldOutcome::Settled };
    let release = HoldEnd { hold: hold(2), outcome: HoldOutcome::Released };
    let settled = entry(4, pay(a, b, 900), None);
    give(handle, 14, change(Change { ends: vec![settle], entry: settled, ..Change::default() }));
    give(handle, 15, change(Change { ends: vec![release], ..Change::default() }));
    let of = EntryId::new((1 << 82) | 3);
    give(
        handle,
        16,
        ledger::Command::Reverse { id: EntryId::new((1 << 82) | 5), of, memo: Text::clip("back") },
    );
    give(handle, 17, ledger::Command::CloseAccount { id: account(5) });
    give_batch(handle, 20);
    let threshold = Threshold::Below(fen(50_000));
    give(handle, 21, ledger::Command::SetMonitor { id: MonitorId::new(1 << 86), account: a, threshold });
    let mark = handle.status().durable;
    let mark = JournalMark { seq: mark.seq, hash: *mark.hash.as_bytes() };
    give(handle, 22, ledger::Command::Seal { through: support::NOW.minus_ms(12 * DAY_MS), mark });
    // The hold with an end runs out.
    clock.set(support::NOW.plus_ms(61_000));
    give(handle, 18, open(6, AccountKind::Customer));
    let expired = || handle.read(|bank| bank.ledger().hold(hold(3)).is_none()).unwrap();
    let begun = std::time::Instant::now();
    while !expired() {
        assert!(begun.elapsed().as_secs() < 10, "the hold does not end");
        std::thread::yield_now();
    }
}

/// Rows of every kind: linked and refused together, capped, all that is left, dated back, of a tenant.
fn give_batch(handle: &Handle, number: u128) {
    let (a, b, c) = (account(1), account(2), account(7));
    let tenant = Some(Tenant::new(7));
    let opened_at = Some(support::NOW.minus_ms(30 * DAY_MS));
    let (kind, asset) = (AccountKind::Customer, Asset::CNY);
    let transfer = |serial: u128, from, to, sizing, effective_at| {
        let (id, memo) = (EntryId::new((1 << 82) | serial), Text::clip("row"));
        let (debit, credit, reference) = (from, to, None);
        ledger::Command::Transfer(Transfer { id, debit, credit, sizing, effective_at, reference, memo })
    };
    let day = Some(support::NOW.minus_ms(5 * DAY_MS));
    let of = EntryId::new((1 << 82) | 20);
    let rows = [
        (false, ledger::Command::OpenAccount { id: c, kind, asset, tenant, opened_at }),
        (false, transfer(20, a, b, Sizing::Exact(fen(700)), None)),
        (true, transfer(21, a, b, Sizing::Exact(fen(10)), None)),
        (false, transfer(22, a, b, Sizing::Exact(fen(100_000_000)), None)),
        (true, transfer(23, a, c, Sizing::Exact(fen(900)), day)),
        (false, transfer(24, c, b, Sizing::UpTo(fen(400)), None)),
        (false, transfer(25, c, a, Sizing::AllAvailable(Asset::CNY), None)),
        (false, ledger::Command::Reverse { id: EntryId::new((1 << 82) | 26), of, memo: Text::clip("row") }),
        (false, ledger::Command::CloseAccount { id: c }),
    ];
    let mut batch = Batch::default();
    for (is_linked, command) in rows {
        batch.push(&Row { is_linked, command }).unwrap();
    }
    let actor = Actor::Operator(Text::clip("golden"));
    let id = CommandId::new((1 << 81) | number);
    handle.submit(Submission { id, actor, command: bank::Command::LedgerBatch(batch) }).unwrap();
}

/// Makes a folder to keep from a bank as it lies in `folder`.
fn keep_from(folder: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for file in ["bank.json", "checkpoint.note"] {
        fs::copy(folder.join(file), target.join(file)).unwrap();
    }
    for file in fs::read_dir(folder.join("snapshots")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, target.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(target.join("journal.runs"), pack_journal(&folder.join("journal"))).unwrap();
    let state = node::recover(folder).unwrap().bank;
    fs::write(target.join("books.txt"), what_the_books_say(folder, &state)).unwrap();
}

#[test]
fn keep() {
    let Some(name) = std::env::var_os("KEEP_GOLDEN") else { return };
    let bank = Bank::with_history("keep");
    let folder = bank.folder();
    fs::write(folder.join("keys/log.seed"), format!("{LOG_SEED}\n")).unwrap();
    node::write_snapshot(folder).unwrap();
    let clock = Arc::new(ManualClock::new(support::NOW));
    {
        let node = serve::start_node(&bank.installation, Arc::clone(&clock) as Arc<dyn node::Clock>).unwrap();
        every_change(&node.handle(), &clock);
    }
    bank.project();
    keep_from(folder, &kept().join(name));
}
