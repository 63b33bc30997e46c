//! From files to the state: the newest good snapshot, then the rest of the journal.

use std::path::Path;

use bank::{Bank, JournalEntry};
use journal::{JournalError, Reader};
use thiserror::Error;

use crate::snapshots;

/// Why the state cannot be had from the files.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A record of the journal is no entry of this bank.
    #[error("journal record {seq} at {at} cannot be read: {problem}")]
    Record {
        /// Its sequence number.
        seq: u64,
        /// Where it is.
        at: String,
        /// What is wrong.
        problem: String,
    },
}

/// The state that the files hold.
#[derive(Debug)]
pub struct Recovered {
    /// The state.
    pub bank: Bank,
    /// Sequence number of the snapshot it began with; 0 without one.
    pub from_snapshot: u64,
    /// Entries replayed after it.
    pub replayed: u64,
}

/// Rebuilds the state of the bank from a data folder.
///
/// A snapshot is used only when its own hash is right and the journal has the record it was made at; otherwise an older one is tried, and
/// in the end the whole journal is replayed.
///
/// # Errors
/// A journal that cannot be read, or a record that is no entry.
pub fn recover(data: &Path) -> Result<Recovered, RecoverError> {
    let mut bank = snapshots::newest(data)?.unwrap_or_default();
    let from_snapshot = bank.seq();
    replay(data, &mut bank)?;
    let replayed = bank.seq().saturating_sub(from_snapshot);
    Ok(Recovered { bank, from_snapshot, replayed })
}

/// Applies what the journal has after the state.
pub(crate) fn replay(data: &Path, bank: &mut Bank) -> Result<(), RecoverError> {
    replay_with(data, bank, |_| {})
}

/// Applies what the journal has after the state; `after` is shown the state after each record.
pub(crate) fn replay_with(
    data: &Path,
    bank: &mut Bank,
    mut after: impl FnMut(&mut Bank),
) -> Result<(), RecoverError> {
    let mut reader = Reader::open(&snapshots::journal_dir(data), bank.seq().saturating_add(1))?;
    while let Some(record) = reader.next()? {
        let entry = JournalEntry::from_bytes(&record.bytes).map_err(|error| RecoverError::Record {
            seq: record.seq,
            at: record.at.to_string(),
            problem: error.to_string(),
        })?;
        bank.apply(record.seq, &entry);
        after(bank);
    }
    Ok(())
}
