//! Segment headers, frames and records as bytes. The layout is in the crate's documentation.

use crate::error::{Position, SegmentName};
use crate::hash::{Hash, Head};
use crate::sector::{BLOCK, BLOCK_BYTES, CONTENT_BYTES, SECTOR, SECTOR_BYTES, place, seal};

/// Version of the format, in every segment header.
pub const FORMAT_VERSION: u32 = 1;
/// Largest record, in bytes. A command with its outcome has a few hundred; the bound keeps a wrong caller from filling the journal.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Largest content of a frame, in bytes with the records' lengths: what a reader must hold before it knows that the frame is good.
pub const FRAME_BYTES_MAX: usize = 4 << 20;
/// Largest group, in bytes on disk: what a reader must hold before it may show the first record, and what one append may delay the next.
pub const GROUP_BYTES_MAX: u64 = 32 << 20;

const SEGMENT_MAGIC: &[u8; 8] = b"JINKUSEG";
const FRAME_MAGIC: &[u8; 4] = b"JKFR";
const CONTINUED: u32 = 1;
/// Bytes of a frame's header.
pub(crate) const FRAME_HEADER_BYTES: usize = 88;
/// Bytes in front of each record.
pub(crate) const LENGTH_BYTES: usize = 4;

/// Lengths in memory as lengths in files. Lossless on every machine this builds for.
pub(crate) fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Offsets in files as lengths in memory; what does not fit becomes a length that no allocation gives.
pub(crate) fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// Takes numbers from the front of bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn hash(&mut self) -> Option<Hash> {
        self.take().map(Hash::new)
    }
}

/// The header of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Bytes of the file.
    pub(crate) bytes: u64,
    /// Number of the first record.
    pub(crate) first: u64,
    /// Hash of the record before it.
    pub(crate) prev: Hash,
}

impl SegmentHeader {
    /// Writes it over a block.
    pub(crate) fn write(&self, block: &mut [u8]) {
        block.fill(0);
        let mut content = Vec::with_capacity(CONTENT_BYTES);
        content.extend_from_slice(SEGMENT_MAGIC);
        content.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
        content.extend_from_slice(&self.bytes.to_be_bytes());
        content.extend_from_slice(&self.first.to_be_bytes());
        content.extend_from_slice(self.prev.as_bytes());
        if let Some(sector) = block.first_chunk_mut::<SECTOR_BYTES>() {
            seal(sector, place(SegmentName(self.first), 0), 0, &content);
        }
    }

    /// Reads the content of the first sector; `None` for anything but a header of this version.
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        let mut fields = Fields(content);
        let known = fields.take()? == *SEGMENT_MAGIC && fields.number()? == FORMAT_VERSION;
        let header = Self { bytes: fields.long()?, first: fields.long()?, prev: fields.hash()? };
        let rest_is_zero = fields.0.iter().all(|byte| *byte == 0);
        if known && rest_is_zero { Some(header) } else { None }
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The group goes on in the next frame.
    pub(crate) continued: bool,
    /// Number of the first record.
    pub(crate) first: u64,
    /// Number of records.
    pub(crate) count: u32,
    /// Bytes of the records with their lengths.
    pub(crate) bytes: u32,
    /// Hash before the first record.
    pub(crate) prev: Hash,
    /// Hash after the last.
    pub(crate) last: Hash,
}

impl FrameHeader {
    fn to_bytes(self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        let flags = if self.continued { CONTINUED } else { 0 };
        let fields = FRAME_MAGIC
            .iter()
            .copied()
            .chain(flags.to_be_bytes())
            .chain(self.first.to_be_bytes())
            .chain(self.count.to_be_bytes())
            .chain(self.bytes.to_be_bytes())
            .chain(*self.prev.as_bytes())
            .chain(*self.last.as_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Reads the beginning of a frame's content; `None` for anything but a frame's header.
    pub(crate) fn parse(content: &[u8]) -> Option<Self> {
        let mut fields = Fields(content);
        let magic = fields.take()? == *FRAME_MAGIC;
        let flags = fields.number()?;
        let header = Self {
            continued: flags == CONTINUED,
            first: fields.long()?,
            count: fields.number()?,
            bytes: fields.number()?,
            prev: fields.hash()?,
            last: fields.hash()?,
        };
        let bounded = usize::try_from(header.bytes).is_ok_and(|bytes| bytes <= FRAME_BYTES_MAX);
        if magic && flags <= CONTINUED && header.count > 0 && bounded { Some(header) } else { None }
    }

    /// Bytes of the sectors that hold something.
    pub(crate) fn sector_bytes(&self) -> u64 {
        sector_bytes(to_usize(self.bytes.into()))
    }

    /// Bytes on disk, up to where the next frame begins.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.sector_bytes().next_multiple_of(BLOCK)
    }
}

fn sector_bytes(record_bytes: usize) -> u64 {
    let sectors = record_bytes.saturating_add(FRAME_HEADER_BYTES).div_ceil(CONTENT_BYTES);
    to_u64(sectors).saturating_mul(SECTOR)
}

/// Where in its frame the byte `index` of the frame's content lies on disk.
pub(crate) fn disk_offset(index: usize) -> u64 {
    let sector = index.checked_div(CONTENT_BYTES).unwrap_or(0).saturating_mul(SECTOR_BYTES);
    let within = index.checked_rem(CONTENT_BYTES).unwrap_or(0).saturating_add(LENGTH_BYTES);
    to_u64(sector.saturating_add(within))
}

/// The records of the next frame: how many of `records`, and their bytes with lengths. `max` is the largest content of a frame.
fn next_frame<R: AsRef<[u8]>>(records: &[R], max: usize) -> (usize, usize) {
    let mut bytes = 0_usize;
    for (index, record) in records.iter().enumerate() {
        let with = bytes.saturating_add(LENGTH_BYTES).saturating_add(record.as_ref().len());
        if with > max && index > 0 {
            return (index, bytes);
        }
        bytes = with;
    }
    (records.len(), bytes)
}

/// Bytes on disk of a group.
pub(crate) fn group_bytes<R: AsRef<[u8]>>(records: &[R], max: usize) -> u64 {
    let (mut rest, mut total) = (records, 0_u64);
    while !rest.is_empty() {
        let (count, bytes) = next_frame(rest, max);
        total = total.saturating_add(sector_bytes(bytes).next_multiple_of(BLOCK));
        rest = rest.get(count..).unwrap_or_default();
    }
    total
}

/// Writes a group, whose first record follows `head`, over `disk`, which is as long as [`group_bytes`] says and goes to `at`.
/// `content` is room that is reused. Returns the head after the group.
pub(crate) fn write_group<R: AsRef<[u8]>>(
    records: &[R],
    max: usize,
    mut head: Head,
    at: Position,
    disk: &mut [u8],
    content: &mut Vec<u8>,
) -> Head {
    let group = u32::try_from(at.offset / BLOCK).unwrap_or(u32::MAX);
    let (mut rest, mut disk, mut at) = (records, disk, at);
    while !rest.is_empty() {
        let (count, bytes) = next_frame(rest, max);
        let (frame, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        let before = head;
        content.clear();
        content.resize(FRAME_HEADER_BYTES, 0);
        for record in frame {
            let record = record.as_ref();
            head = head.after(record);
            content.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_be_bytes());
            content.extend_from_slice(record);
        }
        let header = FrameHeader {
            continued: !rest.is_empty(),
            first: before.seq.saturating_add(1),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
            prev: before.hash,
            last: head.hash,
        };
        if let Some(room) = content.first_chunk_mut() {
            *room = header.to_bytes();
        }
        let disk_bytes = to_usize(header.disk_bytes());
        let Some((here, behind)) = disk.split_at_mut_checked(disk_bytes) else { break };
        seal_frame(here, at, group, content);
        disk = behind;
        at.offset = at.offset.saturating_add(header.disk_bytes());
    }
    head
}

fn seal_frame(disk: &mut [u8], at: Position, group: u32, content: &[u8]) {
    let mut at = at;
    let mut pieces = content.chunks(CONTENT_BYTES);
    for sector in disk.as_chunks_mut::<SECTOR_BYTES>().0 {
        match pieces.next() {
            Some(piece) => seal(sector, at, group, piece),
            None => sector.fill(0),
        }
        at.offset = at.offset.saturating_add(SECTOR);
    }
}

/// Where the record whose length stands at `from` begins and ends; `None` when it goes on behind the content's end or is above the bound.
pub(crate) fn next_record(content: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut fields = Fields(content.get(from..)?);
    let len = to_usize(u64::from(fields.number()?));
    let start = from.saturating_add(LENGTH_BYTES);
    let end = start.saturating_add(len);
    if len <= RECORD_BYTES_MAX && end <= content.len() { Some((start, end)) } else { None }
}

// Blocks hold whole sectors.
const _: () = assert!(BLOCK_BYTES.is_multiple_of(SECTOR_BYTES));
