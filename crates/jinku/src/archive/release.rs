//! `jinku archive release` takes records out of the journal that are in the archive; `jinku archive return` brings them back.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bank::Bank;
use journal::{FileJournal, Head, JournalError, Options, Reader};
use receipts::VerifierKey;

use super::base::{self, Kept};
use super::records::Released;
use super::{check_file, plans};
use crate::config::Installation;
use crate::serve;

/// A group of the returned journal is closed at so many bytes: far below the journal's bound, large enough that a write costs little.
const GROUP_BYTES: usize = 1 << 20;
/// And at so many records.
const GROUP_RECORDS: usize = 4_096;

/// Whose records, and where the archive is.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Data folder of a bank that is stopped.
    #[arg(long)]
    data: PathBuf,
    /// Folder of the archive.
    #[arg(long)]
    archive: PathBuf,
}

/// Releases and says what.
///
/// # Errors
/// As [`release`].
pub(super) fn run_release(arguments: &Arguments) -> anyhow::Result<()> {
    match release(&arguments.data, &arguments.archive)? {
        Some(done) => println!(
            "{} segments removed, with the records 1 to {} of this bank: {} files of the archive have them, each checked from end to end.\n\
             Keep the archive: whatever needs those records (`jinku archive return` brings them back) reads it.",
            done.segments, done.before.seq, done.files
        ),
        None => println!(
            "nothing to release: no whole segment is archived, behind a snapshot and in the read models"
        ),
    }
    Ok(())
}

/// Brings back and says what.
///
/// # Errors
/// As [`bring_back`].
pub(super) fn run_return(arguments: &Arguments) -> anyhow::Result<()> {
    match bring_back(&arguments.data, &arguments.archive)? {
        Some(last) => println!("the records 1 to {last} are in the journal again: it is whole"),
        None => println!("the journal is whole: nothing was released"),
    }
    Ok(())
}

/// What was released.
#[derive(Debug)]
pub struct Done {
    /// The last record released.
    pub before: Head,
    /// Files of the journal removed.
    pub segments: u64,
    /// Files of the archive that have the records.
    pub files: usize,
}

/// Removes the journal's segments whose records are in the archive, behind a good snapshot and in the read models. `None` where there are none.
///
/// # Errors
/// The bank is running; a file of the archive is damaged, another bank's or missing between others; the journal is damaged; or a file cannot be
/// written. An interruption leaves either everything or what is meant to be left.
pub fn release(data: &Path, archive: &Path) -> anyhow::Result<Option<Done>> {
    let installation = Installation::open(data)?;
    let signer = serve::log_signer(&installation)?;
    let mut journal = open(data)?;
    let bank = node::recover(data)?.bank;
    let files = archived(&installation, &bank, archive, signer.verifier())?;
    let Some(last) = files.last() else {
        bail!("{} has no sealed days of this bank: `jinku archive` makes them", archive.display())
    };
    let archived = last.head()?;
    in_journal(&data.join("journal"), archived)?;
    let through = archived.seq.min(not_needed(data)?);
    let Some(before) = journal.releasable(through)? else { return Ok(None) };
    let files: Vec<Kept> = files.into_iter().filter(|file| file.before_seq < before.seq).collect();
    let count = files.len();
    let base = base::sign(&installation.config.number, before, files, &signer)?;
    let segments = journal.release(&base)?;
    Ok(Some(Done { before, segments, files: count }))
}

/// The writer's place, which a running bank has.
fn open(data: &Path) -> anyhow::Result<FileJournal> {
    let folder = data.join("journal");
    ensure!(folder.is_dir(), "{} has no journal", data.display());
    match FileJournal::open(&folder, &Options::default()) {
        Err(JournalError::Locked(_)) => {
            bail!("the bank is running: stop it first (one node after another where it has several)")
        }
        opened => Ok(opened?.0),
    }
}

/// The files of the archive from the first seal on, each read from end to end.
fn archived(
    installation: &Installation,
    bank: &Bank,
    archive: &Path,
    key: &VerifierKey,
) -> anyhow::Result<Vec<Kept>> {
    let known = match journal::base(&installation.folder.join("journal"))? {
        Some(base) => base::files(&base, &installation.config.number, key).context("the journal's base")?,
        None => Vec::new(),
    };
    let mut files = Vec::new();
    for plan in plans(installation, bank) {
        let path = archive.join(plan.name());
        if !path.exists() {
            break;
        }
        let title = check_file(&path, key).with_context(|| path.display().to_string())?;
        ensure!(plan.fits(&title), "{} is of another history", path.display());
        files.push(Kept::new(plan.name(), &title));
    }
    ensure!(
        files.starts_with(&known),
        "{} does not have the files that records were released to before",
        archive.display()
    );
    Ok(files)
}

/// The journal has this record, or had it when it was released.
fn in_journal(folder: &Path, head: Head) -> anyhow::Result<()> {
    let record = match Reader::open(folder, head.seq) {
        Err(JournalError::Released { .. }) => return Ok(()),
        reader => reader?.next()?,
    };
    let is_there = record.is_some_and(|record| record.seq == head.seq && record.hash == head.hash);
    ensure!(is_there, "the archive ends with record {} {}, and the journal has another", head.seq, head.hash);
    Ok(())
}

/// The last record that neither a start nor the read models need: every good snapshot stays usable.
fn not_needed(data: &Path) -> anyhow::Result<u64> {
    let mut good = node::good_snapshots(data)?;
    if good.is_empty() {
        node::write_snapshot(data)?;
        good = node::good_snapshots(data)?;
    }
    let snapshot = good.iter().map(|found| found.bank.seq()).min().context("no snapshot is good")?;
    let shown = projections::standing(data)?.context(
        "the bank has no read models, which are made from the first record on: run it until it has, or they could not be made any more",
    )?;
    // The read models ask for the last record they have.
    Ok(snapshot.min(shown.saturating_sub(1)))
}

/// Puts the released records back; answers with the last of them, `None` where the journal is whole.
///
/// # Errors
/// The bank is running, a file of the archive is damaged or missing, or there is no room. An interruption leaves the journal as it was, or whole.
pub fn bring_back(data: &Path, archive: &Path) -> anyhow::Result<Option<u64>> {
    let installation = Installation::open(data)?;
    let signer = serve::log_signer(&installation)?;
    let Some(mut back) = open(data)?.begin_return(&Options::default())? else { return Ok(None) };
    let last = back.base().before;
    let files = base::files(back.base(), &installation.config.number, signer.verifier())
        .context("the journal's base")?;
    let mut released = Released::new(archive, files, last, signer.verifier());
    let (mut group, mut bytes) = (Vec::new(), 0_usize);
    while let Some((_, record)) = released.next()? {
        bytes = bytes.saturating_add(record.len());
        group.push(record);
        if bytes >= GROUP_BYTES || group.len() >= GROUP_RECORDS {
            back.append(&group)?;
            group.clear();
            bytes = 0;
        }
    }
    back.append(&group)?;
    back.finish()?;
    Ok(Some(last.seq))
}
