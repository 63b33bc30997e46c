//! Damage of every kind is refused, and named at the right place.

use journal::{
    Damage, JournalError, Options, Position, Reason, SEGMENT_BYTES_MIN, SegmentName, SimDisk, verify_on,
};

use crate::support::records;

const FIRST: SegmentName = SegmentName(1);
const OPTIONS: Options = Options { segment_bytes: SEGMENT_BYTES_MIN, direct: true };

/// Two full segments and a third with one group; each group is a block of three sectors, three to a segment.
fn disk() -> SimDisk {
    let disk = SimDisk::new();
    let (mut journal, _) = journal::Journal::open_on(disk.clone(), &OPTIONS).unwrap();
    for group in records(1, 14, 550).chunks(2) {
        journal.append(group).unwrap();
    }
    assert_eq!(verify_on(disk.clone()).unwrap().segments, 3);
    disk
}

/// The damage that an audit names and that an opening refuses with.
fn damage(disk: &SimDisk) -> Damage {
    let damage = verify_on(disk.clone()).unwrap_err();
    let refused = journal::Journal::open_on(disk.clone(), &OPTIONS).unwrap_err();
    assert_eq!(refused, JournalError::Damaged(damage.clone()));
    damage
}

fn at(segment: SegmentName, offset: u64) -> Position {
    Position { segment, offset }
}

#[test]
fn a_turned_bit_in_any_byte_is_found_and_named() {
    let disk = disk();
    for segment in [SegmentName(1), SegmentName(7), SegmentName(13)] {
        for byte in 0..SEGMENT_BYTES_MIN {
            let bit = u32::try_from(byte % 7).unwrap();
            disk.flip_bit(segment, byte, bit);
            // Opening reads the same way; asking it about every byte would only take longer.
            let damage = if byte % 8 == 0 { damage(&disk) } else { verify_on(disk.clone()).unwrap_err() };
            assert_eq!(damage.at, at(segment, byte / 512 * 512), "{segment} {byte}: {damage}");
            assert_eq!(damage.byte, Some(byte), "{segment}: {damage}");
            disk.flip_bit(segment, byte, bit);
        }
    }
    verify_on(disk).unwrap();
}

#[test]
fn a_sector_lost_before_the_last_group_is_named() {
    let disk = disk();
    for segment in [SegmentName(1), SegmentName(7)] {
        let good = disk.bytes(segment);
        for group in 1..4 {
            for sector in 0..3 {
                let offset = group * 4096 + sector * 512;
                disk.overwrite(segment, offset, &[0; 512]);
                let damage = damage(&disk);
                assert_eq!((damage.at, damage.reason), (at(segment, offset), Reason::Unwritten));
                disk.replace(segment, Some(good.clone()));
            }
        }
        // The whole last group of the segment: the next segment shows that it is missing.
        disk.overwrite(segment, 3 * 4096, &[0; 4096]);
        let damage = damage(&disk);
        let (expected, found) = (segment.0 + 4, segment.0 + 6);
        assert_eq!((damage.at, damage.reason), (at(segment, 3 * 4096), Reason::Sequence { expected, found }));
        disk.replace(segment, Some(good));
    }
    // In the last group of all, a sector that is all zero cannot be told from one that was never written.
    disk.overwrite(SegmentName(13), 4096 + 512, &[0; 512]);
    assert_eq!(verify_on(disk).unwrap().head.seq, 12);
}

#[test]
fn a_sector_at_a_wrong_place_is_found() {
    let disk = disk();
    let (first, second) = (disk.bytes(FIRST), disk.bytes(SegmentName(7)));
    // From another place in the file, and from the same place in another one.
    disk.overwrite(FIRST, 4096 + 1024, &first[4096 + 512..4096 + 1024]);
    assert_eq!(damage(&disk).at, at(FIRST, 4096 + 1024));
    disk.replace(FIRST, Some(first.clone()));
    disk.overwrite(FIRST, 8192, &second[8192..12288]);
    assert_eq!(damage(&disk).at, at(FIRST, 8192));
    disk.replace(FIRST, Some(first.clone()));
    // A whole segment under another's name.
    disk.replace(SegmentName(7), Some(first));
    assert_eq!(damage(&disk).at, at(SegmentName(7), 0));
}

#[test]
fn a_missing_segment_is_found() {
    let disk = disk();
    let first = disk.bytes(FIRST);
    disk.replace(FIRST, None);
    assert_eq!(damage(&disk).reason, Reason::Sequence { expected: 1, found: 7 });
    disk.replace(FIRST, Some(first));
    disk.replace(SegmentName(7), None);
    let damage = damage(&disk);
    assert_eq!((damage.at.segment, damage.reason), (FIRST, Reason::Sequence { expected: 7, found: 13 }));
}

/// A history that is whole in itself but not the one that the next segment goes on from.
#[test]
fn another_history_is_found() {
    let (disk, other) = (disk(), SimDisk::new());
    let (mut journal, _) = journal::Journal::open_on(other.clone(), &OPTIONS).unwrap();
    let mut records = records(1, 14, 550);
    records.iter_mut().flatten().filter(|byte| **byte == b'x').for_each(|byte| *byte = b'y');
    for group in records.chunks(2) {
        journal.append(group).unwrap();
    }
    disk.replace(FIRST, Some(other.bytes(FIRST)));
    let broken = damage(&disk);
    assert_eq!(broken.at, at(SegmentName(7), 0));
    assert!(matches!(broken.reason, Reason::Chain { .. }));
    // One group of it, whose sectors are all good at this place.
    let disk = self::disk();
    disk.overwrite(FIRST, 8192, &other.bytes(FIRST)[8192..12288]);
    let broken = damage(&disk);
    assert_eq!(broken.at, at(FIRST, 8192));
    assert!(matches!(broken.reason, Reason::Chain { .. }));
    // One of its sectors in a group.
    let disk = self::disk();
    disk.overwrite(FIRST, 4096 + 512, &other.bytes(FIRST)[4096 + 512..4096 + 1024]);
    let broken = damage(&disk);
    assert_eq!(broken.at, at(FIRST, 4096));
    assert!(matches!(broken.reason, Reason::FrameHash { .. }));
}

#[test]
fn a_file_of_another_size_is_found() {
    let disk = disk();
    for segment in [SegmentName(1), SegmentName(13)] {
        let good = disk.bytes(segment);
        for len in [8192, good.len() - 1, good.len() + 1, good.len() + 4096] {
            let mut bytes = good.clone();
            bytes.resize(len, 0);
            disk.replace(segment, Some(bytes));
            let damage = damage(&disk);
            let (expected, found) = (SEGMENT_BYTES_MIN, u64::try_from(len).unwrap());
            assert_eq!((damage.at, damage.reason), (at(segment, 0), Reason::Size { expected, found }));
        }
        disk.replace(segment, Some(good));
    }
    // Without a header, but not empty.
    for segment in [SegmentName(1), SegmentName(13)] {
        let good = disk.bytes(segment);
        disk.overwrite(segment, 0, &[0; 512]);
        let damage = damage(&disk);
        assert_eq!((damage.at, damage.reason), (at(segment, 0), Reason::NoHeader));
        disk.replace(segment, Some(good));
    }
    // An empty file that is not the last.
    disk.replace(SegmentName(7), Some(Vec::new()));
    assert_eq!(damage(&disk).at.segment, SegmentName(7));
}

#[test]
fn words_for_people() {
    let disk = disk();
    disk.flip_bit(FIRST, 5000, 3);
    let text = damage(&disk).to_string();
    assert!(
        text.starts_with("journal-00000000000000000001.seg at byte 4608: the sector's checksum should be "),
        "{text}"
    );
    assert!(text.ends_with(" (one wrong byte, at 5000, explains it)"), "{text}");
}
