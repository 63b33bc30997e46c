//! What lies in cold storage: files of the archive, and pieces of backups.

use std::sync::OnceLock;

use jinku::archive::{Reading, Title, Writer};
use journal::{Hash, Head, record_hash};
use receipts::NoteSigner;
use sha2::{Digest as _, Sha256};

use super::storage::records;
use super::{Answer, Target};
use crate::mutate::Chance;

const LOG: &str = "localhost/fuzzed-log";
/// Bytes ahead of the first block of an archive's file, and of a block's head.
const HEADER_BYTES: usize = 48;
const BLOCK_HEAD_BYTES: usize = 16;

fn signer() -> Result<NoteSigner, String> {
    NoteSigner::from_seed(LOG, &[9; 32]).map_err(|error| error.to_string())
}

fn after(head: Head, record: &[u8]) -> Head {
    let seq = head.seq.saturating_add(1);
    Head { seq, hash: record_hash(&head.hash, seq, record) }
}

/// A file with these records, signed.
fn archived(before: Head, records: &[Vec<u8>]) -> Option<Vec<u8>> {
    let last = records.iter().fold(before, |head, record| after(head, record));
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(&mut bytes, before).ok()?;
    for record in records {
        writer.add(record).ok()?;
    }
    let day = "2026-11-24".to_owned();
    let title = Title {
        bank: "313100000015".to_owned(),
        log: LOG.to_owned(),
        seal: 1,
        from_day: None,
        to_day: day.clone(),
        through: day.clone(),
        sealed_at: day,
        entries_sealed: 0,
        before_seq: before.seq,
        before_hash: before.hash.to_string(),
        last_seq: last.seq,
        last_hash: last.hash.to_string(),
        records: u64::try_from(records.len()).ok()?,
        entries: 0,
        sha256: String::new(),
    };
    // How many entries there are only its reader counts: it says so.
    let mut counted = title.clone();
    writer.finish(title.clone(), &signer().ok()?).ok()?;
    let entries = match jinku::archive::check(bytes.as_slice(), signer().ok()?.verifier()) {
        Ok(_) => return Some(bytes),
        Err(jinku::archive::ArchiveError::Differs { found, .. }) => found.parse().ok()?,
        Err(_) => return None,
    };
    counted.entries = entries;
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(&mut bytes, before).ok()?;
    for record in records {
        writer.add(record).ok()?;
    }
    writer.finish(counted, &signer().ok()?).ok()?;
    Some(bytes)
}

fn archives() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let (some, rest) = records().split_at(records().len() / 2);
        let middle = some.iter().fold(Head::default(), |head, record| after(head, record));
        let none = archived(Head { seq: 7, hash: Hash::new([7; 32]) }, &[]);
        [archived(Head::default(), some), archived(middle, rest), none].into_iter().flatten().collect()
    })
}

/// Files of the archive.
pub(super) fn archive() -> Target {
    Target {
        name: "archive",
        what: "files of the archive of sealed days",
        seeds: || archives().to_vec(),
        mend: mend_blocks,
        check: |input| {
            let key = signer()?;
            // The records, as far as they can be read, follow each other, whatever the title says.
            let mut class = "no header".to_owned();
            if let Ok(mut reading) = Reading::begin(input) {
                let mut head = reading.before();
                class = loop {
                    match reading.next() {
                        Ok(Some((found, record))) if found == after(head, &record) => head = found,
                        Ok(Some((found, _))) => return Err(format!("record {} does not follow", found.seq)),
                        Ok(None) => break "to the last block".to_owned(),
                        Err(error) => break error.to_string(),
                    }
                };
            }
            match jinku::archive::check(input, key.verifier()) {
                // It is signed, so it is one that was made: byte for byte up to its title.
                Ok(_) => {
                    let body = |file: &[u8]| file.get(..title_at(file)).map(<[u8]>::to_vec);
                    if archives().iter().any(|made| body(made) == body(input)) {
                        Ok(Answer::taken("as made"))
                    } else {
                        Err("a file that nobody made is taken as signed".to_owned())
                    }
                }
                Err(error) => Ok(Answer::refused(format!("{error}; {class}"))),
            }
        },
        bytes_base: 16 << 20,
        bytes_per_byte: 64,
    }
}

/// Where a file's title begins.
fn title_at(file: &[u8]) -> usize {
    let len = file.last_chunk::<4>().map_or(0, |len| u32::from_be_bytes(*len));
    file.len().saturating_sub(4).saturating_sub(usize::try_from(len).unwrap_or(usize::MAX))
}

/// Gives changed blocks a right short hash, so that what is in them is read.
fn mend_blocks(input: &mut [u8], chance: &mut Chance) {
    if chance.percent(30) {
        return;
    }
    let mut rest = input.get_mut(HEADER_BYTES..).unwrap_or_default();
    while let Some((head, after)) = rest.split_at_mut_checked(BLOCK_HEAD_BYTES) {
        let stored = head.first_chunk::<4>().map_or(0, |len| u32::from_be_bytes(*len));
        let Some((stored, later)) = after.split_at_mut_checked(usize::try_from(stored).unwrap_or(usize::MAX))
        else {
            return;
        };
        if stored.is_empty() {
            return;
        }
        let sum = Sha256::digest(&*stored);
        for (to, from) in head.iter_mut().skip(8).zip(sum) {
            *to = from;
        }
        rest = later;
    }
}

/// What a piece follows; the same for all.
fn before() -> Head {
    Head { seq: 41, hash: Hash::new([4; 32]) }
}

/// A piece with these records, as the format's documentation says.
fn pieced(records: &[Vec<u8>]) -> Vec<u8> {
    let mut head = before();
    let first = head.seq.saturating_add(1).to_be_bytes();
    let mut bytes = [b"JKPIECE1".as_slice(), &first, head.hash.as_bytes()].concat();
    for record in records {
        head = after(head, record);
        bytes.extend_from_slice(&u32::try_from(record.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(head.hash.as_bytes().get(..8).unwrap_or_default());
        bytes.extend_from_slice(record);
    }
    bytes.extend_from_slice(&u32::MAX.to_be_bytes());
    bytes.extend_from_slice(b"JKEND\0\0\0");
    bytes.extend_from_slice(&head.seq.to_be_bytes());
    bytes.extend_from_slice(head.hash.as_bytes());
    bytes
}

/// Pieces of backups.
pub(super) fn piece() -> Target {
    Target {
        name: "piece",
        what: "pieces of backups",
        seeds: || {
            let some = records().get(..records().len().min(60)).unwrap_or_default();
            vec![pieced(some), pieced(some.get(..1).unwrap_or_default()), pieced(&[])]
        },
        mend: mend_records,
        check: |input| {
            let records = match jinku::backup::read_piece(input, before()) {
                Ok(records) => records,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let contents: Vec<Vec<u8>> = records.into_iter().map(|(_, record)| record).collect();
            // One form for the same records: nothing in it was passed over.
            if pieced(&contents) == input {
                Ok(Answer::taken(format!("{} records", contents.len().min(9))))
            } else {
                Err("a piece has another form once it is written again".to_owned())
            }
        },
        bytes_base: 8 << 20,
        bytes_per_byte: 64,
    }
}

/// Gives changed records right short hashes, and the piece a right end.
fn mend_records(input: &mut [u8], chance: &mut Chance) {
    if chance.percent(30) {
        return;
    }
    let mut head = before();
    let mut rest = input.get_mut(HEADER_BYTES..).unwrap_or_default();
    while let Some((len, after_len)) = rest.split_first_chunk_mut::<4>() {
        let len = u32::from_be_bytes(*len);
        if len == u32::MAX {
            let end = [b"JKEND\0\0\0".as_slice(), &head.seq.to_be_bytes(), head.hash.as_bytes()].concat();
            for (to, from) in after_len.iter_mut().zip(end) {
                *to = from;
            }
            return;
        }
        let Some((short, after_short)) = after_len.split_first_chunk_mut::<8>() else { return };
        let Some((record, later)) =
            after_short.split_at_mut_checked(usize::try_from(len).unwrap_or(usize::MAX))
        else {
            return;
        };
        head = after(head, record);
        for (to, from) in short.iter_mut().zip(head.hash.as_bytes()) {
            *to = *from;
        }
        rest = later;
    }
}
