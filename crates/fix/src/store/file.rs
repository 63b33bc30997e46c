//! The store in a file: a log of what changed, read once when it is opened.
//!
//! A record is its length and CRC-32C (4 bytes each, little-endian), a kind and its fields. The file ends at its first record that is not whole. It is not
//! synced for each message. Instead a file that was not closed in order moves the next number to send on by `JUMP`: so none is used twice whatever the
//! last moments lost, and the peer is answered with a gap fill. A file grown past [`BYTES_MAX`] is written anew.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::codec::Body;
use crate::dictionary::MsgType;
use crate::time::UtcTime;
use crate::venue::Position;

use super::{MemoryStore, Sent, Store, StoreFault};

/// Numbers that are left out after an end without a close: more than a session sends between two writes of the system's cache.
pub(super) const JUMP: u64 = 10_000;
/// Largest file before it is written anew.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Length and sum before each record.
const HEAD_BYTES: usize = 8;

const SENT: u8 = 1;
const EXPECT: u8 = 2;
const REPORTED: u8 = 3;
const RESET: u8 = 4;
const CLOSED: u8 = 5;
const NEXT_OUT: u8 = 6;

/// A store that outlives the process. One process at a time can open it.
#[derive(Debug)]
pub struct FileStore {
    memory: MemoryStore,
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl FileStore {
    /// Opens or makes the store.
    ///
    /// # Errors
    /// The file cannot be read or written, or another process has it.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let file = lock(path)?;
        let mut store = Self { memory: MemoryStore::default(), file, path: path.to_path_buf(), bytes: 0 };
        let mut bytes = Vec::new();
        store.file.read_to_end(&mut bytes)?;
        let (mut rest, mut closed) = (bytes.as_slice(), true);
        while let Some((kind, fields, after)) = next_record(rest) {
            let Some(()) = store.replay(kind, fields) else { break };
            closed = kind == CLOSED;
            rest = after;
        }
        if !(closed && rest.is_empty()) {
            store.memory.next_out = store.memory.next_out.saturating_add(JUMP);
        }
        store.write_anew()?;
        Ok(store)
    }

    fn replay(&mut self, kind: u8, fields: &[u8]) -> Option<()> {
        match kind {
            SENT => {
                let (seq, fields) = read_u64(fields)?;
                let (at, fields) = read_u64(fields)?;
                let kept = match fields.split_first() {
                    None => None,
                    Some((length, rest)) => {
                        let (msg_type, body) = rest.split_at_checked(usize::from(*length))?;
                        let msg_type = MsgType::from_text(std::str::from_utf8(msg_type).ok()?)?;
                        Some(Sent {
                            at: UtcTime::from_ms(at),
                            body: Body::from_parts(msg_type, body.to_vec()),
                        })
                    }
                };
                self.memory.note_sent(seq, kept);
            }
            EXPECT => self.memory.next_in = read_u64(fields)?.0,
            NEXT_OUT => self.memory.next_out = read_u64(fields)?.0,
            REPORTED => self.memory.position = Some(Position::new(read_u64(fields)?.0)),
            RESET => self.memory = MemoryStore { position: self.memory.position, ..MemoryStore::default() },
            CLOSED => {}
            _ => return None,
        }
        Some(())
    }

    fn append(&mut self, kind: u8, fields: &[u8]) -> Result<(), StoreFault> {
        let record = record(kind, fields);
        self.file.write_all(&record)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(record.len()).unwrap_or(u64::MAX));
        if self.bytes > BYTES_MAX { self.write_anew() } else { Ok(()) }
    }

    /// Writes what is known into a new file in the place of this one.
    fn write_anew(&mut self) -> Result<(), StoreFault> {
        let mut whole = Vec::new();
        for (seq, sent) in &self.memory.kept {
            whole.extend(record(SENT, &sent_fields(*seq, Some(sent))));
        }
        whole.extend(record(NEXT_OUT, &self.memory.next_out.to_le_bytes()));
        whole.extend(record(EXPECT, &self.memory.next_in.to_le_bytes()));
        if let Some(position) = self.memory.position {
            whole.extend(record(REPORTED, &position.number().to_le_bytes()));
        }
        let new = self.path.with_extension("new");
        let mut file = lock(&new)?;
        file.set_len(0)?;
        file.write_all(&whole)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        self.file = file;
        self.bytes = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

impl Drop for FileStore {
    /// Marks the end as one in order. Without the mark the next start leaves numbers out, which is safe too.
    fn drop(&mut self) {
        let _ = self.append(CLOSED, &[]).and_then(|()| Ok(self.file.sync_all()?));
    }
}

impl Store for FileStore {
    fn next_out(&self) -> u64 {
        self.memory.next_out()
    }

    fn next_in(&self) -> u64 {
        self.memory.next_in()
    }

    fn position(&self) -> Option<Position> {
        self.memory.position()
    }

    fn sent(&mut self, kept: Option<&Sent>) -> Result<(), StoreFault> {
        self.append(SENT, &sent_fields(self.memory.next_out, kept))?;
        self.memory.sent(kept)
    }

    fn expect(&mut self, next_in: u64) -> Result<(), StoreFault> {
        if next_in != self.memory.next_in {
            self.append(EXPECT, &next_in.to_le_bytes())?;
        }
        self.memory.expect(next_in)
    }

    fn reported(&mut self, position: Position) -> Result<(), StoreFault> {
        self.append(REPORTED, &position.number().to_le_bytes())?;
        self.memory.reported(position)
    }

    fn reset(&mut self) -> Result<(), StoreFault> {
        self.append(RESET, &[])?;
        self.memory.reset()
    }

    fn kept_from(&self, seq: u64) -> Option<(u64, &Sent)> {
        self.memory.kept_from(seq)
    }
}

fn lock(path: &Path) -> Result<File, StoreFault> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!("another process has {}", path.display());
            return Err(io::Error::new(io::ErrorKind::WouldBlock, text).into());
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut at_start = file;
    at_start.seek(SeekFrom::Start(0))?;
    Ok(at_start)
}

fn record(kind: u8, fields: &[u8]) -> Vec<u8> {
    let body = [&[kind], fields].concat();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut record = length.to_le_bytes().to_vec();
    record.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    record.extend_from_slice(&body);
    record
}

/// Kind and fields of the next whole record, and what follows it.
fn next_record(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let (length, sum) = head.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (body, after) = rest.split_at_checked(length)?;
    if crc32c::crc32c(body).to_le_bytes().as_slice() != sum {
        return None;
    }
    let (kind, fields) = body.split_first()?;
    Some((*kind, fields, after))
}

fn sent_fields(seq: u64, kept: Option<&Sent>) -> Vec<u8> {
    let mut fields = seq.to_le_bytes().to_vec();
    fields.extend_from_slice(&kept.map_or(0, |sent| sent.at.ms()).to_le_bytes());
    if let Some(sent) = kept {
        let msg_type = sent.body.msg_type().text().as_bytes();
        fields.push(u8::try_from(msg_type.len()).unwrap_or_default());
        fields.extend_from_slice(msg_type);
        fields.extend_from_slice(sent.body.bytes());
    }
    fields
}

fn read_u64(fields: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = fields.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}
