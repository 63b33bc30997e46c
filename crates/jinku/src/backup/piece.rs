//! A piece: records of the journal that follow each other, in one file that never changes.
//!
//! All numbers are big-endian. `JKPIECE1` (8), number of the first record (8), hash of the record before it (32); then for each record: number
//! of bytes (4), the first eight bytes of its chain hash (8), bytes; then `JKEND` and three zero bytes (8), number of the last record (8),
//! its hash (32). The short hashes say at which record a piece is damaged; the whole hash at its end and the SHA-256 in the manifest say
//! that it is not.
//!
//! It holds records, not segments: what a backup holds does not depend on how a journal lays out its files, and a restore writes them by the
//! journal's own writer.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use anyhow::Context;
use journal::{Hash, Head, RECORD_BYTES_MAX, Record, record_hash};
use thiserror::Error;

use super::place::{NewFile, Place, Sum};

const MAGIC: &[u8; 8] = b"JKPIECE1";
const END: &[u8; 8] = b"JKEND\0\0\0";
/// A piece is closed when it has so many bytes: large enough that a year has few of them, small enough to copy again after a fault.
pub(crate) const PIECE_BYTES: u64 = 64 << 20;
/// A number of bytes that no record has: the end follows.
const END_MARK: u32 = u32::MAX;
const BUFFER_BYTES: usize = 1 << 20;

/// Where a piece is not what was written.
#[derive(Debug, Error)]
pub(crate) enum PieceError {
    #[error("its header is damaged")]
    Header,
    #[error("record {seq}, at byte {at}, is damaged")]
    Record { seq: u64, at: u64 },
    #[error("its end, at byte {at}, is damaged")]
    End { at: u64 },
    #[error("it goes on after its end, at byte {at}")]
    After { at: u64 },
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The name of the piece with these records.
pub(crate) fn name(first: u64, last: u64) -> String {
    format!("records-{first:020}-{last:020}.piece")
}

/// A piece in the making.
pub(crate) struct PieceWriter<'a> {
    file: NewFile<'a>,
    first: u64,
    head: Head,
}

impl<'a> PieceWriter<'a> {
    /// Begins the piece that follows `head`.
    pub(crate) fn begin(place: &'a Place, head: Head) -> anyhow::Result<Self> {
        let first = head.seq.saturating_add(1);
        let mut file = place.begin("records")?;
        let header = [MAGIC.as_slice(), &first.to_be_bytes(), head.hash.as_bytes()].concat();
        file.write_all(&header).context("write records")?;
        Ok(Self { file, first, head })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.file.bytes() >= PIECE_BYTES
    }

    /// Adds a record. That it follows the one before was checked by the journal's reader.
    pub(crate) fn add(&mut self, record: &Record) -> io::Result<()> {
        let len = u32::try_from(record.bytes.len()).map_err(io::Error::other)?;
        let short = record.hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        self.file.write_all(&len.to_be_bytes())?;
        self.file.write_all(&short)?;
        self.file.write_all(&record.bytes)?;
        self.head = Head { seq: record.seq, hash: record.hash };
        Ok(())
    }

    /// Closes it under its name.
    pub(crate) fn finish(mut self) -> anyhow::Result<(String, Sum, u64, Head)> {
        let end = [
            END_MARK.to_be_bytes().as_slice(),
            END,
            &self.head.seq.to_be_bytes(),
            self.head.hash.as_bytes().as_slice(),
        ]
        .concat();
        self.file.write_all(&end).context("write records")?;
        let name = name(self.first, self.head.seq);
        let sum = self.file.finish_as(&name)?;
        Ok((name, sum, self.first, self.head))
    }
}

/// Reads a piece, record after record, each checked against the chain.
pub(crate) struct PieceReader<R> {
    from: R,
    at: u64,
    head: Head,
    ended: bool,
}

impl PieceReader<BufReader<File>> {
    /// Opens a piece that follows `head`.
    pub(crate) fn open(place: &Place, name: &str, head: Head) -> Result<Self, PieceError> {
        let file = File::open(place.path(name))?;
        Self::new(BufReader::with_capacity(BUFFER_BYTES, file), head)
    }
}

impl<R: Read> PieceReader<R> {
    /// A piece's bytes, that follow `head`.
    pub(crate) fn new(mut from: R, head: Head) -> Result<Self, PieceError> {
        let mut header = [0; 48];
        whole(from.read_exact(&mut header), PieceError::Header)?;
        let first = head.seq.saturating_add(1);
        let expected = [MAGIC.as_slice(), &first.to_be_bytes(), head.hash.as_bytes()].concat();
        if header.as_slice() != expected {
            return Err(PieceError::Header);
        }
        Ok(Self { from, at: 48, head, ended: false })
    }

    /// The last record that was read.
    pub(crate) const fn head(&self) -> Head {
        self.head
    }

    /// The next record's bytes and its head; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Head, Vec<u8>)>, PieceError> {
        if self.ended {
            return Ok(None);
        }
        let (seq, at) = (self.head.seq.saturating_add(1), self.at);
        let damaged = || PieceError::Record { seq, at };
        let mut len = [0; 4];
        whole(self.from.read_exact(&mut len), damaged())?;
        let len = u32::from_be_bytes(len);
        if len == END_MARK {
            return self.end(at).map(|()| None);
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > RECORD_BYTES_MAX {
            return Err(damaged());
        }
        let mut short = [0; 8];
        whole(self.from.read_exact(&mut short), damaged())?;
        let mut bytes = vec![0; len];
        whole(self.from.read_exact(&mut bytes), damaged())?;
        let hash = record_hash(&self.head.hash, seq, &bytes);
        if hash.as_bytes().first_chunk() != Some(&short) {
            return Err(damaged());
        }
        self.at = at.saturating_add(12).saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        self.head = Head { seq, hash };
        Ok(Some((self.head, bytes)))
    }

    fn end(&mut self, at: u64) -> Result<(), PieceError> {
        let mut found = [0; 48];
        whole(self.from.read_exact(&mut found), PieceError::End { at })?;
        let Head { seq, hash } = self.head;
        let expected = [END.as_slice(), &seq.to_be_bytes(), hash.as_bytes()].concat();
        if found.as_slice() != expected {
            return Err(PieceError::End { at });
        }
        self.ended = true;
        let mut more = [0; 1];
        if self.from.read(&mut more)? > 0 {
            return Err(PieceError::After { at: at.saturating_add(52) });
        }
        Ok(())
    }
}

/// Bytes that are missing are damage, not a fault of the disk.
fn whole(read: io::Result<()>, damaged: PieceError) -> Result<(), PieceError> {
    read.map_err(|error| if error.kind() == io::ErrorKind::UnexpectedEof { damaged } else { error.into() })
}

/// A hash from its text in a manifest.
pub(crate) fn hash_of(text: &str) -> anyhow::Result<Hash> {
    Hash::from_hex(text).with_context(|| format!("{text} is no hash"))
}
