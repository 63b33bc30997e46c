//! Several nodes on one stream in memory: who leads, what survives, what is refused, and that the copies are the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::Bank;
use journal::{Hash, Member, SimStream, Stream as _, StreamError, StreamFault, StreamRow};
use node::{Cluster, Handle, Node, NotLeader, Role, StartError, SubmitError, SystemClock};

use crate::support::{Folder, account, config, open_account, transfer};

/// Short, so that a test need not wait long for its end.
const LEASE: Duration = Duration::from_millis(400);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn member(name: &str) -> Member {
    Member { name: name.to_owned(), api: format!("http://{name}"), bulk: String::new() }
}

fn try_start(folder: &Folder, stream: &SimStream, name: &str) -> Result<Node, StartError> {
    let cluster = Cluster { stream: Box::new(stream.clone()), member: member(name), lease: LEASE };
    Node::start_in_cluster(config(folder), cluster, Arc::new(SystemClock))
}

fn start(folder: &Folder, stream: &SimStream, name: &str) -> Node {
    try_start(folder, stream, name).unwrap()
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn leads(handle: &Handle) -> bool {
    matches!(handle.status().role, Role::Leads { .. })
}

fn epoch(handle: &Handle) -> u64 {
    match handle.status().role {
        Role::Leads { epoch } => epoch,
        other => panic!("{other:?}"),
    }
}

/// Waits until both have the same records, and compares their states.
#[track_caller]
fn same(one: &Handle, other: &Handle) {
    until("the same head", || {
        let (one, other) = (one.status(), other.status());
        // A reply may be a moment earlier than the copy.
        one.durable == other.durable && one.durable.seq == one.seq.max(other.seq)
    });
    assert_eq!(one.read(Bank::state_hash).unwrap(), other.read(Bank::state_hash).unwrap());
}

fn received(handle: &Handle) -> u128 {
    handle.read(|bank| bank.ledger().account(account(2)).unwrap().balance().posted.minor()).unwrap()
}

/// A leader `a` with two accounts, and a follower `b`.
struct Two {
    links: [SimStream; 2],
    folders: [Folder; 2],
    a: Node,
    b: Node,
}

fn two(name: &str) -> Two {
    let folders = [Folder::new(&format!("{name}-a")), Folder::new(&format!("{name}-b"))];
    let link = SimStream::default();
    let links = [link.clone(), link.another()];
    let a = start(&folders[0], &links[0], "a");
    until("a lead", || leads(&a.handle()));
    let b = start(&folders[1], &links[1], "b");
    open_account(&a.handle(), 1);
    open_account(&a.handle(), 2);
    same(&a.handle(), &b.handle());
    Two { links, folders, a, b }
}

#[test]
fn a_follower_copies_and_says_who_leads() {
    let Two { a, b, folders, .. } = two("follows");
    let sent = a.handle().submit(transfer(1, 1, 2, 10)).unwrap();
    same(&a.handle(), &b.handle());
    let refused = b.handle().submit(transfer(2, 1, 2, 10));
    assert_eq!(refused, Err(SubmitError::NotLeader(NotLeader { leader: Some(member("a")) })));
    assert_eq!(received(&b.handle()), 1_000_010);
    drop((a, b));
    let journals =
        folders.each_ref().map(|folder| journal::verify(&folder.path().join("journal")).unwrap().head);
    assert_eq!(journals[0], journals[1]);
    assert_eq!(journals[0].seq, sent.seq);
}

#[test]
fn when_the_leader_stops_the_other_leads_at_once_and_knows_what_was_sent() {
    let Two { a, b, links, folders } = two("handover");
    let first = a.handle().submit(transfer(1, 1, 2, 10)).unwrap();
    let begun = Instant::now();
    drop(a);
    until("another lead", || leads(&b.handle()));
    assert!(begun.elapsed() < LEASE, "a lead that was given up was waited for: {:?}", begun.elapsed());
    let again = b.handle().submit(transfer(1, 1, 2, 10)).unwrap();
    assert_eq!((again.seq, again.is_repeat), (first.seq, true));
    b.handle().submit(transfer(2, 1, 2, 10)).unwrap();
    let a = start(&folders[0], &links[0], "a");
    same(&a.handle(), &b.handle());
    assert_eq!(received(&a.handle()), 1_000_020);
}

#[test]
fn a_leader_that_is_cut_off_stops_and_comes_back_as_a_follower() {
    let Two { a, b, links, folders: _folders } = two("cut-off");
    links[0].set_cut(true);
    // It may still be under way with this one; nobody is told that it was taken.
    let stale = a.handle();
    let waiting = std::thread::spawn(move || stale.submit(transfer(1, 1, 2, 10)));
    until("another lead", || leads(&b.handle()));
    assert!(!leads(&a.handle()), "two leaders");
    assert!(matches!(a.handle().submit(transfer(2, 1, 2, 10)), Err(SubmitError::NotLeader(_))));
    b.handle().submit(transfer(3, 1, 2, 5)).unwrap();
    links[0].set_cut(false);
    let answer = waiting.join().unwrap();
    assert!(matches!(answer, Err(SubmitError::NotLeader(_))), "{answer:?}");
    same(&a.handle(), &b.handle());
    assert_eq!(received(&a.handle()), 1_000_005);
    // Sent again to the new leader it is taken, once.
    assert!(!b.handle().submit(transfer(1, 1, 2, 10)).unwrap().is_repeat);
    same(&a.handle(), &b.handle());
    assert_eq!(received(&a.handle()), 1_000_015);
}

#[track_caller]
fn check_lost_answer(name: &str, fault: StreamFault) {
    let Two { a, b, links, folders: _folders } = two(name);
    let before = epoch(&a.handle());
    links[0].fail_next(fault);
    let handle = a.handle();
    let waiting = std::thread::spawn(move || handle.submit(transfer(1, 1, 2, 10)));
    std::thread::sleep(Duration::from_millis(50));
    links[0].set_cut(false);
    let taken = waiting.join().unwrap().unwrap();
    assert!(!taken.is_repeat);
    assert!(epoch(&a.handle()) > before, "found out without a new epoch");
    let again = a.handle().submit(transfer(1, 1, 2, 10)).unwrap();
    assert_eq!((again.seq, again.is_repeat), (taken.seq, true));
    same(&a.handle(), &b.handle());
    assert_eq!(received(&b.handle()), 1_000_010);
}

#[test]
fn a_write_whose_answer_was_lost_is_found() {
    check_lost_answer("answer-lost", StreamFault::AnswerLost);
}

#[test]
fn a_write_that_was_lost_is_made_again() {
    check_lost_answer("write-lost", StreamFault::WriteLost);
}

/// The answer is lost, and before the leader can ask, another leads: what it answers then is what the stream has.
#[track_caller]
fn check_lost_answer_and_lead(name: &str, fault: StreamFault, is_taken: bool) {
    let Two { a, b, links, folders: _folders } = two(name);
    links[0].fail_next(fault);
    let handle = a.handle();
    let waiting = std::thread::spawn(move || handle.submit(transfer(1, 1, 2, 10)));
    until("another lead", || leads(&b.handle()));
    b.handle().submit(transfer(2, 1, 2, 5)).unwrap();
    links[0].set_cut(false);
    let answer = waiting.join().unwrap();
    match &answer {
        Ok(_) => assert!(is_taken, "acknowledged and lost"),
        Err(error) => {
            assert!(!is_taken, "{error}");
            assert!(matches!(error, SubmitError::NotLeader(_)), "{error}");
        }
    }
    same(&a.handle(), &b.handle());
    assert_eq!(received(&a.handle()), 1_000_005 + if is_taken { 10 } else { 0 });
    assert_eq!(b.handle().submit(transfer(1, 1, 2, 10)).unwrap().is_repeat, is_taken);
}

#[test]
fn a_lost_answer_is_found_under_another_leader() {
    check_lost_answer_and_lead("answer-and-lead", StreamFault::AnswerLost, true);
}

#[test]
fn a_lost_write_is_told_as_lost_under_another_leader() {
    check_lost_answer_and_lead("write-and-lead", StreamFault::WriteLost, false);
}

#[test]
fn a_bank_that_was_alone_brings_its_journal_along() {
    let (ours, other) = (Folder::new("seed-a"), Folder::new("seed-b"));
    {
        let alone = crate::support::start(&config(&ours), Arc::new(SystemClock));
        open_account(&alone.handle(), 1);
        open_account(&alone.handle(), 2);
    }
    let link = SimStream::default();
    let a = start(&ours, &link, "a");
    until("a lead", || leads(&a.handle()));
    let b = start(&other, &link.another(), "b");
    a.handle().submit(transfer(1, 1, 2, 10)).unwrap();
    same(&a.handle(), &b.handle());
    assert_eq!(received(&b.handle()), 1_000_010);
}

#[test]
fn a_full_disk_gives_the_lead_away_and_loses_nothing() {
    let (small, large) = (Folder::new("small"), Folder::new("large"));
    let link = SimStream::default();
    {
        let a = start(&small, &link, "a");
        until("a lead", || leads(&a.handle()));
        open_account(&a.handle(), 1);
        open_account(&a.handle(), 2);
    }
    // The next segment would be larger than any disk here.
    let mut greedy = config(&small);
    greedy.journal.segment_bytes = 1 << 42;
    let cluster = Cluster { stream: Box::new(link.clone()), member: member("a"), lease: LEASE };
    let a = Node::start_in_cluster(greedy, cluster, Arc::new(SystemClock)).unwrap();
    until("a lead", || leads(&a.handle()));
    let b = start(&large, &link.another(), "b");
    let (mut serial, mut taken) = (0, 0);
    until("the other lead", || leads(&b.handle()) || leads(&a.handle()));
    while !leads(&b.handle()) {
        match a.handle().submit(transfer(serial, 1, 2, 1)) {
            Ok(_) => (serial, taken) = (serial + 1, taken + 1),
            Err(SubmitError::NotLeader(_)) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(!b.handle().submit(transfer(500_000, 1, 2, 1)).unwrap().is_repeat);
    assert_eq!(received(&b.handle()), 1_000_000 + taken + 1);
    drop(a);
    let a = start(&small, &link, "a");
    same(&a.handle(), &b.handle());
}

#[track_caller]
fn check_refused(name: &str, spoil: impl Fn(&Folder, &SimStream), expect: impl Fn(&StreamError) -> bool) {
    let Two { a, b, links, folders } = two(name);
    drop((a, b));
    spoil(&folders[1], &links[0]);
    match try_start(&folders[1], &links[1], "b") {
        Err(StartError::Stream(error)) => assert!(expect(&error), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_that_does_not_fit_the_stream_is_refused() {
    check_refused(
        "other-stream",
        |folder, _| std::fs::write(folder.path().join("stream.id"), "77").unwrap(),
        |error| matches!(error, StreamError::OtherStream { expected, .. } if expected == "77"),
    );
    check_refused(
        "fork",
        |folder, _| {
            std::fs::remove_dir_all(folder.path().join("journal")).unwrap();
            std::fs::remove_file(folder.path().join("stream.id")).unwrap();
            let alone = crate::support::start(&config(folder), Arc::new(SystemClock));
            open_account(&alone.handle(), 7);
        },
        |error| matches!(error, StreamError::Fork { .. }),
    );
    check_refused(
        "behind",
        |folder, _| {
            let alone = crate::support::start(&config(folder), Arc::new(SystemClock));
            open_account(&alone.handle(), 7);
        },
        |error| matches!(error, StreamError::Behind { .. }),
    );
}

/// A stream with a row that is not what was written stops a follower, and says so.
#[test]
fn damage_in_the_stream_halts_a_follower() {
    let Two { a, b, links, folders: _folders } = two("damage");
    drop(b);
    let mut link = links[0].clone();
    let view = link.look().unwrap();
    let wrong = StreamRow {
        first: view.head.seq + 1,
        last: view.head.seq + 1,
        epoch: view.epoch,
        before: view.head.hash,
        after: Hash::new([9; 32]),
        content: vec![0, 0, 0, 1, 5],
    };
    let lead = journal::Lead { epoch: view.epoch, acked: view.head.seq + 1, lease: LEASE };
    link.append(lead, view.head, &[wrong]).unwrap();
    let folder = Folder::new("damage-c");
    let c = start(&folder, &links[1], "c");
    until("a halt", || c.handle().status().halted.is_some());
    assert!(c.handle().status().halted.unwrap().contains("damaged"));
    drop(a);
}

/// Releases the first records of a stopped node's own copy; answers with the first one left.
fn release(folder: &Folder) -> u64 {
    let journal = folder.path().join("journal");
    let small = journal::Options { segment_bytes: journal::SEGMENT_BYTES_MIN, direct: false };
    // The copy again, in segments of a record or two.
    let beside = folder.path().join("small");
    let (mut copy, _) = journal::FileJournal::open(&beside, &small).unwrap();
    let mut reader = journal::Reader::open(&journal, 1).unwrap();
    while let Some(record) = reader.next().unwrap() {
        copy.append(&[record.bytes]).unwrap();
    }
    drop(copy);
    std::fs::remove_dir_all(&journal).unwrap();
    std::fs::rename(&beside, &journal).unwrap();
    let snapshot = node::write_snapshot(folder.path()).unwrap();
    let (mut opened, _) = journal::FileJournal::open(&journal, &small).unwrap();
    let before = opened.releasable(snapshot).unwrap().unwrap();
    assert!(opened.release(&journal::Base { before, note: Vec::new() }).unwrap() > 0);
    before.seq + 1
}

#[test]
fn a_copy_whose_first_records_were_released_follows_and_leads() {
    let Two { a, b, links, folders } = two("released");
    for number in 1..20 {
        a.handle().submit(transfer(number, 1, 2, 10)).unwrap();
    }
    same(&a.handle(), &b.handle());
    drop(b);
    let first = release(&folders[1]);
    assert!(first > 2);
    let b = start(&folders[1], &links[1], "b");
    a.handle().submit(transfer(30, 1, 2, 10)).unwrap();
    same(&a.handle(), &b.handle());
    drop(a);
    until("another lead", || leads(&b.handle()));
    b.handle().submit(transfer(31, 1, 2, 10)).unwrap();
    let a = start(&folders[0], &links[0], "a");
    same(&a.handle(), &b.handle());
    drop((a, b));
    let [whole, rest] =
        folders.each_ref().map(|folder| journal::verify(&folder.path().join("journal")).unwrap());
    assert_eq!(whole.head, rest.head);
    assert_eq!((whole.before.seq, rest.before.seq), (0, first - 1));
}

#[test]
fn a_journal_without_its_first_records_begins_no_stream() {
    let folder = Folder::new("released-alone");
    let node = Node::start(config(&folder), Arc::new(SystemClock)).unwrap();
    open_account(&node.handle(), 1);
    open_account(&node.handle(), 2);
    for number in 1..10 {
        node.handle().submit(transfer(number, 1, 2, 10)).unwrap();
    }
    drop(node);
    release(&folder);
    let error = try_start(&folder, &SimStream::default(), "a").map(drop).unwrap_err().to_string();
    assert!(error.contains("a shared journal begins with the first record"), "{error}");
    // Alone it goes on.
    let node = Node::start(config(&folder), Arc::new(SystemClock)).unwrap();
    node.handle().submit(transfer(50, 1, 2, 10)).unwrap();
}
