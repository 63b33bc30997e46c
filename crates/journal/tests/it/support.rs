//! What several tests need: a temporary folder, small journals, and reading everything back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use journal::{Head, Journal, JournalError, Opened, Options, Reader, Record, SimDisk, Storage};

/// Small segments, so that a few groups fill one.
pub(crate) const SMALL: Options = Options { segment_bytes: 32 << 10, direct: true };

/// A folder of its own for one test, removed afterwards.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("journal-test-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(crate) fn open(disk: &SimDisk) -> Result<(Journal<SimDisk>, Opened), JournalError> {
    Journal::open_on(disk.clone(), &SMALL)
}

/// `count` records of about `bytes` bytes, all different.
pub(crate) fn records(from: u64, count: u64, bytes: usize) -> Vec<Vec<u8>> {
    (from..from + count).map(|seq| format!("record {seq} {}", "x".repeat(bytes)).into_bytes()).collect()
}

/// All records from `from` on.
pub(crate) fn read_all<S: Storage>(storage: S, from: u64) -> Vec<Record> {
    let mut reader = Reader::open_on(storage, from).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        records.push(record);
    }
    records
}

/// Contents only.
pub(crate) fn contents(records: &[Record]) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.bytes.clone()).collect()
}

/// The head that a list of contents leads to.
pub(crate) fn head_of(contents: &[Vec<u8>]) -> Head {
    contents.iter().fold(Head::default(), |head, bytes| {
        let seq = head.seq + 1;
        Head { seq, hash: journal::record_hash(&head.hash, seq, bytes) }
    })
}
