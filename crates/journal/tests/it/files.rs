//! Journals in real files.

use std::fs;

use journal::{FileJournal, FileStorage, Head, JournalError, Options, Reader, SegmentName, verify};

use crate::support::{Folder, SMALL, contents, head_of, read_all, records};

fn both_ways() -> [Options; 2] {
    [SMALL, Options { direct: false, ..SMALL }]
}

#[test]
fn appended_is_found_again() {
    for options in both_ways() {
        let folder = Folder::new();
        let (mut journal, opened) = FileJournal::open(folder.path(), &options).unwrap();
        assert!(opened.created && opened.head == Head::default());
        let all = records(1, 40, 300);
        for group in all.chunks(7) {
            let head = journal.append(group).unwrap();
            assert_eq!(head, journal.head());
        }
        assert_eq!(journal.append::<&[u8]>(&[]).unwrap(), journal.head());
        drop(journal);
        let (journal, opened) = FileJournal::open(folder.path(), &options).unwrap();
        assert!(!opened.created && opened.cut.is_none() && opened.remade.is_none());
        assert_eq!((opened.head, journal.head()), (head_of(&all), head_of(&all)));
        let found = read_all(FileStorage::new(folder.path(), false), 1);
        assert_eq!(contents(&found), all);
        let verified = verify(folder.path()).unwrap();
        assert_eq!((verified.head, verified.records, verified.torn_tail), (opened.head, 40, None));
    }
}
