//! Hostile content under good checksums: never a panic, never accepted, whatever the numbers say.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::*;
use crate::frame::group_bytes;
use crate::sector::seal;
use crate::sim::SimDisk;
use crate::verify::verify_on;
use crate::writer::{Journal, Options};

const SEGMENT: SegmentName = SegmentName(1);
const OPTIONS: Options = Options { segment_bytes: 32 << 10, direct: true };

/// A journal of one group of three records, whose first sector's content is replaced from byte `from` on.
fn altered(from: usize, with: &[u8]) -> SimDisk {
    let disk = SimDisk::new();
    let (mut journal, _) = Journal::open_on(disk.clone(), &OPTIONS).unwrap();
    let records = [vec![1; 100], vec![2; 700], vec![3; 9]];
    journal.append(&records).unwrap();
    assert_eq!(group_bytes(&records, usize::MAX), BLOCK);
    let mut content = disk.bytes(SEGMENT).split_off(to_usize(BLOCK.saturating_add(4)));
    content.truncate(504);
    for (to, from) in content.iter_mut().skip(from).zip(with) {
        *to = *from;
    }
    let mut sector = [0; SECTOR_BYTES];
    seal(&mut sector, place(SEGMENT, BLOCK), 1, &content);
    disk.overwrite(SEGMENT, BLOCK, &sector);
    disk
}

#[test]
fn unaltered_is_accepted() {
    assert_eq!(verify_on(altered(0, b"JKFR")).unwrap().records, 3);
}

#[test]
fn extreme_numbers_are_refused() {
    // Flags, first record, number of records, bytes; then the length of the first record.
    for (from, bytes) in [(4, 4), (8, 8), (16, 4), (20, 4), (24, 32), (56, 32), (88, 4)] {
        for value in [0xff, 0x7f, 0x80, 0x01] {
            let damage = verify_on(altered(from, &vec![value; bytes])).unwrap_err();
            assert_eq!(damage.at, place(SEGMENT, BLOCK), "{from} {value}: {damage}");
        }
    }
    // One byte more than the records have: their hash alone would not show it.
    let damage = verify_on(altered(20, &822_u32.to_be_bytes())).unwrap_err();
    assert_eq!(damage.reason, Reason::Frame("more bytes than its records have"));
    // A group that says that it goes on, and does not, is one that was not written to its end.
    let verified = verify_on(altered(4, &[0, 0, 0, 1])).unwrap();
    assert_eq!((verified.records, verified.torn_tail), (0, Some(place(SEGMENT, BLOCK))));
}

/// Puts a good sector of the group that begins at block `group` at `offset`.
fn put(disk: &SimDisk, offset: u64, group: u32) {
    let mut sector = [0; SECTOR_BYTES];
    seal(&mut sector, place(SEGMENT, offset), group, b"content");
    disk.overwrite(SEGMENT, offset, &sector);
}

#[test]
fn sectors_of_another_group_are_refused() {
    for (offset, group, found) in [(BLOCK, 2, 2 * BLOCK), (BLOCK + SECTOR, 0, 0), (2 * BLOCK, 3, 3 * BLOCK)] {
        let disk = altered(0, b"JKFR");
        put(&disk, offset, group);
        let damage = verify_on(disk).unwrap_err();
        let expected = offset / BLOCK * BLOCK;
        assert_eq!(
            (damage.at, damage.reason),
            (place(SEGMENT, offset), Reason::Group { expected, found }),
            "{offset}"
        );
    }
    // Of an earlier group, behind the last one.
    let disk = altered(0, b"JKFR");
    put(&disk, 3 * BLOCK, 1);
    let damage = verify_on(disk).unwrap_err();
    assert_eq!(damage.reason, Reason::Group { expected: 2 * BLOCK, found: BLOCK });
}

#[test]
fn a_piece_behind_the_end_of_a_torn_group_is_refused() {
    let disk = altered(0, b"JKFR");
    disk.overwrite(SEGMENT, BLOCK + SECTOR, &[0; SECTOR_BYTES]);
    assert_eq!(verify_on(disk.clone()).unwrap().torn_tail, Some(place(SEGMENT, BLOCK)));
    put(&disk, 2 * BLOCK, 1);
    let damage = verify_on(disk).unwrap_err();
    let reason = Reason::Frame("a sector behind its group's end");
    assert_eq!((damage.at, damage.reason), (place(SEGMENT, 2 * BLOCK), reason));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_in_a_frame(from in 0..200_usize, with in prop::collection::vec(any::<u8>(), 1..300)) {
        let disk = altered(from, &with);
        let same = disk.bytes(SEGMENT) == altered(0, b"JKFR").bytes(SEGMENT);
        prop_assert_eq!(verify_on(disk).is_ok_and(|verified| verified.records == 3), same);
    }

    #[test]
    fn anything_in_a_file(bytes in prop::collection::vec(any::<u8>(), 1..9000)) {
        let disk = SimDisk::new();
        let empty = bytes.iter().all(|byte| *byte == 0);
        disk.replace(SEGMENT, Some(bytes));
        prop_assert_eq!(verify_on(disk).is_ok(), empty);
    }
}
