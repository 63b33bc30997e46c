//! Following the journal, beside its writer.

use std::path::Path;

use crate::base::start_of;
use crate::error::{Damage, JournalError, Position, Reason, SegmentName};
use crate::file::FileStorage;
use crate::frame::SegmentHeader;
use crate::hash::{Hash, Head};
use crate::scan::{Beginning, CHUNK_BYTES, Scan, Step, damage};
use crate::sector::{BLOCK, place};
use crate::storage::Storage;
use crate::verify::{PATIENCE, PAUSE};

/// Bytes a reader looks at when it waits at the end; it reads more at once as it finds more.
const WAITING_CHUNK_BYTES: u64 = 16 << 10;

/// A record as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// Hash of the record before it.
    pub prev: Hash,
    /// Its hash.
    pub hash: Hash,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Where it begins.
    pub at: Position,
}

/// Reads records in order, of whole groups only, with the same checks as [`crate::verify`]. It takes no lock and may run beside the writer.
///
/// A group may be seen a moment before the writer knows that it is durable. Who must not be early reads with [`Reader::next_until`].
#[derive(Debug)]
pub struct Reader<S = FileStorage> {
    scan: Scan<S>,
    /// Records before this are passed over.
    from: u64,
    /// The next of the scan's entries to give.
    next: usize,
    patience: u32,
    /// The last record that was released, whose segment may still be there.
    released: u64,
    /// A segment was found to begin with.
    begun: bool,
}

impl Reader<FileStorage> {
    /// Reads the journal in the folder `dir` from the record `from_seq` on; 0 and 1 both mean all of it. A record that is not there yet is waited for.
    ///
    /// # Errors
    /// There is no journal, or it has no longer that record ([`JournalError::Released`]); what lies before the record is damaged; the storage
    /// failed.
    pub fn open(dir: &Path, from_seq: u64) -> Result<Self, JournalError> {
        Self::begin(FileStorage::new(dir, false), from_seq, PATIENCE)
    }
}

impl<S: Storage> Reader<S> {
    /// Like [`Reader::open`], on any storage.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(storage: S, from_seq: u64) -> Result<Self, JournalError> {
        Self::begin(storage, from_seq, 0)
    }

    fn begin(storage: S, from: u64, patience: u32) -> Result<Self, JournalError> {
        let released = start_of(&storage)?.seq;
        if from.max(1) <= released {
            return Err(JournalError::Released { asked: from.max(1), first: released.saturating_add(1) });
        }
        let mut reader = Self { scan: Scan::new(storage), from, next: 0, patience, released, begun: false };
        reader.find_start()?;
        Ok(reader)
    }

    /// The next record; `None` at the current end, where asking again later may give more.
    ///
    /// # Errors
    /// The journal is damaged here, or the storage failed. Asking again reads the same place again.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator that gave None is over; this one may go on"
    )]
    pub fn next(&mut self) -> Result<Option<Record>, JournalError> {
        self.next_until(u64::MAX)
    }

    /// Like [`Reader::next`], but gives no record after `last`; with the writer's head this never shows what is not durable.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn next_until(&mut self, last: u64) -> Result<Option<Record>, JournalError> {
        loop {
            while let Some(entry) = self.scan.entries.get(self.next) {
                if entry.head.seq > last {
                    return Ok(None);
                }
                self.next = self.next.saturating_add(1);
                if entry.head.seq >= self.from {
                    let bytes = self.scan.content.get(entry.start..entry.end).unwrap_or_default();
                    let at = place(self.scan.segment, entry.offset);
                    let (Head { seq, hash }, prev) = (entry.head, entry.prev);
                    return Ok(Some(Record { seq, prev, hash, bytes: bytes.to_vec(), at }));
                }
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next group; `false` at the end.
    fn more(&mut self) -> Result<bool, JournalError> {
        let mut left = self.patience;
        loop {
            match self.try_more() {
                Err(_) if left > 0 => {
                    left = left.saturating_sub(1);
                    std::thread::sleep(PAUSE);
                    self.scan.refresh(BLOCK);
                }
                Err(damage) => {
                    self.forget();
                    return Err(damage.into());
                }
                Ok(found) => return Ok(found),
            }
        }
    }

    fn try_more(&mut self) -> Result<bool, Damage> {
        if !self.begun && !self.find_start()? {
            return Ok(false);
        }
        loop {
            if self.group()? {
                return Ok(true);
            }
            let next = SegmentName(self.scan.head.seq.saturating_add(1));
            let size = self.scan.storage.size(next);
            let there = size.map_err(|fault| damage(place(next, 0), Reason::Unreadable(fault)))?.is_some();
            if !there || next == self.scan.segment {
                return Ok(false);
            }
            // The writer goes on to another segment after its last group here; look once more, in case that group came after the first look.
            self.scan.refresh(BLOCK);
            if self.group()? {
                return Ok(true);
            }
            if !self.scan.enter(next)? {
                return Ok(false);
            }
        }
    }

    /// Reads the next group of this segment; looks again at the file before it says that there is none.
    fn group(&mut self) -> Result<bool, Damage> {
        self.next = 0;
        loop {
            let fresh = self.scan.is_fresh();
            if self.scan.step()? == Step::Group {
                self.scan.read_much();
                return Ok(true);
            }
            self.forget();
            if fresh {
                return Ok(false);
            }
        }
    }

    /// Drops what was read, so that the next look is at the file.
    fn forget(&mut self) {
        self.scan.entries.clear();
        self.scan.content.clear();
        self.scan.refresh(WAITING_CHUNK_BYTES);
    }

    /// Goes to the group that has the first record to give, by the segments' names and the frames' headers; `false` while there is no whole segment.
    fn find_start(&mut self) -> Result<bool, Damage> {
        let here = self.scan.here();
        let names = self.scan.storage.segments();
        let names = names.map_err(|fault| damage(here, Reason::Unreadable(fault)))?;
        let before =
            names.iter().rev().copied().filter(|name| name.0 <= self.from.max(1) && name.0 > self.released);
        for segment in before {
            // A last segment whose making was interrupted has nothing to read; the one before it has the end.
            if let Beginning::Header(header) = self.scan.beginning(segment)? {
                let head = Head { seq: header.first.saturating_sub(1), hash: header.prev };
                self.scan.go_to(segment, &header, BLOCK, head);
                self.scan.refresh(WAITING_CHUNK_BYTES);
                self.pass_over(&header)?;
                self.scan.refresh(CHUNK_BYTES);
                self.begun = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Passes over groups that end before the first record to give, as long as another group follows: that shows that they are whole.
    fn pass_over(&mut self, segment: &SegmentHeader) -> Result<(), Damage> {
        loop {
            let (start, mut at, mut head) = (self.scan.offset, self.scan.offset, self.scan.head);
            loop {
                if at >= self.scan.size {
                    return Ok(());
                }
                let Some(frame) = self.scan.frame_header(start, at)? else { return Ok(()) };
                at = at.saturating_add(frame.disk_bytes());
                head = Head { seq: head.seq.saturating_add(frame.count.into()), hash: frame.last };
                if head.seq >= self.from {
                    return Ok(());
                }
                if !frame.continued {
                    break;
                }
            }
            if at >= self.scan.size || self.scan.frame_header(at, at)?.is_none() {
                return Ok(());
            }
            self.scan.go_to(self.scan.segment, segment, at, head);
        }
    }
}
