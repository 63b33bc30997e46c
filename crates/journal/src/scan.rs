//! Reading the chain group by group, with every check. Opening, verifying and following all read through this.

use crate::error::{Damage, IoFault, Position, Reason, SegmentName};
use crate::frame::{
    FRAME_HEADER_BYTES, FrameHeader, GROUP_BYTES_MAX, SegmentHeader, disk_offset, next_record, to_u64,
    to_usize,
};
use crate::hash::{Hash, Head};
use crate::sector::{BLOCK, Content, SECTOR, SECTOR_BYTES, check, place};
use crate::storage::Storage;

/// Bytes read at a time where much is to be read.
pub(crate) const CHUNK_BYTES: u64 = 1 << 20;

/// Bytes of a segment that were read together.
#[derive(Debug)]
struct Window {
    bytes: Vec<u8>,
    start: Position,
    /// How much to read at least.
    chunk: u64,
}

impl Window {
    /// `len` bytes at `at`, which lie within the `size` bytes of the segment.
    fn get<S: Storage>(&mut self, storage: &S, at: Position, len: u64, size: u64) -> Result<&[u8], Damage> {
        let inside = |window: &Self| {
            let skip = at.offset.checked_sub(window.start.offset)?;
            let range = to_usize(skip)..to_usize(skip.saturating_add(len));
            let known = window.start.segment == at.segment && range.end <= window.bytes.len();
            if known { Some(range) } else { None }
        };
        if let Some(range) = inside(self) {
            return Ok(self.bytes.get(range).unwrap_or_default());
        }
        let wanted = len.max(self.chunk).min(size.saturating_sub(at.offset));
        self.start = at;
        self.bytes.resize(to_usize(wanted), 0);
        let read = match storage.read(at.segment, at.offset, &mut self.bytes) {
            Ok(read) => read,
            Err(_) => first_unreadable(storage, at, &mut self.bytes)?,
        };
        self.bytes.truncate(read);
        let end = Position { offset: at.offset.saturating_add(to_u64(read)), ..at };
        self.bytes.get(..to_usize(len)).ok_or_else(|| {
            let kind = std::io::ErrorKind::UnexpectedEof;
            damage(end, Reason::Unreadable(IoFault::new("read", end, &kind.into())))
        })
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// Reads sector by sector where a large read failed, so that the message names the right one.
fn first_unreadable<S: Storage>(storage: &S, at: Position, into: &mut [u8]) -> Result<usize, Damage> {
    let mut done = 0_usize;
    for sector in into.chunks_mut(SECTOR_BYTES) {
        let here = Position { offset: at.offset.saturating_add(to_u64(done)), ..at };
        let read = storage.read(at.segment, here.offset, sector);
        done = done.saturating_add(read.map_err(|fault| damage(here, Reason::Unreadable(fault)))?);
    }
    Ok(done)
}

pub(crate) const fn damage(at: Position, reason: Reason) -> Damage {
    Damage { at, byte: None, reason }
}

/// A record of the group read last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) head: Head,
    pub(crate) prev: Hash,
    /// Where its bytes are in [`Scan::content`].
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Offset of its length in the file.
    pub(crate) offset: u64,
}

/// What lies where the next group should begin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A whole group. The scan stands behind it.
    Group,
    /// None, or one with sectors that are not written.
    Stop(Stop),
}

/// Where a scan cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The first sector that is not written.
    pub(crate) hole: u64,
    /// Where the group that begins here ends, if that is known.
    limit: Option<u64>,
}

/// What a segment's beginning says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// It has a header.
    Header(SegmentHeader),
    /// It has no header and nothing else, or nothing but a header and another size: its making was interrupted.
    Torn,
}

/// A place in the chain: everything before it is checked.
#[derive(Debug)]
pub(crate) struct Scan<S> {
    pub(crate) storage: S,
    window: Window,
    pub(crate) segment: SegmentName,
    /// Bytes of the segment.
    pub(crate) size: u64,
    /// Where the next group begins.
    pub(crate) offset: u64,
    pub(crate) head: Head,
    pub(crate) content: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
}

impl<S: Storage> Scan<S> {
    pub(crate) fn new(storage: S) -> Self {
        let segment = SegmentName(0);
        let window = Window { bytes: Vec::new(), start: place(segment, 0), chunk: CHUNK_BYTES };
        let head = Head::default();
        Self { storage, window, segment, size: 0, offset: 0, head, content: Vec::new(), entries: Vec::new() }
    }

    pub(crate) const fn here(&self) -> Position {
        place(self.segment, self.offset)
    }

    /// Forgets what was read, so that what a writer does meanwhile is seen; from now on reads at least `chunk` bytes at a time.
    pub(crate) fn refresh(&mut self, chunk: u64) {
        self.window.clear();
        self.window.chunk = chunk;
    }

    pub(crate) fn read_much(&mut self) {
        self.window.chunk = self.window.chunk.saturating_mul(2).min(CHUNK_BYTES);
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.window.bytes.is_empty()
    }

    /// Goes to the segment that follows in the chain; `false` if its making was interrupted.
    pub(crate) fn enter(&mut self, segment: SegmentName) -> Result<bool, Damage> {
        let expected = self.head.seq.saturating_add(1);
        if segment.0 != expected {
            let at = if self.size > 0 && segment.0 > expected { self.here() } else { place(segment, 0) };
            return Err(damage(at, Reason::Sequence { expected, found: segment.0 }));
        }
        let Beginning::Header(header) = self.beginning(segment)? else { return Ok(false) };
        if header.prev != self.head.hash {
            let reason = Reason::Chain { expected: self.head.hash, found: header.prev };
            return Err(damage(place(segment, 0), reason));
        }
        self.go_to(segment, &header, BLOCK, self.head);
        Ok(true)
    }

    /// Goes to a place that is known to be the beginning of a group.
    pub(crate) fn go_to(&mut self, segment: SegmentName, header: &SegmentHeader, offset: u64, head: Head) {
        (self.segment, self.size, self.offset, self.head) = (segment, header.bytes, offset, head);
    }

    /// Reads a segment's header.
    pub(crate) fn beginning(&mut self, segment: SegmentName) -> Result<Beginning, Damage> {
        let at = place(segment, 0);
        let size = self.storage.size(segment).map_err(|fault| damage(at, Reason::Unreadable(fault)))?;
        let size = size.unwrap_or(0);
        self.window.clear();
        let block = self.window.get(&self.storage, at, BLOCK.min(size), size)?;
        let found = match block.first_chunk::<SECTOR_BYTES>().map(|sector| check(sector, at)) {
            Some(Content::Bad(damage)) => return Err(damage),
            Some(Content::Valid { content, .. }) => {
                Some(SegmentHeader::parse(content).ok_or_else(|| damage(at, Reason::Header))?)
            }
            Some(Content::Zero) | None => None,
        };
        let Some(header) = found else {
            let empty = self.first_written(segment, 0, size)?.is_none();
            return if empty { Ok(Beginning::Torn) } else { Err(damage(at, Reason::NoHeader)) };
        };
        if header.first != segment.0 {
            return Err(damage(at, Reason::Header));
        }
        if header.bytes != size {
            let empty = self.first_written(segment, SECTOR, size)?.is_none();
            let reason = Reason::Size { expected: header.bytes, found: size };
            return if empty { Ok(Beginning::Torn) } else { Err(damage(at, reason)) };
        }
        match self.first_written(segment, SECTOR, BLOCK)? {
            Some(byte) => Err(not_zero(segment, byte)),
            None => Ok(Beginning::Header(header)),
        }
    }

    /// The first byte from `from` to `to` that is not zero.
    fn first_written(&mut self, segment: SegmentName, from: u64, to: u64) -> Result<Option<u64>, Damage> {
        let mut at = from;
        while at < to {
            let len = CHUNK_BYTES.min(to.saturating_sub(at));
            let bytes = self.window.get(&self.storage, place(segment, at), len, to)?;
            if let Some(index) = first_not_zero(bytes) {
                return Ok(Some(at.saturating_add(index)));
            }
            at = at.saturating_add(len);
        }
        Ok(None)
    }

    /// Reads the group that begins here, if it is whole.
    pub(crate) fn step(&mut self) -> Result<Step, Damage> {
        self.content.clear();
        self.entries.clear();
        let (start, mut at, mut head) = (self.offset, self.offset, self.head);
        loop {
            if at >= self.size {
                // A group always ends within its segment, so this is the segment's end, or a frame that lies.
                let stop = Stop { hole: at, limit: Some(at) };
                let lie =
                    damage(place(self.segment, start), Reason::Frame("goes on behind the segment's end"));
                return if at == start { Ok(Step::Stop(stop)) } else { Err(lie) };
            }
            let (header, end) = match self.frame(start, at, head)? {
                Ok(frame) => frame,
                Err(stop) => return Ok(Step::Stop(stop)),
            };
            head = end;
            at = at.saturating_add(header.disk_bytes());
            if at.saturating_sub(start) > GROUP_BYTES_MAX {
                return Err(damage(place(self.segment, start), Reason::Frame("of a group above the bound")));
            }
            if !header.continued {
                (self.offset, self.head) = (at, head);
                return Ok(Step::Group);
            }
        }
    }

    /// Reads one frame of the group that begins at `start`; returns it with the head after it.
    fn frame(
        &mut self,
        start: u64,
        at: u64,
        head: Head,
    ) -> Result<Result<(FrameHeader, Head), Stop>, Damage> {
        let here = place(self.segment, at);
        let header = match self.frame_header(start, at)? {
            Some(header) => header,
            None => return Ok(Err(Stop { hole: at, limit: None })),
        };
        let expected = head.seq.saturating_add(1);
        if header.first != expected {
            return Err(damage(here, Reason::Sequence { expected, found: header.first }));
        }
        if header.prev != head.hash {
            return Err(damage(here, Reason::Chain { expected: head.hash, found: header.prev }));
        }
        let end = at.saturating_add(header.disk_bytes());
        if end > self.size {
            return Err(damage(here, Reason::Frame("longer than its segment")));
        }
        let from = self.content.len();
        if let Some(hole) = self.frame_content(start, at, &header)? {
            let limit = if header.continued { None } else { Some(end) };
            return Ok(Err(Stop { hole, limit }));
        }
        let after = self.records(&header, from, here, head)?;
        Ok(Ok((header, after)))
    }

    /// The header of the frame at `at`, of the group that begins at `start`; `None` where its sector is not written.
    pub(crate) fn frame_header(&mut self, start: u64, at: u64) -> Result<Option<FrameHeader>, Damage> {
        let here = place(self.segment, at);
        let block = self.window.get(&self.storage, here, BLOCK, self.size)?;
        let Some(sector) = block.first_chunk::<SECTOR_BYTES>() else { return Ok(None) };
        match check(sector, here) {
            Content::Zero => Ok(None),
            Content::Bad(damage) => Err(damage),
            Content::Valid { group, content } => {
                belongs(group, start, here)?;
                let header = FrameHeader::parse(content);
                header.map(Some).ok_or_else(|| damage(here, Reason::Frame("no frame's header")))
            }
        }
    }

    /// Appends the content of a frame's sectors; returns the first of them that is not written.
    fn frame_content(&mut self, start: u64, at: u64, header: &FrameHeader) -> Result<Option<u64>, Damage> {
        let here = place(self.segment, at);
        let disk = self.window.get(&self.storage, here, header.disk_bytes(), self.size)?;
        let (used, padding) = disk.split_at_checked(to_usize(header.sector_bytes())).unwrap_or((disk, &[]));
        let (mut hole, mut at) = (None, here);
        for sector in used.as_chunks::<SECTOR_BYTES>().0 {
            match check(sector, at) {
                Content::Zero => hole = hole.or(Some(at.offset)),
                Content::Bad(damage) => return Err(damage),
                Content::Valid { group, content } => {
                    belongs(group, start, at)?;
                    self.content.extend_from_slice(content);
                }
            }
            at.offset = at.offset.saturating_add(SECTOR);
        }
        match first_not_zero(padding) {
            Some(index) => Err(not_zero(at.segment, at.offset.saturating_add(index))),
            None => Ok(hole),
        }
    }

    /// Finds and hashes the records of the frame whose content begins at `from`; returns the head after them.
    fn records(
        &mut self,
        header: &FrameHeader,
        from: usize,
        at: Position,
        mut head: Head,
    ) -> Result<Head, Damage> {
        let wrong = |what| damage(at, Reason::Frame(what));
        let mut next = from.saturating_add(FRAME_HEADER_BYTES);
        let end = next.saturating_add(to_usize(header.bytes.into()));
        self.content.truncate(end);
        for _ in 0..header.count {
            let offset = at.offset.saturating_add(disk_offset(next.saturating_sub(from)));
            let found =
                next_record(&self.content, next).ok_or_else(|| wrong("a record goes on behind its end"))?;
            let prev = head.hash;
            let (start, end) = found;
            head = head.after(self.content.get(start..end).unwrap_or_default());
            self.entries.push(Entry { head, prev, start, end, offset });
            next = end;
        }
        if next != end {
            return Err(wrong("more bytes than its records have"));
        }
        if head.hash != header.last {
            return Err(damage(at, Reason::FrameHash { expected: head.hash, found: header.last }));
        }
        Ok(head)
    }

    /// Checks what follows a stop: nothing, or pieces of the one group that begins here. Returns the end of the last piece.
    pub(crate) fn tail(&mut self, stop: Stop) -> Result<Option<u64>, Damage> {
        let (start, mut at, mut end) = (self.offset, self.here(), None);
        let limit = stop.limit.unwrap_or_else(|| start.saturating_add(GROUP_BYTES_MAX));
        while at.offset < self.size {
            let len = CHUNK_BYTES.min(self.size.saturating_sub(at.offset));
            let bytes = self.window.get(&self.storage, at, len, self.size)?;
            for sector in bytes.as_chunks::<SECTOR_BYTES>().0 {
                let behind = at.offset.saturating_add(SECTOR);
                match check(sector, at) {
                    Content::Zero => {}
                    Content::Bad(damage) => return Err(damage),
                    Content::Valid { group, .. } => {
                        if u64::from(group).saturating_mul(BLOCK) > start {
                            return Err(damage(place(at.segment, stop.hole), Reason::Unwritten));
                        }
                        belongs(group, start, at)?;
                        if behind > limit {
                            return Err(damage(at, Reason::Frame("a sector behind its group's end")));
                        }
                        end = Some(behind);
                    }
                }
                at.offset = behind;
            }
        }
        Ok(end)
    }
}

fn belongs(group: u32, start: u64, at: Position) -> Result<(), Damage> {
    let found = u64::from(group).saturating_mul(BLOCK);
    if found == start { Ok(()) } else { Err(damage(at, Reason::Group { expected: start, found })) }
}

fn first_not_zero(bytes: &[u8]) -> Option<u64> {
    // Whole sectors first: comparing them is quick, and nearly all are zero.
    const ZERO: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];
    let (sectors, _) = bytes.as_chunks::<SECTOR_BYTES>();
    let skip = sectors.iter().take_while(|sector| **sector == ZERO).count().saturating_mul(SECTOR_BYTES);
    let rest = bytes.get(skip..).unwrap_or_default();
    let index = rest.iter().position(|byte| *byte != 0)?;
    Some(to_u64(skip.saturating_add(index)))
}

fn not_zero(segment: SegmentName, byte: u64) -> Damage {
    let at = place(segment, (byte / SECTOR).saturating_mul(SECTOR));
    Damage { at, byte: Some(byte), reason: Reason::NotZero }
}

#[cfg(test)]
mod tests;
