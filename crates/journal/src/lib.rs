//! Append-only, hash-chained log of opaque records in preallocated segment files.
//!
//! One writer ([`FileJournal`]) appends groups of records; a group is durable when [`Journal::append`] returns, and after a crash it is
//! there whole or not at all. Any number of [`Reader`]s follow beside it without a lock. [`verify`] reads the whole chain and names the
//! first place where it is not what was written. A [`Stream`] is the same chain as several nodes share it, behind a seam of its own.
//!
//! **Invariants.** A record's hash covers the record, its number and everything before it. What was acknowledged is found again, byte for
//! byte, or opening refuses and says which file and byte is wrong. Only a last group whose bad sectors are all zero, that is never written, is cut.
//!
//! What it does not do: it knows no commands, makes no snapshots, releases records only when it is told to, and cannot see that whole files or a whole last
//! group were taken away at the end; a signed checkpoint of the head kept elsewhere shows that.
//!
//! # The format, version 1
//!
//! All numbers are big-endian.
//!
//! **Segment**: a file `journal-<number of its first record, 20 digits>.seg`, allocated and zeroed when made, so that its size never
//! changes. A group never crosses into another segment.
//!
//! **Sector**: 512 bytes: `group` (4), content (504), `crc` (4). `group` is the offset, in blocks of 4,096 bytes, at which the group begins
//! that the sector belongs to, 0 only in the segment header; so a written sector is never all zero, and every sector tells its group. `crc`
//! is CRC-32C over segment number (8), offset of the sector in the file (8), `group` and content; so a sector at a wrong place is a bad one.
//!
//! **Segment header**: the first sector: `JINKUSEG` (8), version (4), bytes of the segment (8), number of the first record (8), hash of the
//! record before (32), zeros. The rest of the first block is zero.
//!
//! **Group**: one or more frames, one after another.
//!
//! **Frame**: begins at a block; the contents of its sectors, put together, are a header of 88 bytes, the records, and zeros; sectors after
//! the last one needed are zero up to the next block. Header: `JKFR` (4), flags (4; 1 = the group goes on in the next frame), number of the
//! first record (8), number of records (4), bytes of the records (4), hash before the first record (32), hash after the last (32).
//!
//! **Record**: number of bytes (4), bytes.
//!
//! **Base**: a file `base`, there only when segments were released: `JKBASE01` (8), number of the last released record (8), its hash (32), a note,
//! SHA-256 of all that (32). The journal then begins with the segment whose first record follows; segments before it count for nothing.
//!
//! **Hash** of a record: SHA-256 of `jinku-record-v1` and a zero byte, hash before (32), number (8), number of bytes (4), bytes. The hash before the
//! first record, whose number is 1, is all zero.
//!
//! # What opening does with a tail
//!
//! After the last whole group every sector must be zero or belong to one more group that begins right there. If there is such a group it
//! is torn: it was being written when the machine stopped, nobody was told that it is durable, and it is zeroed. A sector that is neither zero
//! nor valid, or that belongs to a later group, is damage. A last segment without a header and without anything else in it is made anew.

mod aligned;
mod base;
mod error;
mod file;
mod frame;
mod hash;
mod reader;
mod scan;
mod sector;
mod sim;
mod spare;
mod storage;
mod stream;
mod verify;
mod writer;

pub use base::{BASE_NOTE_BYTES_MAX, Base, Return, base, base_on};
pub use error::{Damage, IoFault, JournalError, Position, Reason, SegmentName};
pub use file::FileStorage;
pub use frame::{FORMAT_VERSION, FRAME_BYTES_MAX, GROUP_BYTES_MAX, RECORD_BYTES_MAX};
pub use hash::{Hash, HashError, Head, record_hash};
pub use reader::{Reader, Record};
pub use sector::{BLOCK_BYTES, SECTOR_BYTES};
pub use sim::{SectorPlace, SimDisk};
pub use storage::Storage;
pub use stream::{
    Lead, Member, ROW_BYTES_MAX, SimStream, Stream, StreamError, StreamFault, StreamRow, Taken, View,
    cut_rows,
};
pub use verify::{Verified, verify, verify_on};
pub use writer::{Cut, FileJournal, Journal, Opened, Options, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
