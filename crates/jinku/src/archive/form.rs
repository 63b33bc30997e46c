//! The form of an archive's file: written once, read by whoever has the key.

use std::io::{self, Read, Seek, SeekFrom, Write};

use anyhow::Context;
use bank::{Command, Event, JournalEntry};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use journal::{Hash, Head, RECORD_BYTES_MAX, record_hash};
use ledger::Step;
use receipts::{NOTE_BYTES_MAX, Note, NoteSigner, VerifierKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How a file begins.
pub const MAGIC: &[u8; 8] = b"JKARCH01";
/// First line of a title: it is no checkpoint, and no checkpoint is a title.
const TITLE: &str = "jinku archive 1\n";
/// A block is closed when it has so much content.
const BLOCK_BYTES: usize = 1 << 20;
/// Most content of a block: what it may have before it is closed, and one record more.
const CONTENT_BYTES_MAX: usize = BLOCK_BYTES + RECORD_BYTES_MAX + 4;
/// Most stored bytes of a block: what cannot be compressed grows by a few bytes in a hundred thousand.
const STORED_BYTES_MAX: usize = CONTENT_BYTES_MAX + (64 << 10);
const HEADER_BYTES: usize = 48;
const BLOCK_HEAD_BYTES: usize = 16;

/// What a file is about, as the bank signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Title {
    /// Clearing number of the bank.
    pub bank: String,
    /// Name of its log key.
    pub log: String,
    /// Which of the bank's seals, from 1.
    pub seal: u32,
    /// First day sealed by it; absent for the first seal, which seals everything before, too.
    pub from_day: Option<String>,
    /// Last day sealed by it.
    pub to_day: String,
    /// The end of that day.
    pub through: String,
    /// When it was sealed.
    pub sealed_at: String,
    /// Entries that the books had when they were sealed.
    pub entries_sealed: u32,
    /// Record at which the seal before ended; 0 for the first.
    pub before_seq: u64,
    /// Its hash.
    pub before_hash: String,
    /// Record at which this seal ends.
    pub last_seq: u64,
    /// Its hash.
    pub last_hash: String,
    /// How many records are in the file.
    pub records: u64,
    /// How many entries of the ledger they post.
    pub entries: u64,
    /// SHA-256 of all bytes of the file ahead of the title.
    pub sha256: String,
}

impl Title {
    /// What the file is, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let days = match &self.from_day {
            Some(from) if *from == self.to_day => self.to_day.clone(),
            Some(from) => format!("{from} to {}", self.to_day),
            None => format!("the beginning to {}", self.to_day),
        };
        format!(
            "seal {}, {days}: {} records, {} entries, from {} {} to {} {}",
            self.seal,
            self.records,
            self.entries,
            self.before_seq,
            self.before_hash,
            self.last_seq,
            self.last_hash
        )
    }

    /// Opens a title: the signature first.
    fn open(note: &[u8], key: &VerifierKey) -> Result<Self, String> {
        let note = std::str::from_utf8(note).map_err(|_| "it is no text".to_owned())?;
        let note = Note::parse(note).map_err(|error| error.to_string())?;
        let text = note.verify(key).map_err(|error| error.to_string())?;
        let line = text.strip_prefix(TITLE).ok_or("it is signed, and no title of an archive")?;
        let title: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if title.log == key.name() { Ok(title) } else { Err(format!("it is of {}", title.log)) }
    }
}

/// Where a file is not what was signed.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Its first bytes are none of an archive's.
    #[error("its header, bytes 0 to 47, is damaged")]
    Header,
    /// A block is cut short or changed.
    #[error("block {number}, at byte {at}, is damaged")]
    Block {
        /// Which, from 1.
        number: u64,
        /// Where it begins.
        at: u64,
    },
    /// A record is no entry of a journal.
    #[error("record {seq}: {problem}")]
    Record {
        /// Its number.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The title is cut short, changed, or signed by somebody else.
    #[error("its title, at byte {at}, cannot be relied on: {problem}")]
    Title {
        /// Where it begins.
        at: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// Everything is whole, and it is not what the title says.
    #[error("{what}: the title says {signed}, the file has {found}")]
    Differs {
        /// What.
        what: &'static str,
        /// As signed.
        signed: String,
        /// As found.
        found: String,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How many entries of the ledger a record posts.
pub(super) fn entries_in(entry: &JournalEntry) -> u64 {
    let mut count = 0_u64;
    let mut add = |change: &ledger::Change| count = count.saturating_add(u64::from(change.entry.is_some()));
    for event in &entry.events {
        match (event, &entry.command) {
            (Event::Ledger(ledger::Event::Changed { change, .. }), _) => add(change),
            (Event::LedgerBatch(outcome), Command::LedgerBatch(batch)) => batch.replay(outcome, |step| {
                if let Step::Changed { change, .. } = step {
                    add(change);
                }
            }),
            _ => {}
        }
    }
    count
}

/// A file in the making.
pub struct Writer<W> {
    out: W,
    hash: Sha256,
    content: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins the file whose first record follows `before`.
    ///
    /// # Errors
    /// It cannot be written to.
    pub fn begin(out: W, before: Head) -> io::Result<Self> {
        let mut writer = Self { out, hash: Sha256::new(), content: Vec::new() };
        let first = before.seq.saturating_add(1);
        writer.put(&[MAGIC.as_slice(), &first.to_be_bytes(), before.hash.as_bytes()].concat())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }

    /// Adds the next record.
    ///
    /// # Errors
    /// The file cannot be written to.
    pub fn add(&mut self, record: &[u8]) -> io::Result<()> {
        let len = u32::try_from(record.len()).map_err(io::Error::other)?;
        self.content.extend_from_slice(&len.to_be_bytes());
        self.content.extend_from_slice(record);
        if self.content.len() >= BLOCK_BYTES { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> io::Result<()> {
        if self.content.is_empty() {
            return Ok(());
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.content)?;
        let stored = encoder.finish()?;
        let count = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other);
        let head = [count(&stored)?, count(&self.content)?].concat();
        self.put(&head)?;
        self.put(&short(&stored))?;
        self.put(&stored)?;
        self.content.clear();
        Ok(())
    }

    /// Ends the file with its title.
    ///
    /// # Errors
    /// The file cannot be written to.
    pub fn finish(mut self, title: Title, signer: &NoteSigner) -> anyhow::Result<Title> {
        self.close()?;
        self.put(&[0; BLOCK_HEAD_BYTES])?;
        let title = Title { sha256: hex::encode(self.hash.finalize()), ..title };
        let note = signer.sign(&format!("{TITLE}{}\n", serde_json::to_string(&title)?)).context("sign")?;
        self.out.write_all(note.as_bytes())?;
        self.out.write_all(&u32::try_from(note.len())?.to_be_bytes())?;
        Ok(title)
    }
}

fn short(stored: &[u8]) -> [u8; 8] {
    Sha256::digest(stored).first_chunk().copied().unwrap_or_default()
}

/// Reads the title alone, from the end of a file.
pub(super) fn title_of(file: &mut (impl Read + Seek), key: &VerifierKey) -> anyhow::Result<Title> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut len = [0; 4];
    file.seek(SeekFrom::Start(size.checked_sub(4).context("it is too short")?))?;
    file.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_be_bytes(len))?;
    anyhow::ensure!(len <= NOTE_BYTES_MAX, "its title is too long");
    let begins = size.checked_sub(4).and_then(|end| end.checked_sub(u64::try_from(len).ok()?));
    file.seek(SeekFrom::Start(begins.context("it is too short")?))?;
    let mut note = vec![0; len];
    file.read_exact(&mut note)?;
    Title::open(&note, key).map_err(|problem| anyhow::anyhow!("its title cannot be relied on: {problem}"))
}

/// The bytes of a file, counted and hashed on their way.
struct Source<R> {
    from: R,
    hash: Sha256,
    at: u64,
}

impl<R: Read> Source<R> {
    /// The next bytes; `None` where the file ends before them.
    fn take(&mut self, count: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; count];
        match self.from.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        self.hash.update(&bytes);
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(Some(bytes))
    }
}

/// A file on its way, record by record.
pub struct Reading<R> {
    source: Source<R>,
    before: Head,
    head: Head,
    records: u64,
    entries: u64,
    /// Which block comes next, from 1, and what is left of the one before.
    block: u64,
    content: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Reading<R> {
    /// Begins with a file's header.
    ///
    /// # Errors
    /// It is none of an archive's.
    pub fn begin(from: R) -> Result<Self, ArchiveError> {
        let mut source = Source { from, hash: Sha256::new(), at: 0 };
        let header = source.take(HEADER_BYTES)?.ok_or(ArchiveError::Header)?;
        let before = before_of(&header).ok_or(ArchiveError::Header)?;
        let (content, is_over) = (Vec::new(), false);
        Ok(Self { source, before, head: before, records: 0, entries: 0, block: 1, content, at: 0, is_over })
    }

    /// The record before the first.
    pub const fn before(&self) -> Head {
        self.before
    }

    /// The next record with its number and hash; `None` after the last. What it gives is signed only when [`Reading::finish`] says so.
    ///
    /// # Errors
    /// A damaged block, or a record that is no entry of a journal.
    #[expect(clippy::should_implement_trait, reason = "a file that failed is not asked again")]
    pub fn next(&mut self) -> Result<Option<(Head, Vec<u8>)>, ArchiveError> {
        if self.at >= self.content.len() && !self.more()? {
            return Ok(None);
        }
        // The block was whole: its records are not.
        let damaged = ArchiveError::Block { number: self.block.saturating_sub(1), at: self.source.at };
        let rest = self.content.get(self.at..).unwrap_or_default();
        let Some((len, rest)) = rest.split_first_chunk::<4>() else { return Err(damaged) };
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let Some(record) = rest.get(..len) else { return Err(damaged) };
        let seq = self.head.seq.saturating_add(1);
        let entry = JournalEntry::from_bytes(record)
            .map_err(|error| ArchiveError::Record { seq, problem: error.to_string() })?;
        self.head = Head { seq, hash: record_hash(&self.head.hash, seq, record) };
        self.records = self.records.saturating_add(1);
        self.entries = self.entries.saturating_add(entries_in(&entry));
        self.at = self.at.saturating_add(len).saturating_add(4);
        Ok(Some((self.head, record.to_vec())))
    }

    /// Reads the next block; `false` after the last.
    fn more(&mut self) -> Result<bool, ArchiveError> {
        let (number, at) = (self.block, self.source.at);
        let damaged = || ArchiveError::Block { number, at };
        if self.is_over {
            return Ok(false);
        }
        let head = self.source.take(BLOCK_HEAD_BYTES)?.ok_or_else(damaged)?;
        if head.iter().all(|byte| *byte == 0) {
            self.is_over = true;
            return Ok(false);
        }
        let content = block(&mut self.source, &head)?.filter(|content| !content.is_empty());
        (self.content, self.at) = (content.ok_or_else(damaged)?, 0);
        self.block = number.saturating_add(1);
        Ok(true)
    }

    /// Reads what is left, and then the title, which must be signed and be about all that was read.
    ///
    /// # Errors
    /// The first place that is not what was signed.
    pub fn finish(mut self, key: &VerifierKey) -> Result<Title, ArchiveError> {
        while self.next()?.is_some() {}
        let Source { mut from, hash, at } = self.source;
        let mut rest = Vec::new();
        let most = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(5);
        from.by_ref().take(most).read_to_end(&mut rest)?;
        let wrong = |problem: String| ArchiveError::Title { at, problem };
        let (note, len) = rest.split_last_chunk::<4>().ok_or_else(|| wrong("it is cut short".to_owned()))?;
        if usize::try_from(u32::from_be_bytes(*len)).ok() != Some(note.len()) {
            return Err(wrong("its length, the last four bytes of the file, is another".to_owned()));
        }
        let title = Title::open(note, key).map_err(wrong)?;
        let sum = Sum { head: self.head, records: self.records, entries: self.entries };
        compare(&title, self.before, &sum, &hex::encode(hash.finalize()))?;
        Ok(title)
    }
}

/// What the records of a file come to.
struct Sum {
    head: Head,
    records: u64,
    entries: u64,
}

/// Checks a file from end to end: every block, the chain of its records, and the title with the bank's signature over all of it.
///
/// # Errors
/// The first place that is not what was signed.
pub fn check(from: impl Read, key: &VerifierKey) -> Result<Title, ArchiveError> {
    Reading::begin(from)?.finish(key)
}

fn before_of(header: &[u8]) -> Option<Head> {
    let (first, hash) = header.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    let seq = u64::from_be_bytes(*first).checked_sub(1)?;
    Some(Head { seq, hash: Hash::new(*hash.first_chunk()?) })
}

/// The content of the block with this head; `None` where it is damaged.
fn block(source: &mut Source<impl Read>, head: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let counts = head.first_chunk::<8>().map(|counts| {
        let [a, b, c, d, e, f, g, h] = *counts;
        [[a, b, c, d], [e, f, g, h]].map(|count| usize::try_from(u32::from_be_bytes(count)))
    });
    let Some([Ok(stored), Ok(content)]) = counts else { return Ok(None) };
    if stored > STORED_BYTES_MAX || content > CONTENT_BYTES_MAX {
        return Ok(None);
    }
    let Some(stored) = source.take(stored)? else { return Ok(None) };
    if !head.ends_with(&short(&stored)) {
        return Ok(None);
    }
    let mut found = Vec::with_capacity(content);
    let most = u64::try_from(content).unwrap_or(u64::MAX).saturating_add(1);
    let inflated = DeflateDecoder::new(stored.as_slice()).take(most).read_to_end(&mut found);
    Ok((inflated.is_ok() && found.len() == content).then_some(found))
}

fn compare(title: &Title, before: Head, sum: &Sum, sha256: &str) -> Result<(), ArchiveError> {
    let differs = |what, signed: String, found: String| {
        if signed == found { Ok(()) } else { Err(ArchiveError::Differs { what, signed, found }) }
    };
    let head = |seq: u64, hash: &str| format!("record {seq} with {hash}");
    differs(
        "the seal before, in the header at bytes 8 to 47",
        head(title.before_seq, &title.before_hash),
        head(before.seq, &before.hash.to_string()),
    )?;
    differs(
        "the last record",
        head(title.last_seq, &title.last_hash),
        head(sum.head.seq, &sum.head.hash.to_string()),
    )?;
    differs("records", title.records.to_string(), sum.records.to_string())?;
    differs("entries", title.entries.to_string(), sum.entries.to_string())?;
    differs("SHA-256 of the bytes ahead of the title", title.sha256.clone(), sha256.to_owned())
}
