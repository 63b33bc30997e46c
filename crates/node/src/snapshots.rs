//! Snapshot files: the state at a record of the journal, so that a start need not replay everything.
//!
//! A snapshot is made from the files alone, beside the writer, which never waits for it. Its name carries the sequence number; inside are the
//! hash of that journal record and the state with its own hash. A snapshot is a shortcut and never the truth: one that does
//! not fit the journal is passed over.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bank::{Bank, ColdHistory};
use journal::{Hash, JournalError, Reader};
use thiserror::Error;

use crate::HistoryFiles;
use crate::history::Bounded;
use crate::recover::{RecoverError, replay_with};

/// Snapshots kept: the newest, and one before it in case the newest was cut short.
const KEPT: usize = 2;
/// First bytes of a snapshot file, before the record's hash.
const MAGIC: &[u8; 8] = b"JKSNAP01";
/// Bytes of a snapshot file before the state: its first bytes and the hash of its record.
pub const SNAPSHOT_HEADER_BYTES: usize = 40;

/// Why a snapshot could not be made.
#[derive(Debug, Error)]
pub enum SnapshotFileError {
    /// The journal could not be replayed.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The file could not be written.
    #[error("snapshot: {0}")]
    File(#[from] std::io::Error),
}

/// Where the journal is within a data folder.
pub(crate) fn journal_dir(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Makes a snapshot of everything the journal has now, unless there is one; answers with its sequence number.
///
/// # Errors
/// A journal that cannot be replayed or a file that cannot be written.
pub fn write_snapshot(data: &Path) -> Result<u64, SnapshotFileError> {
    write(data, None)
}

/// Like [`write_snapshot`]; with a bound, old history stays in its files and is neither held for the replay nor written again.
pub(crate) fn write(data: &Path, bounded: Option<&Bounded>) -> Result<u64, SnapshotFileError> {
    let mut bank = newest(data).map_err(RecoverError::from)?.unwrap_or_default();
    let before = bank.seq();
    if let Some(bounded) = bounded {
        bounded.rely(&mut bank);
    }
    replay_with(data, &mut bank, |bank| {
        if let Some(bounded) = bounded {
            drop(bank.forget_history(bounded.keep));
        }
    })?;
    if bank.seq() == before {
        return Ok(before);
    }
    if let Some(bounded) = bounded {
        drop(bank.trim_history(bounded.keep));
    }
    let hash = record_hash(data, bank.seq()).map_err(RecoverError::from)?.unwrap_or_default();
    let folder = data.join("snapshots");
    fs::create_dir_all(&folder)?;
    let target = folder.join(format!("state-{:020}.snapshot", bank.seq()));
    let beside = target.with_extension("partial");
    let mut file = File::create(&beside)?;
    file.write_all(MAGIC)?;
    file.write_all(hash.as_bytes())?;
    file.write_all(&bank.to_snapshot())?;
    file.sync_all()?;
    fs::rename(&beside, &target)?;
    File::open(&folder)?.sync_all()?;
    let files = list(data);
    for old in files.iter().rev().skip(KEPT) {
        fs::remove_file(&old.1)?;
    }
    Ok(bank.seq())
}

/// The newest state that a snapshot holds and the journal agrees with.
pub(crate) fn newest(data: &Path) -> Result<Option<Bank>, JournalError> {
    Ok(newest_snapshot(data)?.map(|found| found.bank))
}

/// Every snapshot file that the journal agrees with, oldest first.
///
/// # Errors
/// A journal that cannot be read.
pub fn good_snapshots(data: &Path) -> Result<Vec<GoodSnapshot>, JournalError> {
    let mut good = Vec::new();
    for (seq, path) in list(data) {
        if let Ok(bank) = open(&path, seq, data)? {
            good.push(GoodSnapshot { path, bank });
        }
    }
    Ok(good)
}

/// A snapshot file that the journal agrees with.
#[derive(Debug)]
pub struct GoodSnapshot {
    /// The file.
    pub path: PathBuf,
    /// The state in it.
    pub bank: Bank,
}

/// The newest snapshot whose own hash is right and whose record the journal has.
///
/// # Errors
/// A journal that cannot be read.
pub fn newest_snapshot(data: &Path) -> Result<Option<GoodSnapshot>, JournalError> {
    for (seq, path) in list(data).into_iter().rev() {
        match open(&path, seq, data)? {
            Ok(bank) => return Ok(Some(GoodSnapshot { path, bank })),
            Err(problem) => tracing::warn!(seq, problem, "a snapshot is passed over"),
        }
    }
    Ok(None)
}

fn open(path: &Path, seq: u64, data: &Path) -> Result<Result<Bank, String>, JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Some((hash, state)) = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_at_checked(32)) else {
        return Ok(Err("the file is cut short".to_owned()));
    };
    if record_hash(data, seq)?.is_none_or(|found| found.as_bytes().as_slice() != hash) {
        return Ok(Err("the journal has another record there".to_owned()));
    }
    let cold = match HistoryFiles::open(data) {
        Ok(files) => Some(Arc::new(files) as Arc<dyn ColdHistory>),
        Err(error) => return Ok(Err(error.to_string())),
    };
    Ok(match Bank::from_snapshot_with(state, cold) {
        Ok(bank) if bank.seq() == seq => Ok(bank),
        Ok(bank) => Err(format!("the state inside is that of {}", bank.seq())),
        Err(error) => Err(error.to_string()),
    })
}

fn record_hash(data: &Path, seq: u64) -> Result<Option<Hash>, JournalError> {
    let journal = journal_dir(data);
    let mut reader = match Reader::open(&journal, seq) {
        // The base has the hash of the last released record, and nothing of those before.
        Err(JournalError::Released { .. }) => {
            let base = journal::base(&journal)?.filter(|base| base.before.seq == seq);
            return Ok(base.map(|base| base.before.hash));
        }
        reader => reader?,
    };
    Ok(reader.next()?.filter(|record| record.seq == seq).map(|record| record.hash))
}

/// Snapshot files with their sequence numbers, oldest first.
fn list(data: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(data.join("snapshots")) else { return Vec::new() };
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let seq = name.strip_prefix("state-")?.strip_suffix(".snapshot")?.parse().ok()?;
            Some((seq, path))
        })
        .collect();
    found.sort();
    found
}
