//! What lies on disks: segments of the journal, entries, snapshots, manifests of backups.

use std::sync::OnceLock;

use bank::{Bank, JournalEntry};
use jinku::backup::{FORMAT, HeadRow, Manifest};
use journal::{
    Hash, Head, Journal, Options, Reader, SECTOR_BYTES, SegmentName, SimDisk, Storage as _, StreamRow,
    cut_rows, verify_on,
};
use sha2::{Digest as _, Sha256};

use super::{Answer, Target, no_mending};
use crate::mutate::Chance;

/// Small, so that a few records fill several.
const SEGMENT_BYTES: usize = 32 << 10;
/// Steps of the simulated bank whose records are the seeds.
const STEPS: u64 = 40;
const SEED: u64 = 11;

fn options() -> Options {
    Options { segment_bytes: u64::try_from(SEGMENT_BYTES).unwrap_or(0), direct: true }
}

/// Records of a bank with some past.
pub(super) fn records() -> &'static [Vec<u8>] {
    static RECORDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let options = sim::Options { seed: SEED, steps: STEPS, ..sim::Options::default() };
        sim::records(&options).unwrap_or_default()
    })
}

/// The records as segments, written in groups of this many; the names are those of the segments.
fn written(group: usize) -> (Vec<SegmentName>, Vec<u8>) {
    let disk = SimDisk::new();
    let Ok((mut journal, _)) = Journal::open_on(disk.clone(), &options()) else { return Default::default() };
    for records in records().chunks(group.max(1)) {
        if journal.append(records).is_err() {
            return Default::default();
        }
    }
    let names = disk.segments().unwrap_or_default();
    let bytes = names.iter().flat_map(|name| disk.bytes(*name)).collect();
    (names, bytes)
}

const GROUPS: [usize; 3] = [1, 3, 8];

/// Segments one after another behind a byte that says how the records were grouped, which gives their names.
pub(super) fn journal() -> Target {
    Target {
        name: "journal",
        what: "segments of the journal: reader, verifier, writer's opening",
        seeds: || {
            let seed = |(index, group): (u8, usize)| [vec![index], written(group).1].concat();
            (0_u8..).zip(GROUPS).map(seed).collect()
        },
        mend: mend_sectors,
        check: check_journal,
        bytes_base: 32 << 20,
        bytes_per_byte: 16,
    }
}

/// Gives most of the changed sectors a right checksum, as the format's documentation says it is made.
fn mend_sectors(input: &mut [u8], chance: &mut Chance) {
    if chance.percent(30) {
        return;
    }
    let Some((index, bytes)) = input.split_first_mut() else { return };
    let names = names_of(*index);
    for (segment, name) in bytes.chunks_mut(SEGMENT_BYTES).zip(names) {
        for (offset, sector) in (0_u64..).step_by(SECTOR_BYTES).zip(segment.chunks_exact_mut(SECTOR_BYTES)) {
            let is_zero = sector.iter().all(|byte| *byte == 0);
            let Some((body, crc)) = sector.split_last_chunk_mut::<4>().filter(|_| !is_zero) else { continue };
            let sum = crc32c::crc32c(&name.0.to_be_bytes());
            let sum = crc32c::crc32c_append(sum, &offset.to_be_bytes());
            *crc = crc32c::crc32c_append(sum, body).to_be_bytes();
        }
    }
}

fn names_of(index: u8) -> &'static [SegmentName] {
    static NAMES: OnceLock<Vec<Vec<SegmentName>>> = OnceLock::new();
    let names = NAMES.get_or_init(|| GROUPS.into_iter().map(|group| written(group).0).collect());
    names.get(usize::from(index)).map(Vec::as_slice).unwrap_or_default()
}

fn check_journal(input: &[u8]) -> Result<Answer, String> {
    let Some((index, bytes)) = input.split_first() else { return Ok(Answer::refused("nothing")) };
    let disk = SimDisk::new();
    for (segment, name) in bytes.chunks(SEGMENT_BYTES).zip(names_of(*index)) {
        disk.replace(*name, Some(segment.to_vec()));
    }
    let verified = verify_on(disk.clone());
    let read = read_all(&disk);
    let opened = Journal::open_on(disk.clone(), &options());
    // Records hang together by their hashes: whatever is taken is a beginning of what was written.
    match (verified, opened) {
        (Ok(verified), Ok((journal, opened))) => {
            let read = read.map_err(|error| format!("verified, and the reader says: {error}"))?;
            is_beginning(&read)?;
            let len = u64::try_from(read.len()).unwrap_or(u64::MAX);
            if verified.head != opened.head || verified.head.seq != len || journal.head() != opened.head {
                return Err(format!(
                    "verifier {}, reader {len}, writer {}",
                    verified.head.seq, opened.head.seq
                ));
            }
            drop(journal);
            // Opening has cut or made what was torn; then it is whole.
            let again = verify_on(disk).map_err(|error| format!("after opening: {error}"))?;
            if again.torn_tail.is_some() || again.head != verified.head {
                return Err("opening leaves a torn end".to_owned());
            }
            Ok(Answer::taken(format!(
                "torn {} cut {} records {len}",
                verified.torn_tail.is_some(),
                opened.cut.is_some()
            )))
        }
        (Err(damage), Err(_)) => {
            if let Ok(read) = read {
                is_beginning(&read)?;
            }
            Ok(Answer::refused(damage.reason))
        }
        (Ok(_), Err(error)) => Err(format!("verified, and the writer says: {error}")),
        (Err(damage), Ok(_)) => Err(format!("the writer opens what the verifier refuses: {damage}")),
    }
}

fn read_all(disk: &SimDisk) -> Result<Vec<Vec<u8>>, String> {
    let mut reader = Reader::open_on(disk.clone(), 1).map_err(|error| error.to_string())?;
    let mut read = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(record)) => read.push(record.bytes),
            Ok(None) => return Ok(read),
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn is_beginning(read: &[Vec<u8>]) -> Result<(), String> {
    if records().starts_with(read) { Ok(()) } else { Err("records are given that nobody wrote".to_owned()) }
}

/// Records of the journal as entries.
pub(super) fn entry() -> Target {
    Target {
        name: "entry",
        what: "journal entries",
        seeds: || records().to_vec(),
        mend: no_mending,
        check: |input| {
            let entry = match JournalEntry::from_bytes(input) {
                Ok(entry) => entry,
                Err(error) => return Ok(Answer::refused(error)),
            };
            let again = JournalEntry::from_bytes(&entry.to_bytes());
            if again.as_ref().ok() == Some(&entry) {
                Ok(Answer::taken(format!("{} events", entry.events.len())))
            } else {
                Err("an entry is another one once it is written and read again".to_owned())
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

/// A row of a shared journal: numbers of its first and last record (8 each), hashes before and after (32 each), content.
pub(super) fn stream_row() -> Target {
    Target {
        name: "stream-row",
        what: "rows of the journal that several nodes share",
        seeds: || stream_rows().to_vec(),
        mend: no_mending,
        check: |input| {
            let Some((row, head)) = read_stream_row(input) else { return Ok(Answer::refused("cut short")) };
            match row.follow(head) {
                Ok((records, _)) if stream_rows().iter().any(|known| known == input) => {
                    Ok(Answer::taken(format!("{} records", records.len())))
                }
                Ok(_) => Err("a changed row is taken".to_owned()),
                Err(error) => Ok(Answer::refused(error)),
            }
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 64,
    }
}

fn stream_rows() -> &'static [Vec<u8>] {
    static ROWS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let (mut head, mut rows) = (Head::default(), Vec::new());
        for records in records().chunks(4) {
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            for row in cut_rows(head, 1, &records) {
                head = row.head();
                let numbers = [row.first.to_be_bytes(), row.last.to_be_bytes()].concat();
                rows.push(
                    [&numbers, row.before.as_bytes().as_slice(), row.after.as_bytes(), &row.content].concat(),
                );
            }
        }
        rows
    })
}

/// The row, and the head that it says it follows.
fn read_stream_row(input: &[u8]) -> Option<(StreamRow, Head)> {
    let (first, rest) = input.split_first_chunk::<8>()?;
    let (last, rest) = rest.split_first_chunk::<8>()?;
    let (before, rest) = rest.split_first_chunk::<32>()?;
    let (after, content) = rest.split_first_chunk::<32>()?;
    let (first, last) = (u64::from_be_bytes(*first), u64::from_be_bytes(*last));
    let (before, after) = (Hash::new(*before), Hash::new(*after));
    let head = Head { seq: first.saturating_sub(1), hash: before };
    Some((StreamRow { first, last, epoch: 1, before, after, content: content.to_vec() }, head))
}

fn snapshots() -> &'static [Vec<u8>] {
    static SNAPSHOTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SNAPSHOTS.get_or_init(|| {
        let mut bank = Bank::default();
        let mut snapshots = vec![bank.to_snapshot()];
        for (seq, record) in (1..).zip(records()) {
            let Ok(entry) = JournalEntry::from_bytes(record) else { break };
            bank.apply(seq, &entry);
            if seq == 12 {
                snapshots.push(bank.to_snapshot());
            }
        }
        snapshots.push(bank.to_snapshot());
        snapshots
    })
}

/// The state as bytes. Its hash is mended in most inputs, so that the reader of the state itself is reached.
pub(super) fn snapshot() -> Target {
    Target {
        name: "snapshot",
        what: "snapshots of the state",
        seeds: || snapshots().to_vec(),
        mend: mend_state,
        check: |input| {
            let bank = match Bank::from_snapshot(input) {
                Ok(bank) => bank,
                Err(error) => return Ok(Answer::refused(error)),
            };
            // Its hash is right. Then it must be a state that keeps its form.
            let again = Bank::from_snapshot(&bank.to_snapshot())
                .map_err(|error| format!("written again: {error}"))?;
            if again.state_hash() != bank.state_hash() {
                return Err("a state is another one once it is written and read again".to_owned());
            }
            let written = bank.to_snapshot();
            // The head has the hash of the state: with the same head all of it is the same.
            let known = snapshots().iter().find(|known| known.get(..36) == written.get(..36));
            if known.is_some_and(|known| *known != written) {
                return Err("a snapshot with another history is taken for the one with this hash".to_owned());
            }
            let is_whole = known.is_some();
            Ok(Answer::taken(format!("whole {is_whole}, invariants {}", bank.broken_invariants().is_empty())))
        },
        bytes_base: 8 << 20,
        bytes_per_byte: 256,
    }
}

/// Puts the hash of the state in the place of the hash.
fn mend_state(input: &mut [u8], chance: &mut Chance) {
    if chance.percent(20) {
        return;
    }
    // An array of two: a version of one byte, a string of 32 bytes. Then an array of three that begins with the state, a string.
    let Some((head, body)) = input.split_at_mut_checked(36) else { return };
    let Some(state) = body.split_first().and_then(|(_, string)| string_in(string)) else { return };
    let hash = Sha256::digest(state);
    if let Some(place) = head.get_mut(4..) {
        place.copy_from_slice(&hash);
    }
}

/// The content of the CBOR string that some bytes begin with.
fn string_in(bytes: &[u8]) -> Option<&[u8]> {
    let (kind, rest) = bytes.split_first()?;
    let (len, rest) = match kind {
        0x58 => rest.split_first_chunk::<1>().map(|(len, rest)| (u32::from(len[0]), rest))?,
        0x59 => {
            rest.split_first_chunk::<2>().map(|(len, rest)| (u32::from(u16::from_be_bytes(*len)), rest))?
        }
        0x5a => rest.split_first_chunk::<4>().map(|(len, rest)| (u32::from_be_bytes(*len), rest))?,
        _ => return None,
    };
    rest.get(..usize::try_from(len).ok()?)
}

/// Manifests of backups. Their hash is never mended: what is taken is what was written.
pub(super) fn manifest() -> Target {
    Target {
        name: "manifest",
        what: "manifests of backups",
        seeds: || manifests().to_vec(),
        mend: no_mending,
        check: |input| match Manifest::parse(input) {
            Ok(_) if manifests().iter().any(|known| known == input) => Ok(Answer::taken("whole")),
            Ok(_) => Err("a changed manifest is taken".to_owned()),
            Err(error) => Ok(Answer::refused(format!("{error:#}"))),
        },
        bytes_base: 1 << 20,
        bytes_per_byte: 256,
    }
}

fn manifests() -> &'static [Vec<u8>] {
    static MANIFESTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MANIFESTS.get_or_init(|| {
        let row = |n: u64| jinku::backup::FileRow {
            path: format!("keys/{n}"),
            file: format!("files/{n}"),
            bytes: n,
            sha256: "00".repeat(32),
        };
        let make = |rows: u64| Manifest {
            format: FORMAT,
            number: 1,
            made_at: "2026-11-25T00:00:00.000Z".to_owned(),
            bank: "313100000015".to_owned(),
            head: HeadRow {
                seq: 7,
                hash: "11".repeat(32),
                recorded_at: "2026-11-25T00:00:00.000Z".to_owned(),
            },
            pieces: Vec::new(),
            snapshot: None,
            has_keys: false,
            files: (0..rows).map(row).collect(),
            sha256: String::new(),
        };
        [0, 3].into_iter().filter_map(|rows| Some(make(rows).seal().ok()?.1)).collect()
    })
}
