//! The format, byte for byte. `UPDATE_EXPECT=1` writes the file anew; after the first release it must never change.

use std::fmt::Write as _;
use std::path::PathBuf;

use journal::{FileJournal, FileStorage, Journal, Options, SEGMENT_BYTES_MIN, SegmentName, SimDisk, verify};

use crate::support::{Folder, contents, read_all};

const OPTIONS: Options = Options { segment_bytes: SEGMENT_BYTES_MIN, direct: true };

fn groups() -> Vec<Vec<Vec<u8>>> {
    let long: Vec<u8> = (0..=255).cycle().take(600).collect();
    vec![
        vec![b"first".to_vec()],
        vec![Vec::new(), long, "最后".as_bytes().to_vec()],
        vec![vec![0; 300]],
        // Needs another segment.
        vec![b"fifth".to_vec(), b"sixth".to_vec()],
    ]
}

/// Every line of 16 bytes that is not all zero, as offset and hexadecimal digits.
fn dump(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes\n", bytes.len());
    for (line, bytes) in bytes.chunks(16).enumerate().filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0))
    {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{:06x}: {}", line * 16, digits.join(" ")).unwrap();
    }
    text
}

/// The bytes of a dump.
fn undump(text: &str) -> Vec<u8> {
    let (size, lines) = text.split_once(" bytes\n").unwrap();
    let mut bytes = vec![0; size.parse().unwrap()];
    for line in lines.lines() {
        let (offset, digits) = line.split_once(": ").unwrap();
        let offset = usize::from_str_radix(offset, 16).unwrap();
        for (index, digits) in digits.split(' ').enumerate() {
            bytes[offset + index] = u8::from_str_radix(digits, 16).unwrap();
        }
    }
    bytes
}

fn golden(segment: SegmentName) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(format!("{segment}.txt"))
}

#[test]
fn version_1() {
    let disk = SimDisk::new();
    let (mut journal, _) = Journal::open_on(disk.clone(), &OPTIONS).unwrap();
    for group in groups() {
        journal.append(&group).unwrap();
    }
    let folder = Folder::new();
    for segment in [SegmentName(1), SegmentName(6)] {
        let text = dump(&disk.bytes(segment));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(golden(segment), &text).unwrap();
        }
        let stored = std::fs::read_to_string(golden(segment)).unwrap();
        assert_eq!(stored, text, "{segment} differs");
        std::fs::write(folder.path().join(segment.to_string()), undump(&stored)).unwrap();
    }
    // The stored bytes, as files, are the same journal.
    assert_eq!(verify(folder.path()).unwrap().head, journal.head());
    let found = read_all(FileStorage::new(folder.path(), false), 1);
    assert_eq!(contents(&found), groups().concat());
    let (file, opened) = FileJournal::open(folder.path(), &OPTIONS).unwrap();
    assert_eq!((file.head(), opened.segments), (journal.head(), 2));
    assert_eq!(found.last().unwrap().hash, journal.head().hash);
}
