//! What can go wrong with a read model. Nothing of it touches the bank: the file is rebuilt.

use journal::JournalError;
use thiserror::Error;

/// A fault of a read model.
#[derive(Debug, Error)]
pub enum ProjectionError {
    /// SQLite.
    #[error("read model: {0}")]
    Database(#[from] rusqlite::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file beside it.
    #[error("{what}: {source}")]
    File {
        /// What was done.
        what: String,
        /// The fault.
        source: std::io::Error,
    },
    /// An entry or row that this version cannot read.
    #[error("entry {seq}: {problem}")]
    Entry {
        /// Sequence number of the entry.
        seq: u64,
        /// What is wrong.
        problem: String,
    },
    /// A key or checkpoint that cannot be used.
    #[error("log: {0}")]
    Log(String),
    /// No such movement.
    #[error("no such movement")]
    MovementUnknown,
    /// The movement is not yet under a signed checkpoint.
    #[error("the receipt is not ready yet")]
    ReceiptNotReady,
    /// The cursor is not one that was given out.
    #[error("not a cursor")]
    Cursor,
}
