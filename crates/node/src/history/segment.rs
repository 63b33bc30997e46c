//! Two files: chunks, and the ids of their entries in order.
//!
//! All numbers are big-endian. `chunks-<first>.hist`: `JKHIST01` (8), number of chunks (4), for each its bytes (4) and its SHA-256 (32), then the chunks.
//! `ids-<first>.hist`: `JKHIDS01` (8), SHA-256 of the rest (32), then for each entry, by id: id (16) and position (4).

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bank::{CHUNK_ENTRIES, HistoryChunk};
use money::EntryId;
use sha2::{Digest, Sha256};

use super::filter::Filter;

const CHUNKS_MAGIC: &[u8; 8] = b"JKHIST01";
const IDS_MAGIC: &[u8; 8] = b"JKHIDS01";
/// Bytes in front of the ids.
const IDS_HEAD: u64 = 40;
/// Bytes of an id with its position.
const ROW_BYTES: usize = 20;
/// Rows that are read at once: about a page.
const PAGE_ROWS: usize = 204;
/// Most chunks of a file; a number beyond it is damage.
const CHUNKS_MAX: u32 = 1 << 20;

/// Where a chunk lies.
#[derive(Debug)]
struct Place {
    offset: u64,
    bytes: u32,
    digest: [u8; 32],
}

/// Chunks that were written together.
#[derive(Debug)]
pub(super) struct Segment {
    /// Number of its first chunk.
    pub(super) first: u32,
    places: Vec<Place>,
    chunks: File,
    ids_path: PathBuf,
    /// Read when first asked for: a replay never does.
    ids: OnceLock<Ids>,
}

/// The index of a segment's entries.
#[derive(Debug)]
struct Ids {
    file: File,
    /// The first id of each page.
    pages: Vec<u128>,
    filter: Filter,
}

fn path(folder: &Path, kind: &str, first: u32) -> PathBuf {
    folder.join(format!("{kind}-{first:010}.hist"))
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Numbers of the first chunks of the segments in a folder, in order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().unwrap_or_default();
        let number = name.strip_prefix("chunks-").and_then(|name| name.strip_suffix(".hist"));
        found.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

pub(super) fn remove(folder: &Path, first: u32) -> io::Result<()> {
    fs::remove_file(path(folder, "chunks", first))?;
    match fs::remove_file(path(folder, "ids", first)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the chunks from the number `first` on. The file of chunks gets its name last: with it the segment is there.
pub(super) fn write(folder: &Path, first: u32, chunks: &[Arc<HistoryChunk>]) -> io::Result<()> {
    let mut rows: Vec<(u128, u32)> = Vec::new();
    let mut position = first.saturating_mul(CHUNK_ENTRIES);
    for id in chunks.iter().flat_map(|chunk| chunk.ids().collect::<Vec<_>>()) {
        rows.push((id.value(), position));
        position = position.saturating_add(1);
    }
    rows.sort_unstable();
    let rows: Vec<u8> =
        rows.iter().flat_map(|(id, at)| id.to_be_bytes().into_iter().chain(at.to_be_bytes())).collect();
    let digest: [u8; 32] = Sha256::digest(&rows).into();
    write_file(&path(folder, "ids", first), &[IDS_MAGIC, &digest, &rows])?;

    let mut head = CHUNKS_MAGIC.to_vec();
    head.extend_from_slice(&u32::try_from(chunks.len()).unwrap_or(u32::MAX).to_be_bytes());
    for chunk in chunks {
        head.extend_from_slice(&u32::try_from(chunk.bytes().len()).unwrap_or(u32::MAX).to_be_bytes());
        head.extend_from_slice(&chunk.digest());
    }
    let mut parts: Vec<&[u8]> = vec![&head];
    parts.extend(chunks.iter().map(|chunk| chunk.bytes()));
    write_file(&path(folder, "chunks", first), &parts)
}

fn write_file(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let beside = path.with_extension("partial");
    let mut file = BufWriter::new(File::create(&beside)?);
    for part in parts {
        file.write_all(part)?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&beside, path)
}

impl Segment {
    /// Opens the segment that begins with the chunk `first`, and reads its index through.
    pub(super) fn open(folder: &Path, first: u32) -> io::Result<Self> {
        let mut chunks = File::open(path(folder, "chunks", first))?;
        let mut head = [0; 12];
        chunks.read_exact(&mut head)?;
        let (magic, count) = head.split_at_checked(8).ok_or_else(|| damaged("no head"))?;
        let count = u32::from_be_bytes(count.try_into().map_err(|_| damaged("no number of chunks"))?);
        if magic != CHUNKS_MAGIC || count == 0 || count > CHUNKS_MAX {
            return Err(damaged("no file of chunks"));
        }
        let mut places = Vec::new();
        let mut offset = u64::from(count).saturating_mul(36).saturating_add(12);
        for _ in 0..count {
            let (mut bytes, mut digest) = ([0; 4], [0; 32]);
            chunks.read_exact(&mut bytes)?;
            chunks.read_exact(&mut digest)?;
            let bytes = u32::from_be_bytes(bytes);
            places.push(Place { offset, bytes, digest });
            offset = offset.saturating_add(bytes.into());
        }
        if chunks.metadata()?.len() != offset {
            return Err(damaged("the file of chunks has another length"));
        }
        Ok(Self { first, places, chunks, ids_path: path(folder, "ids", first), ids: OnceLock::new() })
    }

    /// The index, read through when first asked for.
    pub(super) fn load(&self) -> io::Result<()> {
        self.ids().map(|_| ())
    }

    fn ids(&self) -> io::Result<&Ids> {
        if let Some(ids) = self.ids.get() {
            return Ok(ids);
        }
        let ids = Ids::open(&self.ids_path, self.entries())?;
        Ok(self.ids.get_or_init(|| ids))
    }

    fn entries(&self) -> usize {
        self.places.len().saturating_mul(usize::try_from(CHUNK_ENTRIES).unwrap_or(0))
    }

    /// Number of the chunk after its last.
    pub(super) fn end(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.places.len()).unwrap_or(u32::MAX))
    }

    fn place(&self, number: u32) -> Option<&Place> {
        self.places.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The digest of one of its chunks.
    pub(super) fn digest(&self, number: u32) -> Option<[u8; 32]> {
        self.place(number).map(|place| place.digest)
    }

    /// One of its chunks, compared with its digest.
    pub(super) fn chunk(&self, number: u32) -> Result<HistoryChunk, String> {
        let place = self.place(number).ok_or("there is no such chunk")?;
        let mut bytes = vec![0; usize::try_from(place.bytes).map_err(|error| error.to_string())?];
        self.chunks.read_exact_at(&mut bytes, place.offset).map_err(|error| error.to_string())?;
        let chunk = HistoryChunk::parse(bytes, number.saturating_mul(CHUNK_ENTRIES));
        let chunk = chunk.map_err(|error| error.to_string())?;
        if chunk.digest() == place.digest { Ok(chunk) } else { Err(format!("chunk {number} is damaged")) }
    }

    /// The position of an entry, if it is here.
    pub(super) fn find(&self, id: EntryId) -> io::Result<Option<u32>> {
        let (id, ids) = (id.value(), self.ids()?);
        if !ids.filter.may_have(id) {
            return Ok(None);
        }
        // The page is the last whose first id is not above.
        let Some(page) = ids.pages.partition_point(|first| *first <= id).checked_sub(1) else {
            return Ok(None);
        };
        let start = page.saturating_mul(PAGE_ROWS);
        let rows = PAGE_ROWS.min(self.entries().saturating_sub(start));
        let mut bytes = vec![0; rows.saturating_mul(ROW_BYTES)];
        let offset = u64::try_from(start.saturating_mul(ROW_BYTES)).unwrap_or(u64::MAX);
        ids.file.read_exact_at(&mut bytes, offset.saturating_add(IDS_HEAD))?;
        let (rows, _) = bytes.as_chunks::<ROW_BYTES>();
        let found = rows.binary_search_by(|row| parse(row).0.cmp(&id));
        Ok(found.ok().and_then(|at| rows.get(at)).map(|row| parse(row).1))
    }
}

impl Ids {
    fn open(path: &Path, entries: usize) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut magic, mut digest) = ([0; 8], [0; 32]);
        file.read_exact(&mut magic)?;
        file.read_exact(&mut digest)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        let (rows, rest) = bytes.as_chunks::<ROW_BYTES>();
        if &magic != IDS_MAGIC || found != digest || !rest.is_empty() || rows.len() != entries {
            return Err(damaged("the file of ids is damaged"));
        }
        let mut filter = Filter::for_entries(rows.len());
        let mut pages = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let (id, _) = parse(row);
            filter.insert(id);
            if number.is_multiple_of(PAGE_ROWS) {
                pages.push(id);
            }
        }
        Ok(Self { file, pages, filter })
    }
}

fn parse(row: &[u8; ROW_BYTES]) -> (u128, u32) {
    let (mut id, mut at) = ([0; 16], [0; 4]);
    for (slot, byte) in id.iter_mut().chain(&mut at).zip(row) {
        *slot = *byte;
    }
    (u128::from_be_bytes(id), u32::from_be_bytes(at))
}
