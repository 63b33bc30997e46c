//! Journals in real files.

use std::fs;
use std::path::Path;

use journal::{FileJournal, FileStorage, Head, JournalError, Options, Reader, SegmentName, verify};

use crate::support::{Folder, SMALL, contents, head_of, read_all, records};

fn both_ways() -> [Options; 2] {
    [SMALL, Options { direct: false, ..SMALL }]
}

fn segment_files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("journal-")).collect();
    names.sort();
    names
}

#[test]
fn appended_is_found_again() {
    for options in both_ways() {
        let folder = Folder::new();
        let dir = folder.path().join("not/yet/there");
        let (mut journal, opened) = FileJournal::open(&dir, &options).unwrap();
        assert!(opened.created && opened.head == Head::default());
        // Four segments, and groups that go on over many openings.
        let all = records(1, 120, 700);
        for (count, group) in all.chunks(7).enumerate() {
            assert_eq!(journal.append(group).unwrap(), journal.head());
            if count % 5 == 4 {
                drop(journal);
                let (again, opened) = FileJournal::open(&dir, &options).unwrap();
                assert_eq!((opened.created, opened.cut, opened.remade), (false, None, None));
                journal = again;
            }
        }
        assert_eq!(journal.append::<&[u8]>(&[]).unwrap(), head_of(&all));
        let names = segment_files(&dir);
        assert!(names.len() >= 4 && names[0] == SegmentName(1).to_string(), "{names:?}");
        for name in &names {
            assert_eq!(fs::metadata(dir.join(name)).unwrap().len(), options.segment_bytes);
        }
        let verified = verify(&dir).unwrap();
        assert_eq!((verified.head, verified.records, verified.torn_tail), (head_of(&all), 120, None));
        assert_eq!(verified.segments, u64::try_from(names.len()).unwrap());
        for from in [0, 1, 2, 59, 119, 120, 121, 500] {
            let found = read_all(FileStorage::new(&dir, false), from);
            let skip = usize::try_from(from.clamp(1, 121) - 1).unwrap();
            assert_eq!(contents(&found), all[skip..], "from {from}");
        }
    }
}

#[test]
fn every_record_says_where_it_is() {
    let folder = Folder::new();
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    for group in records(1, 30, 900).chunks(4) {
        journal.append(group).unwrap();
    }
    let mut prev = journal::Hash::default();
    for record in read_all(FileStorage::new(folder.path(), false), 1) {
        assert_eq!(record.prev, prev);
        assert_eq!(record.hash, journal::record_hash(&prev, record.seq, &record.bytes));
        prev = record.hash;
        let file = fs::read(folder.path().join(record.at.segment.to_string())).unwrap();
        let at = usize::try_from(record.at.offset).unwrap();
        // The length may be split between two sectors; its first byte is zero, so look at what follows in the same sector.
        if at % 512 < 400 {
            assert_eq!(file[at..at + 4], u32::try_from(record.bytes.len()).unwrap().to_be_bytes());
            assert_eq!(file[at + 4..at + 12], record.bytes[..8]);
        }
    }
    assert_eq!(prev, journal.head().hash);
}

#[test]
fn one_writer_only() {
    let folder = Folder::new();
    let (journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    let error = FileJournal::open(folder.path(), &SMALL).unwrap_err();
    assert_eq!(error, JournalError::Locked(folder.path().display().to_string()));
    drop(journal);
    FileJournal::open(folder.path(), &SMALL).unwrap();
}

#[test]
fn no_place_for_a_journal() {
    // Nobody may make files here, the superuser included.
    let error = FileJournal::open(Path::new("/proc/self"), &SMALL).unwrap_err();
    assert!(matches!(error, JournalError::Io(_)), "{error}");
    let folder = Folder::new();
    let file = folder.path().join("file");
    fs::write(&file, b"x").unwrap();
    let error = FileJournal::open(&file, &SMALL).unwrap_err();
    assert!(matches!(error, JournalError::Io(_)), "{error}");
    // An empty folder reads as an empty journal.
    assert_eq!(verify(&folder.path().join("none")).unwrap().head, Head::default());
    assert_eq!(Reader::open(folder.path(), 1).unwrap().next(), Ok(None));
}

#[test]
fn a_full_disk_refuses_and_harms_nothing() {
    let folder = Folder::new();
    let room = rustix::fs::statvfs(folder.path()).unwrap();
    let too_large =
        (room.f_bavail * room.f_frsize * 2).next_multiple_of(4096).min(journal::SEGMENT_BYTES_MAX);
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    let all = records(1, 40, 900);
    journal.append(&all[..10]).unwrap();
    drop(journal);
    let options = Options { segment_bytes: too_large, ..SMALL };
    let (mut journal, _) = FileJournal::open(folder.path(), &options).unwrap();
    journal.append(&all[10..20]).unwrap();
    for _ in 0..2 {
        assert_eq!(journal.append(&all[20..]).unwrap_err(), JournalError::Full { needed: too_large });
    }
    journal.append(&all[20..22]).unwrap();
    drop(journal);
    assert_eq!(segment_files(folder.path()).len(), 1);
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    assert_eq!(journal.append(&all[22..]).unwrap(), head_of(&all));
}

#[test]
fn torn_files() {
    let folder = Folder::new();
    let all = records(1, 10, 900);
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    journal.append(&all).unwrap();
    drop(journal);
    let first = folder.path().join(SegmentName(1).to_string());
    // Half a group after the last whole one: one of its sectors, copied from a journal that went on.
    let good = fs::read(&first).unwrap();
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    journal.append(&records(11, 3, 900)).unwrap();
    drop(journal);
    let mut torn = good.clone();
    let longer = fs::read(&first).unwrap();
    let start =
        (0..longer.len()).step_by(512).find(|at| longer[*at..*at + 512] != good[*at..*at + 512]).unwrap();
    torn[start + 512..start + 1536].copy_from_slice(&longer[start + 512..start + 1536]);
    fs::write(&first, &torn).unwrap();
    // The next segment's file, made but not written to.
    fs::write(folder.path().join("next.tmp"), [0; 100]).unwrap();
    let (journal, opened) = FileJournal::open(folder.path(), &SMALL).unwrap();
    let cut = opened.cut.unwrap();
    assert_eq!((cut.at.offset, cut.bytes), (u64::try_from(start).unwrap(), 1536));
    assert_eq!((opened.head, fs::read(&first).unwrap() == good), (head_of(&all), true));
    drop(journal);
    // A last file that is empty, short, or zero.
    let last = folder.path().join(SegmentName(11).to_string());
    for bytes in [vec![], vec![0; 300], vec![0; 4096], vec![0; 32 << 10]] {
        fs::write(&last, bytes).unwrap();
        assert_eq!(verify(folder.path()).unwrap().torn_tail.unwrap().segment, SegmentName(11));
        let (_, opened) = FileJournal::open(folder.path(), &SMALL).unwrap();
        assert_eq!((opened.remade, opened.head), (Some(SegmentName(11)), head_of(&all)));
    }
    let (mut journal, _) = FileJournal::open(folder.path(), &SMALL).unwrap();
    assert_eq!(journal.append(&[b"x"]).unwrap().seq, 11);
}

#[test]
fn a_file_named_almost_like_a_segment_is_refused() {
    let folder = Folder::new();
    drop(FileJournal::open(folder.path(), &SMALL).unwrap());
    fs::write(folder.path().join("notes.txt"), b"ignored").unwrap();
    drop(FileJournal::open(folder.path(), &SMALL).unwrap());
    fs::write(folder.path().join("journal-5.seg"), b"").unwrap();
    let error = FileJournal::open(folder.path(), &SMALL).unwrap_err();
    assert!(error.to_string().contains("journal-5.seg"), "{error}");
}
