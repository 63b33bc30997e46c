//! The seam to a journal that several nodes share: a *stream* of rows, kept by a database that replicates them.
//!
//! A stream is the same chain of records as a [`crate::FileJournal`], cut into rows. One node leads it at a time, under an *epoch* that grows
//! with every change of lead. Each write names its epoch and the head it follows, and the store takes it only when both are still
//! true; so two nodes can never both extend a stream. Every node keeps an ordinary file journal beside it, as its own verified copy.
//!
//! **Invariants.** A record of a stream never changes and never goes away once a write was confirmed. What a store shows may still be lost until
//! it is at or before [`View::acked`], until a later write by anybody was confirmed ([`Stream::confirm`]), or until the lead was taken
//! over it ([`Stream::take_over`]).
//!
//! What it does not do: it knows no commands, and does not decide who should lead; that is the node's.

use std::time::Duration;

use thiserror::Error;

use crate::frame::{LENGTH_BYTES, RECORD_BYTES_MAX};
use crate::hash::{Hash, Head};

mod sim;
pub use sim::{SimStream, StreamFault};

/// Largest content of a row with more than one record: large enough that a database's cost per row does not count, small enough that
/// a follower reads in even pieces.
pub const ROW_BYTES_MAX: usize = 128 << 10;

/// Who leads, and where it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// The node's name, one of its own in the cluster.
    pub name: String,
    /// Address of its HTTP interface, for clients that asked the wrong node.
    pub api: String,
    /// Address of its bulk interface; empty where it has none.
    pub bulk: String,
}

/// Some records of a stream, as they are stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// Number of the first record.
    pub first: u64,
    /// Number of the last record.
    pub last: u64,
    /// Epoch of the leader that wrote it.
    pub epoch: u64,
    /// Hash of the record before the first.
    pub before: Hash,
    /// Hash of the last record.
    pub after: Hash,
    /// The records, each with its number of bytes (4, big-endian) in front.
    pub content: Vec<u8>,
}

impl StreamRow {
    /// The row's records after `head`, and the head they lead to, when the row is what follows `head` or holds it: by number, by hash, and all of
    /// its bytes.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn follow(&self, head: Head) -> Result<(Vec<&[u8]>, Head), StreamError> {
        let next = head.seq.saturating_add(1);
        if self.first > next || self.last < head.seq {
            return Err(StreamError::Gap { expected: next, found: self.first });
        }
        let damaged = |problem| StreamError::Damaged { seq: self.first, problem };
        let (mut records, mut rest) = (Vec::new(), self.content.as_slice());
        let mut at = Head { seq: self.first.saturating_sub(1), hash: self.before };
        agree(head, at)?;
        while !rest.is_empty() {
            let (length, tail) =
                rest.split_first_chunk::<LENGTH_BYTES>().ok_or(damaged("a length is cut short"))?;
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > RECORD_BYTES_MAX {
                return Err(damaged("a record is above its bound"));
            }
            let (record, tail) = tail.split_at_checked(length).ok_or(damaged("a record is cut short"))?;
            at = at.after(record);
            agree(head, at)?;
            if at.seq > head.seq {
                records.push(record);
            }
            rest = tail;
        }
        if at.seq != self.last || self.content.is_empty() {
            return Err(damaged("it has not as many records as it says"));
        }
        if at.hash != self.after {
            return Err(damaged("its records do not lead to its hash"));
        }
        Ok((records, at))
    }

    /// The head that the row ends with.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.last, hash: self.after }
    }
}

/// Two heads of one number must be the same record.
fn agree(ours: Head, theirs: Head) -> Result<(), StreamError> {
    if ours.seq == theirs.seq && ours.hash != theirs.hash {
        return Err(StreamError::Fork { seq: ours.seq, ours: ours.hash, theirs: theirs.hash });
    }
    Ok(())
}

/// Cuts `records` that follow `head` into rows of `epoch`.
#[must_use]
pub fn cut_rows(head: Head, epoch: u64, records: &[&[u8]]) -> Vec<StreamRow> {
    let mut rows: Vec<StreamRow> = Vec::new();
    let mut at = head;
    for record in records {
        let bytes = record.len().saturating_add(LENGTH_BYTES);
        let full = rows.last().is_none_or(|row| row.content.len().saturating_add(bytes) > ROW_BYTES_MAX);
        if full {
            let first = at.seq.saturating_add(1);
            let (before, content) = (at.hash, Vec::with_capacity(bytes.max(ROW_BYTES_MAX)));
            rows.push(StreamRow { first, last: first, epoch, before, after: before, content });
        }
        at = at.after(record);
        if let Some(row) = rows.last_mut() {
            let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
            row.content.extend_from_slice(&length.to_be_bytes());
            row.content.extend_from_slice(record);
            (row.last, row.after) = (at.seq, at.hash);
        }
    }
    rows
}

/// What a stream looks like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The epoch of the last change of lead; 0 before the first.
    pub epoch: u64,
    /// Who led last.
    pub leader: Option<Member>,
    /// How long the lead still holds by the store's clock; zero when it is over.
    pub lease_left: Duration,
    /// The last record there is.
    pub head: Head,
    /// The last record whose durability the leader has confirmed.
    pub acked: u64,
}

/// What a leader says with everything it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Its epoch.
    pub epoch: u64,
    /// The last record that it knows to be durable.
    pub acked: u64,
    /// For how long the write renews its lead.
    pub lease: Duration,
}

/// A lead that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The new epoch.
    pub epoch: u64,
    /// The last record of the stream; no earlier leader can add another, and all up to here is durable.
    pub head: Head,
}

/// Why a stream does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamError {
    /// No store answers that may be written to. Nothing was changed; to be tried again.
    #[error("the shared journal cannot be reached: {0}")]
    Unreachable(String),
    /// The answer to a write was lost: it may have happened or not.
    #[error("whether the shared journal has a write is not known: {0}")]
    InDoubt(String),
    /// Another lead has begun; nothing was written.
    #[error("this node does not lead any more")]
    Fenced,
    /// The store would not keep what it confirms.
    #[error("the shared journal's server is unsafe: {setting} is {found}; set it to {wanted}")]
    Unsafe {
        /// The server's setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The stream there is not the one that this node has a copy of.
    #[error(
        "the shared journal is the stream {found}, the copy here is of {expected}: point the node at its own stream, or begin with an empty data folder"
    )]
    OtherStream {
        /// Of the copy.
        expected: String,
        /// Of the store.
        found: String,
    },
    /// The store has no such stream, and this node has a copy of it.
    #[error(
        "there is no stream {stream} in {place}, and this node has a copy of one: name the place and the stream it came from"
    )]
    Absent {
        /// The stream's name.
        stream: String,
        /// Where it was looked for.
        place: String,
    },
    /// Records are missing in the stream.
    #[error(
        "the shared journal has a gap: record {expected} should follow, found {found}; restore the stream from a node that has it"
    )]
    Gap {
        /// The number that follows.
        expected: u64,
        /// The number found; 0 for none.
        found: u64,
    },
    /// The copy has records that the stream does not have.
    #[error(
        "the shared journal ends at record {theirs}, the copy here at {ours}: the stream lost what it had confirmed, or is an older one; restore it from the newest copy, and do not start this node before"
    )]
    Behind {
        /// Last record of the copy.
        ours: u64,
        /// Last record of the stream.
        theirs: u64,
    },
    /// The stream and the copy have different records.
    #[error(
        "the copy here and the shared journal differ at record {seq} (here {ours}, there {theirs}): keep this folder aside, and begin with an empty one if the other nodes agree with the stream"
    )]
    Fork {
        /// The last record of the copy that was compared.
        seq: u64,
        /// Its hash here.
        ours: Hash,
        /// Its hash in the stream.
        theirs: Hash,
    },
    /// A row is not what was written.
    #[error(
        "the shared journal is damaged in the row of record {seq}: {problem}; restore the stream from a node's copy"
    )]
    Damaged {
        /// The row's first record.
        seq: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// The store refuses for a reason that trying again does not change.
    #[error("the shared journal's server refuses: {0}")]
    Refused(String),
}

impl StreamError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::InDoubt(_) | Self::Fenced)
    }
}

/// A stream as a node sees it. One thread uses it; every call ends within the implementation's own bound on time.
pub trait Stream: Send {
    /// The stream's own identity, given when it was made: 32 hexadecimal digits.
    ///
    /// # Errors
    /// [`StreamError::Unreachable`], or a server that is not fit.
    fn identity(&mut self) -> Result<String, StreamError>;

    /// What the stream looks like now.
    ///
    /// # Errors
    /// As [`Stream::identity`].
    fn look(&mut self) -> Result<View, StreamError>;

    /// Rows from the one that has the record `from` on, in order, some mebibytes at most, and none that begins after `last`. Empty when there are
    /// none. They come from where the call before was answered, so that what a look has told holds for them.
    ///
    /// # Errors
    /// As [`Stream::identity`]; [`StreamError::Unreachable`] also when that is gone: look again.
    fn read(&mut self, from: u64, last: u64) -> Result<Vec<StreamRow>, StreamError>;

    /// Takes the lead under the epoch after `seen`, when `seen` is still the last one and its lease is over or it was this member's own. `None`
    /// when it is not. When it returns, every record up to the head is durable, and whatever an earlier leader still has under way will fail.
    ///
    /// # Errors
    /// [`StreamError::InDoubt`], or as [`Stream::identity`].
    fn take_over(
        &mut self,
        seen: u64,
        member: &Member,
        lease: Duration,
    ) -> Result<Option<Taken>, StreamError>;

    /// Writes rows that follow `head`, all or none, and renews the lead. When it returns they are durable.
    ///
    /// # Errors
    /// [`StreamError::Fenced`]: not written. [`StreamError::InDoubt`]: to be found out, by taking the lead again or by looking. Others: not written.
    fn append(&mut self, lead: Lead, head: Head, rows: &[StreamRow]) -> Result<(), StreamError>;

    /// Renews the lead.
    ///
    /// # Errors
    /// As [`Stream::append`].
    fn renew(&mut self, lead: Lead) -> Result<(), StreamError>;

    /// Gives the lead up, so that another need not wait for its end.
    ///
    /// # Errors
    /// As [`Stream::append`].
    fn release(&mut self, lead: Lead) -> Result<(), StreamError>;

    /// When this returns, everything that the calls before have seen is durable; they were answered from one place.
    ///
    /// # Errors
    /// As [`Stream::read`] and [`Stream::append`].
    fn confirm(&mut self) -> Result<(), StreamError>;
}

#[cfg(test)]
mod tests;
