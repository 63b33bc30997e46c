//! The stream on a real PostgreSQL server: what it takes, what it refuses, and what it says when it cannot know.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

mod server;

use std::time::{Duration, Instant};

use journal::{Head, Lead, Member, Stream as _, StreamError, StreamRow, cut_rows};
use replica::PostgresStream;
use server::Server;

const LEASE: Duration = Duration::from_secs(2);

fn member(name: &str) -> Member {
    Member { name: name.to_owned(), api: format!("http://{name}"), bulk: String::new() }
}

fn stream(server: &Server, node: &str) -> PostgresStream {
    PostgresStream::new(server.config(node)).unwrap()
}

fn lead(epoch: u64, acked: u64) -> Lead {
    Lead { epoch, acked, lease: LEASE }
}

fn rows(head: Head, epoch: u64, count: u8, bytes: usize) -> Vec<StreamRow> {
    let records: Vec<Vec<u8>> = (0..count).map(|fill| vec![fill; bytes]).collect();
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    cut_rows(head, epoch, &slices)
}

/// One server for all of it: making one takes longer than everything it is asked.
#[test]
fn a_stream_in_postgresql() {
    let Some(mut server) = Server::start("stream") else { return };
    let (mut a, mut b) = (stream(&server, "a"), stream(&server, "b"));
    assert_eq!(a.identity().unwrap(), b.identity().unwrap());
    let head = one_leader_writes(&mut a, &mut b);
    let head = another_takes_over(&mut a, &mut b, head);
    a_write_that_hangs_is_in_doubt_and_fenced(&server, &mut b, &mut a, head);
    what_was_confirmed_outlives_a_crash(&mut server);
    unsafe_servers_are_refused(&mut server);
    a_copy_makes_no_new_stream(&server);
}

fn one_leader_writes(a: &mut PostgresStream, b: &mut PostgresStream) -> Head {
    let view = b.look().unwrap();
    assert_eq!((view.epoch, view.head, view.leader), (0, Head::default(), None));
    let taken = a.take_over(0, &member("a"), LEASE).unwrap().unwrap();
    assert_eq!((taken.epoch, taken.head), (1, Head::default()));
    assert_eq!(b.take_over(0, &member("b"), LEASE), Ok(None), "the epoch was another");
    assert_eq!(b.take_over(1, &member("b"), LEASE), Ok(None), "the lease was not over");
    let first = rows(Head::default(), 1, 5, 60_000);
    assert_eq!(first.len(), 3);
    a.append(lead(1, 0), Head::default(), &first).unwrap();
    let head = first.last().unwrap().head();
    assert!(matches!(a.append(lead(1, 0), Head::default(), &first), Err(StreamError::InDoubt(_))), "twice");
    let second = rows(head, 1, 100, 1000);
    a.append(lead(1, head.seq), head, &second).unwrap();
    let view = b.look().unwrap();
    assert_eq!((view.head, view.acked), (second.last().unwrap().head(), head.seq));
    assert_eq!(view.leader, Some(member("a")));
    assert!(view.lease_left > LEASE / 2 && view.lease_left <= LEASE, "{:?}", view.lease_left);
    assert_eq!(b.read(1, u64::MAX).unwrap(), [first.clone(), second.clone()].concat());
    assert_eq!(b.read(4, 5).unwrap(), first[1..], "from the row that has the record");
    assert_eq!(b.read(view.head.seq + 1, u64::MAX).unwrap(), []);
    view.head
}

fn another_takes_over(a: &mut PostgresStream, b: &mut PostgresStream, head: Head) -> Head {
    a.release(lead(1, head.seq)).unwrap();
    let taken = b.take_over(1, &member("b"), LEASE).unwrap().unwrap();
    assert_eq!((taken.epoch, taken.head), (2, head));
    let stale = rows(head, 1, 1, 10);
    assert_eq!(a.append(lead(1, 0), head, &stale), Err(StreamError::Fenced));
    assert_eq!(a.renew(lead(1, 0)), Err(StreamError::Fenced));
    let next = rows(head, 2, 1, 10);
    b.append(lead(2, 0), head, &next).unwrap();
    b.confirm().unwrap();
    assert_eq!(b.look().unwrap().head, next[0].head());
    next[0].head()
}

/// The row of the stream is held by somebody, so the write waits on the server. After the answer was given up, the lead is taken anew, and the
/// write that still waits there must come to nothing.
fn a_write_that_hangs_is_in_doubt_and_fenced(
    server: &Server,
    b: &mut PostgresStream,
    a: &mut PostgresStream,
    head: Head,
) {
    let mut config = server.config("b");
    config.patience = Duration::from_millis(600);
    let mut hasty = PostgresStream::new(config).unwrap();
    hasty.look().unwrap();
    let held = std::thread::scope(|scope| {
        scope.spawn(|| {
            server.ask("BEGIN; SELECT 1 FROM jinku.stream FOR UPDATE; SELECT pg_sleep(1.5); COMMIT")
        });
        std::thread::sleep(Duration::from_millis(400));
        let next = rows(head, 2, 1, 10);
        let answer = hasty.append(lead(2, head.seq), head, &next);
        assert!(matches!(answer, Err(StreamError::InDoubt(_))), "{answer:?}");
        // Waits behind the write that hangs, or comes before it; either way it knows what is there.
        b.take_over(2, &member("b"), LEASE).unwrap().unwrap()
    });
    assert_eq!(held.epoch, 3);
    std::thread::sleep(Duration::from_millis(500));
    let view = a.look().unwrap();
    assert_eq!(view.head, held.head, "a fenced write came through");
    let found = a.read(head.seq + 1, u64::MAX).unwrap();
    assert_eq!(found.len(), usize::try_from(held.head.seq - head.seq).unwrap());
}

fn what_was_confirmed_outlives_a_crash(server: &mut Server) {
    let mut c = stream(server, "c");
    let before = c.look().unwrap();
    server.stop();
    let begun = Instant::now();
    assert!(matches!(c.look(), Err(StreamError::Unreachable(_))));
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.run(&[]);
    assert!(matches!(c.read(1, 1), Err(StreamError::Unreachable(_))), "read where nobody had looked");
    assert!(matches!(c.confirm(), Err(StreamError::Unreachable(_))));
    let after = c.look().unwrap();
    assert_eq!((after.epoch, after.head), (before.epoch, before.head));
}

fn unsafe_servers_are_refused(server: &mut Server) {
    let mut check = |settings: &[&str], quorum: bool, expect: &str| {
        server.run(settings);
        let mut config = server.config("c");
        config.quorum = quorum;
        match PostgresStream::new(config).unwrap().look() {
            Err(StreamError::Unsafe { setting, .. }) => assert_eq!(setting, expect),
            other => panic!("{settings:?}: {other:?}"),
        }
    };
    check(&["fsync=off"], false, "fsync");
    check(&["full_page_writes=off"], false, "full_page_writes");
    check(&["synchronous_commit=off"], false, "synchronous_commit");
    check(&[], true, "synchronous_standby_names");
    server.run(&["default_transaction_read_only=on"]);
    assert!(matches!(stream(server, "c").look(), Err(StreamError::Unreachable(_))));
    server.run(&[]);
}

fn a_copy_makes_no_new_stream(server: &Server) {
    let mut config = server.config("c");
    config.stream = "elsewhere".to_owned();
    config.may_create = false;
    let refused = PostgresStream::new(config).unwrap().look();
    assert!(
        matches!(&refused, Err(StreamError::Absent { stream, .. }) if stream == "elsewhere"),
        "{refused:?}"
    );
}
