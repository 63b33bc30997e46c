//! Making a backup: only adding to the folder, and the manifest last.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use bank::JournalEntry;
use journal::{Head, JournalError, Reader, Record};
use money::Timestamp;
use node::{Clock, SystemClock};
use receipts::Checkpoint;

use super::manifest::{self, FORMAT, FileRow, HeadRow, Manifest, PieceRow, SnapshotRow};
use super::piece::PieceWriter;
use super::place::{Place, Sum};
use crate::config::{Installation, Key};
use crate::{cells, tenants};

/// The time of recording is looked at once in so many records: a backup ends that many after its beginning at the latest.
const LOOK_EVERY: u64 = 256;
/// A running bank removes its oldest snapshot; how often another one is looked for.
const SNAPSHOT_TRIES: u32 = 3;

/// A backup that was made.
#[derive(Debug)]
pub struct Made {
    /// What it is.
    pub manifest: Manifest,
    /// Bytes written, the manifest apart.
    pub new_bytes: u64,
    /// Files written, the manifest apart.
    pub new_files: u64,
    /// How long it took.
    pub ms: u128,
}

/// Backs up the bank in `data` to the folder `to`, beside the running bank.
///
/// # Errors
/// The data folder has no bank or a damaged journal; `to` has another bank, another history of this one, or a damaged newest backup; or it cannot
/// be written. What was there before is whole then.
pub fn make(data: &Path, to: &Path, with_keys: bool) -> anyhow::Result<Made> {
    let started = Instant::now();
    let installation = Installation::open(data)?;
    let begun = SystemClock.now();
    let place = Place::write_to(to)?;
    let before = match manifest::numbers(&place)?.last() {
        Some(number) => {
            Some(manifest::read(&place, *number).context("make the next backup to another folder")?)
        }
        None => None,
    };
    let mut making = Making { place: &place, new_bytes: 0, new_files: 0, files: Vec::new() };
    if let Some(before) = &before {
        same_bank(&place, before, &installation)?;
    }
    // Before the journal, so that the journal has the record it names.
    let stated = making.file(data, "checkpoint.note", false)?;
    making.file(data, "bank.json", true)?;
    let (pieces, head) = making.journal(data, before.as_ref(), begun)?;
    if let Some(note) = stated {
        as_stated(&data.join("journal"), &note)?;
    }
    let snapshot = match making.snapshot(data, head.seq)? {
        Some(row) => Some(row),
        None => making.earlier_snapshot(before.as_ref()),
    };
    let keys =
        Key::files().into_iter().chain(tenants::files(data)?).chain(cells::files(&installation.config));
    for path in &keys.filter(|_| with_keys).collect::<Vec<String>>() {
        making.file(data, path, true)?;
    }
    making.files.sort_by(|a, b| a.path.cmp(&b.path));
    let number = before.as_ref().map_or(0, |before| before.number).saturating_add(1);
    let manifest = Manifest {
        format: FORMAT,
        number,
        made_at: begun.to_string(),
        bank: installation.config.number.clone(),
        head,
        pieces,
        snapshot,
        has_keys: with_keys,
        files: making.files,
        sha256: String::new(),
    };
    let (manifest, form) = manifest.seal()?;
    place.put(&Manifest::name(number), &form)?;
    let ms = started.elapsed().as_millis();
    Ok(Made { manifest, new_bytes: making.new_bytes, new_files: making.new_files, ms })
}

/// A folder is one bank's, and what it has of it is there.
fn same_bank(place: &Place, before: &Manifest, installation: &Installation) -> anyhow::Result<()> {
    let (ours, theirs) = (&installation.config.number, &before.bank);
    ensure!(ours == theirs, "the backups there are of bank {theirs}, this is bank {ours}");
    for row in &before.pieces {
        let size = place.size(&row.file);
        ensure!(
            size == Some(row.bytes),
            "{} of the backup before is damaged: make this one to another folder",
            row.file
        );
    }
    Ok(())
}

struct Making<'a> {
    place: &'a Place,
    new_bytes: u64,
    new_files: u64,
    files: Vec<FileRow>,
}

impl Making<'_> {
    fn count(&mut self, sum: &Sum) {
        self.new_bytes = self.new_bytes.saturating_add(sum.bytes);
        self.new_files = self.new_files.saturating_add(1);
    }

    fn row(&mut self, path: &str, (file, sum, is_new): (String, Sum, bool)) {
        if is_new {
            self.count(&sum);
        }
        self.files.push(FileRow { path: path.to_owned(), file, bytes: sum.bytes, sha256: sum.sha256 });
    }

    /// A small file, which the running bank may write anew at any time: read once.
    fn file(&mut self, data: &Path, path: &str, is_needed: bool) -> anyhow::Result<Option<Vec<u8>>> {
        let from = data.join(path);
        let bytes = match fs::read(&from) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_needed => return Ok(None),
            bytes => bytes.with_context(|| format!("read {}", from.display()))?,
        };
        let kept = self.place.keep_bytes(&bytes)?;
        self.row(path, kept);
        Ok(Some(bytes))
    }

    /// Everything the journal has after the backup before.
    fn journal(
        &mut self,
        data: &Path,
        before: Option<&Manifest>,
        begun: Timestamp,
    ) -> anyhow::Result<(Vec<PieceRow>, HeadRow)> {
        let folder = data.join("journal");
        let mut head = before.map(Manifest::head).transpose()?.unwrap_or_default();
        let mut rows = before.map(|before| before.pieces.clone()).unwrap_or_default();
        let mut reader = match Reader::open(&folder, head.seq.max(1)) {
            Err(JournalError::Absent(_)) => bail!("this bank has never run: there is nothing to back up"),
            Err(error @ JournalError::Released { .. }) => bail!(
                "{error}: back up to the folder that has the records before, or bring them back with `jinku archive return`"
            ),
            reader => reader?,
        };
        let mut row = before.map(|before| before.head.clone());
        if head.seq > 0 {
            same_history(&mut reader, head)?;
        }
        loop {
            let Some(first) = next_after(&mut reader, head)? else { break };
            let mut piece = PieceWriter::begin(self.place, head)?;
            let mut last = first;
            piece.add(&last).context("write records")?;
            let mut goes_on = true;
            while !piece.is_full() {
                let at = Head { seq: last.seq, hash: last.hash };
                let next = if is_after(&last, begun)? { None } else { next_after(&mut reader, at)? };
                let Some(next) = next else {
                    goes_on = false;
                    break;
                };
                piece.add(&next).context("write records")?;
                last = next;
            }
            let (file, sum, first, end) = piece.finish()?;
            self.count(&sum);
            rows.push(PieceRow { file, bytes: sum.bytes, sha256: sum.sha256, first, last: end.seq });
            head = end;
            let recorded_at = entry(&last)?.recorded_at.to_string();
            row = Some(HeadRow { seq: head.seq, hash: head.hash.to_string(), recorded_at });
            if !goes_on {
                break;
            }
        }
        sync(&folder)?;
        Ok((rows, row.context("this bank has never run: there is nothing to back up")?))
    }

    /// The newest good snapshot that is not after the last record copied.
    fn snapshot(&mut self, data: &Path, head: u64) -> anyhow::Result<Option<SnapshotRow>> {
        for _ in 0..SNAPSHOT_TRIES {
            let Some(found) = node::newest_snapshot(data)? else { return Ok(None) };
            let (seq, state) = (found.bank.seq(), found.bank.state_hash().to_string());
            if seq > head {
                return Ok(None);
            }
            match self.place.keep(&found.path) {
                Ok(kept) => {
                    let name = found.path.file_name().unwrap_or_default().to_string_lossy();
                    let path = format!("snapshots/{name}");
                    self.row(&path, kept);
                    return Ok(Some(SnapshotRow { seq, state, path }));
                }
                Err(error) if found.path.exists() => return Err(error),
                // The bank has made newer ones meanwhile.
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// The snapshot of the backup before, when the newest one is too new.
    fn earlier_snapshot(&mut self, before: Option<&Manifest>) -> Option<SnapshotRow> {
        let before = before?;
        let row = before.snapshot.as_ref()?;
        let file = before.files.iter().find(|file| file.path == row.path)?;
        self.files.push(file.clone());
        Some(row.clone())
    }
}

fn entry(record: &Record) -> anyhow::Result<JournalEntry> {
    JournalEntry::from_bytes(&record.bytes).with_context(|| format!("record {}", record.seq))
}

/// Whether it was recorded after the backup began; asked once in a while only.
fn is_after(record: &Record, begun: Timestamp) -> anyhow::Result<bool> {
    Ok(record.seq.is_multiple_of(LOOK_EVERY) && entry(record)?.recorded_at > begun)
}

/// The next record, if it follows `head`.
fn next_after(reader: &mut Reader, head: Head) -> anyhow::Result<Option<Record>> {
    let Some(record) = reader.next()? else { return Ok(None) };
    let follows = record.seq == head.seq.saturating_add(1) && record.prev == head.hash;
    ensure!(follows, "record {} of the journal does not follow the record before", record.seq);
    Ok(Some(record))
}

/// The journal has the last record of the backup before.
fn same_history(reader: &mut Reader, head: Head) -> anyhow::Result<()> {
    let found = reader.next()?;
    let is_same = found.as_ref().is_some_and(|record| record.seq == head.seq && record.hash == head.hash);
    ensure!(
        is_same,
        "the journal has another history than the backup before, which ends at record {} with {}: \
         make this backup to another folder, and find out why",
        head.seq,
        head.hash
    );
    Ok(())
}

/// The journal has the record that the bank's signed checkpoint names: a copy of a journal that lost its end is no backup.
fn as_stated(folder: &Path, note: &[u8]) -> anyhow::Result<()> {
    let checkpoint = stated(note).context("checkpoint.note cannot be read")?;
    let Some(point) = checkpoint.journal() else { return Ok(()) };
    let found = match Reader::open(folder, point.seq) {
        // Nothing is released before it is archived, and the archive is signed: the journal is beyond that record.
        Err(JournalError::Released { .. }) => return Ok(()),
        reader => reader?.next()?,
    };
    let has = found.is_some_and(|record| record.seq == point.seq && *record.hash.as_bytes() == point.hash);
    ensure!(
        has,
        "the journal does not have record {} as the bank has signed it: it has lost its end or is another",
        point.seq
    );
    Ok(())
}

/// What a signed checkpoint states. Its signature is the audit's to check: here may be no key.
pub(crate) fn stated(note: &[u8]) -> Option<Checkpoint> {
    let text = std::str::from_utf8(note).ok()?;
    let (body, _) = text.split_once("\n\n")?;
    Checkpoint::parse(&format!("{body}\n")).ok()
}

/// Makes durable what was read: a group can be seen a moment before its writer knows that it is.
fn sync(folder: &Path) -> anyhow::Result<()> {
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "seg") {
            let synced = File::open(&path).and_then(|file| file.sync_data());
            synced.with_context(|| format!("sync {}", path.display()))?;
        }
    }
    Ok(())
}
