//! The running bank: groups, repeats, restarts, clocks, full disks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod cluster;
mod history;
mod support;

use std::sync::Arc;

use bank::Refusal;
use money::{CommandId, Timestamp};
use node::{ManualClock, SubmitError, SystemClock, Tail, recover, write_snapshot};
use support::{Folder, SEGMENT_BYTES, account, config, open_account, operator, start, transfer};

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = Folder::new("restart");
    let (hash, head) = {
        let node = start(&config(&folder), Arc::new(SystemClock));
        let handle = node.handle();
        open_account(&handle, 1);
        open_account(&handle, 2);
        for serial in 0..50 {
            let taken = handle.submit(transfer(serial, 1, 2, 10)).unwrap();
            assert!(!taken.is_repeat);
            assert!(handle.status().durable.seq >= taken.seq, "acknowledged before it was durable");
        }
        (handle.read(bank::Bank::state_hash).unwrap(), handle.status().durable)
    };
    let node = start(&config(&folder), Arc::new(SystemClock));
    assert_eq!(node.handle().read(bank::Bank::state_hash).unwrap(), hash);
    assert_eq!(node.handle().status().durable, head);
}

#[test]
fn the_same_command_twice_is_one_also_after_a_restart() {
    let folder = Folder::new("repeat");
    let first = {
        let node = start(&config(&folder), Arc::new(SystemClock));
        let handle = node.handle();
        open_account(&handle, 1);
        open_account(&handle, 2);
        let first = handle.submit(transfer(7, 1, 2, 10)).unwrap();
        let again = handle.submit(transfer(7, 1, 2, 10)).unwrap();
        assert_eq!((again.seq, again.is_repeat), (first.seq, true));
        first
    };
    let node = start(&config(&folder), Arc::new(SystemClock));
    let again = node.handle().submit(transfer(7, 1, 2, 10)).unwrap();
    assert_eq!((again.seq, again.is_repeat), (first.seq, true));
    let other = node.handle().submit(transfer(7, 1, 2, 11));
    assert_eq!(other, Err(SubmitError::Refused(Refusal::IdReused { id: transfer(7, 1, 2, 11).id })));
}

#[test]
fn commands_of_many_connections_are_recorded_in_groups() {
    let folder = Folder::new("groups");
    let node = start(&config(&folder), Arc::new(SystemClock));
    open_account(&node.handle(), 1);
    open_account(&node.handle(), 2);
    let threads: Vec<_> = (0..16_u64)
        .map(|thread| {
            let handle = node.handle();
            std::thread::spawn(move || {
                for serial in 0..50 {
                    handle.submit(transfer(thread * 1000 + serial, 1, 2, 1)).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let moved =
        node.handle().read(|bank| bank.ledger().account(account(2)).unwrap().balance().posted.minor());
    assert_eq!(moved.unwrap(), 1_000_000 + 16 * 50);
    let broken = node.handle().read(|bank| bank.ledger().broken_invariants()).unwrap();
    assert_eq!(broken, Vec::<String>::new());
}

/// The entries in a tail after `seq`, as the journal keeps them.
fn handed(tail: &Tail, mut seq: u64) -> Vec<(u64, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(group) = tail.next(seq) {
        found.extend(group.entries().map(|(seq, entry)| (seq, entry.to_bytes())));
        seq = group.head().seq;
    }
    found
}

/// The records of the journal after `seq`.
fn recorded(folder: &Folder, seq: u64) -> Vec<(u64, Vec<u8>)> {
    let mut reader = journal::Reader::open(&folder.path().join("journal"), seq + 1).unwrap();
    std::iter::from_fn(|| reader.next().unwrap()).map(|record| (record.seq, record.bytes)).collect()
}

#[test]
fn what_is_handed_over_is_what_the_journal_has() {
    let folder = Folder::new("handed");
    let node = start(&config(&folder), Arc::new(SystemClock));
    let handle = node.handle();
    open_account(&handle, 1);
    let (tail, before) = (handle.tail(1 << 20), handle.status().durable.seq);
    open_account(&handle, 2);
    let threads = [1_000_u64, 2_000, 3_000, 4_000].map(|first| {
        let handle = node.handle();
        std::thread::spawn(move || {
            for serial in first..first + 20 {
                handle.submit(transfer(serial, 1, 2, 1)).unwrap();
                // A refusal and a repeat are in no entry.
                handle.submit(transfer(serial + 500, 1, 2, 5_000_000)).unwrap_err();
                handle.submit(transfer(serial, 1, 2, 1)).unwrap();
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    let found = handed(&tail, before);
    assert!(found.len() >= 80, "{}", found.len());
    assert_eq!(found, recorded(&folder, before));
}

#[test]
fn recorded_time_never_goes_back() {
    let folder = Folder::new("clock");
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(2_000_000)));
    let node = start(&config(&folder), Arc::clone(&clock) as Arc<dyn node::Clock>);
    let late = open_account(&node.handle(), 1);
    clock.set(Timestamp::from_ms(1_000_000));
    let next = open_account(&node.handle(), 2);
    assert!(next.recorded_at >= late.recorded_at, "{} before {}", next.recorded_at, late.recorded_at);
}

#[test]
fn a_refused_command_leaves_nothing() {
    let folder = Folder::new("refused");
    let node = start(&config(&folder), Arc::new(SystemClock));
    let handle = node.handle();
    open_account(&handle, 1);
    open_account(&handle, 2);
    let before = (handle.read(bank::Bank::state_hash).unwrap(), handle.status().durable);
    let refused = handle.submit(transfer(1, 1, 2, 5_000_000));
    assert!(matches!(refused, Err(SubmitError::Refused(Refusal::Ledger(_)))), "{refused:?}");
    assert_eq!((handle.read(bank::Bank::state_hash).unwrap(), handle.status().durable), before);
    // The id was not used up: the same command succeeds once it can.
    handle.submit(operator(CommandId::new(99), support::deposit(1, 99, 9_000_000))).unwrap();
    assert!(!handle.submit(transfer(1, 1, 2, 5_000_000)).unwrap().is_repeat);
}

#[test]
fn a_full_disk_turns_commands_away_and_loses_nothing() {
    let folder = Folder::new("full");
    {
        let node = start(&config(&folder), Arc::new(SystemClock));
        open_account(&node.handle(), 1);
        open_account(&node.handle(), 2);
    }
    // The next segment would be larger than any disk here, so there is no room when this one is full.
    let mut greedy = config(&folder);
    greedy.journal.segment_bytes = 1 << 42;
    let hash = {
        let node = start(&greedy, Arc::new(SystemClock));
        let handle = node.handle();
        let (tail, before) = (handle.tail(1 << 20), handle.status().durable.seq);
        let mut serial = 0;
        let error = loop {
            match handle.submit(transfer(serial, 1, 2, 1)) {
                Ok(_) => serial += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, SubmitError::NoRoom);
        assert_eq!(handle.submit(transfer(serial, 1, 2, 1)), Err(SubmitError::NoRoom));
        // Reading goes on, and shows only what is durable.
        let (seq, hash) = handle.read(|bank| (bank.seq(), bank.state_hash())).unwrap();
        assert_eq!(seq, handle.status().durable.seq);
        assert_eq!(handed(&tail, before), recorded(&folder, before), "what was given up was handed over");
        hash
    };
    let node = start(&config(&folder), Arc::new(SystemClock));
    assert_eq!(node.handle().read(bank::Bank::state_hash).unwrap(), hash);
    assert!(!node.handle().submit(transfer(500_000, 1, 2, 1)).unwrap().is_repeat);
}

#[test]
fn a_snapshot_and_the_tail_are_the_whole_journal() {
    let folder = Folder::new("snapshot");
    let hash = {
        let node = start(&config(&folder), Arc::new(SystemClock));
        let handle = node.handle();
        open_account(&handle, 1);
        open_account(&handle, 2);
        for serial in 0..20 {
            handle.submit(transfer(serial, 1, 2, 3)).unwrap();
        }
        assert_eq!(write_snapshot(folder.path()).unwrap(), handle.status().durable.seq);
        for serial in 20..30 {
            handle.submit(transfer(serial, 1, 2, 3)).unwrap();
        }
        handle.read(bank::Bank::state_hash).unwrap()
    };
    let recovered = recover(folder.path()).unwrap();
    assert_eq!((recovered.replayed, recovered.bank.state_hash()), (10, hash));
    // A snapshot with a flipped byte is passed over; the journal still has everything.
    let snapshot =
        std::fs::read_dir(folder.path().join("snapshots")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&snapshot, bytes).unwrap();
    let recovered = recover(folder.path()).unwrap();
    assert_eq!((recovered.from_snapshot, recovered.bank.state_hash()), (0, hash));
}

#[test]
fn a_second_node_on_the_same_folder_is_refused() {
    let folder = Folder::new("second");
    let _node = start(&config(&folder), Arc::new(SystemClock));
    let second = node::Node::start(config(&folder), Arc::new(SystemClock));
    assert!(
        matches!(second, Err(node::StartError::Journal(journal::JournalError::Locked { .. }))),
        "{second:?}"
    );
}

#[test]
fn a_damaged_journal_is_refused_with_its_place() {
    let folder = Folder::new("damage");
    {
        let node = start(&config(&folder), Arc::new(SystemClock));
        for number in 1..20 {
            open_account(&node.handle(), number);
        }
    }
    let segment = folder.path().join("journal").join("journal-00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    assert_eq!(u64::try_from(bytes.len()).unwrap(), SEGMENT_BYTES);
    bytes[5000] ^= 4;
    std::fs::write(&segment, bytes).unwrap();
    let refused = node::Node::start(config(&folder), Arc::new(SystemClock)).unwrap_err();
    assert!(refused.to_string().contains("journal-00000000000000000001.seg"), "{refused}");
}

#[test]
fn a_look_sees_the_state_as_its_own_turn_left_it() {
    let folder = Folder::new("look");
    let node = start(&config(&folder), Arc::new(SystemClock));
    let handle = node.handle();
    open_account(&handle, 1);
    open_account(&handle, 2);
    let (sender, receiver) = std::sync::mpsc::channel();
    for serial in 0..20 {
        let admitted = handle.admit(transfer(serial, 1, 2, 10)).unwrap();
        let (sender, status) = (sender.clone(), handle.clone());
        let looking = handle.submit_looking(vec![admitted], move |bank, _| {
            let (seq, posted) = (bank.seq(), bank.ledger().account(account(2)).unwrap().balance().posted);
            move |replies| {
                let durable = status.status().durable.seq;
                sender.send((replies, seq, posted.minor(), durable)).unwrap();
            }
        });
        looking.unwrap();
    }
    for serial in 1..=20 {
        let (replies, seq, posted, durable) = receiver.recv().unwrap();
        assert_eq!(replies[0].as_ref().unwrap().seq, seq, "later turns were seen");
        assert_eq!(posted, 1_000_000 + 10 * serial);
        assert!(durable >= seq, "told before it was durable");
    }
    assert_eq!(handle.peek(bank::Bank::seq), handle.status().seq);
}
