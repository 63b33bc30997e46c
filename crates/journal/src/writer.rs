//! The single writer.

use std::io::ErrorKind;
use std::path::Path;

use crate::aligned::Aligned;
use crate::base::{base_on, clear};
use crate::error::{IoFault, JournalError, Position, SegmentName};
use crate::file::FileStorage;
use crate::frame::{
    FRAME_BYTES_MAX, GROUP_BYTES_MAX, RECORD_BYTES_MAX, SegmentHeader, group_bytes, to_usize, write_group,
};
use crate::hash::Head;
use crate::scan::{CHUNK_BYTES, Scan};
use crate::sector::{BLOCK, BLOCK_BYTES, place};
use crate::storage::Storage;
use crate::verify::{Tail, survey};

/// Smallest segment: its header and room for a few groups.
pub const SEGMENT_BYTES_MIN: u64 = 4 * BLOCK;
/// Largest segment, far below what a sector can say about its group's place.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 43;

/// How a journal writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the segments it makes, whole blocks. Those that are there keep their size. 64 MiB by default.
    pub segment_bytes: u64,
    /// Writes straight to the device, each write durable by itself; where the file system refuses, and without this, through its cache, with a
    /// sync after each group. True by default.
    pub direct: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, direct: true }
    }
}

/// A torn group that opening removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where it began; the next group is written here.
    pub at: Position,
    /// Bytes from there to the last one that was written.
    pub bytes: u64,
}

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The last record.
    pub head: Head,
    /// Number of segments, the one now written to included.
    pub segments: u64,
    /// A torn group, removed. Nobody was told that it is durable.
    pub cut: Option<Cut>,
    /// A last segment whose making was interrupted, made anew.
    pub remade: Option<SegmentName>,
    /// There was no journal; an empty one was begun.
    pub created: bool,
}

/// The single writer of a journal.
#[derive(Debug)]
pub struct Journal<S: Storage> {
    storage: S,
    segment_bytes: u64,
    /// Largest content of a frame; only tests make it smaller.
    frame_bytes: usize,
    head: Head,
    /// The segment written to, its size, and where the next group goes.
    at: Position,
    size: u64,
    /// The storage knows that the next segment is near.
    prepared: bool,
    disk: Aligned,
    content: Vec<u8>,
    /// Why it stopped for good.
    stopped: Option<JournalError>,
}

/// A journal in a folder of files.
pub type FileJournal = Journal<FileStorage>;

impl FileJournal {
    /// Opens the journal in the folder `dir`, and begins one if there is none.
    ///
    /// # Errors
    /// Like [`Journal::open_on`].
    pub fn open(dir: &Path, options: &Options) -> Result<(Self, Opened), JournalError> {
        Self::open_on(FileStorage::new(dir, options.direct), options)
    }
}

impl<S: Storage> Journal<S> {
    /// Becomes the only writer, reads and checks everything, removes a torn last group, and begins an empty journal if there is none.
    ///
    /// # Errors
    /// There is another writer; the journal is damaged; no room for the first segment; the storage failed. Nothing was changed then, except
    /// that a torn group may have been removed.
    pub fn open_on(mut storage: S, options: &Options) -> Result<(Self, Opened), JournalError> {
        let segment_bytes = options.segment_bytes;
        let in_bounds = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&segment_bytes);
        if !in_bounds || !segment_bytes.is_multiple_of(BLOCK) {
            return Err(JournalError::SegmentBytes(segment_bytes));
        }
        storage.lock()?;
        // What an interruption left of released segments.
        if let Some(base) = base_on(&storage)? {
            clear(&mut storage, SegmentName(base.first()))?;
        }
        let mut scan = Scan::new(storage);
        let survey = survey(&mut scan, 0)?;
        let mut journal = Self {
            segment_bytes,
            frame_bytes: FRAME_BYTES_MAX,
            head: scan.head,
            at: scan.here(),
            size: scan.size,
            storage: scan.storage,
            prepared: false,
            disk: Aligned::default(),
            content: Vec::new(),
            stopped: None,
        };
        let (head, segments) = (survey.verified.head, survey.verified.segments.max(1));
        let mut opened = Opened { head, segments, cut: None, remade: None, created: false };
        match survey.tail {
            Tail::Clean => {}
            Tail::Absent => {
                journal.next_segment()?;
                opened.created = true;
            }
            Tail::TornSegment(torn) => {
                journal.next_segment()?;
                opened.remade = Some(torn);
            }
            Tail::Torn { end } => opened.cut = Some(journal.cut(end)?),
        }
        Ok((journal, opened))
    }

    /// A journal without records beside what is there: it makes the first segment.
    pub(crate) fn from_the_first(storage: S, options: &Options) -> Result<Self, JournalError> {
        let mut journal = Self {
            storage,
            segment_bytes: options.segment_bytes,
            frame_bytes: FRAME_BYTES_MAX,
            head: Head::default(),
            at: place(SegmentName(1), 0),
            size: 0,
            prepared: false,
            disk: Aligned::default(),
            content: Vec::new(),
            stopped: None,
        };
        journal.next_segment()?;
        Ok(journal)
    }

    pub(crate) const fn storage(&self) -> &S {
        &self.storage
    }

    pub(crate) const fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    pub(crate) fn into_storage(self) -> S {
        self.storage
    }

    /// The segment written to.
    pub(crate) const fn segment(&self) -> SegmentName {
        self.at.segment
    }

    /// The last record.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Bytes of the current segment that are not yet written.
    #[must_use]
    pub const fn bytes_free(&self) -> u64 {
        self.size.saturating_sub(self.at.offset)
    }

    /// Writes `records` as one group. When this returns they are durable; after a crash before that, all of them are found or none. An empty
    /// group writes nothing.
    ///
    /// # Errors
    /// A record or the group is above its bound, or there is no room for the next segment ([`JournalError::Full`]): nothing was written, and
    /// the journal goes on. The storage failed: nobody knows whether the group is durable before the next opening; until then every append gives
    /// this same error.
    pub fn append<R: AsRef<[u8]>>(&mut self, records: &[R]) -> Result<Head, JournalError> {
        if let Some(stopped) = &self.stopped {
            return Err(stopped.clone());
        }
        if records.is_empty() {
            return Ok(self.head);
        }
        let bytes = self.check(records)?;
        if bytes > self.bytes_free() {
            self.next_segment().inspect_err(|error| {
                if !matches!(error, JournalError::Full { .. }) {
                    self.stopped = Some(error.clone());
                }
            })?;
        }
        self.disk.resize(to_usize(bytes));
        let disk = self.disk.bytes_mut();
        let head = write_group(records, self.frame_bytes, self.head, self.at, disk, &mut self.content);
        self.write_durably().map_err(|fault| self.stop(fault))?;
        self.head = head;
        self.at.offset = self.at.offset.saturating_add(bytes);
        self.prepare();
        Ok(head)
    }

    /// Checks the bounds; returns the group's bytes on disk.
    fn check<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<u64, JournalError> {
        for (index, record) in records.iter().enumerate() {
            let bytes = record.as_ref().len();
            if bytes > RECORD_BYTES_MAX {
                return Err(JournalError::RecordTooLarge { index, bytes, max: RECORD_BYTES_MAX });
            }
        }
        let bytes = group_bytes(records, self.frame_bytes);
        let max = GROUP_BYTES_MAX.min(self.segment_bytes.saturating_sub(BLOCK));
        if bytes > max { Err(JournalError::GroupTooLarge { bytes, max }) } else { Ok(bytes) }
    }

    fn write_durably(&mut self) -> Result<(), IoFault> {
        self.storage.write(self.at.segment, self.at.offset, self.disk.bytes())?;
        self.storage.sync(self.at.segment)
    }

    fn stop(&mut self, fault: IoFault) -> JournalError {
        let error = JournalError::Io(fault);
        self.stopped = Some(error.clone());
        error
    }

    /// Has the storage make room for the next segment when half of this one is used, so that no group waits for it even at full speed.
    fn prepare(&mut self) {
        if !self.prepared && self.bytes_free() < self.size / 2 {
            self.storage.prepare(self.segment_bytes);
            self.prepared = true;
        }
    }

    /// Makes the segment that begins with the next record, and goes there.
    fn next_segment(&mut self) -> Result<(), JournalError> {
        let first = self.head.seq.saturating_add(1);
        let header = SegmentHeader { bytes: self.segment_bytes, first, prev: self.head.hash };
        let segment = SegmentName(first);
        self.disk.resize(BLOCK_BYTES);
        header.write(self.disk.bytes_mut());
        self.storage.create(segment, self.disk.bytes(), self.segment_bytes).map_err(|fault| {
            match fault.kind {
                ErrorKind::StorageFull => JournalError::Full { needed: self.segment_bytes },
                _ => JournalError::Io(fault),
            }
        })?;
        (self.at, self.size, self.prepared) = (place(segment, BLOCK), self.segment_bytes, false);
        Ok(())
    }

    /// Zeroes the torn group that begins here.
    fn cut(&mut self, end: u64) -> Result<Cut, JournalError> {
        let at = self.at;
        let mut offset = at.offset;
        let until = end.next_multiple_of(BLOCK);
        while offset < until {
            let bytes = CHUNK_BYTES.min(until.saturating_sub(offset));
            self.disk.resize(to_usize(bytes));
            self.disk.bytes_mut().fill(0);
            self.storage.write(at.segment, offset, self.disk.bytes())?;
            offset = offset.saturating_add(bytes);
        }
        self.storage.sync(at.segment)?;
        Ok(Cut { at, bytes: end.saturating_sub(at.offset) })
    }

    #[cfg(test)]
    pub(crate) fn set_frame_bytes(&mut self, bytes: usize) {
        self.frame_bytes = bytes;
    }
}

#[cfg(test)]
mod tests;
