//! What can go wrong, and where in the files.

use std::{fmt, io};

use thiserror::Error;

use crate::hash::{Hash, Head};

/// A segment, named by the number of its first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName(pub u64);

impl SegmentName {
    /// Reads a file name; `None` for any other file.
    #[must_use]
    pub fn parse(file: &str) -> Option<Self> {
        let digits = file.strip_prefix("journal-")?.strip_suffix(".seg")?;
        let all_digits = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
        if all_digits { digits.parse().ok().map(Self) } else { None }
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journal-{:020}.seg", self.0)
    }
}

/// A place in the journal's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The segment; its text form is the file's name.
    pub segment: SegmentName,
    /// Offset in the file, in bytes.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.segment, self.offset)
    }
}

/// A system call that failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot {action} {file}: {message}")]
pub struct IoFault {
    /// What was tried, a verb.
    pub action: &'static str,
    /// The file or folder.
    pub file: String,
    /// Kind of the error.
    pub kind: io::ErrorKind,
    /// The system's own words.
    pub message: String,
}

impl IoFault {
    /// From the system's error.
    #[must_use]
    pub fn new(action: &'static str, file: impl fmt::Display, error: &io::Error) -> Self {
        Self { action, file: file.to_string(), kind: error.kind(), message: error.to_string() }
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reason {
    /// The sector's checksum is not that of its bytes at this place.
    #[error("the sector's checksum should be {expected:08x} and is {found:08x}")]
    Checksum {
        /// Computed from the bytes.
        expected: u32,
        /// Stored in the sector.
        found: u32,
    },
    /// Bytes that are always zero are not.
    #[error("these bytes should be zero")]
    NotZero,
    /// Nothing was written here, and yet later bytes are.
    #[error("the sector is unwritten, though what follows it was written later")]
    Unwritten,
    /// The sector belongs to a group that does not begin where one should.
    #[error("the sector belongs to a group at byte {found}, expected {expected}")]
    Group {
        /// Where its group should begin.
        expected: u64,
        /// Where it says its group begins.
        found: u64,
    },
    /// The base is not what was written.
    #[error(
        "the file `base`, which says where the journal begins since its first segments were released, is damaged"
    )]
    Base,
    /// The journal begins at a segment that is not there.
    #[error("the journal begins with record {0} since those before were released, and no segment does")]
    BaseAlone(u64),
    /// A segment without a header, but with content.
    #[error("the segment's header is unwritten, though the segment is not empty")]
    NoHeader,
    /// Another kind of file, or a version this program does not know.
    #[error("not the header of a segment of version 1")]
    Header,
    /// The file's size is not the one its header tells.
    #[error("the file has {found} bytes, its header says {expected}")]
    Size {
        /// From the header.
        expected: u64,
        /// The file's.
        found: u64,
    },
    /// Records are missing here, or stand twice.
    #[error("record {expected} should follow here, found record {found}")]
    Sequence {
        /// The number that follows.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// The chain is broken.
    #[error("the hash chain should go on from {expected} and goes on from {found}")]
    Chain {
        /// Hash of the records before.
        expected: Hash,
        /// Hash written here.
        found: Hash,
    },
    /// The records of a frame do not have the hash written in its header.
    #[error("the frame's records lead to the hash {expected}, its header says {found}")]
    FrameHash {
        /// Computed from the records.
        expected: Hash,
        /// Written in the header.
        found: Hash,
    },
    /// The frame's header or the lengths of its records contradict each other.
    #[error("not a frame: {0}")]
    Frame(&'static str),
    /// The storage does not give the bytes.
    #[error("{0}")]
    Unreadable(IoFault),
}

/// The first place where the journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{at}: {reason}{}", exact(*byte))]
pub struct Damage {
    /// The sector.
    pub at: Position,
    /// The exact byte's offset in the file, when one wrong byte alone explains it.
    pub byte: Option<u64>,
    /// What was found and what was expected.
    pub reason: Reason,
}

fn exact(byte: Option<u64>) -> String {
    byte.map(|byte| format!(" (one wrong byte, at {byte}, explains it)")).unwrap_or_default()
}

/// Why the journal does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    /// Another writer has it.
    #[error("{0} has another writer")]
    Locked(String),
    /// There is no journal.
    #[error("there is no journal in {0}")]
    Absent(String),
    /// The record is no longer in the journal.
    #[error("record {asked} was released from the journal, which begins with record {first}")]
    Released {
        /// The record wanted.
        asked: u64,
        /// The first one there is.
        first: u64,
    },
    /// A base that does not fit the journal.
    #[error(
        "the journal has no segment that begins after record {0} as the base says, or the base is too large"
    )]
    NoBase(u64),
    /// Records brought back that are not those released.
    #[error("the records brought back end with {} {}, and those released with {} {}", found.seq, found.hash, expected.seq, expected.hash)]
    NoReturn {
        /// The last record released.
        expected: Head,
        /// The last one brought back.
        found: Head,
    },
    /// Its files are not what was written.
    #[error("the journal is damaged: {0}")]
    Damaged(Damage),
    /// No room for the next segment. Nothing was written; the same append may be tried again.
    #[error("no room for the next segment of {needed} bytes")]
    Full {
        /// Bytes of a segment.
        needed: u64,
    },
    /// A record above the bound.
    #[error("record {index} of the group has {bytes} bytes, more than {max}")]
    RecordTooLarge {
        /// Its place in the group, from 0.
        index: usize,
        /// Its bytes.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// A group above the bound, or one that no segment holds.
    #[error("the group needs {bytes} bytes, more than {max}")]
    GroupTooLarge {
        /// Bytes on disk.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// A segment size that is no multiple of a block or out of bounds.
    #[error("{0} bytes are no size for a segment")]
    SegmentBytes(u64),
    /// The storage failed. A writer that met this stays stopped: whether its last group is durable is not known before the next opening.
    #[error("{0}")]
    Io(#[from] IoFault),
}

impl From<Damage> for JournalError {
    /// Storage that does not answer is a fault, not damage.
    fn from(damage: Damage) -> Self {
        match damage.reason {
            Reason::Unreadable(fault) => Self::Io(fault),
            _ => Self::Damaged(damage),
        }
    }
}
