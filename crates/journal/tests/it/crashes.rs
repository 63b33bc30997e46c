//! Power lost at every operation, with every part of the last write kept.

use journal::{BLOCK_BYTES, JournalError, Options, SECTOR_BYTES, SegmentName, SimDisk, verify_on};

use crate::support::{SMALL, contents, head_of, open, read_all, records};

const SECTOR: u64 = SECTOR_BYTES as u64;
const BLOCK: u64 = BLOCK_BYTES as u64;

/// Loses power in the last of three groups, `sectors` long, and keeps the sectors in `subset`; then checks everything.
fn tear(sectors: u32, subset: u32, at_sync: bool) {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    let durable = records(1, 3, 200);
    journal.append(&durable[..1]).unwrap();
    journal.append(&durable[1..]).unwrap();
    let start = BLOCK * 3;
    let last = vec![vec![0xaa; (usize::try_from(sectors).unwrap() - 1) * 504 + 100]];
    disk.lose_power_after(u64::from(at_sync));
    journal.append(&last).unwrap_err();
    assert!(disk.is_off());
    drop(journal);
    let mut asked = 0;
    disk.restore_power(|place| {
        assert_eq!(place.segment, SegmentName(1));
        asked += 1;
        let sector = (place.offset - start) / SECTOR;
        sector < sectors.into() && subset >> sector & 1 == 1
    });
    assert_eq!(asked, u64::from(sectors).next_multiple_of(8));

    let whole = subset == (1 << sectors) - 1;
    let mut expected = durable;
    if whole {
        expected.extend(last);
    }
    // Before it is opened, a reader and an audit see the whole groups, and where the torn one is.
    assert_eq!(contents(&read_all(disk.clone(), 1)), expected);
    let verified = verify_on(disk.clone()).unwrap();
    assert_eq!(verified.head, head_of(&expected));
    assert_eq!(verified.torn_tail.map(|at| at.offset), (subset != 0 && !whole).then_some(start));

    let (mut journal, opened) = open(&disk).unwrap();
    assert_eq!(opened.head, head_of(&expected));
    let pieces_end = u64::from(subset.checked_ilog2().map_or(0, |last| last + 1)) * SECTOR;
    let cut = opened.cut.map(|cut| (cut.at.offset, cut.bytes));
    assert_eq!(cut, (subset != 0 && !whole).then_some((start, pieces_end)));
    assert_eq!(verify_on(disk.clone()).unwrap().torn_tail, None);

    let more = records(9, 2, 700);
    let head = journal.append(&more).unwrap();
    expected.extend(more);
    assert_eq!(head, head_of(&expected));
    assert_eq!(contents(&read_all(disk, 1)), expected);
}

#[test]
fn a_torn_group_is_cut_whatever_is_left_of_it() {
    for sectors in 1..=10 {
        for subset in 0..1 << sectors {
            tear(sectors, subset, subset % 2 == 0);
        }
    }
}

/// Opens, appends until the power goes, and says how many records were acknowledged.
fn run(disk: &SimDisk, all: &[Vec<u8>]) -> Result<usize, (JournalError, usize)> {
    let mut acknowledged = 0;
    let (mut journal, opened) = open(disk).map_err(|error| (error, 0))?;
    let done = usize::try_from(opened.head.seq).unwrap();
    acknowledged = acknowledged.max(done);
    for group in all[done..].chunks(3) {
        journal.append(group).map_err(|error| (error, acknowledged))?;
        acknowledged += group.len();
    }
    Ok(acknowledged)
}

#[test]
fn power_lost_at_every_operation() {
    let all = records(1, 60, 900);
    let quiet = SimDisk::new();
    assert_eq!(run(&quiet, &all), Ok(60));
    assert!(quiet.operations() > 40 && verify_on(quiet.clone()).unwrap().segments > 2);
    // Keeps nothing, all, every other block, the others, or every other sector of what was under way.
    let survivals: [fn(u64) -> bool; 5] = [
        |_| false,
        |_| true,
        |at| (at / BLOCK).is_multiple_of(2),
        |at| at / BLOCK % 2 == 1,
        |at| at / SECTOR % 2 == 1,
    ];
    for operation in 0..quiet.operations() {
        for survives in survivals {
            let disk = SimDisk::new();
            disk.lose_power_after(operation);
            let (_, acknowledged) = run(&disk, &all).unwrap_err();
            disk.restore_power(|place| survives(place.offset));
            // A second loss while what the first left is put right.
            disk.lose_power_after(operation % 3);
            let again = run(&disk, &all).unwrap_or_else(|(_, acknowledged)| acknowledged);
            disk.restore_power(|place| survives(place.offset + SECTOR));
            let found = contents(&read_all(disk.clone(), 1));
            assert!(found.len() >= acknowledged.max(again), "operation {operation}: acknowledged is kept");
            assert_eq!(found, all[..found.len()]);
            assert_eq!(run(&disk, &all), Ok(60), "operation {operation}");
            assert_eq!(verify_on(disk).unwrap().head, head_of(&all));
        }
    }
}

#[test]
fn a_segment_whose_making_was_interrupted_is_made_anew() {
    for (header, size) in [(false, true), (true, false), (true, true), (false, false)] {
        let disk = SimDisk::new();
        let (mut journal, _) = open(&disk).unwrap();
        let all = records(1, 6, 4000);
        journal.append(&all[..5]).unwrap();
        disk.lose_power_after(0);
        journal.append(&all).unwrap_err();
        disk.restore_power(|place| if place.offset == 0 { header } else { size });
        let torn = (header || size) && !(header && size);
        assert_eq!(verify_on(disk.clone()).unwrap().torn_tail.is_some(), torn);
        assert_eq!(read_all(disk.clone(), 1).len(), 5);
        let (mut journal, opened) = open(&disk).unwrap();
        assert_eq!((opened.remade.is_some(), opened.head), (torn, head_of(&all[..5])));
        journal.append(&all[5..]).unwrap();
        assert_eq!(verify_on(disk).unwrap().head, head_of(&all));
    }
}

#[test]
fn a_failed_write_stops_the_writer_for_good() {
    for operation in 0..2 {
        let disk = SimDisk::new();
        let (mut journal, _) = open(&disk).unwrap();
        let head = journal.append(&records(1, 2, 10)).unwrap();
        disk.fail_after(operation);
        let error = journal.append(&records(3, 1, 10)).unwrap_err();
        assert!(matches!(error, JournalError::Io(_)));
        assert_eq!(journal.append(&records(3, 1, 10)).unwrap_err(), error);
        assert_eq!(journal.append::<&[u8]>(&[]).unwrap_err(), error);
        assert_eq!(journal.head(), head);
        // What the failed write left is whole or cut at the next opening.
        drop(journal);
        disk.restore_power(|place| place.offset % BLOCK == 0);
        let (_, opened) = open(&disk).unwrap();
        assert_eq!(opened.head.seq, 3);
    }
}

#[test]
fn a_writer_from_before_the_power_went_writes_no_more() {
    let disk = SimDisk::new();
    let (mut old, _) = open(&disk).unwrap();
    old.append(&[b"x"]).unwrap();
    disk.lose_power();
    disk.restore_power(|_| true);
    let (mut new, _) = open(&disk).unwrap();
    assert!(matches!(old.append(&[b"y"]).unwrap_err(), JournalError::Io(_)));
    new.append(&[b"z"]).unwrap();
    assert_eq!(verify_on(disk).unwrap().head, new.head());
}

#[test]
fn a_full_disk_refuses_and_harms_nothing() {
    let disk = SimDisk::new();
    disk.set_capacity(Some(SMALL.segment_bytes - 1));
    assert_eq!(open(&disk).unwrap_err(), JournalError::Full { needed: SMALL.segment_bytes });
    disk.set_capacity(Some(SMALL.segment_bytes));
    let (mut journal, _) = open(&disk).unwrap();
    let all = records(1, 5, 5000);
    journal.append(&all[..4]).unwrap();
    let before = (journal.head(), disk.bytes(SegmentName(1)));
    for _ in 0..3 {
        assert_eq!(journal.append(&all).unwrap_err(), JournalError::Full { needed: SMALL.segment_bytes });
        assert_eq!((journal.head(), disk.bytes(SegmentName(1))), before);
    }
    // What still fits is still taken.
    journal.append(&all[4..]).unwrap();
    disk.set_capacity(None);
    let head = journal.append(&all).unwrap();
    assert_eq!(head, head_of(&[all.clone(), all].concat()));
    assert_eq!(verify_on(disk).unwrap().head, head);
}

#[test]
fn bounds() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    let large = vec![0; journal::RECORD_BYTES_MAX + 1];
    let error = journal.append(&[b"x".as_slice(), &large]).unwrap_err();
    assert!(matches!(error, JournalError::RecordTooLarge { index: 1, .. }));
    let error = journal.append(&[&large[1..]]).unwrap_err();
    assert!(matches!(error, JournalError::GroupTooLarge { max, .. } if max == SMALL.segment_bytes - BLOCK));
    journal.append(&[b"x"]).unwrap();
    assert_eq!(verify_on(disk).unwrap().records, 1);
    for segment_bytes in [0, 4096, journal::SEGMENT_BYTES_MIN + 512, journal::SEGMENT_BYTES_MAX * 2, u64::MAX]
    {
        let options = Options { segment_bytes, ..SMALL };
        let error = journal::Journal::open_on(SimDisk::new(), &options).unwrap_err();
        assert_eq!(error, JournalError::SegmentBytes(segment_bytes));
    }
}

/// Segments keep their size; a group that the old size cannot hold replaces an empty segment.
#[test]
fn another_segment_size() {
    let disk = SimDisk::new();
    drop(open(&disk).unwrap());
    let larger = Options { segment_bytes: SMALL.segment_bytes * 4, ..SMALL };
    let (mut journal, _) = journal::Journal::open_on(disk.clone(), &larger).unwrap();
    assert_eq!(journal.bytes_free(), SMALL.segment_bytes - BLOCK);
    let all = records(1, 10, 9000);
    journal.append(&all).unwrap();
    assert_eq!(verify_on(disk.clone()).unwrap().segments, 1);
    drop(journal);
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(&all[..1]).unwrap();
    journal.append(&all[..2]).unwrap();
    assert_eq!(verify_on(disk).unwrap().head, journal.head());
}
