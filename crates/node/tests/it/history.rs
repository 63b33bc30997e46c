//! A node that keeps only the newest entries in memory says and decides what one does that keeps all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::{Bank, Command, Refusal, Submission};
use identity::Actor;
use ledger::{Batch, CHUNK_ENTRIES, Memo, Row, Sizing, Transfer};
use money::{Amount, Asset, CommandId, EntryId, Text, Timestamp};
use node::{Config, Handle, ManualClock, StartError, SubmitError, recover, write_snapshot};

use crate::support::{Folder, account, config, open_account, start};

/// Two chunks stay in memory, and what comes in while the next ones are written.
const KEEP: u32 = 2 * CHUNK_ENTRIES;
/// Ids of the entries of these tests begin here.
const FROM: u128 = 1 << 100;
const ROWS: u64 = 600;

fn bounded(folder: &Folder) -> Config {
    let journal = journal::Options { segment_bytes: 1 << 22, ..config(folder).journal };
    Config { history_in_memory: Some(KEEP), journal, ..config(folder) }
}

/// The same, with snapshots of the node's own, which leave old history in its files.
fn with_snapshots(folder: &Folder) -> Config {
    Config { snapshot_every: Some(9_000), ..bounded(folder) }
}

/// Ids that are in no order, as clients choose them.
fn id(serial: u64) -> EntryId {
    EntryId::new(FROM | u128::from(serial.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn rows(first: u64) -> Submission {
    let mut batch = Batch::default();
    for serial in first..first + ROWS {
        let command = ledger::Command::Transfer(Transfer {
            id: id(serial),
            debit: account(1 + serial % 2),
            credit: account(2 - serial % 2),
            sizing: Sizing::Exact(Amount::new(Asset::CNY, 1)),
            effective_at: None,
            reference: Some(serial),
            memo: Memo::default(),
        });
        batch.push(&Row { is_linked: false, command }).unwrap();
    }
    let actor = Actor::Operator(Text::clip("test"));
    Submission { id: CommandId::new(FROM | u128::from(first)), actor, command: Command::LedgerBatch(batch) }
}

/// Posts entries up to this serial, half of them a second after the others, and waits until old ones have left memory.
fn fill(handle: &Handle, clock: &ManualClock, serials: std::ops::Range<u64>) {
    let mut first = serials.start;
    while first < serials.end {
        clock.set(Timestamp::from_ms(1_000 + first));
        let taken = handle.submit(rows(first)).unwrap();
        assert!(taken.rows.unwrap().refusals.is_empty());
        first += ROWS;
        // The files are written four times a second; a test has no time to be as slow as a bank.
        if first.is_multiple_of(6_000) {
            std::thread::sleep(Duration::from_millis(300));
        }
    }
    let end = Instant::now() + Duration::from_secs(20);
    let cold = |bank: &Bank| bank.ledger().hot_chunks().0;
    while handle.read(cold).unwrap() == 0 {
        assert!(Instant::now() < end, "history does not leave memory");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a bank says of its past.
fn said(bank: &Bank) -> Vec<String> {
    let ledger = bank.ledger();
    let of_entry = |serial| format!("{:?}", ledger.entry(id(serial)));
    let mut said: Vec<String> = [0, 1, 599, 5_000, 20_000, 40_000, 40_199].map(of_entry).into();
    for ms in [0, 1_000, 4_321, 20_000, 40_000, 90_000] {
        let at = Timestamp::from_ms(ms);
        said.push(format!(
            "{:?} {:?}",
            ledger.balance_recorded(account(1), at),
            ledger.balance_effective(account(2), at)
        ));
    }
    let walked: Vec<u64> = ledger.history(account(1)).filter_map(|entry| entry.reference).collect();
    said.push(format!("{walked:?}"));
    said.push(bank.state_hash().to_string());
    said
}

#[test]
fn what_has_left_memory_is_found_in_files() {
    let folder = Folder::new("history");
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_000)));
    let expected = {
        let node = start(&with_snapshots(&folder), clock.clone());
        let handle = node.handle();
        open_account(&handle, 1);
        open_account(&handle, 2);
        fill(&handle, &clock, 0..40_200);
        // An old id is known, with the same body and with another.
        let again = rows(0);
        let again = Submission { id: CommandId::new(1), ..again };
        let refused = handle.submit(again).unwrap_err();
        let SubmitError::Refused(Refusal::Rows(refusals)) = refused else { panic!("{refused:?}") };
        assert_eq!(refusals.len() as u64, ROWS);
        assert!(refusals.iter().all(|refusal| refusal.name() == "entry_exists"), "{:?}", refusals[0]);
        handle.read(said).unwrap()
    };
    // The journal alone, without the files, says the same.
    let files = folder.path().join("history");
    let beside = folder.path().join("elsewhere");
    std::fs::rename(&files, &beside).unwrap();
    assert_eq!(said(&recover(folder.path()).unwrap().bank), expected);
    std::fs::rename(&beside, &files).unwrap();

    // After a restart from a snapshot of the node's own, and from one of everything.
    for round in 0..2_u64 {
        let node = start(&with_snapshots(&folder), clock.clone());
        assert!(node.handle().read(|bank| bank.ledger().hot_chunks().0).unwrap() > 0, "all is in memory");
        assert_eq!(node.handle().read(said).unwrap(), expected, "round {round}");
        drop(node);
        write_snapshot(folder.path()).unwrap();
    }
    let recovered = recover(folder.path()).unwrap();
    assert!(recovered.from_snapshot > 0);
    assert_eq!(said(&recovered.bank), expected);
}

#[test]
fn files_that_are_damaged_or_of_another_history_are_not_believed() {
    let folder = Folder::new("history-damage");
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_000)));
    {
        let node = start(&bounded(&folder), clock.clone());
        open_account(&node.handle(), 1);
        open_account(&node.handle(), 2);
        fill(&node.handle(), &clock, 0..30_000);
    }
    let hash = recover(folder.path()).unwrap().bank.state_hash();
    let files = folder.path().join("history");
    let ids = files.join("ids-0000000000.hist");
    let good = std::fs::read(&ids).unwrap();
    let mut bad = good.clone();
    bad[4_000] ^= 1;
    // Without a snapshot nothing relies on the files: they are thrown away and written again.
    std::fs::write(&ids, &bad).unwrap();
    let node = start(&bounded(&folder), clock.clone());
    assert_eq!(node.handle().read(Bank::state_hash).unwrap(), hash);
    fill(&node.handle(), &clock, 30_000..60_000);
    let hash = node.handle().read(Bank::state_hash).unwrap();
    drop(node);

    // A snapshot that leaves old chunks to the files needs them, and says what to do.
    write_snapshot(folder.path()).unwrap();
    assert!(recover(folder.path()).unwrap().from_snapshot > 0);
    let good = std::fs::read(&ids).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    std::fs::write(&ids, &bad).unwrap();
    let refused = node::Node::start(bounded(&folder), clock.clone());
    match refused {
        // The snapshot held everything: the files were made again.
        Ok(node) => assert_eq!(node.handle().read(Bank::state_hash).unwrap(), hash),
        Err(StartError::History(error)) => {
            assert!(error.to_string().contains("remove the folders"), "{error}")
        }
        Err(other) => panic!("{other}"),
    }
    // Files of another history: a folder that was laid over this one.
    std::fs::remove_dir_all(&files).unwrap();
    std::fs::remove_dir_all(folder.path().join("snapshots")).unwrap();
    let other = Folder::new("history-other");
    {
        let node = start(&bounded(&other), clock.clone());
        open_account(&node.handle(), 2);
        open_account(&node.handle(), 1);
        fill(&node.handle(), &clock, 6_000..36_000);
    }
    std::fs::rename(other.path().join("history"), &files).unwrap();
    let node = start(&bounded(&folder), clock);
    assert_eq!(node.handle().read(Bank::state_hash).unwrap(), hash);
    assert!(node.handle().read(|bank| bank.ledger().entry(id(3)).is_some()).unwrap());
}
