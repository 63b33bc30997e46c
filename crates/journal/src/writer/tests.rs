//! Groups of several frames, which outside of tests only large groups have.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use super::*;
use crate::error::Reason;
use crate::reader::Reader;
use crate::sector::SECTOR;
use crate::sim::SimDisk;
use crate::verify::verify_on;

const OPTIONS: Options = Options { segment_bytes: 128 << 10, direct: true };

/// A journal whose frames hold about two sectors.
fn open(disk: &SimDisk) -> Result<(Journal<SimDisk>, Opened), JournalError> {
    let (mut journal, opened) = Journal::open_on(disk.clone(), &OPTIONS)?;
    journal.set_frame_bytes(900);
    Ok((journal, opened))
}

fn records(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| vec![b'a' + u8::try_from(index % 26).unwrap(); 400]).collect()
}

fn count(disk: &SimDisk) -> u64 {
    let mut reader = Reader::open_on(disk.clone(), 1).unwrap();
    let mut count = 0;
    while let Some(record) = reader.next().unwrap() {
        count += 1;
        assert_eq!(record.seq, count);
    }
    count
}

#[test]
fn a_group_of_many_frames() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(&records(7)).unwrap();
    // Two records to a frame, each frame a block.
    assert_eq!(journal.at.offset, BLOCK * 5);
    let head = journal.append(&records(1)).unwrap();
    assert_eq!(verify_on(disk.clone()).unwrap().head, head);
    assert_eq!(count(&disk), 8);
    let mut reader = Reader::open_on(disk, 6).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().seq, 6);
}

#[test]
fn a_torn_group_of_many_frames_is_cut_whatever_is_left_of_it() {
    // Three frames of two sectors each: every subset.
    let sectors: Vec<u64> =
        (0..3).flat_map(|frame| [0, 1].map(|s| BLOCK * (2 + frame) + s * SECTOR)).collect();
    for subset in 0_u32..64 {
        let disk = SimDisk::new();
        let (mut journal, _) = open(&disk).unwrap();
        let kept = journal.append(&records(1)).unwrap();
        disk.lose_power_after(0);
        journal.append(&records(6)).unwrap_err();
        let keeps =
            |offset| sectors.iter().position(|s| *s == offset).is_some_and(|bit| subset >> bit & 1 == 1);
        disk.restore_power(|place| keeps(place.offset));
        let whole = subset == 63;
        assert_eq!(count(&disk), if whole { 7 } else { 1 }, "a reader sees whole groups only: {subset:06b}");
        let (mut journal, opened) = open(&disk).unwrap();
        assert_eq!(opened.cut.is_some(), !whole && subset != 0, "{subset:06b}");
        assert_eq!(opened.head == kept, !whole);
        let head = journal.append(&records(3)).unwrap();
        assert_eq!(verify_on(disk).unwrap().head, head);
    }
}

#[test]
fn a_group_of_many_frames_lost_before_another_is_damage() {
    let disk = SimDisk::new();
    let (mut journal, _) = open(&disk).unwrap();
    journal.append(&records(6)).unwrap();
    journal.append(&records(1)).unwrap();
    let segment = SegmentName(1);
    let good = disk.bytes(segment);
    for frame in 0..3 {
        for sector in 0..2 {
            let offset = BLOCK * (1 + frame) + sector * SECTOR;
            disk.overwrite(segment, offset, &[0; 512]);
            let damage = verify_on(disk.clone()).unwrap_err();
            assert_eq!((damage.at, damage.reason), (place(segment, offset), Reason::Unwritten));
            disk.replace(segment, Some(good.clone()));
        }
    }
    // A whole frame of another group inside a group.
    let (mut journal, _) = {
        drop(journal);
        open(&disk).unwrap()
    };
    journal.append(&records(2)).unwrap();
    let block = usize::try_from(BLOCK).unwrap();
    disk.overwrite(segment, BLOCK * 2, &good[block * 4..block * 5]);
    let damage = verify_on(disk).unwrap_err();
    assert_eq!(damage.at, place(segment, BLOCK * 2));
    assert!(matches!(damage.reason, Reason::Checksum { .. }));
}
