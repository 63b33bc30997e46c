//! `jinku restore`: a bank from a backup, whole or up to a point in time, and what an operator must know afterwards.
//!
//! Everything is checked before anything is written: the manifest, every file's SHA-256, the chain of every record. The journal is written by
//! the journal's own writer and replayed from its first record; where the backup has a snapshot, the replayed state must have its hash. The
//! bank appears under its name when all that is done, or not at all.
//!
//! **Point in time.** The journal ends after the last entry recorded at or before the time, or after the record of a number: a valid journal
//! that a bank can go on from. What the bank had sent to the world after that point happened all the same; [`Restored::to_reconcile`] lists it.

mod words;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use money::Timestamp;

use crate::backup::Manifest;
use crate::backup::manifest;
use crate::backup::place::Place;
use crate::config::Key;

/// What is to be restored, and where to.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the backups.
    #[arg(long)]
    pub from: PathBuf,
    /// The new data folder: none, or an empty one.
    #[arg(long)]
    pub to: PathBuf,
    /// Number of the backup; the newest without it.
    #[arg(long)]
    pub backup: Option<u64>,
    /// Ends after the record of this number.
    #[arg(long, conflicts_with = "until_time")]
    pub until: Option<u64>,
    /// Ends after the last entry recorded at or before this time, RFC 3339.
    #[arg(long)]
    pub until_time: Option<String>,
}

/// Where a restored journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// With the backup.
    End,
    /// After the record of this number.
    Seq(u64),
    /// After the last entry recorded at or before this time.
    Time(Timestamp),
}

/// A bank that was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup it was made from.
    pub manifest: Manifest,
    /// Number of the last record.
    pub seq: u64,
    /// Its chain hash.
    pub hash: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Hash of the replayed state.
    pub state: String,
    /// The record at which the state was compared with the backup's snapshot.
    pub compared_at: Option<u64>,
    /// Records of the backup after the point.
    pub left_out: u64,
    /// Effects that the restored bank will bring to the world when it starts, in words.
    pub outstanding: Vec<String>,
    /// What happened in the world after the point, in words: nothing of it is undone, and the bank does not know it any more.
    pub to_reconcile: Vec<String>,
    /// The signed checkpoint is put aside, because it states more than the journal has.
    pub checkpoint_aside: bool,
    /// Files that must be put there before the bank can start.
    pub missing: Vec<String>,
    /// How long checking the backup took, and how long writing and replaying.
    pub ms: (u128, u128),
}

/// Restores a bank and prints what was done.
///
/// # Errors
/// As [`restore`].
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let until = match (&arguments.until, &arguments.until_time) {
        (Some(seq), _) => Until::Seq(*seq),
        (None, Some(time)) => Until::Time(parse_time(time)?),
        (None, None) => Until::End,
    };
    let restored = restore(&arguments.from, &arguments.to, arguments.backup, until)?;
    print!("{}", restored.text(&arguments.to));
    Ok(ExitCode::SUCCESS)
}

fn parse_time(text: &str) -> anyhow::Result<Timestamp> {
    let instant: jiff::Timestamp = text.parse().with_context(|| format!("{text} is no time (RFC 3339)"))?;
    let ms = u64::try_from(instant.as_millisecond()).with_context(|| format!("{text} is before 1970"))?;
    Ok(Timestamp::from_ms(ms))
}

/// Restores a backup, the newest where `number` is none, from the folder `from` into the new data folder `to`.
///
/// # Errors
/// The backup is damaged, with what and where; the target is not empty; the point is before the first record; the replayed state is not the
/// backup's, or breaks an invariant; a file cannot be written. Nothing is under the name `to` then.
pub fn restore(from: &Path, to: &Path, number: Option<u64>, until: Until) -> anyhow::Result<Restored> {
    let started = std::time::Instant::now();
    let is_empty = std::fs::read_dir(to).map_or(true, |mut files| files.next().is_none());
    ensure!(is_empty, "{} is not empty: a restore makes a new data folder", to.display());
    let place = Place::open(from)?;
    let manifest = manifest::choose(&place, number)?;
    let faults = manifest::faults(&place, &manifest);
    ensure!(faults.is_empty(), "backup {} is damaged: {}", manifest.number, faults.join("; "));
    let checked_ms = started.elapsed().as_millis();
    write::write(&place, manifest, to, until, checked_ms)
}

impl Restored {
    /// What was done and what is to do, in words.
    #[must_use]
    pub fn text(&self, to: &Path) -> String {
        let mut lines = vec![format!(
            "restored bank {} from backup {} into {}",
            self.manifest.bank,
            self.manifest.number,
            to.display()
        )];
        lines.push(format!(
            "records 1 to {}, last recorded at {}, head {}",
            self.seq, self.recorded_at, self.hash
        ));
        lines.push(format!("every record checked and replayed, every invariant holds; state {}", self.state));
        lines.push(match self.compared_at {
            Some(seq) => format!("the state at record {seq} is that of the backup's snapshot"),
            None => "no snapshot to compare the state with: the chain alone proves the journal".to_owned(),
        });
        lines.push(format!("backup checked in {} ms, written and replayed in {} ms", self.ms.0, self.ms.1));
        if !self.outstanding.is_empty() {
            lines.push("outstanding, sent again with the same bytes when the bank starts:".to_owned());
            lines.extend(self.outstanding.iter().map(|line| format!("  {line}")));
        }
        if self.left_out > 0 {
            self.after_the_point(&mut lines);
        }
        if !self.missing.is_empty() {
            lines.push(
                "keys are not in the backup; put these there, mode 600, before the bank starts:".to_owned(),
            );
            lines.extend(self.missing.iter().map(|path| format!("  {}", to.join(path).display())));
        }
        lines.push(format!("then: jinku audit --data {0}; jinku serve --data {0}", to.display()));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn after_the_point(&self, lines: &mut Vec<String>) {
        lines.push(format!("{} records after this point are left out", self.left_out));
        lines.push(
            "NOT UNDONE: what was sent to the world and what the world did after this point stays done there. \
             The bank does not know it any more; reconcile it with the centre before customers come in:"
                .to_owned(),
        );
        if self.to_reconcile.is_empty() {
            lines.push("  nothing: no message went out or came in after this point".to_owned());
        }
        lines.extend(self.to_reconcile.iter().map(|line| format!("  {line}")));
        if self.checkpoint_aside {
            lines.push(
                "the bank had signed a checkpoint after this point: it is kept as checkpoint.note.aside, and receipts given \
                 after this point will not fit the new log"
                    .to_owned(),
            );
        }
    }
}

/// The key files that a backup without keys leaves to be put there.
fn missing(manifest: &Manifest) -> Vec<String> {
    if manifest.has_keys { Vec::new() } else { Key::files() }
}
