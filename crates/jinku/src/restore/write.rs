//! Writing and replaying what a backup holds.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use bank::{Bank, JournalEntry};
use journal::{FileJournal, Head, Options};
use money::Timestamp;

use super::words::{self, Passed};
use super::{Restored, Until, missing};
use crate::backup::Manifest;
use crate::backup::make::stated;
use crate::backup::piece::PieceReader;
use crate::backup::place::Place;

/// A group of the restored journal is closed at so many bytes: far below the journal's bound, large enough that a write costs little.
const GROUP_BYTES: usize = 1 << 20;
/// And at so many records.
const GROUP_RECORDS: usize = 4_096;
const CHECKPOINT: &str = "checkpoint.note";

/// Writes the bank beside its target and gives it its name at the end.
pub(super) fn write(
    place: &Place,
    manifest: Manifest,
    to: &Path,
    until: Until,
    checked_ms: u128,
) -> anyhow::Result<Restored> {
    let started = Instant::now();
    let beside = beside(to)?;
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("remove {}", beside.display()))?;
    }
    let made = Writing::begin(place, &manifest, &beside, until).and_then(Writing::whole);
    let done = match made {
        Ok(done) => done,
        Err(error) => {
            let _ = fs::remove_dir_all(&beside);
            return Err(error);
        }
    };
    let checkpoint_aside = files(place, &manifest, &beside, done.head, until)?;
    let mut restored = Restored {
        seq: done.head.seq,
        hash: done.head.hash.to_string(),
        recorded_at: done.bank.recorded_at(),
        state: done.bank.state_hash().to_string(),
        compared_at: done.compared_at,
        left_out: manifest.head.seq.saturating_sub(done.head.seq),
        outstanding: outstanding(&done.bank),
        to_reconcile: done.passed.lines(),
        checkpoint_aside,
        missing: missing(&manifest),
        ms: (checked_ms, 0),
        manifest,
    };
    restored.ms.1 = started.elapsed().as_millis();
    put(&beside, "restored.txt", restored.text(to).as_bytes(), 0o644)?;
    if to.exists() {
        fs::remove_dir(to).with_context(|| format!("replace {}", to.display()))?;
    }
    fs::rename(&beside, to).with_context(|| format!("make {}", to.display()))?;
    if let Some(parent) = beside.parent() {
        File::open(parent).and_then(|parent| parent.sync_all())?;
    }
    Ok(restored)
}

/// A name in the same folder that says what lies there.
fn beside(to: &Path) -> anyhow::Result<PathBuf> {
    let to = std::path::absolute(to)?;
    let name = to.file_name().with_context(|| format!("{} is no name of a folder", to.display()))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".restoring");
    Ok(to.with_file_name(hidden))
}

struct Done {
    head: Head,
    bank: Bank,
    compared_at: Option<u64>,
    passed: Passed,
}

struct Writing<'a> {
    place: &'a Place,
    manifest: &'a Manifest,
    journal: FileJournal,
    until: Until,
    group: Vec<Vec<u8>>,
    group_bytes: usize,
    bank: Bank,
    compared_at: Option<u64>,
    head: Head,
    passed: Passed,
    is_over: bool,
}

impl<'a> Writing<'a> {
    fn begin(place: &'a Place, manifest: &'a Manifest, beside: &Path, until: Until) -> anyhow::Result<Self> {
        let (journal, _) = FileJournal::open(&beside.join("journal"), &Options::default())?;
        Ok(Self {
            place,
            manifest,
            journal,
            until,
            group: Vec::new(),
            group_bytes: 0,
            bank: Bank::default(),
            compared_at: None,
            head: Head::default(),
            passed: Passed::default(),
            is_over: false,
        })
    }

    fn whole(mut self) -> anyhow::Result<Done> {
        let mut chain = Head::default();
        for row in &self.manifest.pieces {
            let open = PieceReader::open(self.place, &row.file, chain);
            let mut piece = open.with_context(|| row.file.clone())?;
            while let Some((head, bytes)) = piece.next().with_context(|| row.file.clone())? {
                self.record(head, bytes)?;
            }
            chain = piece.head();
        }
        ensure!(
            chain == self.manifest.head()?,
            "the records do not lead to the head that the manifest names"
        );
        ensure!(self.head.seq > 0, "no record is at or before this point");
        if let Until::Seq(seq) = self.until {
            ensure!(self.head.seq == seq, "the backup ends at record {}, before {seq}", self.head.seq);
        }
        self.write_group()?;
        ensure!(self.journal.head() == self.head, "the journal written ends elsewhere than the backup");
        let broken = self.bank.broken_invariants();
        ensure!(broken.is_empty(), "the restored state breaks invariants: {}", broken.join("; "));
        Ok(Done { head: self.head, bank: self.bank, compared_at: self.compared_at, passed: self.passed })
    }

    fn record(&mut self, head: Head, bytes: Vec<u8>) -> anyhow::Result<()> {
        let entry = JournalEntry::from_bytes(&bytes).with_context(|| format!("record {}", head.seq))?;
        self.is_over = self.is_over || self.is_beyond(head.seq, entry.recorded_at);
        if self.is_over {
            self.passed.entry(head.seq, &entry);
            return Ok(());
        }
        self.group_bytes = self.group_bytes.saturating_add(bytes.len());
        self.group.push(bytes);
        if self.group_bytes >= GROUP_BYTES || self.group.len() >= GROUP_RECORDS {
            self.write_group()?;
        }
        self.bank.apply(head.seq, &entry);
        self.head = head;
        self.compare()
    }

    const fn is_beyond(&self, seq: u64, recorded_at: Timestamp) -> bool {
        match self.until {
            Until::End => false,
            Until::Seq(last) => seq > last,
            Until::Time(last) => recorded_at.ms() > last.ms(),
        }
    }

    fn write_group(&mut self) -> anyhow::Result<()> {
        self.journal.append(&self.group)?;
        self.group.clear();
        self.group_bytes = 0;
        Ok(())
    }

    /// At the record of the snapshot the replayed state must be the state that the bank had.
    fn compare(&mut self) -> anyhow::Result<()> {
        let Some(snapshot) = self.manifest.snapshot.as_ref().filter(|row| row.seq == self.head.seq) else {
            return Ok(());
        };
        let row = self.manifest.files.iter().find(|row| row.path == snapshot.path);
        let row = row.context("the manifest names a snapshot without its file")?;
        let bytes = self.place.read(&row.file)?;
        let state = bytes.get(node::SNAPSHOT_HEADER_BYTES..).unwrap_or_default();
        let kept = match Bank::from_snapshot(state) {
            // Made by a program with another form of the state: it cannot be compared, and the journal is the truth.
            Err(bank::SnapshotError::Version(_)) => return Ok(()),
            // Older history of that bank was on its disk, not in its snapshot; the hash that the backup noted is of the same state.
            Err(bank::SnapshotError::History(_)) => snapshot.state.clone(),
            kept => kept.context("the backup's snapshot")?.state_hash().to_string(),
        };
        let replayed = self.bank.state_hash().to_string();
        ensure!(
            kept == replayed && kept == snapshot.state,
            "the state replayed to record {} is {replayed}, the backup's snapshot is {kept}",
            snapshot.seq
        );
        self.compared_at = Some(snapshot.seq);
        Ok(())
    }
}

fn outstanding(bank: &Bank) -> Vec<String> {
    let line =
        |(id, outstanding): (_, &bank::Outstanding)| format!("{id}, {}", words::effect(&outstanding.effect));
    bank.outstanding().map(line).collect()
}

/// Everything but the journal. Answers whether the checkpoint was put aside.
fn files(
    place: &Place,
    manifest: &Manifest,
    beside: &Path,
    head: Head,
    until: Until,
) -> anyhow::Result<bool> {
    let mut aside = false;
    for row in &manifest.files {
        let too_new = manifest.snapshot.as_ref().is_some_and(|at| at.path == row.path && at.seq > head.seq);
        if too_new {
            continue;
        }
        let bytes = place.read(&row.file)?;
        let mut path = row.path.clone();
        if path == CHECKPOINT && until != Until::End && is_beyond(&bytes, head.seq) {
            path.push_str(".aside");
            aside = true;
        }
        let mode = if path.starts_with("keys/") { 0o600 } else { 0o644 };
        put(beside, &path, &bytes, mode)?;
    }
    fs::create_dir_all(beside.join("keys"))?;
    Ok(aside)
}

/// Whether a signed checkpoint names a record after `seq`, or cannot be read.
fn is_beyond(note: &[u8], seq: u64) -> bool {
    stated(note).is_none_or(|checkpoint| checkpoint.journal().is_none_or(|point| point.seq > seq))
}

fn put(folder: &Path, path: &str, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let target = folder.join(path);
    let fault = || format!("write {}", target.display());
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).with_context(fault)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&target);
    let mut file = file.with_context(fault)?;
    file.write_all(bytes).with_context(fault)?;
    file.sync_all().with_context(fault)
}
