//! Readers beside the writer.

use std::sync::atomic::{AtomicU64, Ordering};

use journal::{FileJournal, JournalError, Options, Reader, SegmentName, SimDisk, verify};

use crate::support::{Folder, SMALL, contents, open, read_all, records};

/// A thread follows and another audits while the writer goes through many segments, directly and through the cache.
#[test]
fn beside_a_writer_of_files() {
    for direct in [true, false] {
        let folder = Folder::new();
        let options = Options { direct, ..SMALL };
        let (mut journal, _) = FileJournal::open(folder.path(), &options).unwrap();
        let all = records(1, 600, 400);
        let durable = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let followers = [1, 250, 600].map(|from| {
                let (folder, all, durable) = (&folder, &all, &durable);
                scope.spawn(move || {
                    let mut reader = Reader::open(folder.path(), from).unwrap();
                    for (seq, expected) in (1..).zip(all).skip_while(|(seq, _)| *seq < from) {
                        let record = loop {
                            match reader.next_until(durable.load(Ordering::Acquire)).unwrap() {
                                Some(record) => break record,
                                None => std::thread::yield_now(),
                            }
                        };
                        assert_eq!((record.seq, &record.bytes), (seq, expected));
                    }
                    assert_eq!(reader.next().unwrap(), None);
                })
            });
            let audit = scope.spawn(|| {
                let mut last = 0;
                while last < 600 {
                    let head = verify(folder.path()).unwrap().head;
                    assert!(head.seq >= last);
                    last = head.seq;
                }
            });
            let mut rest = all.as_slice();
            for size in (1..20).cycle() {
                let (group, after) = rest.split_at(size.min(rest.len()));
                rest = after;
                let head = journal.append(group).unwrap();
                durable.store(head.seq, Ordering::Release);
                if rest.is_empty() {
                    break;
                }
            }
            for follower in followers {
                follower.join().unwrap();
            }
            audit.join().unwrap();
        });
    }
}

#[test]
fn waits_at_the_end_and_goes_on() {
    let disk = SimDisk::new();
    // Before there is a journal at all.
    let mut early = Reader::open_on(disk.clone(), 3).unwrap();
    assert_eq!(early.next(), Ok(None));
    let (mut journal, _) = open(&disk).unwrap();
    let mut reader = Reader::open_on(disk.clone(), 1).unwrap();
    let all = records(1, 100, 1500);
    for (seq, record) in (1..).zip(&all) {
        assert_eq!((reader.next(), reader.next()), (Ok(None), Ok(None)));
        journal.append(&[record]).unwrap();
        let found = reader.next().unwrap().unwrap();
        assert_eq!((found.seq, &found.bytes), (seq, record));
        assert_eq!(early.next().unwrap().map(|record| record.seq), (seq >= 3).then_some(seq));
    }
    assert_eq!(contents(&read_all(disk, 40)), all[39..]);
}

#[test]
fn gives_nothing_after_the_bound() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(&records(1, 5, 10)).unwrap();
    let mut reader = Reader::open_on(disk, 1).unwrap();
    for (bound, seq) in
        [(0, None), (1, Some(1)), (1, None), (3, Some(2)), (3, Some(3)), (3, None), (9, Some(4))]
    {
        assert_eq!(reader.next_until(bound).unwrap().map(|record| record.seq), seq);
    }
}

#[test]
fn stops_at_damage_every_time_it_is_asked() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    for group in records(1, 6, 100).chunks(2) {
        journal.append(group).unwrap();
    }
    disk.flip_bit(SegmentName(1), 4096 * 2 + 50, 0);
    let mut reader = Reader::open_on(disk.clone(), 1).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().seq, 1);
    assert_eq!(reader.next().unwrap().unwrap().seq, 2);
    for _ in 0..2 {
        assert!(matches!(reader.next().unwrap_err(), JournalError::Damaged(_)));
    }
    disk.flip_bit(SegmentName(1), 4096 * 2 + 50, 0);
    assert_eq!(reader.next().unwrap().unwrap().seq, 3);
}

/// A reader that begins behind a group which is torn, and which another then replaces, must not go on from the torn one.
#[test]
fn does_not_pass_over_a_torn_group() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    let mut all = records(1, 2, 100);
    journal.append(&all).unwrap();
    disk.lose_power_after(0);
    journal.append(&records(3, 2, 900)).unwrap_err();
    disk.restore_power(|place| place.offset % 4096 == 0);
    let mut reader = Reader::open_on(disk.clone(), 5).unwrap();
    assert_eq!(reader.next(), Ok(None));
    let (mut journal, opened) = open(&disk).unwrap();
    assert!(opened.cut.is_some());
    all.extend(records(3, 3, 50));
    journal.append(&all[2..]).unwrap();
    let record = reader.next().unwrap().unwrap();
    assert_eq!((record.seq, record.bytes, record.hash), (5, all[4].clone(), journal.head().hash));
}
